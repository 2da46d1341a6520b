"""Alarms of a stack as CloudWatch has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mlops_iac.clouds.aws.types import ALARM
from mlops_iac.clouds.operations import AlarmState, utc
from mlops_iac.clouds.questions import Questions
from mlops_iac.graph.model import Resource

_NAMES = 100  # CloudWatch API reference, DescribeAlarms: at most as many names


def alarms(resources: Iterable[Resource], questions: Questions | None) -> list[AlarmState]:
    """The stack's alarms, those in state ALARM first."""
    watched = {
        each.id: str((each.inputs.get("dimensions") or {}).get("EndpointName") or "")
        for each in resources
        if each.type == ALARM and not each.recorded
    }
    if not watched:
        return []
    said: dict[str, Mapping[str, Any]] = {}
    if questions is not None:
        names = sorted(watched)

        def asked() -> list[Mapping[str, Any]]:
            pages = questions.session.client("cloudwatch").get_paginator("describe_alarms")
            return [
                item
                for at in range(0, len(names), _NAMES)
                for page in pages.paginate(AlarmNames=names[at : at + _NAMES])
                for item in page["MetricAlarms"]
            ]

        said = {
            item["AlarmName"]: item
            for item in questions.ask("the alarms", asked) or ()
            if not str(item.get("StateReason")).startswith("Unchecked")  # by the emulated cloud
        }
    found = [
        AlarmState(
            name,
            endpoint,
            state=str(said.get(name, {}).get("StateValue") or ""),
            since=utc(said.get(name, {}).get("StateUpdatedTimestamp")),
            reason=str(said.get(name, {}).get("StateReason") or ""),
        )
        for name, endpoint in watched.items()
    ]
    return sorted(found, key=lambda each: each.state != "ALARM")
