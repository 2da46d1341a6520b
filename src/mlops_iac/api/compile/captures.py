"""Resources of a project's stacks, captured from a program in a folder that nobody else uses."""

from __future__ import annotations

import shutil
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_iac.api.compile import programs
from mlops_iac.collector import collector_paused

if TYPE_CHECKING:
    from mlops_iac.api.project import Project
    from mlops_iac.graph.canonical import CanonicalGraph
    from mlops_iac.graph.model import ResourceGraph
    from mlops_iac.program.build import Program


class Captures:
    """Captures of a project's stacks. The program of all of them is written once.

    It lies in `folder`; without one in the project's work folder, where it always does.
    """

    def __init__(self, project: Project, folder: Path | None = None) -> None:
        self.project = project
        self._folder = folder

    @cached_property
    def _program(self) -> tuple[Path, Program]:
        if self._folder is None:
            return programs.work_program(self.project)
        program = programs.build(self.project, self._folder)
        _write(program, self._folder)
        return self._folder, program

    def graph(self, stack: str) -> ResourceGraph:
        """The resources of a stack. Raises BlueprintInvalid where there are none to be."""
        folder, program = self._program
        with collector_paused():
            return programs.capture_program(self.project, stack, folder, program.config[stack])


class KeptCaptures(Captures):
    """Captures that are asked for more than once and made once."""

    def __init__(self, project: Project, folder: Path | None = None) -> None:
        super().__init__(project, folder)
        self._graphs: dict[str, ResourceGraph] = {}

    def graph(self, stack: str) -> ResourceGraph:
        """As `Captures`; the same object again."""
        if stack not in self._graphs:
            self._graphs[stack] = super().graph(stack)
        return self._graphs[stack]


def captured(project: Project, stack: str, out: Path) -> CanonicalGraph:
    """The resources of a stack, its program written to `out` for as long as it runs."""
    from mlops_iac.graph.comparable import comparable

    try:
        return comparable(Captures(project, out).graph(stack))
    finally:
        shutil.rmtree(out, ignore_errors=True)


def _write(program: Program, out: Path) -> None:
    out.mkdir(parents=True)
    for path, content in program.files.items():
        target = out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
