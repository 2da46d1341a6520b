"""Who may read logs and alerts need not be able to decrypt data."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.aws.types import (
    BUCKET,
    BUCKET_ENCRYPTION,
    ENDPOINT_CONFIGURATION,
    KEY,
    LOG_GROUP,
    TOPIC,
    TRAIL,
)
from mlops_iac.graph.model import Resource
from mlops_iac.policy.context import Context
from mlops_iac.policy.model import Rule, Violation


def check(context: Context) -> Iterator[Violation]:
    """Find keys that encrypt data and logs or alerts besides."""
    for key in context.of_type(KEY):
        told = [
            *context.pointing((LOG_GROUP, TRAIL), "kmsKeyId", key),
            *context.pointing((TOPIC,), "kmsMasterKeyId", key),
        ]
        held = [
            *context.pointing((ENDPOINT_CONFIGURATION,), "kmsKeyArn", key),
            *_data(context, key),
        ]
        if told and held:
            yield Violation(f"it encrypts {held[0].name}, and {told[0].name} as well", key)


def _data(context: Context, key: Resource) -> Iterator[Resource]:
    """Buckets under the key, but for those of audit trails."""
    trails = [
        bucket
        for bucket in context.of_type(BUCKET)
        if context.pointing((TRAIL,), "s3BucketName", bucket)
    ]
    for each in context.pointing((BUCKET_ENCRYPTION,), "rules", key):
        if not any(context.means(each, "bucket", bucket) for bucket in trails):
            yield each


RULE = Rule(
    id="shared-key",
    title="Data has a key that logs and alerts have not",
    severity="advisory",
    why="Whoever has to read a log at night can decrypt the training data, too.",
    remediation="give logs, the trail and the topic a key of their own",
    source="AWS Well-Architected Framework, https://docs.aws.amazon.com/wellarchitected/latest/security-pillar/sec_protect_data_rest_key_mgmt.html",
    check=check,
)
