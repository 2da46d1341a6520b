"""Limits that a team gets round by writing the field that stands in another's place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlops_iac.blueprint.fields import ANY_KEY, sections_of
from mlops_iac.blueprint.source import problem
from mlops_iac.blueprint.templates.limits import Limit
from mlops_iac.blueprint.words import listed
from mlops_iac.errors import Diagnostic
from mlops_iac.templates.linting.paths import kinds_at

# Of these the one says nothing that the other could.
_OPPOSITES = ({"at_least", "at_most"},)


def check_alternatives(limits: Sequence[Limit]) -> Iterator[Diagnostic]:
    """Choices and bounds of a field whose alternative no limit of the template says anything of.

    A fixed or required field has to be there, so that its alternative cannot be.
    """
    for limit in limits:
        spec = limit.spec
        if limit.fixed is not None or spec.forbidden or spec.required or limit.of_names:
            continue
        open_ = [key for key in _beside(limit.keys) if not _limited(limit, key, limits)]
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


def _beside(keys: Sequence[str]) -> list[str]:
    """The fields of which only one can be there, beside the last of a path."""
    found: dict[str, None] = {}
    for kind in kinds_at(keys[:-1]) if len(keys) > 1 else ():
        for section in sections_of(kind):
            for group in section.ALTERNATIVES:
                if keys[-1] in group and set(group) not in _OPPOSITES:
                    found.update((key, None) for key in group if key != keys[-1])
    return list(found)


def _limited(limit: Limit, key: str, limits: Sequence[Limit]) -> bool:
    wanted = (*limit.keys[:-1], key)
    return any(
        len(other.keys) == len(wanted)
        and other.environment in ("", limit.environment, ANY_KEY)
        and all(one in (ANY_KEY, mine) for one, mine in zip(other.keys, wanted, strict=True))
        for other in limits
    )
