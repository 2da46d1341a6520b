"""From the resolved blueprint to the typed steps of one model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mlops_iac.pipeline.reading import as_text, search_values, serving_entry, training_datasets
from mlops_iac.pipeline.steps import (
    Check,
    Compute,
    Dataset,
    Evaluate,
    Lifecycle,
    Limit,
    Prepare,
    Range,
    Register,
    Train,
    Try,
    Tune,
)
from mlops_iac.records import replace
from mlops_iac.runtime import contract
from mlops_iac.runtime.rows import SUFFIXES

if TYPE_CHECKING:
    from mlops_iac.blueprint.resolved import ResolvedBlueprint
    from mlops_iac.blueprint.sections.compute import Compute as ComputeSection
    from mlops_iac.blueprint.sections.compute import Step
    from mlops_iac.blueprint.sections.datasets import Dataset as DatasetSection
    from mlops_iac.blueprint.sections.models import Model
    from mlops_iac.blueprint.sections.models import Search as SearchSection
    from mlops_iac.blueprint.sections.values import EnvVariables

DISK_GB = 30  # what a job gets where the blueprint says nothing; also the services' default


def lifecycle(resolved: ResolvedBlueprint, model_name: str) -> Lifecycle:
    """The steps of a model that is trained here.

    Raises KeyError for a model that is not there, ValueError for one that is not trained here.
    What `refusals.refusals` names is left out: ask it first.
    """
    model = resolved.blueprint.models[model_name]
    if model.train is None:
        raise ValueError(f"models.{model_name} is not trained here")
    train = Train(
        **_script(model, model.train),
        hyperparameters=dict(model.train.hyperparameters),
        checkpoints=model.train.checkpoints,
        spot_wait_minutes=model.train.spot_wait_minutes or 60,
    )
    metrics = dict(model.metrics)
    gates = tuple(_limits(model))
    datasets = tuple(
        dataset_of(name, section) for name, section in training_datasets(resolved, model_name)
    )
    return Lifecycle(
        model=model_name,
        datasets=datasets,
        metrics=tuple(metrics),
        prepare=Prepare(**_script(model, model.prepare)) if model.prepare else None,
        training=_tune(model, train, metrics) if model.tune else train,
        evaluate=Evaluate(**_script(model, model.evaluate)) if model.evaluate else None,
        gates=gates,
        register=Register(model.registry.approval),
        tried=_try(resolved, model_name, datasets),
        serves=model.version or contract.NEWEST,
    )


def _script(model: Model, step: Step) -> dict[str, Any]:
    return {
        "script": step.script,
        "env": environment_of(model.env, step.env),
        "compute": compute_of(step.compute),
        "timeout_minutes": step.timeout_minutes,
    }


def _try(resolved: ResolvedBlueprint, model_name: str, datasets: tuple[Dataset, ...]) -> Try | None:
    found = serving_entry(resolved, model_name)
    if found is None:
        return None
    model = resolved.blueprint.models[model_name]
    steps = (model.prepare, model.train, model.evaluate)
    rows = next((each for each in datasets if each.format in SUFFIXES), None)
    return Try(
        rows=None if rows is None else replace(rows, checks=()),
        env=environment_of(found[1].env),
        # What they read fits there, so its rows do, too.
        compute=Compute(disk_gb=max(compute_of(step.compute).disk_gb for step in steps if step)),
    )


def _limits(model: Model) -> Iterator[Limit]:
    for metric, gate in (model.evaluate.gates if model.evaluate else {}).items():
        for bound in ("at_least", "at_most"):
            value = getattr(gate, bound)
            if value is not None:
                yield Limit(metric, bound, value)
        if gate.no_worse_than:
            smaller = model.metrics.get(metric) == "minimize"
            yield Limit(metric, "at_most" if smaller else "at_least", gate.no_worse_than)


def _tune(model: Model, train: Train, metrics: Mapping[str, str]) -> Tune:
    tune = model.tune
    assert tune is not None
    metric = tune.metric or next(iter(metrics))
    search = {name: _range(item, tune.strategy) for name, item in tune.search.items()}
    trials = tune.trials or 1
    if tune.strategy == "grid":
        # A grid has one size: the service refuses any other number.
        trials = 1
        for item in search.values():
            trials *= len(item.values)
    return Tune(
        train=train,
        strategy=tune.strategy,
        metric=metric,
        goal="minimize" if metrics.get(metric) == "minimize" else "maximize",
        trials=trials,
        parallel=min(tune.parallel, trials),
        search=search,
        early_stopping=tune.early_stopping,
    )


def _range(item: SearchSection, strategy: str) -> Range:
    if values := search_values(item, strategy):
        return Range("values", values=values)
    low, high = item.integer or item.continuous or (0, 0)
    return Range(
        "integer" if item.integer else "continuous",
        low=as_text(low),
        high=as_text(high),
        scale=item.scale,
    )


def dataset_of(name: str, section: DatasetSection) -> Dataset:
    """One dataset as steps see it."""
    checks = tuple(
        Check(
            name,
            column,
            {
                rule: value
                for rule in ("not_null", "at_least", "at_most")
                if (value := getattr(check, rule)) is not None and value is not False
            },
        )
        for column, check in section.checks.items()
    )
    return Dataset(
        name, section.format or "", section.time, section.window_days, checks, section.target
    )


def compute_of(section: ComputeSection) -> Compute:
    """The machines of a step."""
    return Compute(section.count, section.disk_gb or DISK_GB, section.spot)


def environment_of(*layers: EnvVariables) -> dict[str, str]:
    """The variables of all layers that are no secrets; later ones win."""
    return {
        name: value for layer in layers for name, value in layer.items() if isinstance(value, str)
    }
