"""Two limits that no blueprint can keep both of: within a template, or with one it stands on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlops_iac.blueprint.fields import ANY_KEY
from mlops_iac.blueprint.source import problem
from mlops_iac.blueprint.templates.limits import LOCAL, Limit, plain, quoted, same
from mlops_iac.errors import Diagnostic
from mlops_iac.templates.linting.limits import allows, range_of


def check_conflicts(own: Sequence[Limit], below: Sequence[Limit]) -> Iterator[Diagnostic]:
    """Each pair that contradicts itself, told at the later limit of the template's own."""
    for index, limit in enumerate(own):
        for other in [*below, *own[:index]]:
            if not _meet(limit, other):
                continue
            if message := _contradiction(limit, other):
                yield problem(
                    limit.key,
                    "limits-contradict",
                    f"{limit.pattern} is {limit.words()} here and {message} by {other.source}",
                    path=f"limits.{limit.key.text}",
                    hint="no blueprint can keep both: one must give way",
                )


def _meet(one: Limit, other: Limit) -> bool:
    """Whether there is an environment and a path that both hold for."""
    if not _same_environment(one.environment, other.environment):
        return False
    pairs = zip(one.keys, other.keys, strict=False)
    return all(a == b or ANY_KEY in (a, b) for a, b in pairs)


def _same_environment(one: str, other: str) -> bool:
    if one == other or "" in (one, other):
        return True
    return ANY_KEY in (one, other) and LOCAL not in (one, other)


def _contradiction(one: Limit, other: Limit) -> str:
    """What the other limit says, where the two exclude each other."""
    if len(one.keys) != len(other.keys):
        upper, lower = sorted((one, other), key=lambda limit: len(limit.keys))
        # `required` and `fixed` make what stands below; ranges and choices hold only where it is.
        needed = lower.spec.required or lower.fixed is not None
        lower_exists = ANY_KEY not in lower.keys[len(upper.keys) :]
        if upper.spec.forbidden and needed and lower_exists:
            return _words(other)
        named = lower.keys[len(upper.keys)]
        if upper.spec.keys and needed and named not in (*upper.spec.keys, ANY_KEY):
            return _words(other)
        return ""
    if one.spec.forbidden or other.spec.forbidden:
        needed = any(limit.spec.required or limit.fixed is not None for limit in (one, other))
        return _words(other) if needed else ""
    if one.fixed is not None and other.fixed is not None:
        values = plain(one.fixed), plain(other.fixed)
        return "" if same(*values) or values[0] == values[1] else _words(other)
    for fixed, limit in ((one, other), (other, one)):
        if fixed.fixed is not None:
            value = plain(fixed.fixed)
            items = value if isinstance(value, list) else [value]
            if not all(allows(limit, item) for item in items):
                return _words(other)
            return ""
    choices = [limit for limit in (one, other) if limit.spec.one_of]
    if len(choices) == 2:
        common = [value for value in one.spec.one_of if allows(other, value)]
        return "" if common else _words(other)
    if choices:
        rest = other if choices[0] is one else one
        return "" if any(allows(rest, value) for value in choices[0].spec.one_of) else _words(other)
    lows, highs = zip(range_of(one), range_of(other), strict=True)
    return _words(other) if max(lows) > min(highs) else ""


def _words(limit: Limit) -> str:
    if limit.fixed is not None:
        return f"fixed to {quoted(plain(limit.fixed))}"
    return limit.words()
