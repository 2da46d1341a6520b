"""`up` serves the newest approved version, and none whose artifact a training may replace."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from mlops_iac.api.deploying import _newest_sealed
from mlops_iac.errors import UsageError

WORK = "s3://artifacts/pipelines/churn/run/trained/job/output/model.tar.gz"


class Registry:
    """Two approved versions, of which the newer has these containers."""

    exceptions = SimpleNamespace(ResourceNotFound=KeyError)

    def __init__(self, *containers: dict[str, Any]) -> None:
        self.containers = list(containers)

    def get_paginator(self, _: str) -> Any:
        found = [
            {"ModelPackageVersion": n, "ModelPackageArn": f"arn/{n}", "ModelApprovalStatus": "Approved"}
            for n in (9, 10)
        ]  # fmt: skip
        return SimpleNamespace(paginate=lambda **_: [{"ModelPackageSummaryList": found}])

    def describe_model_package(self, **asked: str) -> dict[str, Any]:
        assert asked == {"ModelPackageName": "arn/10"}
        return {"InferenceSpecification": {"Containers": self.containers}}


def newest(*containers: dict[str, Any]) -> str | None:
    return _newest_sealed(Registry(*containers), "churn-prod-risk", "risk", "prod")


@pytest.mark.parametrize("uri", ["s3://artifacts/models/churn/run/e1/model.tar.gz", None])
def test_a_sealed_version_is_served(uri: str | None) -> None:
    assert newest({"Image": "i", **({"ModelDataUrl": uri} if uri else {})}) == "10"


@pytest.mark.parametrize(
    "container",
    [
        {"ModelDataUrl": WORK},
        {"ModelDataUrl": "https://s3.eu-west-1.amazonaws.com/artifacts/models/x"},
        {"ModelDataSource": {"S3DataSource": {"S3Uri": WORK}}},
    ],
    ids=["by key", "elsewhere", "by source"],
)
def test_one_that_is_not_is_refused_by_name_place_and_way_out(container: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="risk/10 of prod is not sealed: its artifact is ") as told:
        newest({"ModelDataUrl": "s3://artifacts/models/a/b"}, container)
    assert "mlops-iac models reject risk 10 -s prod" in told.value.hint
