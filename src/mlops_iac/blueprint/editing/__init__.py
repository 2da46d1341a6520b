"""Changes to a blueprint's text that keep every other byte.

The text is never printed anew: what changes is spliced in where the parser says that it stands
(`marks`, `splices`), and the result is read again and must be exactly the tree that was meant
(`editor`), or nothing has happened.
"""

from mlops_iac.blueprint.editing.changes import Change, EditRefused
from mlops_iac.blueprint.editing.editor import Editor
from mlops_iac.blueprint.editing.files import TextFile

__all__ = ["Change", "EditRefused", "Editor", "TextFile"]
