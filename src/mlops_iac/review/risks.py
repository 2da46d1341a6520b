"""What a step puts at risk, by rules over resource types and properties."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from mlops_iac.graph.model import address_of
from mlops_iac.graph.plan import Step
from mlops_iac.policy.types import BUCKET_OBJECT, ENDPOINT, PERMISSION, STATEFUL
from mlops_iac.review import sizes
from mlops_iac.review.model import RISKS, Risk, RiskKind
from mlops_iac.review.permissions import widening

# Uploads are made again from files in the repository.
_REMADE = (BUCKET_OBJECT,)

# What answers callers; none answers while it is gone.
SERVING = {
    "aws:sagemaker/endpoint:Endpoint": "the endpoint",
    "aws:lambda/function:Function": "the function",
    "aws:ecs/service:Service": "the service",
    "aws:lb/loadBalancer:LoadBalancer": "the load balancer",
    "aws:apigateway/restApi:RestApi": "the API",
    "aws:sns/topic:Topic": "the topic, with its subscriptions,",
    "aws:ec2/vpc:Vpc": "the network, with everything in it,",
    "aws:ec2/vpcEndpoint:VpcEndpoint": "the network's way to a service",
}

# Guards: what is lost when one goes while what it guards stays.
GUARDS = {
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": "the block on public access",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        "the bucket's encryption settings"
    ),
    "aws:s3/bucketVersioning:BucketVersioning": "the bucket's versioning",
    "aws:s3/bucketLogging:BucketLogging": "the bucket's access log",
    "aws:s3/bucketPolicy:BucketPolicy": "the bucket's policy",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "the alarm",
    "aws:budgets/budget:Budget": "the budget",
    "aws:cloudtrail/trail:Trail": "the audit trail",
    "aws:ec2/flowLog:FlowLog": "the log of the network's traffic",
    "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy": "the registry's policy",
}
_POLICIES = ("policy", "assumeRolePolicy", "resourcePolicy", "keyPolicy", "accessPolicy")
_KEYS = ("kmsKeyId", "kmsKeyArn", "kmsMasterKeyId", "kmsMasterKeyID")
# Optional and computed there: the provider plans no change where a program gives it no longer.
# Source: hashicorp/aws 5.100.0, aws_s3_object.
_KEEPS_ITS_KEY = (BUCKET_OBJECT,)
_ANYWHERE = ("0.0.0.0/0", "::/0")

_ORDER = tuple(RISKS)

Rule = Callable[[Step], Iterator[tuple[RiskKind, str]]]


def risks_of(step: Step, *, unguarded: bool = True) -> list[Risk]:
    """The risks of one step. `unguarded`: what it guards stays, so that it is missed."""
    address = address_of(step.type, step.name)
    found: list[Risk] = []
    for rule in _RULES:
        if rule is _guards and not unguarded:
            continue
        found += [Risk(kind, address, words) for kind, words in rule(step)]
    return list(dict.fromkeys(found))


def watched_by(step: Step) -> str:
    """The name of the endpoint that an alarm watches."""
    dimensions = step.old_inputs.get("dimensions")
    return str(dimensions.get("EndpointName", "")) if isinstance(dimensions, Mapping) else ""


def in_order(risks: Sequence[Risk]) -> list[Risk]:
    """The worst kinds first, each risk once."""
    return sorted(dict.fromkeys(risks), key=lambda risk: _ORDER.index(risk.kind))


def _data(step: Step) -> Iterator[tuple[RiskKind, str]]:
    what = STATEFUL.get(step.type)
    if what and step.op in ("delete", "replace") and not step.retained:
        if step.type in _REMADE and step.op == "replace":
            return
        deed = "is deleted" if step.op == "delete" else "is replaced by an empty one"
        guard = "; it is protected, so the deployment will refuse" if step.protect else ""
        yield "data-loss", f"{what} {deed}{guard}"
    for change, old, new in _values(step):
        last = _last(change)
        if last == "forceDestroy" and new is True:
            yield "data-loss", "deleting the bucket now deletes its objects, too"
        elif last in ("retentionInDays", "messageRetentionSeconds") and _less(new, old):
            yield "data-loss", f"{last} goes from {old} to {new}: what is older is deleted"
        elif last == "days" and "xpiration" in change and new is not None and old != new:
            if old is None:
                yield "data-loss", f"objects are now deleted after {new} days"
            elif _less(new, old):
                yield "data-loss", f"objects are deleted after {new} days instead of {old}"


def _downtime(step: Step) -> Iterator[tuple[RiskKind, str]]:
    what = SERVING.get(step.type)
    if what and step.op == "delete":
        yield "downtime", f"{what} is deleted: nothing answers any more"
    elif what and step.op == "replace":
        yield "downtime", f"{what} is replaced: nothing answers until the new one is up"
    if (
        step.type == ENDPOINT
        and step.op == "update"
        and any(change.path == "endpointConfigName" for change in step.changes)
        and not _rolls_out(step.new_inputs.get("deploymentConfig"))
    ):
        yield "downtime", "the endpoint is updated without a rollout that can be taken back"


def _rolls_out(config: Any) -> bool:
    """Whether alarms can take an update of an endpoint back."""
    return isinstance(config, Mapping) and bool(config.get("autoRollbackConfiguration"))


def _permissions(step: Step) -> Iterator[tuple[RiskKind, str]]:
    if step.op in ("delete", "same"):
        return
    for name in _POLICIES:
        old, new = step.old_inputs.get(name), step.new_inputs.get(name)
        if new is None or old == new or (step.op == "create" and name != "policy"):
            continue
        if step.op == "create":
            found = widening(None, new)
            broad = [words for words in found.allowed if _is_broad(words)]
            if found.anyone or broad:
                yield "wider-permission", f"new: {'; '.join(broad or found.allowed)}"
            continue
        found = widening(old, new)
        if found.allowed:
            yield "wider-permission", f"now allowed: {'; '.join(found.allowed)}"
        if found.lifted:
            yield "protection-removed", "; ".join(found.lifted)
    if step.type == PERMISSION and step.op in ("update", "replace"):
        for change in step.changes:
            if change.path in ("sourceArn", "sourceAccount") and change.kind == "delete":
                yield "wider-permission", f"anyone's {change.path} may invoke the function"


def _is_broad(words: str) -> bool:
    action, _, rest = words.partition(" on ")
    return action == "*" or (action.endswith(":*") and rest.split(" for ")[0] == "*")


def _network(step: Step) -> Iterator[tuple[RiskKind, str]]:
    for change, old, new in _values(step):
        last = _last(change)
        if last in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls"):
            if old is True and new is not True:
                yield "network-opening", f"{last} is switched off: the bucket can be made public"
        elif last == "restrictPublicBuckets" and old is True and new is not True:
            yield "network-opening", "restrictPublicBuckets is switched off"
        elif last in ("publiclyAccessible", "endpointPublicAccess") and new is True:
            yield "network-opening", "it becomes reachable from the internet"
        elif new in _ANYWHERE and old != new and "egress" not in change:
            yield "network-opening", f"{change} is open to everyone ({new})"
        elif last == "enableNetworkIsolation" and old is True and new is not True:
            yield "network-opening", "the container may use the network again"
        elif "vpcConfig" in change and new is None and last in ("subnets", "securityGroupIds"):
            yield "network-opening", "it leaves the private network"
        elif last == "acl" and isinstance(new, str) and new.startswith("public"):
            yield "network-opening", f"the access list becomes {new}"


def _guards(step: Step) -> Iterator[tuple[RiskKind, str]]:
    what = GUARDS.get(step.type)
    if what and step.op == "delete" and not step.retained:
        kind: RiskKind = "network-opening" if "PublicAccess" in step.type else "protection-removed"
        yield kind, f"removed: {what}"


def _protection(step: Step) -> Iterator[tuple[RiskKind, str]]:
    for change, old, new in _values(step):
        last = _last(change)
        if change == "(options) protect" and old is True:
            yield "protection-removed", "it is no longer protected against deletion"
        elif change == "(options) retainOnDelete" and old is True:
            yield "protection-removed", "it is no longer kept when the stack goes"
        elif last == "enableKeyRotation" and old is True and new is not True:
            yield "protection-removed", "the key is no longer rotated"
        elif last == "deletionWindowInDays" and _less(new, old):
            yield "protection-removed", f"a deleted key can be had back for {new} days, not {old}"
        elif last == "status" and "versioning" in change.lower() and new != "Enabled":
            yield "protection-removed", "overwritten objects are no longer kept"
        elif last == "sseAlgorithm" and str(old).startswith("aws:kms") and new == "AES256":
            yield "protection-removed", "encrypted with the provider's key, not the customer's"
        elif last == "type" and "trafficRouting" in change and new == "ALL_AT_ONCE":
            yield "protection-removed", "an update moves all traffic at once"
        elif "autoRollbackConfiguration" in change and new is None and "alarmName" in change:
            yield "protection-removed", f"{old} no longer takes an update back"
        elif change.startswith("alarmActions") and new is None:
            yield "protection-removed", "the alarm tells fewer"


def _keys(step: Step) -> Iterator[tuple[RiskKind, str]]:
    """Keys taken away from what stays; the bucket's encryption says so itself."""
    for change in step.changes:
        if (
            change.kind == "delete"
            and _last(change.path) in _KEYS
            and "ByDefault" not in change.path
        ):
            words = (
                "no longer given, and what is uploaded stays under the key it has"
                if step.type in _KEEPS_ITS_KEY
                else "no longer under the customer's key"
            )
            yield "protection-removed", f"{change.path}: {words}"


def _cost(step: Step) -> Iterator[tuple[RiskKind, str]]:
    if step.op == "delete":
        return
    for words in sizes.costlier(step, _values(step)):
        yield "cost", words


def _values(step: Step) -> Iterator[tuple[str, Any, Any]]:
    """(path, old, new) of every scalar that differs; what comes or goes as a whole is opened."""
    for change in step.changes:
        yield from _opened(change.path, change.old, change.new)


def _opened(path: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, Mapping) or isinstance(new, Mapping):
        before = old if isinstance(old, Mapping) else {}
        after = new if isinstance(new, Mapping) else {}
        for key in dict.fromkeys([*before, *after]):
            yield from _opened(f"{path}.{key}", before.get(key), after.get(key))
    elif isinstance(old, list) or isinstance(new, list):
        left, right = (value if isinstance(value, list) else [] for value in (old, new))
        for index in range(max(len(left), len(right))):
            yield from _opened(
                f"{path}[{index}]",
                left[index] if index < len(left) else None,
                right[index] if index < len(right) else None,
            )
    else:
        yield path, old, new


def _last(path: str) -> str:
    return path.rsplit(".", 1)[-1].split("[", 1)[0]


def _less(new: Any, old: Any) -> bool:
    numbers = [value for value in (new, old) if isinstance(value, int | float)]
    # 0 is "for ever" where retention is counted.
    return len(numbers) == 2 and 0 != new < (old or float("inf"))


_RULES: tuple[Rule, ...] = (
    _data,
    _downtime,
    _network,
    _permissions,
    _guards,
    _protection,
    _keys,
    _cost,
)
