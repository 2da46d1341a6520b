"""Endpoints that do not run what they were asked to: an alarm took their rollout back.

SageMaker then goes on with the previous configuration, and the provider's wait reads that as
success (hashicorp/terraform-provider-aws, issue 48997). So the endpoint itself is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mlops_iac.api.core.project import LOCAL
from mlops_iac.api.deploy.clients import is_gone
from mlops_iac.graph.model import Resource, address_of
from mlops_iac.policy.types import ENDPOINT

if TYPE_CHECKING:
    from mlops_iac.api.project import Project


def rolled_back(project: Project, stack: str) -> list[str]:
    """Say which endpoints of a deployed stack run another configuration than the state says, or are gone.

    Nothing where the emulated cloud does not run, or is another than was deployed to. Where the
    real one cannot be asked, that is said instead.
    """
    with project.deployment(stack) as deployment:
        endpoints = [
            each for each in deployment.resources() if each.type == ENDPOINT and not each.recorded
        ]
        if not endpoints:
            return []
        emulated = project.emulates(stack)
        if emulated:
            info = project.cloud.status()
            if info is None or not info.running or deployment.lost:
                return []
    from mlops_iac.api.models.registry import real_client

    try:
        if emulated:
            client = project.cloud.client("sagemaker", stack)
        else:
            region = str(endpoints[0].outputs.get("region") or project.region(stack))
            client = real_client("sagemaker", region)
        return list(differing(client, endpoints, "" if stack == LOCAL else f" -s {stack}"))
    except Exception as error:
        if not type(error).__module__.startswith("botocore."):
            raise
        return [f"cannot ask {stack} whether a rollout was taken back: {error}"]


def differing(client: Any, endpoints: Iterable[Resource], of: str = "") -> Iterator[str]:
    """Compare each endpoint with what was asked; one line for each that is gone or runs another.

    `of` names the stack to a command. Source: SageMaker API reference, DescribeEndpoint
    (`EndpointConfigName`, `EndpointStatus`). Raises botocore's errors of other kinds.
    """
    for each in endpoints:
        name = str(each.inputs["name"])
        try:
            answer = client.describe_endpoint(EndpointName=name)
        except Exception as error:
            if not is_gone(error):
                raise
            yield f"{address_of(each.type, each.name)}: {gone(name, of)}"
            continue
        if words := difference(each, answer):
            yield words


def gone(name: str, of: str) -> str:
    """Say of an endpoint that somebody deleted how it comes back; `of` names the stack."""
    return f"{name} is gone, somebody deleted it: `mlops-iac refresh{of}`, then `mlops-iac up{of}`"


def difference(endpoint: Resource, answer: Mapping[str, Any]) -> str:
    """Say what it runs instead of what was asked; empty where it runs that.

    `answer` is DescribeEndpoint's.
    """
    name, asked = str(endpoint.inputs["name"]), endpoint.inputs["endpointConfigName"]
    runs = answer["EndpointConfigName"]
    if runs == asked:
        return ""
    address = address_of(endpoint.type, endpoint.name)
    if answer["EndpointStatus"] in ("Updating", "RollingBack", "SystemUpdating"):
        return f"{address}: {name} still runs {runs}; the rollout of {asked} goes on"
    return (
        f"{address}: {name} runs {runs}, not {asked}: its rollout was taken back by an alarm"
        " or failed; pin the version that runs (`models.NAME.version`) and run `up`, or mend"
        " the new version"
    )
