"""Tags, in each service's own style: reading them, and bringing them from old to new."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlops_iac.emulators.aws.api import OPERATION_TAG, Api
from mlops_iac.emulators.aws.translation import as_map
from mlops_iac.values import Properties


@dataclass(frozen=True, slots=True)
class TagStyle:
    """One service's tag operations. `target` is (member, output property)."""

    service: str
    list_op: str
    add_op: str
    remove_op: str
    target: tuple[str, str]
    tags: str = "Tags"
    keys: str = "TagKeys"
    # (key, value) members of an entry; None where tags are a map
    pair: tuple[str, str] | None = ("Key", "Value")
    # Whether they are removed as entries, with their values.
    whole: bool = False


STYLES: Mapping[str, TagStyle] = {
    "sagemaker": TagStyle(
        "sagemaker", "ListTags", "AddTags", "DeleteTags", ("ResourceArn", "arn")
    ),
    "kms": TagStyle(
        "kms", "ListResourceTags", "TagResource", "UntagResource", ("KeyId", "keyId"),
        pair=("TagKey", "TagValue"),
    ),
    "iam-role": TagStyle("iam", "ListRoleTags", "TagRole", "UntagRole", ("RoleName", "name")),
    "iam-policy": TagStyle(
        "iam", "ListPolicyTags", "TagPolicy", "UntagPolicy", ("PolicyArn", "arn")
    ),
    "cloudwatch": TagStyle(
        "cloudwatch", "ListTagsForResource", "TagResource", "UntagResource", ("ResourceARN", "arn")
    ),
    "cloudtrail": TagStyle(
        "cloudtrail", "", "AddTags", "RemoveTags", ("ResourceId", "arn"),
        tags="TagsList", keys="TagsList", whole=True,
    ),
    "ec2": TagStyle(
        "ec2", "", "CreateTags", "DeleteTags", ("Resources", "id"), keys="Tags", whole=True
    ),
    "events": TagStyle(
        "events", "ListTagsForResource", "TagResource", "UntagResource", ("ResourceARN", "arn")
    ),
    "logs": TagStyle(
        "logs", "ListTagsForResource", "TagResource", "UntagResource", ("resourceArn", "arn"),
        tags="tags", keys="tagKeys", pair=None,
    ),
    "sns": TagStyle(
        "sns", "ListTagsForResource", "TagResource", "UntagResource", ("ResourceArn", "arn")
    ),
    "sqs": TagStyle(
        "sqs", "ListQueueTags", "TagQueue", "UntagQueue", ("QueueUrl", "url"), pair=None
    ),
    "scheduler": TagStyle(
        "scheduler", "ListTagsForResource", "TagResource", "UntagResource", ("ResourceArn", "arn")
    ),
    "lambda": TagStyle(
        "lambda", "ListTags", "TagResource", "UntagResource", ("Resource", "arn"), pair=None
    ),
    "glue": TagStyle(
        "glue", "GetTags", "TagResource", "UntagResource", ("ResourceArn", "arn"),
        tags="TagsToAdd", keys="TagsToRemove", pair=None,
    ),
}  # fmt: skip


def list_tags(api: Api, style: str, outputs: Properties) -> dict[str, str]:
    """Tags of a resource, without the operation tag."""
    how = STYLES[style]
    member, source = how.target
    answer = api.look(how.service, how.list_op, **{member: outputs[source]}) or {}
    data: Any = answer.get(how.tags) or answer.get(how.tags.lower()) or answer.get("Tags") or {}
    return {k: v for k, v in as_map(data).items() if k != OPERATION_TAG}


def change_tags(
    api: Api, style: str, outputs: Properties, before: Mapping[str, str], new: Mapping[str, str]
) -> None:
    """Add what is new or differs, remove what is gone."""
    how = STYLES[style]
    member, source = how.target
    target = {member: outputs[source]}
    gone = {key: before[key] for key in sorted(before) if key not in new}
    fresh = {key: value for key, value in new.items() if before.get(key) != value}
    if gone:
        keys = written(how, gone) if how.whole else list(gone)
        api.call(how.service, how.remove_op, **target, **{how.keys: keys})
    if fresh:
        api.call(how.service, how.add_op, **target, **{how.tags: written(how, fresh)})


def written(how: TagStyle, tags: Mapping[str, str]) -> Any:
    """Tags as the service takes them."""
    if how.pair is None:
        return dict(tags)
    return pairs(tags, *how.pair)


def pairs(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Tags as entries of a list."""
    return [{key: name, value: text} for name, text in tags.items()]
