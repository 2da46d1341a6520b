"""The trail of management calls and of accesses to the stack's objects."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.aws.sagemaker.blocks.data_store import buckets, captures
from mlops_iac.clouds.aws.sagemaker.parts import Deployed, Part, prefixed
from mlops_iac.clouds.aws.sagemaker.scope import Scope, call
from mlops_iac.clouds.base import ComponentCall, Ref

AUDIT = "audit"


def _plan(scope: Scope) -> Iterator[ComponentCall]:
    yield call(
        AUDIT,
        "audit_trail:AuditTrail",
        {
            "bucket": Ref("data", "audit.bucket"),
            "bucket_arns": buckets(),
            "captures_bucket_arn": captures(scope),
            "key_arn": scope.audit_key,
            "tags": scope.tags,
        },
        path="security.audit_log",
        depends_on=("data",),
        flag="security.audit_log",
        exports={"audit_trail": "trail_name", "audit_bucket": "bucket"},
    )


def _names(scope: Scope) -> list[tuple[str, str]]:
    return [] if scope.audit_log is None else [(AUDIT, "")]


AUDIT_TRAIL = Part(
    there=lambda scope: scope.blueprint.security.audit_log,
    plan=_plan,
    planned=("security.audit_log",),
    names=_names,
    tagged=("cloudtrail.CreateTrail",),
    key_services=("cloudtrail",),
    deployed=Deployed(
        actions={
            "AuditTrail": (
                *prefixed(
                    "cloudtrail:",
                    "AddTags CreateTrail DeleteTrail DescribeTrails GetEventSelectors "
                    "GetInsightSelectors GetTrail GetTrailStatus ListTags PutEventSelectors "
                    "RemoveTags StartLogging StopLogging UpdateTrail",
                ),
                # The first trail of an account makes CloudTrail's own role.
                "iam:CreateServiceLinkedRole",
            )
        },
        named={"cloudtrail": ("cloudtrail:${region}:${account}:trail/${stem}-*",)},
        unconfined=("cloudtrail:DescribeTrails",),
        linked=("cloudtrail",),
    ),
)
