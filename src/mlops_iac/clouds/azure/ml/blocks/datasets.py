"""Datasets that lie beside the blueprint: uploaded to the stack's own account, and data assets of its workspace."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.blueprint.sections.datasets import Dataset
from mlops_iac.blueprint.torn import judged
from mlops_iac.clouds.azure.ml.parts import Part
from mlops_iac.clouds.azure.ml.scope import FOUNDATION, WORKSPACE, Scope, call
from mlops_iac.clouds.base import ComponentCall, Ref, Refusal, Setting, UserFile
from mlops_iac.clouds.parts import prefixed
from mlops_iac.errors import Diagnostic
from mlops_iac.pipeline.reading import training_datasets

OUTPUT = "datasets"
_COPY = "copy it beside the blueprint, and write that path"
_EXPORT = "export it as Parquet beside the blueprint, and write that path"
# Scheme → why nothing is read there, and what works.
_ELSEWHERE = {
    "s3": ("Azure ML has no identity in S3", _COPY),
    "gs": ("Azure ML has no identity in Google Cloud", _COPY),
    "bigquery": ("Azure ML reads files, no BigQuery", _EXPORT),
    "glue": ("Azure ML reads files, no Glue tables", _EXPORT),
    "kafka": ("streams are not read on Azure ML yet", _EXPORT),
    "abfss": ("what lies elsewhere in Azure is not read in place yet", _COPY),
}


def uploaded_setting(dataset: str) -> str:
    """The configuration key that says what of a dataset is there, while it is not yet what its files are."""
    return f"datasets.{dataset}.uploaded"


def uploads(scope: Scope) -> dict[str, UserFile]:
    """Datasets that are uploaded: those that a training here reads, and those that no model reads at all."""
    models = scope.blueprint.models
    read = {
        model: [name for name, _ in training_datasets(scope.resolved, model)] for model in models
    }
    elsewhere = {name for names in read.values() for name in names}
    elsewhere -= {name for model in scope.trained for name in read[model]}
    return {
        name: UserFile(str(scope.resolved.file(section.source)))
        for name, section in scope.blueprint.datasets.items()
        if section.is_local and section.source is not None and name not in elsewhere
    }


def _plan(scope: Scope) -> Iterator[ComponentCall]:
    files = uploads(scope)
    yield call(
        "datasets",
        "datasets:Datasets",
        {
            "group": Ref(FOUNDATION, "group"),
            "workspace": Ref(WORKSPACE, "workspace"),
            "workspace_id": Ref(WORKSPACE, "workspace_id"),
            "account": Ref("data", "account"),
            "files": files,
            "uploaded": {
                name: Setting(None, uploaded_setting(name), optional=True) for name in files
            },
            "tags": scope.tags,
        },
        path="datasets",
        exports={OUTPUT: "uploaded"},
        flag="datasets.uploaded_here",
    )


def _values(scope: Scope) -> Iterator[Diagnostic]:
    for name, section in scope.blueprint.datasets.items():
        yield from judged(_source(scope, f"datasets.{name}.source", section))


def _source(scope: Scope, path: str, section: Dataset) -> Iterator[Diagnostic]:
    scheme, apart, _ = (section.source or "").partition("://")
    if apart:
        why, instead = _ELSEWHERE.get(scheme, ("nothing is read there", _COPY))
        yield scope.wrong(path, f"'{section.source}' cannot be read: {why}", instead)


DATASETS = Part(
    there=uploads,
    plan=_plan,
    planned=prefixed(
        "datasets.*.",
        "description source format target time window_days sensitive checks.*.not_null checks.*.at_least "
        "checks.*.at_most",
    ),
    refused=(
        Refusal("datasets.*.stream", "streams are not made yet", _EXPORT),
        Refusal(
            "datasets.*.partition", "partitions are not read yet", "use `time` and `window_days`"
        ),
        Refusal(
            "datasets.*.retention_days",
            "datasets are not expired yet",
            "delete old versions by hand",
        ),
    ),
    values=_values,
    names=lambda _: [("datasets", "")],
    namespaces=("Microsoft.Storage",),
    by_hand=(
        "Whoever runs `up` uploads the datasets by its own identity, and `destroy` counts them:\n"
        "  `az role assignment create --role 'Storage Blob Data Contributor' --assignee DEPLOYER"
        " --scope /subscriptions/SUBSCRIPTION`\n"
        "- `pulumi up` uploads nothing: run `mlops-iac up`, which puts the files there before a version says so."
    ),
)
