"""What SageMaker support refuses of a private network, and of code that reaches none."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.aws.sagemaker.scope import Scope
from mlops_iac.errors import Diagnostic

UNSUPPORTED = "unsupported"
_REQUIREMENTS = "requirements.txt"


def check_network(scope: Scope) -> Iterator[Diagnostic]:
    """What cannot be planned of `security.network`, `security.egress` and `existing` together."""
    yield from _existing(scope)
    if scope.is_private and scope.existing("subnets") is not None and not scope.existing("network"):
        yield scope.resolved.diagnostic(
            "security.network",
            UNSUPPORTED,
            "security.network: nothing says which network callers come from",
            "write `existing: {network: vpc-…}` beside its subnets",
        )
    if scope.makes_network and not scope.is_local and not _told_of_network(scope):
        yield from _own_network(scope)
    if scope.makes_network or scope.isolates:
        yield from _requirements(scope)


def _existing(scope: Scope) -> Iterator[Diagnostic]:
    existing, resolved = scope.blueprint.existing, scope.resolved
    if bool(existing.subnets) != bool(existing.security_groups):
        yield resolved.diagnostic(
            "existing",
            UNSUPPORTED,
            "existing: a network takes both `subnets` and `security_groups`",
            "write both",
            at_key=True,
        )
    if _told_of_network(scope):
        yield resolved.diagnostic(
            "existing.network",
            UNSUPPORTED,
            "existing.network: SageMaker is told subnets and security groups, not the network",
            "write `subnets` and `security_groups` beside it",
        )


def _told_of_network(scope: Scope) -> bool:
    """Whether a network is named without its subnets: an own one is not what is wanted."""
    existing = scope.blueprint.existing
    return existing.network is not None and not existing.subnets


def _own_network(scope: Scope) -> Iterator[Diagnostic]:
    resolved, security = scope.resolved, scope.blueprint.security
    if security.egress == "all" and resolved.is_written("security.egress"):
        yield resolved.diagnostic(
            "security.egress",
            UNSUPPORTED,
            "security.egress: the stack's own network has no way out",
            "write `egress: none`, or bring a network that has one: `existing: {network: …,"
            " subnets: […], security_groups: […]}`",
        )
    if scope.blueprint.region.startswith("cn-"):
        yield resolved.diagnostic(
            "security.network",
            UNSUPPORTED,
            "security.network: in China services have other endpoints, and no network is made yet",
            "write `existing: {network: …, subnets: […], security_groups: […]}`",
        )


def _requirements(scope: Scope) -> Iterator[Diagnostic]:
    """Containers install them when they start; without a way out nothing can be fetched."""
    for name in scope.trained:
        code = scope.blueprint.models[name].code
        file = scope.resolved.root / (code or "") / _REQUIREMENTS
        if code is None or not file.is_file():
            continue
        lines = (line.partition("#")[0].strip() for line in file.read_text("utf-8").splitlines())
        if any(lines):
            yield scope.resolved.diagnostic(
                f"models.{name}.code",
                "requirements-offline",
                f"models.{name}.code: {_REQUIREMENTS} is installed when a container starts, and"
                " from here no package index is reached: only what the image has already works",
                "leave out what the image has, and bring the rest in an image: `runtime: {image: …}`",
                severity="warning",
            )
