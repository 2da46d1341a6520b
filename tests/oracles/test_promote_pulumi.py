"""Promotion with the real Pulumi CLI: the state in a backend of files, the registry on moto."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.harness import Cli, copy_example, environment
from tests.oracles.pulumi_cli import NEEDED

pytestmark = NEEDED

GROUP = "schedule-adherence-dev-adherence"
KEYS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[Cli]:
    """The example with dev in moto's account, and a backend of its own."""
    project = copy_example(tmp_path / "project")
    path = project / "blueprint.yaml"
    path.write_text(path.read_text().replace("account: 012345678901", "account: 123456789012"))
    (tmp_path / "backend").mkdir()
    command = Cli(
        project,
        {
            **environment(),
            "PULUMI_BACKEND_URL": (tmp_path / "backend").as_uri(),
            "PULUMI_HOME": str(tmp_path / "home"),
            "PULUMI_CONFIG_PASSPHRASE": "x",
        },
    )
    command("compile")
    command("local", "start")
    yield command
    command("local", "stop", expect=None)


def register(endpoint: str, status: str) -> str:
    import boto3

    client = boto3.client(
        "sagemaker",
        endpoint_url=endpoint,
        region_name="eu-west-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    groups = client.list_model_package_groups()["ModelPackageGroupSummaryList"]
    if not groups:
        client.create_model_package_group(ModelPackageGroupName=GROUP)
    answer = client.create_model_package(ModelPackageGroupName=GROUP, ModelApprovalStatus=status)
    return str(answer["ModelPackageArn"])


def deploy(cli: Cli, stack: str, package: str) -> None:
    """Write a state that says that the stack runs this version."""
    urn = f"urn:pulumi:{stack}::schedule-adherence"
    resources: list[dict[str, Any]] = [
        {
            "urn": f"{urn}::pulumi:pulumi:Stack::schedule-adherence-{stack}",
            "custom": False,
            "type": "pulumi:pulumi:Stack",
        },
        {
            "urn": f"{urn}::aws:sagemaker/model:Model::api-main-model",
            "custom": True,
            "id": "api-main-model",
            "type": "aws:sagemaker/model:Model",
            "inputs": {"primaryContainer": {"modelPackageName": package}},
        },
    ]
    latest = {"manifest": {"time": "2026-11-21T00:00:00Z", "magic": "", "version": ""}}
    checkpoint = {
        "stack": f"organization/schedule-adherence/{stack}",
        "latest": {**latest, "resources": resources},
    }
    root = cli.folder.parent / "backend" / ".pulumi"
    folder = root / "stacks" / "schedule-adherence"
    folder.mkdir(parents=True, exist_ok=True)
    (root / "meta.yaml").write_text("version: 1\n")
    (folder / f"{stack}.json").write_text(json.dumps({"version": 3, "checkpoint": checkpoint}))


def test_from_a_backend_and_a_registry_to_a_pin(cli: Cli) -> None:
    path = cli.folder / "blueprint.yaml"
    before = path.read_text()
    endpoint = cli("local", "status", "--json").json["endpoint"]
    register(endpoint, "Approved")
    newest = register(endpoint, "PendingManualApproval")
    words = ("promote", "--from", "staging", "--to", "prod", "--yes")
    cloud = {**KEYS, "AWS_ENDPOINT_URL": endpoint}
    assert "staging runs no version of adherence yet" in cli(*words, expect=2, **cloud).err
    deploy(cli, "staging", newest)
    assert "PendingManualApproval, not approved" in cli(*words, expect=2, **cloud).err
    assert "sign in" in cli(*words, expect=3, HOME=str(cli.folder)).err
    assert path.read_text() == before
    deploy(cli, "staging", newest.replace("/2", "/1"))
    answer = cli(*words, "--json", **cloud).json
    assert [pin["version"] for pin in answer["pins"]] == ["1"]
    assert path.read_text() == before.replace(
        "{promote_from: staging}", "{promote_from: staging, version: 1}"
    )


def test_a_stack_with_resources_is_not_removed(cli: Cli) -> None:
    path = cli.folder / "blueprint.yaml"
    before = path.read_text()
    deploy(cli, "prod", f"arn:aws:sagemaker:eu-west-1:123456789012:model-package/{GROUP}/1")
    refused = cli("stack", "rm", "prod", "--yes", "--force", expect=2)
    assert "the stack prod still has 1 resource(s)" in refused.err
    assert path.read_text() == before
    path.write_text(before[: before.index("  prod:\n")])
    assert "would be dropped" in cli("compile", expect=2).err
    (cli.folder.parent / "backend/.pulumi/stacks/schedule-adherence/prod.json").unlink()
    dropped = cli("compile").err
    assert "removed stacks/schedule-adherence/Pulumi.prod.yaml" in dropped
    assert ", 2 removed; stacks dev, staging" in dropped
    assert not (cli.folder / "stacks/schedule-adherence/Pulumi.prod.yaml").exists()
    path.write_text(before)
    cli("compile")
    assert "removed prod" in cli("stack", "rm", "prod", "--yes").err
    assert "prod:" not in path.read_text()
