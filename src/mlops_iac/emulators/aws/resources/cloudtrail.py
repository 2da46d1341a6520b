"""CloudTrail: who did what, written to a bucket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_iac.emulators.aws.api import Api
from mlops_iac.emulators.aws.resources.base import Handler
from mlops_iac.emulators.aws.resources.ec2 import refuse
from mlops_iac.emulators.aws.translation import as_map
from mlops_iac.emulators.common.handler import changed
from mlops_iac.values import Properties, Value, reveal


class Trail(Handler):
    """A trail. Its id is its ARN; what it writes down has operations of its own."""

    type = "aws:cloudtrail/trail:Trail"
    service = "cloudtrail"
    create_op, update_op, delete_op = "CreateTrail", "UpdateTrail", "DeleteTrail"
    read_op, answer, key = "GetTrail", "Trail", {"Name": "name"}
    renames = {
        "arn": "TrailARN",
        "cloudWatchLogsGroupArn": "CloudWatchLogsLogGroupArn",
        "tags": "TagsList",
    }
    id = "{arn}"
    computed = {
        "arn": "arn:{partition}:cloudtrail:{region}:{account}:trail/{name}",
        "homeRegion": "{region}",
    }
    local = frozenset({"enableLogging", "advancedEventSelectors"})
    tag_style = "cloudtrail"
    _refused = ("eventSelectors", "insightSelectors", "snsTopicName")

    def sent(self, inputs: Properties, *more: str) -> dict[str, Value]:
        """Old selectors and insights are refused."""
        refuse(inputs, self._refused, "write advancedEventSelectors")
        return super().sent(inputs, *more, *self._refused)

    def in_id(self, id_: str) -> dict[str, str]:
        """Its name ends its ARN."""
        return {"name": id_.rsplit("/", 1)[-1]}

    def settle(self, api: Api, id_: str, old: Properties | None, new: Properties) -> None:
        """What is written down, and whether."""
        name, selectors = str(new["name"]), reveal(new.get("advancedEventSelectors"))
        if selectors and changed(old or {}, new, ["advancedEventSelectors"]):
            given = {"trailName": name, "advancedEventSelectors": selectors}
            parameters = api.params("cloudtrail", "PutEventSelectors", given, self.renames)
            api.call("cloudtrail", "PutEventSelectors", **parameters)
        if old is None or changed(old, new, ["enableLogging"]):
            on = new.get("enableLogging") is not False
            api.call(self.service, "StartLogging" if on else "StopLogging", Name=name)

    def from_answer(self, api: Api, data: Mapping[str, Any]) -> dict[str, Value] | None:
        """Asked for in three parts."""
        name = data["Name"]
        status = api.look("cloudtrail", "GetTrailStatus", Name=name) or {}
        selected = api.look("cloudtrail", "GetEventSelectors", TrailName=name) or {}
        fields = {"advancedEventSelectors": self.schema.outputs["advancedEventSelectors"]}
        return {
            **(super().from_answer(api, data) or {}),
            **api.properties("cloudtrail", "GetEventSelectorsResponse", selected, fields),
            "enableLogFileValidation": bool(data.get("LogFileValidationEnabled")),
            "enableLogging": bool(status.get("IsLogging")),
        }

    def read_tags(self, api: Api, found: Properties) -> dict[str, str]:
        """Listed by ARN."""
        answer = api.look("cloudtrail", "ListTags", ResourceIdList=[found["arn"]]) or {}
        lists = [each["TagsList"] for each in answer.get("ResourceTagList", [])]
        return as_map(lists[0]) if lists else {}


HANDLERS: list[Handler] = [Trail()]
