"""The real engine and CLI drive the emulated AWS through the served provider."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_iac.emulators.aws import server

pytestmark = [
    pytest.mark.pulumi_cli,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="no pulumi on PATH"),
]

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


class Cli:
    """The CLI in a project with a file backend."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        (folder / "state").mkdir()
        (folder / "Pulumi.yaml").write_text(
            f"name: emulated\nruntime:\n  name: python\n  options:\n    toolchain: pip\n"
            f"    virtualenv: {Path(sys.executable).parents[1]}\n"
        )
        (folder / "__main__.py").write_text(PROGRAM)
        self.environment = {
            **os.environ,
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "x",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            **environment,
        }

    def run(self, *arguments: str, ok: bool = True) -> str:
        done = subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (done.returncode == 0) is ok, done.stdout + done.stderr
        return done.stdout if ok else done.stdout + done.stderr


@pytest.fixture(scope="module")
def emulator(tmp_path_factory):
    work = tmp_path_factory.mktemp("cli") / ".mlops-iac"
    info = server.AwsServer(work).ensure()
    yield info
    server.AwsServer(work).stop()


@pytest.fixture
def served(emulator, tmp_path):
    from mlops_iac.emulators.aws.provider import AwsProvider
    from mlops_iac.emulators.plugin import serve

    with serve(AwsProvider(emulator.url), tmp_path) as plugin:
        yield plugin


def started(tmp_path, served, stack):
    cli = Cli(tmp_path, served.environment)
    cli.run("stack", "init", stack)
    cli.run("config", "set", "aws:region", "eu-west-1")
    cli.run("config", "set", "--secret", "token", "very-secret-text")
    return cli


def test_up_nothing_to_do_update_replace_destroy(tmp_path, served, emulator):
    cli = started(tmp_path, served, "local")
    cli.run("up", "--yes", "--skip-preview")
    outputs = json.loads(cli.run("stack", "output", "--json"))
    assert outputs["account"] == "123456789012"
    assert outputs["role"].startswith("arn:aws:iam::123456789012:role/mlops/exec-")

    s3 = server.client("s3", emulator)
    tags = s3.get_bucket_tagging(Bucket=outputs["bucket"])["TagSet"]
    assert tags == [{"Key": "owner", "Value": "a"}]
    body = s3.get_object(Bucket=outputs["bucket"], Key="note.txt")["Body"].read()
    assert body == b"very-secret-text"
    assert "very-secret-text" not in cli.run("stack", "export")

    preview = json.loads(cli.run("preview", "--json", "--expect-no-changes"))
    assert set(preview["changeSummary"]) == {"same"}

    cli.run("config", "set", "owner", "b")
    cli.run("config", "set", "path", "/other/")
    preview = json.loads(cli.run("preview", "--json"))
    steps = {step["urn"].rsplit("::", 1)[-1]: step["op"] for step in preview["steps"]}
    assert steps["data"] == "update"
    assert steps["exec"] in ("replace", "create-replacement", "delete-replaced")
    assert steps.get("data-versioning", "same") == "same"
    cli.run("up", "--yes", "--skip-preview")
    assert s3.get_bucket_tagging(Bucket=outputs["bucket"])["TagSet"][0]["Value"] == "b"

    s3.put_bucket_tagging(
        Bucket=outputs["bucket"], Tagging={"TagSet": [{"Key": "owner", "Value": "drifted"}]}
    )
    cli.run("refresh", "--yes")
    preview = json.loads(cli.run("preview", "--json"))
    assert preview["changeSummary"]["update"] == 1

    cli.run("destroy", "--yes")
    names = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    assert outputs["bucket"] not in names


def test_any_other_stack_is_refused(tmp_path, served):
    cli = started(tmp_path, served, "prod")
    said = cli.run("preview", ok=False)
    assert "serves the stack 'local' alone, not 'prod'" in said


def test_a_refused_input_is_told_by_name(tmp_path, served):
    cli = started(tmp_path, served, "local")
    program = cli.folder / "__main__.py"
    program.write_text(
        "import pulumi, pulumi_aws as aws\n"
        "aws.iam.Role('r', assume_role_policy='{}', max_session_duration=60)\n"
    )
    said = cli.run("up", "--yes", "--skip-preview", ok=False)
    assert "MaxSessionDuration: at least 3600, not 60" in said
    # The language host may print one of its own when the engine hangs up; ours must not be in it.
    assert "emulators/" not in said
