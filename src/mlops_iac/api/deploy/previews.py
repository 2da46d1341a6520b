"""What a deployment would change: against a lock file, or by an engine against a state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from mlops_iac.api.compare.comparisons import against_lock
from mlops_iac.api.core.engine_claim import PULUMI
from mlops_iac.api.deploy.deployments import Deployment
from mlops_iac.errors import UsageError

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.graph.plan import Plan


def preview(
    project: BaseProject,
    stack: str,
    *,
    against: str | None = None,
    live: bool = False,
    engine: str | None = None,
    targets: Sequence[str] = (),
    assume: str | None = None,
    opened: Callable[..., Deployment] = Deployment,
) -> Plan:
    """Return what a deployment would change; see `Project.preview`. `opened` opens deployments."""
    project.resolve(stack)
    emulated = project.emulates(stack)
    chosen = compared_with(stack, against=against, live=live, engine=engine, emulated=emulated)
    if chosen == "lock":
        if targets:
            raise UsageError("a comparison with the lock file takes no --target")
        return against_lock(project, stack, approved=assume != "none")
    if assume is not None:
        raise UsageError(
            "a comparison with a state asks which versions are approved", hint="drop --assume"
        )
    with opened(project, stack, engine=engine, targets=targets) as deployment:
        return deployment.preview()


def compared_with(
    stack: str, *, against: str | None, live: bool, engine: str | None, emulated: bool
) -> str:
    """Return what a preview compares with, `lock` or `state`.

    Raises UsageError for what does not fit together.
    """
    if live and against is not None:
        raise UsageError("--live and --against exclude each other", hint="drop one of them")
    if live and emulated:
        raise UsageError(f"{stack} is emulated, never live", hint="drop --live")
    chosen = against or ("state" if emulated or live or engine else "lock")
    if chosen == "lock" and emulated:
        raise UsageError(
            f"{stack} is emulated and has no lock file", hint="preview it against its state"
        )
    if chosen == "state" and not emulated and not live and engine != PULUMI:
        raise UsageError(
            f"the state of {stack} is with its real backend",
            hint="use --live (needs credentials), or --against lock",
        )
    return chosen
