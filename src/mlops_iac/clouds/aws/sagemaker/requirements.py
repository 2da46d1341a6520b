"""A workload's requirements.txt, held to what the prebuilt images have."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_iac.blueprint.sections.compute import PACKAGES, Runtime
from mlops_iac.clouds.aws import containers
from mlops_iac.errors import UsageError
from mlops_iac.records import Record

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

REQUIREMENTS = "requirements.txt"
_LINKS = re.compile(r"(?:--find-links|-f)[\s=]+(?P<folder>\S+)")


class Requirement(Record):
    """One line: a package's name as indexes spell it, and its specifier; None where it has more."""

    text: str
    name: str
    specifier: SpecifierSet | None


class Missing(Record):
    """What an image has not, in sentences, and packages of which nobody knows whether it has them."""

    absent: Sequence[str]
    unknown: Sequence[str]


def read(file: Path) -> list[Requirement]:
    """What has to come from somewhere: without what lies beside the file as a wheel."""
    text = file.read_text(encoding="utf-8", errors="replace")
    # A comment begins with the line or after a space; `package @ url#egg` has none. What follows a
    # requirement on its line are hashes, which pip asks of what it fetches.
    text = re.sub(r"\\\n\s*", " ", text)
    lines = [re.sub(r"(^|\s+)#.*|\s+--hash.*", "", line).strip() for line in text.splitlines()]
    wheels: set[str] = set()
    for match in filter(None, map(_LINKS.fullmatch, lines)):
        folder = Path(match["folder"])
        if not folder.is_absolute() and ".." not in folder.parts:  # elsewhere nothing is packed
            names = (wheel.name for wheel in (file.parent / folder).glob("*.whl"))
            wheels |= {_spelled(name.partition("-")[0]) for name in names}
    return [
        found
        for line in lines
        if line and not _LINKS.fullmatch(line) and (found := _parsed(line)).name not in wheels
    ]


def missing(wanted: Sequence[Requirement], runtime: Runtime) -> Missing:
    """What of `wanted` a framework's image does not have."""
    framework = runtime.framework or ""
    try:
        has = containers.packages(framework, runtime.version or "")
    except UsageError:
        has = None  # no image at all: told where it is written
    image = f"the image of {framework} {runtime.version}"
    absent, unknown = [], []
    for each in wanted:
        if has is None or not each.name:
            # Its framework an image surely has.
            if each.name != PACKAGES.get(framework, framework):
                unknown.append(each.name or each.text)
            continue
        if each.name not in has:
            absent.append(f"{image} has no {each.name}")
            continue
        if each.specifier is None:
            unknown.append(each.text)
        elif not each.specifier.contains(has[each.name], prereleases=True):
            absent.append(f"{image} has {each.name} {has[each.name]}, not {each.specifier}")
    return Missing(absent=absent, unknown=unknown)


def _parsed(line: str) -> Requirement:
    from packaging.requirements import InvalidRequirement  # start-up: few workloads need it
    from packaging.requirements import Requirement as Written

    try:
        found = Written(line)
    except InvalidRequirement:
        return Requirement(text=line, name="", specifier=None)  # an option, a file or an address
    more = found.marker or found.extras or found.url
    return Requirement(
        text=line, name=_spelled(found.name), specifier=None if more else found.specifier
    )


def _spelled(name: str) -> str:
    """As indexes spell it (PEP 503)."""
    from packaging.utils import canonicalize_name  # as above

    return canonicalize_name(name)
