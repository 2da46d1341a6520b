"""Limits that no value of the field could keep, or that a team gets round."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from mlops_iac.blueprint.decode import Decoder, Written
from mlops_iac.blueprint.fields import (
    ANY_KEY,
    EitherType,
    FieldType,
    ListType,
    ScalarType,
)
from mlops_iac.blueprint.scalars import NOTHING, core
from mlops_iac.blueprint.source import Node, problem
from mlops_iac.blueprint.templates.limits import Limit, quoted, same
from mlops_iac.blueprint.templates.patterns import TooSlow, matches
from mlops_iac.blueprint.templates.reaching import beside, kinds_at
from mlops_iac.blueprint.words import listed
from mlops_iac.errors import Diagnostic

# Of these the one says nothing that the other could.
_OPPOSITES = ("at_least", "at_most")


def check_limits(limits: Sequence[Limit]) -> Iterator[Diagnostic]:
    """What is wrong with each of a template's limits, whose parameters are filled in."""
    for limit in limits:
        kinds = kinds_at(limit.keys)
        plain = [scalar for kind in kinds for scalar in _scalars(kind)]
        path = f"limits.{limit.key.text}"
        for item in limit.one_of:
            if plain and not any(_takes(kind, item) for kind in plain):
                allowed = dict.fromkeys(str(one) for kind in plain for one in kind.allowed)
                hint = f"allowed: {listed(allowed, 'or')}" if allowed else ""
                message = f"{quoted(core(item))} is no value of {'.'.join(limit.keys)}"
                yield problem(item, "bad-choice", message, path=f"{path}.one_of", hint=hint)
        low, high = range_of(limit)
        if low > high:
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


def _takes(kind: ScalarType, node: Node) -> bool:
    return Decoder(None).value(kind, Written(node, node, ""), "value") is not NOTHING


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
