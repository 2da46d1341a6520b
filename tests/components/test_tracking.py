"""The MLflow server: exact resources, and a role that reaches its artifacts alone."""

from __future__ import annotations

from mlops_iac.clouds.aws.components.tracking import Tracking, TrackingArgs
from tests.components.capture import capture, names, one, policy, types

SERVER = "aws:sagemaker/mlflowTrackingServer:MlflowTrackingServer"
ROLE, ROLE_POLICY = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy"
COMPONENT = "mlops-iac:aws:Tracking"
BUCKET = "arn:aws:s3:::artifacts"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/data"


def test_one_server_whose_role_reaches_its_artifacts_alone() -> None:
    args = TrackingArgs(
        bucket="artifacts", bucket_arn=BUCKET, size="Medium", key_arn=KEY, tags={"a": "b"}
    )
    graph = capture(lambda: Tracking("tracking", args))
    assert types(graph) == {COMPONENT: 1, SERVER: 1, ROLE: 1, ROLE_POLICY: 1}
    server, role = one(graph, SERVER), one(graph, ROLE)
    assert server.inputs == {
        "trackingServerName": server.inputs["trackingServerName"],
        "artifactStoreUri": "s3://artifacts/mlflow",
        "roleArn": role.outputs["arn"],
        "trackingServerSize": "Medium",
        "automaticModelRegistration": False,
        "weeklyMaintenanceWindowStart": "Sun:03:30",
        "tags": {"a": "b"},
    }
    assert str(server.inputs["trackingServerName"]).endswith("-tracking")
    assert server.protect
    assert "tracking-policy" in names(server.dependencies)
    assert one(graph, COMPONENT).outputs["serverArn"] == server.outputs["arn"]
    assert policy(role.inputs["assumeRolePolicy"])["Assume"]["Principal"] == {
        "Service": "sagemaker.amazonaws.com"
    }
    rights = policy(one(graph, ROLE_POLICY).inputs["policy"])
    assert {name: each["Resource"] for name, each in rights.items()} == {
        "ReadArtifacts": f"{BUCKET}/mlflow/*",
        "ListArtifacts": BUCKET,
        "WriteArtifacts": f"{BUCKET}/mlflow/*",
        "UseKey": KEY,
    }
