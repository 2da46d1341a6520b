"""What a check is given, and how it reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mlops_iac.blueprint.decode import Decoded
from mlops_iac.blueprint.resolved import ResolvedBlueprint
from mlops_iac.blueprint.sections.root import Blueprint
from mlops_iac.errors import Diagnostic, Severity


@dataclass
class Check:
    """One environment being checked. `files` remembers what was seen on disk between them."""

    resolved: ResolvedBlueprint
    found: Decoded
    diagnostics: list[Diagnostic]
    files: dict[Path, str]
    environments: Sequence[str]

    @property
    def blueprint(self) -> Blueprint:
        """The typed model; parts that are broken are absent from it."""
        return self.resolved.blueprint

    @cached_property
    def _broken(self) -> frozenset[str]:
        return frozenset(self.found.broken)

    def is_broken(self, path: str) -> bool:
        """Whether `path`, something in it, or something it stands in is already reported."""
        if not self._broken:
            return False
        return path in self._broken or any(
            bad.startswith((f"{path}.", f"{path}[")) or path.startswith((f"{bad}.", f"{bad}["))
            for bad in self._broken
        )

    def names(self, section: str) -> list[str]:
        """The entries of a section, also those too broken to be in the model."""
        if section == "environments":
            return list(self.environments)
        written = self.found.written.get(section)
        return list(written.value.entries) if written is not None else []

    def report(
        self,
        path: str,
        code: str,
        message: str,
        hint: str = "",
        severity: Severity = "error",
        *,
        at_key: bool = False,
    ) -> None:
        """Note a problem at `path`, unless what is there is broken already."""
        if not self.is_broken(path):
            self.diagnostics.append(
                self.resolved.diagnostic(path, code, message, hint, severity, at_key=at_key)
            )
