"""`mlops-iac explain`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlops_iac.cli._session import Session, argument, flag, option, verb
from mlops_iac.cli._width import columns, fits, folded
from mlops_iac.errors import UsageError
from mlops_iac.graph.shown import cut

if TYPE_CHECKING:
    from mlops_iac.api.stacks.differences import LeafDifference, Said
    from mlops_iac.graph.differences import Differences, ResourceDifference

_WIDEST = 34
_CHANGES = 3
_LONGEST = 40
_BELOW = "    "


@verb("explain")
def command(
    session: Session,
    path: str = argument(required=False, default=""),
    pair: tuple[str, str] | None = option(
        "What two environments differ in, instead of one's values.",
        "--diff",
        nargs=2,
        metavar="ENV ENV",
    ),
    resources: bool = flag("With --diff: in resources, too. Needs no credentials."),
) -> None:
    """Say a field's value in a stack, and the line or default it comes from.

    PATH is a blueprint path such as serving.api.scaling.max; a section's path explains every leaf
    below it, no path the whole blueprint. With --diff: every leaf that differs between two
    environments, with both lines; with --resources what that comes to.
    """
    if pair:
        _diff(session, *pair, path, resources=resources)
        return
    if resources:
        raise UsageError("--resources is for --diff", hint="write --diff dev prod --resources")
    leaves = session.project().explain(path, session.stack)
    if session.json:
        session.emit_json(leaves)
        return
    width = max(len(leaf["path"]) for leaf in leaves)
    for leaf in leaves:
        value = json.dumps(leaf["value"], ensure_ascii=False, default=str)
        origin = session.style(leaf["origin"], fg="bright_black")
        session.out(f"{leaf['path']:<{width}}  {value}  ← {origin}")


def _diff(session: Session, left: str, right: str, path: str, *, resources: bool) -> None:
    from mlops_iac.api.stacks.differences import blueprint_differences, resource_differences

    project = session.project()
    if resources and path:
        raise UsageError(
            "--resources compares whole stacks, and a path is named", hint="drop one of them"
        )
    leaves = blueprint_differences(project, left, right, path)
    captured = resource_differences(project, left, right) if resources else None
    if session.json:
        session.emit_json(_as_json(left, right, leaves, captured))
        return
    _print_leaves(session, left, right, leaves)
    if captured is not None:
        session.out("")
        session.out(*_resource_lines(session, captured))


def _as_json(
    left: str, right: str, leaves: Sequence[LeafDifference], captured: Differences | None
) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "left": left,
        "right": right,
        "leaves": [leaf.as_json() for leaf in leaves],
    }
    if captured is not None:
        shown["resources"] = {
            "only_left": [address for _, address in captured.only_left],
            "only_right": [address for _, address in captured.only_right],
            "differ": [
                {
                    "address": item.address,
                    "type": item.type,
                    "component": item.component,
                    "properties": [
                        {"path": each.path, "left": each.old, "right": each.new}
                        for each in item.changes
                    ],
                }
                for item in captured.differ
            ],
            "differ_in_names_alone": captured.named,
            "same": captured.same,
        }
    return shown


def _print_leaves(
    session: Session, left: str, right: str, leaves: Sequence[LeafDifference]
) -> None:
    if not leaves:
        session.out(f"{left} and {right} say the same")
        return
    rows = [(leaf.path, _value(leaf.left.value), _value(leaf.right.value)) for leaf in leaves]
    first = max(len(row[0]) for row in rows)
    second = max(len(left), *(len(row[1]) for row in rows))
    third = max(len(right), *(len(row[2]) for row in rows))
    count = "1 leaf differs" if len(leaves) == 1 else f"{len(leaves)} leaves differ"
    head = f"{count:<{first}}  {left:<{second}}  {right:<{third}}"
    session.out(session.style(head.rstrip(), bold=True))
    told = [f"{path:<{first}}  {one:<{second}}  {other:<{third}}" for path, one, other in rows]
    where = [
        " | ".join(filter(None, dict.fromkeys((_where(leaf.left), _where(leaf.right)))))
        for leaf in leaves
    ]
    width = columns()
    beside = fits([f"{line}  ← {at}" for line, at in zip(told, where, strict=True)], width)
    for line, at in zip(told, where, strict=True):
        if beside:
            session.out(f"{line}  ← {session.style(at, fg='bright_black')}")
            continue
        session.out(line.rstrip())
        for part in folded(f"← {at}", " | ", width - len(_BELOW)):
            session.out(f"{_BELOW}{session.style(part, fg='bright_black')}")


def _where(said: Said) -> str:
    if said.value is None:
        return ""
    layer = f" ({said.layer})"
    kind, _, template = said.layer.partition(" ")
    place = said.where.partition("/")[0]
    if kind == "environment" or (kind == "template" and template.split(",")[0] == place):
        layer = ""  # where it stands says that already
    elif said.layer == f"fixed by {place}":
        layer = " (fixed)"
    return f"{said.where}{layer}" if said.where else said.layer


def _resource_lines(session: Session, found: Differences) -> list[str]:
    lines: list[str] = []
    sides = (
        (found.left, found.only_left, "red", "-"),
        (found.right, found.only_right, "green", "+"),
    )
    for name, only, color, sign in sides:
        if not only:
            continue
        lines.append(session.style(f"only in {name}: {_resources(len(only))}", bold=True))
        groups: dict[str, list[str]] = {}
        for component, address in only:
            groups.setdefault(component, []).append(address)
        for component, addresses in groups.items():
            shown = addresses[0] if len(addresses) == 1 else _kinds(addresses)
            lines.append(f"  {session.style(sign, fg=color)} {component or 'the stack'}: {shown}")
    if found.differ:
        lines.append(session.style(f"differ: {_resources(len(found.differ))}", bold=True))
    alike: dict[tuple[str, str], list[str]] = {}
    for item in found.differ:
        kind, _, name = item.address.partition("/")
        alike.setdefault((kind, _changes(item)), []).append(name)
    for (kind, changes), names in alike.items():
        title = f"{kind}/{names[0]}" if len(names) == 1 else f"{kind} ×{len(names)}"
        lines.append(f"  {session.style('~', fg='yellow')} {title}: {changes}")
    lines.append(
        f"{found.named} differ in names, account and region alone, {found.same} not at all"
    )
    return lines


def _changes(item: ResourceDifference) -> str:
    texts = [
        f"{_property(change.path)} {_value(change.old)} → {_value(change.new)}"
        for change in item.changes[:_CHANGES]
    ]
    more = len(item.changes) - _CHANGES
    return "; ".join([*texts, *([f"{more} more"] if more > 0 else [])])


def _property(path: str) -> str:
    """A path's end, where it is long; options without what marks them."""
    shown = path.removeprefix('["(').replace(')"]', "")
    return shown if len(shown) <= _LONGEST else f"…{shown[1 - _LONGEST :]}"


def _resources(number: int) -> str:
    return f"{number} resource{'' if number == 1 else 's'}"


def _kinds(addresses: Sequence[str]) -> str:
    """`5 resources (module.Type, module.Other 2, …)`."""
    counts = Counter(address.split("/")[0] for address in addresses)
    names = [f"{kind} ×{count}" if count > 1 else kind for kind, count in counts.items()]
    shown = ", ".join(names[:4]) + (", …" if len(names) > 4 else "")
    return f"{len(addresses)} ({shown})"


def _value(value: object) -> str:
    if value is None:
        return "–"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return cut(text, 0, _WIDEST)
