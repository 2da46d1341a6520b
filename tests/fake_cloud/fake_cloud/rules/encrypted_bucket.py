"""Buckets are encrypted."""

from __future__ import annotations

from collections.abc import Iterator

from fake_cloud.types import BUCKET
from mlops_iac.policy.context import Context
from mlops_iac.policy.model import Rule, Violation


def check(context: Context) -> Iterator[Violation]:
    """Find buckets that say they are not."""
    for bucket in context.of_type(BUCKET):
        if bucket.inputs.get("encrypted") is False:
            yield Violation("the bucket is not encrypted", bucket, "security.keys")


RULE = Rule(
    id="encrypted-bucket",
    title="Buckets of the fake cloud are encrypted",
    severity="mandatory",
    why="Data and models lie in them.",
    remediation="leave `encrypted` as it is",
    source="the fake cloud's handbook, fake://handbook/1",
    check=check,
)
