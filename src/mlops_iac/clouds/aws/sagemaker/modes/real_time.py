"""Real-time serving: entries behind an endpoint that is always there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlops_iac.blueprint.sections.serving import RealTime
from mlops_iac.clouds.aws.sagemaker import machines
from mlops_iac.clouds.aws.sagemaker.deployer_actions import (
    ALARMS,
    LOG_GROUPS,
    RULES,
    SAGEMAKER_TAGS,
)
from mlops_iac.clouds.aws.sagemaker.modes.endpoint_calls import endpoint_alarms, plan_endpoint
from mlops_iac.clouds.aws.sagemaker.modes.endpoint_checks import check_endpoint
from mlops_iac.clouds.aws.sagemaker.modes.endpoint_requests import endpoint_requests
from mlops_iac.clouds.aws.sagemaker.parts import Deployed, Mode, Needs, of_each, prefixed
from mlops_iac.clouds.aws.sagemaker.scope import Scope, identifier
from mlops_iac.clouds.base import Refusal, Setting
from mlops_iac.errors import Diagnostic


def _entries(scope: Scope) -> dict[str, RealTime]:
    return scope.entries(RealTime)


def _values(scope: Scope, name: str, entry: RealTime) -> Iterator[Diagnostic]:
    at = f"serving.{name}.compute"
    return machines.check_instance(scope, at, entry.compute, "hosting")


def _names(scope: Scope) -> Iterator[tuple[str, str]]:
    for name in _entries(scope):
        yield identifier(name), f"serving.{name}"
        yield f"{identifier(name)}_monitor", f"serving.{name}"


def _needs(scope: Scope) -> Needs:
    entries = _entries(scope)
    return Needs(
        endpoints=[scope.known_as("serving", name) for name in entries],
        captures={
            scope.known_as("serving", name): Setting(
                entry.capture.retention_days, f"serving.{name}.capture.retention_days"
            )
            for name, entry in entries.items()
            if entry.capture is not None
        },
        rollback_alarms=[
            alarm
            for name, entry in entries.items()
            for alarm in endpoint_alarms(scope, name, entry)
        ],
        datasets=[
            entry.monitor.outcomes.dataset
            for entry in entries.values()
            if entry.monitor and entry.monitor.outcomes and entry.monitor.outcomes.dataset
        ],
    )


def _guide(_: Sequence[Scope]) -> list[str]:
    return [
        "## After an automatic rollback",
        "",
        (
            "When an alarm takes a rollout back, the endpoint runs its previous configuration, while the"
            " deployment reports success (hashicorp/terraform-provider-aws, issue 48997). `mlops-iac"
            " status` and `up` say so; by hand, compare"
        ),
        "",
        "```sh",
        "aws sagemaker describe-endpoint --endpoint-name NAME --query EndpointConfigName",
        "```",
        "",
        (
            "with the configuration in the state. Where `protect` is true, replaced models and"
            " configurations are kept for this. Pin the version that runs"
            " (`models.<name>.version`) and run `up`: then the state and the endpoint agree again."
        ),
    ]


REAL_TIME = Mode(
    name="real-time",
    section=RealTime,
    there=_entries,
    plan=of_each(RealTime, plan_endpoint),
    planned=prefixed(
        "serving.*.",
        "description mode model env.* variants.*.model variants.*.traffic_percent "
        "variants.*.shadow_percent compute.size compute.instance compute.disk_gb scaling.min "
        "scaling.max scaling.target.requests_per_minute scaling.target.concurrency "
        "scaling.target.cpu_percent scaling.target.gpu_percent rollout.strategy rollout.percent "
        "rollout.wait_minutes rollout.limits.*.at_most capture.percent capture.retention_days "
        "monitor.schedule monitor.outcomes.dataset monitor.outcomes.key monitor.outcomes.within_days monitor.limits.*.at_least "
        "monitor.limits.*.at_most",
    ),
    refused=(
        Refusal("serving.*.runtime", "an entry serves with its model's runtime", "set it there"),
        Refusal("serving.*.callers", "endpoints grant no one yet", "allow them by IAM"),
        Refusal(
            "serving.*.rollout.limits.*.at_least",
            "of what is measured only more is worse",
            "write `at_most`",
        ),
    ),
    values=of_each(RealTime, _values),
    check=of_each(RealTime, check_endpoint),
    names=_names,
    requests=of_each(RealTime, endpoint_requests),
    tagged=("sagemaker.CreateEndpoint", "cloudwatch.PutMetricAlarm", "logs.CreateLogGroup"),
    needs=_needs,
    deployed=Deployed(
        actions={
            "RealTimeEndpoint": (
                *prefixed(
                    "application-autoscaling:",
                    "DeleteScalingPolicy DeregisterScalableTarget DescribeScalableTargets "
                    "DescribeScalingPolicies ListTagsForResource PutScalingPolicy "
                    "RegisterScalableTarget TagResource UntagResource",
                ),
                # Scaling makes alarms and, once per account, a role of its own in the caller's name.
                "iam:CreateServiceLinkedRole",
                "iam:PassRole",
                # Instances' volumes are attached under the data key, by a grant of the caller's.
                "kms:CreateGrant",
                "kms:DescribeKey",
                *prefixed(
                    "sagemaker:",
                    "CreateEndpoint CreateEndpointConfig CreateModel DeleteEndpoint "
                    "DeleteEndpointConfig DeleteModel DescribeEndpoint DescribeEndpointConfig "
                    "DescribeModel",
                ),
                # `up` asks for a version's examples what it has changed.
                "sagemaker:InvokeEndpoint",
                # `up` looks for the newest approved version, also in the account that trained it.
                *prefixed(
                    "sagemaker:",
                    "DescribeModelPackage ListModelPackages UpdateEndpoint "
                    "UpdateEndpointWeightsAndCapacities",
                ),
                *RULES,
                *LOG_GROUPS,
                *SAGEMAKER_TAGS,
                *ALARMS,
            ),
            "ServiceMonitor": (
                *prefixed("cloudwatch:", "DeleteDashboards GetDashboard PutDashboard"),
                *ALARMS,
            ),
        },
        named={
            "cloudwatch": ("cloudwatch::${account}:dashboard/${stem}-*",),
            "logs": ("logs:${region}:${account}:log-group:/aws/sagemaker/Endpoints/${stem}-*",),
        },
        unnamed={"application-autoscaling": "targets and policies have ids that the service makes"},
        passed_to=("sagemaker",),
        linked=("sagemaker.application-autoscaling",),
    ),
    guide=_guide,
)
