"""What a change does on Azure: replaced, refused by the service, updated, or not known."""

from __future__ import annotations

import json
from importlib.util import find_spec

import pytest

from mlops_iac.clouds.azure.cloud import AZURE
from mlops_iac.clouds.azure.knowledge import AzureKnowledge
from mlops_iac.emulators.azure import tables
from mlops_iac.emulators.azure.facts import FACTS
from mlops_iac.graph.changes import PropertyChange
from mlops_iac.graph.plan import Step

LEARNING = "azure-native:machinelearningservices:"
VERDICTS = [
    ("a name", f"{LEARNING}Workspace", "workspaceName", True, "path of the id"),
    ("a parent's name", f"{LEARNING}Schedule", "workspaceName", True, "path of the id"),
    ("what the provider's own map says", "azure-native:storage:StorageAccount", "location", True,
     "pulumi-azure-native replacement.go"),
    ("what a client's model says", "azure-native:containerregistry:Registry", "location", True,
     "azure-mgmt-containerregistry 15.0.0"),
    ("what is sent and refused", f"{LEARNING}OnlineDeployment", "properties.instanceType", False,
     "azure-ai-ml 1.35.2"),
    ("what is in what is refused", f"{LEARNING}Workspace", "encryption.status", False,
     "azure-ai-docs, concept-customer-managed-keys"),
    ("what is updated", f"{LEARNING}Workspace", "description", False, "azure-ai-ml 1.35.2"),
    ("tags, of whatever", "azure-native:monitor:ActionGroup", "tags.a", False,
     "pulumi-azure-native 3.29.0"),
    ("what nobody was asked of", "azure-native:monitor:MetricAlert", "severity", None, ""),
    ("what is no property", f"{LEARNING}Workspace", "colour", None, ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("case", "type_", "path", "replaces", "source"), VERDICTS, ids=[each[0] for each in VERDICTS]
)
def test_verdicts(case: str, type_: str, path: str, replaces: bool | None, source: str) -> None:
    assert FACTS.replaces(type_, path) == (replaces, source)
    fact = FACTS.properties(type_).get(path)
    if replaces is not None and "." not in path:
        assert fact is not None
        assert fact.replaces is replaces


def step(type_: str, path: str, op: str = "update") -> Step:
    change = PropertyChange(path, "update", 1, 2)
    return Step(op, f"urn:pulumi:s::p::{type_}::n", type_, "n", changes=[change])  # type: ignore[arg-type]


def test_a_review_is_told_what_the_service_will_refuse() -> None:
    kinds = f"{LEARNING}OnlineDeployment"
    steps = [
        step(kinds, "properties.codeConfiguration.scoringScript"),
        step(kinds, "properties.requestSettings.maxQueueWait"),
        step(kinds, "properties.instanceType", "replace"),
        step(f"{LEARNING}Workspace", "location"),
    ]
    found = [*AzureKnowledge().refused(steps)]
    assert [each for each, _ in found] == [steps[0], steps[3]]
    assert found[0][1].startswith(
        "properties.codeConfiguration.scoringScript can only be said when"
    )


@pytest.mark.parametrize(
    ("property_", "value", "kind"),
    [
        ("allowSharedKeyAccess", True, "wider-permission"),
        ("publicNetworkAccess", "Enabled", "network-opening"),
        ("allowSharedKeyAccess", False, None),
    ],
)
def test_what_opens_something_is_a_risk(property_: str, value: object, kind: str | None) -> None:
    account = step("azure-native:storage:StorageAccount", property_)
    risks = [each for each, _ in AzureKnowledge().risks(account, [(property_, None, value)])]
    assert risks == ([kind] if kind else [])


def test_every_type_of_the_knowledge_is_in_the_tables() -> None:
    assert AZURE.knowledge.types.keys() <= set(tables.types())
    for token, facts in AZURE.knowledge.types.items():
        assert facts.tagged or not facts.precious, token


def test_every_path_of_a_fact_is_a_property() -> None:
    for type_ in tables.types():
        row = tables.row(type_)
        assert row is not None
        for path in (*row.replaces, *row.refused, *row.places):
            assert path.partition(".")[0] in row.inputs, (type_, path)


@pytest.mark.skipif(find_spec("pulumi_azure_native") is None, reason="needs mlops-iac[azure]")
def test_the_tables_are_those_of_the_sdk() -> None:
    """Of two modules: what the rest says, too, is made by `python -m tools.azure_facts`."""
    from tools.azure_facts.schema import Module

    for name in ("resources", "storage"):
        written = json.loads((tables.FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        module = Module(name)
        for short, told in written["resources"].items():
            assert module.resource(short).items() <= told.items(), short
            assert module.api_version(short) == told["version"]
        for short, told in written["types"].items():
            assert module.types[short]["fields"] == told["fields"], short
        assert module.enums == written["enums"]


def test_instances_are_paid_for_from_the_moment_they_are_there() -> None:
    made = Step("create", "urn:pulumi:s::p::t::n", f"{LEARNING}OnlineDeployment", "n")
    made.new_inputs.update(
        {"sku": {"capacity": 2}, "properties": {"instanceType": "Standard_D2as_v4"}}
    )
    assert [*AzureKnowledge().always_on(made)] == ["2 × Standard_D2as_v4"]


@pytest.mark.parametrize(("kind", "name"), [("onlineEndpoints", "flowers"), ("computes", "")])
def test_an_alarm_watches_the_endpoint_of_its_scope(kind: str, name: str) -> None:
    at = f"/subscriptions/s/resourceGroups/g/providers/{LEARNING}/workspaces/ws/{kind}/flowers"
    alarm = Step("delete", "urn:pulumi:s::p::t::n", "azure-native:monitor:MetricAlert", "n")
    alarm.old_inputs.update({"scopes": [at]})
    assert AzureKnowledge().watches(alarm) == name
