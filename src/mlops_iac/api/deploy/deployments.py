"""Preview, up, refresh and destroy: which engine, against what, with which model versions."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from mlops_iac.api.compile import captures, programs
from mlops_iac.api.core.engine_claim import EMBEDDED, PULUMI, Holder
from mlops_iac.api.core.stack_state import deployed_by, emulated_state, state_of
from mlops_iac.api.deploy.deployed_emulator import DeployedEmulator
from mlops_iac.api.deploy.deployed_sources import keep
from mlops_iac.api.deploy.holdings import holdings
from mlops_iac.api.deploy.places import deployer_session, moved_place
from mlops_iac.api.deploy.startable import make_startable
from mlops_iac.api.deploy.states import export
from mlops_iac.api.deploy.version_choice import VersionChoice
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.clouds.access import Place
from mlops_iac.errors import TimedOut, UsageError
from mlops_iac.graph.plan import Plan

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.clouds.base import Before
    from mlops_iac.engine.passes import Run
    from mlops_iac.engine.protocol import Engine, OnEvent, Result, StackTarget
    from mlops_iac.values import Properties


class Deployment:
    """One stack under one engine. The versions it serves are resolved once, when it is opened.

    `stack`, `engine_name` (`embedded` or `pulumi`) and `targets` are what it was opened with. Methods
    raise UsageError for what is missing on this machine or stale, AuthenticationError where the cloud
    or the state's backend wants credentials, TimedOut where an emulator does not answer, Cancelled
    when interrupted, MlopsError for what else the engine says.
    """

    def __init__(
        self,
        project: BaseProject,
        stack: str,
        *,
        engine: str | None = None,
        targets: Sequence[str] = (),
    ) -> None:
        project.resolve(stack)  # an unknown stack is told before anything else happens
        self.project = project
        self.stack = stack
        self._holder = Holder(project.work)
        self.emulated = project.emulates(stack)
        self._emulator = DeployedEmulator(project, stack)
        self.engine_name = self._chosen(engine)
        if self.engine_name == EMBEDDED and not self.emulated:
            raise UsageError(
                f"the embedded engine deploys {LOCAL} only, not {stack}",
                hint=f"leave --engine out, or preview {stack} against its lock file",
            )
        self.targets = targets
        self._notes: list[str] = []
        self._unchanged: Plan | None = None
        self._unapproved: list[str] = []
        self._refused: tuple[str, ...] = ()
        # The passes in which a preview found something to do.
        self._due: set[str] | None = None

    def _chosen(self, engine: str | None) -> str:
        """The engine that deploys it. Raises UsageError for one that does not."""
        if self.stack == LOCAL:
            return self._holder.choose(engine)
        if self.emulated and engine == PULUMI:
            raise UsageError(
                f"a rehearsal of {self.stack} is deployed by the embedded engine",
                hint="leave --engine out",
            )
        return engine or (EMBEDDED if self.emulated else PULUMI)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    @cached_property
    def engine(self) -> Engine:
        """The engine, imported now. Raises UsageError where the real CLI is missing."""
        if self.engine_name == PULUMI:
            from mlops_iac.engine.pulumi_cli import PulumiEngine
            from mlops_iac.engine.pulumi_workspace import require_cli

            require_cli()
            providers = self.project.emulated_cloud.providers(self.stack)
            return PulumiEngine(providers, self._constraints)
        from mlops_iac.engine.embedded.engine import EmbeddedEngine

        return EmbeddedEngine(self.project.emulated_cloud.providers(self.stack))

    @property
    def _constraints(self) -> Path | None:
        """Where Pulumi's own plan lies, for who is held to it."""
        return None

    @cached_property
    def target(self) -> StackTarget:
        """What the engine runs: the program on disk, and the versions to serve."""
        return self._with_versions(self._unversioned)

    @cached_property
    def _unversioned(self) -> StackTarget:
        """The same without asking which versions are approved; enough to refresh and to delete."""
        _ = self.engine  # what is missing on this machine is told before any cloud is asked
        if self.emulated:
            folder, program = captures.work_program(self.project)
        else:
            folder = programs.default_out(self.project)
            program = captures.build(self.project, folder)
            self._require_fresh(folder, program)
        return programs.target(self.project, self.stack, folder, program.config[self.stack])

    def _require_fresh(self, folder: Path, program: Any) -> None:
        from mlops_iac.program.write import stale

        reasons = [*self.project.unpinned(), *stale(program, folder)]
        if reasons:
            there = (folder / "Pulumi.yaml").is_file()
            raise UsageError(
                f"the compiled program of {self.stack} is not what the blueprint says: {reasons[0]}"
                if there
                else f"the program of {self.stack} is not compiled",
                hint="run `mlops-iac compile`, review and commit it; what is reviewed is what runs",
            )

    def _with_versions(self, bare: StackTarget) -> StackTarget:
        chosen = VersionChoice(
            self.project, bare, self.engine, remade=lambda: self.lost or bool(self._moves())
        )
        config = chosen.config()
        self._notes += chosen.notes
        self._unapproved += chosen.unapproved
        return replace(bare, config=config)

    @property
    def lost(self) -> bool:
        """Whether the state tells of resources in an emulator that is no longer there."""
        return self.emulated and self._emulator.lost

    def _moves(self) -> list[str]:
        """In words, what of the place where the stack was deployed the blueprint says otherwise."""
        if self.emulated:
            region = self.project.emulated_cloud.place(self.stack).region
            pairs = [("region", region, self._unversioned.region)]
        else:
            pairs = self._moved_place
        return [f"the {what} goes from {old} to {new}" for what, old, new in pairs if old != new]

    @cached_property
    def _moved_place(self) -> list[tuple[str, str, str]]:
        # Asked once: an export of the real engine's state takes a second.
        account = str(self.project.resolve(self.stack).blueprint.account or "")
        now = Place(self.project.region(self.stack), account)
        return moved_place(self.engine.resources(self._unversioned), now)

    def _require_place(self) -> None:
        """Raise UsageError where a real stack was deployed to another region or account.

        The engine would look for what it holds there, find nothing, and call it deleted.
        """
        if self.emulated or not (moves := self._moves()):
            return
        raise UsageError(
            f"{self.stack} holds resources, and {' and '.join(moves)}: what a stack holds cannot"
            " move, and would be lost from its state; nothing was changed",
            hint=f"`mlops-iac destroy -s {self.stack}` deletes it where it was made, then deploy it"
            " anew; to keep it, take the change back and add an environment for the new place",
        )

    def preview(self) -> Plan:
        """Return what `up` would do against the state.

        Raises UsageError where a real stack was deployed to another place.
        """
        from mlops_iac.review.risks import refused

        self._require_place()
        if self.lost:
            note = "the emulated cloud was restarted and lost what it held: all is created again"
            with tempfile.TemporaryDirectory() as empty:
                plan = self._engine_preview(Path(empty))
            return replace(plan, diagnostics=(note, *self._notes, *plan.diagnostics))
        if self.emulated and (moves := self._moves()):
            self._notes += [
                f"{each}: everything is made anew there, and what is stored here goes"
                for each in moves
            ]
            self._notes += self._holdings()
        plan = self._engine_preview()
        embedded = self.engine_name == EMBEDDED  # asking the real one for outputs takes a second
        self._unchanged = plan if embedded and not self._differs(plan) else None
        would_be = (f"{step.name}: {words}" for step, words in refused(plan.steps))
        self._refused = (*self._unapproved, *would_be)
        return replace(plan, diagnostics=(*self._notes, *self._refused, *plan.diagnostics))

    def require_possible(self) -> None:
        """Raise UsageError for what the cloud would refuse half way, and what nobody approves."""
        if self._refused or self._unapproved:
            raise UsageError(
                f"{(self._refused or self._unapproved)[0]}; nothing was changed",
                hint="`mlops-iac preview` shows the plan",
            )

    def settle_names(self) -> None:
        """Fix what names are made from, so that every later plan of `local` has the same ones."""
        if self.engine_name == EMBEDDED:
            from mlops_iac.engine.embedded.engine import EmbeddedEngine

            engine = self.engine
            assert isinstance(engine, EmbeddedEngine)
            engine.settle_names(self._bare())

    @cached_property
    def _runs(self) -> Sequence[Run]:
        """The passes of the program that it takes, most often one."""
        from mlops_iac.engine.passes import runs

        platform, resolved = self.project.platform_of(self.stack), self.project.resolve(self.stack)
        found = runs(self.target, platform.passes(resolved, self._outputs_before))
        if self.targets and len(found) > 1:
            raise UsageError(
                f"{self.stack} is deployed in {len(found)} passes, which are of the whole stack",
                hint="leave --target out",
            )
        return found

    def _outputs_before(self) -> Properties:
        anew = self.lost or (self.emulated and self._moves())
        return {} if anew else self.engine.outputs(self._unversioned)

    def _engine_preview(self, work: Path | None = None) -> Plan:
        """The plan against the state in another folder than the project's own, if one is given."""
        targets = [replace(run.target, work=work or run.target.work) for run in self._runs]
        if len(targets) == 1:
            return self.engine.preview(targets[0], targets=self.targets)
        from mlops_iac.engine.passes import joined

        plan = joined(self._runs, self.engine.previews(targets), self._outputs_before())
        self._due = {step.during for step in plan.changes}
        return plan

    def _engine_up(self, on_event: OnEvent | None, parallel: int) -> Result:
        from mlops_iac.engine.passes import apply

        def prepare(before: Before) -> None:
            there = self.engine.resources(self._unversioned)
            session = deployer_session(self.project, self.stack, there)
            before.do(session, self.engine.outputs(self._unversioned))

        def up(run: Run) -> Result:
            return self._up(run, on_event, parallel)

        return apply(self._runs, self._due or set(), up, prepare, on_event)

    def _up(self, run: Run, on_event: OnEvent | None, parallel: int) -> Result:
        return self.engine.up(
            run.target, on_event=on_event, parallel=parallel, targets=self.targets
        )

    def _differs(self, plan: Plan) -> bool:
        """Whether there is anything to apply: a resource, or an output of the stack."""
        return bool(plan.changes) or plan.outputs != self.engine.outputs(self.target)

    def up(self, *, on_event: OnEvent | None = None, parallel: int = 16) -> Result:
        """Apply. What vanished with a restarted emulator is taken out of the state first.

        `parallel` operations run at once; `on_event` hears of each. A resource that failed is in the
        result's `failures`, and nothing is raised for it. PlanMoved where a saved plan says otherwise.
        After a `preview` of this deployment that found nothing to do, nothing is run again.
        """
        if self._unchanged is not None:
            from mlops_iac.engine.protocol import Result

            plan = self._unchanged
            self._keep()
            return Result(plan.steps, plan.outputs, {}, plan.duration_seconds)
        self._require_place()
        if len(self._runs) > 1 and self._due is None:
            self.preview()
        self.require_possible()
        if self.emulated:
            if self.stack == LOCAL:
                self._holder.claim(self.engine_name)
            self.project.pin()
            self._meet_emulator()
        result = self._engine_up(on_event, parallel)
        if not result.failures:
            self._keep()
        return result

    def _keep(self) -> None:
        if self.emulated and not self.targets:
            keep(self.project, self.stack)
            make_startable(self.project, self.stack, self.outputs())

    def _meet_emulator(self) -> None:
        info = self.project.emulated_cloud.ensure()
        if self._emulator.recorded() not in ("", info.instance):
            self.engine.refresh(self._unversioned)
        self._emulator.record(info.instance)

    def refresh(self, *, preview_only: bool = False) -> Result:
        """Take over what vanished or drifted; the steps say what. `preview_only` writes nothing."""
        if self.emulated:
            self.project.emulated_cloud.ensure()
        return self.engine.refresh(self._unversioned, preview_only=preview_only)

    def plan_destroy(self) -> Plan:
        """Return what `destroy` would delete, and what goes with it that no plan knows of."""
        plan = self._ending.plan_destroy(self._unversioned)
        notes = self._holdings() if plan.changes else []
        return replace(plan, diagnostics=(*plan.diagnostics, *notes))

    def _holdings(self) -> list[str]:
        if self.emulated and (self.project.emulated_cloud.answering() is None or self.lost):
            return []
        if self.emulated:  # which another command may be about to deploy
            return holdings(self.project, emulated_state(self.project, self.stack))
        state = state_of(self.stack, export(self.project, self.stack)["deployment"] or {})
        return holdings(self.project, state)

    def destroy(self, *, on_event: OnEvent | None = None) -> Result:
        """Delete everything, in reverse order of dependency; what failed is in `failures`."""
        if not self.emulated:
            return self.engine.destroy(self._unversioned, on_event=on_event)
        self._meet_emulator()
        result = self._ending.destroy(self._unversioned, on_event=on_event)
        if not result.failures:
            self.release()
        return result

    @property
    def _ending(self) -> Engine:
        """The engine that deletes it all; of a rehearsal, what is protected or full, too."""
        if self.stack == LOCAL or not self.emulated:
            return self.engine
        from mlops_iac.engine.embedded.engine import EmbeddedEngine

        return EmbeddedEngine(
            self.project.emulated_cloud.providers(self.stack, forced=True), forced=True
        )

    def release(self) -> None:
        """Give up an engine's claim on `local`, where a destroy finds nothing to delete."""
        if self.stack == LOCAL:
            self._holder.release()

    def outputs(self) -> Properties:
        """Return the stack's outputs; secrets stay wrapped."""
        return self.engine.outputs(self._bare())

    def resources(self) -> Sequence[Any]:
        """Return what the state holds."""
        return self.engine.resources(self._bare())

    @property
    def region(self) -> str:
        """Where it was deployed, and where it is nowhere yet, where it would be."""
        return deployed_by(self.resources())[0].region or self.project.region(self.stack)

    def notes(self) -> Iterator[str]:
        """Say what a person should know about the state."""
        try:
            if self.lost:
                yield "the emulated cloud is not the one this was deployed to; `up` mends that"
        except TimedOut as error:
            yield f"{error.message} {error.hint}"

    def _bare(self) -> StackTarget:
        """Return a target for reading the state: needs no versions.

        It needs a program only where the real engine reads `local`, whose own is in the work folder.
        """
        if self.stack == LOCAL and self.engine_name == PULUMI:
            folder, _ = captures.work_program(self.project)
        else:
            folder = programs.default_out(self.project)
            if self.engine_name == PULUMI and not (folder / "Pulumi.yaml").is_file():
                raise UsageError(
                    f"the program of {self.stack} is not compiled: there is no"
                    f" {os.path.relpath(folder)}/Pulumi.yaml, with which Pulumi finds its state",
                    hint="run `mlops-iac compile`, or restore what is committed",
                )
        return programs.target(self.project, self.stack, folder, {})
