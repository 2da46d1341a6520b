"""Which version of a model a deployment serves: the newest approved one, or a pin that may be served."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mlops_iac.api.deploy.places import session
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.clouds.operations import APPROVED, ModelRegistry, Version
from mlops_iac.errors import AuthenticationError, MlopsError, UsageError
from mlops_iac.records import Record

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.clouds.base import Home
    from mlops_iac.graph.model import Resource
    from mlops_iac.values import Properties


class Versions(Record):
    """The versions of one model: those of a group in a registry.

    Methods raise what the cloud's SDK raises.
    """

    registry: ModelRegistry
    group: str

    def by_number(self) -> dict[str, Version]:
        """All of them, newest first; none where there is no such group."""
        return {str(each.version): each for each in self.registry.versions(self.group)}

    def newest_approved(self) -> Version | None:
        """The approved one that was registered last, as far as a list tells."""
        return next(iter(self.registry.versions(self.group, APPROVED)), None)


def home_of(project: BaseProject, stack: str, model: str) -> Home:
    """Where the versions of a model are approved that a stack serves."""
    return project.platform_of(stack).home(project.resolve(stack), model)


def home_versions(project: BaseProject, stack: str, model: str) -> Versions:
    """The versions that a real stack serves, in the registry of its home, asked as the user."""
    registry = project.operations.registry(session(project, stack))
    return Versions(registry, home_of(project, stack, model).address)


def newest_real(project: BaseProject, stack: str, model: str) -> str | None:
    """The newest approved version in the registry that a real stack serves from.

    Raises AuthenticationError and MlopsError where it cannot be asked.
    """
    with credentials(project, stack, model):
        return newest(home_versions(project, stack, model), model, stack)


def check_pin(
    project: BaseProject, stack: str, model: str, version: str, emulated: Versions | None
) -> list[str]:
    """A note where the registry of a pinned version cannot be asked.

    `emulated` are those in the emulated cloud. Raises UsageError for a version that does not exist,
    is not approved, or is not sealed.
    """
    home = LOCAL if stack == LOCAL else home_of(project, stack, model).environment
    if project.emulates(stack):
        if emulated is not None:
            _require_servable(emulated, model, version, home)
        return []
    try:
        with credentials(project, stack, model, what=f"about version {version}"):
            _require_servable(home_versions(project, stack, model), model, version, home)
    except UsageError:
        raise
    except MlopsError as error:
        asked = f"nobody could say whether {version} is approved and sealed"
        return [f"models.{model}.version: {asked}: {error.message}"]
    return []


def _require_servable(versions: Versions, model: str, version: str, home: str) -> None:
    there = versions.by_number()
    of = "" if home == LOCAL else f" -s {home}"
    if version not in there:
        known = ", ".join(reversed(there)) or "none yet"
        raise UsageError(
            f"models.{model}.version: the registry of {home} has no version {version}",
            hint=f"it has: {known}; `mlops-iac models list {model}{of}` shows them",
        )
    status = there[version].status
    if status != APPROVED:
        raise UsageError(
            f"models.{model}.version: {version} is {status} in {home}, not approved;"
            " nothing was changed",
            hint=f"`mlops-iac models approve {model} {version}{of}`, or pin an approved one",
        )
    require_sealed(model, versions.registry.describe(there[version].id), stack=home)


def newest(versions: Versions, model: str, stack: str) -> str | None:
    """The number of the newest approved version; None before the first.

    Raises UsageError for one that is not sealed; `stack` is in the errors.
    """
    found = versions.newest_approved()
    if found is None:
        return None
    require_sealed(model, versions.registry.describe(found.id), stack=stack)
    return str(found.version)


def require_sealed(model: str, version: Version, *, stack: str) -> None:
    """Raise UsageError for a described version whose artifact may still be replaced."""
    if version.unsealed:
        number = version.version
        raise UsageError(
            f"{model}/{number} of {stack} is not sealed: its artifact is {version.unsealed}, which a"
            " training may replace after the approval",
            hint=f"reject it (`mlops-iac models reject {model} {number} -s {stack}`), and let"
            " the pipeline train and register one",
        )


def left_serving(
    project: BaseProject, stack: str, model: str, outputs: Properties, resources: Iterable[Resource]
) -> tuple[str, str] | None:
    """The version that is served with none approved, and why nothing may be deployed like that.

    Without a version the endpoint would go, which is asked for by taking its entry out of the
    blueprint. `outputs` and `resources` are the stack's; None where no endpoint stands.
    """
    blueprint = project.resolve(stack).blueprint
    home = home_of(project, stack, model)
    found = [
        each.version for each in project.operations.served(resources) if each.group == home.group
    ]
    for name, entry in blueprint.serving.items():
        before = named_before(blueprint.moved, "serving", name)
        stands = any(outputs.get(f"{output_name(each)}_pending") == [] for each in before)
        variants = getattr(entry, "variants", None) or {}
        serves = {entry.model, *(each.model for each in variants.values())}
        if found and stands and model in serves:
            of = "" if home.environment == LOCAL else f" -s {home.environment}"
            return found[0], (
                f"no approved version of {model} is left, and serving.{name} serves {found[0]}:"
                f" approve one (`mlops-iac models ls{of}`), or take serving.{name} out of the blueprint"
            )
    return None


def model_output(
    outputs: Mapping[str, Any], moved: Mapping[str, str], model: str, kind: str
) -> str | None:
    """Return what a stack put out for a model: `kind` is how the output's name ends.

    A stack that was last deployed before a rename (`moved`, new path: old path) has it by the
    model's former name. None before it is deployed at all.
    """
    for name in named_before(moved, "models", model):
        if found := outputs.get(f"{output_name(name)}_{kind}"):
            return str(found)
    return None


def named_before(moved: Mapping[str, str], section: str, name: str) -> list[str]:
    """An entry's name, and the one that it had before a rename."""
    former = moved.get(f"{section}.{name}", "").removeprefix(f"{section}.")
    return [name, former] if former else [name]


def output_name(name: str) -> str:
    """A blueprint name as part of an output's name."""
    return name.replace("-", "_")


@contextmanager
def credentials(
    project: BaseProject, stack: str, model: str, *, what: str = "for the newest approved version"
) -> Iterator[None]:
    """Turn the SDK's words about credentials and the network into ours; `what` is asked."""
    try:
        yield
    except MlopsError:
        raise
    except Exception as error:
        failure = project.access.failure(error)
        if failure is None:
            raise
        asked = f"cannot ask {stack} {what} of {model}: {error}"
        pin = f"pin models.{model}.version in the blueprint"
        if failure == "silent":
            variables = ", ".join(f"{start}*" for start in project.access.variables)
            raise MlopsError(
                asked, hint=f"look at the network and at {variables} in the environment, or {pin}"
            ) from None
        raise AuthenticationError(asked, hint=f"sign in, or {pin}") from None
