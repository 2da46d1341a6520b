"""An endpoint on Azure ML: exactly which resources, in both runs of the program that deploy it."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytest.importorskip("pulumi_azure_native", reason="needs mlops-iac[azure]")

from mlops_iac.clouds.azure.components.real_time_endpoint import (
    Limits,
    RealTimeEndpoint,
    RealTimeEndpointArgs,
    Scaling,
    Variant,
)
from mlops_iac.clouds.azure.components.serving_rights import ServingRights, ServingRightsArgs
from mlops_iac.clouds.azure.types import (
    AUTOSCALE,
    DIAGNOSTICS,
    LOG_ALARM,
    METRIC_ALARM,
    ONLINE_DEPLOYMENT,
    ONLINE_ENDPOINT,
    ROLE_ASSIGNMENT,
)
from mlops_iac.graph.model import Resource
from tests.azure.graphs import GROUP, PLACE, capture
from tests.components.capture import of_type, one, types

WORKSPACE = f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/ws1"
IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/serve"
LOGS = f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/logs"
TOLD = f"{GROUP}/providers/Microsoft.Insights/actionGroups/alerts"
NONE = "{}"


def variant(version: str | None, name: str = "main", **more: Any) -> Variant:
    return Variant(
        name=name, model="churn", version=version, instance_type="Standard_D2as_v4", **more
    )


def endpoint(*variants: Variant, live: str | None = None, **more: Any) -> list[Resource]:
    args = RealTimeEndpointArgs(
        **PLACE,
        workspace="ws1",
        workspace_id=WORKSPACE,
        identity_id=IDENTITY,
        logs_id=LOGS,
        variants=variants,
        live=live,
        **more,
    )
    return capture(lambda: RealTimeEndpoint("api", args))


def calls(graph: list[Resource]) -> tuple[dict[str, int], dict[str, int]]:
    said = one(graph, ONLINE_ENDPOINT).inputs["properties"]
    return said["traffic"], said["mirrorTraffic"]


def slots(graph: list[Resource]) -> list[str]:
    return sorted(each.inputs["deploymentName"] for each in of_type(graph, ONLINE_DEPLOYMENT))


def live(graph: list[Resource]) -> str:
    (component,) = [each for each in graph if not each.custom]
    return str(component.outputs["live"])


def test_an_endpoint_and_its_deployment() -> None:
    graph = endpoint(
        variant("3", environment="sklearn:e1", code="predict:c1", script="score.py"),
        scaling=Scaling(min=2, max=4, metric="requests_per_minute", value=600),
        protect=True,
    )
    assert types(graph) == {
        "mlops-iac:azure:RealTimeEndpoint": 1,
        ONLINE_ENDPOINT: 1,
        ONLINE_DEPLOYMENT: 1,
        AUTOSCALE: 1,
        DIAGNOSTICS: 1,
    }
    made = one(graph, ONLINE_ENDPOINT)
    assert made.protect
    assert made.inputs["properties"]["authMode"] == "AADToken"
    assert made.inputs["identity"] == {
        "type": "UserAssigned",
        "userAssignedIdentities": [IDENTITY],
    }
    deployment = one(graph, ONLINE_DEPLOYMENT)
    assert deployment.inputs["sku"] == {"name": "Default", "capacity": 2}
    said = deployment.inputs["properties"]
    assert said["model"] == f"{WORKSPACE}/models/churn/versions/3"
    assert said["environmentId"] == f"{WORKSPACE}/environments/sklearn/versions/e1"
    assert said["codeConfiguration"] == {
        "codeId": f"{WORKSPACE}/codes/predict/versions/c1",
        "scoringScript": "score.py",
    }
    assert said["scaleSettings"] == {"scaleType": "Default"}
    scaling = one(graph, AUTOSCALE).inputs
    assert scaling["targetResourceUri"] == deployment.id
    (profile,) = scaling["profiles"]
    assert profile["capacity"] == {"default": "2", "minimum": "2", "maximum": "4"}
    assert [
        (
            rule["scaleAction"]["direction"],
            rule["metricTrigger"]["threshold"],
            rule["metricTrigger"]["metricResourceUri"],
        )
        for rule in profile["rules"]
    ] == [("Increase", 600, made.id), ("Decrease", 300, made.id)]


def test_the_load_of_machines_is_measured_where_they_are() -> None:
    graph = endpoint(variant("3"), scaling=Scaling(max=2, metric="cpu_percent", value=70))
    rule, _ = one(graph, AUTOSCALE).inputs["profiles"][0]["rules"]
    trigger = rule["metricTrigger"]
    assert trigger["metricResourceUri"] == one(graph, ONLINE_DEPLOYMENT).id
    assert (trigger["metricName"], trigger["dimensions"]) == ("CpuUtilizationPercentage", [])


def test_before_a_first_version_there_is_the_endpoint_alone() -> None:
    graph = endpoint(variant(None))
    assert calls(graph) == ({}, {})
    assert slots(graph) == []
    assert types(graph)[ONLINE_ENDPOINT] == 1
    (component,) = [each for each in graph if not each.custom]
    assert component.outputs["pending"] == ["churn"]


def test_what_is_new_gets_no_calls_before_it_is_there() -> None:
    first = endpoint(variant("1"), live=NONE)
    assert (len(slots(first)), calls(first)) == (1, ({}, {}))
    before = endpoint(variant("1"))
    (old,) = slots(before)
    assert calls(before)[0] == {old: 100}

    beside = endpoint(variant("2"), live=live(before))
    assert calls(beside)[0] == {old: 100}
    kept = {
        each.inputs["deploymentName"]: each.inputs for each in of_type(beside, ONLINE_DEPLOYMENT)
    }
    assert kept[old] == one(before, ONLINE_DEPLOYMENT).inputs
    # The service changes one deployment of an endpoint at a time.
    one_of, other = of_type(beside, ONLINE_DEPLOYMENT)
    assert one_of.urn in other.dependencies or other.urn in one_of.dependencies

    after = endpoint(variant("2"))
    (new,) = slots(after)
    assert sorted((old, new)) == slots(beside)
    assert calls(after)[0] == {new: 100}


def test_a_deployment_is_named_by_what_it_is_made_of() -> None:
    (same,) = slots(endpoint(variant("1")))
    assert slots(endpoint(variant("1"), scaling=Scaling(min=3, max=3), tags={"a": "b"})) == [same]
    for other in (
        variant("2"),
        variant("1", variables={"A": "b"}),
        variant("1", environment="sklearn:e2"),
    ):
        assert slots(endpoint(other)) != [same]
    (long,) = slots(endpoint(variant("1", name="the-one-that-has-been-there-for-years")))
    assert len(long) <= 32


def test_shares_and_a_shadow() -> None:
    graph = endpoint(
        variant("1", "old", traffic_percent=90),
        variant("2", "new", traffic_percent=10),
        variant("3", "next", shadow_percent=20),
    )
    traffic, mirror = calls(graph)
    assert sorted(traffic.values()) == [10, 90]
    assert list(mirror.values()) == [20]
    assert sorted((*traffic, *mirror)) == slots(graph)


def test_alarms_on_what_the_endpoint_measures() -> None:
    limits = Limits(latency_p99_ms=250, error_rate_percent=2, action_group_id=TOLD)
    graph = endpoint(variant("1"), limits=limits)
    made = one(graph, ONLINE_ENDPOINT)
    slow = one(graph, METRIC_ALARM).inputs
    assert (slow["scopes"], slow["actions"]) == ([made.id], [{"actionGroupId": TOLD}])
    (condition,) = slow["criteria"]["allOf"]
    assert (condition["metricName"], condition["threshold"]) == ("RequestLatency_P99", 250)
    wrong = one(graph, LOG_ALARM)
    assert wrong.inputs["actions"] == {"actionGroups": [TOLD]}
    (condition,) = wrong.inputs["criteria"]["allOf"]
    assert (condition["metricMeasureColumn"], condition["threshold"]) == ("percent", 2)
    logs = one(graph, DIAGNOSTICS)
    assert logs.urn in wrong.dependencies
    assert "AmlOnlineEndpointTrafficLog" in json.dumps(logs.inputs)
    assert "AmlOnlineEndpointTrafficLog" in condition["query"]


def test_endpoints_read_images_and_models_and_no_more() -> None:
    args = ServingRightsArgs("7b0f9a52-7d3e-4b0c-9e61-0a8d2c5b7f36", f"{GROUP}/r", f"{GROUP}/s")
    given = of_type(capture(lambda: ServingRights("serving", args)), ROLE_ASSIGNMENT)
    assert {each.inputs["scope"]: each.name.rpartition("-")[2] for each in given} == {
        f"{GROUP}/r": "acrpull",
        f"{GROUP}/s": "reader",
    }


@pytest.mark.parametrize(
    ("variants", "words"),
    [
        ([variant("1", shadow_percent=10)], "no variant that answers"),
        ([variant("1", traffic_percent=60)], "do not sum to 100"),
        ([variant("1"), variant("2", "next", shadow_percent=51)], "half of the calls at most"),
    ],
)
def test_what_azure_does_not_serve(variants: list[Variant], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        endpoint(*variants)


def test_there_is_an_instance_at_least() -> None:
    with pytest.raises(ValueError, match="at least one stays"):
        Scaling(min=0, max=3)
