"""What SageMaker support refuses of a serving entry behind an endpoint."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.blueprint.sections.serving import RealTime, Rollout, Variant
from mlops_iac.blueprint.torn import judged, whole
from mlops_iac.blueprint.words import listed
from mlops_iac.clouds.aws import catalogue
from mlops_iac.clouds.aws.sagemaker import machines
from mlops_iac.clouds.aws.sagemaker.modes.endpoint_calls import variants
from mlops_iac.clouds.aws.sagemaker.scope import Scope
from mlops_iac.errors import Diagnostic
from mlops_iac.pipeline.reading import models_of

# On what the service itself measures.
SERVICE_LIMITS = ("latency_p99_ms", "error_rate_percent")
# Docs of deployment guardrails, "Exclusions": updated without alarms or steps.
_UNGUARDED = ("inf1",)
_LARGEST_STEP_PERCENT = 50
_LONGEST_WAIT_MINUTES = 60
# The provider gives up after an hour, and the rollout goes on without it (endpointInServiceTimeout,
# hashicorp/terraform-provider-aws pull request 39090); the old instances take the last five minutes.
_PROVIDER_MINUTES = 60
_TERMINATION_MINUTES = 5


def check_endpoint(scope: Scope, name: str, entry: RealTime) -> Iterator[Diagnostic]:
    """What cannot be planned of one endpoint."""
    return judged(
        _shadows(scope, name, entry),
        _served(scope, name, entry),
        _limits(scope, name, entry),
        _secrets(scope, name, entry),
        _smallest(scope, name, entry),
        _unscalable(scope, name, entry),
        _stepwise(scope, name, entry),
        _duration(scope, name, entry),
        _at_once(scope, name, entry),
        _unguarded(scope, name, entry),
    )


def _limits(scope: Scope, name: str, entry: RealTime) -> Iterator[Diagnostic]:
    for metric in entry.rollout.limits if entry.rollout else ():
        if metric not in SERVICE_LIMITS:
            yield scope.wrong(
                f"serving.{name}.rollout.limits.{metric}",
                f"{metric} is not measured while rolling out",
                f"limit {listed(SERVICE_LIMITS, 'or')}",
                at_key=True,
            )


def _secrets(scope: Scope, name: str, entry: RealTime) -> Iterator[Diagnostic]:
    for key, value in entry.env.items():
        if not isinstance(value, str):
            at, hint = f"serving.{name}.env.{key}", "read it in predict.py"
            yield scope.wrong(at, "endpoints take no secrets yet", hint)


def _smallest(scope: Scope, name: str, entry: RealTime) -> Iterator[Diagnostic]:
    if entry.scaling is not None and entry.scaling.min == 0:
        at = f"serving.{name}.scaling.min"
        yield scope.wrong(at, "an endpoint of instances does not scale to zero", "write `min: 1`")


def _family(entry: RealTime) -> str:
    return machines.instance(entry.compute, "hosting").removeprefix("ml.").split(".")[0]


def _unscalable(scope: Scope, name: str, entry: RealTime) -> Iterator[Diagnostic]:
    scaling = entry.scaling
    if (
        scaling is not None
        and scaling.max > scaling.min
        and _family(entry) in catalogue.UNSCALED_FAMILIES
    ):
        yield scope.wrong(
            f"serving.{name}.compute",
            f"{_family(entry)} instances cannot be scaled automatically",
            "take another instance type, or a size",
            at_key=True,
        )


def _is_stepwise(rollout: Rollout) -> bool:
    return rollout.strategy in ("canary", "linear")


def _stepwise(scope: Scope, name: str, entry: RealTime) -> Iterator[Diagnostic]:
    rollout, path = entry.rollout, f"serving.{name}.rollout"
    if rollout is None:
        return
    percent, wait = rollout.percent, rollout.wait_minutes
    if percent is not None and percent > _LARGEST_STEP_PERCENT and _is_stepwise(rollout):
        yield scope.wrong(
            f"{path}.percent",
            f"a step moves at most half of the capacity, not {percent} %",
            f"write {_LARGEST_STEP_PERCENT} or less",
        )
    if wait is not None and wait > _LONGEST_WAIT_MINUTES:
        yield scope.wrong(
            f"{path}.wait_minutes",
            "a step is watched for an hour at most",
            f"write {_LONGEST_WAIT_MINUTES} or less",
        )


def _instances(entry: RealTime) -> int:
    return entry.scaling.min if entry.scaling else 1


def _at_once(scope: Scope, name: str, entry: RealTime) -> Iterator[Diagnostic]:
    rollout = entry.rollout
    if rollout is not None and _is_stepwise(rollout) and _instances(entry) == 1:
        yield scope.wrong(
            f"serving.{name}.rollout.strategy",
            f"with one instance a {rollout.strategy} step is all of it; "
            "all traffic moves at once, under the same alarms",
            f"write `serving.{name}.scaling.min: 2` for real steps",
            code="rollout-at-once",
            severity="warning",
        )


def _unguarded(scope: Scope, name: str, entry: RealTime) -> Iterator[Diagnostic]:
    if entry.rollout is not None and _family(entry) in _UNGUARDED:
        yield scope.wrong(
            f"serving.{name}.compute",
            f"rollouts on {_family(entry)} cannot be rolled back",
            "take another instance type, or leave `rollout` out",
            at_key=True,
        )


def _duration(scope: Scope, name: str, entry: RealTime) -> Iterator[Diagnostic]:
    rollout = entry.rollout
    if rollout is None:
        return
    stepwise = _is_stepwise(rollout) and _instances(entry) > 1
    percent, wait = rollout.percent or 10, rollout.wait_minutes or 10
    steps = 1
    if stepwise:
        steps = 2 if rollout.strategy == "canary" else -(-100 // percent)
    minutes = steps * wait + _TERMINATION_MINUTES
    if wait <= _LONGEST_WAIT_MINUTES and minutes >= _PROVIDER_MINUTES:
        path = f"serving.{name}.rollout.wait_minutes"
        at = path if rollout.wait_minutes is not None else f"serving.{name}.rollout.strategy"
        yield scope.wrong(
            at,
            f"{steps} step(s) of {wait} minutes and {_TERMINATION_MINUTES} more are"
            f" {minutes}, and the provider waits for {_PROVIDER_MINUTES} at most",
            "wait less, or move more per step",
        )


def _shadows(scope: Scope, name: str, entry: RealTime) -> Iterator[Diagnostic]:
    path = f"serving.{name}.variants"
    shadowing = [each.shadow_percent is not None for each in whole(variants(entry)).values()]
    shadows = sum(shadowing)
    answering = len(shadowing) - shadows
    if shadows and (shadows > 1 or answering != 1):
        yield scope.wrong(
            path,
            "a shadow takes exactly one variant beside it that answers",
            "make a second serving entry for the others",
            at_key=True,
        )
    if not answering:
        yield scope.wrong(path, "none answers", at_key=True)


def _served(scope: Scope, name: str, entry: RealTime) -> Iterator[Diagnostic]:
    for key, each in variants(entry).items():
        path = f"serving.{name}"
        at = f"{path}.variants.{key}" if entry.variants else path
        yield from judged(_brought(scope, at, each))


def _brought(scope: Scope, at: str, variant: Variant) -> Iterator[Diagnostic]:
    model = scope.blueprint.models[variant.model or ""]
    if model.train is None and model.source is None:
        yield scope.wrong(at, f"{variant.model} is neither trained nor brought along")


def monitored(scope: Scope, model: str, metric: str) -> list[str]:
    """Serving entries that serve `model` and alarm on `metric`."""
    return [
        name
        for name, entry in scope.entries(
            RealTime
        ).items()  # what else is measured starts no training yet
        if entry.monitor is not None
        and metric in entry.monitor.limits
        and model in models_of(entry)
    ]
