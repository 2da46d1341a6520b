"""What two environments of one blueprint differ in: as written, and as resources."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from mlops_iac.api.compile import captures, programs
from mlops_iac.api.core.explaining import within
from mlops_iac.errors import UsageError

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.blueprint import ResolvedBlueprint
    from mlops_iac.graph.differences import Differences


@dataclass(frozen=True, slots=True)
class Said:
    """What one environment says of a leaf. `value` is None where it has none.

    `where` is `file:line`, empty for a default; `layer` as `explain` names it.
    """

    value: Any
    where: str
    layer: str


@dataclass(frozen=True, slots=True)
class LeafDifference:
    """A leaf that differs."""

    path: str
    left: Said
    right: Said

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)


def blueprint_differences(
    project: BaseProject, left: str, right: str, path: str = ""
) -> list[LeafDifference]:
    """Return the leaves at or below `path` that differ, in the order of the blueprint.

    Raises StackNotFound for an environment that there is not, UsageError for one compared with
    itself and for a path that neither has.
    """
    if left == right:
        raise UsageError(f"{left} is compared with itself", hint="name two environments")
    one, other = project.resolve(left), project.resolve(right)
    mine, theirs = one.leaves(), other.leaves()
    leaves = _in_order(list(mine), list(theirs))
    return [
        LeafDifference(leaf, _said(one, leaf, mine), _said(other, leaf, theirs))
        for leaf in within(leaves, path, f"neither {left} nor {right} has a field {path!r}")
        if not _same(mine.get(leaf), theirs.get(leaf))
    ]


def resource_differences(project: BaseProject, left: str, right: str) -> Differences:
    """Return what the captured resources of two stacks differ in, beside names, account, region.

    Needs no credentials. Raises StackNotFound, BlueprintInvalid.
    """
    from mlops_iac.graph.comparable import comparable
    from mlops_iac.graph.differences import Side, differences

    for name in (left, right):
        project.resolve(name)
    folder, program = captures.work_program(project)

    def side(name: str) -> Side:
        graph = programs.capture_program(project, name, folder, program.config[name])
        return Side(comparable(graph), project.emulated_cloud.account(name), project.region(name))

    return differences(side(left), side(right))


def _said(resolved: ResolvedBlueprint, path: str, leaves: dict[str, Any]) -> Said:
    if path not in leaves:
        return Said(None, "", "")
    origin = resolved.origin(path)
    written = bool(origin.line) and origin.layer != "default"
    where = f"{os.path.relpath(origin.file)}:{origin.line}" if written else ""
    value = leaves[path]
    return Said(list(value) if isinstance(value, tuple) else value, where, origin.layer)


def _same(left: Any, right: Any) -> bool:
    return type(left) is type(right) and bool(left == right)


def _in_order(left: list[str], right: list[str]) -> list[str]:
    """All paths; what only the right has stands after what precedes it there."""
    merged, position = list(left), 0
    places = {path: index for index, path in enumerate(merged)}
    extra: dict[int, list[str]] = {}
    for path in right:
        if path in places:
            position = places[path] + 1
        else:
            extra.setdefault(position, []).append(path)
    found: list[str] = []
    for index in range(len(merged) + 1):
        found += extra.get(index, [])
        found += merged[index : index + 1]
    return found
