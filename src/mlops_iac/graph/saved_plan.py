"""A plan as a file: what it is bound to, by name, and the operations; and what moved since.

A saved plan is never executed. Whoever has one plans again and compares: the file can only make a
deployment stop. It holds no secret and no digest of one; what was left out is listed by name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, Literal, cast, get_args

from mlops_iac.errors import UsageError
from mlops_iac.graph.canonical import (
    ASSET,
    UNKNOWN_TEXT,
    CanonicalGraph,
    canonical_value,
    unwrapped,
)
from mlops_iac.graph.changes import identical, property_changes
from mlops_iac.graph.model import address_of
from mlops_iac.graph.plan import Step
from mlops_iac.graph.redact import REDACTED, IsSensitive, redact_properties

FORMAT: Final = 1
KIND: Final = "mlops-iac plan"
LARGEST: Final = 64 * 1024 * 1024
# What the operations were planned against: the local state (exact inputs); the state in the real
# backend (operations, with the inputs of the symbolic graph); or a lock file (no state at all).
Basis = Literal["state", "live", "lock"]
# In the order in which a cause stands before what follows from it.
SECTIONS: Final = (
    "configuration",
    "program",
    "assets",
    "versions",
    "facts",
    "git",
    "state",
    "graph",
    "outputs",
)
_SAVE_AGAIN = "save it again with `mlops-iac preview --save-plan FILE`"


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """`bound` maps section → name → canonical value or digest; see `SECTIONS`.

    `operations` are those of every resource, the unchanged ones included, in the plan's order.
    `left_out` names what no plan may hold: secrets. `review` is a saved review, for the comment.
    """

    project: str
    stack: str
    engine: str
    basis: Basis
    bound: Mapping[str, Mapping[str, Any]]
    operations: Sequence[Mapping[str, Any]]
    left_out: Sequence[str] = ()
    review: Mapping[str, Any] | None = None

    def to_bytes(self) -> bytes:
        """The file: the same for the same plan."""
        data: dict[str, Any] = {
            "format": FORMAT,
            "kind": KIND,
            "digest": self.digest,
            **self._content(),
        }
        if self.review is not None:
            data["review"] = self.review
        return (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode()

    @property
    def digest(self) -> str:
        """What names this plan: SHA-256 over everything in it but the review, in hex."""
        return digest_of(self._content())

    def _content(self) -> dict[str, Any]:
        return {
            "project": self.project,
            "stack": self.stack,
            "engine": self.engine,
            "basis": self.basis,
            "bound": {name: dict(sorted(self.bound[name].items())) for name in sorted(self.bound)},
            "operations": [dict(operation) for operation in self.operations],
            "left_out": list(self.left_out),
        }


@dataclass(frozen=True, slots=True)
class Move:
    """One thing that is not as planned. `old` and `new` are shown, so they hold no digests."""

    section: str
    name: str
    words: str


def parse_plan(raw: bytes, name: str) -> SavedPlan:
    """The plan in a file's bytes; `name` is for messages.

    Raises UsageError for what is no plan, was changed by hand or cut off, or has a newer format.
    """
    if len(raw) > LARGEST:
        raise UsageError(f"{name} is larger than a plan can be ({len(raw)} bytes)")
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        raise UsageError(f"{name} is no plan: it is not JSON", hint=_SAVE_AGAIN) from None
    if not isinstance(data, dict) or data.get("kind") != KIND:
        raise UsageError(f"{name} is no plan of mlops-iac", hint=_SAVE_AGAIN)
    found = data.get("format")
    if isinstance(found, int) and not isinstance(found, bool) and found > FORMAT:
        raise UsageError(
            f"{name} has format {found}; this version reads up to {FORMAT}",
            hint="apply it with the version of mlops-iac that saved it, or save it again",
        )
    try:
        plan = _read(data, found)
        whole = data["digest"] == plan.digest
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        raise UsageError(f"{name} is a damaged plan", hint=_SAVE_AGAIN) from None
    if not whole:
        raise UsageError(
            f"{name} is a damaged plan: it is not what was saved (its digest differs)",
            hint=_SAVE_AGAIN,
        )
    return plan


def operations_of(
    steps: Sequence[Step], sensitive: IsSensitive | None = None, *, inputs: bool = True
) -> list[dict[str, Any]]:
    """Steps as a plan holds them: operation, registered inputs and what forces a replacement."""
    return [_operation(step, sensitive, inputs) for step in steps]


def graph_section(graph: CanonicalGraph) -> dict[str, Any]:
    """The resources of a symbolic graph, as a plan binds them."""
    return {
        resource.urn: {
            "inputs": resource.inputs,
            "dependencies": list(resource.dependencies),
            "options": resource.options,
            "parent": resource.parent,
        }
        for resource in graph.resources
    }


def digest_of_graph(graph: CanonicalGraph) -> str:
    """What names a symbolic graph: SHA-256, in hex, over all that a plan binds of it."""
    return digest_of([graph.project, graph.stack, graph_section(graph), graph.outputs])


def digest_of(value: Any) -> str:
    """SHA-256 over a canonical value, in hex."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def assets_in(resources: Mapping[str, Any]) -> dict[str, str]:
    """Every file that is uploaded, as `address property` → digest; `resources` maps URN → inputs."""
    return {
        f"{address_of_urn(urn)} {path}": value[ASSET]
        for urn, inputs in resources.items()
        for path, value in _walk(inputs, "")
        if isinstance(value, dict) and set(value) == {ASSET}
    }


def redacted_in(resources: Mapping[str, Any]) -> list[str]:
    """Where a secret stood; `resources` maps URN → inputs."""
    return [
        f"{address_of_urn(urn)} {path}"
        for urn, inputs in resources.items()
        for path, value in _walk(inputs, "")
        if value == REDACTED
    ]


def address_of_urn(urn: str) -> str:
    """The name a person uses; the text itself where it is no URN."""
    parts = urn.split("::", 3)
    type_ = parts[2].split("$")[-1] if len(parts) == 4 else ""
    return address_of(type_, parts[3]) if type_.count(":") == 2 else urn


def moved(planned: SavedPlan, fresh: SavedPlan) -> list[Move]:
    """What is not as planned, causes first; nothing where the two are equal.

    Project, stack, engine and basis are the caller's to compare: they make another plan.
    """
    moves: list[Move] = []
    for section in SECTIONS:
        moves += _section_moves(
            section, planned.bound.get(section, {}), fresh.bound.get(section, {})
        )
    for section in sorted({*planned.bound, *fresh.bound} - {*SECTIONS}):
        moves.append(Move(section, "", f"{section}: not known to this version"))
    return moves + list(_operation_moves(planned, fresh))


def exceeding(planned: SavedPlan, steps: Sequence[Step]) -> list[Move]:
    """Operations of a live plan that one made from lock files does not have.

    Less may happen than was reviewed (what waits for a first approved version), never more.
    Components and providers are no operations of a cloud and are left out.
    """
    reviewed: dict[str, set[str]] = {}
    for operation in planned.operations:
        reviewed.setdefault(operation["urn"], set()).add(operation["op"])
    moves = []
    for step in steps:
        if not step.custom or step.type.startswith("pulumi:") or step.op in ("same", "read"):
            continue
        allowed = reviewed.get(step.urn, set())
        if "replace" in allowed:
            allowed = allowed | {"create-replacement", "delete-replaced"}
        if step.op not in allowed:
            was = "/".join(sorted(allowed)) or "nothing"
            address = address_of(step.type, step.name)
            moves.append(
                Move("operations", address, f"{address}: {was} was planned, now {step.op}")
            )
    return moves


def _operation(step: Step, sensitive: IsSensitive | None, inputs: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {"op": step.op, "urn": step.urn, "custom": step.custom}
    if inputs and step.new_inputs:
        entry["inputs"] = canonical_inputs(step.type, step.new_inputs, sensitive)
    if step.changes:
        entry["changes"] = [
            {"path": change.path, "kind": change.kind, "replaces": change.replaces}
            for change in step.changes
        ]
    optional = {
        "replace_keys": sorted(set(step.replace_keys)),
        "dependencies": sorted(set(step.dependencies)),
        "parent": step.parent,
        "id": step.id if step.op in ("update", "replace", "delete", "delete-replaced") else "",
        "protect": step.protect,
        "delete_before_replace": step.delete_before_replace,
        "retained": step.retained,
    }
    return {**entry, **{key: value for key, value in optional.items() if value}}


def canonical_inputs(
    type_: str, properties: Mapping[str, Any], sensitive: IsSensitive | None
) -> dict[str, Any]:
    """A resource's properties, canonical and without secrets."""
    clean = canonical_value(redact_properties(type_, properties, sensitive=sensitive))
    assert isinstance(clean, dict)
    return clean


def _section_moves(section: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Move]:
    for name in [*old, *(name for name in new if name not in old)]:
        title = address_of_urn(name) if name.startswith("urn:") else name
        if name not in new:
            yield Move(section, title, f"{_WHAT[section]} {title} is gone")
        elif name not in old:
            yield Move(section, title, f"{_WHAT[section]} {title} is new")
        elif not identical(old[name], new[name]):
            words = _difference(section, old[name], new[name])
            yield Move(section, title, f"{_WHAT[section]} {title} {words}")


_WHAT: Final = {
    "configuration": "the configuration",
    "program": "the program's file",
    "assets": "the file uploaded by",
    "versions": "the version of",
    "facts": "the provider facts of",
    "git": "the git",
    "state": "the state of",
    "graph": "the resource",
    "outputs": "the output",
}


def _difference(section: str, old: Any, new: Any) -> str:
    if section in ("configuration", "versions", "outputs"):
        return f"was {_shown(old)}, is {_shown(new)}"
    if section == "graph" and isinstance(old, dict) and isinstance(new, dict):
        return f"differs in {_paths(old, new)}"
    return "differs"


def _paths(old: Any, new: Any) -> str:
    changes = property_changes(old, new, lambda _path: (False, ""))
    paths = [change.path.removeprefix("inputs.") for change in changes]
    return ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")


def _operation_moves(planned: SavedPlan, fresh: SavedPlan) -> Iterator[Move]:
    old, new = _by_urn(planned.operations), _by_urn(fresh.operations)
    for urn in [*old, *(urn for urn in new if urn not in old)]:
        before, after = old.get(urn, []), new.get(urn, [])
        if identical(before, after):
            continue
        title = address_of_urn(urn)
        was, now = _verbs(before), _verbs(after)
        if was != now:
            yield Move("operations", title, f"{title}: {was} was planned, now {now}")
        else:
            yield Move("operations", title, f"{title}: {was} differs in {_paths(before, after)}")


def _by_urn(operations: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for operation in operations:
        found.setdefault(operation["urn"], []).append(dict(operation))
    for several in found.values():
        several.sort(key=lambda operation: str(operation["op"]))
    return found


def _verbs(operations: Sequence[Mapping[str, Any]]) -> str:
    ops = [operation["op"] for operation in operations]
    return "replace" if "replace" in ops else "/".join(ops) or "nothing"


def _shown(value: Any) -> str:
    text = json.dumps(unwrapped(value), ensure_ascii=True)
    return text if len(text) <= 60 else text[:57] + "…"


def _walk(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    yield path, value
    match value:
        case dict():
            for key, item in value.items():
                yield from _walk(item, f"{path}.{key}" if path else str(key))
        case list():
            for index, item in enumerate(value):
                yield from _walk(item, f"{path}[{index}]")


def _read(data: Mapping[str, Any], found: Any) -> SavedPlan:
    if found != FORMAT or data["basis"] not in get_args(Basis):
        raise ValueError(found)
    bound = {
        _text(section): {_text(name): item for name, item in names.items()}
        for section, names in data["bound"].items()
    }
    operations = [dict(operation) for operation in data["operations"]]
    for operation in operations:
        _text(operation["urn"])
        _text(operation["op"])
    review = data.get("review")
    if review is not None and not isinstance(review, dict):
        raise TypeError(review)
    return SavedPlan(
        project=_text(data["project"]),
        stack=_text(data["stack"]),
        engine=_text(data["engine"]),
        basis=cast("Basis", data["basis"]),
        bound=bound,
        operations=operations,
        left_out=[_text(name) for name in data["left_out"]],
        review=review,
    )


def _text(value: Any) -> str:
    # Names are printed: nothing that moves a cursor may come out of a file somebody handed over.
    if not isinstance(value, str) or not value.isprintable():
        raise TypeError(value)
    return value


__all__ = [
    "UNKNOWN_TEXT",
    "Basis",
    "Move",
    "SavedPlan",
    "assets_in",
    "canonical_inputs",
    "digest_of",
    "digest_of_graph",
    "exceeding",
    "graph_section",
    "moved",
    "operations_of",
    "parse_plan",
    "redacted_in",
]
