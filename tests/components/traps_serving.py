"""Faults of endpoints and their alarms (see `traps.py`)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.components.traps_graph import (
    ALARM,
    CONFIGURATION,
    ENDPOINT,
    KEY_ARN,
    MODEL,
    ROLE_POLICY,
    SCALING,
    Graph,
    rollback,
)


def replacements(graph: Graph) -> Iterator[str]:
    """4: nothing whose change replaces an endpoint or a registry is left out or can change."""
    for each in graph.of(ENDPOINT):
        if not rollback(each):
            yield f"{each.name} has no automatic rollback from the first version on"
    for each in graph.of("aws:sagemaker/modelPackageGroup:ModelPackageGroup"):
        text = each.inputs.get("modelPackageGroupDescription")
        ignored = "modelPackageGroupDescription" in each.ignore_changes
        if text != "Versions of one model, registered by its training pipeline" and not ignored:
            yield f"{each.name}: the description is not constant"


def names(graph: Graph) -> Iterator[str]:
    """5: variant names are constants, configurations have a prefix, models are versions."""
    for each, variant in graph.variants:
        if not variant.get("variantName"):
            yield f"{each.name}: a variant without a name"
    for each in graph.of(CONFIGURATION):
        prefix = each.inputs.get("namePrefix")
        if not prefix or len(prefix) > 37 or "name" in each.inputs:
            yield f"{each.name}: needs a name prefix of at most 37 characters"
        if each.delete_before_replace:
            yield f"{each.name}: deleted before it is replaced"
    for each in graph.of(MODEL):
        container = each.inputs["primaryContainer"]
        version = container.get("modelPackageName")
        if "name" in each.inputs:
            yield f"{each.name}: a name without its version"
        if version is not None:
            if not re.search(r":model-package/[\w-]+/(\d+|approved)$", version):
                yield f"{each.name}: {version} is no version"
            if {"image", "modelDataUrl", "modelDataSource"} & set(container):
                yield f"{each.name}: a version and an image"


def rollback_alarms(graph: Graph) -> Iterator[str]:
    """6: they exist before the endpoint, watch it by its name, and can fire in time."""
    alarms = {each.outputs["name"]: each for each in graph.of(ALARM)}
    for each in graph.of(ENDPOINT):
        routing = each.inputs["deploymentConfig"]["blueGreenUpdatePolicy"][
            "trafficRoutingConfiguration"
        ]
        for name in rollback(each):
            alarm = alarms.get(name)
            if alarm is None or alarm.urn not in each.dependencies:
                yield f"{each.name}: {name} is no alarm it waits for"
                continue
            if alarm.inputs["dimensions"]["EndpointName"] != each.inputs["name"]:
                yield f"{alarm.name} watches another endpoint"
            takes = alarm.inputs["period"] * alarm.inputs["datapointsToAlarm"]
            if takes > routing["waitIntervalInSeconds"]:
                yield f"{alarm.name} fires after the step is over"


def metrics(graph: Graph) -> Iterator[str]:
    """7: each metric with its own unit, statistic and namespace; no traffic is no failure."""
    for each in graph.of(ALARM):
        given = each.inputs
        # That nothing comes is what an alarm on lateness waits for; what is measured now and then keeps
        # its state between.
        late = given["metricName"] == "CompletedRuns"
        seldom = given["namespace"] == "MlopsIac/Monitoring"
        missing = "breaching" if late else "ignore" if seldom else "notBreaching"
        if given.get("treatMissingData") != missing:
            yield f"{each.name}: missing data breaches"
        if "unit" in given:
            yield f"{each.name}: a unit hides data points of another"
        match given["metricName"]:
            case "ModelLatency":
                # Limits of these blueprints are above a millisecond.
                if given.get("extendedStatistic") != "p99" or given["threshold"] < 1000:
                    yield f"{each.name}: latency is the p99 in microseconds"
            case "Invocation5XXErrors":
                if given.get("statistic") != "Average" or not 0 < given["threshold"] <= 0.2:
                    yield f"{each.name}: errors are an average between 0 and 1"
            case "CPUUtilization" | "MemoryUtilization" | "GPUUtilization":
                if given["namespace"] != "/aws/sagemaker/Endpoints":
                    yield f"{each.name}: wrong namespace"
            case _:
                pass
    for each in graph.of("aws:appautoscaling/policy:Policy"):
        custom = each.inputs["targetTrackingScalingPolicyConfiguration"].get(
            "customizedMetricSpecification"
        )
        if custom and custom["namespace"] != "/aws/sagemaker/Endpoints":
            yield f"{each.name}: wrong namespace"


def scaling(graph: Graph) -> Iterator[str]:
    """8: it hangs on the endpoint, counts follow its minimum, nothing is ignored in vain."""
    endpoints = {each.inputs["name"]: each for each in graph.of(ENDPOINT)}
    configurations = {each.outputs["name"]: each for each in graph.of(CONFIGURATION)}
    for each in graph.of(SCALING):
        _, name, _, variant_name = each.inputs["resourceId"].split("/")
        endpoint = endpoints[name]
        if endpoint.urn not in each.dependencies:
            yield f"{each.name} does not wait for the endpoint"
        configuration = configurations[endpoint.inputs["endpointConfigName"]]
        (variant,) = [
            item
            for item in configuration.inputs["productionVariants"]
            if item["variantName"] == variant_name
        ]
        if variant["initialInstanceCount"] != each.inputs["minCapacity"]:
            yield f"{each.name}: the next rollout starts with another number of instances"
        if variant["instanceType"].startswith("ml.t2."):
            yield f"{each.name}: t2 cannot be scaled"
    for each in graph.resources:
        for path in each.ignore_changes:
            if "_" in path:
                yield f"{each.name}: {path} ignores nothing"


def rollouts(graph: Graph) -> Iterator[str]:
    """9: steps need two instances and move half at most; one policy, an hour a step at most."""
    configurations = {each.outputs["name"]: each for each in graph.of(CONFIGURATION)}
    for each in graph.of(ENDPOINT):
        config = each.inputs["deploymentConfig"]
        if {"blueGreenUpdatePolicy", "rollingUpdatePolicy"} <= set(config):
            yield f"{each.name}: two policies"
        routing = config["blueGreenUpdatePolicy"]["trafficRoutingConfiguration"]
        if not 0 < routing["waitIntervalInSeconds"] <= 3600:
            yield f"{each.name}: waits {routing['waitIntervalInSeconds']} s"
        if routing["type"] == "ALL_AT_ONCE":
            continue
        size = routing.get("canarySize") or routing.get("linearStepSize")
        if size["value"] > 50:
            yield f"{each.name}: a step of {size['value']} %"
        configuration = configurations[each.inputs["endpointConfigName"]]
        for variant in configuration.inputs["productionVariants"]:
            if variant["initialInstanceCount"] < 2:
                yield f"{each.name}: a step of the only instance"


def captures(graph: Graph) -> Iterator[str]:
    """10: enabled, both directions, readable, under a key's ARN."""
    for each in graph.of(CONFIGURATION):
        config = each.inputs.get("dataCaptureConfig")
        if not config:
            continue
        if config.get("enableCapture") is not True:
            yield f"{each.name}: not enabled"
        if {item["captureMode"] for item in config["captureOptions"]} != {"Input", "Output"}:
            yield f"{each.name}: half of each call"
        if not config.get("captureContentTypeHeader", {}).get("jsonContentTypes"):
            yield f"{each.name}: bodies are kept in base64"
        if not KEY_ARN.fullmatch(config.get("kmsKeyId", "")):
            yield f"{each.name}: {config.get('kmsKeyId')} is no key's ARN"


def one_owner(graph: Graph) -> Iterator[str]:
    """19: nothing but the program moves the endpoint; what a rollback runs is kept."""
    for each in graph.of(ENDPOINT):
        if "endpointConfigName" in each.ignore_changes:
            yield f"{each.name}: somebody else owns its configuration"
    for each in graph.of(ROLE_POLICY):
        for action, _ in graph.rights(each.name):
            if action in ("sagemaker:UpdateEndpoint", "sagemaker:CreateEndpointConfig"):
                yield f"{each.name} may move the endpoint"
    protected = any(each.protect for each in graph.of("aws:s3/bucket:Bucket"))
    for each in (*graph.of(MODEL), *graph.of(CONFIGURATION)):
        if each.retain_on_delete != protected:
            yield f"{each.name}: kept {each.retain_on_delete}, protected {protected}"
