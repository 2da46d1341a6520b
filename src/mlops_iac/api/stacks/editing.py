"""A blueprint on disk while it is changed: nothing is written before the result is valid."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mlops_iac import blueprint as language
from mlops_iac.api.compile.checks import problems
from mlops_iac.api.core.project import BaseProject
from mlops_iac.api.core.templating import Templates
from mlops_iac.blueprint.editing import Editor, TextFile
from mlops_iac.blueprint.words import join
from mlops_iac.errors import BlueprintInvalid, Diagnostic

SECTION = "environments"


class BlueprintEdit:
    """The file of a blueprint and an editor of its text.

    Raises UsageError where it cannot be read, BlueprintInvalid where it is no YAML.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.file = TextFile(self.path)
        self.editor = Editor(self.file.text, file=self.file.shown)

    @property
    def changed(self) -> bool:
        """Whether there is anything to write."""
        return self.editor.text != self.file.text

    def project(self) -> BaseProject:
        """Return the project that the text as it is now gives; the file is not touched.

        Raises BlueprintInvalid with every problem, the platform's included.
        """
        templates = Templates(self.path)
        loaded, found = language.examine(self.path, templates=templates, text=self.editor.text)
        if loaded is not None:
            project = BaseProject(loaded, templates)
            found = problems(project, found)
        errors = [item for item in found if item.severity == "error"]
        if errors or loaded is None:
            raise BlueprintInvalid([self._placed(item) for item in errors])
        return project

    def _placed(self, item: Diagnostic) -> Diagnostic:
        """Place a problem in the file as it is: nothing of the changed text was written."""
        if item.file != self.file.shown or not item.line or not self.changed:
            return item
        if line := self.editor.line_before(item.line):
            return replace(item, line=line)
        return replace(item, message=f"{item.message} (in what would be written)")

    def write(self) -> bool:
        """Write the text; False where it is the same. Raises UsageError, MlopsError."""
        return self.file.write(self.editor.text)


def put_in(editor: Editor, name: str, base: str | None, section: str = SECTION) -> None:
    """Write an environment, with the text of another one's overlay or with none."""
    if base is not None:
        editor.copy(f"{section}.{base}", join(section, name))
    else:
        editor.set(join(section, name), {})


def take_out(editor: Editor, name: str, section: str = SECTION) -> None:
    """Remove an environment; the text is as if it had never been put in.

    The section goes with the last one, unless it stands in braces: then it was there before.
    """
    kept = editor.in_braces(section)
    editor.remove(join(section, name))
    if not kept and editor.get(section) == {}:
        editor.remove(section)
