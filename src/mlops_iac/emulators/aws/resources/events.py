"""EventBridge rules and targets (`aws:cloudwatch`), EventBridge Scheduler."""

from __future__ import annotations

from typing import Any

from mlops_iac.emulators.aws.api import Api
from mlops_iac.emulators.aws.resources.base import Handler
from mlops_iac.emulators.common.naming import NameRule
from mlops_iac.emulators.provider import ProviderError, ResourceState
from mlops_iac.values import Properties


class EventRule(Handler):
    """A rule. Its id is its name, on another bus `bus/name`."""

    type = "aws:cloudwatch/eventRule:EventRule"
    service = "events"
    create_op = update_op = "PutRule"
    read_op, delete_op = "DescribeRule", "DeleteRule"
    key = {"Name": "name", "EventBusName": "eventBusName"}
    name = NameRule(limit=64, prefix="namePrefix")
    computed = {"arn": "arn:{partition}:events:{region}:{account}:rule/{name}"}
    defaults = {"eventBusName": "default", "state": "ENABLED", "forceDestroy": False}
    local = frozenset({"forceDestroy"})
    tag_style = "events"

    def id_of(self, outputs: Properties) -> str:
        """With the bus, unless it is the default one."""
        bus = outputs.get("eventBusName") or "default"
        return str(outputs["name"]) if bus == "default" else f"{bus}/{outputs['name']}"

    def in_id(self, id_: str) -> dict[str, str]:
        """Bus and name."""
        bus, _, name = id_.rpartition("/")
        return {"name": name, "eventBusName": bus or "default"}

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """EventBridge refuses while there are targets; moto does not, so it is checked here."""
        rule = self.in_id(id_)
        where = {"Rule": rule["name"], "EventBusName": rule["eventBusName"]}
        targets = (api.look("events", "ListTargetsByRule", **where) or {}).get("Targets", [])
        if targets and state.inputs.get("forceDestroy") is not True:
            raise ProviderError(f"rule {id_} still has {len(targets)} target(s)")
        if targets:
            api.call("events", "RemoveTargets", **where, Ids=[t["Id"] for t in targets])
        super().delete(api, id_, state)


class EventTarget(Handler):
    """What a rule starts. Its id is `rule-target`, on another bus `bus-rule-target`."""

    type = "aws:cloudwatch/eventTarget:EventTarget"
    service = "events"
    create_op, delete_op = "PutTargets", "RemoveTargets"
    read_op, answer = "ListTargetsByRule", "Targets"
    key = {"Rule": "rule", "EventBusName": "eventBusName", "Id": "targetId"}
    name = NameRule("targetId", limit=64)
    renames = {
        "targetId": "Id",
        "sagemakerPipelineTarget": "SageMakerPipelineParameters",
        "sagemakerPipelineTarget.pipelineParameterLists": "PipelineParameterList",
        "inputTransformer.inputPaths": "InputPathsMap",
        "httpTarget": "HttpParameters",
        "sqsTarget": "SqsParameters",
    }
    defaults = {"eventBusName": "default", "forceDestroy": False}
    local = frozenset({"forceDestroy"})

    def id_of(self, outputs: Properties) -> str:
        """As the real provider joins it."""
        bus = outputs.get("eventBusName") or "default"
        parts = [outputs["rule"], outputs["targetId"]]
        return "-".join(map(str, parts if bus == "default" else [bus, *parts]))

    def request(self, api: Api, inputs: Properties, token: str) -> dict[str, Any]:
        """One target of its rule."""
        target = api.part(
            "events", "Target", self.sent(inputs, "rule", "eventBusName"), self.renames
        )
        return {**self.where(self.create_op, "", inputs), "Targets": [target]}

    def create(self, api: Api, inputs: Properties, token: str) -> str:
        """Put; the answer counts failures."""
        answer = api.call("events", self.create_op, **self.request(api, inputs, token))
        if answer.get("FailedEntryCount"):
            raise ProviderError(f"events:PutTargets: {answer['FailedEntries'][0]['ErrorMessage']}")
        return self.id_of(inputs)

    def update(self, api: Api, id_: str, old: ResourceState, new: Properties) -> None:
        """Put again."""
        self.create(api, new, "")


class ScheduleGroup(Handler):
    """A group of schedules."""

    type = "aws:scheduler/scheduleGroup:ScheduleGroup"
    service = "scheduler"
    create_op, read_op = "CreateScheduleGroup", "GetScheduleGroup"
    delete_op, key = "DeleteScheduleGroup", {"Name": "name"}
    name = NameRule(limit=64, prefix="namePrefix")
    computed = {
        "arn": "arn:{partition}:scheduler:{region}:{account}:schedule-group/{name}",
        "creationDate": "{}",
        "lastModificationDate": "{}",
        "state": "",
    }
    defaults = {"state": "ACTIVE"}
    volatile = frozenset({"lastModificationDate"})
    tag_style = "scheduler"

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """Look first: moto fails on a group that is gone."""
        if api.look("scheduler", "GetScheduleGroup", Name=id_) is not None:
            super().delete(api, id_, state)


class Schedule(Handler):
    """A schedule. Its id is `group/name`."""

    type = "aws:scheduler/schedule:Schedule"
    service = "scheduler"
    create_op, read_op, update_op = "CreateSchedule", "GetSchedule", "UpdateSchedule"
    delete_op, key = "DeleteSchedule", {"GroupName": "groupName", "Name": "name"}
    id = "{groupName}/{name}"
    renames = {
        "target.sagemakerPipelineParameters.pipelineParameters": "PipelineParameterList",
        "target.eventbridgeParameters": "EventBridgeParameters",
        "actionAfterCompletion": "ActionAfterCompletion",
    }
    name = NameRule(limit=64, prefix="namePrefix")
    computed = {"arn": "arn:{partition}:scheduler:{region}:{account}:schedule/{groupName}/{name}"}
    defaults = {
        "groupName": "default",
        "state": "ENABLED",
        "scheduleExpressionTimezone": "UTC",
        "actionAfterCompletion": "NONE",
    }


HANDLERS: list[Handler] = [EventRule(), EventTarget(), ScheduleGroup(), Schedule()]
