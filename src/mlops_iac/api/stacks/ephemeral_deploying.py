"""Deployments of ephemeral stacks: made under a record of their end, deleted from their state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_iac.api.compile import captures, programs
from mlops_iac.api.core.engine_claim import PULUMI
from mlops_iac.api.core.stack_state import State, state_of
from mlops_iac.api.deploy.deployments import Deployment
from mlops_iac.api.deploy.holdings import holdings
from mlops_iac.api.deploy.places import deployer_session
from mlops_iac.api.deploy.served_versions import credentials, home_of, home_versions
from mlops_iac.api.deploy.states import state_in
from mlops_iac.api.stacks.ephemeral_record import EphemeralRecord, record_of
from mlops_iac.errors import MlopsError, UsageError
from mlops_iac.graph.plan import Plan

if TYPE_CHECKING:
    from mlops_iac.api.stacks.ephemeral import EphemeralProject, RecordedProject
    from mlops_iac.engine.protocol import OnEvent, Result, StackTarget
    from mlops_iac.engine.pulumi_backend import Backend
    from mlops_iac.values import Properties


class EphemeralDeployment(Deployment):
    """Brings an ephemeral stack up. Opening it asks the backend whether the name is free or ours."""

    project: EphemeralProject

    def _open(self) -> Backend:
        from mlops_iac.engine.pulumi_backend import Backend

        return Backend(self.project.name, self.project.backend(self.stack))

    @cached_property
    def _there(self) -> EphemeralRecord | None:
        """The record of the stack as deployed, None before its first `up`.

        Raises UsageError where the backend has a stack of that name that is not ephemeral, or was
        made from another environment.
        """
        state = self._state
        if state is None:
            return None
        found = record_of(state)
        if found is None:
            # Perhaps what is left of an `up` that was killed before it could say what it makes.
            empty = not state.deployment.get("resources")
            end = f"; this one is empty: `pulumi stack rm {self.stack}` ends it" if empty else ""
            raise UsageError(
                f"the backend has a stack {self.stack} that is not ephemeral; nothing was done",
                hint=f"take another name{end}",
            )
        base = self.project.record.base
        if found.base != base:
            raise UsageError(
                f"{self.stack} was made from {found.base}, not from {base}; nothing was done",
                hint=f"add `--from {found.base}`, or `mlops-iac destroy -s {self.stack}` first",
            )
        return found

    @cached_property
    def _state(self) -> State | None:
        with self._open() as backend:
            return state_in(backend, self.stack)

    @cached_property
    def _unversioned(self) -> StackTarget:
        _ = self.engine  # what is missing on this machine is told before any cloud is asked
        _ = self._there
        folder, program = captures.work_program(self.project)
        if self._state is not None:
            _restore_key(folder, self.stack, self._state.deployment)
        return programs.target(self.project, self.stack, folder, program.config[self.stack])

    def _bare(self) -> StackTarget:
        return self._unversioned

    def _with_versions(self, bare: StackTarget) -> StackTarget:
        """A pin of the base is one of the base's registry; it counts where this one has it, too."""
        config = dict(bare.config)
        for model in programs.served_models(self.project, self.stack):
            key = programs.version_key(self.project.name, model)
            pinned = config.get(key)
            if pinned is not None and not self._registered(model, str(pinned)):
                config.pop(key)
                base = self.project.record.base
                own = f"{self.stack} has a registry of its own without {model}/{pinned}"
                self._notes.append(f"{own}, which {base} pins")
        return super()._with_versions(replace(bare, config=config))

    def _registered(self, model: str, version: str) -> bool:
        """Whether a version is in the registry that the stack serves from; another's is believed."""
        if home_of(self.project, self.stack, model).environment != self.stack:
            return True
        with credentials(self.project, self.stack, model, what="for the versions"):
            return version in home_versions(self.project, self.stack, model).by_number()

    def preview(self) -> Plan:
        """Return what `up` would do, with the end that it would have."""
        plan = super().preview()
        word = "lives until" if self._there is None else "renewed: lives until"
        note = f"{self.stack}, made from {self.project.record.base}, {word} {self._until}"
        return replace(plan, diagnostics=(note, *self._confined(), *plan.diagnostics))

    def _confined(self) -> Iterator[str]:
        """What the role that deploys has to reach, before a first `up`: its base's has other names."""
        resolved = self.project.resolve(self.stack)
        if self._there is None and (role := resolved.blueprint.deploy_as):
            marks = self.project.platform_of(self.stack).marks(resolved)
            yield (
                f"{role} deploys it: {marks}, which rights confined to {self.project.record.base}"
                " do not reach"
            )

    @property
    def _until(self) -> str:
        return self.project.record.expires_text

    def up(self, *, on_event: OnEvent | None = None, parallel: int = 16) -> Result:
        """Apply; the stack says what it is before it holds anything."""
        target = self.target
        with self._open() as backend:
            try:
                backend.make(self.stack, target.program, target.secrets_provider)
            except MlopsError as error:
                if "already exists" not in error.message:
                    raise
                raise UsageError(
                    f"somebody else makes {self.stack} at this moment; nothing was deployed",
                    hint="wait for it, and run it again",
                ) from None
            try:
                backend.tag(self.stack, self.project.record.stack_tags)
            except MlopsError as error:
                if self._there is None:
                    backend.remove(self.stack)
                if type(error) is not MlopsError:
                    raise
                raise UsageError(
                    f"the backend keeps no tags of stacks, so nothing would tell when {self.stack}"
                    f" ends; nothing was deployed: {error.message}",
                    hint="take a newer Pulumi CLI",
                ) from None
        return super().up(on_event=on_event, parallel=parallel)


class RecordedDeployment(Deployment):
    """An ephemeral stack as it stands in its backend: to look at, and to delete from its state."""

    project: RecordedProject

    def __init__(self, project: RecordedProject) -> None:
        self.project = project
        self.stack = project.stack
        self.emulated = False
        self.engine_name = PULUMI
        self.targets = ()

    def _open(self) -> Backend:
        from mlops_iac.engine.pulumi_backend import Backend

        return Backend(self.project.name, self.project.url)

    def preview(self) -> Plan:
        """Refused: nothing says how long it would live."""
        raise _renew(self.project)

    def up(self, *, on_event: OnEvent | None = None, parallel: int = 16) -> Result:
        """Refused: nothing says how long it would live."""
        raise _renew(self.project)

    def refresh(self, *, preview_only: bool = False) -> Result:
        """Refused: an `up` takes over what drifted."""
        raise _renew(self.project)

    def record_now(self) -> EphemeralRecord | None:
        """What the backend says of the stack at this moment."""
        with self._open() as backend:
            return record_of(
                state_of(self.stack, self.project.state.deployment, tags=backend.tags(self.stack))
            )

    def plan_destroy(self) -> Plan:
        """Return what `destroy` would delete."""
        with self._open() as backend:
            plan = backend.plan_destroy(self.stack)
        return replace(plan, diagnostics=(*plan.diagnostics, *self._holdings()))

    def _holdings(self) -> list[str]:
        return holdings(self.project, self.project.state)

    def destroy(self, *, on_event: OnEvent | None = None) -> Result:
        """Delete everything, as it was deployed, and then the stack itself.

        Model versions first: a registry that holds some cannot be deleted.
        """
        state = self.project.state
        there = deployer_session(self.project, self.stack, state.registered)
        self.project.operations.delete_versions(state.resources, there)
        with self._open() as backend:
            result = backend.destroy(self.stack, on_event=on_event)
            if not result.failures:
                backend.remove(self.stack)
        if not result.failures:
            _forget(self.project.work, self.stack)
        return result

    def release(self) -> None:
        """Remove the stack, where a destroy finds nothing to delete in it."""
        with self._open() as backend:
            backend.remove(self.stack)
        _forget(self.project.work, self.stack)

    def outputs(self) -> Properties:
        """Return the stack's outputs; secrets stay wrapped."""
        with self._open() as backend:
            return backend.outputs(self.stack)

    def resources(self) -> Sequence[Any]:
        """Return what the state holds."""
        return self.project.state.registered

    def notes(self) -> Iterator[str]:
        """Say what it was made from, and until when it lives."""
        record = self.project.record
        over = ", which is over: `mlops-iac destroy --expired` deletes it"
        end = over if record.expired(datetime.now(UTC)) else ""
        yield f"ephemeral, made from {record.base}, until {record.expires_text}{end}"


def _renew(project: RecordedProject) -> UsageError:
    return UsageError(
        f"{project.stack} is ephemeral; nothing was done",
        hint=f"name its base to go on with it: -s {project.stack} --from"
        f" {project.record.base} --ttl 24h",
    )


def _restore_key(folder: Path, stack: str, deployment: Mapping[str, Any]) -> None:
    """Write what opens the stack's secrets beside a program that was made on another machine.

    Source of the keys: pulumi sdk/go/common/workspace/project.go (`ProjectStack`), pkg/secrets.
    """
    import yaml

    provider = deployment.get("secrets_providers") or {}
    state = provider.get("state") or {}
    known = {
        "passphrase": {"encryptionsalt": state.get("salt")},
        "cloud": {"secretsprovider": state.get("url"), "encryptedkey": state.get("encryptedkey")},
    }.get(str(provider.get("type")), {})
    file = folder / f"Pulumi.{stack}.yaml"
    settings = yaml.safe_load(file.read_text(encoding="utf-8")) if file.exists() else None
    missing = {key: value for key, value in known.items() if value and key not in (settings or {})}
    if missing:
        file.write_text(yaml.safe_dump({**(settings or {}), **missing}), encoding="utf-8")


def _forget(work: Path, stack: str) -> None:
    """Remove what the work folder has of the stack; another machine has nothing."""
    import shutil

    shutil.rmtree(work / "ephemeral" / stack, ignore_errors=True)
    (work / "pulumi" / "config" / f"Pulumi.{stack}.yaml").unlink(missing_ok=True)
