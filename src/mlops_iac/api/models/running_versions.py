"""Which registered versions an environment runs, as its state says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mlops_iac.api.core.stack_state import State, emulated_state, state_of
from mlops_iac.api.deploy import rollbacks
from mlops_iac.api.deploy.deployments import Deployment
from mlops_iac.api.deploy.places import session
from mlops_iac.api.deploy.served_versions import credentials, home_of
from mlops_iac.api.deploy.states import export
from mlops_iac.blueprint.words import listed
from mlops_iac.errors import MlopsError, StackNotFound, UsageError
from mlops_iac.records import Record

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.clouds.operations import Version
    from mlops_iac.graph.model import Resource


class Running(Record):
    """Model → id and number of the version that runs. `why` says why there is nothing at all.

    `endpoints` are those that run.
    """

    versions: Mapping[str, tuple[str, str]]
    notes: Sequence[str] = ()
    why: str = ""
    endpoints: Sequence[Resource] = ()
    region: str = ""


def running(project: BaseProject, stack: str) -> Running:
    """Return what a stack runs.

    Raises UsageError where an endpoint does not run what the state says, and where two entries run
    different versions of one model; what the backend says where it cannot be asked.
    """
    state = _state(project, stack)
    if state is None or not state.resources:
        return Running({}, why=f"nothing is deployed to {stack}")
    if project.emulates(stack):
        with Deployment(project, stack) as deployment:
            if deployment.lost or project.emulated_cloud.answering() is None:
                return Running({}, why="the emulated cloud was stopped and lost what it held")
    found = _versions(project, stack, state)
    endpoints = tuple(project.operations.endpoints(state.resources).values())
    notes = _rolled_back(project, stack) if found or endpoints else []
    why = "" if found or endpoints else "it serves nothing"
    return Running(found, tuple(notes), why, endpoints, state.place.region)


def _state(project: BaseProject, stack: str) -> State | None:
    if project.emulates(stack):
        return emulated_state(project, stack)
    try:
        return state_of(stack, export(project, stack).get("deployment") or {})
    except StackNotFound:
        return None


def _versions(project: BaseProject, stack: str, state: State) -> dict[str, tuple[str, str]]:
    groups = groups_of(project, stack)
    found: dict[str, dict[str, str]] = {}
    for each in project.operations.served(state.resources):
        if model := groups.get(each.group):
            found.setdefault(model, {})[each.version] = each.id
    for model, versions in found.items():
        if len(versions) > 1:
            numbers = sorted(versions, key=int)
            raise UsageError(
                f"{stack} runs versions {listed(numbers)} of {model}, not one",
                hint="let all its serving entries run one version, then promote",
            )
    pairs = {model: next(iter(versions.items())) for model, versions in found.items()}
    return {model: (id_, version) for model, (version, id_) in pairs.items()}


def groups_of(project: BaseProject, stack: str) -> dict[str, str]:
    """Group of versions → model, as the blueprint has them in this environment."""
    models = project.resolve(stack).blueprint.models
    trained = [name for name, model in models.items() if model.train is not None]
    return {home_of(project, stack, name).group: name for name in trained}


def _rolled_back(project: BaseProject, stack: str) -> list[str]:
    """Notes where it cannot be asked. Raises UsageError where an endpoint runs something else."""
    try:
        with Deployment(project, stack) as deployment:
            told = rollbacks.rolled_back(deployment)
    except MlopsError as error:
        return [f"not asked whether a rollout was taken back: {error.message}"]
    if differ := [each for each in told if not each.startswith(rollbacks.UNASKED)]:
        raise UsageError(
            f"{stack} does not run what its state says: {differ[0]}",
            hint="bring state and endpoint to agree, then promote",
        )
    return told


def described(project: BaseProject, stack: str, model: str, id_: str) -> Version:
    """Return what the registry says of a version.

    Raises UsageError where it does not have it, AuthenticationError where nobody may ask.
    """
    registry = project.operations.registry(session(project, stack))
    with credentials(project, stack, model, what="for the approval of the version"):
        try:
            return registry.describe(id_)
        except Exception as error:
            if project.access.failure(error) != "gone":
                raise
            raise UsageError(
                f"{id_} runs, and its registry does not have it any more",
                hint="deploy a version that is there, then promote",
            ) from None


def resolved_images(project: BaseProject, stack: str, found: Running) -> dict[str, str]:
    """Image as it was named → the same with the digest that endpoints of a stack run.

    Empty for emulated ones, whose endpoints run nothing. Raises AuthenticationError where nobody
    may ask.
    """
    if project.emulates(stack) or not found.endpoints:
        return {}
    there = session(project, stack, region=found.region)
    with credentials(project, stack, "what it serves", what="for the images"):
        return project.operations.images(found.endpoints, there)
