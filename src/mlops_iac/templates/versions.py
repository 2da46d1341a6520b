"""Semantic versions and what a blueprint asks for: `^2.1`, `~2.1`, `2.1.0` or `*`.

The library knows versions and their order; ranges are npm's and Cargo's, where a pre-release fits
only where one of the same number is named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from mlops_iac.blueprint.words import listed
from mlops_iac.errors import UsageError
from mlops_iac.records import Record

if TYPE_CHECKING:
    from semver import Version

_LONGEST = 100  # characters; far more than any real requirement
_FORMS = "write '^2.1', '~2.1', '2.1.0' or '*'"
_NUMBER = r"(?:0|[1-9][0-9]{0,8})"
_RANGE = re.compile(rf"([\^~]?)({_NUMBER}(?:\.{_NUMBER}){{0,2}})(-[0-9A-Za-z.-]+)?")


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
    """Which versions are wanted; made by `parse_requirement`.

    Those from `low` on and before `end`; without an `end` this one; without a `low` every release.
    """

    text: str
    low: Version | None = None
    end: Version | None = None

    def fits(self, version: str | Version) -> bool:
        """Whether `version` is wanted. A pre-release is, only if one of its number is named."""
        found = parse_version(version) if isinstance(version, str) else version
        low = self.low
        if found.prerelease and (
            low is None or not low.prerelease or low.to_tuple()[:3] != found.to_tuple()[:3]
        ):
            return False
        if low is None:
            return True
        return found == low if self.end is None else low <= found < self.end


@lru_cache(256)
def parse_requirement(text: str) -> Requirement:
    """What `text` asks for; an empty one asks for any. Raises VersionInvalid."""
    wanted = text.strip()
    if wanted in ("", "*"):
        return Requirement(text="*")
    match = _RANGE.fullmatch(wanted) if len(text) <= _LONGEST else None
    if match is None:
        raise _wrong(text)
    kind, number, pre = match.groups(default="")
    given = [int(part) for part in number.split(".")]
    if len(given) < 3 and (pre or not kind):
        raise _wrong(text, "" if pre else f"write '~{number}' for every {number}")
    low = parse_version(".".join(map(str, [*given, 0, 0][:3])) + pre)
    if not kind:
        return Requirement(wanted, low)
    # What is left of, and with, the first number that is not 0 stays; of `~2.1` the second one.
    fixed = min(1, len(given) - 1)
    if kind == "^":
        fixed = next((i for i, item in enumerate(given) if item), len(given) - 1)
    end = [*given[:fixed], given[fixed] + 1, 0, 0][:3]
    return Requirement(wanted, low, parse_version(".".join(map(str, end))))


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
    if not released and requirement.low is None:
        return f"there are only pre-releases, which are taken when named: {listed(known, most=10)}"
    return f"there is: {listed(known, most=10)}"


def _wrong(text: str, hint: str = "") -> VersionInvalid:
    message = f"'{_short(text)}' is not a version or a range of versions"
    return VersionInvalid(message, hint=hint or _FORMS)


def _short(text: str) -> str:
    """`text` fit for a message."""
    shown = "".join(item if item.isprintable() else "?" for item in text)
    return shown if len(shown) <= 60 else f"{shown[:60]}…"
