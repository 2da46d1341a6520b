"""Stacks whose environment goes, or has gone, from the blueprint: whether anything is left of them.

A stack file is the only trace of a stack in a repository. It is not dropped before it is known that
the stack has no resources: they would go on, and cost, without anybody seeing them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_iac.api.compile import programs
from mlops_iac.api.core import stack_state
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.blueprint.words import listed
from mlops_iac.errors import MlopsError, StackNotFound, UsageError
from mlops_iac.records import Record

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject


class State(Record):
    """How many resources a stack has; `why` says why that is not known. `exists`: it is listed at `url`."""

    resources: int = 0
    exists: bool = False
    why: str = ""
    url: str = ""


def state_of(project: BaseProject, stack: str, out: Path | None = None) -> State:
    """Ask every backend that may keep a stack's state; `out` is the folder of the program."""
    resources, exists, at, why = 0, False, "", ""
    for url in _backends(project, stack, out or programs.default_out(project)):
        found = kept_at(project, stack, url)
        why = why or found.why
        if found.exists:
            exists, at = True, url
            resources += found.resources
    return State(resources, exists, "" if resources else why, at)


def kept_at(project: BaseProject, stack: str, url: str) -> State:
    """Ask one backend."""
    from mlops_iac.engine.pulumi_backend import Backend

    try:
        with Backend(project.name, url) as asked:
            exported = asked.export(stack)
    except StackNotFound:
        return State()
    except MlopsError as error:
        return State(why=error.message)
    found = stack_state.state_of(stack, exported.get("deployment") or {})
    return State(len(found.resources), exists=True, url=url)


def _backends(project: BaseProject, stack: str, out: Path) -> list[str]:
    """Where the state of a stack may be: as the blueprint says, and as it said when it was compiled.

    Of a stack of which neither says anything: where the user is logged in, and, where a program is
    older than such a record, where the others are.
    """
    from mlops_iac.program.manifest import read_manifest

    known = read_manifest(out)
    found: dict[str, None] = {}
    if stack in project.environments:
        found[project.backend(stack)] = None
    if stack in known.backends:
        found[project.placed(known.backends[stack])] = None
    if not found:
        others = [name for name in project.environments if name != LOCAL and not known.backends]
        found = {"": None, **{project.backend(name): None for name in others}}
    return list(found)


def stack_files(project: BaseProject, stack: str, out: Path | None = None) -> list[Path]:
    """The files of one stack beside the compiled program that are there."""
    from mlops_iac.graph.lock import lock_name
    from mlops_iac.program import stackfile

    folder = out or programs.default_out(project)
    found = [folder / stackfile.name(stack), folder / lock_name(stack)]
    return [path for path in found if path.is_file()]


def refuse(
    project: BaseProject, stack: str, state: State, files: Sequence[Path], *, gone: bool
) -> None:
    """Refuse to forget a stack. Raises UsageError where it has, or may have, resources."""
    if state.resources:
        back = "" if stack in project.environments else "write it back into the blueprint, then "
        raise UsageError(
            f"the stack {stack} still has {state.resources} resource(s); nothing was removed",
            hint=f"{back}mlops-iac destroy -s {stack}, and `mlops-iac stack rm {stack}`",
        )
    if state.why and files and not gone:
        raise UsageError(
            f"whether the stack {stack} still has resources is not known: {state.why}",
            hint=f"make its state reachable, or, if nothing is left of it:"
            f" mlops-iac stack rm {stack} --yes --force",
        )


def require_none_lost(project: BaseProject, out: Path | None) -> None:
    """Refuse to compile into `out` where a stack that may have resources would be lost sight of.

    Raises UsageError.
    """
    out = (out or programs.default_out(project)).absolute()
    require_none_forgotten(project, out)
    require_none_left_behind(project, out)


def require_none_forgotten(project: BaseProject, out: Path) -> None:
    """Refuse to compile over the stack files of environments that have gone from the blueprint.

    Nothing is asked where there are none; files of a stack that has no resources may go. Raises
    UsageError.
    """
    from mlops_iac.program.manifest import read_manifest

    strangers = [name for name in read_manifest(out).config if name not in project.environments]
    for name in strangers:
        files = stack_files(project, name, out)
        if not files:
            continue
        state = state_of(project, name, out)
        shown = listed(path.name for path in files)
        if state.resources:
            raise UsageError(
                f"{name} is gone from the blueprint and its stack still has {state.resources}"
                f" resource(s); {shown} would be dropped, nothing was written",
                hint=f"write it back, mlops-iac destroy -s {name}, mlops-iac stack rm {name}",
            )
        if state.why:
            raise UsageError(
                f"{name} is gone from the blueprint, and {shown} would be dropped; whether its stack"
                f" still has resources is not known: {state.why}",
                hint="write it back and destroy it first; if nothing is left of it:"
                f" mlops-iac stack rm {name} --yes --force",
            )


def require_none_left_behind(project: BaseProject, out: Path) -> None:
    """Refuse to compile for another backend than the one that still has a stack's state.

    The next `up` would make everything a second time, and what is there would run on. Asked only
    of environments whose backend is another one than when they were compiled. Raises UsageError.
    """
    from mlops_iac.program.manifest import read_manifest

    known = read_manifest(out)
    for name in known.config:
        if name == LOCAL or name not in project.environments:
            continue
        before = project.placed(known.backends.get(name, ""))
        now = project.backend(name)
        if before == now or not (kept := kept_at(project, name, before)).resources:
            continue
        if kept_at(project, name, now).resources:
            continue
        old, new = (
            before or "the backend you are logged in to",
            now or "the one you are logged in to",
        )
        raise UsageError(
            f"{name} has {kept.resources} resource(s) in the state that {old} keeps, and the blueprint"
            f" says {new} now, which has none; nothing was written",
            hint="move the state first: `pulumi stack export` from the one, `pulumi stack init` and"
            " `pulumi stack import` into the other; or destroy it before",
        )
