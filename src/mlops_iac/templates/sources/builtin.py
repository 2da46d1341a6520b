"""The templates that come with the tool: `blueprints/NAME` of the repository, in the wheel too."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from mlops_iac.blueprint.templates.content import MANIFEST, TemplateUnavailable
from mlops_iac.blueprint.words import suggestion
from mlops_iac.records import Record
from mlops_iac.templates.files import read_folder
from mlops_iac.templates.sources.base import inner

_PACKAGE = Path(__file__).resolve().parents[2]
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class BuiltinSource(Record):
    """`text` is the template's name."""

    text: str

    def beside(self, relative: str) -> BuiltinSource:
        return BuiltinSource(text=inner(self.text, relative, f"the built-in {self.text}"))

    def read(self) -> Mapping[str, bytes]:
        names = builtin_names()
        if self.text not in names:
            raise TemplateUnavailable(
                "template-missing",
                f"there is no built-in template '{self.text}'",
                hint=suggestion(self.text, names)
                + (f"; a folder is written './{self.text}'" if names else ""),
            )
        files = read_folder(builtin_folder() / self.text, self.text)
        # Golden files say what this version of the tool makes; a version of a template says nothing
        # of that, and has to keep its content.
        return {path: data for path, data in files.items() if not path.startswith("tests/")}


def builtin_folder() -> Path:
    """Where the built-in templates lie: in the package, or in the repository it is edited in."""
    packed = _PACKAGE / "_blueprints"
    if not packed.is_dir() and _PACKAGE.parent.name == "src":
        return _PACKAGE.parents[1] / "blueprints"
    return packed


def builtin_names() -> list[str]:
    """All built-in templates, sorted."""
    return sorted(item.parent.name for item in builtin_folder().glob(f"*/{MANIFEST}"))
