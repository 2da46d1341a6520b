"""No bucket can be made public."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.aws.types import BUCKET, BUCKET_PUBLIC_ACCESS
from mlops_iac.policy.context import Context, is_set
from mlops_iac.policy.model import Rule, Violation

_BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
_ACL = "aws:s3/bucketAcl:BucketAcl"


def check(context: Context) -> Iterator[Violation]:
    """Find buckets that do not block public access, and ACLs that give it."""
    for bucket in context.of_type(BUCKET):
        blocks = context.pointing((BUCKET_PUBLIC_ACCESS,), "bucket", bucket)
        if not blocks:
            yield Violation("the bucket does not block public access", bucket)
        for each in blocks:
            if missing := [key for key in _BLOCKS if not is_set(each.inputs.get(key))]:
                yield Violation(f"the bucket lacks {', '.join(missing)}", each)
    for each in context.of_type(BUCKET, _ACL):
        acl = each.inputs.get("acl")
        if isinstance(acl, str) and (acl.startswith("public-") or acl == "authenticated-read"):
            yield Violation(f"the ACL {acl} lets strangers in", each)


RULE = Rule(
    id="public-bucket",
    title="No bucket can be made public",
    severity="mandatory",
    why="Public buckets are the commonest leak; the block holds whatever a policy says later.",
    remediation="give the bucket a public access block with all four settings",
    source="AWS Security Hub S3.8, https://docs.aws.amazon.com/securityhub/latest/userguide/s3-controls.html#s3-8",
    check=check,
)
