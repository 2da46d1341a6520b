"""Limits that are new, hold more, or hold less than they did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mlops_iac.blueprint.templates.limits import Limit, plain
from mlops_iac.templates.compatibility.model import Change, Pair
from mlops_iac.templates.linting.limits import allows, range_of


def changes(pair: Pair, old: Sequence[Limit], new: Sequence[Limit]) -> Iterator[Change]:
    """What differs between the limits of two versions, both filled with the same parameters."""
    before, after = _by_path(old), _by_path(new)
    for path, limit in after.items():
        was = before.get(path)
        covered = pair.covered(path)
        if was is None:
            message = f"{path} is {limit.words()} now: {limit.spec.because}"
            whom = f"blueprints {_other(limit)}"
            yield Change("breaking", "limit-added", message, limit.key, whom, covered)
        elif tighter(was, limit):
            message = f"{path} is {limit.words()}, and was {was.words()}: {limit.spec.because}"
            whom = f"blueprints {_other(limit)}"
            yield Change("breaking", "limit-tightened", message, limit.key, whom, covered)
        elif was.words() != limit.words():
            message = f"{path} is {limit.words()}, and was {was.words()}"
            yield Change("feature", "limit-loosened", message, limit.key)
        elif was.spec.because != limit.spec.because:
            message = f"the reason of {path} is another"
            yield Change("fix", "limit-explained", message, limit.key)
    for path, limit in before.items():
        if path not in after:
            message = f"{path} is not limited any more; it was {limit.words()}"
            yield Change("feature", "limit-removed", message, pair.new.key("limits"))


def tighter(old: Limit, new: Limit) -> bool:
    """Whether `new` refuses anything that `old` lets through."""
    if new.spec.forbidden:
        return not old.spec.forbidden
    if old.spec.forbidden:
        return False
    if new.spec.keys and not (old.spec.keys and set(old.spec.keys) <= set(new.spec.keys)):
        return True
    if new.fixed is not None:
        return old.fixed is None or plain(old.fixed) != plain(new.fixed)
    if new.spec.required and not (old.spec.required or old.fixed is not None):
        return True
    if old.fixed is not None:
        value = plain(old.fixed)
        values = value if isinstance(value, list) else [value]
        return not all(allows(new, each) for each in values)
    if new.spec.pattern not in (None, old.spec.pattern) and not old.spec.one_of:
        return True  # which of two expressions takes more, nobody can tell
    if new.spec.one_of:
        return not old.spec.one_of or not all(allows(new, each) for each in old.spec.one_of)
    low, high = zip(range_of(old), range_of(new), strict=True)
    if old.spec.one_of:
        return not all(allows(new, each) for each in old.spec.one_of)
    return low[1] > low[0] or high[1] < high[0]


def _by_path(limits: Sequence[Limit]) -> Mapping[str, Limit]:
    return {limit.pattern: limit for limit in limits}


def _other(limit: Limit) -> str:
    """Which blueprints break it."""
    if limit.fixed is not None:
        return "that write another value"
    if limit.spec.forbidden:
        return "that write it"
    if limit.spec.keys:
        return "that have another"
    if limit.spec.pattern is not None:
        return "of another form"
    if limit.spec.required and len(limit.words()) == len("required"):
        return "that leave it out"
    return "beyond it"
