"""What SageMaker support refuses of a batch entry."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.blueprint.sections.serving import Batch
from mlops_iac.blueprint.torn import judged
from mlops_iac.blueprint.words import listed
from mlops_iac.clouds.aws.components._cron import schedule_expression
from mlops_iac.clouds.aws.sagemaker.events import check_events
from mlops_iac.clouds.aws.sagemaker.modes.batch_definition import OWN_ENVIRONMENT
from mlops_iac.clouds.aws.sagemaker.scope import Scope
from mlops_iac.errors import Diagnostic

_MEASURED = ("lag_seconds", "error_rate_percent")
_FORMATS = ("csv", "json")
# CloudWatch API reference, PutMetricAlarm: all periods of an alarm together.
_LATEST = (60, 7 * 24 * 3600)


def check_batch(scope: Scope, name: str, entry: Batch) -> Iterator[Diagnostic]:
    """What cannot be planned of one batch entry."""
    return judged(
        _promoted(scope, name, entry),
        _schedule(scope, name, entry),
        _forms(scope, name, entry),
        _limits(scope, name, entry),
        _environment(scope, name, entry),
        _output(scope, name, entry),
        check_events(scope, f"serving.{name}.new_data", entry.new_data),
    )


def _promoted(scope: Scope, name: str, entry: Batch) -> Iterator[Diagnostic]:
    if entry.model and scope.promotes(entry.model):
        at = f"serving.{name}.model"
        yield scope.wrong(
            at,
            f"{entry.model} is promoted from another environment, and batch predictions read"
            " the registry of their own yet",
            "train it in this environment too, or serve the model's archive as `source: s3://…`",
        )


def _schedule(scope: Scope, name: str, entry: Batch) -> Iterator[Diagnostic]:
    at = f"serving.{name}.schedule"
    if entry.schedule is not None:
        try:
            schedule_expression(entry.schedule)
        except ValueError as error:
            yield scope.wrong(at, str(error), "write another cron")


def _forms(scope: Scope, name: str, entry: Batch) -> Iterator[Diagnostic]:
    for key, dataset in (("input", entry.input), ("output", entry.output)):
        section = scope.blueprint.datasets.get(dataset or "")
        if section is not None and section.format not in _FORMATS:
            verb = "reads" if key == "input" else "writes"
            yield scope.wrong(
                f"serving.{name}.{key}",
                f"'{dataset}' is {section.format}; a batch prediction {verb} rows, one a line",
                f"`format: {listed(_FORMATS, 'or')}` in datasets.{dataset}",
            )


def _limits(scope: Scope, name: str, entry: Batch) -> Iterator[Diagnostic]:
    for metric, limit in (entry.monitor.limits if entry.monitor else {}).items():
        at = f"serving.{name}.monitor.limits.{metric}"
        if metric not in _MEASURED:
            yield scope.wrong(
                at,
                f"{metric} of batch predictions is not measured yet",
                f"limit {listed(_MEASURED, 'or')}",
                at_key=True,
            )
        elif metric == "lag_seconds" and limit.at_most is not None:
            least, most = _LATEST
            if not least <= limit.at_most <= most:
                yield scope.wrong(
                    f"{at}.at_most",
                    "an alarm waits from a minute to seven days",
                    f"write {least} to {most}",
                )


def _environment(scope: Scope, name: str, entry: Batch) -> Iterator[Diagnostic]:
    for key, value in entry.env.items():
        at = f"serving.{name}.env.{key}"
        if not isinstance(value, str):
            yield scope.wrong(at, "jobs take no secrets yet", "read it in predict.py")
    # botocore, TransformEnvironmentMap: sixteen entries.
    if len(entry.env) > 16 - OWN_ENVIRONMENT:
        at = f"serving.{name}.env"
        yield scope.wrong(
            at,
            f"a batch prediction takes {16 - OWN_ENVIRONMENT} variables at most",
            "read more of them from a file of the model",
            at_key=True,
        )


def _output(scope: Scope, name: str, entry: Batch) -> Iterator[Diagnostic]:
    section = scope.blueprint.datasets.get(entry.output or "")
    if section is not None and section.source is not None and scope.makes_network:
        at = f"serving.{name}.output"
        yield scope.wrong(
            at,
            f"the stack's own network lets nothing be written to {section.source}",
            "name a dataset without 'source', or run in an existing network",
        )
