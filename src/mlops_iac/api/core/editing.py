"""A blueprint on disk while it is changed: nothing is written before the result is valid."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_iac import blueprint as language
from mlops_iac.blueprint.editing import Editor, TextFile
from mlops_iac.errors import BlueprintInvalid, Diagnostic

if TYPE_CHECKING:
    from mlops_iac.api.project import Project


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

    def project(self) -> Project:
        """Return the project that the text as it is now gives; the file is not touched.

        Raises BlueprintInvalid with every problem, the platform's included.
        """
        from mlops_iac.api.core.loading import judged_with
        from mlops_iac.api.core.templating import Templates
        from mlops_iac.api.project import Project

        templates = Templates(self.path)
        loaded, found = language.examine(self.path, templates=templates, text=self.editor.text)
        if loaded is not None:
            project = Project(loaded, templates)
            found = judged_with(project, found)
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
