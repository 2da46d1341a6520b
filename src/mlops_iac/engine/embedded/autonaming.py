"""Pulumi's configuration `pulumi:autonaming`: what a provider is proposed to name a resource.

As the real engine reads it (pulumi/pulumi, pkg/cmd/pulumi/autonaming), but for what no program of
ours says: names that are enforced, verbatim or forbidden, and other expressions, are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from mlops_iac.errors import UsageError

KEY: Final = "pulumi:autonaming"
_HEX = re.compile(r"\$\{hex\((\d+)\)\}")


class Autonaming:
    """What the configuration of one stack proposes. Raises UsageError for what is not done here."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        said = config.get(KEY) or {}
        self._everywhere = _pattern(said)
        self._types: dict[str, str | None] = {}
        self._packages: dict[str, str | None] = {}
        for package, section in said.get("providers", {}).items():
            if {"mode", "pattern"} & section.keys():
                self._packages[package] = _pattern(section)
            for type_, own in section.get("resources", {}).items():
                self._types[type_] = _pattern(own)

    def proposed(self, type_: str, name: str, seed: bytes) -> str | None:
        """The name for a resource of the type with this logical name; None leaves it to its provider."""
        package = type_.partition(":")[0]
        pattern = self._types.get(type_, self._packages.get(package, self._everywhere))
        if pattern is None:
            return None
        digits = sha256(seed).hexdigest()
        made = pattern.replace("${name}", name)
        return _HEX.sub(lambda found: digits[: int(found[1])], made)


def _pattern(section: Mapping[str, Any]) -> str | None:
    said = {key: value for key, value in section.items() if key not in ("providers", "resources")}
    pattern = said.pop("pattern", None)
    if (
        pattern is not None
        and not said
        and "${" not in _HEX.sub("", pattern.replace("${name}", ""))
    ):
        return str(pattern)
    if pattern is None and said in ({}, {"mode": "default"}):
        return None
    raise UsageError(
        f"{KEY}: the embedded engine does not make names by {dict(section)}",
        hint="a pattern of text, ${name} and ${hex(7)}, or the mode `default`",
    )
