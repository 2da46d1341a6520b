"""The requests that a stack and its pipelines send, as far as they are known without running it.

A `Setting` knows its place in the blueprint. For what a pipeline definition and the components
make of values, `places` says it by the name of the member that holds them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from mlops_iac.blueprint.torn import judged, known_or
from mlops_iac.clouds.aws.sagemaker.parts import TAG_PLACES, Part, Request, collected
from mlops_iac.clouds.aws.sagemaker.scope import Scope
from mlops_iac.clouds.aws.sagemaker.stack import PARTS
from mlops_iac.clouds.aws.service_model import request as input_of
from mlops_iac.clouds.base import Setting
from mlops_iac.emulators.aws.validation import ANYTHING

_OBJECT = "s3.PutObjectTagging"
_TAGS = ("Tags", "tags", "TagsList", "ResourceTags", "TagSet")


def requests(scope: Scope) -> Iterator[Request]:
    """Every request of one environment that holds anything of the blueprint's."""
    return judged(collected([part.requests for part in PARTS], scope), _all_tags(scope))


def _all_tags(scope: Scope) -> Iterator[Request]:
    places = dict.fromkeys(_TAGS, TAG_PLACES)
    # Ours are made of names, which every service takes: so environments ask for the same.
    tags = {
        key: each if isinstance(each, Setting) else ANYTHING for key, each in scope.tags.items()
    }
    # Tags of buckets and queues have no limit in the model.
    made = [part.tagged for part in PARTS if part.tagged and _is_there(part, scope)]
    for operation in dict.fromkeys(chain(*made)):
        yield Request(operation, _tags(operation, tags), "tags", places)


def _is_there(part: Part, scope: Scope) -> bool:
    return known_or(False, lambda: bool(part.there(scope)))


def _tags(operation: str, tags: Mapping[str, Any]) -> dict[str, Any]:
    """Tags as the operation takes them: by the members of its own model."""
    if operation == _OBJECT:
        return {"Tagging": {"TagSet": [{"Key": k, "Value": v} for k, v in tags.items()]}}
    members = input_of(operation).members
    name = next(each for each in _TAGS if each in members)
    if members[name].type_name == "map":
        return {name: tags}
    key, value = list(members[name].member.members)
    return {name: [{key: k, value: v} for k, v in tags.items()]}
