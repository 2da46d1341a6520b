"""CloudTrail: who did what, written to a bucket."""

# ruff: noqa: RUF012  (the base class declares these tables as ClassVar)

from __future__ import annotations

from typing import Any

from mlops_iac.emulators.aws.api import Api
from mlops_iac.emulators.aws.resources.base import Handler
from mlops_iac.emulators.aws.resources.ec2 import refuse
from mlops_iac.emulators.aws.translation import as_map
from mlops_iac.emulators.common.handler import changed, made
from mlops_iac.emulators.provider import ResourceState
from mlops_iac.values import Properties, Value, reveal

_ARN = "arn:{partition}:cloudtrail:{region}:{account}:trail/"


class Trail(Handler):
    """A trail. Its id is its ARN; what it writes down has operations of its own."""

    type = "aws:cloudtrail/trail:Trail"
    service = "cloudtrail"
    create_op, update_op, delete_op = "CreateTrail", "UpdateTrail", "DeleteTrail"
    read_op, answer, key = "GetTrail", "Trail", "Name"
    renames = {"arn": "TrailARN", "cloudWatchLogsGroupArn": "CloudWatchLogsLogGroupArn"}
    id = "{arn}"
    computed = {"arn": _ARN + "{name}", "homeRegion": "{region}"}
    local = frozenset({"enableLogging", "advancedEventSelectors"})
    tag_style = "cloudtrail"
    _refused = ("eventSelectors", "insightSelectors", "snsTopicName")

    def sent(self, inputs: Properties, *more: str) -> dict[str, Value]:
        """Old selectors and insights are refused."""
        refuse(inputs, self._refused, "write advancedEventSelectors")
        return super().sent(inputs, *more, *self._refused)

    def create(self, api: Api, inputs: Properties, token: str) -> str:
        """Create, then say what is written down, and start."""
        sent = self.sent(inputs, "tags")
        tags = _pairs(reveal(inputs.get("tags")) or {})
        parameters = api.params(self.service, self.create_op, sent, self.renames)
        answer = api.call(self.service, self.create_op, **parameters, TagsList=tags)
        id_ = str(answer["TrailARN"])
        with made(id_):
            self._select(api, inputs)
            self._log(api, inputs)
        return id_

    def _select(self, api: Api, inputs: Properties) -> None:
        selectors = reveal(inputs.get("advancedEventSelectors"))
        if selectors:
            name = str(inputs["name"])
            given = {"trailName": name, "advancedEventSelectors": selectors}
            parameters = api.params("cloudtrail", "PutEventSelectors", given, self.renames)
            api.call("cloudtrail", "PutEventSelectors", **parameters)

    def _log(self, api: Api, inputs: Properties) -> None:
        on = inputs.get("enableLogging") is not False
        api.call(self.service, "StartLogging" if on else "StopLogging", Name=str(inputs["name"]))

    def read(self, api: Api, id_: str, known: Properties) -> dict[str, Value] | None:
        """Asked for in three parts."""
        name = id_.rsplit("/", 1)[-1]
        found = super().read(api, name, known)
        if found is None:
            return None
        answer = api.look("cloudtrail", self.read_op, Name=name) or {}
        status = api.look("cloudtrail", "GetTrailStatus", Name=name) or {}
        selected = api.look("cloudtrail", "GetEventSelectors", TrailName=name) or {}
        fields = {"advancedEventSelectors": self.schema.outputs["advancedEventSelectors"]}
        shape = "GetEventSelectorsResponse"
        return {
            **found,
            **api.properties("cloudtrail", shape, selected, fields),
            "enableLogFileValidation": bool(answer["Trail"].get("LogFileValidationEnabled")),
            "enableLogging": bool(status.get("IsLogging")),
        }

    def read_tags(self, api: Api, found: Properties) -> dict[str, str]:
        """Listed by ARN."""
        answer = api.look("cloudtrail", "ListTags", ResourceIdList=[found["arn"]]) or {}
        lists = [each["TagsList"] for each in answer.get("ResourceTagList", [])]
        return as_map(lists[0]) if lists else {}

    def update(self, api: Api, id_: str, old: ResourceState, new: Properties) -> None:
        """The trail, then its parts."""
        parameters = api.params(self.service, self.update_op, self.sent(new, "tags"), self.renames)
        api.call(self.service, self.update_op, **parameters)
        if changed(old.inputs, new, ["advancedEventSelectors"]):
            self._select(api, new)
        if changed(old.inputs, new, ["enableLogging"]):
            self._log(api, new)
        self.settle_tags(api, old, new)

    def settle_tags(self, api: Api, old: ResourceState, new: Properties) -> None:
        """Add what is new or differs, remove what is gone."""
        arn = str(old.outputs["arn"])
        before = self.read_tags(api, {"arn": arn})
        wanted = reveal(new.get("tags")) or {}
        gone: dict[str, str] = {key: value for key, value in before.items() if key not in wanted}
        fresh = {key: value for key, value in wanted.items() if before.get(key) != value}
        if gone:
            api.call("cloudtrail", "RemoveTags", ResourceId=arn, TagsList=_pairs(gone))
        if fresh:
            api.call("cloudtrail", "AddTags", ResourceId=arn, TagsList=_pairs(fresh))

    def find(self, api: Api, inputs: Properties, token: str) -> str | None:
        """By name."""
        id_ = _ARN.format(**api.place.names()) + str(inputs["name"])
        return id_ if self.read(api, id_, inputs) is not None else None

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """Delete."""
        api.look(self.service, self.delete_op, Name=id_.rsplit("/", 1)[-1])


def _pairs(tags: dict[str, str]) -> list[dict[str, Any]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


HANDLERS: list[Handler] = [Trail()]
