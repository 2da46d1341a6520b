"""Who may approve versions and who seals them: what is planned of it, and who cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_iac.clouds.base import ComponentCall
from mlops_iac.clouds.registry import platform
from mlops_iac.errors import Diagnostic
from tests.sagemaker_blueprints import MINIMAL, loaded

SAGEMAKER = platform("sagemaker")
ROLE = "arn:aws:iam::012345678901:role"


def written(approvers: str, more: str = "") -> str:
    access = f"security: {{access: {{approvers: [{approvers}]}}}}\n"
    prod = f"environments: {{prod: {{account: 012345678901{more}}}}}\n"
    return MINIMAL + access + prod


def problems(folder: Path, text: str, environment: str = "prod") -> list[Diagnostic]:
    return SAGEMAKER.check(loaded(folder, text).resolve(environment))


def registry(folder: Path, text: str, environment: str = "prod") -> ComponentCall:
    calls = SAGEMAKER.plan(loaded(folder, text).resolve(environment))
    (found,) = [call for call in calls if call.variable == "churn_registry"]
    return found


def test_the_registry_is_told_who_approves(tmp_path: Path) -> None:
    text = written("ml-leads")
    args = registry(tmp_path, text).args
    assert args["approvers"].value == ["ml-leads"]
    assert args["approvers"].path == "security.access.approvers"
    assert args["approval"].value == "manual"
    assert problems(tmp_path, text) == []


def test_nobody_is_named_where_nobody_is_written(tmp_path: Path) -> None:
    assert not {"approvers", "approval"} & registry(tmp_path, MINIMAL, "local").args.keys()


def test_an_environment_without_approvers_beside_one_with_them_has_none(tmp_path: Path) -> None:
    text = MINIMAL + "environments: {prod: {security: {access: {approvers: [ml-leads]}}}}\n"
    assert registry(tmp_path, text, "local").args["approvers"].value == []
    assert registry(tmp_path, text, "prod").args["approvers"].value == ["ml-leads"]


@pytest.mark.parametrize(
    "approver",
    ["ml-leads", f"{ROLE}/path/leads", "arn:aws:iam::012345678901:user/anna@acme.example"],
)
def test_roles_and_users_approve(tmp_path: Path, approver: str) -> None:
    assert problems(tmp_path, written(f"'{approver}'")) == []


def test_nobody_of_another_partition_approves(tmp_path: Path) -> None:
    (told,) = problems(tmp_path, written("'arn:aws-cn:iam::012345678901:user/anna'"))
    assert (told.code, told.hint) == ("other-partition", "write `arn:aws:…`")


@pytest.mark.parametrize(
    ("approver", "more", "message"),
    [
        ("arn:aws:iam::012345678901:group/leads", "", "no role or user"),
        ("arn:aws:sts::012345678901:assumed-role/leads/anna", "", "no role or user"),
        ("stack://other/prod/leads", "", "no role or user"),
        ("deployer", f", deploy_as: '{ROLE}/deployer'", "who deploys or trains"),
        (f"{ROLE}/deployer", f", deploy_as: '{ROLE}/deployer'", "who deploys or trains"),
        (f"{ROLE}/train", f", existing: {{roles: {{train: '{ROLE}/train'}}}}", "who deploys"),
    ],
)
def test_who_cannot_approve_is_told(tmp_path: Path, approver: str, more: str, message: str) -> None:
    (item,) = problems(tmp_path, written(f"'{approver}'", more))
    assert (item.severity, item.code) == ("error", "wrong-approver")
    assert item.path == "security.access.approvers"
    assert message in item.message
    assert item.hint
    assert item.line > 0


def test_an_automatic_approval_beside_approvers_is_a_warning(tmp_path: Path) -> None:
    text = written("ml-leads").replace(
        "train: {script: train.py}",
        "train: {script: train.py}\n    registry: {approval: automatic}",
    )
    (item,) = problems(tmp_path, text)
    assert (item.severity, item.code) == ("warning", "approved-by-nobody")


def test_approvers_where_nothing_is_approved_are_a_warning(tmp_path: Path) -> None:
    environments = """\
environments:
  dev: {account: 112233445566}
  prod:
    account: 012345678901
    models: {churn: {promote_from: dev}}
"""
    alone = environments + "    security: {access: {approvers: [ml-leads]}}\n"
    (item,) = problems(tmp_path, MINIMAL + alone)
    assert (item.severity, item.code) == ("warning", "approved-elsewhere")
    everywhere = "security: {access: {approvers: [ml-leads]}}\n" + environments
    assert problems(tmp_path, MINIMAL + everywhere) == []


@pytest.mark.parametrize(("train", "told"), [("sealer", ["sealed-by-a-step"]), ("trainer", [])])
def test_who_runs_a_step_does_not_seal(tmp_path: Path, train: str, told: list[str]) -> None:
    roles = f"{{seal: '{ROLE}/sealer', pipeline: '{ROLE}/starts', train: '{ROLE}/{train}'}}"
    text = (
        MINIMAL
        + f"environments: {{prod: {{account: 012345678901, existing: {{roles: {roles}}}}}}}\n"
    )
    assert [(each.code, each.path) for each in problems(tmp_path, text)] == [
        (code, "existing.roles.seal") for code in told
    ]
    calls = SAGEMAKER.plan(loaded(tmp_path, text).resolve("prod"))
    (sealing,) = [call.args for call in calls if call.variable == "sealing"]
    # The stack may give a role of the user's no rights: the function lets the pipeline's in itself.
    given = {key: sealing[key].value for key in ("role_arn", "pipeline_role_arn")}
    assert given == {"role_arn": f"{ROLE}/sealer", "pipeline_role_arn": f"{ROLE}/starts"}
