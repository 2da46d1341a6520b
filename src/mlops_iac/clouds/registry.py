"""The clouds and platforms there are, by name; each is imported only when it is asked for.

The one module outside of a cloud's own rooms that names one. It knows names alone, so everything may
import it.

Other distributions bring clouds of their own: each module of the namespace package
`mlops_iac_clouds` says in `CLOUDS` and `PLATFORMS` what stands here of ours. That there is none is
known in a fraction of a millisecond; for entry points the metadata of everything that is installed
would be read in every command.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from importlib import import_module
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any, cast

from mlops_iac.clouds.knowledge import Forms, TypeFacts
from mlops_iac.errors import Diagnostic, UsageError
from mlops_iac.records import Record

if TYPE_CHECKING:
    from mlops_iac.blueprint.resolved import ResolvedBlueprint
    from mlops_iac.blueprint.sections.base import Section
    from mlops_iac.clouds.base import Platform
    from mlops_iac.clouds.cloud import Cloud

# Module and attribute.
_CLOUDS = {
    "aws": "mlops_iac.clouds.aws.cloud:AWS",
}


class _Listed(Record):
    """A platform of the language: its cloud, its object, and what it alone knows (`options`).

    Without an object it cannot be planned yet.
    """

    cloud: str
    platform: str = ""
    options: str = ""
    entry_options: str = ""


# In the order in which the language lists them.
_PLATFORMS = {
    "sagemaker": _Listed(
        "aws",
        "mlops_iac.clouds.aws.sagemaker:SAGEMAKER",
        "mlops_iac.clouds.aws.options:SagemakerOptions",
        "mlops_iac.clouds.aws.options:SagemakerEntryOptions",
    ),
    "azure-ml": _Listed("azure"),
    "vertex": _Listed("gcp"),
    "mlflow-aws": _Listed("aws"),
    "kubeflow-azure": _Listed("azure"),
}
_OTHERS = "mlops_iac_clouds"
# Not what lies in the folder one happens to be in, which may be somebody else's checkout.
_PLACES = [each for each in sys.path if each.startswith(os.sep)]
if (_found_others := PathFinder.find_spec(_OTHERS, _PLACES)) is not None:
    from importlib.util import module_from_spec
    from pkgutil import iter_modules

    for _each in iter_modules(_found_others.submodule_search_locations or ()):
        _spec = cast("Any", _each.module_finder).find_spec(_each.name)
        _module = module_from_spec(_spec)
        _spec.loader.exec_module(_module)
        _CLOUDS |= _module.CLOUDS
        _PLATFORMS |= {name: _Listed(**values) for name, values in _module.PLATFORMS.items()}
# What begins so in a process's environment says something about a cloud that is not here yet.
_VARIABLES = ("ARM_", "AZURE_", "GOOGLE_", "GCLOUD_", "GCE_", "CLOUDSDK_")
LANGUAGE = tuple(_PLATFORMS)
"""The platforms that a blueprint may name, those that cannot be planned yet among them."""
DEFAULT = "sagemaker"
"""The platform of who names none."""
_NO_FACTS = TypeFacts()
UNSUPPORTED = "unsupported-platform"


def names() -> tuple[str, ...]:
    """The platforms that can be planned today."""
    return tuple(sorted(name for name, each in _PLATFORMS.items() if each.platform))


def not_yet() -> tuple[str, ...]:
    """The platforms of the language that cannot be planned yet."""
    return tuple(name for name, each in _PLATFORMS.items() if not each.platform)


def platform(name: str) -> Platform:
    """Return the platform `name` of a blueprint.

    Raises:
        UsageError: there is none of that name, or none yet; says which there are.

    """
    if name not in names():
        what = "is not supported yet" if name in _PLATFORMS else "is not a platform"
        raise UsageError(f"platform {name!r} {what}", hint=f"supported today: {', '.join(names())}")
    return cast("Platform", _found(_PLATFORMS[name].platform))


def options(name: str) -> tuple[type[Section], type[Section]] | None:
    """What platform `name` alone knows of a stack and of an entry; None while it is not planned."""
    listed = _PLATFORMS[name]
    if not listed.options:
        return None
    found = (_found(listed.options), _found(listed.entry_options))
    return cast("tuple[type[Section], type[Section]]", found)


def forms(platform_: str) -> Forms:
    """How texts of a platform's cloud look; those of the default one's where there is none yet."""
    listed = _PLATFORMS.get(platform_, _PLATFORMS[DEFAULT])
    return cloud(listed.cloud if listed.cloud in _CLOUDS else _PLATFORMS[DEFAULT].cloud).forms


def clouds() -> tuple[Cloud, ...]:
    """Every cloud there is."""
    return tuple(cloud(name) for name in sorted(_CLOUDS))


@cache
def variables() -> tuple[str, ...]:
    """What begins the names of environment variables that say something about a cloud."""
    return (*_VARIABLES, *(each for known in clouds() for each in known.access.variables))


def cloud(name: str) -> Cloud:
    """Return the cloud `name`, as a platform names its own. Raises KeyError for another name."""
    return cast("Cloud", _found(_CLOUDS[name]))


def owner(module: str) -> str:
    """Return the cloud in whose room a module lies; empty for one in nobody's."""
    rooms = {name: place.partition(":")[0].rpartition(".")[0] for name, place in _CLOUDS.items()}
    return next((name for name, room in rooms.items() if module.startswith(f"{room}.")), "")


def cloud_of(token: str) -> Cloud | None:
    """Return the cloud that a type token is of (`aws:s3/bucket:Bucket`); None for no cloud's."""
    return _by_package().get(token.partition(":")[0])


def facts_of(token: str) -> TypeFacts:
    """What is true of a type; nothing in particular of one that no cloud knows."""
    found = cloud_of(token)
    return _NO_FACTS if found is None else found.knowledge.types.get(token, _NO_FACTS)


@cache
def _by_package() -> dict[str, Cloud]:
    return {package: each for each in clouds() for package in each.packages}


def replaces(type_: str, path: str) -> tuple[bool | None, str]:
    """Whether a change at a property path replaces the resource, and who says so.

    None and "" where nobody knows.
    """
    found = cloud_of(type_)
    return (None, "") if found is None else found.knowledge.replaces(type_, path)


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
