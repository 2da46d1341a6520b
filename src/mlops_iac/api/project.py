"""A project: one blueprint, what it compiles to, and the stacks it deploys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mlops_iac.api.core.loading import load_as
from mlops_iac.api.core.project import BaseProject
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.errors import UsageError

if TYPE_CHECKING:
    from mlops_iac.api.compare.reviews import Guards, Reviewed
    from mlops_iac.api.compile.compiling import Compiled
    from mlops_iac.api.deploy.deployments import Deployment
    from mlops_iac.api.deploy.registry import Registry
    from mlops_iac.api.invoke.invocation import Invocation
    from mlops_iac.api.invoke.monitoring import Simulated
    from mlops_iac.api.invoke.ways import Way
    from mlops_iac.api.models.local_runs import Run
    from mlops_iac.api.models.run_pages import LeftPage
    from mlops_iac.api.status.status import Status
    from mlops_iac.clouds.base import ComponentCall
    from mlops_iac.clouds.operations import Monitored
    from mlops_iac.engine.protocol import Result
    from mlops_iac.graph.model import ResourceGraph
    from mlops_iac.graph.plan import Plan
    from mlops_iac.pipeline.executor import OnRunEvent
    from mlops_iac.policy.model import Finding
    from mlops_iac.review.model import Review
    from mlops_iac.values import Properties


class Project(BaseProject):
    """One blueprint. Methods take the name of a stack: an environment, or `local`.

    The verbs: each opens the layer that does it, which is imported then.
    """

    # -- the program

    def compile(self, out: Path | None = None) -> Compiled:
        """Write the program, its configuration, a lock file per stack, and `blueprint.lock`.

        `out` is another folder than `stacks/NAME`. Raises BlueprintInvalid for what the platform
        refuses, UsageError for what cannot be written or is none of our files, and where a stack
        that may have resources would be lost sight of.
        """
        from dataclasses import replace

        from mlops_iac.api.compile.compiling import compile_project
        from mlops_iac.api.deploy.orphaned_stacks import require_none_lost

        require_none_lost(self, out)
        compiled = compile_project(self, out)
        pinned = self.pin()
        return replace(compiled, written=[*compiled.written, pinned]) if pinned else compiled

    def calls(self, stack: str) -> list[ComponentCall]:
        """Return the component calls of one environment.

        Raises BlueprintInvalid, with every problem of the blueprint, where something is refused.
        """
        from mlops_iac.api.compile.checks import require_valid

        require_valid(self, [stack])
        return super().calls(stack)

    def eject(self, components: Sequence[str] = (), *, everything: bool = False) -> Compiled:
        """Copy components, and what they import, beside the program, which uses them from now on.

        Raises UsageError for a name that the program does not use, and where a copy that is there
        would have to be overwritten.
        """
        from mlops_iac.api.compile.ejecting import eject
        from mlops_iac.api.deploy.orphaned_stacks import require_none_lost

        require_none_lost(self, None)
        return eject(self, components, everything=everything)

    def undo_eject(self) -> Compiled:
        """Use the package's own components again. Raises UsageError where a copy was changed."""
        from mlops_iac.api.compile.ejecting import undo
        from mlops_iac.api.deploy.orphaned_stacks import require_none_lost

        require_none_lost(self, None)
        return undo(self)

    def stale(self, out: Path | None = None) -> list[str]:
        """Return why the compiled program is not what the blueprint says; nothing when it is.

        Nothing is written. Raises BlueprintInvalid, UsageError as `compile`.
        """
        from mlops_iac.api.compile.compiling import stale

        return [*self.unpinned(), *stale(self, out)]

    def left_out(self) -> dict[str, str]:
        """Return what is not packed with the models' code, and why, by path from the blueprint."""
        from mlops_iac.api.compile.compiling import left_out

        return left_out(self)

    def capture(self, stack: str) -> ResourceGraph:
        """Return the resources of a stack with stand-ins for everything computed.

        Needs no credentials. Raises StackNotFound, BlueprintInvalid.
        """
        from mlops_iac.api.compile.captures import capture

        return capture(self, stack)

    def draw(self, stack: str, style: str = "mermaid") -> str:
        """Return a picture of the stack as text: `mermaid`, `svg`, `html` or `dot`.

        Raises UsageError for another style.
        """
        from mlops_iac.api.compile.drawing import draw

        return draw(self.capture(stack), style)

    # -- guard rails

    def policies(
        self, stack: str, *, graph: ResourceGraph | None = None, own: bool = True
    ) -> list[Finding]:
        """Return every guard rail that a stack breaks, suppressed ones marked.

        `graph` is a capture that exists already. `own` runs the rules of the team's `policies/`
        folder, which are code. Raises BlueprintInvalid for exceptions and `policies.yaml` that are
        wrong, UsageError for rules that cannot be run.
        """
        from mlops_iac.api.compile.guard_rail_checks import policies

        return policies(self, stack, graph=graph, own=own)

    # -- deployments

    def deployment(
        self,
        stack: str,
        *,
        engine: str | None = None,
        targets: Sequence[str] = (),
        plan: str | Path | None = None,
    ) -> Deployment:
        """Open a deployment of one stack; a context manager that holds the stack's lock.

        `engine` is `embedded` (only `local`, its default) or `pulumi`; `targets` are addresses of
        resources. `plan` is a file that `save_plan` wrote: the deployment does exactly that, or
        nothing. Raises StackNotFound, UsageError for what does not fit together.
        """
        if plan is not None:
            from mlops_iac.api.deploy.planned_deployment import PlannedDeployment

            if targets:
                raise UsageError("a saved plan is one of the whole stack", hint="drop --target")
            return PlannedDeployment(self, stack, engine=engine, plan=plan)
        from mlops_iac.api.deploy.deployments import Deployment

        return Deployment(self, stack, engine=engine, targets=targets)

    def preview(
        self,
        stack: str,
        *,
        against: str | None = None,
        live: bool = False,
        engine: str | None = None,
        targets: Sequence[str] = (),
        assume: str | None = None,
    ) -> Plan:
        """Return what a deployment would change.

        `against` is `state` (default of `local`) or `lock` (default of every other stack, without
        credentials); `live` asks the real engine; `engine`, `targets` as for `deployment`. A lock
        file asks no registry: `assume` is `approved` (default: what serves is there) or `none`. Raises
        UsageError for what does not fit together, StackNotFound, BlueprintInvalid; with a real
        engine AuthenticationError, TimedOut.
        """
        from mlops_iac.api.deploy.previews import preview

        return preview(
            self,
            stack,
            against=against,
            live=live,
            engine=engine,
            targets=targets,
            assume=assume,
            opened=type(self).deployment,
        )

    def save_plan(
        self,
        stack: str,
        path: str | Path,
        *,
        against: str | None = None,
        live: bool = False,
        engine: str | None = None,
        review: Review | None = None,
    ) -> Plan:
        """Preview, and save the plan for `deployment(plan=…)`; arguments as `preview`.

        A `review` is what was shown to people: the plan is then the one that it reviews. Raises
        what `preview` does, UsageError where the file cannot be written.
        """
        from mlops_iac.api.deploy.saved_plans import preview_to_save, write_plan

        plan, saved = preview_to_save(
            self, stack, against=against, live=live, engine=engine, review=review
        )
        write_plan(saved, path)
        return plan

    def review(
        self,
        stack: str,
        against: str | None = None,
        *,
        policies: bool = True,
        own_policies: bool = True,
    ) -> Review:
        """Return what a change does to a stack: causes, consequences, risks, broken guard rails.

        `against` is a git ref, `lock` (default of every stack but `local`) or `state`. A ref's lock
        file is read from the object database; the working tree is not touched. Needs no
        credentials. `own_policies` runs the rules of the team's `policies/` folder, which are code.
        Raises UsageError for a ref that is not there and for what it holds that cannot be read,
        BlueprintInvalid where it has no lock file and its blueprint is not valid.
        """
        from mlops_iac.api.compare.reviews import Guards

        return self.reviews([stack], against, Guards(policies, own_policies))[0].review

    def reviews(self, stacks: Sequence[str], against: str | None, guards: Guards) -> list[Reviewed]:
        """Review several stacks against one thing, each with the plan that it is about; see `review`."""
        from mlops_iac.api.compare.reviews import review_of, reviews

        if against == "state" or (against is None and all(map(self.emulates, stacks))):
            return [review_of(self, self.preview(name, against="state"), guards) for name in stacks]
        return reviews(self, stacks, against, guards)

    def comparison(self, plan: Plan) -> str:
        """Say in words what a plan was compared with."""
        from mlops_iac.api.compare.comparisons import comparison

        return comparison(self, plan)

    def outputs(self, stack: str) -> Properties:
        """Return the stack's outputs by name; secrets stay wrapped in `Secret`.

        Raises StackNotFound; of a real stack what its engine raises.
        """
        with self.deployment(stack) as deployment:
            return deployment.outputs()

    def status(self, stack: str) -> Status:
        """Return what is deployed and what is still pending. Raises as `outputs`."""
        from mlops_iac.api.status.status import status

        with self.deployment(stack) as deployment:
            return status(deployment)

    def next_steps(self, stack: str, result: Result) -> list[str]:
        """Say what stands now and what completes it."""
        from mlops_iac.api.status.status import next_steps

        return next_steps(self, stack, result)

    # -- models

    def registry(self, stack: str) -> Registry:
        """Return the registered versions of the project's models in one stack; asks nothing yet."""
        from mlops_iac.api.deploy.registry import Registry

        return Registry(self, stack, lambda: self.deployment(stack))

    def run(
        self,
        model: str | None = None,
        *,
        stack: str = LOCAL,
        from_step: str | None = None,
        hyperparameters: Mapping[str, str] | None = None,
        cache: bool = False,
        deployed: bool = False,
        on_event: OnRunEvent | None = None,
    ) -> Run:
        """Run a model's compiled pipeline on this machine, in and out of the emulated cloud.

        `model` may be left out where only one is trained. `from_step` continues the last run at a
        step; `on_event` hears of progress. `hyperparameters` of the training, as text, are those of this
        run alone, in the place of the blueprint's; the version says so. With `cache` what an earlier run
        left is taken where a step would have the same code, data and settings. Raises NotDeployed where the deployed one is not what the
        blueprint and the files beside it give now, unless `deployed`; UsageError for any stack but
        `local`, for a model that is not trained and a pipeline that is not deployed, MlopsError where
        a step fails.
        """
        from mlops_iac.api.models.local_runs import run

        return run(
            self,
            model,
            stack=stack,
            from_step=from_step,
            given=hyperparameters or {},
            cache=cache,
            deployed=deployed,
            on_event=on_event,
        )

    def invoke(
        self,
        entry: str | None = None,
        rows: Sequence[Any] | str | Path | bytes | None = None,
        *,
        stack: str = LOCAL,
        variant: str = "",
        first: int | None = None,
        content_type: str = "",
    ) -> Invocation:
        """Call the model behind a serving entry; it may be left out where only one answers calls.

        `rows` are JSON values, most often objects of columns. A text is a JSON object or list, a
        file (CSV, JSON, JSON lines, parquet; any other is sent as it is), or `dataset:NAME`; bytes
        are the content of such a file. With a `content_type` file and bytes are sent as they are.
        Without rows it is the first five of the model's dataset, its target left out. `first` is how
        many rows are sent at most, `variant` the one to answer. Raises UsageError for what is wrong
        with these, for a row that the model refuses, and before something is approved and deployed;
        AuthenticationError, TimedOut, and ResourceFailed where the endpoint or its model failed.
        """
        from mlops_iac.api.invoke.invocation import invoke

        with self.deployment(stack) as deployment:
            return invoke(
                deployment, entry, rows, variant=variant, first=first, content_type=content_type
            )

    def monitor(
        self, entry: str | None = None, *, stack: str = LOCAL, cooldown: bool = True
    ) -> tuple[str, Monitored]:
        """Run the deployed monitoring of a serving entry here; return the entry and what was found.

        Metrics and states of alarms are the emulated cloud's, and what an alarm starts that goes off.
        Without `cooldown` a training starts even if one started a little while ago.
        Raises UsageError for a stack in a real cloud and where no monitoring is deployed,
        ResourceFailed where its job fails.
        """
        from mlops_iac.api.invoke.monitoring import monitor

        return monitor(self, entry, stack, cooldown=cooldown)

    def simulate(
        self,
        kind: Literal["traffic", "drift"],
        entry: str | None = None,
        *,
        calls: int = 300,
        stack: str = LOCAL,
    ) -> Simulated:
        """Call an endpoint of the emulated cloud with rows of its model's dataset, one a call.

        For `drift` a column of numbers and one of categories are shifted. Raises as `invoke`, and
        UsageError for a stack in a real cloud.
        """
        from mlops_iac.api.invoke.monitoring import simulate

        return simulate(self, entry, stack, kind, calls)

    def ways(self) -> list[Way]:
        """Return how what serves on this machine is called."""
        from mlops_iac.api.invoke.ways import ways

        with self.deployment(LOCAL) as deployment:
            return [*ways(deployment)]

    def page(
        self, what: Literal["run", "monitor"] = "run", run: str | None = None, *, stack: str = LOCAL
    ) -> LeftPage:
        """The page of a run of a pipeline or a monitoring: the last one's, or by the beginning of its id.

        One in a real cloud is fetched. Raises UsageError where there is none, AuthenticationError where
        nobody may ask.
        """
        from mlops_iac.api.models.run_pages import page

        return page(self, what, stack, run)


def load(path: str | Path = "blueprint.yaml") -> Project:
    """Read and check a blueprint, with its templates; nothing is planned or run yet.

    Raises UsageError where there is no such file, or it is not text; BlueprintInvalid where it has
    problems: all of them are in `diagnostics`.
    """
    return load_as(Project, path)
