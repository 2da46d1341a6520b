"""What SageMaker support refuses of models."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_iac.blueprint.sections.models import Model
from mlops_iac.blueprint.torn import judged, whole
from mlops_iac.blueprint.words import listed
from mlops_iac.clouds.aws.components._cron import schedule_expression
from mlops_iac.clouds.aws.sagemaker import machines
from mlops_iac.clouds.aws.sagemaker.definition.refusals import refusals as own_refusals
from mlops_iac.clouds.aws.sagemaker.scope import Scope
from mlops_iac.clouds.aws.sagemaker.serving_checks import (
    SERVICE_LIMITS,
    UNSUPPORTED,
)
from mlops_iac.errors import Diagnostic
from mlops_iac.pipeline.refusals import refusals


def check_models(scope: Scope) -> Iterator[Diagnostic]:
    """Where each comes from, what it runs in, and what its steps cannot do."""
    for name, model in scope.blueprint.models.items():
        yield from judged(
            _brought(scope, name),
            machines.check_images(scope, name),
            _version(scope, name),
            _promoted(scope, name),
            _trained(scope, name, model),
        )


def _brought(scope: Scope, name: str) -> Iterator[Diagnostic]:
    resolved, path = scope.resolved, f"models.{name}"
    model = scope.blueprint.models[name]
    if model.source is not None and not model.source.startswith("s3://"):
        yield resolved.diagnostic(
            f"{path}.source",
            UNSUPPORTED,
            f"{path}.source: only models in S3 can be served, not '{model.source}'",
            "copy it to `s3://…`, a prefix or a .tar.gz",
        )


def _version(scope: Scope, name: str) -> Iterator[Diagnostic]:
    # A ModelPackageVersion is an integer from 1. Source: SageMaker API reference, ModelPackage.
    version, path = scope.blueprint.models[name].version, f"models.{name}"
    if version is not None and not re.fullmatch("[1-9][0-9]{0,8}", version):
        yield scope.resolved.diagnostic(
            f"{path}.version",
            "wrong-version",
            f"{path}.version: '{version}' is no registered version; they are numbered from 1",
            "see `mlops-iac models ls`, or use `mlops-iac promote`",
        )


def _promoted(scope: Scope, name: str) -> Iterator[Diagnostic]:
    resolved, path = scope.resolved, f"models.{name}"
    if scope.promotes(name):
        home = scope.home(name)
        other = resolved.siblings[home.environment]
        if name not in Scope(other).trained:
            yield resolved.diagnostic(
                f"{path}.promote_from",
                UNSUPPORTED,
                f"{path}.promote_from: {name} is not trained at the end of it, in {other.environment}",
                "name the environment that trains it",
            )
            return
        if home.account is None:
            yield resolved.diagnostic(
                f"{path}.promote_from",
                UNSUPPORTED,
                f"{path}.promote_from: nothing says in which account {home.environment} is",
                f"write `environments.{home.environment}.account`",
            )
        if home.region != scope.blueprint.region:
            yield resolved.diagnostic(
                f"{path}.promote_from",
                UNSUPPORTED,
                f"{path}.promote_from: versions of {home.region} cannot be served in "
                f"{scope.blueprint.region}",
                "train and serve in one region",
            )


def _trained(scope: Scope, name: str, model: Model) -> Iterator[Diagnostic]:
    if scope.promotes(name) or model.train is None:
        return
    retrain = model.retrain
    yield from judged(
        _steps(scope, name),
        _schedule(scope, name),
        *(_measured(scope, name, metric) for metric in (retrain.limits if retrain else ())),
        _new_data(scope, name),
    )


def _steps(scope: Scope, name: str) -> Iterator[Diagnostic]:
    model = scope.blueprint.models[name]
    for item in judged(refusals(scope.resolved, name), own_refusals(model, f"models.{name}")):
        yield scope.resolved.diagnostic(
            item.path, UNSUPPORTED, f"{item.path}: {item.message}", item.hint
        )


def _new_data(scope: Scope, name: str) -> Iterator[Diagnostic]:
    retrain = scope.blueprint.models[name].retrain
    for dataset in retrain.new_data if retrain else ():
        if not scope.blueprint.datasets[dataset].is_local:
            yield scope.resolved.diagnostic(
                f"models.{name}.retrain.new_data",
                "events-elsewhere",
                f"models.{name}.retrain.new_data: the bucket of {dataset} is not changed from "
                "here, and new files are noticed only if it tells EventBridge of them",
                "switch on its EventBridge notifications",
                severity="warning",
            )


def _schedule(scope: Scope, name: str) -> Iterator[Diagnostic]:
    retrain, path = scope.blueprint.models[name].retrain, f"models.{name}.retrain.schedule"
    if retrain is not None and retrain.schedule is not None:
        try:
            schedule_expression(retrain.schedule)
        except ValueError as error:
            yield scope.resolved.diagnostic(
                path, UNSUPPORTED, f"{path}: {error}", "write another cron"
            )


def _measured(scope: Scope, name: str, metric: str) -> Iterator[Diagnostic]:
    resolved, path = scope.resolved, f"models.{name}.retrain.limits"
    if metric not in SERVICE_LIMITS:
        yield resolved.diagnostic(
            path,
            UNSUPPORTED,
            f"{path}: {metric} is not measured yet",
            f"{listed(SERVICE_LIMITS, 'or')} of a serving entry's monitor, or a schedule",
        )
    elif not machines.monitored(scope, name, metric):
        whole(scope.blueprint.serving)  # one that is not known may monitor it
        yield resolved.diagnostic(
            path,
            UNSUPPORTED,
            f"{path}: no entry that serves {name} monitors {metric}",
            f"write `monitor: {{limits: {{{metric}: {{at_most: …}}}}}}` there",
        )
