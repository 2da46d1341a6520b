"""EventBridge rules and targets (`aws:cloudwatch`), EventBridge Scheduler."""

# ruff: noqa: RUF012  (the base class declares these tables as ClassVar)

from __future__ import annotations

from typing import Any

from mlops_iac.emulators.aws.api import Api
from mlops_iac.emulators.aws.resources.base import Handler
from mlops_iac.emulators.common.naming import NameRule
from mlops_iac.emulators.provider import ProviderError, ResourceState
from mlops_iac.values import Properties, Value


class EventRule(Handler):
    """A rule. Its id is its name, on another bus `bus/name`."""

    type = "aws:cloudwatch/eventRule:EventRule"
    service = "events"
    create_op = update_op = "PutRule"
    read_op = "DescribeRule"
    name = NameRule(limit=64, prefix="namePrefix")
    computed = {"arn": "arn:{partition}:events:{region}:{account}:rule/{name}"}
    defaults = {"eventBusName": "default", "state": "ENABLED", "forceDestroy": False}
    local = frozenset({"forceDestroy"})
    tag_style = "events"

    def id_of(self, outputs: Properties) -> str:
        """With the bus, unless it is the default one."""
        bus = outputs.get("eventBusName") or "default"
        return str(outputs["name"]) if bus == "default" else f"{bus}/{outputs['name']}"

    def read(self, api: Api, id_: str, known: Properties) -> dict[str, Value] | None:
        """Described by name and bus."""
        answer = api.look("events", "DescribeRule", **_rule(id_))
        return None if answer is None else self.from_answer(api, answer)

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """EventBridge refuses while there are targets; moto does not, so it is checked here."""
        rule = _rule(id_)
        where = {"Rule": rule["Name"], "EventBusName": rule["EventBusName"]}
        targets = (api.look("events", "ListTargetsByRule", **where) or {}).get("Targets", [])
        if targets and state.inputs.get("forceDestroy") is not True:
            raise ProviderError(f"rule {id_} still has {len(targets)} target(s)")
        if targets:
            api.call("events", "RemoveTargets", **where, Ids=[t["Id"] for t in targets])
        api.look("events", "DeleteRule", **rule)


def _rule(id_: str) -> dict[str, str]:
    bus, _, name = id_.rpartition("/")
    return {"Name": name, "EventBusName": bus or "default"}


class EventTarget(Handler):
    """What a rule starts. Its id is `rule-target`, on another bus `bus-rule-target`."""

    type = "aws:cloudwatch/eventTarget:EventTarget"
    service = "events"
    create_op = "PutTargets"
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

    def create(self, api: Api, inputs: Properties, token: str) -> str:
        """Put one target; the answer counts failures."""
        sent = self.sent(inputs, "rule", "eventBusName")
        target = api.part("events", "Target", sent, self.renames)
        answer = api.call("events", "PutTargets", **self._where(inputs), Targets=[target])
        if answer.get("FailedEntryCount"):
            raise ProviderError(f"events:PutTargets: {answer['FailedEntries'][0]['ErrorMessage']}")
        return self.id_of(inputs)

    def _where(self, inputs: Properties) -> dict[str, Any]:
        bus = inputs.get("eventBusName") or "default"
        return {"Rule": inputs["rule"], "EventBusName": bus}

    def read(self, api: Api, id_: str, known: Properties) -> dict[str, Value] | None:
        """Listed under its rule."""
        if not known.get("rule"):
            raise ProviderError(f"event target {id_}: its rule is not known")
        answer = api.look("events", "ListTargetsByRule", **self._where(known)) or {}
        for target in answer.get("Targets", []):
            if target["Id"] == known["targetId"]:
                fields = self.schema.outputs
                found = api.properties("events", "Target", target, fields, self.renames)
                return {**found, "rule": known["rule"]}
        return None

    def update(self, api: Api, id_: str, old: ResourceState, new: Properties) -> None:
        """Put again."""
        self.create(api, new, "")

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """Remove from its rule."""
        ids = [state.inputs["targetId"]]
        api.look("events", "RemoveTargets", **self._where(state.inputs), Ids=ids)


class ScheduleGroup(Handler):
    """A group of schedules."""

    type = "aws:scheduler/scheduleGroup:ScheduleGroup"
    service = "scheduler"
    create_op, read_op = "CreateScheduleGroup", "GetScheduleGroup"
    delete_op, key = "DeleteScheduleGroup", "Name"
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

    def id_of(self, outputs: Properties) -> str:
        """Group and name."""
        return f"{outputs.get('groupName') or 'default'}/{outputs['name']}"

    def read(self, api: Api, id_: str, known: Properties) -> dict[str, Value] | None:
        """By group and name."""
        group, name = id_.split("/", 1)
        answer = api.look("scheduler", "GetSchedule", GroupName=group, Name=name)
        return None if answer is None else self.from_answer(api, answer)

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """By group and name."""
        group, name = id_.split("/", 1)
        api.look("scheduler", "DeleteSchedule", GroupName=group, Name=name)


HANDLERS: list[Handler] = [EventRule(), EventTarget(), ScheduleGroup(), Schedule()]
