"""Limits that say nothing, that no value of the field could keep, or that a team gets round."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from mlops_iac.blueprint.decode import Decoder, Written
from mlops_iac.blueprint.fields import (
    ANY_KEY,
    AnyType,
    EitherType,
    FieldType,
    ListType,
    ScalarType,
)
from mlops_iac.blueprint.scalars import NOTHING
from mlops_iac.blueprint.source import Node, problem
from mlops_iac.blueprint.templates.limits import Limit, quoted, same
from mlops_iac.blueprint.templates.patterns import TooSlow, matches
from mlops_iac.blueprint.templates.reaching import beside, kinds_at
from mlops_iac.blueprint.words import listed
from mlops_iac.errors import Diagnostic

# Of these the one says nothing that the other could.
_OPPOSITES = ("at_least", "at_most")


def check_limits(limits: Sequence[Limit], tree: Node | None) -> Iterator[Diagnostic]:
    """What is wrong with each of a template's limits, whose parameters are filled in.

    `tree` is the `limits` map of template.yaml.
    """
    for limit in limits:
        node = limit.key
        if tree is not None and (entry := tree.entries.get(limit.key.text)) is not None:
            node = entry.value
        kinds = kinds_at(limit.keys)
        if any(isinstance(kind, AnyType) for kind in kinds):
            continue
        plain = [scalar for kind in kinds for scalar in _scalars(kind)]
        yield from _without_effect(limit, kinds, plain, node)
        yield from _choices(limit, plain, node)
        low, high = range_of(limit)
        if low > high or (plain and all(_is_outside(kind, low, high) for kind in plain)):
            path = f"limits.{limit.key.text}"
            message = f"no value of {'.'.join(limit.keys)} is {limit.words()}"
            yield problem(limit.key, "empty-range", message, path=path)


def check_alternatives(limits: Sequence[Limit]) -> Iterator[Diagnostic]:
    """Choices and bounds of a field whose alternative no limit of the template says anything of.

    A fixed or required field has to be there, so that its alternative cannot be.
    """
    for limit in limits:
        spec = limit.spec
        if limit.fixed is not None or spec.forbidden or spec.required or limit.of_names:
            continue
        others = beside(limit.keys) if limit.keys[-1] not in _OPPOSITES else ()
        open_ = [key for key in others if not _limited(limit, key, limits)]
        if open_:
            last = limit.keys[-1]
            path = f"limits.{limit.key.text}"
            message = (
                f"{path} says nothing where a team writes {listed(open_, 'or')} instead of {last}"
            )
            other = limit.pattern.removesuffix(last) + open_[0]
            hint = f"limit that, too: {other}: {{forbidden: true, because: …}}"
            yield problem(
                limit.key, "alternative", message, path=path, hint=hint, severity="warning"
            )


def _limited(limit: Limit, key: str, limits: Sequence[Limit]) -> bool:
    wanted = (*limit.keys[:-1], key)
    return any(
        len(other.keys) == len(wanted)
        and other.environment in ("", limit.environment, ANY_KEY)
        and all(one in (ANY_KEY, mine) for one, mine in zip(other.keys, wanted, strict=True))
        for other in limits
    )


def _scalars(kind: FieldType) -> list[ScalarType]:
    """What plain values a field takes; those of its items where it takes a list."""
    match kind:
        case ScalarType():
            return [kind]
        case EitherType():
            return [kind.scalar]
        case ListType():
            return _scalars(kind.item)
        case _:
            return []


def _without_effect(
    limit: Limit, kinds: Sequence[FieldType], plain: Sequence[ScalarType], node: Node
) -> Iterator[Diagnostic]:
    """What cannot hold for a field of its type."""
    types = {type_ for kind in plain if not kind.allowed for type_ in kind.types}
    holds = {
        "fixed": limit.fixed is None or not limit.fixed.is_null,
        "one_of": bool(plain),
        "pattern": any(str in kind.types for kind in plain),
        "at_least": bool({int, float} & types),
        "at_most": bool({int, float} & types),
        "required": limit.spec.required,
        "forbidden": limit.spec.forbidden,
    }
    for key, entry in node.entries.items():
        if kinds and not holds.get(key, True):
            path = f"limits.{limit.key.text}"
            message = f"{path}.{key} means nothing for {'.'.join(limit.keys)}"
            yield problem(entry.key, "no-effect", message, path=path, hint="remove it")


def _choices(limit: Limit, plain: Sequence[ScalarType], node: Node) -> Iterator[Diagnostic]:
    """Each of `one_of` is a value that the field can have."""
    entry = node.entries.get("one_of")
    if entry is None or entry.value.kind != "list":
        return
    path = f"limits.{limit.key.text}.one_of"
    if not entry.value.items:
        hint = "name the values, or write `forbidden: true`"
        yield problem(entry.value, "empty-range", f"{path} is empty", path=path, hint=hint)
    for item, value in zip(entry.value.items, limit.spec.one_of, strict=False):
        if plain and not any(_takes(kind, item) for kind in plain):
            allowed = dict.fromkeys(str(one) for kind in plain for one in kind.allowed)
            hint = f"allowed: {listed(allowed, 'or')}" if allowed else ""
            message = f"{quoted(value)} is no value of {'.'.join(limit.keys)}"
            yield problem(item, "bad-choice", message, path=path, hint=hint)


def _takes(kind: ScalarType, node: Node) -> bool:
    return Decoder(None).value(kind, Written(node, node, ""), "value") is not NOTHING


def _is_outside(kind: ScalarType, low: float, high: float) -> bool:
    """Whether no number of a field is in a range."""
    own = kind.bounds
    least = own.ge if own.ge is not None else own.gt
    too_low = least is not None and (high < least or (own.gt is not None and high <= own.gt))
    return too_low or (own.le is not None and low > own.le)


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
