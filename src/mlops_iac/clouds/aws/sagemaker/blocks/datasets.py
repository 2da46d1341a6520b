"""Datasets that lie beside the blueprint, uploaded to the stack's own bucket."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlops_iac.blueprint.sections.datasets import Dataset
from mlops_iac.blueprint.torn import judged
from mlops_iac.clouds.aws.sagemaker.deployer_actions import OBJECTS
from mlops_iac.clouds.aws.sagemaker.modes import needs
from mlops_iac.clouds.aws.sagemaker.parts import Deployed, Part, prefixed
from mlops_iac.clouds.aws.sagemaker.scope import Scope, call
from mlops_iac.clouds.base import ComponentCall, Ref, Refusal, Setting, UserFile
from mlops_iac.errors import Diagnostic
from mlops_iac.pipeline.reading import training_datasets

UPLOADS = "datasets.uploaded_here"


def _plan(scope: Scope) -> Iterator[ComponentCall]:
    yield call(
        "datasets",
        "datasets:Datasets",
        {
            "bucket": Ref("data", "data.bucket"),
            "files": _uploads(scope),
            "known_as": _former_names(scope) or None,
            "key_arn": scope.data_key,
            "tags": scope.tags,
        },
        path="datasets",
        depends_on=("data",),
        flag=UPLOADS,
    )


def _uploads(scope: Scope) -> dict[str, UserFile]:
    """Datasets that are uploaded from beside the blueprint: those that something here reads."""
    return {
        name: UserFile(str(scope.resolved.file(section.source)))
        for name in read_here(scope)
        if (section := scope.blueprint.datasets[name]).is_local and section.source is not None
    }


def trained_on(scope: Scope) -> list[str]:
    """The datasets that a training here reads."""
    found = (training_datasets(scope.resolved, model) for model in scope.trained)
    return list(dict.fromkeys(name for each in found for name, _ in each))


def read_here(scope: Scope) -> list[str]:
    """Those that a training or a mode of serving reads."""
    return list(dict.fromkeys([*trained_on(scope), *needs(scope).datasets]))


def _former_names(scope: Scope) -> dict[str, str]:
    """Former names of datasets, the same in all environments, whatever each of them uploads."""
    return {
        new.removeprefix("datasets."): former.removeprefix("datasets.")
        for new, former in scope.blueprint.moved.items()
        if new.startswith("datasets.")
    }


def uris(scope: Scope, names: Sequence[str]) -> list[Setting]:
    """Where those of the datasets lie that are read in place."""
    datasets = scope.blueprint.datasets
    return [
        Setting(datasets[name].source, f"datasets.{name}.source")
        for name in names
        if datasets[name].source is not None and not datasets[name].is_local
    ]


def _values(scope: Scope) -> Iterator[Diagnostic]:
    for name, section in scope.blueprint.datasets.items():
        yield from judged(_dataset(scope, f"datasets.{name}.source", section))


def _dataset(scope: Scope, path: str, section: Dataset) -> Iterator[Diagnostic]:
    source = section.source or ""
    if "://" in source and not source.startswith("s3://"):
        yield scope.wrong(
            path,
            f"SageMaker reads from S3 only, not from '{source}'",
            "copy it to `s3://…`, or write a path beside the blueprint",
        )


DATASETS = Part(
    there=_uploads,
    plan=_plan,
    planned=prefixed(
        "datasets.*.",
        "description source format target time window_days sensitive checks.*.not_null checks.*.at_least "
        "checks.*.at_most",
    ),
    refused=(
        Refusal("datasets.*.stream", "streams are not made yet", "write to `s3://` and use that"),
        Refusal(
            "datasets.*.partition", "partitions are not read yet", "use `time` and `window_days`"
        ),
        Refusal(
            "datasets.*.retention_days", "datasets are not expired", "set a rule on the bucket"
        ),
    ),
    values=_values,
    names=lambda _: [("datasets", "")],
    deployed=Deployed(actions={"Datasets": OBJECTS}),
    settings={
        UPLOADS: "whether datasets beside the blueprint are uploaded, because a training here"
        " reads them",
    },
)
