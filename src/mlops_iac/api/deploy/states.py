"""What the states of a project's stacks say, asked of their backends; or why they cannot be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlops_iac.api.core.stack_state import State, emulated_state, state_of
from mlops_iac.errors import MlopsError, StackNotFound
from mlops_iac.records import Record

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.engine.pulumi_backend import Backend


class States(Record):
    """What could be asked. `unknown` maps stacks to the reason why theirs could not."""

    known: Mapping[str, State]
    unknown: Mapping[str, str]
    # Stacks of the project in a backend that are no environment of the blueprint.
    others: Sequence[State] = ()
    # Reasons why a whole backend could not be asked, by URL.
    silent: Mapping[str, MlopsError] = {}


def states(project: BaseProject, *, others: bool = True) -> States:
    """Ask every backend of the project's environments once. Raises nothing about backends.

    `others` also asks for stacks that are no environments: ephemeral ones are among them.
    """
    by_url: dict[str, list[str]] = {}
    for name in project.environments:
        if not project.emulates(name):
            by_url.setdefault(project.backend(name), []).append(name)
    known = {
        name: emulated_state(project, name)
        for name in project.environments
        if project.emulates(name)
    }
    unknown: dict[str, str] = {}
    strangers: list[State] = []
    silent: dict[str, MlopsError] = {}
    if not by_url and not project.rehearsed:
        by_url[""] = []  # the user's own may have ephemeral ones
    for url, names in by_url.items():
        try:
            found = _ask(project, url, names, others=others)
        except MlopsError as error:
            silent[url] = error
            unknown.update(dict.fromkeys(names, unasked(error.message)))
            continue
        for state in found:
            if state.stack in names:
                known[state.stack] = state
            elif state.stack not in project.environments:
                strangers.append(state)
    ordered = {name: known[name] for name in project.environments if name in known}
    return States(ordered, unknown, strangers, silent)


def unasked(message: str) -> str:
    """Why a state could not be read; that nothing was changed goes without saying of a question."""
    return message.removesuffix("; nothing was changed")


def _ask(project: BaseProject, url: str, names: Sequence[str], *, others: bool) -> list[State]:
    from mlops_iac.engine.pulumi_backend import Backend

    found = {name: State(name) for name in names}
    with Backend(project.name, url) as asked:
        for item in asked.stacks():
            if item.name not in names and not others:
                continue
            exported = asked.export(item.name)["deployment"] or {}
            tags = {} if item.name in names else asked.tags(item.name)
            found[item.name] = state_of(item.name, exported, updated=item.updated, tags=tags)
    return list(found.values())


def state_in(backend: Backend, stack: str) -> State | None:
    """A stack's state with its tags; None where the backend does not list it."""
    listed = next((item for item in backend.stacks() if item.name == stack), None)
    if listed is None:
        return None
    exported = backend.export(stack)["deployment"] or {}
    return state_of(stack, exported, updated=listed.updated, tags=backend.tags(stack))


def export(project: BaseProject, stack: str) -> dict[str, Any]:
    """Return a stack's state as its engine gives it: `{version, deployment}`, secrets sealed.

    Raises StackNotFound where nothing was ever deployed to it, and what its backend says.
    """
    if project.emulates(stack):
        state = emulated_state(project, stack)
        if not state.deployment:
            raise StackNotFound(
                f"nothing was ever deployed to {stack}", hint="`mlops-iac up` deploys it"
            )
        return {"version": 3, "deployment": dict(state.deployment)}
    from mlops_iac.engine.pulumi_backend import Backend

    with Backend(project.name, project.backend(stack)) as asked:
        return asked.export(stack)
