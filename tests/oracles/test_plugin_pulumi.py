"""The real engine and CLI drive the emulated AWS through the served provider."""

from __future__ import annotations

import pytest

from mlops_iac.emulators.aws import server
from tests.oracles.pulumi_cli import NEEDED, Pulumi

pytestmark = NEEDED

PROGRAM = """
import json
import pulumi
import pulumi_aws as aws

config = pulumi.Config()
account = aws.get_caller_identity_output()
bucket = aws.s3.Bucket("data", tags={"owner": config.get("owner") or "a"}, force_destroy=True)
aws.s3.BucketVersioning(
    "data-versioning",
    bucket=bucket.id,
    versioning_configuration={"status": "Enabled"},
)
trust = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
role = aws.iam.Role(
    "exec", assume_role_policy=json.dumps(trust), path=config.get("path") or "/mlops/"
)
aws.iam.RolePolicy(
    "exec-policy",
    role=role.name,
    policy=pulumi.Output.json_dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "s3:GetObject",
                    "Resource": pulumi.Output.concat(bucket.arn, "/*"),
                }
            ],
        }
    ),
)
secret = config.require_secret("token")
aws.s3.BucketObjectv2("note", bucket=bucket.id, key="note.txt", content=secret)
aws.s3.BucketObjectv2(
    "file", bucket=bucket.id, key="file.txt", source=pulumi.FileAsset("Pulumi.yaml")
)
pulumi.export("bucket", bucket.bucket)
pulumi.export("role", role.arn)
pulumi.export("account", account.account_id)
"""


@pytest.fixture(scope="module")
def emulator(tmp_path_factory):
    work = tmp_path_factory.mktemp("cli") / ".mlops-iac"
    info = server.AwsServer(work).ensure()
    yield info
    server.AwsServer(work).stop()


@pytest.fixture(scope="module")
def pulumi(emulator, tmp_path_factory):
    """The CLI in a project with a stack `local`."""
    from mlops_iac.emulators.aws.provider import AwsProvider
    from mlops_iac.emulators.plugin import serve

    program = tmp_path_factory.mktemp("program")
    (program / "Pulumi.yaml").write_text("name: emulated\nruntime: python\n")
    (program / "__main__.py").write_text(PROGRAM)
    with serve(AwsProvider(emulator.url), program) as served:
        cli = Pulumi(program, tmp_path_factory.mktemp("home"), served.environment)
        made(cli, "local")
        yield cli


def made(pulumi, stack):
    pulumi("stack", "init", stack)
    settings = ("--plaintext", "aws:region=eu-west-1", "--secret", "token=very-secret-text")
    pulumi("config", "set-all", "-s", stack, *settings)


def test_up_nothing_to_do_update_replace_destroy(pulumi, emulator):
    pulumi("up", "--yes", "--skip-preview")
    outputs = pulumi.json("stack", "output")
    assert outputs["account"] == "123456789012"
    assert outputs["role"].startswith("arn:aws:iam::123456789012:role/mlops/exec-")

    s3 = server.client("s3", emulator)
    tags = s3.get_bucket_tagging(Bucket=outputs["bucket"])["TagSet"]
    assert tags == [{"Key": "owner", "Value": "a"}]
    body = s3.get_object(Bucket=outputs["bucket"], Key="note.txt")["Body"].read()
    assert body == b"very-secret-text"
    assert "very-secret-text" not in pulumi("stack", "export")

    preview = pulumi.json("preview", "--expect-no-changes")
    assert set(preview["changeSummary"]) == {"same"}

    pulumi("config", "set-all", "--plaintext", "owner=b", "--plaintext", "path=/other/")
    preview = pulumi.json("preview")
    steps = {step["urn"].rsplit("::", 1)[-1]: step["op"] for step in preview["steps"]}
    assert steps["data"] == "update"
    assert steps["exec"] in ("replace", "create-replacement", "delete-replaced")
    assert steps.get("data-versioning", "same") == "same"
    pulumi("up", "--yes", "--skip-preview")
    assert s3.get_bucket_tagging(Bucket=outputs["bucket"])["TagSet"][0]["Value"] == "b"

    s3.put_bucket_tagging(
        Bucket=outputs["bucket"], Tagging={"TagSet": [{"Key": "owner", "Value": "drifted"}]}
    )
    pulumi("refresh", "--yes", "--skip-preview")
    preview = pulumi.json("preview")
    assert preview["changeSummary"]["update"] == 1

    pulumi("destroy", "--yes", "--skip-preview")
    names = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    assert outputs["bucket"] not in names


def test_any_other_stack_is_refused(pulumi):
    made(pulumi, "prod")
    said = pulumi("preview", "-s", "prod", ok=False)
    assert "serves the stack 'local' alone, not 'prod'" in said


def test_a_refused_input_is_told_by_name(pulumi):
    (pulumi.program / "__main__.py").write_text(
        "import pulumi, pulumi_aws as aws\n"
        "aws.iam.Role('r', assume_role_policy='{}', max_session_duration=60)\n"
    )
    said = pulumi("up", "-s", "local", "--yes", "--skip-preview", ok=False)
    assert "MaxSessionDuration: at least 3600, not 60" in said
    # The language host may print one of its own when the engine hangs up; ours must not be in it.
    assert "emulators/" not in said
