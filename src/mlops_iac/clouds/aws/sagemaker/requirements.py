"""A workload's requirements.txt, held to what the prebuilt images have."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from mlops_iac.blueprint.sections.compute import PACKAGES, Runtime
from mlops_iac.clouds.aws import containers
from mlops_iac.errors import UsageError
from mlops_iac.records import Record

REQUIREMENTS = "requirements.txt"
_OWN = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)\s*(?P<extras>\[[^]]*\])?\s*(?P<specifier>[^;@]*)$")
_LINKS = re.compile(r"(?:--find-links|-f)[\s=]+(?P<folder>\S+)")


class Requirement(Record):
    """One line: a package's name as indexes spell it, and its specifier; None where it has more."""

    text: str
    name: str
    specifier: str | None


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
        judged = None if each.specifier is None else fits(has[each.name], each.specifier)
        if judged is None:
            unknown.append(each.text)
        elif not judged:
            absent.append(f"{image} has {each.name} {has[each.name]}, not {each.specifier}")
    return Missing(absent=absent, unknown=unknown)


def _parsed(line: str) -> Requirement:
    own, _, marker = line.partition(";")
    match = _OWN.match(own.strip())
    if match is None:
        # An option, a file or an address.
        name = re.match(r"[A-Za-z0-9][\w.-]*(?=\s*(@|\[))", line)
        return Requirement(text=line, name=_spelled(name[0]) if name else "", specifier=None)
    specifier = None if marker or match["extras"] else match["specifier"].strip()
    return Requirement(text=line, name=_spelled(match["name"]), specifier=specifier)


def _spelled(name: str) -> str:
    """As indexes spell it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def fits(version: str, specifier: str) -> bool | None:
    """Whether a version fits a requirement's specifier (`>=2,<4`, `==1.9.*`), by release numbers.

    None where that needs more than numbers.
    """
    release = _release(version)
    if release is None:
        return None
    for clause in filter(None, (part.strip() for part in specifier.split(","))):
        match = re.fullmatch(r"(==|!=|>=|<=|~=|>|<)\s*([0-9.]+?)(\.\*)?", clause)
        bound = _release(match[2]) if match else None
        if match is None or bound is None:
            return None
        if not _holds(release, match[1], bound, prefix=match[3] is not None):
            return False
    return True


def _holds(
    release: tuple[int, ...], operator: str, bound: tuple[int, ...], *, prefix: bool
) -> bool:
    size = max(len(release), len(bound))
    found, limit = (_padded(each, size) for each in (release, bound))
    equal = found[: len(bound)] == bound if prefix else found == limit
    match operator:
        case "==":
            return equal
        case "!=":
            return not equal
        case "~=":
            return found >= limit and found[: len(bound) - 1] == bound[:-1]
        case ">=":
            return found >= limit
        case "<=":
            return found <= limit
        case ">":
            return found > limit
        case _:
            return found < limit


def _padded(release: tuple[int, ...], size: int) -> tuple[int, ...]:
    return release + (0,) * (size - len(release))


def _release(version: str) -> tuple[int, ...] | None:
    """`(2, 9, 0)` of `2.9.0` and `2.9.0.post2`; None for what is no number."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)*)(\.?post[0-9]+)?", version)
    return tuple(int(part) for part in match[1].split(".")) if match else None
