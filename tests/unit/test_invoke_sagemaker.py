"""What SageMaker's runtime answers, held against the service's own model."""

from __future__ import annotations

import io
from typing import Any

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from mlops_iac.clouds.aws.access import AwsAccess
from mlops_iac.clouds.aws.sagemaker.invocations import invoke, largest_body
from mlops_iac.clouds.aws.sagemaker.registry import PackageGroups
from mlops_iac.clouds.aws.types import ENDPOINT
from mlops_iac.clouds.operations import ModelRefused
from mlops_iac.graph.model import Resource

MADE = Resource(
    "urn", ENDPOINT, "api-endpoint", custom=True, inputs={"name": "churn-prod-api"}, id="other"
)
SENT = {
    "EndpointName": "churn-prod-api",
    "Body": b"[]",
    "ContentType": "application/json",
    "Accept": "application/json",
}


class Cloud:
    def __init__(self) -> None:
        keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "eu-west-1"}
        self.runtime = boto3.client("sagemaker-runtime", **keys)  # type: ignore[call-overload]
        self.stub = Stubber(self.runtime)
        self.stub.activate()

    def client(self, service: str, region: str = "", account: str = "") -> Any:
        assert service == "sagemaker-runtime"
        return self.runtime


@pytest.mark.parametrize("variant", ["", "b"])
def test_an_answer_with_the_variant_that_gave_it(variant: str) -> None:
    cloud = Cloud()
    body = b'{"predictions": [1]}'
    answered = {
        "Body": StreamingBody(io.BytesIO(body), len(body)),
        "ContentType": "application/json",
        "InvokedProductionVariant": "b",
    }
    target = {"TargetVariant": variant} if variant else {}
    cloud.stub.add_response("invoke_endpoint", answered, SENT | target)
    found = invoke(MADE, cloud, b"[]", "application/json", variant=variant)  # type: ignore[arg-type]
    assert (found.body, found.content_type, found.variant) == (body, "application/json", "b")
    assert found.milliseconds > 0


def test_the_models_own_refusal_is_told_apart_from_the_clouds() -> None:
    cloud = Cloud()
    said = {"OriginalStatusCode": 400, "OriginalMessage": "no petal"}
    cloud.stub.add_client_error(
        "invoke_endpoint", "ModelError", "Received", 424, modeled_fields=said
    )
    with pytest.raises(ModelRefused) as raised:
        invoke(MADE, cloud, b"[]", "application/json")  # type: ignore[arg-type]
    assert (raised.value.status, raised.value.words) == (400, "no petal")
    for code, meaning in (("ValidationError", "rejected"), ("AccessDeniedException", "refused")):
        cloud.stub.add_client_error("invoke_endpoint", code, "no")
        with pytest.raises(cloud.runtime.exceptions.ClientError) as other:
            invoke(MADE, cloud, b"[]", "application/json")  # type: ignore[arg-type]
        assert AwsAccess().failure(other.value) == meaning


def test_the_largest_body_is_the_services() -> None:
    shape = boto3.client("sagemaker-runtime", region_name="eu-west-1").meta.service_model
    assert shape.shape_for("BodyBlob").metadata["max"] == largest_body


@pytest.mark.parametrize(
    ("user", "name"),
    [
        ({"UserProfileName": "ana", "IamIdentity": {"Arn": "arn:aws:sts::1:assumed-role/d/S"}}, "ana"),
        ({"IamIdentity": {"Arn": "arn:aws:sts::1:assumed-role/deployer/ben"}}, "deployer/ben"),
        ({"IamIdentity": {"Arn": "arn:aws:iam::1:user/carla"}}, "carla"),
        ({"IamIdentity": {"Arn": "arn:aws:iam::1:root"}}, "root"),
        ({}, ""),
    ],
)  # fmt: skip
def test_who_decided_is_whom_the_registry_names(user: dict[str, Any], name: str) -> None:
    class Registry:
        def client(self, *_: str) -> Any:
            return self

        def describe_model_package(self, ModelPackageName: str) -> dict[str, Any]:  # noqa: N803
            return {"CreationTime": None, "LastModifiedBy": user, "ModelApprovalStatus": "Approved"}

    assert PackageGroups(Registry()).describe("x").by == name  # type: ignore[arg-type]
