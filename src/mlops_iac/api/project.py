"""A project: one blueprint, what it compiles to, and the stacks it deploys."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_iac.blueprint import LoadedBlueprint, ResolvedBlueprint
from mlops_iac.errors import BlueprintInvalid, Diagnostic, UsageError
from mlops_iac.workfolder import checked

if TYPE_CHECKING:
    from mlops_iac.api.cloud import Cloud
    from mlops_iac.api.compiling import Compiled
    from mlops_iac.api.deploying import Deployment
    from mlops_iac.api.registry import Registry
    from mlops_iac.api.running import Run
    from mlops_iac.api.status import Status
    from mlops_iac.api.templating import Templates
    from mlops_iac.clouds.base import ComponentCall, Platform
    from mlops_iac.engine.protocol import Result
    from mlops_iac.graph.model import ResourceGraph
    from mlops_iac.graph.plan import Plan, Step
    from mlops_iac.policy.model import Finding
    from mlops_iac.program.ejected import Ejected
    from mlops_iac.review.model import Review
    from mlops_iac.templates.finder import Finder
    from mlops_iac.values import Properties

LOCAL = "local"


class Project:
    """One blueprint. Methods take the name of a stack: an environment, or `local`."""

    def __init__(self, loaded: LoadedBlueprint, templates: Templates | None = None) -> None:
        self.loaded = loaded
        # Digests of templates whose rules may run although the lock on disk does not pin them.
        self.trusted: frozenset[str] = frozenset()
        # What is to lie beside the program, while that is being changed.
        self.ejecting: Ejected | None = None
        self._templates = templates
        self._resolved: dict[str, ResolvedBlueprint] = {}
        self._calls: dict[str, list[ComponentCall]] = {}

    # -- the blueprint

    @property
    def path(self) -> Path:
        """The blueprint's file."""
        return self.loaded.path

    @property
    def root(self) -> Path:
        """The folder that paths in the blueprint are relative to."""
        return self.loaded.root

    @property
    def name(self) -> str:
        """The project's name."""
        return self.loaded.name

    @property
    def environments(self) -> Sequence[str]:
        """The stacks there are, `local` among them."""
        return self.loaded.environments

    @property
    def platform(self) -> str:
        """The platform's name, the same in every environment."""
        return str(self.resolve(LOCAL).blueprint.platform)

    @cached_property
    def work(self) -> Path:
        """The folder for state, emulator and local program; made on demand, ignored by git.

        Looked at when it is first asked for. Raises UsageError where links lead out of it.
        """
        return checked(self.root / ".mlops-iac")

    def shown(self, path: Path) -> str:
        """What people call a file of the project, from the folder that they are in."""
        return os.path.relpath(path)

    def region(self, stack: str) -> str:
        """The region of a stack."""
        return str(self.resolve(stack).blueprint.region)

    def protected(self, stack: str) -> bool:
        """Whether a stack protects what holds data."""
        return bool(self.resolve(stack).blueprint.protect)

    def resolve(self, stack: str) -> ResolvedBlueprint:
        """Return the blueprint of one environment. Raises StackNotFound, BlueprintInvalid."""
        if stack not in self._resolved:
            self._resolved[stack] = self.loaded.resolve(stack)
        return self._resolved[stack]

    @property
    def standard(self) -> Project:
        """The project whose guard rails, exceptions and repository count: this one, but for a fork."""
        return self

    @property
    def finder(self) -> Finder | None:
        """What found its templates; None where it has none."""
        return self._templates.finder if self._templates is not None else None

    @property
    def notes(self) -> Sequence[str]:
        """What is to be told of how the blueprint was read."""
        return self._templates.notes if self._templates is not None else ()

    def unpinned(self) -> list[str]:
        """Return why `blueprint.lock` is not what the templates were resolved to."""
        return self._templates.stale(self.loaded) if self._templates is not None else []

    def pin(self) -> Path | None:
        """Write the templates' versions and digests into `blueprint.lock`; its path if it changed.

        Raises UsageError where it cannot be written.
        """
        return self._templates.pin(self.loaded) if self._templates is not None else None

    def explain(self, path: str, stack: str) -> list[dict[str, Any]]:
        """Return the leaves at or below a blueprint path with their values and origins.

        Raises UsageError where the path names nothing.
        """
        from mlops_iac.api.explaining import explain

        return explain(self.resolve(stack), path)

    @property
    def ejected(self) -> Ejected:
        """The components that lie beside its program. Raises UsageError where one is missing."""
        if self.ejecting is not None:
            return self.ejecting
        from mlops_iac.api.compiling import program_folder
        from mlops_iac.program.ejected import read_ejected

        return read_ejected(program_folder(self.root, self.name))

    @property
    def program_folder(self) -> Path | None:
        """The program's folder where it is none of those that are committed."""
        return None

    def let_go(self) -> None:
        """Take it apart when it is done with: as circles, it would wait for the collector."""
        self.loaded.let_go()
        vars(self).pop("cloud", None)

    # -- the platform

    def platform_of(self, stack: str) -> Platform:
        """Return the platform a stack is planned for."""
        from mlops_iac.clouds.registry import platform

        return platform(str(self.resolve(stack).blueprint.platform))

    def platform_problems(self, stack: str) -> list[Diagnostic]:
        """Return what the platform refuses of one environment."""
        from mlops_iac.clouds.registry import check

        found = check(self.resolve(stack))
        if self.loaded.torn:
            return found
        if self.resolve(stack).blueprint.overrides and self.loaded.templates:
            from mlops_iac.api.limits import undone

            if not any(each.severity == "error" for each in found):
                found += undone(self, stack)
        return list(dict.fromkeys(found))

    def calls(self, stack: str) -> list[ComponentCall]:
        """Return the component calls of one environment.

        Raises BlueprintInvalid where the platform refuses something.
        """
        if stack not in self._calls:
            if any(each.severity == "error" for each in self.platform_problems(stack)):
                from mlops_iac.api.loading import judged_with

                everything = judged_with(self, ())
                raise BlueprintInvalid([p for p in everything if p.severity == "error"])
            self._calls[stack] = self.platform_of(stack).plan(self.resolve(stack))
        return self._calls[stack]

    # -- the program

    def compile(self, out: Path | None = None) -> Compiled:
        """Write the program, its configuration, a lock file per stack, and `blueprint.lock`."""
        from dataclasses import replace

        from mlops_iac.api.compiling import compile_project

        compiled = compile_project(self, out)
        pinned = self.pin()
        return replace(compiled, written=[*compiled.written, pinned]) if pinned else compiled

    def eject(self, components: Sequence[str] = (), *, everything: bool = False) -> Compiled:
        """Copy components, and what they import, beside the program, which uses them from now on.

        Raises UsageError for a name that the program does not use, and where a copy that is there
        would have to be overwritten.
        """
        from mlops_iac.api.ejecting import eject

        return eject(self, components, everything=everything)

    def undo_eject(self) -> Compiled:
        """Use the package's own components again. Raises UsageError where a copy was changed."""
        from mlops_iac.api.ejecting import undo

        return undo(self)

    def stale(self, out: Path | None = None) -> list[str]:
        """Return why the compiled program is not what the blueprint says; nothing when it is."""
        from mlops_iac.api.compiling import stale

        return [*self.unpinned(), *stale(self, out)]

    def left_out(self) -> dict[str, str]:
        """Return what is not packed with the models' code, and why, by path from the blueprint."""
        from mlops_iac.api.compiling import left_out

        return left_out(self)

    def capture(self, stack: str) -> ResourceGraph:
        """Return the resources of a stack with stand-ins for everything computed."""
        from mlops_iac.api.compiling import capture

        return capture(self, stack)

    def addresses(self, stack: str) -> list[dict[str, str]]:
        """Return every resource's address, type and component."""
        from mlops_iac.api.drawing import addresses

        return addresses(self.capture(stack))

    def draw(self, stack: str, style: str = "mermaid") -> str:
        """Return a picture of the stack: `mermaid`, `svg` or `dot`."""
        from mlops_iac.api.drawing import draw

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
        from mlops_iac.api.policing import policies

        return policies(self, stack, graph=graph, own=own)

    # -- deployments

    @cached_property
    def cloud(self) -> Cloud:
        """The emulated cloud of this project."""
        from mlops_iac.api.cloud import Cloud

        return Cloud(self)

    def deployment(
        self,
        stack: str,
        *,
        engine: str | None = None,
        targets: Sequence[str] = (),
        plan: str | Path | None = None,
    ) -> Deployment:
        """Open a deployment of one stack; a context manager that holds the stack's lock.

        `plan` is a file that `save_plan` wrote: the deployment does exactly that, or nothing.
        """
        if plan is not None:
            from mlops_iac.api.planned import PlannedDeployment

            if targets:
                raise UsageError("a saved plan is one of the whole stack", hint="drop --target")
            return PlannedDeployment(self, stack, engine=engine, plan=plan)
        from mlops_iac.api.deploying import Deployment

        return Deployment(self, stack, engine=engine, targets=targets)

    def preview(
        self,
        stack: str,
        *,
        against: str | None = None,
        live: bool = False,
        engine: str | None = None,
        targets: Sequence[str] = (),
    ) -> Plan:
        """Return what a deployment would change.

        `against` is `state` (default of `local`) or `lock` (default of every other stack, without
        credentials); `live` asks the real engine. Raises UsageError for what does not fit together.
        """
        from mlops_iac.api.deploying import preview

        return preview(self, stack, against=against, live=live, engine=engine, targets=targets)

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

        A `review` is what was shown to people: the plan is then the one that it reviews.
        """
        from mlops_iac.api.planning import preview_to_save, write_plan

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
        return self.reviews([stack], against, policies=policies, own_policies=own_policies)[0]

    def reviews(
        self,
        stacks: Sequence[str],
        against: str | None = None,
        *,
        policies: bool = True,
        own_policies: bool = True,
    ) -> list[Review]:
        """Review several stacks against the same thing, in one process; see `review`."""
        from mlops_iac.api.reviewing import Guards, reviews

        guards = Guards(policies, own_policies)
        return [each.review for each in reviews(self, stacks, against, guards)]

    def comparison(self, plan: Plan) -> str:
        """Say in words what a plan was compared with."""
        from mlops_iac.api.deploying import comparison

        return comparison(self, plan)

    def outputs(self, stack: str) -> Properties:
        """Return the stack's outputs; secrets stay wrapped."""
        with self.deployment(stack) as deployment:
            return deployment.outputs()

    def status(self, stack: str) -> Status:
        """Return what is deployed and what is still pending."""
        from mlops_iac.api.status import status

        return status(self, stack)

    def count(self, steps: Sequence[Step]) -> Mapping[str, int]:
        """Count steps by operation, a replacement once."""
        from mlops_iac.api.status import count

        return count(steps)

    def next_steps(self, stack: str, result: Result) -> list[str]:
        """Say what stands now and what completes it."""
        from mlops_iac.api.rollbacks import rolled_back
        from mlops_iac.api.status import next_steps

        return [*next_steps(self, stack, result), *rolled_back(self, stack)]

    # -- models

    def registry(self, stack: str) -> Registry:
        """Return the registered versions of the project's models in one stack."""
        from mlops_iac.api.registry import Registry

        return Registry(self, stack)

    def run(
        self,
        model: str | None = None,
        *,
        stack: str = LOCAL,
        from_step: str | None = None,
        on_event: Any = None,
    ) -> Run:
        """Run a model's compiled pipeline on this machine, in and out of the emulated cloud."""
        from mlops_iac.api.running import run

        return run(self, model, stack=stack, from_step=from_step, on_event=on_event)

    def model_name(self, name: str | None, *, trained: bool = False) -> str:
        """Return the model meant: the one named, or the only one. Raises UsageError otherwise."""
        models = self.resolve(LOCAL).blueprint.models
        names = [key for key, model in models.items() if not trained or model.train is not None]
        if name is None and len(names) == 1:
            return names[0]
        if name in names:
            return str(name)
        if name is None:
            raise UsageError("which model?", hint=f"one of {', '.join(names) or 'none in here'}")
        from difflib import get_close_matches

        near = get_close_matches(name, names, n=1)
        raise UsageError(
            f"the blueprint has no {'trained ' if trained else ''}model {name!r}",
            hint=f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(names) or 'none'}",
        )
