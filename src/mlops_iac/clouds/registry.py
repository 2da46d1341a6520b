"""The clouds and platforms there are, by name; each is imported only when it is asked for.

The one module outside of a cloud's own rooms that names one. It knows names alone, so everything may
import it.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, cast

from mlops_iac.errors import Diagnostic, UsageError

if TYPE_CHECKING:
    from mlops_iac.blueprint.resolved import ResolvedBlueprint
    from mlops_iac.clouds.base import Platform
    from mlops_iac.clouds.cloud import Cloud

# Module and attribute of each.
_CLOUDS = {
    "aws": "mlops_iac.clouds.aws.cloud:AWS",
}
_PLATFORMS = {
    "sagemaker": "mlops_iac.clouds.aws.sagemaker:SAGEMAKER",
}
# What begins so in a process's environment says something about a cloud, also of one that is not here.
ENVIRONMENT = ("AWS_", "ARM_", "AZURE_", "GOOGLE_", "GCLOUD_", "GCE_", "CLOUDSDK_")
UNSUPPORTED = "unsupported-platform"


def names() -> tuple[str, ...]:
    """The platforms that can be planned today."""
    return tuple(sorted(_PLATFORMS))


def platform(name: str) -> Platform:
    """Return the platform `name` of a blueprint.

    Raises:
        UsageError: there is none of that name, or none yet; says which there are.

    """
    if name not in _PLATFORMS:
        from mlops_iac.blueprint.scalars import NOT_YET

        what = "is not supported yet" if name in NOT_YET["platform"] else "is not a platform"
        raise UsageError(f"platform {name!r} {what}", hint=f"supported today: {', '.join(names())}")
    return cast("Platform", _found(_PLATFORMS[name]))


def clouds() -> tuple[Cloud, ...]:
    """Every cloud there is."""
    return tuple(cloud(name) for name in sorted(_CLOUDS))


def cloud(name: str) -> Cloud:
    """Return the cloud `name`, as a platform names its own. Raises KeyError for another name."""
    return cast("Cloud", _found(_CLOUDS[name]))


def cloud_of(token: str) -> Cloud | None:
    """Return the cloud that a type token is of (`aws:s3/bucket:Bucket`); None for no cloud's."""
    package = token.partition(":")[0]
    return next((each for each in clouds() if package in each.packages), None)


@cache
def _found(place: str) -> object:
    module, _, attribute = place.partition(":")
    return getattr(import_module(module), attribute)


def check(resolved: ResolvedBlueprint) -> list[Diagnostic]:
    """What the platform of one environment refuses; or that there is none such, and no more."""
    from mlops_iac.blueprint.torn import known_or

    name: str | None = known_or(None, lambda: resolved.blueprint.platform)
    if name is None:
        return []
    try:
        found = platform(name)
    except UsageError as error:
        return [resolved.diagnostic("platform", UNSUPPORTED, error.message, error.hint)]
    return found.check(resolved)
