"""What a check is given, and how it reports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_iac.blueprint.notes import Decoded
from mlops_iac.blueprint.reach import Outside
from mlops_iac.blueprint.resolved import ResolvedBlueprint
from mlops_iac.blueprint.sections.root import Blueprint
from mlops_iac.blueprint.words import join, parent
from mlops_iac.errors import Diagnostic, Severity, UsageError

if TYPE_CHECKING:
    from mlops_iac.blueprint.checks.samples import Sample


class Seen:
    """What was seen on disk: it is asked once for all environments.

    `kinds` by folder and text, `folders` by text and whether it is code, `samples` by file and
    format, `unpacked` by code folder and script: why it stays out of the archive. Without `data` no file of a dataset is opened.
    """

    def __init__(self, *, data: bool) -> None:
        self.data = data
        self.kinds: dict[tuple[str, str], str | Outside] = {}
        self.folders: dict[tuple[str, bool], list[Path] | UsageError] = {}
        self.samples: dict[tuple[Path, str], Sample] = {}
        self.unpacked: dict[tuple[str, str], str] = {}


class Check:
    """One environment being checked."""

    def __init__(
        self,
        resolved: ResolvedBlueprint,
        found: Decoded,
        diagnostics: list[Diagnostic],
        seen: Seen,
        environments: Sequence[str],
    ) -> None:
        self.resolved = resolved
        self.found = found
        self.diagnostics = diagnostics
        self.seen = seen
        self.environments = environments
        # Paths at which a check found something wrong.
        self.wrong: set[str] = set()
        self._names: dict[str, dict[str, None]] = {}

    @property
    def blueprint(self) -> Blueprint:
        """The typed model; what is broken is absent from it, or has its default, or is None."""
        return self.resolved.blueprint

    @cached_property
    def _around_broken(self) -> frozenset[str]:
        """Every path that something broken stands in."""
        return frozenset(above for path in self.found.broken for above in _above(path))

    def is_broken(self, path: str) -> bool:
        """Whether `path`, something in it, or something it stands in is already reported."""
        broken = self.found.broken
        if not broken:
            return False
        return (
            path in broken
            or path in self._around_broken
            or any(above in broken for above in _above(path))
        )

    def names(self, section: str) -> dict[str, None]:
        """The entries of a section, also those too broken to be in the model."""
        known = self._names.get(section)
        if known is None:
            written = self.found.written.get(section)
            names = list(written.value.entries) if written is not None else []
            if section == "environments":
                names = list(self.environments)
            known = self._names[section] = dict.fromkeys(names)
        return known

    def entries(self, path: str) -> list[str] | None:
        """The keys written in the mapping at `path`, also of what is broken; None if not known."""
        if path in self.found.broken or any(each in self.found.broken for each in _above(path)):
            return None
        written = self.found.written.get(path)
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
        lacks: Sequence[str] = (),
    ) -> None:
        """Note a problem at `path`, unless what is there is broken already.

        `lacks` are the fields that it has not, so that the rest of it is not broken.
        """
        fields = [join(path, key) for key in lacks] or [path]
        if not any(self.is_broken(each) for each in fields):
            if severity == "error":
                self.wrong.update(fields)
            self.diagnostics.append(
                self.resolved.diagnostic(path, code, message, hint, severity, at_key=at_key)
            )

    def missing(self, path: str, key: str, hint: str = "", *, why: str = "") -> None:
        """Note that what is at `path` lacks a field, and what for."""
        message = f"{path} needs '{key}' {why}".rstrip()
        self.report(path, "missing", message, hint, lacks=(key,))


def _above(path: str) -> Iterator[str]:
    """What `path` stands in, without the blueprint itself."""
    while path := parent(path):
        yield path
