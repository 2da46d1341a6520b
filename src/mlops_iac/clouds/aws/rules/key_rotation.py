"""Keys rotate."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.aws.types import KEY
from mlops_iac.policy.context import Context, is_set
from mlops_iac.policy.model import Rule, Violation


def check(context: Context) -> Iterator[Violation]:
    """Find symmetric keys that do not rotate; others cannot."""
    for key in context.of_type(KEY):
        symmetric = key.inputs.get("customerMasterKeySpec") in (None, "SYMMETRIC_DEFAULT")
        own_material = is_set(key.inputs.get("customKeyStoreId"))
        if symmetric and not own_material and not is_set(key.inputs.get("enableKeyRotation")):
            yield Violation("the key does not rotate", key, "security.keys")


RULE = Rule(
    id="key-rotation",
    title="Keys rotate every year",
    severity="mandatory",
    why="A key that leaked opens only what was written until it rotated.",
    remediation="set `enableKeyRotation` on the key",
    source="AWS Security Hub KMS.4, https://docs.aws.amazon.com/securityhub/latest/userguide/kms-controls.html#kms-4",
    check=check,
)
