"""One environment as a platform sees it while it is planned: what every cloud's planner asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Self, TypeVar

from mlops_iac.blueprint import Blueprint, ResolvedBlueprint
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.blueprint.sections.serving import ServingEntry
from mlops_iac.clouds.base import ComponentCall, Construct, Home, Setting
from mlops_iac.clouds.decisions import UNSUPPORTED
from mlops_iac.errors import Diagnostic, Severity
from mlops_iac.records import Record

STEPS = ("prepare", "train", "evaluate")
# Tells what belongs to one stack from everything else.
STACK_TAG = "stack"

_Entry = TypeVar("_Entry", bound=ServingEntry)


class Scope(Record):
    """One environment that is being planned."""

    resolved: ResolvedBlueprint

    @property
    def blueprint(self) -> Blueprint:
        """Its blueprint."""
        return self.resolved.blueprint

    @property
    def siblings(self) -> list[Self]:
        """All environments of the project, this one among them."""
        return [type(self)(each) for each in self.resolved.siblings.values()]

    @property
    def environment(self) -> str:
        """Its name, which is the stack's."""
        return self.resolved.environment

    def wrong(
        self,
        path: str,
        what: str,
        hint: str = "",
        *,
        code: str = UNSUPPORTED,
        severity: Severity = "error",
        at_key: bool = False,
    ) -> Diagnostic:
        """What is wrong at a path of the blueprint, as `ResolvedBlueprint.diagnostic` tells it."""
        said = f"{path}: {what}"
        return self.resolved.diagnostic(path, code, said, hint, severity, at_key=at_key)

    @property
    def is_local(self) -> bool:
        """Whether it is emulated; what exists elsewhere is stood in for then."""
        return self.environment == LOCAL

    @cached_property
    def tags(self) -> dict[str, Any]:
        """Tags of every resource that takes some."""
        blueprint = self.blueprint
        own: dict[str, Any] = {
            "project": blueprint.name,
            "environment": self.environment,
            STACK_TAG: f"{blueprint.name}-{self.environment}",
        }
        if blueprint.owner:
            own["owner"] = Setting(blueprint.owner, "owner")
        for key, value in blueprint.tags.items():
            own[key] = Setting(value, f"tags.{key}")
        return own

    @property
    def protect(self) -> Setting:
        """Whether what holds data is protected."""
        return Setting(self.blueprint.protect, "protect")

    def existing(self, name: str) -> Setting | None:
        """What exists already; nothing in `local`, and nothing where the field is empty."""
        value = getattr(self.blueprint.existing, name)
        if self.is_local or not value:
            return None
        return Setting(list(value) if isinstance(value, tuple) else value, f"existing.{name}")

    def existing_role(self, plane: str) -> Setting | None:
        """A role that is used as it is, by plane or step; none in `local`."""
        id_ = getattr(self.blueprint.existing.roles, plane)
        return None if self.is_local or id_ is None else Setting(id_, f"existing.roles.{plane}")

    def promotes(self, model: str) -> bool:
        """Whether versions of `model` come from another environment. `local` trains its own."""
        return bool(self.blueprint.models[model].promote_from) and not self.is_local

    @property
    def trained(self) -> list[str]:
        """Models that are trained in this environment."""
        return [
            name
            for name, model in self.blueprint.models.items()
            if model.train is not None and not self.promotes(name)
        ]

    @property
    def steps(self) -> list[str]:
        """Steps that any model has."""
        models = self.blueprint.models.values()
        return [step for step in STEPS if any(getattr(model, step) for model in models)]

    @property
    def promoted(self) -> list[str]:
        """Models whose versions come from another environment."""
        return [name for name in self.blueprint.models if self.promotes(name)]

    def entries(self, section: type[_Entry]) -> dict[str, _Entry]:
        """Serving entries of one mode, by the section that they are."""
        return {
            name: entry
            for name, entry in self.blueprint.serving.items()
            if isinstance(entry, section)
        }

    def moved_from(self, section: str, name: str) -> str | None:
        """The former name of an entry of `section` (`serving`, `models`, `datasets`)."""
        former = self.blueprint.moved.get(f"{section}.{name}")
        return former.removeprefix(f"{section}.") if former else None

    def known_as(self, section: str, name: str) -> str:
        """What an entry is called in the cloud: a renamed one keeps the name it has there."""
        return self.moved_from(section, name) or name

    def home(self, model: str) -> Home:
        """Where versions of `model` are approved: at the end of the chain of `promote_from`."""
        at = self.resolved
        seen = {at.environment}
        if self.is_local:
            return self._home(at, model)
        while (source := at.blueprint.models[model].promote_from) and source not in seen:
            if model not in at.siblings[source].blueprint.models:
                break
            at = at.siblings[source]
            seen.add(source)
        return self._home(at, model)

    def _home(self, at: ResolvedBlueprint, model: str) -> Home:
        """What the registry of `model` is called in an environment."""
        raise NotImplementedError


def call(
    room: str,
    variable: str,
    component: str,
    args: Mapping[str, Any],
    *,
    path: str,
    name: str | None = None,
    depends_on: tuple[str, ...] = (),
    exports: Mapping[str, str] | None = None,
    flag: str = "",
    aliases: Sequence[str] = (),
) -> ComponentCall:
    """A component call; arguments that are None are left out. `component` is `module:Class` in a `room`."""
    return ComponentCall(
        variable=variable,
        component=f"{room}.{component}",
        name=name or call_name(variable),
        args=given(args),
        path=path,
        depends_on=depends_on,
        exports=exports or {},
        flag=flag,
        aliases=aliases,
    )


def call_name(variable: str) -> str:
    """The logical name of a component that has none of its own."""
    return variable.replace("_", "-")


def construct(room: str, cls: str, args: Mapping[str, Any]) -> Construct:
    """A nested argument; what is None is left out. `cls` is `module:Class`."""
    return Construct(f"{room}.{cls}", given(args))


def given(args: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that are not None."""
    return {key: value for key, value in args.items() if value is not None}


def identifier(name: str) -> str:
    """A blueprint name as part of a Python identifier or an output's name."""
    return name.replace("-", "_")


def trained_here(model: str) -> str:
    """The configuration key that says whether an environment trains a model."""
    return f"models.{model}.trained_here"


def former_names(scope: Scope, name: str, named: Callable[[str], str]) -> tuple[str, ...]:
    """The name that a component of a renamed model had, as `named` makes it of the model's."""
    former = scope.moved_from("models", name)
    return (named(former),) if former else ()
