"""Registered model versions of a stack: list, show, approve, reject, and which one to serve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from mlops_iac.api.deploy.places import session
from mlops_iac.api.deploy.served_versions import Versions, home_of, model_output
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.blueprint.words import suggestion
from mlops_iac.clouds.operations import ROLLED_BACK
from mlops_iac.clouds.questions import Questions
from mlops_iac.errors import UsageError

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.api.deploy.deployments import Deployment
    from mlops_iac.clouds.operations import Entry, ModelRegistry, Version


class Registry:
    """The versions of one stack's models, in the registry of its cloud.

    Methods that take a model raise UsageError for one that the blueprint does not train; `None` is
    the only one that it trains. `local` is asked of the emulated cloud, every other stack with the
    user's credentials: AuthenticationError, and the errors of the cloud's SDK. `opened` opens its
    deployment.
    """

    def __init__(self, project: BaseProject, stack: str, opened: Callable[[], Deployment]) -> None:
        self.project = project
        self.stack = stack
        self._opened = opened

    @property
    def trained_by(self) -> str:
        """What makes versions of this stack."""
        if not self.project.emulates(self.stack):
            return "the pipeline in its cloud"
        if not self.project.rehearsed:
            return "`mlops-iac run`"
        homes = [home_of(self.project, self.stack, name) for name in self._trained()]
        return f"`mlops-iac run -s {homes[0].environment if homes else self.stack}`"

    def versions(self, model: str | None = None) -> list[Version]:
        """Return the versions of one model, or of all, newest first."""
        names = [trained_model(self.project, model)] if model else self._trained()
        return [
            self._described(name, each.id)
            for name in names
            if (group := self.group(name)) is not None
            for each in self._registry.versions(group)
        ]

    def version(self, model: str | None, version: str) -> Version:
        """Return one version with everything registered about it; `latest` is the newest.

        Raises UsageError where there is no such version.
        """
        name = trained_model(self.project, model)
        group = self.group(name)
        found = Versions(self._registry, group).by_number() if group is not None else {}
        chosen = next(iter(found.values()), None) if version == "latest" else found.get(version)
        if chosen is None:
            raise UsageError(
                f"model {name} has no version {version!r} in {self.stack}",
                hint=f"it has: {', '.join(found) or 'none yet'}; {self.trained_by} trains and"
                " registers one",
            )
        return self._described(name, chosen.id)

    def decide(
        self, model: str | None, version: str, *, approve: bool, comment: str = ""
    ) -> Version:
        """Approve or reject a version and return it as it is then; `comment` goes with it.

        Raises UsageError where there is no such version.
        """
        chosen = self.version(model, version)
        self._registry.decide(chosen.id, approve=approve, comment=comment)
        return self._described(chosen.model, chosen.id)

    def serves(self, version: Version) -> bool:
        """Whether what is deployed to the stack serves a version."""
        return version.id in self.serving()

    def serving(self) -> frozenset[str]:
        """The ids of the versions that what is deployed to the stack serves."""
        with self._opened() as deployment:
            served = self.project.operations.served(deployment.resources())
        return frozenset(each.id for each in served)

    def rolled_back(self) -> list[Entry]:
        """The entries that went back from what was deployed last, as far as their cloud says so."""
        project, stack = self.project, self.stack
        with self._opened() as deployment:
            endpoints = project.operations.endpoints(deployment.resources())
            there = session(project, stack, region=deployment.region)
        of = "" if stack == LOCAL else f" -s {stack}"
        questions = Questions(project.access, there, stack, of)
        groups = {home_of(project, stack, name).group: name for name in self._trained()}
        found = [
            project.operations.entry(name, endpoint, questions, groups)
            for name, endpoint in endpoints.items()
        ]
        return [each for each in found if each.rollout and each.rollout.state == ROLLED_BACK]

    def approved(self, model: str) -> str | None:
        """Return the number of the newest approved version, or None."""
        group = self.group(model)
        found = Versions(self._registry, group).newest_approved() if group is not None else None
        return str(found.version) if found else None

    def group(self, model: str) -> str | None:
        """Return what the registry calls the versions of a model, or None before it is deployed."""
        with self._opened() as deployment:
            outputs = deployment.outputs()
        moved = self.project.resolve(self.stack).blueprint.moved
        return model_output(outputs, moved, model, self.project.operations.registry_output)

    def _trained(self) -> list[str]:
        models = self.project.resolve(self.stack).blueprint.models
        return [name for name, model in models.items() if model.train is not None]

    def _described(self, model: str, id_: str) -> Version:
        found = self._registry.describe(id_)
        return replace(found, model=model, metrics=self._registry.metrics(found))

    @cached_property
    def _registry(self) -> ModelRegistry:
        """That of where the stack was deployed, whatever its blueprint says since."""
        region = ""
        if not self.project.emulates(self.stack):
            with self._opened() as deployment:
                region = deployment.region
        return self.project.operations.registry(session(self.project, self.stack, region=region))


def trained_model(project: BaseProject, name: str | None, entries: Sequence[str] = ()) -> str:
    """Return the trained model meant: the one named, or the only one. Raises UsageError otherwise.

    One of the `entries` may be meant as well, where it is named.
    """
    from mlops_iac.blueprint.fill import LOCAL

    models = project.resolve(LOCAL).blueprint.models
    names = [key for key, model in models.items() if model.train is not None]
    if name is None and len(names) == 1:
        return names[0]
    names += entries
    if name in names:
        return str(name)
    if name is None:
        raise UsageError("which model?", hint=f"one of {', '.join(names) or 'none in here'}")
    raise UsageError(
        f"the blueprint has no trained model {'or batch entry ' if entries else ''}{name!r}",
        hint=suggestion(name, names),
    )
