"""Another version of a blueprint's templates: what it does, and, when told to, the files.

`preparing.prepare` makes a `TemplateUpdate`; nothing is written but by its `write`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_iac.api.templates.effect import Effect
from mlops_iac.api.templates.moves import TemplateMove
from mlops_iac.blueprint.editing.files import Rewrite, rewrite
from mlops_iac.errors import BlueprintInvalid
from mlops_iac.records import as_data
from mlops_iac.templates.leaf_changes import LeafChange

if TYPE_CHECKING:
    from mlops_iac.templates.migrating import Done


_CHANGES = ("parameters", "limits")


@dataclass(frozen=True, kw_only=True)
class TemplateUpdate(Effect):
    """What an update does. Nothing is written before `write`.

    With any of `problems` and `broken` it is refused.
    """

    blueprint: str
    lock: str
    moves: Sequence[TemplateMove]
    migrations: Sequence[tuple[str, Done]]
    files: Sequence[Rewrite] = field(repr=False)

    @property
    def needed(self) -> bool:
        """Whether there is anything to write, or that cannot be."""
        return self.refused or any(each.old != each.new for each in self.files)

    @property
    def refused(self) -> bool:
        """Whether the team's blueprint does not stand on the new versions."""
        return bool(self.problems or self.broken)

    @property
    def diff(self) -> str:
        """What becomes of the blueprint's text; empty where it stays."""
        old, new = (
            (each or b"").decode("utf-8-sig") for each in (self.files[0].old, self.files[0].new)
        )
        lines = unified_diff(
            old.splitlines(keepends=True),
            new.splitlines(keepends=True),
            f"a/{self.blueprint}",
            f"b/{self.blueprint}",
        )
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)

    def write(self) -> list[Path]:
        """Write blueprint and lock, both or none; the paths that changed.

        The blueprint first: whoever is killed in between finds the lock as it was, and runs the
        update again, whose migrations find nothing more to do.

        Raises BlueprintInvalid where the update is refused, UsageError where a file was changed in
        the meantime, MlopsError where one cannot be written.
        """
        if self.problems:
            raise BlueprintInvalid(self.problems)
        assert not self.broken
        return rewrite(self.files)


def as_json(update: TemplateUpdate, *, written: bool) -> dict[str, Any]:
    """The update as JSON-able data, without secrets."""
    from mlops_iac.graph.hidden import hidden

    def leaf(change: LeafChange) -> dict[str, Any]:
        values = {key: hidden(change.path, getattr(change, key)) for key in ("old", "new")}
        return {**asdict(change), **values}

    return {
        "blueprint": update.blueprint,
        "lock": update.lock,
        "needed": update.needed,
        "refused": update.refused,
        "written": written,
        "templates": [
            {
                key: [change.as_json() for change in value] if key in _CHANGES else as_data(value)
                for key, value in vars(move).items()
            }
            for move in update.moves
        ],
        "migrations": [{"template": name, **as_data(done)} for name, done in update.migrations],
        "diff": update.diff,
        "values": [leaf(change) for change in update.leaves],
        "stacks": [each.review.to_json() for each in update.reviews],
        "problems": [asdict(each) for each in update.problems],
        "broken": [{"stack": stack, **asdict(finding)} for stack, finding in update.broken],
        "notes": list(update.notes),
    }
