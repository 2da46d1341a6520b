"""A batch prediction as the sequence of tasks that orchestrators and the local runner execute.

`Resolve` finds the version that predicts and what it reads; `Rows` checks the input, and completes
the output; `Predict` asks the model; `Publish` tells that the output is complete.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from mlops_iac.blueprint.sections.serving import Batch
from mlops_iac.pipeline.lifecycle import compute_of, dataset_of, environment_of
from mlops_iac.pipeline.steps import Compute, Dataset, Task
from mlops_iac.pipeline.tasks import checked, windowed
from mlops_iac.records import Record
from mlops_iac.runtime import contract

if TYPE_CHECKING:
    from mlops_iac.blueprint.resolved import ResolvedBlueprint


class Prediction(Record):
    """One batch prediction: the rows of `source` go in, and come out with a prediction each.

    `format` is what is written (`json`, one row a line, or `csv`); more rows than
    `most_missing_percent` without a prediction fail the run. `calls` go to each machine at once.
    """

    entry: str
    source: Dataset
    format: str
    compute: Compute
    calls: int = 1
    env: Mapping[str, str] = {}
    most_missing_percent: float | None = None


def prediction(resolved: ResolvedBlueprint, entry_name: str) -> Prediction:
    """What a batch entry does. Raises KeyError for one that is not there, ValueError for another mode's."""
    entry = resolved.blueprint.serving[entry_name]
    if not isinstance(entry, Batch) or entry.input is None or entry.output is None:
        raise ValueError(f"serving.{entry_name} is no batch prediction")
    datasets = resolved.blueprint.datasets
    limits = entry.monitor.limits if entry.monitor else {}
    errors = limits.get("error_rate_percent")
    return Prediction(
        entry=entry_name,
        source=dataset_of(entry.input, datasets[entry.input]),
        format=datasets[entry.output].format or "",
        compute=compute_of(entry.compute),
        env=environment_of(entry.env),
        most_missing_percent=errors.at_most if errors else None,
    )


class Resolve(Task):
    """Says which version predicts, and where the rows lie."""


class Rows(Task):
    """Our own step over rows: `env` are its settings."""

    kind: Literal["check", "complete"]
    env: Mapping[str, str]


class Predict(Task):
    """Asks the model for every row; `env` is that of what serves it."""

    env: Mapping[str, str]


class Publish(Task):
    """Tells that the output is complete."""


def tasks(prediction: Prediction) -> list[Task]:
    """The tasks of a batch prediction, in their order."""
    source = prediction.source
    check = {
        contract.STEP: "check",
        contract.DATASETS: source.name,
        contract.FORMAT: source.format,
        contract.PARTS: str(prediction.compute.count * prediction.calls),
        **checked((source,)),
        **windowed((source,)),
    }
    complete = {contract.STEP: "complete", contract.FORMAT: prediction.format}
    if prediction.most_missing_percent is not None:
        complete[contract.ERROR_PERCENT] = f"{prediction.most_missing_percent:g}"
    return [
        Resolve("Resolve"),
        Rows("Check", "check", check),
        Predict("Predict", prediction.env),
        Rows("Complete", "complete", complete),
        Publish("Publish"),
    ]
