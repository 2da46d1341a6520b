"""Names that every platform can carry."""

from __future__ import annotations

import re

from mlops_iac.blueprint.sections.base import NAME, EntryName
from mlops_iac.blueprint.words import a


def illegal_name(name: str, marker: EntryName) -> tuple[str, str, str] | None:
    """Code, message and hint if `name` is not portable."""
    shown = name if len(name) <= 60 else f"{name[:57]}…"
    if len(name) > marker.longest:
        return (
            "name-too-long",
            f"the {marker.what} name '{shown}' has {len(name)} characters",
            f"at most {marker.longest} fit into the names of every cloud",
        )
    if not re.fullmatch(NAME, name) or name.endswith("\n"):
        words = re.sub(r"[^a-z0-9]+", "-", name.lower())
        fixed = words.strip("-").lstrip("-0123456789")
        hint = "lowercase letters, digits and single hyphens, starting with a letter"
        return (
            "illegal-name",
            f"'{shown}' cannot be the name of {a(marker.what)}",
            f"did you mean '{fixed}'? {hint}" if fixed else hint,
        )
    return None
