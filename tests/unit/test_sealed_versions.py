"""`up` serves the newest approved version, and none whose artifact a training may replace."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlops_iac.api.deploy import served_versions
from mlops_iac.api.deploy.served_versions import Versions, _require_servable, check_pin
from mlops_iac.api.deploy.served_versions import newest as newest_approved
from mlops_iac.clouds.aws.access import AwsAccess
from mlops_iac.clouds.aws.sagemaker.registry import PackageGroups
from mlops_iac.errors import UsageError

WORK = "s3://artifacts/pipelines/churn/run/trained/job/output/model.tar.gz"


ARN = "arn:aws:sagemaker:eu-west-1:210987654321:model-package/churn-prod-risk/"
LISTED = {"ModelApprovalStatus": "Approved", "CreationTime": datetime.now(UTC)}


class Registry:
    """Two approved versions, of which the newer has these containers."""

    exceptions = SimpleNamespace(ClientError=ClientError)

    def __init__(self, *containers: dict[str, Any]) -> None:
        self.containers = list(containers)

    def client(self, *_: str) -> Any:
        return self

    def get_paginator(self, _: str) -> Any:
        found = [
            {**LISTED, "ModelPackageVersion": n, "ModelPackageArn": f"{ARN}{n}"}
            for n in (9, 10)
        ]  # fmt: skip
        return SimpleNamespace(paginate=lambda **_: [{"ModelPackageSummaryList": found}])

    def describe_model_package(self, **asked: str) -> dict[str, Any]:
        assert asked == {"ModelPackageName": f"{ARN}10"}
        return {**LISTED, "InferenceSpecification": {"Containers": self.containers}}


def of(cloud: Registry) -> Versions:
    return Versions(PackageGroups(cloud), "churn-prod-risk")


def newest(*containers: dict[str, Any]) -> str | None:
    return newest_approved(of(Registry(*containers)), "risk", "prod")


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


class Pinned(Registry):
    """Versions 9 and 10, of which the newer has `status`."""

    def __init__(self, status: str, *containers: dict[str, Any]) -> None:
        super().__init__(*containers)
        self.status = status

    def get_paginator(self, _: str) -> Any:
        found = [
            {**LISTED, "ModelPackageVersion": n, "ModelPackageArn": f"{ARN}{n}",
             "ModelApprovalStatus": status}
            for n, status in ((9, "Approved"), (10, self.status))
        ]  # fmt: skip
        return SimpleNamespace(paginate=lambda **_: [{"ModelPackageSummaryList": found}])


def pin(version: str, status: str = "Approved", uri: str = "s3://a/models/x/model.tar.gz") -> None:
    cloud = Pinned(status, {"ModelDataUrl": uri})
    _require_servable(of(cloud), "risk", version, "prod")


def test_a_pin_of_an_approved_and_sealed_version_is_served() -> None:
    pin("10")


@pytest.mark.parametrize("status", ["PendingManualApproval", "Rejected"])
def test_a_pin_of_one_that_nobody_approved_is_refused(status: str) -> None:
    with pytest.raises(UsageError, match=rf"models.risk.version: 10 is {status} in prod") as told:
        pin("10", status)
    assert "mlops-iac models approve risk 10 -s prod" in told.value.hint


def test_a_pin_of_one_that_is_not_sealed_is_refused() -> None:
    with pytest.raises(UsageError, match="risk/10 of prod is not sealed"):
        pin("10", uri=WORK)


def test_a_pin_of_one_that_does_not_exist_says_which_do() -> None:
    with pytest.raises(UsageError, match="the registry of prod has no version 11") as told:
        pin("11")
    assert "it has: 9, 10" in told.value.hint


def test_a_registry_that_cannot_be_asked_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deployer of prod may have no right to read the registry of dev; the pin is served."""
    denied = {"Error": {"Code": "AccessDeniedException", "Message": "no"}}

    def refuse(*_: Any) -> Any:
        raise ClientError(denied, "ListModelPackages")

    project = SimpleNamespace(access=AwsAccess(), emulates=lambda _: False)
    monkeypatch.setattr(served_versions, "home_versions", refuse)
    home = SimpleNamespace(environment="dev")
    monkeypatch.setattr(served_versions, "home_of", lambda *_: home)
    (note,) = check_pin(project, "prod", "risk", "10", None)  # type: ignore[arg-type]
    assert "models.risk.version: nobody could say whether 10 is approved and sealed" in note
    assert "AccessDenied" in note
