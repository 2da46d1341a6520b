"""Semantic versions and what a blueprint asks for: `^2.1`, `~2.1`, `2.1.0`, `2.1`, `>=2.1,<3`, `*`.

The library knows versions and their order; ranges are npm's and Cargo's, where a pre-release fits
only where one of the same number is named.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from operator import eq, ge, gt, le, lt, ne
from typing import TYPE_CHECKING

from mlops_iac.blueprint.words import listed
from mlops_iac.errors import UsageError
from mlops_iac.records import Record

if TYPE_CHECKING:
    from semver import Version

_LONGEST = 100  # characters; far more than any real requirement
_FORMS = "write '^2.1', '~2.1', '2.1.0', '2.1', '>=2.1,<3' or '*'"
_TERM = re.compile(r"\s*(\^|~|>=|<=|==|!=|>|<|=)?\s*v?([0-9A-Za-z.*-]+)\s*")
_ANY = ("*", "x", "X")
_COMPARE: dict[str, Callable[[Version, Version], bool]] = {
    "==": eq,
    "!=": ne,
    ">": gt,
    ">=": ge,
    "<": lt,
    "<=": le,
}


class VersionInvalid(UsageError):
    """A text is no semantic version, or no requirement."""


def parse_version(text: str) -> Version:
    """The version that `text` is, e.g. `2.1.0` or `3.0.0-rc.1`. Raises VersionInvalid."""
    from semver import Version

    try:
        if len(text) > _LONGEST or not text.isascii():
            raise ValueError(text)
        version = Version.parse(text)
    except (ValueError, TypeError):
        raise VersionInvalid(
            f"'{_short(text)}' is not a semantic version",
            hint="three numbers, e.g. 2.1.0, or a pre-release, e.g. 2.1.0-rc.1",
        ) from None
    if version.build:
        raise VersionInvalid(
            f"'{text}' has build metadata, which versions do not differ by",
            hint=f"write {version.replace(build=None)}",
        )
    return version


class Requirement(Record):
    """Which versions are wanted; made by `parse_requirement`."""

    text: str
    bounds: tuple[tuple[str, Version], ...]

    def fits(self, version: str | Version) -> bool:
        """Whether `version` is wanted. A pre-release is, only if one of its number is named."""
        found = parse_version(version) if isinstance(version, str) else version
        if found.prerelease and not any(
            bound.prerelease and bound.to_tuple()[:3] == found.to_tuple()[:3]
            for _, bound in self.bounds
        ):
            return False
        return all(_COMPARE[operator](found, bound) for operator, bound in self.bounds)


@lru_cache(256)
def parse_requirement(text: str) -> Requirement:
    """What `text` asks for; an empty one asks for any. Raises VersionInvalid."""
    if not text.strip():
        return Requirement(text="*", bounds=())
    if "||" in text:
        raise VersionInvalid(
            f"'{_short(text)}': alternatives are not offered", hint=f"one range: {_FORMS}"
        )
    bounds: list[tuple[str, Version]] = []
    for term in text.split(","):
        match = _TERM.fullmatch(term) if len(text) <= _LONGEST else None
        if match is None:
            spaced = len(term.split()) > 1
            raise VersionInvalid(
                f"'{_short(text)}' is not a version or a range of versions",
                hint="put a comma between the two" if spaced else _FORMS,
            )
        bounds += _bounds(match[1] or "", match[2], text)
    return Requirement(text=text.strip(), bounds=tuple(bounds))


def newest(requirement: Requirement, versions: Iterable[str]) -> str:
    """The newest of `versions` (each a semantic one) that fits, or an empty text."""
    fitting = [version for version in versions if requirement.fits(version)]
    return max(fitting, key=parse_version, default="")


def none_fits(requirement: Requirement, versions: Iterable[str]) -> str:
    """What there is instead of what is wanted, for a message: the newest first."""
    known = sorted(set(versions), key=parse_version, reverse=True)
    if not known:
        return "it has no version at all"
    released = [version for version in known if not parse_version(version).prerelease]
    if not released and not requirement.bounds:
        return f"there are only pre-releases, which are taken when named: {listed(known, most=10)}"
    there = f"there is: {listed(known, most=10)}"
    return there if len(known) <= 10 else f"{there}; nearest is {_nearest(requirement, known)}"


def _nearest(requirement: Requirement, versions: Iterable[str]) -> str:
    wanted = requirement.bounds[0][1] if requirement.bounds else parse_version("0.0.0")

    def distance(version: str) -> tuple[int, ...]:
        there = parse_version(version)
        numbers = (there.major, there.minor, there.patch)
        asked = (wanted.major, wanted.minor, wanted.patch)
        return tuple(abs(one - other) for one, other in zip(numbers, asked, strict=True))

    return min(versions, key=distance)


def _bounds(operator: str, text: str, whole: str) -> list[tuple[str, Version]]:
    """One term as comparisons with full versions."""
    number, _, pre = text.partition("-")
    parts = number.split(".")
    while parts and parts[-1] in _ANY:
        parts.pop()
    part = f": '{_short(text)}'" if text != whole.strip() else ""
    wrong = VersionInvalid(
        f"'{_short(whole)}' is not a version or a range of versions{part}", hint=_FORMS
    )
    if len(parts) > 3 or (pre and len(parts) < 3) or text.endswith("-"):
        raise wrong
    if not parts:
        if operator not in ("", "=", "==", ">=", "^", "~"):
            raise wrong
        return []
    if not all(re.fullmatch(r"0|[1-9][0-9]{0,8}", part) for part in parts):
        raise wrong
    given = [int(part) for part in parts]
    low = parse_version(".".join(map(str, [*given, 0, 0][:3])) + (f"-{pre}" if pre else ""))
    match operator:
        case "^":
            # What is left of, and with, the first number that is not 0 stays.
            fixed = next((i for i, item in enumerate(given) if item), len(given) - 1)
            return [(">=", low), ("<", _next(given, fixed))]
        case "~":
            return [(">=", low), ("<", _next(given, min(1, len(given) - 1)))]
        case ">" if len(given) < 3:
            return [(">=", _next(given, len(given) - 1))]
        case "<=" if len(given) < 3:
            return [("<", _next(given, len(given) - 1))]
        case "" | "=" | "==" if len(given) < 3:
            return [(">=", low), ("<", _next(given, len(given) - 1))]
        case "!=" if len(given) < 3:
            raise VersionInvalid(
                f"'{_short(whole)}': '!=' takes a whole version, e.g. !=2.1.0", hint=_FORMS
            )
        case "" | "=":
            return [("==", low)]
        case _:
            return [(operator, low)]


def _next(given: list[int], position: int) -> Version:
    """The first version beyond all that share the numbers up to `position`."""
    numbers = [*given[:position], given[position] + 1, 0, 0, 0][:3]
    return parse_version(".".join(map(str, numbers)))


def _short(text: str) -> str:
    """`text` fit for a message."""
    shown = "".join(item if item.isprintable() else "?" for item in text)
    return shown if len(shown) <= 60 else f"{shown[:60]}…"
