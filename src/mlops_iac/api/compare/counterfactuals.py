"""Counterfactuals captured: the old blueprint with one edit, and nothing else, as resources."""

from __future__ import annotations

import filecmp
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_iac.api.compile.programs import captured
from mlops_iac.api.core.one_environment import OneEnvironment
from mlops_iac.blueprint.edits import Counterfactuals, Edit
from mlops_iac.blueprint.reach import Outside

if TYPE_CHECKING:
    from mlops_iac.api.compare.comparisons import Written
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.graph.canonical import CanonicalGraph


@dataclass(frozen=True)
class FileEdit:
    """A file or folder that the blueprint names, with other content than the ref's."""

    path: str
    file: str
    inside: str
    line: int = 0
    old: Any = None
    new: Any = None


class Variants:
    """Captures of one stack's old blueprint with some of the edits since."""

    def __init__(self, project: BaseProject, baseline: Written, stack: str, folder: Path) -> None:
        loaded = baseline.loaded
        assert loaded is not None
        self._project = project
        self._baseline = baseline
        self._loaded = loaded
        self._stack = stack
        self._folder = folder
        self._runs = 0
        self._counterfactuals = Counterfactuals(loaded, project.loaded, stack)

    @property
    def edits(self) -> list[Edit | FileEdit]:
        """What the stack's own blueprint, and the files that it names, say differently."""
        return [*self._counterfactuals.edits, *self._file_edits()]

    @property
    def elsewhere(self) -> list[Edit | FileEdit]:
        """What other environments say differently: it matters where one promotes to another."""
        return list(self._counterfactuals.elsewhere)

    def plan(self, edits: Sequence[Edit | FileEdit]) -> OneEnvironment:
        """The old blueprint with `edits`, planned. Raises BlueprintInvalid where it is none."""
        written = [edit for edit in edits if isinstance(edit, Edit)]
        alone = OneEnvironment(self._project, self._loaded, self._counterfactuals.resolve(written))
        with self._in_place(edits):
            alone.calls(self._stack)
        return alone

    def check(self, edits: Sequence[Edit | FileEdit]) -> object:
        """What would be captured, comparable. Raises BlueprintInvalid."""
        alone = self.plan(edits)
        resolved = alone.resolve(self._stack)
        return (
            repr(alone.calls(self._stack)),
            repr(resolved.blueprint.overrides),
            repr(alone.platform_of(self._stack).provider_config(resolved)),
            [edit.inside for edit in edits if isinstance(edit, FileEdit)],
        )

    def capture(self, edits: Sequence[Edit | FileEdit]) -> CanonicalGraph:
        """The resources of the old blueprint with `edits`. Raises BlueprintInvalid."""
        alone = self.plan(edits)
        self._runs += 1
        with self._in_place(edits):
            return captured(alone, self._stack, self._folder / f"{self._stack}-{self._runs}")

    def _file_edits(self) -> Iterator[FileEdit]:
        for inside, path in self._baseline.named.items():
            old, new = self._baseline.root / inside, self._project.root / inside
            try:
                new = self._project.loaded.reach.inside(new)
            except Outside:
                continue  # the head's blueprint does not name it, or would have been refused
            changed = _changed(old, new)
            if changed is not None:
                more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
                where = self._project.shown(new / changed[0] if changed else new)
                yield FileEdit(path, f"{where}{more}", inside)

    @contextmanager
    def _in_place(self, edits: Sequence[Edit | FileEdit]) -> Iterator[None]:
        """The head's files in the place of the ref's, as long as it lasts."""
        swapped: list[tuple[Path, Path]] = []
        try:
            for edit in edits:
                if isinstance(edit, FileEdit):
                    here = self._baseline.root / edit.inside
                    aside = here.with_name(f".{here.name}.ref")
                    here.rename(aside)
                    swapped.append((here, aside))
                    here.symlink_to((self._project.root / edit.inside).resolve())
            yield
        finally:
            for here, aside in reversed(swapped):
                here.unlink(missing_ok=True)
                aside.rename(here)


def _changed(old: Path, new: Path) -> list[str] | None:
    """What differs below a folder; an empty list for a file that differs; None for nothing."""
    from mlops_iac.errors import UsageError
    from mlops_iac.program.archive import members

    if old.is_file() and new.is_file():
        return None if filecmp.cmp(old, new, shallow=False) else []
    if not (old.is_dir() and new.is_dir()):
        return None  # a place of another kind, or gone: the blueprint says so itself
    try:
        before, after = (members(p, {}) for p in (old, new))
    except UsageError:
        return None
    found = [n for n in sorted({*before, *after}) if before.get(n) != after.get(n)]
    return found or None
