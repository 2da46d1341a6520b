"""Where a stack was deployed, as its state says, and the way there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlops_iac.clouds import registry
from mlops_iac.clouds.access import Place

if TYPE_CHECKING:
    from mlops_iac.api.project import Project
    from mlops_iac.clouds.access import Session
    from mlops_iac.graph.model import Resource

_PROVIDERS = "pulumi:providers:"


def deployed_by(resources: Iterable[Resource]) -> tuple[Place, Mapping[str, Any]]:
    """Where a stack with these resources was deployed, and the inputs of the provider that did.

    Both are empty before that.
    """
    for each in resources:
        package = each.type.removeprefix(_PROVIDERS)
        if package != each.type and (cloud := registry.cloud_of(package)) is not None:
            return cloud.access.place(each.inputs), each.inputs
    return Place(), {}


def moved_place(resources: Sequence[Resource], now: Place) -> list[tuple[str, str, str]]:
    """Say where a stack with these resources was deployed, if it would be elsewhere `now`.

    `(what, was, would be)` for region and account, where both are known and a resource stands.
    """
    if not any(each.custom and not each.type.startswith("pulumi:") for each in resources):
        return []
    return deployed_by(resources)[0].moved(now)


def session(project: Project, stack: str, *, region: str = "") -> Session:
    """Return the way to what a stack deployed: the emulated cloud, or the real one as the user.

    `region` is where, if not where the blueprint says.
    """
    if project.emulates(stack):
        return project.cloud.session(stack)
    return project.access.session(Place(region or project.region(stack)))


def deployer_session(
    project: Project, stack: str, resources: Iterable[Resource], *, patient: bool = True
) -> Session:
    """Return the same way as who deployed `resources`, which are those of its state.

    One that is not patient gives up soon.
    """
    if project.emulates(stack):
        return project.cloud.session(stack)
    place, provider = deployed_by(resources)
    return project.access.session(place, provider, patient=patient)
