"""Who did what: every call that manages the account's region, and every access to the stack's objects.

The bucket that the trail writes to is the data store's, because the two name each other: the
trail's name is a literal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from ._context import physical
from .data_store import AUDIT_TRAIL, TRAIL_LIMIT

_Selector = aws.cloudtrail.TrailAdvancedEventSelectorArgs
_Field = aws.cloudtrail.TrailAdvancedEventSelectorFieldSelectorArgs


@dataclass(frozen=True, kw_only=True)
class AuditTrailArgs:
    """`bucket` keeps the log; the objects of `bucket_arns`, and of `captures_bucket_arn`, are watched.

    `key_arn` encrypts the log; its policy has to admit CloudTrail.
    """

    bucket: pulumi.Input[str]
    bucket_arns: Sequence[pulumi.Input[str]]
    captures_bucket_arn: pulumi.Input[str] | None = None
    key_arn: pulumi.Input[str] | None = None
    tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class AuditTrail(pulumi.ComponentResource):
    """The trail, `trail_name`. What `depends_on` names (the bucket's policy) is there before it."""

    trail_name: pulumi.Output[str]
    bucket: pulumi.Output[str]

    def __init__(
        self, name: str, args: AuditTrailArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-iac:aws:AuditTrail", name, None, opts)
        buckets = (*args.bucket_arns, args.captures_bucket_arn)
        watched = [each for each in buckets if each is not None]
        trail = aws.cloudtrail.Trail(
            f"{name}-trail",
            name=physical(AUDIT_TRAIL, TRAIL_LIMIT),
            s3_bucket_name=args.bucket,
            # IAM and other global services tell of their calls in one region alone.
            include_global_service_events=True,
            is_multi_region_trail=True,
            # Digests, signed by CloudTrail: what was deleted or changed afterwards is noticed.
            enable_log_file_validation=True,
            kms_key_id=args.key_arn,
            advanced_event_selectors=[
                _Selector(
                    name="Management",
                    field_selectors=[_Field(field="eventCategory", equals=["Management"])],
                ),
                _Selector(
                    name="Objects of the stack",
                    field_selectors=[
                        _Field(field="eventCategory", equals=["Data"]),
                        _Field(field="resources.type", equals=["AWS::S3::Object"]),
                        _Field(
                            field="resources.ARN",
                            starts_withs=[pulumi.Output.concat(arn, "/") for arn in watched],
                        ),
                    ],
                ),
            ],
            tags=args.tags,
            # A component's own dependencies are not those of its children.
            opts=pulumi.ResourceOptions(parent=self, depends_on=opts.depends_on if opts else None),
        )
        self.trail_name = trail.name
        self.bucket = trail.s3_bucket_name
        self.register_outputs({"trailName": self.trail_name})
