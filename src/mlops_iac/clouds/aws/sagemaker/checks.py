"""What SageMaker support refuses of one environment, each with its place and what would work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mlops_iac.blueprint.sections.compute import Runtime
from mlops_iac.blueprint.torn import judged
from mlops_iac.blueprint.words import listed, suggestion
from mlops_iac.clouds.aws import catalogue
from mlops_iac.clouds.aws.sagemaker import machines
from mlops_iac.clouds.aws.sagemaker.decisions import DECISIONS
from mlops_iac.clouds.aws.sagemaker.definition.printer import placeholders
from mlops_iac.clouds.aws.sagemaker.environment_checks import check_environments
from mlops_iac.clouds.aws.sagemaker.modes import MODES
from mlops_iac.clouds.aws.sagemaker.parts import collected
from mlops_iac.clouds.aws.sagemaker.scope import ROLES, Scope
from mlops_iac.clouds.aws.sagemaker.stack import PARTS
from mlops_iac.clouds.parts import checked
from mlops_iac.errors import Diagnostic

_RENAMEABLE = ("serving", "models", "datasets")
_EXISTING = (
    *("network", "subnets", "security_groups", "key"),
    *(f"roles.{name}" for name in ROLES),
)
# What no default stands for, so that requests can be counted although it is wrong.
_STAND_INS = {
    "region": machines.ANY_REGION,
    "runtime": Runtime(image="x"),
}
# Sections whose texts stand in the definitions of pipelines.
_IN_DEFINITIONS = ("owner", "tags", "models", "datasets", "existing")


def check(scope: Scope) -> list[Diagnostic]:
    """Everything at once."""
    from mlops_iac.clouds.aws.sagemaker.request_checks import check_requests

    stages = ((_alone, None), (_between, None), (check_requests, _STAND_INS))
    return checked(scope, DECISIONS, MODES, *stages)


def _alone(scope: Scope) -> Iterator[Diagnostic]:
    """Values that are wrong whatever else is written."""
    return judged(
        _region(scope),
        _account(scope),
        _deployer(scope),
        _tags(scope),
        collected([part.values for part in PARTS], scope),
        *(_other_stack(scope, name) for name in _EXISTING),
        _placeholders(scope),
    )


def _between(scope: Scope) -> Iterator[Diagnostic]:
    """What does not fit together, and what no image, network or role is there for."""
    return judged(
        collected([part.check for part in PARTS], scope),
        _names(scope),
        check_environments(scope),
        _moves(scope),
    )


def _other_stack(scope: Scope, name: str) -> Iterator[Diagnostic]:
    value: Any = scope.blueprint.existing
    for key in name.split("."):
        value = getattr(value, key)
    ids = value if isinstance(value, tuple) else (value or "",)
    if any(each.startswith("stack://") for each in ids):
        yield scope.wrong(
            f"existing.{name}", "outputs of other stacks are not read yet", "write the id itself"
        )


def _placeholders(scope: Scope) -> Iterator[Diagnostic]:
    """Texts that would be read as placeholders of a pipeline's definition."""
    for path, value in scope.resolved.leaves().items():
        text = next((each for each in _texts(path, value) if placeholders(each)), None)
        section, _, rest = path.partition(".")
        defines = section in _IN_DEFINITIONS or (section == "serving" and ".env." in rest)
        if text is not None and defines:
            yield scope.wrong(
                path,
                f"'{text}' would be filled in when a pipeline is deployed",
                "write it without `${`",
            )


def _texts(path: str, value: Any) -> Iterator[str]:
    """The key and the texts that stand at a path."""
    for each in (path, *(value if isinstance(value, tuple) else (value,))):
        if isinstance(each, str) and "${" in each:
            yield each


def _region(scope: Scope) -> Iterator[Diagnostic]:
    region = scope.blueprint.region
    if not catalogue.is_region(region):
        yield scope.wrong(
            "region",
            f"AWS has no region '{region}' with SageMaker",
            suggestion(region, catalogue.REGIONS),
            code="unknown-region",
        )


def _account(scope: Scope) -> Iterator[Diagnostic]:
    account = scope.blueprint.account
    if account is not None and not re.fullmatch(r"[0-9]{12}", account):
        yield scope.wrong(
            "account",
            f"'{account}' is no AWS account",
            "an account has twelve digits",
            code="wrong-account",
        )


def _deployer(scope: Scope) -> Iterator[Diagnostic]:
    role = scope.blueprint.deploy_as
    if role is not None and not re.fullmatch(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/.+", role):
        yield scope.wrong(
            "deploy_as",
            f"'{role}' is no role",
            f"write a role's ARN, arn:{scope.partition}:iam::ACCOUNT:role/NAME",
            code="wrong-role",
        )


def _tags(scope: Scope) -> Iterator[Diagnostic]:
    for key in scope.blueprint.tags:
        if key.lower().startswith("aws:") or key in ("project", "environment", "stack", "owner"):
            yield scope.wrong(
                f"tags.{key}", f"the tag '{key}' is not yours to set", "rename it", code="wrong-tag"
            )


def _moves(scope: Scope) -> Iterator[Diagnostic]:
    """Entries of other sections have no former name in the program: they would be made anew."""
    for new in scope.blueprint.moved:
        if new.partition(".")[0] not in _RENAMEABLE:
            yield scope.wrong(
                f'moved."{new}"',
                f"on SageMaker only {listed(_RENAMEABLE, 'and')} can be renamed yet",
                "keep the old name",
                at_key=True,
            )


def _names(scope: Scope) -> Iterator[Diagnostic]:
    """Entries whose variables or outputs in the program would be the same."""
    made = [each for part in PARTS for each in part.names(scope)]
    taken = {variable: "the stack itself" for variable, path in made if not path}
    for variable, path in made:
        if path and variable in taken:
            yield scope.wrong(
                path,
                f"its name in the program, {variable}, is taken by {taken[variable]}",
                "take another name",
                code="name-taken",
                at_key=True,
            )
        taken.setdefault(variable, path)
