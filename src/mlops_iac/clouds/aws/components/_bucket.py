"""One bucket with everything that makes it safe. Children carry the name of the bucket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from ._iam import Statement, policy_document, statement

_ABORT_DAYS = 7


class Bucket:
    """A versioned, encrypted, private bucket that refuses plain HTTP.

    Make it, `allow` what else its policy says, then `close` it. `ready` is what an object has to
    wait for, so that nothing is written before encryption and policy stand.
    """

    def __init__(
        self,
        name: str,
        *,
        parent: pulumi.Resource,
        key_arn: pulumi.Input[str] | None,
        rules: Sequence[aws.s3.BucketLifecycleConfigurationRuleArgs],
        protect: bool,
        tags: Mapping[str, pulumi.Input[str]],
        event_bridge: bool = False,
    ) -> None:
        self._name = name
        self._child = pulumi.ResourceOptions(parent=parent)
        self._parent = parent
        self._statements: list[Statement] = []
        self._bucket = aws.s3.Bucket(
            name,
            force_destroy=not protect,
            tags=tags,
            opts=pulumi.ResourceOptions(parent=parent, protect=protect),
        )
        self.name = self._bucket.bucket
        self.arn = self._bucket.arn
        self._access = aws.s3.BucketPublicAccessBlock(
            f"{name}-access",
            bucket=self.name,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self._child,
        )
        ownership = aws.s3.BucketOwnershipControls(
            f"{name}-ownership",
            bucket=self.name,
            rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            opts=self._child,
        )
        versioning = aws.s3.BucketVersioning(
            f"{name}-versioning",
            bucket=self.name,
            versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(
                status="Enabled"
            ),
            opts=self._child,
        )
        encryption = self._encrypt(key_arn)
        aws.s3.BucketLifecycleConfiguration(
            f"{name}-lifecycle",
            bucket=self.name,
            rules=[*rules, _abort()],
            # Rules for noncurrent versions need versioning to be on.
            opts=pulumi.ResourceOptions(parent=parent, depends_on=[versioning]),
        )
        if event_bridge:
            aws.s3.BucketNotification(
                f"{name}-notification", bucket=self.name, eventbridge=True, opts=self._child
            )
        self.ready: list[pulumi.Resource] = [encryption, ownership, versioning]

    def allow(self, extra: Statement) -> None:
        """Add a statement to the policy."""
        self._statements.append(extra)

    def close(self) -> None:
        """Attach the policy."""
        policy = aws.s3.BucketPolicy(
            f"{self._name}-policy",
            bucket=self.name,
            policy=policy_document(self._tls_only(), *self._statements),
            # S3 refuses two changes of a bucket's access settings at once.
            opts=pulumi.ResourceOptions(parent=self._parent, depends_on=[self._access]),
        )
        self.ready.append(policy)

    def log_to(self, logs: Bucket) -> None:
        """Deliver access logs to `logs`, whose policy has to admit them first."""
        aws.s3.BucketLogging(
            f"{self._name}-logging",
            bucket=self.name,
            target_bucket=logs.name,
            target_prefix=f"s3/{self._name}/",
            opts=pulumi.ResourceOptions(parent=self._parent, depends_on=list(logs.ready)),
        )

    def _encrypt(
        self, key_arn: pulumi.Input[str] | None
    ) -> aws.s3.BucketServerSideEncryptionConfiguration:
        default = (
            aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs
        )
        return aws.s3.BucketServerSideEncryptionConfiguration(
            f"{self._name}-encryption",
            bucket=self.name,
            rules=[
                aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=(
                        default(sse_algorithm="AES256")
                        if key_arn is None
                        else default(sse_algorithm="aws:kms", kms_master_key_id=key_arn)
                    ),
                    # One data key per bucket and a while, instead of a KMS call per object.
                    bucket_key_enabled=key_arn is not None,
                )
            ],
            opts=self._child,
        )

    def _tls_only(self) -> Statement:
        return statement(
            "TlsOnly",
            ["s3:*"],
            [self.arn, pulumi.Output.concat(self.arn, "/*")],
            reason="nothing is read or written over plain HTTP",
            wildcard="a denial covers every action",
            effect="Deny",
            principal={"AWS": "*"},
            conditions={"Bool": {"aws:SecureTransport": "false"}},
        )


def _abort() -> aws.s3.BucketLifecycleConfigurationRuleArgs:
    return aws.s3.BucketLifecycleConfigurationRuleArgs(
        id="abort-uploads",
        status="Enabled",
        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
        abort_incomplete_multipart_upload=(
            aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                days_after_initiation=_ABORT_DAYS
            )
        ),
    )
