"""Limits that no value could keep, that the field's type makes pointless, or that say nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from mlops_iac.blueprint.decode import Decoder, Written
from mlops_iac.blueprint.fields import ANY_KEY, AnyType, FieldType, ScalarType
from mlops_iac.blueprint.scalars import NOTHING
from mlops_iac.blueprint.source import Node, problem
from mlops_iac.blueprint.templates.limits import LOCAL, Limit, quoted, same
from mlops_iac.blueprint.templates.patterns import TooSlow, matches
from mlops_iac.blueprint.words import listed
from mlops_iac.errors import Diagnostic
from mlops_iac.templates.linting.paths import kinds_at, scalars


def check_limits(limits: Sequence[Limit], tree: Node | None) -> Iterator[Diagnostic]:
    """What is wrong with each of a template's limits, whose parameters are filled in.

    `tree` is the `limits` map of template.yaml.
    """
    names = {name for limit in limits if limit.of_names for name in limit.spec.keys}
    for limit in limits:
        node = limit.key
        if tree is not None and (entry := tree.entries.get(limit.key.text)) is not None:
            node = entry.value
        path = f"limits.{limit.key.text}"
        if names and limit.environment not in ("", ANY_KEY, LOCAL, *names):
            message = f"{path} holds nowhere: no environment may be called '{limit.environment}'"
            hint = f"limits.environments allows {listed(sorted(names))}"
            yield problem(limit.key, "no-effect", message, path=path, hint=hint)
        kinds = kinds_at(limit.keys)
        yield from _says_nothing(limit, node, path)
        yield from _fixed(limit, kinds, path)
        yield from _values(limit, kinds, node, path)
        yield from _range(limit, kinds, node, path)
        yield from _form(limit, kinds, node, path)


def _says_nothing(limit: Limit, node: Node, path: str) -> Iterator[Diagnostic]:
    for key in ("required", "forbidden"):
        entry = node.entries.get(key)
        if entry is not None and not getattr(limit.spec, key):
            message = f"{path}.{key}: false limits nothing"
            yield problem(entry.value, "no-effect", message, path=path, hint="remove it")
    entry = node.entries.get("one_of")
    if entry is not None and entry.value.kind == "list" and not entry.value.items:
        hint = "name the values, or write `forbidden: true`"
        yield problem(entry.value, "empty-range", f"{path}.one_of is empty", path=path, hint=hint)
    if limit.fixed is not None:
        beside = [key for key in ("at_least", "at_most", "required") if key in node.entries]
        if beside:
            message = f"{path}: {listed(beside)} has no effect beside fixed"
            yield problem(node.entries[beside[0]].key, "no-effect", message, path=path)


def _fixed(limit: Limit, kinds: Sequence[FieldType], path: str) -> Iterator[Diagnostic]:
    if limit.fixed is None:
        return
    if limit.fixed.is_null:
        message = f"{path}.fixed has no value"
        hint = "write one, or `forbidden: true`"
        yield problem(limit.key, "bad-fixed", message, path=path, hint=hint)
        return
    first: Diagnostic | None = None
    for kind in kinds:
        decoder = Decoder(None)
        shown = ".".join(limit.keys)
        made = decoder.value(kind, Written(limit.key, limit.fixed, limit.label), shown)
        if made is not NOTHING and not decoder.found.problems:
            return
        first = first or decoder.found.problems[0]
    if first is not None:
        yield problem(
            limit.fixed, "bad-fixed", first.message, path=f"{path}.fixed", hint=first.hint
        )


def _values(
    limit: Limit, kinds: Sequence[FieldType], node: Node, path: str
) -> Iterator[Diagnostic]:
    """Each of `one_of` is a value that the field can have, and that the range lets through."""
    entry = node.entries.get("one_of")
    if entry is None or entry.value.kind != "list":
        return
    if not _takes_values(kinds):
        message = f"{'.'.join(limit.keys)} has no plain value: one_of cannot hold for it"
        yield problem(entry.key, "no-effect", message, path=path, hint="limit a field below it")
        return
    plain = [scalar for kind in kinds for scalar in scalars(kind)]
    outside = []
    for item, value in zip(entry.value.items, limit.spec.one_of, strict=False):
        if plain and not any(_fits(kind, item) for kind in plain):
            allowed = [str(one) for kind in plain for one in kind.allowed]
            hint = f"allowed: {listed(dict.fromkeys(allowed), 'or')}" if allowed else ""
            message = f"{quoted(value)} is no value of {'.'.join(limit.keys)}"
            yield problem(item, "bad-choice", message, path=f"{path}.one_of", hint=hint)
        least, most = limit.spec.at_least, limit.spec.at_most
        if isinstance(value, int | float) and not isinstance(value, bool):
            too_small = least is not None and value < least
            outside.append(too_small or (most is not None and value > most))
    if outside and all(outside):
        message = f"{path}: no value of one_of is in its range"
        yield problem(entry.value, "empty-range", message, path=path)


def _fits(kind: ScalarType, node: Node) -> bool:
    decoder = Decoder(None)
    return decoder.value(kind, Written(node, node, ""), "value") is not NOTHING


def _takes_values(kinds: Sequence[FieldType]) -> bool:
    return any(isinstance(kind, AnyType) or scalars(kind) for kind in kinds)


def _range(limit: Limit, kinds: Sequence[FieldType], node: Node, path: str) -> Iterator[Diagnostic]:
    least, most = limit.spec.at_least, limit.spec.at_most
    if least is None and most is None:
        return
    key = "at_most" if most is not None else "at_least"
    entry = node.entries.get(key)
    place = entry.value if entry is not None else limit.key
    shown = ".".join(limit.keys)
    if least is not None and most is not None and least > most:
        message = f"{path} allows at least {least:g} and at most {most:g}: nothing"
        yield problem(place, "empty-range", message, path=path)
        return
    plain = [scalar for kind in kinds for scalar in scalars(kind)]
    if any(isinstance(kind, AnyType) for kind in kinds):
        return
    numeric = [kind for kind in plain if not kind.allowed and {int, float} & set(kind.types)]
    if not numeric:
        message = f"{shown} is no number: {key} cannot hold for it"
        yield problem(entry.key if entry else limit.key, "no-effect", message, path=path)
        return
    if all(_empty(kind, least, most) for kind in numeric):
        message = f"no value of {shown} is {limit.words()}: its own range ends before"
        yield problem(place, "empty-range", message, path=path)


def _form(limit: Limit, kinds: Sequence[FieldType], node: Node, path: str) -> Iterator[Diagnostic]:
    """A pattern stands at a text, and some value that the field takes is of it."""
    entry = node.entries.get("pattern")
    if entry is None or limit.spec.pattern is None:
        return
    beside = [key for key in ("at_least", "at_most") if key in node.entries]
    if beside:
        message = f"{path}: {listed(beside)} has no effect beside pattern"
        yield problem(node.entries[beside[0]].key, "no-effect", message, path=path)
    plain = [scalar for kind in kinds for scalar in scalars(kind)]
    if any(isinstance(kind, AnyType) for kind in kinds):
        return
    if not any(str in kind.types for kind in plain):
        message = f"{'.'.join(limit.keys)} has no text: pattern cannot hold for it"
        yield problem(entry.key, "no-effect", message, path=path, hint="limit a field below it")
        return
    allowed = [str(one) for kind in plain for one in kind.allowed]
    if allowed and not any(allows(limit, one) for one in allowed):
        message = f"no value of {'.'.join(limit.keys)} is {limit.words()}"
        hint = f"it has: {listed(dict.fromkeys(allowed), 'or')}"
        yield problem(entry.value, "empty-range", message, path=path, hint=hint)


def _empty(kind: ScalarType, least: float | None, most: float | None) -> bool:
    low = kind.bounds.ge if kind.bounds.ge is not None else kind.bounds.gt
    above = most is not None and low is not None and most < low
    if most is not None and kind.bounds.gt is not None and most <= kind.bounds.gt:
        above = True
    return above or (least is not None and kind.bounds.le is not None and least > kind.bounds.le)


def range_of(limit: Limit) -> tuple[float, float]:
    """The least and the greatest number that it lets through."""
    low = float("-inf") if limit.spec.at_least is None else limit.spec.at_least
    high = float("inf") if limit.spec.at_most is None else limit.spec.at_most
    return low, high


def allows(limit: Limit, value: object) -> bool:
    """Whether a limit lets a plain value through."""
    if limit.spec.one_of and not any(same(value, one) for one in limit.spec.one_of):
        return False
    if isinstance(value, int | float) and not isinstance(value, bool):
        low, high = range_of(limit)
        return low <= value <= high
    if limit.spec.pattern is not None and isinstance(value, str):
        with suppress(TooSlow):
            return matches(limit.spec.pattern, value)
    return True
