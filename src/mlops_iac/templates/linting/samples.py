"""Values of parameters to try a template with: every combination of choices, within bounds."""

from __future__ import annotations

import contextlib
import itertools
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlops_iac.blueprint.compose import compose_value
from mlops_iac.blueprint.source import Source
from mlops_iac.blueprint.templates.content import TemplateContent
from mlops_iac.blueprint.templates.limits import plain
from mlops_iac.blueprint.templates.manifest import UNSET, Manifest, Parameter
from mlops_iac.blueprint.templates.parameters import wrong_value
from mlops_iac.blueprint.templates.patterns import TooSlow, matches
from mlops_iac.clouds import registry
from mlops_iac.errors import BlueprintInvalid
from mlops_iac.records import Record
from mlops_iac.templates.cases import case_names, read_case

MOST = 48
"""Combinations that are tried. A template that has more is tried with each value of each parameter
and, for the rest, with combinations that are always the same."""
# Texts that patterns usually ask for.
_TEXTS = (
    "sample", "team", "acme", "a", "team@acme.com",
    *(text for each in registry.clouds() for text in each.forms.samples),
    "acme.com", "10.0.0.0/16", "https://acme.com", "0 3 * * *", "Europe/Amsterdam", "sample-1",
    "a1", "1", "12", "123", "1234", "12345", "2027-01-31", "ABC", "Sample", "1.0",
    "1.0.0", "sample/sample", "CC-1234", "abcdef",
)  # fmt: skip


class Samples(Record):
    """What to try. `lacking` are parameters that no value is known for."""

    combinations: tuple[Mapping[str, Any], ...]
    lacking: tuple[str, ...]
    all: bool


def samples(manifest: Manifest, given: Sequence[Mapping[str, Any]] = ()) -> Samples:
    """Combinations of values for a template's parameters; `given` are those of its tests."""
    values: dict[str, list[Any]] = {}
    lacking = []
    for name, parameter in manifest.parameters.items():
        found = list(_values(parameter, [one[name] for one in given if name in one]))
        if found:
            values[name] = found
        elif parameter.default is UNSET:
            lacking.append(name)
    if lacking:
        return Samples(combinations=(), lacking=tuple(lacking), all=False)
    count = 1
    for each in values.values():
        count *= len(each)
    if count <= MOST:
        return Samples(combinations=tuple(_product(values)), lacking=(), all=True)
    return Samples(combinations=tuple(_some(values)), lacking=(), all=False)


def tested(content: TemplateContent) -> list[Mapping[str, Any]]:
    """The parameters of a template's own test cases, those that can be read and are not refused."""
    found: list[Mapping[str, Any]] = []
    for name in case_names(content):
        try:
            case = read_case(content, name)
        except BlueprintInvalid:
            continue  # told where cases are read
        if not case.section.expect.errors and case.parameters is not None:
            given = case.parameters.entries
            found.append({key: plain(entry.value) for key, entry in given.items()})
    return found


def _product(values: Mapping[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    for chosen in itertools.product(*values.values()):
        yield dict(zip(values, chosen, strict=True))


def _some(values: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Each value once, and more of them by a lot that is always the same."""
    first = {name: each[0] for name, each in values.items()}
    found = [first]
    found += [{**first, name: value} for name, each in values.items() for value in each[1:]]
    lot = random.Random(1)  # noqa: S311 - not for secrets
    while len(found) < MOST:
        found.append({name: lot.choice(each) for name, each in values.items()})
    return found


def _values(parameter: Parameter, given: Sequence[Any]) -> Iterator[Any]:
    seen: list[Any] = []
    for value in _candidates(parameter, given):
        if not any(value is one or (type(value) is type(one) and value == one) for one in seen):
            seen.append(value)
            yield value


def _candidates(parameter: Parameter, given: Sequence[Any]) -> Iterator[Any]:
    default = parameter.default
    if default is not UNSET:
        yield default
    if parameter.type == "boolean":
        yield from (True, False)
        return
    if parameter.choices and parameter.type != "list":
        yield from parameter.choices
        return
    if default is not UNSET and default is not None:
        yield from _extremes(parameter)
        return
    found = [value for value in given if _takes(parameter, value)] or list(_made(parameter))
    yield from found[:1]
    yield from _extremes(parameter)


def _takes(parameter: Parameter, value: Any) -> bool:
    """Whether a parameter takes a value, which may be that of another version's test."""
    node = compose_value(Source("", json.dumps(value)))
    return not any(wrong_value(parameter, node, "", ""))


def _extremes(parameter: Parameter) -> Iterator[Any]:
    if parameter.type in ("integer", "number"):
        for bound in (parameter.at_least, parameter.at_most):
            if bound is not None:
                yield _number(parameter, bound)


def _number(parameter: Parameter, value: float) -> int | float:
    return int(value) if parameter.type == "integer" else value


def _made(parameter: Parameter) -> Iterator[Any]:
    match parameter.type:
        case "integer" | "number":
            low, high = parameter.at_least, parameter.at_most
            yield _number(parameter, low if low is not None else min(1, high or 1))
        case "list":
            items = [str(item) for item in parameter.choices] or list(texts(parameter.pattern))
            least = int(parameter.at_least or 0)
            wanted = max(least, 1)
            if len(items) >= wanted:
                yield items[:wanted]
        case _:
            yield from itertools.islice(texts(parameter.pattern), 1)


def texts(pattern: str | None) -> Iterator[str]:
    """Texts that a pattern fits, of those that are tried; none where it takes too long to tell."""
    for text in _TEXTS:
        with contextlib.suppress(TooSlow):
            if pattern is None or matches(pattern, text):
                yield text
