"""What an environment must not have in common with another one on AWS, and what must fit its account.

Names of ours carry the environment, or end at random. What is left are names that a blueprint fixes
(`overrides`), names whose parts run into each other, and ids of another account or region.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

from mlops_iac.blueprint.checks.environments import place
from mlops_iac.blueprint.torn import judged
from mlops_iac.blueprint.words import join
from mlops_iac.clouds.aws import catalogue
from mlops_iac.clouds.aws.sagemaker.scope import LOCAL, ROLES, Scope
from mlops_iac.errors import Diagnostic, Severity
from mlops_iac.records import Record

Reach = Literal["world", "account", "region"]

# The property that names a type, and where that name must be the only one. Source: the services'
# API references; S3 user guide, "Bucket naming rules"; CloudWatch user guide, "Dashboards".
_NAMES: dict[str, tuple[str, Reach]] = {
    "s3.Bucket": ("bucket", "world"),
    "iam.Role": ("name", "account"),
    "iam.Policy": ("name", "account"),
    "budgets.Budget": ("name", "account"),
    "cloudwatch.Dashboard": ("dashboardName", "account"),
    "cloudwatch.CompositeAlarm": ("alarmName", "region"),
    "sagemaker.ModelPackageGroup": ("modelPackageGroupName", "region"),
    "sagemaker.Pipeline": ("pipelineName", "region"),
}
# Named within another resource of the stack, which is the stack's own.
_INSIDE = ("iam.RolePolicy", "appautoscaling.Policy", "scheduler.Schedule")

_ARN = r"arn:(?P<partition>[a-z-]+):[a-z0-9-]+:(?P<region>[a-z0-9-]*):(?P<account>\w*):"


class Arn(Record):
    """What an ARN says of where it is; empty parts are those that its service has not."""

    partition: str
    region: str
    account: str


def arn_of(text: str | None) -> Arn | None:
    """The parts of an ARN, None for an id that is none."""
    match = re.match(_ARN, text or "")
    return Arn(**match.groupdict()) if match else None


def check_environments(scope: Scope) -> Iterator[Diagnostic]:
    """What one environment shares with those before it, and ids that are not of its account."""
    if scope.is_local:
        return
    yield from judged(*_ids(scope), _between(scope))


def _between(scope: Scope) -> Iterator[Diagnostic]:
    """What it shares with those before it."""
    names = list(scope.resolved.siblings)
    mine = scope.environment
    told: set[tuple[str, Severity]] = set()  # one other that has a name is enough to say so
    for other in names[: names.index(mine)] if mine in names else names:
        if other != LOCAL:
            for problem in judged(_overrides(scope, Scope(scope.resolved.siblings[other]))):
                if (problem.path, problem.severity) not in told:
                    told.add((problem.path, problem.severity))
                    yield problem
            yield from judged(_made_names(scope, Scope(scope.resolved.siblings[other])))


# -- ids of the environment's account and region ---------------------------------------------------


def _ids(scope: Scope) -> Iterator[Iterator[Diagnostic]]:
    ids: tuple[tuple[str, str, Severity], ...] = (
        ("deploy_as", "the role that deploys", "error"),
        # IAM user guide, "Pass a role to a service": only to a service of its own account.
        *((f"existing.roles.{name}", "the role", "error") for name in ROLES),
        ("options.sagemaker.permissions_boundary", "the boundary", "error"),
        # A key of another account can be used where its policy says so; one of another region not.
        ("existing.key", "the key", "warning"),
        # VPC user guide, "Share your VPC subnets": another account may lend a subnet.
        ("existing.network", "the network", "warning"),
        ("existing.subnets", "the network", "warning"),
        ("existing.security_groups", "the network", "warning"),
    )
    for path, what, severity in ids:
        yield _id(scope, path, what, severity)
    yield _approvers(scope)


def _approvers(scope: Scope) -> Iterator[Diagnostic]:
    for approver in map(arn_of, scope.blueprint.security.access.approvers):
        if approver is not None:
            yield from _partition(scope, "security.access.approvers", approver, "the approver")


def _id(scope: Scope, path: str, what: str, severity: Severity) -> Iterator[Diagnostic]:
    value: Any = scope.blueprint
    for key in path.split("."):
        value = getattr(value, key)
    for text in value if isinstance(value, tuple) else (value,):
        arn = arn_of(text)
        if arn is not None and arn.account != "aws":  # a policy of AWS's own
            yield from judged(
                _account(scope, path, arn, what, severity),
                # What is no role or policy has a region; those have none in their ARN.
                _region(scope, path, arn, what),
            )


def _account(
    scope: Scope, path: str, arn: Arn, what: str, severity: Severity
) -> Iterator[Diagnostic]:
    resolved, account = scope.resolved, scope.blueprint.account
    if elsewhere := [*judged(_partition(scope, path, arn, what))]:
        yield from elsewhere
    elif account is not None and arn.account not in ("", account):
        hint = "name one of the same account"
        if path == "deploy_as":
            hint = f"write arn:{scope.partition}:iam::${{account}}:role/NAME"
        unless = "; its own policy has to admit this one" if severity == "warning" else ""
        yield scope.wrong(
            path,
            f"{what} is one of account {arn.account}, and {scope.environment} is in"
            f" {account} ({place(resolved, 'account')}){unless}",
            hint,
            code="other-account",
            severity=severity,
        )


def _partition(scope: Scope, path: str, arn: Arn, what: str) -> Iterator[Diagnostic]:
    region = scope.blueprint.region
    if arn.partition != scope.partition and catalogue.is_region(region):
        yield scope.wrong(
            path,
            f"{what} is one of '{arn.partition}', and {region}"
            f" ({place(scope.resolved, 'region')}) is in '{scope.partition}'",
            f"write `arn:{scope.partition}:…`",
            code="other-partition",
        )


def _region(scope: Scope, path: str, arn: Arn, what: str) -> Iterator[Diagnostic]:
    region = scope.blueprint.region
    if arn.region not in ("", region):
        yield scope.wrong(
            path,
            f"{what} is one of {arn.region}, and {scope.environment} is in {region}"
            f" ({place(scope.resolved, 'region')})",
            f"name one of {region}",
            code="other-region",
        )


# -- names ------------------------------------------------------------------------------------------


def _overrides(scope: Scope, other: Scope) -> Iterator[Diagnostic]:
    """Names that a blueprint fixes, of one type and the same in both."""
    theirs = {(kind, name): path for kind, name, path in _fixed(other)}
    for kind, name, path in _fixed(scope):
        there = theirs.get((kind, name))
        severity = _meet(scope, other, _named(kind)[1])
        if there is None or severity is None:
            continue
        unknown = "" if severity == "error" else ", unless they are in different accounts"
        yield scope.wrong(
            path,
            f"{scope.environment} and {other.environment} would share the {kind} '{name}'"
            f"{unknown} ({_places(scope, path, other, there)})",
            "tell it apart with ${environment}",
            code="not-apart",
            severity=severity,
        )


def _places(scope: Scope, path: str, other: Scope, there: str) -> str:
    """Where both say it; one place where that is the same line."""
    return ", ".join(dict.fromkeys([place(scope.resolved, path), place(other.resolved, there)]))


def _fixed(scope: Scope) -> Iterator[tuple[str, str, str]]:
    """Type, name and path of every name that `overrides` fixes."""
    for address, properties in scope.blueprint.overrides.items():
        kind = address.partition("/")[0]
        if kind in _INSIDE:
            continue
        wanted = _named(kind)[0]
        value: Any = properties.get(wanted)
        if isinstance(value, str):
            yield kind, value, join(join("overrides", address), wanted)


def _named(kind: str) -> tuple[str, Reach]:
    return _NAMES.get(kind, ("name", "region"))


def _meet(scope: Scope, other: Scope, reach: Reach) -> Severity | None:
    """Whether two environments live where one name cannot be given twice; a warning if unknown."""
    if reach == "world":
        return "error"
    if reach == "region" and scope.blueprint.region != other.blueprint.region:
        return None
    accounts = (scope.blueprint.account, other.blueprint.account)
    if accounts[0] == accounts[1]:
        return "error"
    return "warning" if None in accounts else None


def _made_names(scope: Scope, other: Scope) -> Iterator[Diagnostic]:
    """`dev` with an entry `eu-api` and `dev-eu` with one `api`: both make PROJECT-dev-eu-api."""
    severity = _meet(scope, other, "region")
    if severity is None:
        return
    for section in ("serving", "models"):
        theirs = {_made(other, section, name): name for name in _entries(other, section)}
        for name in _entries(scope, section):
            there = theirs.get(_made(scope, section, name))
            if there is None:
                continue
            path, at = f"{section}.{name}", f"{section}.{there}"
            yield scope.resolved.diagnostic(
                path,
                "not-apart",
                f"{path} of {scope.environment} and {at} of {other.environment} would both be called"
                f" '{scope.blueprint.name}-{_made(scope, section, name)}'"
                f" ({place(scope.resolved, path)}, {place(other.resolved, at)})",
                "rename the entry or the environment",
                severity,
                at_key=True,
            )


def _entries(scope: Scope, section: str) -> list[str]:
    return list(scope.blueprint.serving) if section == "serving" else scope.trained


def _made(scope: Scope, section: str, name: str) -> str:
    """What `components/_naming.physical_name` makes of it, without the project."""
    return f"{scope.environment}-{scope.known_as(section, name)}"
