"""A captured stack, as the checks of `traps.py` look at it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mlops_iac.graph.model import Resource

ROLE, ROLE_POLICY = "aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy"
ENDPOINT = "aws:sagemaker/endpoint:Endpoint"
CONFIGURATION = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
MODEL = "aws:sagemaker/model:Model"
PIPELINE = "aws:sagemaker/pipeline:Pipeline"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
RULE, TARGET = "aws:cloudwatch/eventRule:EventRule", "aws:cloudwatch/eventTarget:EventTarget"
OBJECT = "aws:s3/bucketObjectv2:BucketObjectv2"
FUNCTION = "aws:lambda/function:Function"
SCHEDULE, GROUP = "aws:scheduler/schedule:Schedule", "aws:scheduler/scheduleGroup:ScheduleGroup"
KEY, TOPIC, BUDGET = "aws:kms/key:Key", "aws:sns/topic:Topic", "aws:budgets/budget:Budget"
SCALING = "aws:appautoscaling/target:Target"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
ENCRYPTION = (
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
)
NVME = re.compile(r"ml\.(\w*\dd\w*|g4dn|g5|g6|p4d|p5)\.")
KEY_ARN = re.compile(r"arn:[\w-]+:kms:[\w-]+:\d{12}:key/[\w-]+")
TAG = re.compile(r"[\w\s.:/=+\-@]*")


def listed(value: Any) -> list[Any]:
    """A policy's one or many as many."""
    return value if isinstance(value, list) else [value]


@dataclass(frozen=True)
class Graph:
    """One captured stack."""

    name: str
    resources: list[Resource]

    def of(self, type_: str) -> list[Resource]:
        return [each for each in self.resources if each.type == type_]

    def named(self, name: str) -> Resource | None:
        return next((each for each in self.resources if each.custom and each.name == name), None)

    def statements(self, name: str) -> list[dict[str, Any]]:
        """The statements of the resource `name`; none where there is no such resource."""
        found = self.named(name)
        return [] if found is None else document(found)

    def rights(self, name: str) -> set[tuple[str, str]]:
        """(action, resource) pairs that a policy allows."""
        return {
            (action, resource)
            for each in self.statements(name)
            if each["Effect"] == "Allow"
            for action in listed(each["Action"])
            for resource in listed(each["Resource"])
        }

    @cached_property
    def definitions(self) -> list[dict[str, Any]]:
        return [json.loads(each.inputs["pipelineDefinition"]) for each in self.of(PIPELINE)]

    @cached_property
    def steps(self) -> list[dict[str, Any]]:
        """All steps, those inside of conditions too."""
        return [step for each in self.definitions for step in _flat(each["Steps"])]

    @cached_property
    def jobs(self) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
        """Step name, its arguments, and the training job in a tuning step (else the same)."""
        return [
            (
                step["Name"],
                step["Arguments"],
                step["Arguments"].get("TrainingJobDefinition", step["Arguments"]),
            )
            for step in self.steps
            if step["Type"] in ("Processing", "Training", "Tuning")
        ]

    @cached_property
    def variants(self) -> list[tuple[Resource, dict[str, Any]]]:
        return [
            (each, variant)
            for each in self.of(CONFIGURATION)
            for key in ("productionVariants", "shadowProductionVariants")
            for variant in each.inputs.get(key) or ()
        ]


def _flat(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for step in steps:
        yield step
        arguments = step.get("Arguments", {})
        yield from _flat([*arguments.get("IfSteps", ()), *arguments.get("ElseSteps", ())])


def document(resource: Resource) -> list[dict[str, Any]]:
    for key in ("policy", "assumeRolePolicy", "resourcePolicy"):
        if key in resource.inputs:
            return list(json.loads(resource.inputs[key])["Statement"])
    return []


def uris(value: Any) -> Iterator[str]:
    """Every `s3://` text in a definition."""
    match value:
        case str() if value.startswith("s3://"):
            yield value
        case dict():
            for each in value.values():
                yield from uris(each)
        case list():
            for each in value:
                yield from uris(each)
        case _:
            return


def rollback(endpoint: Resource) -> list[str]:
    config = endpoint.inputs["deploymentConfig"].get("autoRollbackConfiguration") or {}
    return [each["alarmName"] for each in config.get("alarms", ())]
