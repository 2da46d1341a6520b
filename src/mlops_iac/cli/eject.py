"""`mlops-iac eject`."""

from __future__ import annotations

from mlops_iac.cli._session import Session, argument, flag, verb
from mlops_iac.cli.compile import tell
from mlops_iac.errors import UsageError


@verb("eject")
def command(
    session: Session,
    components: tuple[str, ...] = argument(metavar="[COMPONENT]...", nargs=-1),
    everything: bool = flag("All that the program uses: it needs this package no longer.", "--all"),
    undo: bool = flag("Use the package's own again, all of them."),
) -> int:
    """Copy components beside the program, to change them or to walk away.

    COMPONENT is a class or a module, as the program imports it: RealTimeEndpoint. What it imports
    comes along. The program imports the copies from then on; no resource changes, and `compile`
    leaves them alone.
    """
    if (bool(components) + everything + undo) != 1:
        raise UsageError(
            "what is to be ejected?", hint="name components, or --all; --undo stands alone"
        )
    project = session.project()
    compiled = project.undo_eject() if undo else project.eject(components, everything=everything)
    tell(session, project, compiled)
    return 0
