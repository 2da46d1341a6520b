"""In production, what is overwritten can be had back."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.aws.types import BUCKET, BUCKET_VERSIONING
from mlops_iac.policy.context import Context, at
from mlops_iac.policy.model import Rule, Violation
from mlops_iac.values import Unknown


def check(context: Context) -> Iterator[Violation]:
    """Find buckets whose objects have no versions."""
    for bucket in context.of_type(BUCKET):
        settings = context.pointing((BUCKET_VERSIONING,), "bucket", bucket)
        states = [at(each.inputs, "versioningConfiguration", "status") for each in settings]
        if not any(state == "Enabled" or isinstance(state, Unknown) for state in states):
            yield Violation("the bucket keeps no versions", bucket)


RULE = Rule(
    id="bucket-versioning",
    title="Buckets keep versions in production",
    severity="mandatory",
    why="A training run that overwrites its data, or a mistaken delete, can be undone.",
    remediation="give the bucket versioning, and a lifecycle that expires old versions",
    source="AWS Security Hub S3.14, https://docs.aws.amazon.com/securityhub/latest/userguide/s3-controls.html#s3-14",
    check=check,
    production=True,
)
