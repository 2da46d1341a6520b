"""From nothing to predictions and back, as a newcomer walks it: one project, command by command.

The tests of this module build on each other and run in the order they stand in.
"""

from __future__ import annotations

import getpass
import json
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.harness import Cli, copy_example, environment, teach_nothing


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """It trains in earnest, the classifier that is soon done."""
    command = Cli(copy_example(tmp_path_factory.mktemp("journey") / "project"), environment())
    change(command, "cv_folds: 5, search: random", "cv_folds: 2, classifier: logistic_regression")
    yield command
    command("local", "stop", expect=None)


@pytest.fixture(scope="module")
def aws(walk: Cli) -> Any:
    """boto3, as a user would point it at the emulated cloud."""
    import boto3

    endpoint = walk("local", "status", "--json").json["endpoint"]

    def client(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=endpoint,
            region_name="eu-west-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )

    return client


def change(walk: Cli, old: str, new: str) -> None:
    path = walk.folder / "blueprint.yaml"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_the_first_preview_creates_everything_and_starts_nothing(walk: Cli) -> None:
    answer = walk("preview", "--json")
    assert set(answer.json["changeSummary"]) == {"create"}
    assert not (walk.folder / ".mlops-iac" / "emulator").exists()


def test_up_deploys_the_stack_without_an_endpoint(walk: Cli) -> None:
    answer = walk("up", "--yes")
    assert "waits for a first approved version: api" in answer.err
    assert "mlops-iac run" in answer.err


def test_what_was_deployed_is_there_for_boto3(walk: Cli, aws: Any) -> None:
    outputs = walk("outputs", "--json").json
    s3 = aws("s3")
    for key in ("data_bucket", "artifacts_bucket", "captures_bucket"):
        bucket = outputs[key]
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
        rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
        assert rules["Rules"][0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
        assert all(
            s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values()
        )
    listed = s3.list_objects_v2(Bucket=outputs["data_bucket"])["Contents"]
    assert [item["Size"] for item in listed if item["Key"].endswith("schedule_management.csv")]
    pipeline = aws("sagemaker").describe_pipeline(PipelineName=outputs["adherence_pipeline"])
    names = [step["Name"] for step in json.loads(pipeline["PipelineDefinition"])["Steps"]]
    assert "${" not in pipeline["PipelineDefinition"]
    assert {"Prepare", "Train", "Evaluate"} <= set(names)
    assert aws("sagemaker").list_endpoints()["Endpoints"] == []


def test_a_second_up_changes_nothing(walk: Cli) -> None:
    answer = walk("up", "--yes", "--json").json
    assert set(answer["summary"]) <= {"same"}
    walk("preview", "--expect-no-changes")


def test_a_failed_gate_registers_nothing_and_says_which_number_missed(walk: Cli, aws: Any) -> None:
    change(walk, "{at_least: 0.75}", "{at_least: 0.999}")
    workload = walk.folder / "workload"
    kept = workload.rename(walk.folder / "kept")
    shutil.copytree(kept, workload)
    teach_nothing(walk.folder)
    walk("up", "--yes")
    answer = walk("run", expect=1)
    assert "accuracy is" in answer.err
    assert "must be at least 0.999" in answer.err
    assert walk("models", "ls", "--json").json == []
    shutil.rmtree(workload)
    kept.rename(workload)
    change(walk, "{at_least: 0.999}", "{at_least: 0.75}")
    walk("up", "--yes")


def test_run_trains_and_registers_a_version_that_waits(walk: Cli) -> None:
    result = walk("run", "--json").json
    assert result["status"] == "registered"
    assert 0.75 <= result["metrics"]["accuracy"] <= 1
    [version] = walk("models", "ls", "--json").json
    assert (version["model"], version["version"]) == ("adherence", 1)
    assert version["status"] == "PendingManualApproval"
    assert version["metrics"]["accuracy"] == result["metrics"]["accuracy"]
    walk("preview", "--expect-no-changes")


def test_an_approval_completes_the_endpoint_with_the_next_up(walk: Cli, aws: Any) -> None:
    walk("models", "approve", "adherence", "1", "--comment", "looks right")
    shown = walk("models", "show", "1", "--json").json
    assert shown["comment"] == "looks right"
    assert shown["details"]["CustomerMetadataProperties"]["examples"].endswith("/examples.json")
    planned = walk("preview", "--json").json["changeSummary"]
    assert planned["create"] >= 5
    walk("up", "--yes")
    outputs = walk("outputs", "--json").json
    client = aws("sagemaker")
    endpoint = client.describe_endpoint(EndpointName=outputs["api_endpoint"])
    assert endpoint["EndpointStatus"] == "InService"
    config = client.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    [variant] = config["ProductionVariants"]
    assert variant["InstanceType"] == "ml.m5.xlarge"
    assert variant["InitialInstanceCount"] == 1
    model = client.describe_model(ModelName=variant["ModelName"])
    containers = model.get("Containers") or [model["PrimaryContainer"]]
    assert containers[0]["ModelPackageName"].endswith("/1")
    scaling = aws("application-autoscaling")
    [target] = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 4)
    walk("preview", "--expect-no-changes")


def test_what_serves_predicts_as_the_services_own_clients_say(walk: Cli, aws: Any) -> None:
    answer = walk("invoke", "--first", "2", "--json").json
    assert {*answer["predictions"]} <= {0, 1} and answer["variant"] == "main"
    assert len(answer["predictions"]) == 2 and "schedule_adherence" not in answer["rows"][0]
    body = json.dumps({"instances": answer["rows"]})
    said = aws("sagemaker-runtime").invoke_endpoint(
        EndpointName=answer["endpoint"], Body=body, ContentType="application/json"
    )
    assert json.loads(said["Body"].read())["predictions"] == answer["predictions"]
    [entry] = walk("local", "status", "--json").json["entries"]
    request = urllib.request.Request(
        entry["url"], entry["body"].encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as plain:
        assert json.load(plain)["predictions"] == answer["predictions"][:1]


def test_an_endpoint_that_somebody_deleted_is_told_with_the_way_back(walk: Cli, aws: Any) -> None:
    [entry] = walk("status", "--json").json["entries"]
    aws("sagemaker").delete_endpoint(EndpointName=entry["endpoint"])
    assert walk("status", "--json").json["next"] == ["mlops-iac refresh", "mlops-iac up"]
    assert "is gone" in walk("up", "--yes").err
    assert (
        "api is not in service: schedule-adherence-local-api is gone"
        in walk("invoke", expect=4).err
    )
    [note] = walk("up", "--yes", "--json").json["notes"]
    assert "`mlops-iac refresh`, then `mlops-iac up`" in note
    walk("refresh")
    walk("up", "--yes")
    assert walk("status", "--json").json["entries"][0]["state"] == "InService"


def test_a_changed_size_replaces_the_configuration_and_says_why(walk: Cli) -> None:
    change(walk, "    compute: {size: medium}\n", "    compute: {size: large}\n")
    answer = walk("preview")
    assert "± sagemaker.EndpointConfiguration/" in answer.out
    assert "forces replacement (hashicorp/aws" in answer.out
    assert "~ sagemaker.Endpoint/" in answer.out
    # AWS changes no instance type while the endpoint scales by itself: told, and the way is gone.
    refused = walk("up", "--yes", expect=2)
    assert "`scaling.max` equal to `scaling.min`" in refused.err
    change(walk, "    compute: {size: large}\n", "    compute: {size: medium}\n")
    change(walk, "scaling: {min: 1, max: 4", "scaling: {min: 1, max: 1")
    walk("up", "--yes")
    change(walk, "    compute: {size: medium}\n", "    compute: {size: large}\n")
    change(walk, "scaling: {min: 1, max: 1", "scaling: {min: 1, max: 4")
    walk("up", "--yes")
    walk("preview", "--expect-no-changes")


def test_status_tells_what_is_deployed(walk: Cli) -> None:
    report = walk("status", "--json").json
    types = {row["type"] for row in report["resources"]}
    assert "aws:sagemaker/endpoint:Endpoint" in types
    assert report["pending"] == []
    [entry] = report["entries"]
    [variant] = entry["variants"]
    assert (entry["name"], entry["state"], entry["trouble"]) == ("api", "InService", "")
    assert (variant["percent"], variant["model"], variant["version"]) == (100, "adherence", "1")
    assert (variant["comment"], variant["by"]) == ("looks right", getpass.getuser())
    assert (entry["serves"], entry["missing"]) == (True, "")
    assert f" by {getpass.getuser()}: looks right" in walk("models", "ls").out
    assert variant["run"] == report["models"][0]["last_run"]["id"]
    assert variant["metrics"]["accuracy"] >= 0.75
    assert report["models"][0]["waiting"] == report["next"] == report["notes"] == []
    answer = walk("status")
    assert "api  InService (emulated) since " in answer.out
    assert "main 100 %  adherence/1  approved " in answer.out
    assert "s3.Bucket/data-data" not in answer.out
    assert "s3.Bucket/data-data" in walk("status", "--resources").out


def test_what_vanished_is_noticed_and_made_again(walk: Cli, aws: Any) -> None:
    name = walk("outputs", "adherence_pipeline", "--json").json
    aws("sagemaker").delete_pipeline(PipelineName=name, ClientRequestToken="x" * 32)
    seen = walk("refresh", "--json").json
    assert [item["urn"].split("::")[-1] for item in seen["changed"]] == [
        "adherence-training-pipeline"
    ]
    walk("up", "--yes")
    assert aws("sagemaker").describe_pipeline(PipelineName=name)["PipelineName"] == name


def test_an_emulator_that_died_is_noticed_and_everything_made_again(walk: Cli) -> None:
    walk("local", "stop")
    plan = walk("preview")
    assert "lost" in plan.err
    answer = walk("status")
    assert "api  state not known" in answer.out
    assert answer.err.splitlines()[-1] == "next: mlops-iac up"
    answer = walk("invoke", expect=2)
    assert "the emulated cloud was stopped, and lost what it held" in answer.err
    assert "`mlops-iac up`" in answer.err
    walk("up", "--yes")
    walk("preview", "--expect-no-changes")


def test_destroy_leaves_nothing(walk: Cli, aws: Any) -> None:
    walk("destroy", "--yes")
    assert walk("status", "--json").json["resources"] == []
    assert walk("destroy", "--yes", "--json").json["summary"] == {}


def test_secrets_and_clear_configuration_are_not_in_the_state(walk: Cli) -> None:
    for path in (walk.folder / ".mlops-iac" / "state").glob("*.json"):
        assert "standin-" not in path.read_text(encoding="utf-8")
        assert Path(path).stat().st_size > 0
