"""What is true of AWS types, each fact in one table."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from mlops_iac.clouds.aws import risks, scaled
from mlops_iac.clouds.aws.rules import MODULES
from mlops_iac.clouds.aws.types import TYPES
from mlops_iac.emulators.aws.facts import FACTS

_SIZE = re.compile(r"(?P<family>[\w.]*?\.?[a-z]\w*)\.(?P<times>\d*)(?P<size>[a-z]+)\Z")
_SIZES = ("nano", "micro", "small", "medium", "large", "xlarge")
_MODULES = {
    "storage": ("s3", "ecr", "dynamodb", "efs"),
    "security": ("iam", "kms", "secretsmanager", "acm"),
    "learning": ("sagemaker",),
    "watching": ("cloudwatch", "sns", "budgets", "scheduler"),
    "scaling": ("appautoscaling", "ec2", "lb", "vpc"),
    "compute": ("lambda", "sqs", "sfn", "pipes", "codebuild"),
}
_FAMILIES = {module: family for family, modules in _MODULES.items() for module in modules}
_COUNTS = {
    "initialInstanceCount": "instances at the start",
    "instanceCount": "instances",
    "desiredCount": "tasks",
    "numberOfNodes": "nodes",
    "shardCount": "shards",
    "minCapacity": "instances at least",
    "maxCapacity": "instances at most",
    "volumeSizeInGb": "GB of disk",
    "volumeSizeInGB": "GB of disk",
    "allocatedStorage": "GB of disk",
    "memorySize": "MB of memory",
    "readCapacity": "read capacity",
    "writeCapacity": "write capacity",
    "limitAmount": "the budget's limit",
}


class AwsKnowledge:
    """The tables, and what is told of a step by what it says in AWS's words."""

    types = TYPES
    rules: Sequence[str] = MODULES
    families: Mapping[str, str] = _FAMILIES
    identities: Collection[str] = (
        "name", "arn", "bucket", "keyId", "url", "dashboardName", "functionName",
    )  # fmt: skip
    machines: Collection[str] = ("instanceType", "instanceClass", "nodeType")
    largest: Sequence[str] = (
        "ml.p4*",
        "ml.p5*",
        "ml.p6*",
        "ml.trn1*.32xlarge",
        "ml.trn2*",
        "ml.inf2.48xlarge",
    )
    counts: Mapping[str, str] = _COUNTS

    def smaller(self, old: str, new: str) -> bool:
        """Whether machine `new` is a smaller one of the same family."""
        left, right = _SIZE.match(old), _SIZE.match(new)
        if not left or not right or left["family"] != right["family"]:
            return False
        return _rank(right) < _rank(left)

    always_on = staticmethod(risks.always_on)
    watches = staticmethod(risks.watches)
    risks = staticmethod(risks.risks)
    refused = staticmethod(scaled.refused)

    def sensitive(self, type_: str) -> frozenset[str]:
        """Property paths that the provider's schema calls sensitive."""
        known = FACTS.of(type_)
        every = {**known.outputs, **known.properties} if known else {}
        return frozenset(path for path, fact in every.items() if fact.sensitive)

    def replaces(self, type_: str, path: str) -> tuple[bool | None, str]:
        """As hashicorp/aws says."""
        return FACTS.replaces(type_, path)

    def facts_digest(self) -> str:
        """That of the facts generated from the provider."""
        return FACTS.digest


def _rank(match: re.Match[str]) -> tuple[int, int]:
    size = match["size"]
    return (_SIZES.index(size) if size in _SIZES else len(_SIZES), int(match["times"] or 1))
