"""A plan as a file: what it is bound to, by name, and the operations; and what moved since.

A saved plan is never executed. Whoever has one plans again and compares: the file can only make a
deployment stop. It holds no secret and no digest of one; what was left out is listed by name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final, Literal, cast, get_args

from mlops_iac.errors import UsageError
from mlops_iac.graph.canonical import ASSET, CanonicalGraph, canonical_value, walk
from mlops_iac.graph.model import address_of_urn
from mlops_iac.graph.plan import Step
from mlops_iac.graph.redact import is_hidden, redact_properties

FORMAT: Final = 1
KIND: Final = "mlops-iac plan"
LARGEST: Final = 64 * 1024 * 1024
# What the operations were planned against: the local state (exact inputs); the state in the real
# backend (operations, with the inputs of the symbolic graph); or a lock file (no state at all).
Basis = Literal["state", "live", "lock"]
_SAVE_AGAIN = "save it again with `mlops-iac preview --save-plan FILE`"


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """`bound` maps section (`plan_moves.SECTIONS`) → name → canonical value or digest.

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

    def of(self, during: str) -> SavedPlan:
        """The same with the operations of one pass; all where none says of which it is."""
        mine = [each for each in self.operations if each.get("pass", during) == during]
        return replace(self, operations=mine)

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


def operations_of(steps: Sequence[Step], *, inputs: bool = True) -> list[dict[str, Any]]:
    """Steps as a plan holds them: operation, registered inputs and what forces a replacement."""
    return [_operation(step, inputs) for step in steps]


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


def digest_of(value: Any) -> str:
    """SHA-256 over a canonical value, in hex."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def assets_in(resources: Mapping[str, Any]) -> dict[str, str]:
    """Every file that is uploaded, as `address property` → digest; `resources` maps URN → inputs."""
    return {
        f"{address_of_urn(urn)} {path}": value[ASSET]
        for urn, inputs in resources.items()
        for path, value in walk(inputs, "")
        if isinstance(value, dict) and set(value) == {ASSET}
    }


def redacted_in(resources: Mapping[str, Any]) -> list[str]:
    """Where a secret stood; `resources` maps URN → inputs."""
    return [
        f"{address_of_urn(urn)} {path}"
        for urn, inputs in resources.items()
        for path, value in walk(inputs, "")
        if is_hidden(value)
    ]


def _operation(step: Step, inputs: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {"op": step.op, "urn": step.urn, "custom": step.custom}
    if inputs and step.new_inputs:
        entry["inputs"] = canonical_inputs(step.type, step.new_inputs)
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
        "pass": step.during,
    }
    return {**entry, **{key: value for key, value in optional.items() if value}}


def canonical_inputs(type_: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """A resource's properties, canonical and without secrets."""
    clean = canonical_value(redact_properties(type_, properties))
    assert isinstance(clean, dict)
    return clean


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
        _text(operation.get("pass", ""))
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
