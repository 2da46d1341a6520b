"""What Azure ML support refuses of models."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

from mlops_iac.blueprint.sections.models import Model
from mlops_iac.blueprint.torn import judged
from mlops_iac.clouds.azure import catalogue
from mlops_iac.clouds.azure.ml.definition.printer import JOB, VERSIONS
from mlops_iac.clouds.azure.ml.scope import Scope
from mlops_iac.clouds.scope import STEPS, identifier
from mlops_iac.errors import Diagnostic
from mlops_iac.pipeline.reading import script_arguments
from mlops_iac.pipeline.refusals import refusals


def check_models(scope: Scope) -> Iterator[Diagnostic]:
    """What it runs on and in, and what its steps cannot do."""
    for name in scope.trained:
        model = scope.blueprint.models[name]
        path = f"models.{name}"
        # Where datasets are refused as a whole, there is nothing to say of what reads them.
        if set(model.datasets) <= set(scope.blueprint.datasets):
            for each in refusals(scope.resolved, name):
                yield scope.wrong(each.path, each.message, each.hint)
        yield from judged(
            _version(scope, model, path),
            _files(scope, model, path),
            _texts(scope, model, path),
            *(_step(scope, getattr(model, step), f"{path}.{step}") for step in STEPS),
            _framework(scope, model, path),
            _tune(scope, model, path),
            _searched(scope, model, path),
        )


def _version(scope: Scope, model: Model, path: str) -> Iterator[Diagnostic]:
    if model.version is not None and not re.fullmatch("[1-9][0-9]{0,8}", model.version):
        yield scope.wrong(
            f"{path}.version",
            f"'{model.version}' is no registered version; they are numbered from 1",
            "see `mlops-iac models ls`",
            code="wrong-version",
        )


def _files(scope: Scope, model: Model, path: str) -> Iterator[Diagnostic]:
    for name in (JOB, VERSIONS):
        if model.code and os.path.lexists(scope.resolved.file(model.code) / name):
            yield scope.wrong(
                f"{path}.code",
                f"{model.code} has its own {name}, which is packed beside the scripts",
                "rename it",
            )


def _texts(scope: Scope, model: Model, path: str) -> Iterator[Diagnostic]:
    """What stands in a command of Azure ML is filled in there where it looks like a placeholder."""
    owners: list[tuple[str, Any]] = [(path, model)]
    owners += [(f"{path}.{step}", getattr(model, step)) for step in STEPS if getattr(model, step)]
    found = [(f"{at}.env.{key}", value) for at, each in owners for key, value in each.env.items()]
    if model.train:
        given = model.train.hyperparameters.items()
        found += [(f"{path}.train.hyperparameters.{key}", value) for key, value in given]
    for at, value in found:
        if isinstance(value, str) and "${" in value:
            yield scope.wrong(at, "`${` begins a placeholder in a job's command", "leave it out")


def _step(scope: Scope, step: Any, path: str) -> Iterator[Diagnostic]:
    if step is None:
        return
    compute = step.compute
    if compute.count > 1:
        yield scope.wrong(
            f"{path}.compute.count",
            "a step runs on one machine on Azure ML yet",
            "take a larger size",
        )
    known = catalogue.machine(compute, "training")
    if known is None:
        sizes = [each.name for each in catalogue.machines("training").values()]
        plausible = re.fullmatch(r"Standard_[A-Z]+\d+[A-Za-z0-9_-]*", compute.instance)
        yield scope.wrong(
            f"{path}.compute.instance",
            f"'{compute.instance}' is no VM size of compute clusters that is known here",
            f"known are {', '.join(sizes)}",
            code="unknown-instance",
            severity="warning" if plausible else "error",
        )
    elif compute.disk_gb is not None and compute.disk_gb > known.disk:
        enough = [
            each.name
            for each in catalogue.machines("training").values()
            if each.disk >= compute.disk_gb and bool(each.gpus) == bool(known.gpus)
        ]
        yield scope.wrong(
            f"{path}.compute.disk_gb",
            f"{known.name} has a disk of {known.disk} GB, and there are no others on Azure ML",
            f"write `instance:` with one of {', '.join(enough)}" if enough else "take less",
        )


def _framework(scope: Scope, model: Model, path: str) -> Iterator[Diagnostic]:
    owners = [(path, model), *((f"{path}.{step}", getattr(model, step)) for step in STEPS)]
    for at, owner in owners:
        runtime = owner.runtime if owner else None
        if runtime and runtime.framework == "huggingface":
            yield scope.wrong(
                f"{at}.runtime.framework",
                "there is no package of that name",
                "write `pytorch`, and put transformers into requirements.txt",
            )


def _tune(scope: Scope, model: Model, path: str) -> Iterator[Diagnostic]:
    tune = model.tune
    if tune is None:
        return
    if tune.strategy == "hyperband":
        yield scope.wrong(
            f"{path}.tune.strategy",
            "sweeps on Azure ML have no hyperband",
            "write `random`, with `early_stopping: true`",
        )
    if tune.strategy == "bayesian" and tune.early_stopping:
        # Source: azure-ai-docs, `how-to-tune-hyperparameters`, "Bayesian sampling".
        yield scope.wrong(
            f"{path}.tune.early_stopping",
            "bayesian sweeps on Azure ML end no trial early",
            "leave it out, or write `strategy: random`",
        )


def _searched(scope: Scope, model: Model, path: str) -> Iterator[Diagnostic]:
    """What is searched is an input of the job."""
    searched = f"{path}.tune.search"
    seen: dict[str, str] = {}
    for place, name in script_arguments(model, path):
        if place != searched:
            continue
        if (other := seen.setdefault(identifier(name), name)) != name:
            yield scope.wrong(
                f"{place}.{name}",
                f"'{name}' and '{other}' are one input of a job",
                "rename one",
                at_key=True,
            )
