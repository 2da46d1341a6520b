"""Datasets and features."""

from __future__ import annotations

from mlops_iac.blueprint.checks.base import Check
from mlops_iac.blueprint.sections.datasets import Dataset
from mlops_iac.blueprint.words import join

_TABLES = ("bigquery://", "glue://", "kafka://")


def is_table(dataset: Dataset) -> bool:
    """Whether its source is a table or a stream of another service, not files."""
    return (dataset.source or "").startswith(_TABLES)


def check_datasets(check: Check) -> None:
    """Each dataset on its own."""
    for name, dataset in check.blueprint.datasets.items():
        path = f"datasets.{name}"
        _storage(check, path, dataset)
        has_order = dataset.time or dataset.partition
        if dataset.window_days is not None and not has_order and not check.is_broken(path):
            check.report(
                f"{path}.window_days",
                "needs-field",
                f"{path}.window_days needs a column that says what is new",
                "add 'time' or 'partition'",
            )
        for column, rule in dataset.checks.items():
            low, high = rule.at_least, rule.at_most
            if low is not None and high is not None and low > high:
                check.report(
                    join(join(f"{path}.checks", column), "at_least"),
                    "contradiction",
                    f"no value of '{column}' is at least {low} and at most {high}",
                )


def _storage(check: Check, path: str, dataset: Dataset) -> None:
    source = dataset.source or ""
    if dataset.stream is not None or is_table(dataset):
        if dataset.format is not None and dataset.stream is None and not dataset.is_stream:
            check.report(
                f"{path}.format",
                "no-effect",
                f"'{source}' is a table and has no format",
                "remove it",
            )
    elif dataset.format is None:
        check.missing(path, "format", "csv, parquet, json, images or text")
    if dataset.retention_days is not None and dataset.source and not dataset.is_local:
        check.report(
            f"{path}.retention_days",
            "not-ours",
            f"'{source}' is used in place; nothing in it is deleted",
            "remove 'retention_days'",
        )


def check_features(check: Check) -> None:
    """Each feature group on its own."""
    for name, feature in check.blueprint.features.items():
        path = f"features.{name}"
        if feature.existing is None:
            for key in ("dataset", "entity", "time", "fields"):
                if not getattr(feature, key):
                    check.missing(path, key, "or `existing: ID`")
        if (
            feature.ttl_hours is not None
            and not feature.online
            and not check.is_broken(f"{path}.online")
        ):
            check.report(
                f"{path}.ttl_hours",
                "needs-field",
                f"{path}.ttl_hours is for online values",
                "add `online: true`, or remove it",
            )
