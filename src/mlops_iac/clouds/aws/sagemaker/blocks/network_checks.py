"""What SageMaker support refuses of a private network, and of code that reaches none."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.blueprint.reach import Outside
from mlops_iac.blueprint.torn import judged
from mlops_iac.blueprint.words import listed
from mlops_iac.clouds.aws.sagemaker import machines
from mlops_iac.clouds.aws.sagemaker.requirements import REQUIREMENTS, missing, read
from mlops_iac.clouds.aws.sagemaker.scope import STEPS, Scope
from mlops_iac.errors import Diagnostic


def check_network(scope: Scope) -> Iterator[Diagnostic]:
    """What cannot be planned of `security.network`, `security.egress` and `existing` together."""
    return judged(
        _existing(scope),
        _network_only(scope),
        _callers(scope),
        _own_network(scope),
        _in_china(scope),
        _requirements(scope),
    )


def _callers(scope: Scope) -> Iterator[Diagnostic]:
    if scope.is_private and scope.existing("subnets") is not None and not scope.existing("network"):
        yield scope.wrong(
            "security.network",
            "nothing says which network callers come from",
            "write `existing: {network: vpc-…}` beside its subnets",
        )


def _existing(scope: Scope) -> Iterator[Diagnostic]:
    existing = scope.blueprint.existing
    if bool(existing.subnets) != bool(existing.security_groups):
        yield scope.wrong(
            "existing",
            "a network takes both `subnets` and `security_groups`",
            "write both",
            at_key=True,
        )


def _network_only(scope: Scope) -> Iterator[Diagnostic]:
    if _told_of_network(scope):
        yield scope.wrong(
            "existing.network",
            "SageMaker is told subnets and security groups, not the network",
            "write `subnets` and `security_groups` beside it",
        )


def _told_of_network(scope: Scope) -> bool:
    """Whether a network is named without its subnets: an own one is not what is wanted."""
    existing = scope.blueprint.existing
    return existing.network is not None and not existing.subnets


def _makes_network(scope: Scope) -> bool:
    return scope.makes_network and not scope.is_local and not _told_of_network(scope)


def _own_network(scope: Scope) -> Iterator[Diagnostic]:
    if (
        _makes_network(scope)
        and scope.blueprint.security.egress == "all"
        and scope.resolved.is_written("security.egress")
    ):
        yield scope.wrong(
            "security.egress",
            "the stack's own network has no way out",
            "write `egress: none`, or bring a network that has one: `existing: {network: …,"
            " subnets: […], security_groups: […]}`",
            severity="warning",  # it is the default: left out, nobody is refused
        )


def _in_china(scope: Scope) -> Iterator[Diagnostic]:
    if _makes_network(scope) and scope.blueprint.region.startswith("cn-"):
        yield scope.wrong(
            "security.network",
            "in China services have other endpoints, and no network is made yet",
            "write `existing: {network: …, subnets: […], security_groups: […]}`",
        )


def _requirements(scope: Scope) -> Iterator[Diagnostic]:
    """Containers install them when they start; without a way out nothing can be fetched."""
    if scope.reaches_index:
        return
    for name in (*scope.trained, *scope.promoted):
        model = scope.blueprint.models[name]
        try:
            file = scope.resolved.file(REQUIREMENTS, model.code or "")
        except Outside as error:
            path = f"models.{name}.code"
            yield scope.resolved.diagnostic(path, "outside", error.message, error.hint)
            continue
        if model.code is None or not file.is_file():
            continue
        steps = STEPS if name in scope.trained else ()
        runtimes = {model.runtime, *(machines.runtime_of(model, step) for step in steps)}
        # An image of one's own brings what its code needs.
        wanted = read(file)
        found = [missing(wanted, each) for each in runtimes if each and each.framework]
        absent = list(dict.fromkeys(each for item in found for each in item.absent))
        unknown = list(dict.fromkeys(each for item in found for each in item.unknown))
        at = f"models.{name}.code"
        starts = f"{REQUIREMENTS} is installed when a container starts, and from here no"
        starts += " package index is reached"
        wheels = "put its wheels into a folder of the code and write `--find-links FOLDER` into"
        wheels += f" {REQUIREMENTS}, or bring an image of your own: `runtime: {{image: …}}`"
        if absent:
            yield scope.wrong(
                at, f"{starts}: {'; '.join(absent)}", wheels, code="requirements-offline"
            )
        elif unknown:
            yield scope.wrong(
                at,
                f"{starts}: the image must have {listed(unknown, 'and')} already",
                f"look whether it does; if not, {wheels}",
                code="requirements-offline",
                severity="warning",
            )
