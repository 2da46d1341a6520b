"""What a stack holds that no plan knows of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_iac.api.deploy.places import deployer_session
from mlops_iac.errors import MlopsError

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.api.core.stack_state import State


def holdings(project: BaseProject, state: State) -> list[str]:
    """A line for each store and registry that holds what no plan knows of; or why nobody counted.

    They go with the stack, or keep it from going; whoever is asked whether to delete it has to know.
    """
    found: list[str] = []
    try:
        found.extend(
            project.operations.holdings(
                state.resources,
                deployer_session(project, state.stack, state.registered, patient=False),
                emptied=project.rehearsed,
                versions_go=project.emulates(state.stack) or bool(state.tags),
            )
        )
    except Exception as error:
        if not isinstance(error, MlopsError) and project.access.failure(error) is None:
            raise
        found.append(f"what {state.stack} holds cannot be counted: {error}")
    return found
