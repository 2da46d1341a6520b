"""What SageMaker support refuses of models."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_iac.blueprint.sections.models import Model
from mlops_iac.blueprint.torn import judged
from mlops_iac.clouds.aws.sagemaker import machines
from mlops_iac.clouds.aws.sagemaker.blocks.predict_checks import check_predict
from mlops_iac.clouds.aws.sagemaker.definition.refusals import refusals as own_refusals
from mlops_iac.clouds.aws.sagemaker.scope import STEPS, Scope
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
    yield from check_predict(scope)


def _brought(scope: Scope, name: str) -> Iterator[Diagnostic]:
    model = scope.blueprint.models[name]
    if model.source is not None and not model.source.startswith("s3://"):
        yield scope.wrong(
            f"models.{name}.source",
            f"only models in S3 can be served, not '{model.source}'",
            "copy it to `s3://…`, a prefix or a .tar.gz",
        )


def _version(scope: Scope, name: str) -> Iterator[Diagnostic]:
    # A ModelPackageVersion is an integer from 1. Source: SageMaker API reference, ModelPackage.
    version = scope.blueprint.models[name].version
    if version is not None and not re.fullmatch("[1-9][0-9]{0,8}", version):
        yield scope.wrong(
            f"models.{name}.version",
            f"'{version}' is no registered version; they are numbered from 1",
            "see `mlops-iac models ls`, or use `mlops-iac promote`",
            code="wrong-version",
        )


def _promoted(scope: Scope, name: str) -> Iterator[Diagnostic]:
    path = f"models.{name}.promote_from"
    if scope.promotes(name):
        home = scope.home(name)
        other = scope.resolved.siblings[home.environment]
        if name not in Scope(other).trained:
            yield scope.wrong(
                path,
                f"{name} is not trained at the end of it, in {other.environment}",
                "name the environment that trains it",
            )
            return
        if home.account is None:
            yield scope.wrong(
                path,
                f"nothing says in which account {home.environment} is",
                f"write `environments.{home.environment}.account`",
            )
        if home.region != scope.blueprint.region:
            yield scope.wrong(
                path,
                f"versions of {home.region} cannot be served in {scope.blueprint.region}",
                "train and serve in one region",
            )


def _trained(scope: Scope, name: str, model: Model) -> Iterator[Diagnostic]:
    if scope.promotes(name) or model.train is None:
        return
    for item in judged(refusals(scope.resolved, name), own_refusals(model, f"models.{name}")):
        yield scope.wrong(item.path, item.message, item.hint)


def check_instances(scope: Scope) -> Iterator[Diagnostic]:
    """Instance types of steps that there are none of."""
    for name in scope.trained:
        model = scope.blueprint.models[name]
        yield from judged(*(_of_step(scope, name, model, step) for step in STEPS))


def _of_step(scope: Scope, name: str, model: Model, step: str) -> Iterator[Diagnostic]:
    if (section := getattr(model, step)) is not None:
        at = f"models.{name}.{step}.compute"
        yield from machines.check_instance(scope, at, section.compute, machines.USES[step])
