"""A deployment held to a saved plan: it does what was reviewed, or nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_iac.api.core.engine_claim import EMBEDDED
from mlops_iac.api.deploy.deployments import Deployment
from mlops_iac.api.deploy.saved_plans import plan_of_deployment, plan_of_lock, read_plan
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.errors import PlanMoved, UsageError
from mlops_iac.graph import saved_plan
from mlops_iac.graph.plan import Plan
from mlops_iac.graph.plan_moves import Move, exceeding, moved
from mlops_iac.graph.saved_plan import SavedPlan

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.engine.passes import Run
    from mlops_iac.engine.protocol import Event, OnEvent, Result


class PlannedDeployment(Deployment):
    """`preview` raises PlanMoved unless it is what was saved; `up` ends before it does more.

    With the real engine Pulumi's own plan, made by that preview, is laid on top: what Pulumi would
    do beyond it fails there. A stack that does not exist yet has none.
    """

    def __init__(self, project: BaseProject, stack: str, *, engine: str | None, plan: str | Path):
        self.planned = read_plan(plan, project, stack)
        if engine is None and self.planned.basis != "lock":
            engine = self.planned.engine
        if self.planned.basis == "lock" and stack == LOCAL:
            raise UsageError("local has no lock file, so this is no plan of it")
        super().__init__(project, stack, engine=engine)
        self._checked = False
        self._begun = False

    def __exit__(self, *raised: object) -> None:
        if "_folder" in self.__dict__:
            self._folder.cleanup()
        super().__exit__(*raised)

    @cached_property
    def _folder(self) -> tempfile.TemporaryDirectory[str]:
        return tempfile.TemporaryDirectory(prefix="mlops-iac-")

    @property
    def _constraints(self) -> Path | None:
        return Path(self._folder.name) / "plan.json"

    def preview(self) -> Plan:
        """Plan again and compare. Raises PlanMoved, naming everything that moved."""
        plan = super().preview()
        require_unmoved(self, plan, self.planned)
        self._checked = True
        return plan

    def up(self, *, on_event: OnEvent | None = None, parallel: int = 16) -> Result:
        """Apply what was compared just now."""
        if not self._checked:
            self.preview()
        return super().up(on_event=on_event, parallel=parallel)

    def _up(self, run: Run, on_event: OnEvent | None, parallel: int) -> Result:
        planned = self.planned.of(run.words)
        if self.engine_name == EMBEDDED:
            on_event = guarded(planned, on_event, run.words)
        elif self._begun:  # the plan that was compared is of the first pass with something to do
            moves = exceeding(planned, self.engine.preview(run.target).steps)
            if moves:
                raise PlanMoved([f"{run.words}: {move.words}" for move in moves], begun=True)
        self._begun = True
        return super()._up(run, on_event, parallel)


def require_unmoved(deployment: Deployment, plan: Plan, planned: SavedPlan) -> None:
    """Raise PlanMoved, naming what moved, unless `plan`, made just now, is the one saved."""
    moves: Sequence[Move]
    if planned.basis == "lock":
        empty = Plan(plan.stack, plan.project, planned.engine, "lock", ())
        fresh = plan_of_lock(deployment.project, deployment.stack, empty)
        moves = [*moved(planned, fresh), *exceeding(planned, plan.steps)]
    elif planned.engine != deployment.engine_name:
        raise UsageError(
            f"the plan was made with the engine {planned.engine}, not {deployment.engine_name}",
            hint=f"add `--engine {planned.engine}`",
        )
    else:
        moves = moved(planned, plan_of_deployment(deployment, plan))
    if moves:
        raise PlanMoved([move.words for move in moves])


def guarded(planned: SavedPlan, on_event: OnEvent | None, during: str = "") -> OnEvent:
    """Listen to a deployment and end it before an operation that the plan does not have.

    `during` names the pass that it is, if there are several.

    The state is compared before it starts; this is for what moves while it runs, and for values
    that were unknown. Known inputs must be those planned.
    """
    reviewed: dict[tuple[str, str], Any] = {
        (entry["urn"], entry["op"]): entry.get("inputs", {}) for entry in planned.operations
    }

    def listen(event: Event) -> None:
        step = event.step
        if event.kind == "start" and step is not None:
            known = reviewed.get((step.urn, step.op))
            if known is None and step.op == "update":
                known = reviewed.get((step.urn, "replace"))  # less than was planned
            inputs = saved_plan.canonical_inputs(step.type, step.new_inputs)
            if known is None or (step.op != "delete" and not _fits(known, inputs)):
                what = f"{step.op} of {step.address}"
                pass_ = f"{during}: " if during else ""
                raise PlanMoved([f"{pass_}{what} is not what was planned"], begun=True)
        if on_event is not None:
            on_event(event)

    return listen


def _fits(planned: Any, real: Any) -> bool:
    """Whether known values are those planned; what was unknown may have become anything."""
    if planned == "[unknown]":
        return True
    if isinstance(planned, dict) and isinstance(real, dict):
        return planned.keys() == real.keys() and all(_fits(planned[k], real[k]) for k in planned)
    if isinstance(planned, list) and isinstance(real, list):
        return len(planned) == len(real) and all(map(_fits, planned, real))
    return bool(planned == real)
