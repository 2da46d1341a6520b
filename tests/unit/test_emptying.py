"""Model versions of a stack that is to go: asked for and deleted as SageMaker's own API takes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from mlops_iac.clouds.access import Place
from mlops_iac.clouds.aws import session
from mlops_iac.clouds.aws.sagemaker import contents
from mlops_iac.errors import MlopsError
from mlops_iac.graph.model import Resource

GROUP = "shop-pr-1-churn"
ARN = f"arn:aws:sagemaker:eu-west-1:123456789012:model-package/{GROUP}/"
ROLE = "arn:aws:iam::123456789012:role/deployer"


def delete(*, group: str = GROUP, roles: tuple[str, ...] = ()) -> int:
    """As who deploys with these roles."""
    provider = {"region": "eu-west-1"}
    if roles:
        provider["assumeRoles"] = json.dumps([{"roleArn": role} for role in roles])
    type_ = "aws:sagemaker/modelPackageGroup:ModelPackageGroup"
    inputs = {"modelPackageGroupName": group}
    made = Resource(f"urn:{group}", type_, "g", custom=True, inputs=inputs, id=group)
    there = session.RealSession(Place("eu-west-1"), provider, patient=True)
    return contents.delete_versions([made] if group else [], there)


class Cloud:
    """boto3's own clients, whose answers are given; `taken` are the credentials of each session."""

    def __init__(self) -> None:
        keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
        self.session = boto3.Session(region_name="eu-west-1", **keys)
        self.clients = {name: self.session.client(name) for name in ("sagemaker", "sts")}
        self.stubs = {name: Stubber(each) for name, each in self.clients.items()}
        self.taken: list[str] = []
        for stub in self.stubs.values():
            stub.activate()

    def __call__(self, region: str, role: Mapping[str, str] | None = None) -> Any:
        assert region == "eu-west-1"
        self.taken.append(role["AccessKeyId"] if role else "own")
        return self

    def client(self, name: str) -> Any:
        return self.clients[name]

    def versions(self, *numbers: int, after: str = "", more: str = "") -> None:
        asked = {"ModelPackageGroupName": GROUP, **({"NextToken": after} if after else {})}
        items = [
            {
                "ModelPackageName": f"{GROUP}/{number}",
                "ModelPackageArn": f"{ARN}{number}",
                "CreationTime": 0,
                "ModelPackageStatus": "Completed",
            }
            for number in numbers
        ]
        answer = {"ModelPackageSummaryList": items, **({"NextToken": more} if more else {})}
        self.stubs["sagemaker"].add_response("list_model_packages", answer, asked)

    def done(self) -> None:
        for stub in self.stubs.values():
            stub.assert_no_pending_responses()


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    made = Cloud()
    monkeypatch.setattr(session, "real_session", made)
    return made


def test_every_version_goes(cloud: Cloud) -> None:
    cloud.versions(3, 2, more="on")
    cloud.versions(1, after="on")
    for number in (3, 2, 1):
        asked = {"ModelPackageName": f"{ARN}{number}"}
        cloud.stubs["sagemaker"].add_response("delete_model_package", {}, asked)
    assert delete() == 3
    assert cloud.taken == ["own"]
    cloud.done()


def test_the_roles_of_the_provider_are_taken_on(cloud: Cloud) -> None:
    given = {
        "AccessKeyId": "AKIDOFTHEROLE0000",
        "SecretAccessKey": "c",
        "SessionToken": "d",
        "Expiration": 0,
    }
    asked = {"RoleArn": ROLE, "RoleSessionName": "mlops-iac"}
    cloud.stubs["sts"].add_response("assume_role", {"Credentials": given}, asked)
    cloud.versions()
    assert delete(roles=(ROLE,)) == 0
    assert cloud.taken == ["own", "AKIDOFTHEROLE0000"]
    cloud.done()


def test_a_group_that_is_gone_has_none(cloud: Cloud) -> None:
    cloud.stubs["sagemaker"].add_client_error(
        "list_model_packages", "ValidationException", f"ModelPackageGroup {GROUP} does not exist."
    )
    assert delete() == 0


def test_what_cannot_be_deleted_is_told(cloud: Cloud) -> None:
    cloud.versions(1)
    cloud.stubs["sagemaker"].add_client_error(
        "delete_model_package", "AccessDeniedException", "not authorized"
    )
    with pytest.raises(MlopsError) as caught:
        delete()
    assert f"the model versions in {GROUP} cannot be deleted, and the rest" in caught.value.message
    assert "not authorized" in caught.value.message
    assert "sagemaker:DeleteModelPackage" in caught.value.hint


def test_without_a_group_nobody_is_asked(cloud: Cloud) -> None:
    assert delete(group="") == 0
    assert cloud.taken == []
