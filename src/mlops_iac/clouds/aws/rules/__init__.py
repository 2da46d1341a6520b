"""Guard rails that speak of AWS types, one per module, in the order in which they are listed."""

from __future__ import annotations

# A rule's id is its module's name, with hyphens.
MODULES = tuple(
    f"{__name__}.{name}"
    for name in (
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
        "wildcard_action",
        "wildcard_resource",
        "pass_role",
        "sealed_models",
        "cross_account",
        "confused_deputy",
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
        "missing_budget",
    )
)
