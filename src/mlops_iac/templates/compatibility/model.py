"""One change between two versions of a template."""

from __future__ import annotations

from typing import Literal

from mlops_iac.blueprint.source import Node
from mlops_iac.blueprint.templates.manifest import (
    Move,
    Operation,
    Remove,
    Rename,
    RenameParameter,
    Set,
)
from mlops_iac.records import Record
from mlops_iac.templates.linting.subject import Subject
from mlops_iac.templates.versions import parse_version

Level = Literal["unknown", "breaking", "feature", "fix"]
"""What semver calls it: incompatible, added or changed in a compatible way, neither; `unknown` is
what could not be compared, so that nobody knows."""


class Change(Record):
    """What differs. `whom` is who notices, `place` where the newer version says it.

    `covered` is the migration that takes care of it, empty where there is none. `hint` says what
    makes comparable what is not.
    """

    level: Level
    code: str
    message: str
    place: Node
    whom: str = ""
    covered: str = ""
    hint: str = ""

    def saying(self, message: str) -> Change:
        """The same in other words."""
        return Change(self.level, self.code, message, self.place, self.whom, self.covered)


class Pair(Record):
    """Two versions of a template, the older first."""

    old: Subject
    new: Subject

    def operations(self) -> list[tuple[str, Operation]]:
        """The migrations between them, each with its version, in order."""
        low, high = (parse_version(each.manifest.version) for each in (self.old, self.new))
        found = [
            (version, operation)
            for version, operations in self.new.parsed.reading.migrations.items()
            if low < parse_version(version) <= high
            for operation in operations
        ]
        return sorted(found, key=lambda each: parse_version(each[0]))

    def renamed(self, parameter: str) -> tuple[str, str]:
        """What a parameter is called now, and the version that renames it; empty if none does."""
        name, by = parameter, ""
        for version, operation in self.operations():
            if isinstance(operation, RenameParameter) and operation.rename_parameter == name:
                name, by = operation.to, version
        return (name, by) if by else ("", "")

    def covered(self, path: str) -> str:
        """The migration that takes care of a path, in words; empty if none does."""
        for version, operation in self.operations():
            at = _path(operation)
            if at and (at == path or path.startswith(f"{at}.")):
                return f"the migration of {version}"
        return ""


def _path(operation: Operation) -> str:
    match operation:
        case Set():
            return operation.set
        case Rename():
            return operation.rename
        case Move():
            return operation.move
        case Remove():
            return operation.remove
        case RenameParameter():
            return ""
