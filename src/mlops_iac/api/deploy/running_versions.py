"""Which registered versions an environment runs, as its state says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mlops_iac.blueprint.words import listed
from mlops_iac.errors import MlopsError, StackNotFound, UsageError
from mlops_iac.policy.types import ENDPOINT, MODEL
from mlops_iac.records import Record

if TYPE_CHECKING:
    from mlops_iac.api.deploy.states import State
    from mlops_iac.api.project import Project

# Source: SageMaker API reference, ModelPackageArn of a version in a group.
PACKAGE = re.compile(r"arn:[^:]+:sagemaker:[^:]+:\d*:model-package/([^/]+)/(\d+)")


class Running(Record):
    """Model → ARN and number of the version that runs. `why` says why there is nothing at all.

    `endpoints` are the names of those that run.
    """

    versions: Mapping[str, tuple[str, str]]
    notes: Sequence[str] = ()
    why: str = ""
    endpoints: tuple[str, ...] = ()
    region: str = ""


def running(project: Project, stack: str) -> Running:
    """Return what a stack runs.

    Raises UsageError where an endpoint does not run what the state says, and where two entries run
    different versions of one model; what the backend says where it cannot be asked.
    """
    state = _state(project, stack)
    if state is None or not state.resources:
        return Running({}, why=f"nothing is deployed to {stack}")
    if project.emulates(stack):
        with project.deployment(stack) as deployment:
            if deployment.lost or project.cloud.answering() is None:
                return Running({}, why="the emulated cloud was stopped and lost what it held")
    found = _versions(project, stack, state)
    inputs = [item.get("inputs") or {} for item in state.resources if item["type"] == ENDPOINT]
    names = tuple(str(each["name"]) for each in inputs if each.get("name"))
    notes = _rolled_back(project, stack) if found or names else []
    why = "" if found or names else "it serves nothing"
    return Running(found, tuple(notes), why, names, state.region)


def _state(project: Project, stack: str) -> State | None:
    from mlops_iac.api.deploy.states import emulated_state, export, state_of

    if project.emulates(stack):
        return emulated_state(project, stack)
    try:
        return state_of(stack, export(project, stack).get("deployment") or {})
    except StackNotFound:
        return None


def _versions(project: Project, stack: str, state: State) -> dict[str, tuple[str, str]]:
    groups = groups_of(project, stack)
    found: dict[str, dict[str, str]] = {}
    for group, version, arn in _packages(state):
        if model := groups.get(group):
            found.setdefault(model, {})[version] = arn
    for model, versions in found.items():
        if len(versions) > 1:
            numbers = sorted(versions, key=int)
            raise UsageError(
                f"{stack} runs versions {listed(numbers)} of {model}, not one",
                hint="let all its serving entries run one version, then promote",
            )
    pairs = {model: next(iter(versions.items())) for model, versions in found.items()}
    return {model: (arn, version) for model, (version, arn) in pairs.items()}


def groups_of(project: Project, stack: str) -> dict[str, str]:
    """Package group → model, as the blueprint has them in this environment."""
    from mlops_iac.clouds.aws.sagemaker.scope import Scope

    scope = Scope(project.resolve(stack))
    models = scope.blueprint.models
    return {scope.home(name).group: name for name in models if models[name].train is not None}


def _packages(state: State) -> Iterator[tuple[str, str, str]]:
    """Group, version and ARN of every registered version that a model of the stack is."""
    for resource in state.resources:
        if resource["type"] != MODEL:
            continue
        if match := package_of(resource.get("inputs") or {}):
            yield match[1], match[2], match[0]


def package_of(inputs: Mapping[str, Any]) -> re.Match[str] | None:
    """Return the ARN of the registered version that a model is, matched by `PACKAGE`."""
    container = inputs.get("primaryContainer")
    name = container.get("modelPackageName") if isinstance(container, Mapping) else None
    return PACKAGE.fullmatch(name) if isinstance(name, str) else None


def _rolled_back(project: Project, stack: str) -> list[str]:
    """Notes where it cannot be asked. Raises UsageError where an endpoint runs something else."""
    from mlops_iac.api.deploy.rollbacks import rolled_back

    try:
        told = rolled_back(project, stack)
    except MlopsError as error:
        return [f"not asked whether a rollout was taken back: {error.message}"]
    if differ := [each for each in told if not each.startswith("cannot ask")]:
        raise UsageError(
            f"{stack} does not run what its state says: {differ[0]}",
            hint="bring state and endpoint to agree, then promote",
        )
    return told


def described(project: Project, stack: str, model: str, arn: str) -> Mapping[str, Any]:
    """Return what the registry says of a version.

    Raises UsageError where it does not have it, AuthenticationError where nobody may ask.
    """
    from mlops_iac.api.deploy.served_versions import credentials
    from mlops_iac.api.models.registry import real_client

    if project.emulates(stack):
        _, _, _, region, account, *_ = arn.split(":")  # that of the registry
        client = project.cloud.client_at("sagemaker", region, account)
    else:
        client = real_client("sagemaker", arn.split(":")[3])
    with credentials(stack, model, what="for the approval of the version"), _known(arn):
        answer: dict[str, Any] = client.describe_model_package(ModelPackageName=arn)
    return answer


def resolved_images(project: Project, stack: str, found: Running) -> dict[str, str]:
    """Image as it was named → the same with the digest that endpoints of a stack run.

    Empty for emulated ones, whose endpoints run nothing. Source: SageMaker API reference,
    ProductionVariantSummary, DeployedImage (`SpecifiedImage`, `ResolvedImage`). Raises
    AuthenticationError where nobody may ask.
    """
    from mlops_iac.api.deploy.served_versions import credentials
    from mlops_iac.api.models.registry import real_client

    if project.emulates(stack) or not found.endpoints:
        return {}
    client = real_client("sagemaker", found.region or project.region(stack))
    images: dict[str, str] = {}
    for name in found.endpoints:
        with credentials(stack, name, what="for the images"):
            answer = client.describe_endpoint(EndpointName=name)
        for variant in answer.get("ProductionVariants") or ():
            for image in variant.get("DeployedImages") or ():
                if "@" in str(image.get("ResolvedImage")):
                    images[str(image.get("SpecifiedImage"))] = str(image["ResolvedImage"])
    return images


# Source: SageMaker answers for a version that is not there, and moto's.
_NOT_THERE = ("ResourceNotFound", "ValidationException")


@contextmanager
def _known(arn: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        response = getattr(error, "response", None)
        if not response or response.get("Error", {}).get("Code") not in _NOT_THERE:
            raise
        raise UsageError(
            f"{arn} runs, and its registry does not have it any more",
            hint="deploy a version that is there, then promote",
        ) from None
