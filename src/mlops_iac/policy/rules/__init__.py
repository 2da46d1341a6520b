"""The guard rails, one per module, in the order in which they are listed."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module

from mlops_iac.policy.model import Rule

# Modules of this package. A rule's id is its module's name, with hyphens.
NAMES = (
    "bucket_encryption",
    "endpoint_encryption",
    "topic_encryption",
    "queue_encryption",
    "log_encryption",
    "key_rotation",
    "shared_key",
    "tls_only",
    "public_bucket",
    "public_policy",
    "public_network",
    "plain_secrets",
    "wildcard_action",
    "wildcard_resource",
    "pass_role",
    "sealed_models",
    "cross_account",
    "confused_deputy",
    "protection",
    "bucket_versioning",
    "bucket_logging",
    "log_retention",
    "endpoint_rollback",
    "endpoint_monitor",
    "single_instance",
    "model_provenance",
    "drift_capture",
    "percentile_alarms",
    "pipeline_failures",
    "alert_delivery",
    "undelivered",
    "owner_tag",
    "cost_tag",
    "missing_budget",
    "allowed_regions",
    "allowed_instances",
)


def ids() -> tuple[str, ...]:
    """Every rule's id, without importing the rules."""
    return tuple(name.replace("_", "-") for name in NAMES)


@lru_cache(maxsize=1)
def rules() -> tuple[Rule, ...]:
    """Every rule."""
    return tuple(import_module(f"{__name__}.{name}").RULE for name in NAMES)
