"""What whoever deploys one stack may do, and on what: statements of IAM, confined to its names.

All names of a stack begin alike (`naming.stem`); keys have none and carry its tag instead. What is
left is said with the reason. Which actions know resources, and conditions: service authorization
reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mlops_iac.clouds.aws.components._naming import catalogue_stem, stem
from mlops_iac.clouds.aws.components._services import PRINCIPAL_SUFFIX
from mlops_iac.clouds.aws.sagemaker.scope import STACK_TAG, Scope
from mlops_iac.clouds.aws.sagemaker.stack import PARTS
from mlops_iac.records import Record, replace

_HERE = "${region}:${account}"
# Component → actions of its resources' lives, from creation to deletion.
ACTIONS: dict[str, Sequence[str]] = {
    component: actions for part in PARTS for component, actions in part.deployed.actions.items()
}
# Service → what of it is named, as far as several parts have it. `${stem}` is what names begin with.
_NAMED: dict[str, tuple[str, ...]] = {
    "cloudwatch": (f"cloudwatch:{_HERE}:alarm:${{stem}}-*",),
    "events": (f"events:{_HERE}:rule/${{stem}}-*",),
    "iam": ("iam::${account}:role/${stem}-*",),
    "lambda": (f"lambda:{_HERE}:function:${{stem}}-*",),
    "logs": (f"logs:{_HERE}:log-group:${{stem}}-*",),
    "s3": ("s3:::${stem}-*",),
    "sagemaker": tuple(
        f"sagemaker:{_HERE}:{kind}/${{stem}}-*"
        for kind in (
            "endpoint",
            "endpoint-config",
            "model",
            "model-package",
            "model-package-group",
            "pipeline",
        )
    ),
    "sqs": (f"sqs:{_HERE}:${{stem}}-*",),
}
_KEYS = (f"kms:{_HERE}:key/*",)
_ALIASES = (f"kms:{_HERE}:alias/${{stem}}-*",)
_TAG = "${stack}"
# Actions that know no resource, or none with a name of the stack's.
_UNCONFINED = frozenset(
    {
        "cloudwatch:DescribeAlarms",
        "kms:ListAliases",
        "logs:DescribeLogGroups",
        *(action for part in PARTS for action in part.deployed.unconfined),
    }
)
# Services whose resources have no name of the stack's → why.
_UNNAMED = {service: reason for part in PARTS for service, reason in part.deployed.unnamed.items()}
_PASSED_TO = {service for part in PARTS for service in part.deployed.passed_to}
# Before a target or a policy is taken, CloudWatch is asked in the caller's name, without a name of an
# alarm (Application Auto Scaling user guide, Permissions validation … on target resources).
_SCALING_ALARMS = ("cloudwatch:DeleteAlarms", "cloudwatch:PutMetricAlarm")
_SCALED = {
    "application-autoscaling:service-namespace": "sagemaker",
    "application-autoscaling:scalable-dimension": "sagemaker:variant:DesiredInstanceCount",
}
# Which of its actions know these conditions: service authorization reference.
_SCALING = frozenset(
    f"application-autoscaling:{name}"
    for name in (
        "DeleteScalingPolicy",
        "DeregisterScalableTarget",
        "PutScalingPolicy",
        "RegisterScalableTarget",
    )
)
# What gives a role its rights; with a boundary, none beyond it.
_BOUNDED = frozenset({"iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"})
_ORIGIN = ("sagemaker:CreateModel", "sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages")


class Grant(Record):
    """Actions on resources, with the reason where these are not named after the stack.

    `${…}` in resources and conditions stands for partition, region, account, `stem` and `stack`, the
    value of the stack's tag.
    """

    sid: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, Any]] = {}
    reason: str = ""


def grants(components: Iterable[str], *, boundary: str | None = None) -> list[Grant]:
    """What a deployment of these components takes. `boundary` is the ARN that all its roles have."""
    actions = sorted({action for component in components for action in ACTIONS[component]})
    groups: dict[str, list[str]] = {}
    for action in actions:
        groups.setdefault(_group(action, boundary), []).append(action)
    # Later tags of a key need not name its stack again.
    if "NewKeys" in groups:
        groups["OwnKeys"] = sorted([*groups["OwnKeys"], "kms:TagResource"])
    if "Scaling" in groups:
        groups["ScalingAlarms"] = list(_SCALING_ALARMS)
    # The boundary of a role stays on it.
    groups.pop("Unbounded", None)
    found = [_grant(group, names, boundary) for group, names in groups.items()]
    if keys := groups.get("Aliases"):
        tagged = {"StringEquals": {f"aws:ResourceTag/{STACK_TAG}": _TAG}}
        found.append(Grant("AliasedKeys", tuple(keys), _arns(_KEYS), tagged, _BY_TAG))
    return sorted(found, key=lambda each: each.sid)


def filled(scope: Scope, found: Iterable[Grant]) -> list[Grant]:
    """The same, of one environment; an account that the blueprint does not say stays `${account}`."""
    blueprint = scope.blueprint
    values = {
        "partition": scope.partition,
        "region": blueprint.region,
        "account": blueprint.account or "${account}",
        "catalogue": catalogue_stem(blueprint.name, scope.environment),
        "stem": stem(blueprint.name, scope.environment),
        "stack": scope.tags[STACK_TAG],
    }
    return [_filled(each, values) for each in found]


def origin(scope: Scope) -> list[Grant]:
    """What the deployer of a stack that serves another's models may do there."""
    homes = {home.group: home for home in map(scope.home, scope.promoted)}
    groups = [
        f"arn:${{partition}}:sagemaker:{home.region}:{home.account or '${account}'}:{kind}"
        for home in homes.values()
        for kind in (f"model-package-group/{home.group}", f"model-package/{home.group}/*")
    ]
    if not groups:
        return []
    reason = "versions that are approved there are looked up, and served here"
    return [Grant("Promote", _ORIGIN, tuple(groups), reason=reason)]


_BY_TAG = "keys have no names: they carry the tag of their stack"


def _group(action: str, boundary: str | None) -> str:
    """The statement that an action belongs to."""
    service, _, name = action.partition(":")
    match action:
        case "iam:PassRole":
            return "PassRoles"
        case "iam:CreateServiceLinkedRole":
            return "LinkedRoles"
        case "kms:CreateKey" | "kms:TagResource":
            return "NewKeys"
        case "iam:DeleteRolePermissionsBoundary" if boundary:
            return "Unbounded"
    if action in _SCALING:
        return "Scaling"
    if service in _UNNAMED or action in _UNCONFINED:
        return f"Any{_word(service)}"
    if boundary and action in _BOUNDED:
        return "BoundedRoles"
    if service == "kms":
        return "Aliases" if name.endswith("Alias") else "OwnKeys"
    return f"Own{_word(service)}"


def _grant(group: str, actions: Sequence[str], boundary: str | None) -> Grant:
    service = actions[0].partition(":")[0]
    tagged, roles = f"aws:ResourceTag/{STACK_TAG}", _arns(_NAMED["iam"][:1])

    def on(
        resources: tuple[str, ...], equal: Mapping[str, Any] | None = None, reason: str = ""
    ) -> Grant:
        conditions = {"StringEquals": equal} if equal else {}
        return Grant(group, tuple(actions), resources, conditions, reason)

    match group:
        case "PassRoles":
            return on(roles, {"iam:PassedToService": _principals(sorted(_PASSED_TO))})
        case "LinkedRoles":
            linked = _arns(("iam::${account}:role/aws-service-role/*",))
            reason = "once per account, these services make roles of their own"
            return on(
                linked,
                {
                    "iam:AWSServiceName": _principals(
                        each for part in PARTS for each in part.deployed.linked
                    )
                },
                reason,
            )
        case "BoundedRoles":
            return on(roles, {"iam:PermissionsBoundary": boundary})
        case "NewKeys":
            # KMS knows no tagging at creation alone: "the permission must cover all KMS keys in the
            # account and Region" (developer guide, Managing KMS key tags with API operations).
            reason = (
                "a key is tagged as it is made, and no key of another stack becomes one of this;"
                f" a key of the account without a tag `{STACK_TAG}` can be taken over: give it one, or"
                " the stack an account of its own"
            )
            made = on(("*",), {f"aws:RequestTag/{STACK_TAG}": _TAG}, reason)
            only = {**made.conditions, "StringEqualsIfExists": {tagged: _TAG}}
            return replace(made, conditions=only)
        case "OwnKeys":
            return on(_arns(_KEYS), {tagged: _TAG}, _BY_TAG)
        case "Aliases":
            return on(_arns(_ALIASES))
        case "Scaling":
            return on(("*",), _SCALED, _REASONS[service])
        case "ScalingAlarms":
            rest = f"cloudwatch:{_HERE}:alarm:"
            alarms = _arns((rest, f"{rest}TargetTracking-endpoint/${{stem}}-*"))
            reason = "scaling looks whether the caller may make its alarms, with no name of one yet"
            return on(alarms, reason=reason)
        case "OwnS3":
            # No account stands in the ARN of a bucket; one that is being made has none yet.
            mine = {"StringEqualsIfExists": {"aws:ResourceAccount": "${account}"}}
            return replace(on(_named("s3")), conditions=mine)
        case _ if group.startswith("Any"):
            return on(("*",), reason=_REASONS.get(service, _NO_RESOURCE))
    return on(_named(service))


_NO_RESOURCE = "the actions know no resource"
_REASONS = {
    "cloudwatch": "alarms are looked for without a name, by scaling in the caller's name as well",
    **_UNNAMED,
}


def _named(service: str) -> tuple[str, ...]:
    parts = [each for part in PARTS for each in part.deployed.named.get(service, ())]
    return _arns(dict.fromkeys([*_NAMED.get(service, ()), *parts]))


def _arns(rests: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"arn:${{partition}}:{rest}" for rest in rests)


def _principals(services: Iterable[str]) -> list[str]:
    return [f"{each}.{PRINCIPAL_SUFFIX}" for each in services]


def _word(service: str) -> str:
    return "".join(part.capitalize() for part in service.split("-"))


def _filled(grant: Grant, values: Mapping[str, str]) -> Grant:
    def fill(value: Any) -> Any:
        match value:
            case str():
                for name, known in values.items():
                    value = value.replace("${" + name + "}", known)
                return value
            case Mapping():
                return {key: fill(each) for key, each in value.items()}
            case list() | tuple():
                return type(value)(fill(each) for each in value)
        return value

    return replace(grant, resources=fill(grant.resources), conditions=fill(grant.conditions))
