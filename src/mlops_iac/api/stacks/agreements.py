"""Whether blueprint, compiled program and state of a stack agree, and why where they do not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mlops_iac.api.compile import captures, programs
from mlops_iac.api.core.repository import around
from mlops_iac.api.core.worktree import changed, untracked
from mlops_iac.api.deploy.previews import preview
from mlops_iac.errors import MlopsError

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.api.core.stack_state import State
    from mlops_iac.api.deploy.states import States

Agrees = Literal["agrees", "uncommitted", "differs", "nothing", "unknown"]

_STACK_FILE = re.compile(r"Pulumi\.([a-z0-9-]+)\.yaml\b|mlops-iac\.([a-z0-9-]+)\.lock\.json\b")


# -- program and blueprint -------------------------------------------------------------------------


def program_agreements(project: BaseProject, out: Path) -> dict[str, tuple[Agrees, str]]:
    """Whether the folder is what the blueprint gives, by stack. Of emulated ones none is kept."""
    from mlops_iac.program.write import stale

    real = [name for name in project.environments if not project.emulates(name)]
    found: dict[str, tuple[Agrees, str]] = {
        name: ("agrees", "made anew by every command")
        for name in project.environments
        if project.emulates(name)
    }
    if not real:
        return found
    if not (out / "Pulumi.yaml").exists():
        return found | dict.fromkeys(real, ("nothing", "not compiled yet"))
    try:
        reasons = stale(captures.build(project, out), out)
    except MlopsError as error:
        return found | dict.fromkeys(real, ("unknown", error.message))
    waiting = _uncommitted(out)
    return found | {name: _program(name, out, reasons, waiting) for name in real}


def _program(
    stack: str, out: Path, reasons: Sequence[str], waiting: Sequence[str]
) -> tuple[Agrees, str]:
    from mlops_iac.graph.lock import lock_name

    mine = [why for why in reasons if not _of_another(why, stack)]
    mine.sort(key=lambda why: not why.startswith(f"Pulumi.{stack}.yaml"))
    if mine:
        return "differs", mine[0]
    if not (out / lock_name(stack)).exists():
        return "differs", f"{lock_name(stack)} is missing"
    mine = [file for file in waiting if not _of_another(file, stack)]
    return ("uncommitted", f"git does not have {mine[0]} yet") if mine else ("agrees", "")


def _of_another(reason: str, stack: str) -> bool:
    """Whether a reason, or a file, is about another stack's settings or lock file."""
    file = _STACK_FILE.match(reason)
    return file is not None and stack not in file.groups()


def _uncommitted(out: Path) -> list[str]:
    """Files of the folder, or folders above it, that git does not have as they are.

    Outside of a repository there is nothing to say.
    """
    with around(out) as repository:
        if repository is None:
            return []
        inside = repository.relative(out)
        found = untracked(repository, inside)
        if found and not repository.index(inside)[0]:
            return [out.name]  # nothing of it
        if repository.has_commit:
            found += changed(repository, repository.commit("HEAD"), inside)
    return [path.rpartition("/")[2] for path in found]


# -- program and state -----------------------------------------------------------------------------


def agreement_of_state(project: BaseProject, stack: str, found: States) -> tuple[Agrees, str]:
    """Whether the state holds what the lock file says; of an emulated one, whether `up` had nothing to do."""
    if stack in found.unknown:
        return "unknown", found.unknown[stack]
    state = found.known[stack]
    if not state.resources:
        return "nothing", "nothing is deployed"
    try:
        if project.emulates(stack):
            changed = len(preview(project, stack).changes)
            return ("differs", f"{changed} change(s) to apply") if changed else ("agrees", "")
        return _agreement(project, state)
    except MlopsError as error:
        return "unknown", error.message


def _agreement(project: BaseProject, state: State) -> tuple[Agrees, str]:
    from mlops_iac.graph.agreement import agreement
    from mlops_iac.graph.lock import lock_name, read_lock

    path = programs.default_out(project) / lock_name(state.stack)
    if not path.exists():
        return "unknown", "there is no lock file to compare with"
    waiting = [
        key.removesuffix("_pending").replace("_", "-")
        for key, value in state.outputs.items()
        if key.endswith("_pending") and value
    ]
    same = agreement(
        read_lock(path),
        state.graph(project.name),
        any_text=(programs.ANY_APPROVED,),
        waiting=waiting,
    )
    if not same:
        return "differs", same.words
    return "agrees", f"{', '.join(waiting)} waits for a first version" if waiting else ""
