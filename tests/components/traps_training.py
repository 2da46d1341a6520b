"""Faults of pipelines, and of what starts and pays for them (see `traps.py`)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from tests.components.traps_graph import (
    BUDGET,
    CONFIGURATION,
    FUNCTION,
    OBJECT,
    ROLE,
    ROLE_POLICY,
    RULE,
    SCHEDULE,
    TAG,
    TARGET,
    Graph,
    document,
    listed,
    uris,
)

ACCOUNT = {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def events(graph: Graph) -> Iterator[str]:
    """13: the clock, dead letters, and how long a start is worth trying."""
    for each in graph.of(SCHEDULE):
        target = each.inputs["target"]
        expected = {
            "Predicts: 0 2 * * *": "cron(0 2 * * ? *)",
            "Monitors: 30 5 * * *": "cron(30 5 * * ? *)",
            "Monitors: 0 6 * * *": "cron(0 6 * * ? *)",
        }
        expression = expected.get(each.inputs["description"], "cron(0 3 ? * MON *)")
        if each.inputs["scheduleExpression"] != expression:
            yield f"{each.name}: 0 3 * * 1 became {each.inputs['scheduleExpression']}"
        if each.inputs.get("scheduleExpressionTimezone") != "Europe/Amsterdam":
            yield f"{each.name}: no time zone"
        (role,) = [item for item in graph.of(ROLE) if item.outputs["arn"] == target["roleArn"]]
        policies = [
            item for item in graph.of(ROLE_POLICY) if item.inputs["role"] == role.outputs["name"]
        ]
        rights = {right for item in policies for right in graph.rights(item.name)}
        if ("sqs:SendMessage", target["deadLetterConfig"]["arn"]) not in rights:
            yield f"{each.name}: its role keeps no dead letters"
        if target["retryPolicy"]["maximumEventAgeInSeconds"] > 3600:
            yield f"{each.name}: starts hours late"
        if "_" in "".join(target.get("sagemakerPipelineParameters") or ()):
            yield f"{each.name}: parameter names take no underscore"
    rules = {each.outputs["name"]: each for each in graph.of(RULE)}
    for each in graph.of(TARGET):
        if "roleArn" in each.inputs and ":lambda:" in each.inputs["arn"]:
            yield f"{each.name}: functions take no role"
        if each.inputs["retryPolicy"]["maximumEventAgeInSeconds"] > 3600:
            yield f"{each.name}: starts hours late"
        queue, rule = each.inputs["deadLetterConfig"]["arn"], rules[each.inputs["rule"]]
        if not any(
            statement["Effect"] == "Allow"
            and queue in listed(statement["Resource"])
            and (
                rule.outputs["arn"]
                in listed(statement.get("Condition", {}).get("ArnEquals", {}).get("aws:SourceArn"))
                or statement.get("Condition") == ACCOUNT
            )
            for policy in graph.of("aws:sqs/queuePolicy:QueuePolicy")
            for statement in document(policy)
        ):
            yield f"{each.name}: the queue refuses its dead letters"


def loops(graph: Graph) -> Iterator[str]:
    """14: no training starts itself, and no workload approves."""
    functions = {each.outputs["arn"]: each for each in graph.of(FUNCTION)}
    written = {each.inputs["bucket"] + "/" + each.inputs["key"] for each in graph.of(OBJECT)}
    for _, arguments, job in graph.jobs:
        for part in ("ProcessingOutputConfig", "OutputDataConfig", "CheckpointConfig"):
            written |= {
                uri.removeprefix("s3://") for uri in uris(job.get(part, arguments.get(part)))
            }
    for each in graph.of(CONFIGURATION):
        if config := each.inputs.get("dataCaptureConfig"):
            written.add(config["destinationS3Uri"].removeprefix("s3://") + "/")
    yield from _rules(graph, written)
    for each in graph.of(TARGET):
        if ":sns:" in each.inputs["arn"]:
            continue  # tells people
        function = functions.get(each.inputs["arn"])
        if function is None:
            yield f"{each.name} starts without asking the cooldown"
        elif "prediction" in function.inputs["description"]:
            continue  # a run that goes on holds the next one back
        elif float(function.inputs["environment"]["variables"].get("COOLDOWN_HOURS", 0)) <= 0:
            yield f"{function.name}: no cooldown"
    for each in graph.of(ROLE_POLICY):
        for action, _ in graph.rights(each.name):
            if action in ("sagemaker:UpdateModelPackage", "sagemaker:*", "*"):
                yield f"{each.name} may approve"


def _rules(graph: Graph, written: set[str]) -> Iterator[str]:
    for each in graph.of(RULE):
        pattern = json.loads(each.inputs["eventPattern"])
        if pattern["source"] == ["aws.cloudwatch"] and not pattern.get("resources"):
            yield f"{each.name}: any alarm of the account starts it"
        if pattern["source"] == ["aws.s3"]:
            bucket, key = (pattern["detail"][name] for name in ("bucket", "object"))
            if "wildcard" in key["key"][0]:
                continue  # that another entry is complete: `validate` refuses a circle
            prefix = bucket["name"][0] + "/" + key["key"][0]["prefix"]
            hits = [path for path in written if path.startswith(prefix) or prefix.startswith(path)]
            if hits:
                yield f"{each.name}: the stack itself writes {hits}"


def caching(graph: Graph) -> Iterator[str]:
    """15: no answer of an old run, and content decides what is uploaded again."""
    for step in graph.steps:
        if step.get("CacheConfig", {}).get("Enabled"):
            yield f"{step['Name']} is cached"
        for uri in uris(step["Arguments"]):
            if "/code/" in uri and not re.search(r"/[0-9a-f]{32}/", uri):
                yield f"{step['Name']}: {uri} does not tell its content"
    for each in graph.of(OBJECT):
        if not each.inputs.get("sourceHash") or "etag" in each.inputs:
            yield f"{each.name}: changes are not seen by content"


def tuning(graph: Graph) -> Iterator[str]:
    """16: ranges, objective, the best job's artifacts, spot and time limits."""
    text = json.dumps(graph.definitions)
    if "Steps.Tune.ModelArtifacts" in text:
        yield "a tuning step has no ModelArtifacts"
    for name, arguments, job in graph.jobs:
        config = arguments.get("HyperParameterTuningJobConfig")
        if config is not None:
            if "Steps.Tune.BestTrainingJob.TrainingJobName" not in text:
                yield "the best job's artifacts are not used"
            goal = config["HyperParameterTuningJobObjective"]["MetricName"]
            if not any(
                each["Name"] == goal and re.search(each["Regex"], f"mlops-iac metric {goal}=0.93")
                for each in job["AlgorithmSpecification"].get("MetricDefinitions", ())
            ):
                yield f"{name}: nothing printed matches {goal}"
            ranges = config["ParameterRanges"]
            for each in [
                *ranges.get("IntegerParameterRanges", ()),
                *ranges.get("ContinuousParameterRanges", ()),
            ]:
                if not isinstance(each["MinValue"], str) or not isinstance(each["MaxValue"], str):
                    yield f"{name}: ranges are texts"
                if config["Strategy"] == "Grid":
                    yield f"{name}: a grid is over categories only"
        stop = job.get("StoppingCondition", {})
        if not stop.get("MaxRuntimeInSeconds"):
            yield f"{name}: no stopping condition"
        if job.get("EnableManagedSpotTraining") and (
            stop.get("MaxWaitTimeInSeconds", 0) < stop["MaxRuntimeInSeconds"]
            or not job.get("CheckpointConfig", {}).get("S3Uri")
        ):
            yield f"{name}: spot without time to wait or checkpoints"


def registration(graph: Graph) -> Iterator[str]:
    """17: what is registered can be served, waits for approval, and tells its metrics."""
    served = {variant["instanceType"] for _, variant in graph.variants}
    reviewed = graph.name.startswith("example")
    for step in graph.steps:
        if step["Type"] != "RegisterModel":
            continue
        given = step["Arguments"]
        inference = given["InferenceSpecification"]
        if any("-training" in each["Image"] for each in inference["Containers"]):
            yield "registered with the training image"
        if not set(inference.get("SupportedRealtimeInferenceInstanceTypes", ())) & served:
            yield "registered for other instance types than serve it"
        if reviewed and given.get("ModelApprovalStatus") != "PendingManualApproval":
            yield "approved by nobody"
        statistics = given.get("ModelMetrics", {}).get("ModelQuality", {}).get("Statistics", {})
        if not statistics.get("S3Uri"):
            yield "registered without its report"


def costs(graph: Graph) -> Iterator[str]:
    """18: jobs carry the tags, the budget counts by one of them, and tags are AWS's alphabet."""
    for name, arguments, _ in graph.jobs:
        tags = {each["Key"]: each["Value"] for each in arguments.get("Tags", ())}
        if not {"project", "environment", "stack", "cost-centre"} <= set(tags):
            yield f"{name} has the tags {sorted(tags)}"
        if any(not TAG.fullmatch(text) for pair in tags.items() for text in pair):
            yield f"{name}: a tag that AWS refuses"
    tagged = {each.inputs["tags"]["stack"] for each in graph.resources if "tags" in each.inputs}
    for each in graph.of(BUDGET):
        (filter_,) = each.inputs["costFilters"]
        if filter_ != {"name": "TagKeyValue", "values": [f"user:stack${tag}" for tag in tagged]}:
            yield f"{each.name}: counts {filter_}"
        if "timePeriodStart" in each.inputs:
            yield f"{each.name}: starts anew with each run"
