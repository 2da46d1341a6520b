"""Where events go: topics, queues, logs, functions and pipelines. What leads elsewhere is told.

Sources: EventBridge user guide, "Amazon EventBridge input transformation", "Using dead-letter queues to
process undelivered events".
"""

from __future__ import annotations

import json
import re
import sys
import threading
import uuid
from collections.abc import Callable, Mapping
from copy import copy
from typing import Any

from moto.core.utils import iso_8601_datetime_without_milliseconds as written
from moto.core.utils import utcfromtimestamp
from moto.events.models import Rule
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends
from moto.utilities.arns import parse_arn

from mlops_iac.emulators.aws.clients import clients_for
from mlops_iac.emulators.aws.events.functions import call, log
from mlops_iac.emulators.aws.in_order import IN_ORDER

# A text in quotes, whose variables are put in as they are; or a variable on its own, put in as JSON.
_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|<([^<>]+)>')
_VARIABLE = re.compile(r"<([^<>]+)>")

Target = Mapping[str, Any]


def install(url: Callable[[], str]) -> None:
    """Deliver in moto's place; the emulator listens at `url`. Once in a process, in order."""
    by_moto = Rule.send_to_targets

    def send_to_targets(self: Any, original_event: Any, transform_input: bool = True) -> None:
        pattern = self.event_pattern
        # To moto a schedule, which has no pattern, matches everything.
        if self.state != "ENABLED" or not pattern.get_pattern():
            return
        if not pattern.matches_event(original_event):
            return
        event = dict(original_event)
        if isinstance(event.get("time"), float):  # as moto has the time of S3's
            event["time"] = written(utcfromtimestamp(event["time"]))
        for target in list(self.targets):
            if parse_arn(target["Arn"]).service == "events":  # archives, other buses
                alone = copy(self)
                alone.targets = [target]
                by_moto(alone, original_event, transform_input)
            else:
                _Delivery(url(), self.arn, target, event).begin()

    Rule.send_to_targets = send_to_targets


def message(target: Target, event: Mapping[str, Any]) -> str:
    """What a target is sent of an event."""
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        return json.dumps(_at(target["InputPath"], event))
    if "InputTransformer" not in target:
        return json.dumps(event)
    paths = target["InputTransformer"].get("InputPathsMap", {})
    values = {name: _at(path, event) for name, path in paths.items()}

    def within(found: re.Match[str]) -> str:
        value = values.get(found[1])
        return json.dumps(value if isinstance(value, str) else json.dumps(value))[1:-1]

    def put(found: re.Match[str]) -> str:
        return json.dumps(values.get(found[1])) if found[1] else _VARIABLE.sub(within, found[0])

    return _PIECE.sub(put, target["InputTransformer"]["InputTemplate"])


def _at(path: str, event: Any) -> Any:
    """What lies at `$.detail.name`; None where nothing does."""
    for name in path.split(".")[1:]:
        event = event.get(name) if isinstance(event, dict) else None
    return event


class _Delivery:
    """One event on its way to one target of a rule."""

    def __init__(self, url: str, rule: str, target: Target, event: Mapping[str, Any]) -> None:
        self._url, self._rule, self._target, self._event = url, rule, target, event
        self._arn = parse_arn(target["Arn"])
        self._text = message(target, event)

    def begin(self) -> None:
        """Deliver, or say why not. In order; what calls back goes on by itself."""
        match self._arn.service, self._arn.resource_type:
            case "sns", _:
                self._try(self._publish)
            case "sqs", _:
                self._try(self._queue)
            case "logs", _:
                self._try(self._log)
            case "lambda", _:
                threading.Thread(target=self._try, args=(self._call,), daemon=True).start()
            case "sagemaker", "pipeline":
                threading.Thread(target=self._try, args=(self._start,), daemon=True).start()
            case service, _:
                self._undelivered(f"the emulated AWS delivers no events to {service}")

    def _try(self, deliver: Callable[[], None]) -> None:
        try:
            deliver()
        except Exception as error:  # whatever keeps it from its target
            with IN_ORDER:
                self._undelivered(str(error) or type(error).__name__)

    def _undelivered(self, reason: str) -> None:
        """Say it in the emulator's log, and in the target's dead-letter queue as the service does."""
        said = f"not delivered: {self._event['detail-type']} to {self._target['Arn']}: {reason}"
        print(said, file=sys.stderr, flush=True)  # noqa: T201
        if queue := self._target.get("DeadLetterConfig", {}).get("Arn"):
            told = {
                "RULE_ARN": self._rule,
                "TARGET_ARN": self._target["Arn"],
                "ERROR_MESSAGE": reason,
            }
            attributes = {
                name: {"DataType": "String", "StringValue": value} for name, value in told.items()
            }
            _send(queue, json.dumps(self._event), message_attributes=attributes)

    def _publish(self) -> None:
        sns_backends[self._arn.account][self._arn.region].publish(
            self._text, arn=self._target["Arn"]
        )

    def _queue(self) -> None:
        group = self._target.get("SqsParameters", {}).get("MessageGroupId")
        _send(self._target["Arn"], self._text, group_id=group)

    def _log(self) -> None:
        group, stream = self._arn.resource_id.removesuffix(":*"), str(uuid.uuid4())
        log(self._arn.account, self._arn.region, group, stream, [self._text])

    def _call(self) -> None:
        call(self._url, self._target["Arn"], self._text)

    def _start(self) -> None:
        given = self._target.get("SageMakerPipelineParameters", {})
        clients_for(self._url, self._arn.region, self._arn.account).get(
            "sagemaker"
        ).start_pipeline_execution(
            PipelineName=self._arn.resource_id,
            PipelineParameters=given.get("PipelineParameterList", []),
            ClientRequestToken=str(self._event["id"]).ljust(32, "0"),
        )


def _send(queue: str, text: str, **more: Any) -> None:
    arn = parse_arn(queue)
    sqs_backends[arn.account][arn.region].send_message(arn.resource_id, text, **more)
