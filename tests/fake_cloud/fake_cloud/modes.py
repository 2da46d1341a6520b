"""The ways to serve: to whoever calls, and by night."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from mlops_iac.blueprint.resolved import ResolvedBlueprint
from mlops_iac.blueprint.sections.serving import Batch, RealTime, ServingEntry
from mlops_iac.clouds.base import ComponentCall, Home, Ref, Refusal, Setting
from mlops_iac.errors import Diagnostic
from mlops_iac.records import Record

SERVING = "fake_cloud.components.serving:Serving"


class FakeMode(Record):
    """Implements `clouds.base.Mode`; the scope is a resolved blueprint."""

    name: str
    section: type[ServingEntry]
    planned: Sequence[str]
    refused: Sequence[Refusal]
    check: Callable[[ResolvedBlueprint], Iterable[Diagnostic]]
    plan: Callable[[ResolvedBlueprint], Iterable[ComponentCall]]


def identifier(name: str) -> str:
    """A blueprint name as a Python identifier."""
    return name.replace("-", "_")


def tags(resolved: ResolvedBlueprint) -> dict[str, Any]:
    """What everything is tagged with."""
    blueprint = resolved.blueprint
    given = {key: Setting(value, f"tags.{key}") for key, value in blueprint.tags.items()}
    owner = {"owner": Setting(blueprint.owner, "owner")} if blueprint.owner else {}
    return {**given, **owner, "project": blueprint.name}


def home(resolved: ResolvedBlueprint, model: str) -> Home:
    """Where versions of a model are approved: at the end of the chain of `promote_from`."""
    at = resolved
    while resolved.environment != "local" and (source := at.blueprint.models[model].promote_from):
        at = at.siblings[source]
    blueprint = at.blueprint
    group = f"{blueprint.name}-{at.environment}-{model}"
    return Home(at.environment, blueprint.account, blueprint.region, group)


def _served(resolved: ResolvedBlueprint, name: str, entry: Any) -> ComponentCall:
    path, variable, model = f"serving.{name}", identifier(name), str(entry.model)
    here = home(resolved, model).environment == resolved.environment
    version = resolved.blueprint.models[model].version
    args = {
        "model": model,
        "registry": (
            Ref(f"{identifier(model)}_training", "pipeline")
            if here
            else home(resolved, model).group
        ),
        "version": Setting(version, f"models.{model}.version", optional=True),
        "size": Setting(entry.compute.size or "small", f"{path}.compute.size"),
        "protect": Setting(resolved.blueprint.protect, "protect"),
        "tags": tags(resolved),
    }
    if entry.mode == "batch":
        args["schedule"] = Setting(entry.schedule, f"{path}.schedule")
    exports = {f"{variable}_endpoint": "endpoint", f"{variable}_pending": "pending"}
    return ComponentCall(variable, SERVING, name, args, path, exports=exports)


def _entries(resolved: ResolvedBlueprint, section: type[ServingEntry]) -> dict[str, Any]:
    found = resolved.blueprint.serving.items()
    return {name: entry for name, entry in found if isinstance(entry, section)}


def _plan_real_time(resolved: ResolvedBlueprint) -> Iterator[ComponentCall]:
    for name, entry in _entries(resolved, RealTime).items():
        yield _served(resolved, name, entry)


def _plan_batch(resolved: ResolvedBlueprint) -> Iterator[ComponentCall]:
    for name, entry in _entries(resolved, Batch).items():
        yield _served(resolved, name, entry)


def _check_batch(resolved: ResolvedBlueprint) -> Iterator[Diagnostic]:
    for name, entry in _entries(resolved, Batch).items():
        if entry.schedule is None:
            path = f"serving.{name}"
            message = f"{path}: batch serving has no schedule"
            yield resolved.diagnostic(path, "no-schedule", message, 'write `schedule: "0 3 * * *"`')


_COMMON = ("description", "mode", "model", "compute.size")
_SCALING = ("scaling.min", "scaling.max", "scaling.target.requests_per_minute")
MODES = (
    FakeMode(
        "real-time",
        RealTime,
        tuple(f"serving.*.{each}" for each in (*_COMMON, *_SCALING)),
        (Refusal("serving.*.capture", "the fake cloud forgets every call", "leave it out"),),
        lambda _: (),
        _plan_real_time,
    ),
    FakeMode(
        "batch",
        Batch,
        tuple(f"serving.*.{each}" for each in (*_COMMON, "schedule", "input", "output")),
        (Refusal("serving.*.new_data", "nobody watches buckets", "write `schedule`"),),
        _check_batch,
        _plan_batch,
    ),
)
