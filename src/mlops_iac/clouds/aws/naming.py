"""Names and their limits on AWS, for whoever checks a blueprint (see `components/_naming.py`)."""

from __future__ import annotations

from mlops_iac.clouds.aws.components._naming import (
    ALARM_LIMIT,
    BUCKET_LIMIT,
    ENDPOINT_LIMIT,
    PACKAGE_GROUP_LIMIT,
    PIPELINE_LIMIT,
    ROLE_LIMIT,
    TUNING_JOB_LIMIT,
    alarm_name,
    automatic_names,
    catalogue_stem,
    physical_name,
    sid,
    slug,
    stem,
    truncate,
)

__all__ = [
    "ALARM_LIMIT",
    "BUCKET_LIMIT",
    "ENDPOINT_LIMIT",
    "PACKAGE_GROUP_LIMIT",
    "PIPELINE_LIMIT",
    "ROLE_LIMIT",
    "TUNING_JOB_LIMIT",
    "alarm_name",
    "automatic_names",
    "catalogue_stem",
    "physical_name",
    "sid",
    "slug",
    "stem",
    "truncate",
]
