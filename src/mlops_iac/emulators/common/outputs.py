"""States, previews and stand-ins of a resource: pure functions over inputs, facts and tables.

Nothing here knows a network; `preview` and the symbolic capture use it in every run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from mlops_iac.emulators.common.comparing import Comparison
from mlops_iac.emulators.common.facts import PropertyFact
from mlops_iac.emulators.common.handler import Handler
from mlops_iac.emulators.common.schema import Spec, variant
from mlops_iac.emulators.provider import MakeStandIn
from mlops_iac.graph.standins import contains_stand_in
from mlops_iac.values import (
    UNKNOWN,
    Properties,
    Secret,
    Value,
    contains_secret,
    reveal,
)

_FIELD = re.compile(r"\{(\w*)\}")


def with_defaults(
    handler: Handler,
    inputs: Properties,
    facts: Mapping[str, PropertyFact],
    place: Mapping[str, str],
) -> dict[str, Value]:
    """Inputs with what the real provider reports for those not given, nested ones included.

    `place` are the names of where it stands: what ids are made of.
    """
    outputs: dict[str, Value] = {**handler.defaults}
    given = {k: v for k, v in inputs.items() if not k.startswith("__") and v is not None}
    outputs.update(given)
    for path, default in _known(handler, facts).defaults:
        _fill(outputs, path, default)
    handler.derive(outputs, place)
    return outputs


class _Known(NamedTuple):
    """What is so for every resource of a type, with the facts that it follows from."""

    facts: Mapping[str, PropertyFact]
    defaults: list[tuple[list[str], Any]]
    # Outputs that are texts and that the cloud fills in.
    texts: list[str]


# Of each handler; there is one of a type.
_KNOWN: dict[Handler, _Known] = {}


def _known(handler: Handler, facts: Mapping[str, PropertyFact]) -> _Known:
    """Worked out once in a process: a capture asks it of every resource."""
    known = _KNOWN.get(handler)
    if known is None or known.facts is not facts:
        known = _KNOWN[handler] = _Known(
            facts,
            [
                (path.split("."), fact.default)
                for path, fact in facts.items()
                if fact.default is not None
            ],
            [
                name
                for name, spec in handler.schema.outputs.items()
                if spec["type"] == "string" and is_computed(handler, name, facts)
            ],
        )
    return known


def _fill(target: Any, path: list[str], default: Any) -> None:
    """Set a default where its parents stand; lists are entered, nothing is created above."""
    if isinstance(target, list):
        for index, item in enumerate(target):
            if isinstance(item, Mapping):
                target[index] = dict(item)
                _fill(target[index], path, default)
        return
    if not isinstance(target, dict):
        return
    head, *rest = path
    if not rest:
        if target.get(head) is None:
            target[head] = default
        return
    inner = target.get(head)
    if isinstance(inner, Mapping):
        target[head] = dict(inner)
        _fill(target[head], rest, default)
    elif isinstance(inner, list):
        target[head] = list(inner)
        _fill(target[head], rest, default)


def computed(
    handler: Handler, outputs: Properties, place: Mapping[str, str], make: MakeStandIn | None
) -> dict[str, Value]:
    """What only the cloud computes, by its shape.

    A shape that holds nothing the server makes is literal. With `make` the rest becomes a
    stand-in; without, it is left out.
    """
    found: dict[str, Value] = {}
    known = dict(outputs)
    for name, shape in handler.computed.items():
        if name in outputs or not shape:
            continue
        text = _FIELD.sub(lambda m: _part(m.group(1), place, known), shape)
        if "{}" not in text:
            found[name] = known[name] = text
        elif make is not None:
            found[name] = known[name] = make(name, text)
    return found


def _part(name: str, names: Mapping[str, str], outputs: Properties) -> str:
    if not name:
        return "{}"
    if name in names:
        return names[name]
    value = reveal(outputs.get(name))
    if not isinstance(value, str) or contains_stand_in(value):
        return "{}"
    return value


def stand_in_outputs(
    handler: Handler,
    inputs: Properties,
    facts: Mapping[str, PropertyFact],
    place: Mapping[str, str],
    make: MakeStandIn,
) -> tuple[str, dict[str, Value]]:
    """Id and outputs for the symbolic capture."""
    outputs = with_defaults(handler, inputs, facts, place)
    rule = handler.name
    if rule is not None and outputs.get(rule.property) is None:
        outputs[rule.property] = make(rule.property, "{}")
    outputs.update(computed(handler, outputs, place, make))
    for name in _known(handler, facts).texts:
        if name not in outputs:
            outputs[name] = make(name, "{}")
    return handler.id_of(outputs), outputs


def preview_outputs(
    handler: Handler,
    inputs: Properties,
    facts: Mapping[str, PropertyFact],
    place: Mapping[str, str],
) -> dict[str, Value]:
    """Outputs of something to be created: what only the cloud computes is unknown."""
    outputs = with_defaults(handler, inputs, facts, place)
    for name in handler.schema.outputs:
        if name not in outputs and is_computed(handler, name, facts):
            outputs[name] = UNKNOWN
    return outputs


def is_computed(handler: Handler, name: str, facts: Mapping[str, PropertyFact]) -> bool:
    """Whether the cloud fills in an output that the program did not give.

    Blocks are not among them: what the deprecated ones of a bucket would show stands in the
    resources of their own.
    """
    if handler.schema.outputs[name]["type"] == "object":
        return False
    if name in handler.computed or name not in handler.schema.inputs:
        return True
    fact = facts.get(name)
    rule = handler.name
    if rule is not None and name == rule.prefix:
        return False
    return fact is not None and fact.computed


_ZEROS: Mapping[str, Any] = {
    "string": "",
    "list": [],
    "map": {},
    "int": 0,
    "number": 0,
    "bool": False,
}


def with_zeros(
    handler: Handler, outputs: dict[str, Value], facts: Mapping[str, PropertyFact]
) -> dict[str, Value]:
    """Computed outputs that nothing was said about have their type's zero, as the SDK writes it."""
    for name, spec in handler.schema.outputs.items():
        if name not in outputs and is_computed(handler, name, facts):
            outputs[name] = _ZEROS.get(spec["type"])
    return outputs


def as_written(
    wanted: Value, actual: Value, spec: Spec, comparison: Comparison, path: str
) -> Value:
    """What a user would have to write now: their own text where it still means the same.

    Objects are read as far as the user wrote them, so that defaults the cloud fills in are no
    drift; lists are matched by meaning, then by place.
    """
    if comparison.same(reveal(wanted), actual, spec, path):
        return wanted
    if isinstance(wanted, Secret):
        return Secret(as_written(wanted.value, actual, spec, comparison, path))
    if isinstance(wanted, Mapping) and isinstance(actual, Mapping):
        if spec["type"] == "map":
            return dict(actual)
        fields = variant(spec, wanted).get("fields", {})
        return {
            key: as_written(
                item, actual[key], fields.get(key, {"type": "any"}), comparison, f"{path}.{key}"
            )
            for key, item in wanted.items()
            if key in actual or item is None
            if actual.get(key) is not None
        }
    if isinstance(wanted, list) and isinstance(actual, list):
        return _list_as_written(wanted, actual, spec, comparison, path)
    return actual


def _list_as_written(
    wanted: list[Value], actual: list[Value], spec: Spec, comparison: Comparison, path: str
) -> list[Value]:
    items = spec.get("items", {"type": "any"})
    fact = comparison.facts.get(re.sub(r"\[\d+\]", "", path))
    rest = list(actual)
    result: list[Value] = []
    if fact is None or fact.kind != "set":
        for index, item in enumerate(rest):
            here = f"{path}[{index}]"
            mine = index < len(wanted)
            result.append(
                as_written(wanted[index], item, items, comparison, here) if mine else item
            )
        return result
    # A set: each wanted entry takes the actual one that, read as far as it was written, equals it.
    for index, item in enumerate(wanted):
        here = f"{path}[{index}]"
        for candidate in rest:
            written = as_written(item, candidate, items, comparison, here)
            if comparison.same(reveal(item), reveal(written), items, here):
                rest.remove(candidate)
                result.append(item)
                break
    return [*result, *rest]


def keep_secrets(inputs: Properties, outputs: dict[str, Value]) -> dict[str, Value]:
    """Outputs in which every input that holds a secret stays one."""
    for name, value in inputs.items():
        if not contains_secret(value) or name not in outputs or contains_secret(outputs[name]):
            continue
        same = reveal(value) == outputs[name]
        outputs[name] = value if same else Secret(outputs[name])
    return outputs
