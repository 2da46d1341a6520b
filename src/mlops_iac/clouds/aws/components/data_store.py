"""Buckets for data, artifacts, captures and logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from ._bucket import Bucket
from ._context import Context, physical
from ._iam import Statement, statement

# Where things lie in the bucket of artifacts (`mlops_iac.pipeline` writes there): what the jobs of a
# run leave expires; what `Sealing` copied of it, registered models above all, is kept for ever.
# Neither there nor where code is uploaded may a job write.
WORK_PREFIX = "pipelines/"
MODELS_PREFIX = "models/"
CODE_PREFIX = "code/"
_WORK_DAYS = 30
# The bucket of the audit trail admits the trail by its name, which is therefore a literal.
AUDIT_TRAIL = "audit"
TRAIL_LIMIT = 128  # CloudTrail API reference, CreateTrail: Name


@dataclass(frozen=True)
class DataStoreArgs:
    """What to keep, and for how long.

    `captures`: retention in days by serving entry; the captures bucket exists when there are any.
    `key_arn`: None encrypts with the provider's own keys (SSE-S3). `event_bridge`: tell
    EventBridge about new objects in the data bucket. `audit`: a bucket for the audit trail, whose
    log is encrypted under `audit_key_arn`. `reader_accounts` may read models.
    `protect`: refuse to delete buckets; without it they are emptied when deleted.
    """

    key_arn: pulumi.Input[str] | None = None
    captures: Mapping[str, pulumi.Input[int]] = field(default_factory=dict)
    event_bridge: bool = False
    audit: bool = False
    audit_key_arn: pulumi.Input[str] | None = None
    reader_accounts: Sequence[str] = ()
    audit_days: pulumi.Input[int] = 730
    noncurrent_days: pulumi.Input[int] = 90
    log_days: pulumi.Input[int] = 365
    protect: bool = True
    tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Area:
    """A place for objects: `bucket` (its name) and `arn`."""

    bucket: pulumi.Output[str]
    arn: pulumi.Output[str]


class DataStore(pulumi.ComponentResource):
    """Areas for objects: `data`, `artifacts`, `logs`, and `captures` where something is captured.

    `audit` where the audit trail is kept.
    """

    data: Area
    artifacts: Area
    logs: Area
    _captures: Area | None = None
    _audit: Area | None = None

    def __init__(
        self, name: str, args: DataStoreArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-iac:aws:DataStore", name, None, opts)
        self._args = args
        self._make_buckets(name)
        self.register_outputs(
            {
                "dataBucket": self.data.bucket,
                "artifactsBucket": self.artifacts.bucket,
                "capturesBucket": self._captures.bucket if self._captures else None,
                "logsBucket": self.logs.bucket,
                "auditBucket": self._audit.bucket if self._audit else None,
            }
        )

    @property
    def captures(self) -> Area:
        """Raises ValueError when nothing is captured."""
        if self._captures is None:
            raise ValueError("no serving entry captures, so there is no place for captures")
        return self._captures

    @property
    def audit(self) -> Area:
        """Raises ValueError when there is no audit trail."""
        if self._audit is None:
            raise ValueError("there is no audit trail, so there is no place for one")
        return self._audit

    def _make_buckets(self, name: str) -> None:
        args = self._args
        # The log delivery service cannot write under a customer key.
        logs = self._bucket(f"{name}-logs", [_expire("logs", "", args.log_days)], key_arn=None)
        data = self._bucket(
            f"{name}-data",
            [_noncurrent("noncurrent", "", args.noncurrent_days)],
            key_arn=args.key_arn,
            event_bridge=args.event_bridge,
        )
        work = _expire("work", WORK_PREFIX, _WORK_DAYS)
        artifacts = self._bucket(f"{name}-artifacts", [work], key_arn=args.key_arn)
        logged = [data, artifacts]
        if args.captures:
            rules = [
                _expire(f"captures-{entry}", f"{entry}/", days)
                for entry, days in args.captures.items()
            ]
            captures = self._bucket(f"{name}-captures", rules, key_arn=args.key_arn)
            logged.append(captures)
            self._captures = Area(captures.name, captures.arn)
        if args.audit:
            logged.append(self._trail(f"{name}-audit"))
        logs.allow(self._access_logs(logs, logged))
        if args.reader_accounts:
            artifacts.allow(self._readers(artifacts))
        for bucket in (logs, *logged):
            bucket.close()
        for bucket in logged:
            bucket.log_to(logs)
        self.data = Area(data.name, data.arn)
        self.artifacts = Area(artifacts.name, artifacts.arn)
        self.logs = Area(logs.name, logs.arn)

    def _trail(self, name: str) -> Bucket:
        args, context = self._args, Context(self)
        bucket = self._bucket(
            name, [_expire("audit", "", args.audit_days)], key_arn=args.audit_key_arn
        )
        trail = context.arn("cloudtrail", f"trail/{physical(AUDIT_TRAIL, TRAIL_LIMIT)}")
        common = {
            "principal": {"Service": context.service("cloudtrail")},
            "conditions": {"StringEquals": {"aws:SourceArn": trail}},
        }
        # CloudTrail user guide, "Amazon S3 bucket policy for CloudTrail"; no ACL is asked for,
        # because the bucket has none.
        bucket.allow(
            statement(
                "TrailLooks",
                ["s3:GetBucketAcl"],
                [bucket.arn],
                reason="CloudTrail looks at the bucket before it writes",
                **common,  # type: ignore[arg-type]
            )
        )
        bucket.allow(
            statement(
                "TrailWrites",
                ["s3:PutObject"],
                [pulumi.Output.concat(bucket.arn, "/AWSLogs/", context.account, "/*")],
                reason="the audit trail is kept here",
                **common,  # type: ignore[arg-type]
            )
        )
        self._audit = Area(bucket.name, bucket.arn)
        return bucket

    def _bucket(
        self,
        name: str,
        rules: Sequence[aws.s3.BucketLifecycleConfigurationRuleArgs],
        *,
        key_arn: pulumi.Input[str] | None,
        event_bridge: bool = False,
    ) -> Bucket:
        return Bucket(
            name,
            parent=self,
            key_arn=key_arn,
            rules=rules,
            protect=self._args.protect,
            tags=self._args.tags,
            event_bridge=event_bridge,
        )

    def _access_logs(self, logs: Bucket, logged: Sequence[Bucket]) -> Statement:
        context = Context(self)
        return statement(
            "AccessLogs",
            ["s3:PutObject"],
            [pulumi.Output.concat(logs.arn, "/*")],
            reason="the access logs of the stack's own buckets are delivered here",
            principal={"Service": context.service("logging.s3")},
            conditions={
                "StringEquals": {"aws:SourceAccount": context.account},
                "ArnEquals": {"aws:SourceArn": [each.arn for each in logged]},
            },
        )

    def _readers(self, artifacts: Bucket) -> Statement:
        context = Context(self)
        return statement(
            "Readers",
            ["s3:GetObject"],
            [pulumi.Output.concat(artifacts.arn, f"/{MODELS_PREFIX}*")],
            reason="accounts that serve the models trained here read their artifacts",
            principal={"AWS": [context.root(each) for each in self._args.reader_accounts]},
        )


def _expire(
    name: str, prefix: str, days: pulumi.Input[int]
) -> aws.s3.BucketLifecycleConfigurationRuleArgs:
    """Objects go after `days`, and what they leave behind a week later."""
    return aws.s3.BucketLifecycleConfigurationRuleArgs(
        id=name,
        status="Enabled",
        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=prefix),
        expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=days),
        noncurrent_version_expiration=(
            aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                noncurrent_days=7
            )
        ),
    )


def _noncurrent(
    name: str, prefix: str, days: pulumi.Input[int]
) -> aws.s3.BucketLifecycleConfigurationRuleArgs:
    """Objects stay; versions that were overwritten or deleted go after `days`."""
    return aws.s3.BucketLifecycleConfigurationRuleArgs(
        id=name,
        status="Enabled",
        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=prefix),
        noncurrent_version_expiration=(
            aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                noncurrent_days=days
            )
        ),
    )
