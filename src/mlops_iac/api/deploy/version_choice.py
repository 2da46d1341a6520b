"""Which versions a deployment serves: pinned ones, the newest approved, or what is left serving."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mlops_iac.api.compile import programs
from mlops_iac.api.deploy import served_versions
from mlops_iac.api.deploy.served_versions import Versions, home_of, model_output
from mlops_iac.blueprint.fill import LOCAL

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.engine.protocol import Engine, StackTarget


class VersionChoice:
    """The versions of one stack, whose target is `bare` without them.

    `remade` says whether everything is about to be made anew, in another place or after the emulated
    cloud was lost. `notes` tell of the choice; `unapproved` says why nothing may be deployed.
    """

    def __init__(
        self,
        project: BaseProject,
        bare: StackTarget,
        engine: Engine,
        *,
        remade: Callable[[], bool],
    ) -> None:
        self.notes: list[str] = []
        self.unapproved: list[str] = []
        self._project = project
        self._stack = bare.stack
        self._emulated = project.emulates(bare.stack)
        self._bare = bare
        self._engine = engine
        self._remade = remade

    def config(self) -> dict[str, Any]:
        """Return the stack's configuration, with the versions.

        Raises UsageError for a pin that may not be served, AuthenticationError and MlopsError where
        the registry of a real stack cannot be asked.
        """
        config = dict(self._bare.config)
        for model in programs.served_models(self._project, self._stack):
            key = programs.version_key(self._project.name, model)
            if rehearsed := self._project.pins(self._stack).get(model):
                config[key] = rehearsed
            pinned = config.get(key)
            found = self._emulated_versions(model)
            there = pinned is not None and found is not None and str(pinned) in found.by_number()
            if self._emulated and pinned is not None and not there:
                # Its registry is its own: a pin of all environments must not keep it from training.
                config.pop(key)
                of = "the rehearsal" if rehearsed else "the blueprint"
                self.notes.append(f"{self._named} has no {model}/{pinned}, which {of} pins")
            elif pinned is not None:
                self.notes += served_versions.check_pin(
                    self._project, self._stack, model, str(pinned), found
                )
            if config.get(key) is None:
                version = self._approved(model, found)
                if version is not None:
                    config[key] = version
                    self.notes.append(f"serves {model}/{version}, the newest approved version")
                elif not (self._remade()) and (left := self._left(model)):
                    config[key], why = left
                    self.unapproved.append(why)
        return config

    @property
    def _named(self) -> str:
        """What people call it: a rehearsal is not the real one."""
        return (
            f"{self._stack}, emulated," if self._emulated and self._stack != LOCAL else self._stack
        )

    def _emulated_versions(self, model: str) -> Versions | None:
        """The versions of a model in the emulated cloud.

        None where it is not deployed, nor where it is about to be made anew in another region. Of a
        model that is promoted they are another stack's; that its account shares them is not checked.
        """
        if not self._emulated or self._project.emulated_cloud.answering() is None:
            return None
        if self._remade():
            return None
        operations, blueprint = (
            self._project.operations,
            self._project.resolve(self._stack).blueprint,
        )
        if blueprint.models[model].promote_from and self._stack != LOCAL:
            home = home_of(self._project, self._stack, model)
            stack, group = home.environment, home.group
        else:
            stack, outputs = self._stack, self._engine.outputs(self._bare)
            group = model_output(outputs, blueprint.moved, model, operations.registry_output) or ""
        return (
            Versions(operations.registry(self._project.emulated_cloud.session(stack)), group)
            if group
            else None
        )

    def _approved(self, model: str, found: Versions | None) -> str | None:
        if self._emulated:
            return served_versions.newest(found, model, self._stack) if found else None
        source = self._project.resolve(self._stack).blueprint.models[model].promote_from
        return served_versions.newest_real(self._project, source or self._stack, model)

    def _left(self, model: str) -> tuple[str, str] | None:
        """What is served though no version is approved; the plan keeps it, and `up` is refused."""
        outputs, resources = self._engine.outputs(self._bare), self._engine.resources(self._bare)
        return served_versions.left_serving(self._project, self._stack, model, outputs, resources)
