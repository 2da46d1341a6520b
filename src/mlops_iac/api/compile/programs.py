"""The program of a project, and what it makes when it is captured.

Nothing here looks whether what is planned may be: what is made for somebody goes through `captures`.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_iac.api.core.project import program_folder
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.collector import collector_paused
from mlops_iac.engine.protocol import StackTarget

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.graph.canonical import CanonicalGraph
    from mlops_iac.graph.model import ResourceGraph
    from mlops_iac.program.build import Program

# In the lock the steady state is captured: this version is a stand-in, and the endpoint is there.
ANY_APPROVED = "approved"
_WRITING_SECONDS = 60
_STACK_FILE = re.compile(r"Pulumi\.[^/]+\.yaml")


def default_out(project: BaseProject) -> Path:
    """Return the folder of the program that is committed, and of an ephemeral stack its own."""
    return project.program_folder or program_folder(project.root, project.name)


def builds(project: BaseProject, *outs: Path) -> list[Program]:
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


def place(program: Program, out: Path) -> None:
    """Write a program where it is run; one process at a time, or both stumble over half a file."""
    from filelock import FileLock, Timeout

    from mlops_iac.errors import TimedOut
    from mlops_iac.program.write import write

    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(out.parent / f".{out.name}.lock", timeout=_WRITING_SECONDS):
            write(program, out)
            _drop_others(out, program)
    except Timeout:
        raise TimedOut(
            f"another mlops-iac has been writing {out} for {_WRITING_SECONDS} s",
            hint="end it, and run this again",
        ) from None


def _drop_others(out: Path, program: Program) -> None:
    """Remove what is not ours: the folder is importable while the program runs.

    A checkout may carry a `.mlops-iac/program/json.py` that somebody committed.
    """
    for path in out.rglob("*"):
        name = path.relative_to(out).as_posix()
        ours = name in program.files or name == ".mlops-iac.json" or _STACK_FILE.fullmatch(name)
        if not ours and (path.is_symlink() or not path.is_dir()):
            path.unlink(missing_ok=True)


def target(
    project: BaseProject,
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
    return StackTarget(
        program=folder,
        project=project.name,
        stack=stack,
        config=merged,
        work=project.work,
        region=project.region(stack),
        backend=project.backend(stack),
        secrets_provider=project.resolve(stack).blueprint.state.secrets_provider or "",
    )


def version_key(project: str, model: str) -> str:
    """Return the configuration key of the version of a model that a stack serves."""
    return f"{project}:models.{model}.version"


def served_models(project: BaseProject, stack: str) -> list[str]:
    """Return the models whose registered versions a stack may serve."""
    models = project.resolve(stack).blueprint.models
    return [name for name, model in models.items() if model.train is not None]


def unpinned_models(project: BaseProject, stack: str) -> list[str]:
    """Return the models that a stack serves in whatever version is the newest approved one."""
    blueprint = project.resolve(stack).blueprint
    entries = blueprint.serving.values()
    served = {getattr(entry, "model", None) for entry in entries}
    served |= {
        each.model
        for entry in entries
        for each in (getattr(entry, "variants", None) or {}).values()
    }
    models = served_models(project, stack)
    return [name for name in models if name in served and blueprint.models[name].version is None]


def capture_program(
    project: BaseProject,
    stack: str,
    folder: Path,
    config: Mapping[str, Any],
    *,
    approved: bool = True,
) -> ResourceGraph:
    """Return the resources of a stack of the program that lies in `folder`.

    `approved`: as if there were an approved version of every model that none is pinned of. Raises
    BlueprintInvalid for overrides that no resource takes.
    """
    from mlops_iac.engine.embedded.capture import capture
    from mlops_iac.errors import BlueprintInvalid, UsageError

    steady = dict.fromkeys(served_models(project, stack), ANY_APPROVED) if approved else {}
    aim = target(project, stack, folder, config, versions=steady)
    try:
        return capture(aim, project.emulated_cloud.providers(stack))
    except UsageError as error:
        if not error.path:
            raise
        told = (error.path, "wrong-override", f"{error.message} (in {stack})", error.hint)
        problem = project.resolve(stack).diagnostic(*told, at_key=True)
        raise BlueprintInvalid([problem]) from None


def captured(project: BaseProject, stack: str, out: Path) -> CanonicalGraph:
    """The resources of a stack, its program written to `out` for as long as it runs."""
    from mlops_iac.graph.comparable import comparable

    try:
        program = builds(project, out)[0]
        write_beside(program, out)
        with collector_paused():
            return comparable(capture_program(project, stack, out, program.config[stack]))
    finally:
        shutil.rmtree(out, ignore_errors=True)


def write_beside(program: Program, out: Path) -> None:
    """Write a program to a new folder that nobody else uses."""
    out.mkdir(parents=True)
    for path, content in program.files.items():
        target = out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
