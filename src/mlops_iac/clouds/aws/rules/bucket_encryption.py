"""Buckets say how they encrypt."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.aws.types import BUCKET, BUCKET_ENCRYPTION, BUCKET_LOGGING
from mlops_iac.graph.model import Resource
from mlops_iac.policy.context import Context, at, is_known, is_set, items
from mlops_iac.policy.model import Parameter, Rule, Violation


def check(context: Context) -> Iterator[Violation]:
    """Find buckets without default encryption, or without a key of our own where one is asked."""
    for bucket in context.of_type(BUCKET):
        settings = context.pointing((BUCKET_ENCRYPTION,), "bucket", bucket)
        rules = [rule for each in settings for rule in items(each.inputs.get("rules"))]
        inline = at(bucket.inputs, "serverSideEncryptionConfiguration", "rule")
        defaults = [
            at(rule, "applyServerSideEncryptionByDefault") for rule in [*rules, *items(inline)]
        ]
        if not any(is_set(at(each, "sseAlgorithm")) for each in defaults):
            if all(is_known(each.inputs.get("rules")) for each in settings):
                yield Violation("the bucket does not say how it encrypts", bucket, "security.keys")
        elif (
            context.parameter("customer_key")
            and not any(is_set(at(each, "kmsMasterKeyId")) for each in defaults)
            and not _takes_logs(context, bucket)
        ):
            message = "the bucket is not encrypted with a key of your own"
            yield Violation(message, bucket, "security.keys")


def _takes_logs(context: Context, bucket: Resource) -> bool:
    """Server access logs cannot be delivered to a bucket whose default is SSE-KMS."""
    return bool(context.pointing((BUCKET_LOGGING,), "targetBucket", bucket))


RULE = Rule(
    id="bucket-encryption",
    title="Buckets are encrypted at rest",
    severity="mandatory",
    why="Data, models and captures lie in buckets; what encrypts them is said, not assumed.",
    remediation="give the bucket a default encryption; `security: {keys: customer}` makes a key",
    source="AWS Security Hub S3.17, https://docs.aws.amazon.com/securityhub/latest/userguide/s3-controls.html#s3-17",
    check=check,
    parameters={
        "customer_key": Parameter(
            "flag", False, "Ask for a key of your own; buckets of access logs cannot have one."
        )
    },
)
