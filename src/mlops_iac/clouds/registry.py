"""Platforms by name, each imported only when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from mlops_iac.blueprint.resolved import ResolvedBlueprint
from mlops_iac.blueprint.scalars import NOT_YET
from mlops_iac.clouds.base import Platform
from mlops_iac.errors import Diagnostic, UsageError

# Module and attribute of each platform that exists.
_PLATFORMS = {
    "sagemaker": "mlops_iac.clouds.aws.sagemaker:SAGEMAKER",
}
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
        what = "is not supported yet" if name in NOT_YET["platform"] else "is not a platform"
        raise UsageError(f"platform {name!r} {what}", hint=f"supported today: {', '.join(names())}")
    module, _, attribute = _PLATFORMS[name].partition(":")
    return cast("Platform", getattr(import_module(module), attribute))


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
