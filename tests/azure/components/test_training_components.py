"""What trains on Azure: exactly which resources, with which settings; what makes another version."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("pulumi_azure_native", reason="needs mlops-iac[azure]")

from pulumi import StringAsset

from mlops_iac.clouds.azure.components.jobs import Jobs, JobsArgs, Machine
from mlops_iac.clouds.azure.components.registry import Registry, RegistryArgs
from mlops_iac.clouds.azure.components.training import Environment, Training, TrainingArgs
from mlops_iac.clouds.azure.types import (
    CODE,
    CODE_VERSION,
    COMPONENT,
    COMPUTE,
    DATASTORE,
    ENVIRONMENT,
    MODEL,
    ROLE_ASSIGNMENT,
)
from mlops_iac.graph.model import Resource
from tests.azure.graphs import GROUP, PLACE, capture
from tests.components.capture import of_type, one, types

WORKSPACE = f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/work"
PLANES = ("train", "register")
JOBS = JobsArgs(
    **PLACE,
    workspace="work",
    account="acc",
    scopes={each: f"{GROUP}/{each}" for each in ("artifacts", "registry", "workspace")},
    identities={each: f"{GROUP}/identities/{each}" for each in PLANES},
    principals=dict.fromkeys(PLANES, "7b0f9a52-7d3e-4b0c-9e61-0a8d2c5b7f36"),
    machines={
        "a-prepare": Machine("train", "Standard_D2ds_v4"),
        "a-train": Machine("train", "Standard_D2ds_v4", nodes=4),
        "b-train": Machine("train", "Standard_D2ds_v4", low_priority=True),
        "a-register": Machine("register", "Standard_D2ds_v4"),
    },
)


def jobs() -> tuple[list[Resource], dict[str, str]]:
    clusters: dict[str, str] = {}
    found = capture(lambda: clusters.update(Jobs("jobs", JOBS).clusters))
    return found, clusters


def test_machines_that_are_alike_are_one_cluster_with_one_identity() -> None:
    found, clusters = jobs()
    assert types(found) == {"mlops-iac:azure:Jobs": 1, COMPUTE: 3, DATASTORE: 1, ROLE_ASSIGNMENT: 5}
    made = {each.inputs["computeName"]: each.inputs for each in of_type(found, COMPUTE)}
    assert clusters["a-prepare"] == clusters["a-train"] != clusters["b-train"]
    assert set(clusters.values()) == set(made)
    assert all(len(name) <= 24 for name in made)
    train = made[clusters["a-train"]]
    assert train["identity"] == {
        "type": "UserAssigned",
        "userAssignedIdentities": [f"{GROUP}/identities/train"],
    }
    assert train["properties"]["properties"]["scaleSettings"] == {
        "minNodeCount": 0,
        "maxNodeCount": 4,
        "nodeIdleTimeBeforeScaleDown": "PT5M",
    }
    priorities = {
        key: made[name]["properties"]["properties"]["vmPriority"] for key, name in clusters.items()
    }
    assert priorities["b-train"] == "LowPriority"
    assert priorities["a-register"] == "Dedicated"


def test_who_trains_does_not_register() -> None:
    roles = [each.name for each in of_type(jobs()[0], ROLE_ASSIGNMENT)]
    assert sorted(roles) == [
        "jobs-register-artifacts-storage-blob-data-reader",
        "jobs-register-registry-acrpull",
        "jobs-register-workspace-azureml-data-scientist",
        "jobs-train-artifacts-storage-blob-data-contributor",
        "jobs-train-registry-acrpull",
    ]
    store = one(jobs()[0], DATASTORE).inputs["properties"]
    assert store["credentials"] == {"credentialsType": "None"}


DEFINITION: dict[str, Any] = {
    "components": {
        "train": {
            "name": "m_train",
            "code": "azureml:${code_id}",
            "environment": "azureml:${environment_train}",
        }
    },
    "pipeline": {
        "name": "m",
        "jobs": {"train": {"computeId": "${cluster_train}", "componentId": "${component_train}"}},
    },
    "job": {"componentId": "${pipeline_id}", "inputs": {"d": {"uri": "${dataset_uri_d}"}}},
}
TRAINING = TrainingArgs(
    group="project-stack",
    workspace="work",
    workspace_id=WORKSPACE,
    account="acc",
    model="m",
    definition=json.dumps(DEFINITION),
    code=StringAsset("code"),
    environments={
        "train": Environment("mcr.example/base:1", "torch==2.9.*"),
        "try": Environment("mcr.example/base:1", "torch==2.9.*"),
        "prepare": Environment("own.azurecr.io/x@sha256:1"),
    },
    clusters={"train": "train-1"},
    values={"dataset_uri_d": "azureml://d"},
)


def training(**changed: Any) -> list[Resource]:
    return capture(lambda: Training("m-training", replace(TRAINING, **changed)))


def versions(found: list[Resource]) -> dict[str, str]:
    return {
        each.name.removeprefix("m-training-"): each.inputs["version"]
        for each in found
        if "version" in each.inputs
    }


def test_a_training_is_code_environments_and_a_pipeline_of_components() -> None:
    found = training()
    assert types(found) == {
        "mlops-iac:azure:Training": 1,
        CODE: 1,
        CODE_VERSION: 1,
        ENVIRONMENT: 2,
        COMPONENT: 2,
    }
    code = one(found, CODE_VERSION).inputs
    uri = f"https://acc.blob.core.windows.net/artifacts/code/m/{code['version']}/"
    assert code["properties"]["codeUri"] == uri
    conda = {
        each.name.rpartition("-")[2]: each.inputs["properties"].get("condaFile")
        for each in of_type(found, ENVIRONMENT)
    }
    assert '- "torch==2.9.*"' in str(conda["train"])
    assert conda["prepare"] is None
    by_name = {each.name: each.inputs["properties"] for each in of_type(found, COMPONENT)}
    spec = by_name["m-training-train"]["componentSpec"]
    assert spec["code"].startswith(f"azureml:{GROUP}/providers/Microsoft.MachineLearningServices/")
    node = by_name["m-training-pipeline"]["componentSpec"]["jobs"]["train"]
    assert node["computeId"] == f"{WORKSPACE}/computes/train-1"


# What is changed → what gets another version; what is not named stays what it was.
CHANGES: list[tuple[dict[str, Any], set[str]]] = [
    ({"code": StringAsset("other")}, {"code-version", "train", "pipeline"}),
    ({"clusters": {"train": "train-2"}}, {"pipeline"}),
    (
        {"environments": {**TRAINING.environments, "prepare": Environment("own.azurecr.io/y")}},
        {"environment-prepare", "train", "pipeline"},
    ),
    ({"values": {"dataset_uri_d": "azureml://e"}, "tags": {"a": "b"}}, set()),
]


@pytest.mark.parametrize(("changed", "anew"), CHANGES)
def test_what_a_version_is_made_of_makes_another_one(
    changed: dict[str, Any], anew: set[str]
) -> None:
    before, after = versions(training()), versions(training(**changed))
    assert {name for name, version in after.items() if before[name] != version} == anew


def test_a_placeholder_without_a_value_is_told_before_anything_is_deployed() -> None:
    with pytest.raises(
        Exception, match="the definition's placeholders dataset_uri_d have no value"
    ):
        training(values={})


def test_nothing_is_made_before_its_datasets_are_there() -> None:
    assert types(training(values={"dataset_uri_d": None})) == {"mlops-iac:azure:Training": 1}


def test_a_registry_is_protected_and_says_what_it_is() -> None:
    args = RegistryArgs("project-stack", "work", "m", description="tells irises apart")
    model = one(capture(lambda: Registry("registry", args)), MODEL)
    assert (model.inputs["name"], model.inputs["properties"]["description"]) == (
        "m",
        "tells irises apart",
    )
