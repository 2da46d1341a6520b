"""What SageMaker support refuses of a serving entry behind an endpoint."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.blueprint.sections.serving import RealTime, Rollout
from mlops_iac.blueprint.words import listed
from mlops_iac.clouds.aws import catalogue
from mlops_iac.clouds.aws.sagemaker import machines
from mlops_iac.clouds.aws.sagemaker.scope import Scope
from mlops_iac.clouds.aws.sagemaker.serving import variants
from mlops_iac.errors import Diagnostic

UNSUPPORTED = "unsupported"
# On what the platform itself measures; drift and accuracy need what is not planned yet.
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
    resolved, path = scope.resolved, f"serving.{name}"
    yield from machines.check_instance(resolved, f"{path}.compute", entry.compute, "endpoint")
    yield from _variants(scope, name, entry)
    for owner in ("rollout", "monitor"):
        section = getattr(entry, owner)
        for metric in section.limits if section else ():
            if metric not in SERVICE_LIMITS:
                at = f"{path}.{owner}.limits.{metric}"
                yield resolved.diagnostic(
                    at,
                    UNSUPPORTED,
                    f"{at}: {metric} is not measured yet",
                    f"limit {listed(SERVICE_LIMITS, 'or')}",
                    at_key=True,
                )
    for key, value in entry.env.items():
        if not isinstance(value, str):
            at = f"{path}.env.{key}"
            yield resolved.diagnostic(
                at, UNSUPPORTED, f"{at}: endpoints take no secrets yet", "read it in predict.py"
            )
    if entry.scaling is not None and entry.scaling.min == 0:
        yield resolved.diagnostic(
            f"{path}.scaling.min",
            UNSUPPORTED,
            f"{path}.scaling.min: an endpoint of instances does not scale to zero",
            "write `min: 1`",
        )
    family = machines.instance(entry.compute, "endpoint").removeprefix("ml.").split(".")[0]
    if (
        entry.scaling is not None
        and entry.scaling.max > entry.scaling.min
        and family in catalogue.UNSCALED_FAMILIES
    ):
        yield resolved.diagnostic(
            f"{path}.compute",
            UNSUPPORTED,
            f"{path}.compute: {family} instances cannot be scaled automatically",
            "take another instance type, or a size",
            at_key=True,
        )
    yield from _rollout(scope, name, entry, family)


def _rollout(scope: Scope, name: str, entry: RealTime, family: str) -> Iterator[Diagnostic]:
    rollout, resolved = entry.rollout, scope.resolved
    if rollout is None:
        return
    path = f"serving.{name}.rollout"
    stepwise = rollout.strategy in ("canary", "linear")
    if stepwise and rollout.percent is not None and rollout.percent > _LARGEST_STEP_PERCENT:
        yield resolved.diagnostic(
            f"{path}.percent",
            UNSUPPORTED,
            f"{path}.percent: a step moves at most half of the capacity, not {rollout.percent} %",
            f"write {_LARGEST_STEP_PERCENT} or less",
        )
    if rollout.wait_minutes is not None and rollout.wait_minutes > _LONGEST_WAIT_MINUTES:
        yield resolved.diagnostic(
            f"{path}.wait_minutes",
            UNSUPPORTED,
            f"{path}.wait_minutes: a step is watched for an hour at most",
            f"write {_LONGEST_WAIT_MINUTES} or less",
        )
    smallest = entry.scaling.min if entry.scaling else 1
    yield from _duration(scope, name, rollout, stepwise=stepwise and smallest > 1)
    if stepwise and smallest == 1:
        yield resolved.diagnostic(
            f"{path}.strategy",
            "rollout-at-once",
            f"{path}.strategy: with one instance a {rollout.strategy} step is all of it; "
            "all traffic moves at once, under the same alarms",
            f"write `serving.{name}.scaling.min: 2` for real steps",
            severity="warning",
        )
    if family in _UNGUARDED:
        yield resolved.diagnostic(
            f"serving.{name}.compute",
            UNSUPPORTED,
            f"serving.{name}.compute: rollouts on {family} cannot be rolled back",
            "take another instance type, or leave `rollout` out",
            at_key=True,
        )


def _duration(scope: Scope, name: str, rollout: Rollout, *, stepwise: bool) -> Iterator[Diagnostic]:
    percent, wait = rollout.percent or 10, rollout.wait_minutes or 10
    steps = 1
    if stepwise:
        steps = 2 if rollout.strategy == "canary" else -(-100 // percent)
    minutes = steps * wait + _TERMINATION_MINUTES
    if wait <= _LONGEST_WAIT_MINUTES and minutes >= _PROVIDER_MINUTES:
        path = f"serving.{name}.rollout.wait_minutes"
        at = path if rollout.wait_minutes is not None else f"serving.{name}.rollout.strategy"
        yield scope.resolved.diagnostic(
            at,
            UNSUPPORTED,
            f"{at}: {steps} step(s) of {wait} minutes and {_TERMINATION_MINUTES} more are"
            f" {minutes}, and the provider waits for {_PROVIDER_MINUTES} at most",
            "wait less, or move more per step",
        )


def _variants(scope: Scope, name: str, entry: RealTime) -> Iterator[Diagnostic]:
    resolved, path = scope.resolved, f"serving.{name}"
    all_variants = variants(entry)
    shadows = [key for key, each in all_variants.items() if each.shadow_percent is not None]
    answering = [key for key in all_variants if key not in shadows]
    if shadows and (len(shadows) > 1 or len(answering) != 1):
        yield resolved.diagnostic(
            f"{path}.variants",
            UNSUPPORTED,
            f"{path}.variants: a shadow takes exactly one variant beside it that answers",
            "make a second serving entry for the others",
            at_key=True,
        )
    if not answering:
        yield resolved.diagnostic(
            f"{path}.variants", UNSUPPORTED, f"{path}.variants: none answers", at_key=True
        )
    for key, each in all_variants.items():
        model = scope.blueprint.models[each.model or ""]
        if model.train is None and model.source is None:
            at = f"{path}.variants.{key}" if entry.variants else path
            yield resolved.diagnostic(
                at, UNSUPPORTED, f"{at}: {each.model} is neither trained nor brought along"
            )
