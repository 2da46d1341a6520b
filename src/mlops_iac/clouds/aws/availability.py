"""Which region has which instance type: `data/regions.txt`, written by `tools/instance_regions.py`.

What AWS's price lists know of. They know no types of training jobs, and not every type of the rest:
of those nothing is said.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from mlops_iac.clouds.aws import catalogue


def regions_with(type_: str, purpose: catalogue.Purpose) -> frozenset[str] | None:
    """The regions that have an instance type for a use; None where that is not known."""
    lines = _lines()
    bits = lines.get(f"{purpose} {type_}")
    if bits is None:
        return None
    mask = int(bits, 16)
    return frozenset(each for i, each in enumerate(_regions()) if mask >> i & 1)


def is_lacking(type_: str, purpose: catalogue.Purpose, region: str) -> bool:
    """Whether it is known that a region has not a type that others have."""
    found = regions_with(type_, purpose)
    return found is not None and region in _regions() and region not in found


def alternatives(type_: str, purpose: catalogue.Purpose, region: str) -> list[str]:
    """Up to three types that the region has and that have at least as much, the nearest first."""
    wanted = catalogue.spec(type_)
    if wanted is None:
        return []
    found = []
    for other in catalogue.instance_types(purpose):
        spec = catalogue.spec(other)
        if spec is None or not all(has >= asked for has, asked in zip(spec, wanted, strict=True)):
            continue
        if bool(spec[2]) != bool(wanted[2]) or _is_special(other):
            continue  # a GPU that nobody asked for, a processor that the image is not made for
        if region in (regions_with(other, purpose) or ()):
            found.append(((spec[2], spec[0], spec[1], spec[3]), other))
    return [other for _, other in sorted(found)[:3]]


def _is_special(type_: str) -> bool:
    """Whether it has AWS's own processors or accelerators: `m7g`, `inf2`, `trn1`."""
    family = catalogue.family(type_)
    return family.startswith(("inf", "trn")) or "g" in family.lstrip("abcdefghijklmnopqrstuvwxyz")


@cache
def _regions() -> tuple[str, ...]:
    return tuple(_lines()["regions"].split(" "))


@cache
def _lines() -> dict[str, str]:
    """Each line's last word by what stands before it; the regions as they are."""
    path = Path(__file__).parent / "data" / "regions.txt"
    found: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        key, _, value = line.rpartition(" ")
        if line.startswith("regions "):
            key, value = "regions", line.removeprefix("regions ")
        found[key] = value
    return found
