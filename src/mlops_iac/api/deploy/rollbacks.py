"""Endpoints that do not run what they were asked to: an alarm took their rollout back."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from mlops_iac.api.deploy.places import session
from mlops_iac.blueprint.fill import LOCAL

if TYPE_CHECKING:
    from mlops_iac.api.deploy.deployments import Deployment


UNASKED = "cannot ask"
"""How what is told begins where nobody answered."""


def rolled_back(deployment: Deployment, among: Collection[str] | None = None) -> list[str]:
    """Say which endpoints of a deployed stack run another configuration than the state says, or are gone.

    `among` are the URNs of those that are asked about; all of them if left out.
    Nothing where the emulated cloud does not run, or is another than was deployed to. Where the
    real one cannot be asked, that is said instead.
    """
    project, stack = deployment.project, deployment.stack
    operations = project.operations
    standing = operations.endpoints(deployment.resources()).values()
    endpoints = [
        each for each in standing if not each.recorded and (among is None or each.urn in among)
    ]
    if not endpoints:
        return []
    if project.emulates(stack):
        info = project.emulated_cloud.status()
        if info is None or not info.running or deployment.lost:
            return []
    there = session(project, stack, region=deployment.region)
    of = "" if stack == LOCAL else f" -s {stack}"
    try:
        return list(operations.differing(endpoints, there, of))
    except Exception as error:
        if project.access.failure(error) is None:
            raise
        return [f"{UNASKED} {stack} whether a rollout was taken back: {error}"]
