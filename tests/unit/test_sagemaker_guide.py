"""What a program's README says of rights: complete for its components, and actions that exist."""

from __future__ import annotations

from pathlib import Path

from mlops_iac.clouds.aws.sagemaker.deployer_actions import APPROVER
from mlops_iac.clouds.aws.sagemaker.deployer_policy import ACTIONS
from mlops_iac.clouds.registry import platform
from tests.sagemaker_blueprints import MAXIMAL, MINIMAL, PRIVATE, loaded

GRANTED = {action for actions in ACTIONS.values() for action in actions}


def text(folder: Path, blueprint: str) -> str:
    project = loaded(folder, blueprint)
    environments = {name: project.resolve(name) for name in project.environments}
    sagemaker = platform("sagemaker")
    plans = {name: sagemaker.plan(resolved) for name, resolved in environments.items()}
    return sagemaker.guide(environments, plans)


def test_every_component_has_its_deployer(tmp_path: Path) -> None:
    project = loaded(tmp_path, PRIVATE)
    planned = {
        call.component.partition(":")[2]
        for name in project.environments
        for call in platform("sagemaker").plan(project.resolve(name))
    }
    assert planned <= set(ACTIONS)


def test_every_action_exists() -> None:
    from botocore.loaders import Loader

    # Services whose actions are their operations; S3, Lambda and KMS have some of another name.
    for service, model in (
        ("sagemaker", "sagemaker"),
        ("scheduler", "scheduler"),
        ("sns", "sns"),
        ("sqs", "sqs"),
        ("events", "events"),
        ("iam", "iam"),
        ("kms", "kms"),
        ("ec2", "ec2"),
    ):
        operations = set(Loader().load_service_model(model, "service-2")["operations"])
        if service == "sagemaker":  # whose calls of endpoints are an API of their own
            runtime = Loader().load_service_model("sagemaker-runtime", "service-2")
            operations |= set(runtime["operations"])
        actions = {
            each.removeprefix(f"{service}:") for each in GRANTED if each.startswith(f"{service}:")
        }
        unknown = actions - operations - {"PassRole"}
        assert not unknown, (service, unknown)


def test_the_deployer_does_not_approve() -> None:
    assert "sagemaker:UpdateModelPackage" not in GRANTED
    assert "sagemaker:UpdateModelPackage" in APPROVER


def test_the_guide_tells_both_apart_and_what_is_by_hand(tmp_path: Path) -> None:
    said = text(tmp_path, MAXIMAL)
    deployer, approver = said.index("**The deployer**"), said.index("**The approver")
    assert "UpdateModelPackage" not in said[deployer:approver]
    assert "cost allocation tag" in said
    assert "confirms the mail" in said


def test_the_guide_says_how_endpoints_of_a_closed_network_are_called(tmp_path: Path) -> None:
    said = text(tmp_path, PRIVATE)
    section = said[said.index("## The private network") :]
    for word in ("`callers_policy`", "`callers_security_group`", "`aws:SourceVpc`", "ecr.dkr"):
        assert word in section
    assert "`security.private_network`" in said
    assert "## The private network" not in text(tmp_path, MAXIMAL)


def test_a_small_stack_says_little(tmp_path: Path) -> None:
    said = text(tmp_path, MINIMAL)
    assert "`budgets`" not in said
    assert "cost allocation" not in said
    assert "promotion." not in said
