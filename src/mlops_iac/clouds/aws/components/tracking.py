"""The server that keeps runs in MLflow: parameters, metrics, pictures and models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pulumi
import pulumi_aws as aws

from ._context import Context, physical
from ._iam import policy_document, trust
from ._identity_statements import TRACKED_PREFIX, Grants

_NAME_LIMIT = 256  # SageMaker API, TrackingServerName
# Nobody trains at this hour of the week, or it waits: SageMaker API, WeeklyMaintenanceWindowStart, in UTC.
_MAINTENANCE = "Sun:03:30"


@dataclass(frozen=True, kw_only=True)
class TrackingArgs:
    """`bucket` holds the artifacts, below `mlflow/`; `key_arn` encrypts it.

    What the server itself keeps (parameters and metrics) is encrypted with a key of AWS's: it takes no
    other. `protect` guards it: with the server go all runs that it knows.
    """

    bucket: pulumi.Input[str]
    bucket_arn: pulumi.Input[str]
    size: Literal["Small", "Medium", "Large"] = "Small"
    key_arn: pulumi.Input[str] | None = None
    protect: bool = True
    permissions_boundary: pulumi.Input[str] | None = None
    tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class Tracking(pulumi.ComponentResource):
    """`server_arn`: the tracking URI of clients that have `sagemaker-mlflow`."""

    server_arn: pulumi.Output[str]

    def __init__(
        self, name: str, args: TrackingArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-iac:aws:Tracking", name, None, opts)
        context, child = Context(self), pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(
            f"{name}-role",
            description="The MLflow server, over its artifacts",
            assume_role_policy=trust(context, "sagemaker"),
            permissions_boundary=args.permissions_boundary,
            tags=args.tags,
            opts=child,
        )
        grants = Grants(context, args.key_arn)
        policy = aws.iam.RolePolicy(
            f"{name}-policy",
            role=role.name,
            policy=policy_document(
                *grants.read("Artifacts", args.bucket_arn, [TRACKED_PREFIX], "what it shows"),
                grants.write(
                    "Artifacts", args.bucket_arn, [TRACKED_PREFIX], "what its people add to runs"
                ),
                *grants.encrypt("artifacts are encrypted"),
            ),
            opts=child,
        )
        server = aws.sagemaker.MlflowTrackingServer(
            f"{name}-server",
            tracking_server_name=physical(name, _NAME_LIMIT),
            artifact_store_uri=pulumi.Output.concat(
                "s3://", args.bucket, f"/{TRACKED_PREFIX.rstrip('/')}"
            ),
            # It waits for the permissions too, not only for the role.
            role_arn=pulumi.Output.all(role.arn, policy.id).apply(lambda known: str(known[0])),
            tracking_server_size=args.size,
            automatic_model_registration=False,
            weekly_maintenance_window_start=_MAINTENANCE,
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        self.server_arn = server.arn
        self.register_outputs({"serverArn": self.server_arn})
