"""The checked program of a project, and the resources of its stacks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_iac.api.compile import programs
from mlops_iac.api.compile.checks import require_valid
from mlops_iac.collector import collector_paused
from mlops_iac.graph.plan import Assumption, Step
from mlops_iac.workfolder import made

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.graph.model import ResourceGraph
    from mlops_iac.program.build import Program


def build(project: BaseProject, out: Path) -> Program:
    """Lay the plans of all environments side by side and make the program for `out`.

    Raises BlueprintInvalid for what must not be planned.
    """
    require_valid(project)
    return programs.builds(project, out)[0]


def work_program(project: BaseProject) -> tuple[Path, Program]:
    """Write the program into the work folder, where the embedded engine runs it."""
    out = project.program_folder or made(project.work) / "program"
    program = build(project, out)
    programs.place(program, out)
    return out, program


def capture(project: BaseProject, stack: str) -> ResourceGraph:
    """Return the resources of a stack with stand-ins for everything computed."""
    project.resolve(stack)
    return Captures(project).graph(stack)


class Captures:
    """Captures of a project's stacks. The program of all of them is written once.

    It lies in `folder`; without one in the project's work folder, where it always does.
    """

    def __init__(self, project: BaseProject, folder: Path | None = None) -> None:
        self.project = project
        self._folder = folder

    @cached_property
    def _program(self) -> tuple[Path, Program]:
        if self._folder is None:
            return work_program(self.project)
        program = build(self.project, self._folder)
        programs.write_beside(program, self._folder)
        return self._folder, program

    def graph(self, stack: str, *, approved: bool = True) -> ResourceGraph:
        """The resources of a stack; see `programs.capture_program`.

        Raises BlueprintInvalid where there are none to be.
        """
        folder, program = self._program
        config = program.config[stack]
        with collector_paused():
            return programs.capture_program(self.project, stack, folder, config, approved=approved)

    def assumed(
        self, stack: str, graph: ResourceGraph, steps: Sequence[Step], *, approved: bool = True
    ) -> Assumption | None:
        """What is taken for true of versions in `graph`, which gave `steps`; None for nothing.

        What waits for a version is looked for where something is created, or none is `approved`.
        """
        models = programs.unpinned_models(self.project, stack)
        if not any(name.endswith("_pending") for name in graph.outputs) or not models:
            return None
        waiting: list[str] = []
        if not approved or any(step.op == "create" for step in steps):
            there = {each.urn for each in self.graph(stack, approved=False).resources}
            new = [each for each in graph.resources if each.custom and each.urn not in there]
            created = {step.urn for step in steps if step.op == "create"}
            waiting = [each.address for each in new if each.urn in created or not approved]
        return Assumption(models, approved, waiting)


class KeptCaptures(Captures):
    """Captures that are asked for more than once and made once."""

    def __init__(self, project: BaseProject, folder: Path | None = None) -> None:
        super().__init__(project, folder)
        self._graphs: dict[str, ResourceGraph] = {}

    def graph(self, stack: str, *, approved: bool = True) -> ResourceGraph:
        """As `Captures`; the same object again."""
        if not approved:
            return super().graph(stack, approved=False)
        if stack not in self._graphs:
            self._graphs[stack] = super().graph(stack)
        return self._graphs[stack]


class SharedCaptures:
    """Captures of blueprints that say the same of an environment: one for what it resolves to.

    For projects of one folder's code.
    """

    def __init__(self) -> None:
        self._graphs: dict[tuple[str, str], ResourceGraph] = {}
        self._last: Captures | None = None

    def graph(self, project: BaseProject, stack: str) -> ResourceGraph:
        """As that of `Captures`."""
        key = stack, repr(project.resolve(stack).leaves())
        if key not in self._graphs:
            if self._last is None or self._last.project is not project:
                self._last = Captures(project)
            self._graphs[key] = self._last.graph(stack)
        return self._graphs[key]
