"""Endpoints that do not run what they were asked to: an alarm took their rollout back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_iac.api.core.project import LOCAL
from mlops_iac.api.deploy.places import session

if TYPE_CHECKING:
    from mlops_iac.api.project import Project


def rolled_back(project: Project, stack: str) -> list[str]:
    """Say which endpoints of a deployed stack run another configuration than the state says, or are gone.

    Nothing where the emulated cloud does not run, or is another than was deployed to. Where the
    real one cannot be asked, that is said instead.
    """
    operations = project.operations
    with project.deployment(stack) as deployment:
        standing = operations.endpoints(deployment.resources()).values()
        endpoints = [each for each in standing if not each.recorded]
        if not endpoints:
            return []
        if project.emulates(stack):
            info = project.cloud.status()
            if info is None or not info.running or deployment.lost:
                return []
        region = deployment.region
    of = "" if stack == LOCAL else f" -s {stack}"
    try:
        return list(operations.differing(endpoints, session(project, stack, region=region), of))
    except Exception as error:
        if project.access.failure(error) is None:
            raise
        return [f"cannot ask {stack} whether a rollout was taken back: {error}"]
