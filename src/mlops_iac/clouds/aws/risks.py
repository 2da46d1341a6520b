"""What a step puts at risk by what AWS properties say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlops_iac.clouds.aws.permissions import widening
from mlops_iac.clouds.aws.types import (
    BUCKET_OBJECT,
    ENDPOINT,
    ENDPOINT_CONFIGURATION,
    MLFLOW_SERVER,
    PERMISSION,
)
from mlops_iac.clouds.knowledge import Differing, RiskKind

if TYPE_CHECKING:
    from mlops_iac.graph.plan import Step

# (path, old, new)
_Test = Callable[[str, Any, Any], bool]

_POLICIES = ("policy", "assumeRolePolicy", "resourcePolicy", "keyPolicy", "accessPolicy")
_KEYS = ("kmsKeyId", "kmsKeyArn", "kmsMasterKeyId", "kmsMasterKeyID")
# Optional and computed there: the provider plans no change where a program gives it no longer.
# Source: hashicorp/aws 5.100.0, aws_s3_object.
_KEEPS_ITS_KEY = (BUCKET_OBJECT,)
_SIZES = (
    None,
    "Small",
    "Medium",
    "Large",
)  # of an MLflow server: SageMaker API, TrackingServerSize
_ANYWHERE = ("0.0.0.0/0", "::/0")


def risks(step: Step, values: Sequence[Differing]) -> Iterator[tuple[RiskKind, str]]:
    """The risks of one step; `values` are the scalars that it changes."""
    yield from _downtime(step)
    for path, old, new in values:
        name = _last(path)
        for test, kind, words in _PROPERTIES.get(name, ()):
            if test(path, old, new):
                yield kind, words.format(name=name, old=old, new=new)
        yield from _anywhere(path, old, new)
    yield from _permissions(step)
    yield from _keys(step)


def watches(step: Step) -> str:
    """The name of the endpoint that an alarm watched."""
    dimensions = step.old_inputs.get("dimensions")
    return str(dimensions.get("EndpointName", "")) if isinstance(dimensions, Mapping) else ""


def always_on(step: Step) -> Iterator[str]:
    """Machines that run, and are paid for, from the moment they are there."""
    if step.type == ENDPOINT_CONFIGURATION:
        for variant in step.new_inputs.get("productionVariants") or ():
            yield f"{variant.get('initialInstanceCount', 1)} × {variant.get('instanceType')}"
    if step.type == MLFLOW_SERVER:
        yield f"{step.new_inputs.get('trackingServerSize')} MLflow server"


def _downtime(step: Step) -> Iterator[tuple[RiskKind, str]]:
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


def _anywhere(path: str, old: Any, new: Any) -> Iterator[tuple[RiskKind, str]]:
    if new in _ANYWHERE and old != new and "egress" not in path:
        yield "network-opening", f"{path} is open to everyone ({new})"
    elif "autoRollbackConfiguration" in path and new is None and "alarmName" in path:
        yield "protection-removed", f"{old} no longer takes an update back"
    elif path.startswith("alarmActions") and new is None:
        yield "protection-removed", "the alarm tells fewer"


def _on(_path: str, _old: Any, new: Any) -> bool:
    return new is True


def _off(_path: str, old: Any, new: Any) -> bool:
    return old is True and new is not True


def _less(_path: str, old: Any, new: Any) -> bool:
    numbers = [value for value in (new, old) if isinstance(value, int | float)]
    # 0 is "for ever" where retention is counted.
    return len(numbers) == 2 and 0 != new < (old or float("inf"))


def _larger(_path: str, old: Any, new: Any) -> bool:
    return old in _SIZES and new in _SIZES and _SIZES.index(old) < _SIZES.index(new)


def _last(path: str) -> str:
    return path.rsplit(".", 1)[-1].split("[", 1)[0]


# Names of properties, whatever they are of; when, and what is said of `{name}`, `{old}`, `{new}`.
_ROWS: Sequence[tuple[str, _Test, RiskKind, str]] = (
    ("forceDestroy", _on, "data-loss", "deleting the bucket now deletes its objects, too"),
    ("retentionInDays messageRetentionSeconds", _less, "data-loss",
     "{name} goes from {old} to {new}: what is older is deleted"),
    ("days", lambda path, old, new: "xpiration" in path and old is None and new is not None,
     "data-loss", "objects are now deleted after {new} days"),
    ("days", lambda path, old, new: "xpiration" in path and _less(path, old, new),
     "data-loss", "objects are deleted after {new} days instead of {old}"),
    ("blockPublicAcls blockPublicPolicy ignorePublicAcls", _off, "network-opening",
     "{name} is switched off: the bucket can be made public"),
    ("restrictPublicBuckets", _off, "network-opening", "{name} is switched off"),
    ("publiclyAccessible endpointPublicAccess", _on, "network-opening",
     "it becomes reachable from the internet"),
    ("enableNetworkIsolation", _off, "network-opening", "the container may use the network again"),
    ("subnets securityGroupIds", lambda path, _, new: "vpcConfig" in path and new is None,
     "network-opening", "it leaves the private network"),
    ("acl", lambda _path, _old, new: isinstance(new, str) and new.startswith("public"),
     "network-opening", "the access list becomes {new}"),
    ("enableKeyRotation", _off, "protection-removed", "the key is no longer rotated"),
    ("deletionWindowInDays", _less, "protection-removed",
     "a deleted key can be had back for {new} days, not {old}"),
    ("status", lambda path, _, new: "versioning" in path.lower() and new != "Enabled",
     "protection-removed", "overwritten objects are no longer kept"),
    ("sseAlgorithm", lambda _, old, new: str(old).startswith("aws:kms") and new == "AES256",
     "protection-removed", "encrypted with the provider's key, not the customer's"),
    ("type", lambda path, _, new: "trafficRouting" in path and new == "ALL_AT_ONCE",
     "protection-removed", "an update moves all traffic at once"),
    ("trackingServerSize", _larger, "cost", "the MLflow server goes from {old} to {new}"),
    # In a pipeline's definition.
    ("EnableManagedSpotTraining", _off, "cost", "training no longer runs on spare capacity"),
)  # fmt: skip
_PROPERTIES: dict[str, list[tuple[_Test, RiskKind, str]]] = {}
for _names, _test, _kind, _words in _ROWS:
    for _name in _names.split():
        _PROPERTIES.setdefault(_name, []).append((_test, _kind, _words))
