"""The program of a project and the lock files of its stacks, as they are committed."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_iac.api.compile import programs
from mlops_iac.api.compile.checks import require_valid
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.workfolder import made

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.program.build import Program


@dataclass(frozen=True, slots=True)
class Compiled:
    """What `compile` did: the folder, the files that changed, the stacks that have a lock.

    `notes` are sentences about ejected components whose originals have moved on.
    """

    out: Path
    written: Sequence[Path]
    stacks: Sequence[str]
    notes: Sequence[str] = ()


def left_out(project: BaseProject) -> dict[str, str]:
    """What is not packed with the models' code, and why, by path from the blueprint."""
    from mlops_iac.blueprint.leaving import left_out

    folders = {
        model.code: project.resolve(name).file(model.code)
        for name in project.environments
        for model in project.resolve(name).blueprint.models.values()
        if model.code
    }
    return {
        posixpath.normpath(posixpath.join(code, name)) + "/" * name.endswith("/"): why
        for code, folder in sorted(folders.items())
        for name, why in left_out(folder).items()
    }


def _with_locks(project: BaseProject, out: Path) -> tuple[Program, dict[str, bytes]]:
    """Return the program for `out` and the lock file of every stack but `local`, by file name."""
    from mlops_iac.graph.lock import lock_bytes, lock_name

    require_valid(project)
    folder = project.program_folder or project.work / "program"
    program, placed = programs.builds(project, out, folder)
    if project.program_folder is None:
        made(project.work)
    programs.place(placed, folder)
    return program, {
        lock_name(stack): lock_bytes(
            programs.capture_program(project, stack, folder, placed.config[stack])
        )
        for stack in project.environments
        if stack != LOCAL
    }


def compile_project(project: BaseProject, out: Path | None) -> Compiled:
    """Write program, configuration and locks; return what changed.

    Raises BlueprintInvalid before anything is written, UsageError where it cannot be written.
    """
    from mlops_iac.program.write import write

    out = (out or programs.default_out(project)).absolute()
    program, locks = _with_locks(project, out)
    written = write(program, out, extra=locks)
    stacks = [name for name in project.environments if name != LOCAL]
    return Compiled(out, written, stacks, program.ejected.moved_on())


def stale(project: BaseProject, out: Path | None) -> list[str]:
    """Return why the program on disk is not what the blueprint says."""
    from mlops_iac.program.write import stale as program_stale

    out = (out or programs.default_out(project)).absolute()
    program, locks = _with_locks(project, out)
    return program_stale(program, out, extra=locks)
