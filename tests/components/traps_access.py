"""Faults of rights, keys and buckets (see `traps.py`)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from mlops_iac.graph.model import Resource
from tests.components.traps_graph import (
    ALARM,
    BUDGET,
    CONFIGURATION,
    ENCRYPTION,
    ENDPOINT,
    GROUP,
    KEY,
    KEY_ARN,
    LIFECYCLE,
    NVME,
    ROLE,
    ROLE_POLICY,
    TARGET,
    TOPIC,
    Graph,
    document,
    listed,
    rollback,
    uris,
)


def three_roles(graph: Graph) -> Iterator[str]:
    """1: who starts, who runs and who serves are different roles; each trusts one service."""
    made = {each.name: each.outputs["arn"] for each in graph.of(ROLE)}
    for name, _, job in graph.jobs:
        role = job.get("RoleArn")
        if not role:
            yield f"step {name} has no role of its own"
        elif role in (made.get("identity-pipeline"), made.get("identity-endpoint")):
            yield f"step {name} runs with the role of another plane"
    running = {job.get("RoleArn") for _, _, job in graph.jobs}
    for each in graph.of(ROLE_POLICY):
        for statement in document(each):
            if "iam:PassRole" not in listed(statement["Action"]):
                continue
            # The function of a batch prediction makes the model that its jobs' role runs.
            if not each.name.endswith(("-pipeline-policy", "-function-policy")):
                yield f"{each.name} may pass roles"
            if not set(listed(statement["Resource"])) <= running:
                yield f"{each.name} may pass more than the steps' roles"
            passed = statement.get("Condition", {}).get("StringEquals", {})
            if passed.get("iam:PassedToService") != "sagemaker.amazonaws.com":
                yield f"{each.name} may pass roles to any service"
    yield from _trust(graph)


def _trust(graph: Graph) -> Iterator[str]:
    groups = {each.outputs["arn"] for each in graph.of(GROUP)}
    for each in graph.of(ROLE):
        (statement,) = document(each)
        condition = statement.get("Condition", {})
        (service,) = statement["Principal"].values()
        if service == "lambda.amazonaws.com":
            if condition:
                yield f"{each.name}: Lambda sends no source keys, so nobody could assume it"
        elif "aws:SourceAccount" not in condition.get("StringEquals", {}):
            yield f"{each.name} can be assumed on behalf of another account"
        source = condition.get("ArnEquals", {}).get("aws:SourceArn")
        if service.startswith("scheduler.") and source not in groups:
            yield f"{each.name}: the source is not the schedule group"


def endpoint_role(graph: Graph) -> Iterator[str]:
    """2: it sees the rollback alarms, and writes captures under the key."""
    if graph.named("identity-endpoint-policy") is None:
        return  # a role of the user's
    rights = graph.rights("identity-endpoint-policy")
    seen = {
        arn.rsplit(":", 1)[1] for action, arn in rights if action == "cloudwatch:DescribeAlarms"
    }
    wanted = {alarm for each in graph.of(ENDPOINT) for alarm in rollback(each)}
    if seen != wanted:
        yield f"sees {sorted(seen)}, not {sorted(wanted)}"
    captures = [each for each in graph.of(CONFIGURATION) if each.inputs.get("dataCaptureConfig")]
    for each in captures:
        place = each.inputs["dataCaptureConfig"]["destinationS3Uri"].removeprefix("s3://")
        if ("s3:PutObject", f"arn:aws:s3:::{place}/*") not in rights:
            yield f"cannot write captures of {each.name}"
        key = each.inputs["dataCaptureConfig"].get("kmsKeyId")
        if key and ("kms:GenerateDataKey", key) not in rights:
            yield f"cannot encrypt captures of {each.name}"


def pipeline_role(graph: Graph) -> Iterator[str]:
    """3: it reads the gate's report and tags the jobs it starts."""
    if graph.named("identity-pipeline-policy") is None:
        return
    rights = graph.rights("identity-pipeline-policy")
    reports = {
        uri.removeprefix("s3://")
        for step in graph.steps
        if step.get("PropertyFiles")
        for uri in uris(step["Arguments"]["ProcessingOutputConfig"])
    }
    read = [arn.removesuffix("*").split(":::")[1] for do, arn in rights if do == "s3:GetObject"]
    for report in reports:
        if not any(report.startswith(prefix) for prefix in read):
            yield f"cannot read the report at {report}"
    keys = {step["Arguments"]["ProcessingOutputConfig"].get("KmsKeyId") for step in graph.steps
            if step.get("PropertyFiles")}  # fmt: skip
    for key in keys - {None}:
        if ("kms:Decrypt", key) not in rights:
            yield "cannot decrypt the report"
    for each in graph.statements("identity-pipeline-policy"):
        actions = listed(each["Action"])
        starts = any(re.fullmatch(r"sagemaker:Create\w+Job", action) for action in actions)
        if starts and "sagemaker:AddTags" not in actions:
            yield f"{each['Sid']}: cannot tag the jobs"
        if any(re.fullmatch(r"sagemaker:(Create|Stop)\w+Job", action) for action in actions):
            yield from _jobs_of_this_stack(graph, each)


def _jobs_of_this_stack(graph: Graph, statement: dict[str, Any]) -> Iterator[str]:
    """Jobs of all pipelines of an account are named alike; the tag that is asked for must be there."""
    asked = statement.get("Condition", {}).get("StringEquals", {})
    tags = {key.split("/")[1]: value for key, value in asked.items() if "Tag/" in key}
    if not tags:
        yield f"{statement['Sid']}: reaches the jobs of other stacks"
    for name, arguments, _ in graph.jobs:
        carried = {tag["Key"]: tag["Value"] for tag in arguments.get("Tags", [])}
        if not tags.items() <= carried.items():
            yield f"{statement['Sid']}: cannot start {name}, which has no such tag"


def alerts(graph: Graph) -> Iterator[str]:
    """11: who publishes to the topic may, and may use its key, which is not the data's."""
    keys = {each.outputs["arn"]: each for each in graph.of(KEY)}
    used = {
        rule["applyServerSideEncryptionByDefault"].get("kmsMasterKeyId")
        for each in graph.of(ENCRYPTION)
        for rule in each.inputs["rules"]
    }
    for topic in graph.of(TOPIC):
        arn = topic.outputs["arn"]
        key = keys.get(topic.inputs.get("kmsMasterKeyId"))
        if key is None:
            yield f"{topic.name}: no customer key"
            continue
        if key.outputs["arn"] in used:
            yield f"{topic.name}: alerts and data share a key"
        (attached,) = [
            each
            for each in graph.of("aws:sns/topicPolicy:TopicPolicy")
            if each.inputs["arn"] == arn
        ]
        publishers = set()
        if any(arn in each.inputs.get("alarmActions", ()) for each in graph.of(ALARM)):
            publishers.add("cloudwatch.amazonaws.com")
        for each in graph.of(BUDGET):
            if any(arn in item["subscriberSnsTopicArns"] for item in each.inputs["notifications"]):
                publishers.add("budgets.amazonaws.com")
        if any(each.inputs["arn"] == arn for each in graph.of(TARGET)):
            publishers.add("events.amazonaws.com")
        for service in sorted(publishers):
            if not _admits(key, service, {"kms:Decrypt", "kms:GenerateDataKey*"}):
                yield f"{topic.name}: {service} may not use the key"
            if not _admits(attached, service, {"sns:Publish"}):
                yield f"{topic.name}: {service} may not publish"
        owner = [
            each for each in document(attached) if "AWS" in each["Principal"] and
            each["Effect"] == "Allow"
        ]  # fmt: skip
        if not owner:
            yield f"{topic.name}: its owner cannot manage it"


def _admits(resource: Resource, service: str, actions: set[str]) -> bool:
    # EventBridge names no source to topics: with a condition, it is kept out.
    named = service != "events.amazonaws.com"
    return any(
        each["Principal"] == {"Service": service}
        and actions <= set(listed(each["Action"]))
        and bool(each.get("Condition", {}).get("StringEquals", {}).get("aws:SourceAccount"))
        is named
        for each in document(resource)
    )


def encryption(graph: Graph) -> Iterator[str]:
    """12: every output and volume under the key's ARN, where the volume can be."""
    for name, _, job in graph.jobs:
        output = job.get("OutputDataConfig") or job.get("ProcessingOutputConfig") or {}
        cluster = job.get("ResourceConfig") or job["ProcessingResources"]["ClusterConfig"]
        volume = cluster.get("VolumeKmsKeyId")
        if not KEY_ARN.fullmatch(output.get("KmsKeyId", "")):
            yield f"{name}: outputs under another key"
        if bool(NVME.match(cluster["InstanceType"])) == bool(volume):
            yield f"{name}: {cluster['InstanceType']} with the volume key {volume}"
    for each in graph.of(CONFIGURATION):
        types = [variant["instanceType"] for other, variant in graph.variants if other is each]
        nvme = any(NVME.match(kind) for kind in types)
        if nvme == bool(each.inputs.get("kmsKeyArn")):
            yield f"{each.name}: {types} with the key {each.inputs.get('kmsKeyArn')}"
    for each in graph.of(ROLE_POLICY):
        for statement in document(each):
            if "kms:CreateGrant" in listed(statement["Action"]) and statement.get(
                "Condition", {}
            ).get("Bool") != {"kms:GrantIsForAWSResource": "true"}:
                yield f"{each.name}: grants for anybody"


def registries(graph: Graph) -> Iterator[str]:
    """20: images come from the region's registry account, and from nowhere else."""
    for each in graph.of(ROLE_POLICY):
        for action, resource in graph.rights(each.name):
            if action == "ecr:BatchGetImage" and not re.fullmatch(
                r"arn:aws:ecr:eu-west-1:\d{12}:repository/[\w./-]+", resource
            ):
                yield f"{each.name} pulls from {resource}"
    jobs = [each.name for each in graph.of(ROLE_POLICY) if each.name.endswith("-jobs-policy")]
    if any(each.name == "identity-execution-policy" for each in graph.of(ROLE_POLICY)):
        jobs = ["identity-execution-policy"]  # what trains here has an image for everything
    pulled = {
        ":".join(resource.split(":")[4:]).replace(":repository/", "/")
        for name in jobs
        for action, resource in graph.rights(name)
        if action == "ecr:BatchGetImage"
    }
    wanted = {
        f"{image.split('.')[0]}/{image.split('/', 1)[1].split(':')[0]}"
        for image in re.findall(r"\d{12}\.dkr\.ecr[^\"]+", json.dumps(graph.definitions))
    }
    if not wanted <= pulled:
        yield f"cannot pull {sorted(wanted - pulled)}"


def buckets(graph: Graph) -> Iterator[str]:
    """21: logs under SSE-S3, TLS for all and no other denial, models for ever, work for a while."""
    for each in graph.of("aws:s3/bucketLogging:BucketLogging"):
        (target,) = [
            item for item in graph.of(ENCRYPTION)
            if item.inputs["bucket"] == each.inputs["targetBucket"]
        ]  # fmt: skip
        (rule,) = target.inputs["rules"]
        if rule["applyServerSideEncryptionByDefault"]["sseAlgorithm"] != "AES256":
            yield f"{each.name}: logs cannot be delivered under a customer key"
    for each in graph.of("aws:s3/bucketPolicy:BucketPolicy"):
        denied = [item for item in document(each) if item["Effect"] == "Deny"]
        arn = f"arn:aws:s3:::{each.inputs['bucket']}"
        if [item["Condition"] for item in denied] != [{"Bool": {"aws:SecureTransport": "false"}}]:
            yield f"{each.name}: denies something else than plain HTTP"
        elif set(listed(denied[0]["Resource"])) != {arn, f"{arn}/*"}:
            yield f"{each.name}: denies on half of it"
    for each in graph.of(LIFECYCLE):
        prefixes = [
            rule["filter"]["prefix"]
            for rule in each.inputs["rules"]
            if rule["status"] == "Enabled" and "expiration" in rule
        ]
        if each.name != "data-artifacts-lifecycle":
            continue
        if any("models/".startswith(prefix) or prefix.startswith("models/") for prefix in prefixes):
            yield "registered models expire"
        for _, arguments, job in graph.jobs:
            for part in ("ProcessingOutputConfig", "OutputDataConfig", "CheckpointConfig"):
                for uri in uris(job.get(part, arguments.get(part))):
                    key = uri.split("/", 3)[3]
                    # What batch predictions leave is a dataset.
                    kept = key.startswith(("models/", "datasets/"))
                    if not kept and not any(map(key.startswith, prefixes)):
                        yield f"{uri} never expires"
