"""Who read what from a bucket is written down."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.aws.types import BUCKET, BUCKET_LOGGING
from mlops_iac.policy.context import Context
from mlops_iac.policy.model import Rule, Violation


def check(context: Context) -> Iterator[Violation]:
    """Find buckets without access logs; the one that takes them needs none."""
    for bucket in context.of_type(BUCKET):
        if not any(
            context.pointing((BUCKET_LOGGING,), key, bucket) for key in ("bucket", "targetBucket")
        ):
            yield Violation("nobody writes down who reads the bucket", bucket)


RULE = Rule(
    id="bucket-logging",
    title="Buckets have access logs",
    severity="advisory",
    why="After a leak, the first question is who read what.",
    remediation="give the bucket server access logging",
    source="AWS Security Hub S3.9, https://docs.aws.amazon.com/securityhub/latest/userguide/s3-controls.html#s3-9",
    check=check,
)
