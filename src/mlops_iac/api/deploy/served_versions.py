"""Which version of a model a deployment serves: the newest approved one, or a pin that may be served."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mlops_iac.api.deploy.running_versions import package_of
from mlops_iac.api.models.registry import (
    APPROVED,
    home_group,
    newest_approved,
    real_client,
    require_sealed,
    versions_of,
)
from mlops_iac.api.project import LOCAL
from mlops_iac.errors import AuthenticationError, MlopsError, UsageError
from mlops_iac.policy.types import MODEL

if TYPE_CHECKING:
    from mlops_iac.api.project import Project
    from mlops_iac.graph.model import Resource
    from mlops_iac.values import Properties


def newest_real(project: Project, stack: str, model: str) -> str | None:
    """The newest approved version in the registry that a real stack serves from.

    Raises AuthenticationError and MlopsError where it cannot be asked.
    """
    client = real_client("sagemaker", project.region(stack))
    with credentials(stack, model):
        return newest(client, home_group(project, stack, model), model, stack)


def check_pin(
    project: Project, stack: str, model: str, version: str, emulated: tuple[Any, str] | None
) -> list[str]:
    """A note where the registry of a pinned version cannot be asked.

    `emulated`: a client and the group in the emulated cloud. Raises UsageError for a version that
    does not exist, is not approved, or is not sealed.
    """
    home = LOCAL if stack == LOCAL else _home(project, stack, model)
    if project.emulates(stack):
        if emulated is not None:
            _require_servable(*emulated, model, version, home)
        return []
    try:
        with credentials(stack, model, what=f"about version {version}"):
            client = real_client("sagemaker", project.region(stack))
            _require_servable(client, home_group(project, stack, model), model, version, home)
    except UsageError:
        raise
    except MlopsError as error:
        asked = f"nobody could say whether {version} is approved and sealed"
        return [f"models.{model}.version: {asked}: {error.message}"]
    return []


def _home(project: Project, stack: str, model: str) -> str:
    """The environment whose registry has the versions."""
    from mlops_iac.clouds.aws.sagemaker.scope import Scope

    return Scope(project.resolve(stack)).home(model).environment


def _require_servable(client: Any, group: str, model: str, version: str, home: str) -> None:
    there = {str(each["ModelPackageVersion"]): each for each in versions_of(client, group)}
    of = "" if home == LOCAL else f" -s {home}"
    if version not in there:
        known = ", ".join(sorted(there, key=int)) or "none yet"
        raise UsageError(
            f"models.{model}.version: the registry of {home} has no version {version}",
            hint=f"it has: {known}; `mlops-iac models list {model}{of}` shows them",
        )
    status = there[version]["ModelApprovalStatus"]
    if status != APPROVED:
        raise UsageError(
            f"models.{model}.version: {version} is {status} in {home}, not approved;"
            " nothing was changed",
            hint=f"`mlops-iac models approve {model} {version}{of}`, or pin an approved one",
        )
    arn = there[version]["ModelPackageArn"]
    answer = client.describe_model_package(ModelPackageName=arn)
    require_sealed(model, version, answer, stack=home)


def newest(client: Any, group: str, model: str, stack: str) -> str | None:
    """The newest approved version in a group; None before the first. `stack` is in the errors."""
    found = newest_approved(client, group)
    if found is None:
        return None
    version, arn = found
    answer = client.describe_model_package(ModelPackageName=arn)
    require_sealed(model, version, answer, stack=stack)
    return version


def left_serving(
    project: Project, stack: str, model: str, outputs: Properties, resources: Iterable[Resource]
) -> tuple[str, str] | None:
    """The version that is served with none approved, and why nothing may be deployed like that.

    Without a version the endpoint would go, which is asked for by taking its entry out of the
    blueprint. `outputs` and `resources` are the stack's; None where no endpoint stands.
    """
    from mlops_iac.clouds.aws.sagemaker.machines import models_of
    from mlops_iac.clouds.aws.sagemaker.scope import Scope, identifier

    scope = Scope(project.resolve(stack))
    home = scope.home(model)
    packages = filter(None, (package_of(each.inputs) for each in resources if each.type == MODEL))
    found = [match[2] for match in packages if match[1] == home.group]
    for name, entry in scope.endpoints.items():
        before = [identifier(each) for each in (name, scope.moved_from("serving", name)) if each]
        stands = any(outputs.get(f"{each}_pending") == [] for each in before)
        if found and stands and model in models_of(entry):
            of = "" if home.environment == LOCAL else f" -s {home.environment}"
            return found[0], (
                f"no approved version of {model} is left, and serving.{name} serves {found[0]}:"
                f" approve one (`mlops-iac models ls{of}`), or take serving.{name} out of the blueprint"
            )
    return None


# What botocore raises for credentials, and what AWS answers. Source: botocore/exceptions.py; AWS
# general reference, "Common errors".
_NO_CREDENTIALS = ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError")
_REFUSED = ("ClientError", "SSOError", "UnauthorizedSSOTokenError", "TokenRetrievalError")
_SIGN_IN = (*_NO_CREDENTIALS, *_REFUSED)
_UNREACHABLE = ("EndpointConnectionError", "ConnectTimeoutError", "ProxyConnectionError")


@contextmanager
def credentials(
    stack: str, model: str, *, what: str = "for the newest approved version"
) -> Iterator[None]:
    """Turn the SDK's words about credentials and the network into ours; `what` is asked."""
    try:
        yield
    except Exception as error:
        names = {kind.__name__ for kind in type(error).__mro__}
        asked = f"cannot ask {stack} {what} of {model}: {error}"
        pin = f"pin models.{model}.version in the blueprint"
        if names.intersection(_SIGN_IN):
            raise AuthenticationError(asked, hint=f"sign in, or {pin}") from None
        if names.intersection(_UNREACHABLE):
            raise MlopsError(
                asked, hint=f"look at the network and AWS_ENDPOINT_URL, or {pin}"
            ) from None
        raise
