"""Datasets whose new files start something."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mlops_iac.clouds.aws.sagemaker.scope import Scope, construct
from mlops_iac.clouds.base import Ref, Setting
from mlops_iac.errors import Diagnostic
from mlops_iac.runtime import contract


def new_data(scope: Scope, dataset: str) -> Any:
    """What starts a run when files of a dataset arrive, or when a batch prediction is complete."""
    section = scope.blueprint.datasets[dataset]
    if section.is_local or section.is_made:
        bucket: Any = Ref("data", "data.bucket")
        prefix: Any = Ref("datasets", f'new_data_prefixes["{dataset}"]')
        if section.is_made:
            prefix = f"datasets/{scope.known_as('datasets', dataset)}/"
    else:
        address = (section.source or "").removeprefix("s3://")
        host, _, rest = address.partition("/")
        bucket = Setting(host, f"datasets.{dataset}.source.bucket")
        prefix = Setting(rest, f"datasets.{dataset}.source.prefix")
    return construct(
        "retrain_triggers:NewData",
        {
            "dataset": dataset,
            "bucket": bucket,
            "prefix": prefix,
            "ending": f"/{contract.SUCCESS_FILE}" if section.is_made else None,
            "known_as": scope.moved_from("datasets", dataset),
        },
    )


def check_events(scope: Scope, path: str, datasets: Iterable[str]) -> Iterator[Diagnostic]:
    """Warn of datasets whose bucket has to be told to say when files arrive."""
    for dataset in datasets:
        section = scope.blueprint.datasets[dataset]
        if not (section.is_local or section.is_made):
            yield scope.wrong(
                path,
                f"the bucket of {dataset} is not changed from "
                "here, and new files are noticed only if it tells EventBridge of them",
                "switch on its EventBridge notifications",
                code="events-elsewhere",
                severity="warning",
            )
