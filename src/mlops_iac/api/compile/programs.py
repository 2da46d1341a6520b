"""From a project to its program on disk, and from the program to its captured resources."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_iac.api.project import LOCAL
from mlops_iac.blueprint.reach import is_checkout
from mlops_iac.engine.protocol import StackTarget
from mlops_iac.workfolder import made

if TYPE_CHECKING:
    from mlops_iac.api.project import Project
    from mlops_iac.graph.model import ResourceGraph
    from mlops_iac.program.build import Program

# In the lock the steady state is captured: this version is a stand-in, and the endpoint is there.
ANY_APPROVED = "approved"
_WRITING_SECONDS = 60
_STACK_FILE = re.compile(r"Pulumi\.[^/]+\.yaml")


@dataclass(frozen=True, slots=True)
class Compiled:
    """What `compile` did: the folder, the files that changed, the stacks that have a lock.

    `notes` are sentences about ejected components whose originals have moved on.
    """

    out: Path
    written: Sequence[Path]
    stacks: Sequence[str]
    notes: Sequence[str] = ()


def default_out(project: Project) -> Path:
    """Return `stacks/NAME` in the nearest `stacks` folder at or above the blueprint.

    Looked for up to the repository's root, so that a repository of several projects keeps its
    programs in one place; beside the blueprint where there is none.
    """
    return project.program_folder or program_folder(project.root, project.name)


def program_folder(root: Path, name: str) -> Path:
    """Return `default_out` of a project of that name whose blueprint lies in `root`."""
    for folder in (root, *root.parents):
        if (folder / "stacks").is_dir():
            return folder / "stacks" / name
        if is_checkout(folder):
            break
    return root / "stacks" / name


def build(project: Project, out: Path) -> Program:
    """Lay the plans of all environments side by side and make the program for `out`."""
    return builds(project, out)[0]


def builds(project: Project, *outs: Path) -> list[Program]:
    """Make the program for each of `outs`: paths in it are relative to its folder."""
    from mlops_iac.program.build import ProjectInput, build

    plans = {name: project.calls(name) for name in project.environments}
    configs = {
        name: project.platform_of(name).provider_config(project.resolve(name))
        for name in project.environments
    }
    blueprint = project.resolve(LOCAL).blueprint
    source = ProjectInput(
        name=project.name,
        description=blueprint.description,
        source=project.path,
        overrides={name: project.resolve(name).blueprint.overrides for name in plans},
        guide=project.platform_of(LOCAL).guide(
            {name: project.resolve(name) for name in plans}, plans
        ),
        ejected=project.ejected,
    )
    backends = {
        name: url
        for name in project.environments
        if name != LOCAL and (url := project.resolve(name).blueprint.state.backend)
    }
    made: list[Program] = []
    for out in outs:
        same = next((program for program in made if program.fits(out)), None)
        made.append(same or replace(build(source, plans, configs, out), backends=backends))
    return made


def left_out(project: Project) -> dict[str, str]:
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


def work_program(project: Project) -> tuple[Path, Program]:
    """Write the program into the work folder, where the embedded engine runs it."""
    out = project.program_folder or made(project.work) / "program"
    program = build(project, out)
    _place(program, out)
    return out, program


def _place(program: Program, out: Path) -> None:
    """Write a program where it is run; one process at a time, or both stumble over half a file."""
    from filelock import FileLock, Timeout

    from mlops_iac.errors import TimedOut
    from mlops_iac.program.write import write

    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(out.parent / f".{out.name}.lock", timeout=_WRITING_SECONDS):
            write(program, out)
            _drop_strangers(out, program)
    except Timeout:
        raise TimedOut(
            f"another mlops-iac has been writing {out} for {_WRITING_SECONDS} s",
            hint="end it, and run this again",
        ) from None


def _drop_strangers(out: Path, program: Program) -> None:
    """Remove what is not ours: the folder is importable while the program runs.

    A checkout may carry a `.mlops-iac/program/json.py` that somebody committed.
    """
    for path in out.rglob("*"):
        name = path.relative_to(out).as_posix()
        ours = name in program.files or name == ".mlops-iac.json" or _STACK_FILE.fullmatch(name)
        if not ours and (path.is_symlink() or not path.is_dir()):
            path.unlink(missing_ok=True)


def target(
    project: Project,
    stack: str,
    folder: Path,
    config: Mapping[str, Any],
    *,
    versions: Mapping[str, str] | None = None,
) -> StackTarget:
    """Return what an engine needs to run one stack.

    `versions` are the model versions to serve, by model, where the blueprint pins none.
    """
    merged = dict(config)
    for model, version in (versions or {}).items():
        merged.setdefault(version_key(project.name, model), version)
    from mlops_iac.api.deploy.cloud import EMULATED_ACCOUNT

    region = project.region(stack)
    declared = project.resolve(stack).blueprint.account
    account = EMULATED_ACCOUNT if stack == LOCAL or declared is None else str(declared)
    return StackTarget(
        program=folder,
        project=project.name,
        stack=stack,
        config=merged,
        work=project.work,
        region=region,
        account=account,
        backend=backend(project, stack),
        secrets_provider=project.resolve(stack).blueprint.state.secrets_provider or "",
    )


def backend(project: Project, stack: str) -> str:
    """Return the URL of the backend that keeps a stack's state; empty for the user's own.

    A relative `file://` is one beside the blueprint, wherever the program lies.
    """
    url = "" if project.emulates(stack) else project.resolve(stack).blueprint.state.backend or ""
    return placed(project, url)


def placed(project: Project, url: str) -> str:
    """Return a backend's URL as Pulumi takes it, from what a blueprint says."""
    path = url.removeprefix("file://")
    if path == url or path.startswith(("/", "~")):
        return url
    return f"file://{(project.root / path).resolve()}"


def version_key(project: str, model: str) -> str:
    """Return the configuration key of the version of a model that a stack serves."""
    return f"{project}:models.{model}.version"


def served_models(project: Project, stack: str) -> list[str]:
    """Return the models whose registered versions a stack may serve."""
    models = project.resolve(stack).blueprint.models
    return [name for name, model in models.items() if model.train is not None]


def capture(project: Project, stack: str) -> ResourceGraph:
    """Return the resources of a stack with stand-ins for everything computed."""
    project.resolve(stack)
    folder, program = work_program(project)
    return capture_program(project, stack, folder, program.config[stack])


def capture_program(
    project: Project, stack: str, folder: Path, config: Mapping[str, Any]
) -> ResourceGraph:
    """Return the resources of a stack of the program that lies in `folder`.

    Raises BlueprintInvalid for overrides that no resource takes.
    """
    from mlops_iac.engine.embedded.capture import capture
    from mlops_iac.errors import BlueprintInvalid, UsageError

    steady = dict.fromkeys(served_models(project, stack), ANY_APPROVED)
    aim = target(project, stack, folder, config, versions=steady)
    try:
        return capture(aim, project.cloud.providers(stack)["aws"])
    except UsageError as error:
        if not error.path:
            raise
        told = (error.path, "wrong-override", f"{error.message} (in {stack})", error.hint)
        problem = project.resolve(stack).diagnostic(*told, at_key=True)
        raise BlueprintInvalid([problem]) from None


def _with_locks(project: Project, out: Path) -> tuple[Program, dict[str, bytes]]:
    """Return the program for `out` and the lock file of every stack but `local`, by file name."""
    from mlops_iac.graph.lock import lock_bytes, lock_name

    folder = project.program_folder or project.work / "program"
    program, placed = builds(project, out, folder)
    if project.program_folder is None:
        made(project.work)
    _place(placed, folder)
    return program, {
        lock_name(stack): lock_bytes(capture_program(project, stack, folder, placed.config[stack]))
        for stack in project.environments
        if stack != LOCAL
    }


def compile_project(project: Project, out: Path | None) -> Compiled:
    """Write program, configuration and locks; return what changed.

    Raises BlueprintInvalid before anything is written, UsageError where it cannot be written, and
    where stack files would be dropped whose stack may still have resources, and where a state would
    be left behind in another backend.
    """
    from mlops_iac.api.deploy.orphaned_stacks import (
        require_none_forgotten,
        require_none_left_behind,
    )
    from mlops_iac.program.write import write

    out = (out or default_out(project)).absolute()
    require_none_forgotten(project, out)
    require_none_left_behind(project, out)
    program, locks = _with_locks(project, out)
    written = write(program, out, extra=locks)
    stacks = [name for name in project.environments if name != LOCAL]
    return Compiled(out, written, stacks, program.ejected.moved_on())


def stale(project: Project, out: Path | None) -> list[str]:
    """Return why the program on disk is not what the blueprint says."""
    from mlops_iac.program.write import stale as program_stale

    out = (out or default_out(project)).absolute()
    program, locks = _with_locks(project, out)
    return program_stale(program, out, extra=locks)
