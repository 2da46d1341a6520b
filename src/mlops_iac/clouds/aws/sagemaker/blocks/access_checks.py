"""What SageMaker support refuses of who may approve versions, and of who seals them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from mlops_iac.blueprint.torn import judged
from mlops_iac.clouds.aws.sagemaker.scope import ROLES, STEPS, Scope
from mlops_iac.errors import Diagnostic

PATH = "security.access.approvers"
# IAM API reference, CreateRole: RoleName; a policy of a resource names roles and users, not groups.
_ROLE = r"(?a)[\w+=,.@-]{1,64}"
_ARN = r"(?a)arn:aws[a-z-]*:iam::\d{12}:(role|user)/[\w+=,.@/-]+"


def check_access(scope: Scope) -> Iterator[Diagnostic]:
    """Everything about roles and approvers."""
    return judged(_approvers(scope), _sealer(scope), _idle_roles(scope))


def _approvers(scope: Scope) -> Iterator[Diagnostic]:
    """Approvers that are nobody, or that deploy or train themselves."""
    approvers = scope.blueprint.security.access.approvers
    if not approvers:
        return
    workers = ("deploy_as", *(f"existing.roles.{name}" for name in ROLES))
    yield from judged(
        _nobody(scope, approvers),
        *(_worker(scope, approvers, path) for path in workers),
        _automatic(scope),
        _elsewhere(scope, approvers),
    )


def _nobody(scope: Scope, approvers: Sequence[str]) -> Iterator[Diagnostic]:
    for each in approvers:
        if not re.fullmatch(_ROLE, each) and not re.fullmatch(_ARN, each):
            yield scope.wrong(
                PATH,
                f"'{each}' is no role or user, and AWS lets no others approve",
                f"write a role's name, or an ARN: arn:{scope.partition}:iam::ACCOUNT:role/NAME (of"
                " people who sign in by IAM Identity Center: that of their permission set's role)",
                code="wrong-approver",
            )


def _worker(scope: Scope, approvers: Sequence[str], path: str) -> Iterator[Diagnostic]:
    blueprint = scope.blueprint
    worker: Any = blueprint
    for key in path.split("."):
        worker = getattr(worker, key)
    if worker is not None and any(_same(each, worker, blueprint.account) for each in approvers):
        yield scope.wrong(
            PATH,
            f"'{worker}' is {path}, and who deploys or trains must not approve",
            "name other people",
            code="wrong-approver",
        )


def _automatic(scope: Scope) -> Iterator[Diagnostic]:
    for name in scope.trained:
        if scope.blueprint.models[name].registry.approval == "automatic":
            yield scope.wrong(
                f"models.{name}.registry.approval",
                "versions are approved as they are registered,"
                " and the approvers are asked only to reject them",
                "write `approval: manual`",
                code="approved-by-nobody",
                severity="warning",
            )


def _elsewhere(scope: Scope, approvers: Sequence[str]) -> Iterator[Diagnostic]:
    if not scope.trained and not any(
        other.trained and other.blueprint.security.access.approvers == approvers
        for other in scope.siblings
        if not other.is_local
    ):
        yield scope.wrong(
            PATH,
            f"no model is trained in {scope.environment}, so its versions are approved"
            " where they are trained, and by others",
            "write it for the environment that trains",
            code="approved-elsewhere",
            severity="warning",
        )


def _sealer(scope: Scope) -> Iterator[Diagnostic]:
    """A role that seals and runs code of a step, too."""
    roles, path = scope.blueprint.existing.roles, "existing.roles.seal"
    for step in STEPS:
        if roles.seal is not None and getattr(roles, step) == roles.seal:
            yield scope.wrong(
                path,
                f"'{roles.seal}' runs {step}, too, so code of that step may replace what"
                " was approved",
                "name a role of its own; left out, the stack makes one",
                code="sealed-by-a-step",
            )


def _same(approver: str, worker: str, account: str | None) -> bool:
    if approver.startswith("arn:"):
        return approver == worker
    # A bare name is a role of the stack's own account.
    found = re.fullmatch(r"arn:aws[a-z-]*:iam::(\d{12}):role/(.+)", worker)
    return found is not None and found[2] == approver and account in (None, found[1])


def _idle_roles(scope: Scope) -> Iterator[Diagnostic]:
    for step in STEPS:
        role = getattr(scope.blueprint.existing.roles, step)
        if role is not None and step not in scope.steps:
            yield scope.wrong(
                f"existing.roles.{step}",
                f"no model has a step {step}",
                "remove it",
                code="no-effect",
                severity="warning",
            )
