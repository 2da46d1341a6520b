"""Buckets and queues refuse plain text connections."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.aws.rules._documents import Statement, statements
from mlops_iac.clouds.aws.types import BUCKET, BUCKET_POLICY, QUEUE, QUEUE_POLICY
from mlops_iac.graph.model import Resource
from mlops_iac.policy.context import Context, is_known
from mlops_iac.policy.model import Rule, Violation


def check(context: Context) -> Iterator[Violation]:
    """Find those without a policy that denies what does not come over TLS."""
    denying = {each.resource.urn for each in statements(context) if _denies(each)}
    for kind, policy, key, what in (
        (BUCKET, BUCKET_POLICY, "bucket", "bucket"),
        (QUEUE, QUEUE_POLICY, "queueUrl", "queue"),
    ):
        for target in context.of_type(kind):
            own = [target, *context.pointing((policy,), key, target)]
            if not any(each.urn in denying or _unknown(each) for each in own):
                yield Violation(f"the {what} takes unencrypted connections", target)


def _denies(each: Statement) -> bool:
    return not each.allow and each.conditions.get("aws:securetransport") == ("false",)


def _unknown(policy: Resource) -> bool:
    return not is_known(policy.inputs.get("policy"))


RULE = Rule(
    id="tls-only",
    title="Buckets and queues take TLS connections only",
    severity="mandatory",
    why="Without it, a client that is configured wrongly sends data in the clear.",
    remediation="deny in its policy what has `aws:SecureTransport` false",
    source="AWS Security Hub S3.5, https://docs.aws.amazon.com/securityhub/latest/userguide/s3-controls.html#s3-5",
    check=check,
)
