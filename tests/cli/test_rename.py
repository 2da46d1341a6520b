"""A deployed stack whose model, dataset and entry get other names: what is there stays there.

The tests of this module build on each other and run in the order they stand in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.harness import Cli, copy_example, environment

NAMES = (
    ("datasets:\n  schedules:", "datasets:\n  plans:"),
    ("datasets: [schedules]", "datasets: [plans]"),
    ("new_data: [schedules]", "new_data: [plans]"),
    ("models:\n  adherence:", "models:\n  punctuality:"),
    ("model: adherence", "model: punctuality"),
    ("{adherence: {promote_from: dev}}", "{punctuality: {promote_from: dev}}"),
    ("{adherence: {promote_from: staging}}", "{punctuality: {promote_from: staging}}"),
    ("serving:\n  api:", "serving:\n  web:"),
    ("    serving:\n      api:", "    serving:\n      web:"),
)
MOVED = """
moved:
  datasets.plans: datasets.schedules
  models.punctuality: models.adherence
  serving.web: serving.api
"""


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    command = Cli(copy_example(tmp_path_factory.mktemp("rename") / "project"), environment())
    yield command
    command("local", "stop", expect=None)


def client(walk: Cli, service: str) -> Any:
    import boto3

    return boto3.client(
        service,
        endpoint_url=walk("local", "status", "--json").json["endpoint"],
        region_name="eu-west-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


@pytest.fixture(scope="module")
def deployed() -> dict[str, Any]:
    """What the stack put out before anything had another name."""
    return {}


def test_a_version_is_served(walk: Cli, deployed: dict[str, Any]) -> None:
    walk("up", "--yes")
    outputs = walk("outputs", "--json").json
    client(walk, "sagemaker").create_model_package(
        ModelPackageGroupName=outputs["adherence_model_package_group"],
        ModelApprovalStatus="Approved",
        InferenceSpecification={
            "Containers": [{"Image": "image", "ModelDataUrl": "s3://bucket/models/model.tar.gz"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )
    walk("up", "--yes")
    deployed.update(walk("outputs", "--json").json)
    assert deployed["api_pending"] == []


def test_other_names_change_words_only(walk: Cli) -> None:
    path = walk.folder / "blueprint.yaml"
    text = path.read_text(encoding="utf-8")
    for old, new in NAMES:
        assert text.count(old) == 1
        text = text.replace(old, new)
    path.write_text(text + MOVED, encoding="utf-8")
    plan = walk("preview", "--json").json
    assert set(plan["changeSummary"]) <= {"same", "update"}
    changed = [step["urn"].rsplit("::", 1)[-1] for step in plan["steps"] if step["op"] != "same"]
    assert sorted(changed) == [
        "punctuality-retrain-new-plans",
        "punctuality-retrain-undelivered-alarm",
        "punctuality-training-pipeline",
        "web-monitoring-starts-undelivered-alarm",
    ]


def test_versions_are_found_before_and_after_the_rename_is_deployed(walk: Cli) -> None:
    """Before, what the stack put out goes by the former names."""
    before = versions(walk)
    walk("up", "--yes")
    assert versions(walk) == before == [("punctuality", 1, "Approved")]


def versions(walk: Cli) -> list[tuple[str, int, str]]:
    listed = walk("models", "ls", "--json").json
    return [(each["model"], each["version"], each["status"]) for each in listed]


def test_everything_is_where_it_was(walk: Cli, deployed: dict[str, Any]) -> None:
    after = walk("outputs", "--json").json
    names = {"adherence": "punctuality", "api": "web"}
    for key, value in deployed.items():
        head, _, rest = key.partition("_")
        assert after[f"{names.get(head, head)}_{rest}"] == value
    name = after["punctuality_pipeline"]
    text = client(walk, "sagemaker").describe_pipeline(PipelineName=name)["PipelineDefinition"]
    assert "/datasets/schedules/" in text
    assert json.loads(text)["Steps"][0]["Arguments"]["Environment"]["MLOPS_IAC_DATASETS"] == "plans"
    assert set(walk("preview", "--json").json["changeSummary"]) == {"same"}
