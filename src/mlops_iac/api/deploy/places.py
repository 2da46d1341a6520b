"""Where a stack was deployed, as its state says, and the way there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from mlops_iac.api.core.stack_state import deployed_by
from mlops_iac.clouds.access import Place

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.clouds.access import Session
    from mlops_iac.graph.model import Resource


def moved_place(resources: Sequence[Resource], now: Place) -> list[tuple[str, str, str]]:
    """Say where a stack with these resources was deployed, if it would be elsewhere `now`.

    `(what, was, would be)` for region and account, where both are known and a resource stands.
    """
    if not any(each.in_cloud for each in resources):
        return []
    return deployed_by(resources)[0].moved(now)


def session(project: BaseProject, stack: str, *, region: str = "") -> Session:
    """Return the way to what a stack deployed: the emulated cloud, or the real one as the user.

    `region` is where, if not where the blueprint says.
    """
    if project.emulates(stack):
        return project.emulated_cloud.session(stack)
    return project.access.session(Place(region or project.region(stack)))


def deployer_session(
    project: BaseProject, stack: str, resources: Iterable[Resource], *, patient: bool = True
) -> Session:
    """Return the same way as who deployed `resources`, which are those of its state.

    One that is not patient gives up soon.
    """
    if project.emulates(stack):
        return project.emulated_cloud.session(stack)
    place, provider = deployed_by(resources)
    return project.access.session(place, provider, patient=patient)
