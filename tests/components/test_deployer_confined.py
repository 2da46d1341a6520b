"""The deployer of one stack cannot touch another's in the same account, nor can its jobs.

Whether a statement matches is moto's to say; of conditions it knows little, so they are judged here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from moto.iam.access_control import IAMPolicy, PermissionResult

from mlops_iac.api import load
from mlops_iac.api.compile import captures, programs
from mlops_iac.clouds.aws.sagemaker.deployer_policy import (
    ACTIONS,
    grants,
    origin,
)
from mlops_iac.clouds.aws.sagemaker.scope import Scope
from mlops_iac.clouds.registry import platform
from mlops_iac.emulators.aws.api import Place
from mlops_iac.emulators.aws.provider import AwsProvider
from mlops_iac.emulators.aws.resources import handler_for
from mlops_iac.engine.embedded.autonaming import Autonaming
from tests.components.test_stack_names import INSIDE, named
from tests.sagemaker_blueprints import MAXIMAL, write
from tools.deployer_rights import deployer, statement

EXAMPLE = Path(__file__).parents[2] / "examples" / "schedule-adherence" / "blueprint.yaml"
UNNAMED = ("aws:appautoscaling/", "aws:ec2/", "aws:vpc/")
ACCOUNT, REGION = "012345678901", "eu-west-1"
Statements = Sequence[Mapping[str, Any]]


def permits(
    statements: Statements, action: str, arn: str, context: Mapping[str, str] | None = None
) -> bool:
    known = {"aws:ResourceAccount": ACCOUNT, **(context or {})}
    holding = [
        {key: each[key] for key in each if key != "Condition"}
        for each in statements
        if _holds(each.get("Condition", {}), known)
    ]
    policy = IAMPolicy({"policy_document": json.dumps({"Statement": holding})})
    return policy.is_action_permitted(action, arn) is PermissionResult.PERMITTED


def _holds(conditions: Mapping[str, Any], known: Mapping[str, str]) -> bool:
    for operator, tests in conditions.items():
        for key, wanted in tests.items():
            patterns = wanted if isinstance(wanted, list) else [wanted]
            value = known.get(key)
            if value is None and operator.endswith("IfExists"):
                continue
            if value is None or not any(fnmatchcase(value, each) for each in patterns):
                return False
    return True


@pytest.fixture(scope="module")
def one_account(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that can be planned, with `dev` and `prod` in one account."""
    text = MAXIMAL.replace("210987654321", ACCOUNT).partition("    existing:\n")[0]
    return write(tmp_path_factory.mktemp("one-account"), text)


@pytest.fixture(scope="module")
def rights(one_account: Path) -> dict[str, list[dict[str, Any]]]:
    project = load(one_account)
    return {
        name: [
            statement(each) for each in deployer(Scope(project.resolve(name)), project.calls(name))
        ]
        for name in ("dev", "prod")
    }


@pytest.fixture(scope="module")
def made(one_account: Path) -> dict[str, set[str]]:
    """The ARNs of what the stacks name."""
    project = load(one_account)
    folder, program = captures.work_program(project)
    provider = AwsProvider(region=REGION, account=ACCOUNT)
    found: dict[str, set[str]] = {}
    for stack in ("dev", "prod"):
        config = program.config[stack]
        graph = programs.capture_program(project, stack, folder, config)
        automatic = Autonaming(config)
        arns = found[stack] = set()
        for item in graph:
            handler = handler_for(item.type) if item.custom else None
            computed = getattr(handler, "computed", {}).get("arn") if handler else None
            name = named(item, automatic, provider) if computed else None
            if computed and name and item.type not in INSIDE and not item.type.startswith(UNNAMED):
                values = {**Place(REGION, ACCOUNT).names(), "name": name[0], "bucket": name[0]}
                # A schedule lies in a group, whose name is among these as well.
                values["groupName"] = f"adherence-{stack}-adherence-retrain-schedules"
                inputs = {key: each for key, each in item.inputs.items() if isinstance(each, str)}
                try:
                    arns.add(computed.format(name[0], **{**inputs, **values}))
                except KeyError:
                    arns.add(computed.replace("{}", name[0]))
    return found


def acts_on(statements: Statements, arn: str) -> list[str]:
    """Actions of the ARN's service that the statements name at all."""
    service = arn.split(":")[2]
    return sorted(
        {
            action
            for each in statements
            if each["Resource"] != ["*"] or each["Sid"] == "NewKeys"
            for action in each["Action"]
            if action.startswith(f"{service}:")
        }
    )


def test_every_stack_reaches_its_own(
    rights: dict[str, list[dict[str, Any]]], made: dict[str, set[str]]
) -> None:
    services = {arn.split(":")[2] for arn in made["dev"]}
    assert services >= {"iam", "s3", "lambda", "logs", "events", "sqs", "sns", "sagemaker"}
    for stack, arns in made.items():
        for arn in arns:
            assert any(permits(rights[stack], each, arn) for each in acts_on(rights[stack], arn)), (
                arn
            )


def test_and_nothing_of_another(
    rights: dict[str, list[dict[str, Any]]], made: dict[str, set[str]]
) -> None:
    for stack, other in (("dev", "prod"), ("prod", "dev")):
        for arn in made[other]:
            for action in acts_on(rights[stack], arn):
                assert not permits(rights[stack], action, arn), (stack, action, arn)
                assert not permits(rights[stack], action, f"{arn}/models/x"), (stack, action, arn)


def test_rights_without_the_stack_in_their_names_would_be_seen(
    rights: dict[str, list[dict[str, Any]]], made: dict[str, set[str]]
) -> None:
    wide = json.loads(json.dumps(rights["dev"]).replace("adherence-dev-*", "adherence-*"))
    assert any(permits(wide, action, arn) for arn in made["prod"] for action in acts_on(wide, arn))


def test_keys_are_told_apart_by_their_tag(rights: dict[str, list[dict[str, Any]]]) -> None:
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"
    own, other = {"aws:ResourceTag/stack": "adherence-dev"}, {"aws:ResourceTag/stack": "x"}
    take = {"aws:RequestTag/stack": "adherence-dev"}
    assert permits(rights["dev"], "kms:ScheduleKeyDeletion", key, own)
    assert permits(rights["dev"], "kms:CreateKey", "*", take)
    assert permits(rights["dev"], "kms:TagResource", key, take)
    for context in (other, {**other, **take}, {}):
        for action in acts_on(rights["dev"], key):
            if (action, context) != ("kms:ListAliases", {}):
                assert not permits(rights["dev"], action, key, context), action


def test_a_key_without_the_tag_can_be_taken_over_and_it_is_told(
    rights: dict[str, list[dict[str, Any]]],
) -> None:
    """KMS lets nobody tag keys as they are made and no others: what the docs say is so."""
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/untagged"
    assert not permits(rights["dev"], "kms:ScheduleKeyDeletion", key)
    assert permits(rights["dev"], "kms:TagResource", key, {"aws:RequestTag/stack": "adherence-dev"})
    (told,) = [each.reason for each in grants(["Keys"]) if each.sid == "NewKeys"]
    assert "without a tag `stack` can be taken over" in told


def test_scaling_may_ask_whether_the_caller_may(rights: dict[str, list[dict[str, Any]]]) -> None:
    """It asks CloudWatch in the caller's name, with no alarm's name, before it takes a target."""
    alarm = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:"
    tracking = f"{alarm}TargetTracking-endpoint/adherence-dev-api/variant/main-AlarmHigh-1"
    assert permits(rights["dev"], "cloudwatch:DescribeAlarms", "*")
    for action in ("cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"):
        assert permits(rights["dev"], action, alarm)
        assert permits(rights["dev"], action, tracking)
        assert not permits(rights["prod"], action, tracking)
        assert not permits(rights["dev"], action, f"{alarm}somebody-else")
    assert "ScalingAlarms" not in {each.sid for each in grants(["ServiceMonitor"])}


def test_only_endpoints_are_scaled(rights: dict[str, list[dict[str, Any]]]) -> None:
    namespace, dimension = (
        f"application-autoscaling:{each}" for each in ("service-namespace", "scalable-dimension")
    )
    endpoint = {namespace: "sagemaker", dimension: "sagemaker:variant:DesiredInstanceCount"}
    service = {namespace: "ecs", dimension: "ecs:service:DesiredCount"}
    for name in (
        "RegisterScalableTarget",
        "DeregisterScalableTarget",
        "PutScalingPolicy",
        "DeleteScalingPolicy",
    ):
        action = f"application-autoscaling:{name}"
        assert permits(rights["dev"], action, "*", endpoint)
        assert not permits(rights["dev"], action, "*", service)
        assert not permits(rights["dev"], action, "*")
    assert permits(rights["dev"], "application-autoscaling:DescribeScalableTargets", "*")


def test_what_came_with_the_stack_may_go_with_it(rights: dict[str, list[dict[str, Any]]]) -> None:
    """Versions before their group; settings that a later blueprint leaves out; a bucket's tags."""
    version = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/adherence-{{}}-adherence/1"
    group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:adherence-{{}}-x"
    bucket = "arn:aws:s3:::adherence-{}-data-artifacts-1"
    for action, arn in (
        ("sagemaker:DeleteModelPackage", version),
        ("sagemaker:ListModelPackages", version.replace("package/", "package-group/")),
        ("logs:DisassociateKmsKey", group),
        ("logs:DeleteRetentionPolicy", group),
        ("s3:TagResource", bucket),
        ("s3:UntagResource", bucket),
        ("s3:ListTagsForResource", bucket),
    ):
        assert permits(rights["dev"], action, arn.format("dev")), action
        assert not permits(rights["dev"], action, arn.format("prod")), action


def test_roles_go_to_the_services_that_take_them(rights: dict[str, list[dict[str, Any]]]) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/adherence-dev-identity-pipeline-1a2b3c4"
    to = {"iam:PassedToService": "sagemaker.amazonaws.com"}
    assert permits(rights["dev"], "iam:PassRole", role, to)
    assert not permits(rights["prod"], "iam:PassRole", role, to)
    assert not permits(
        rights["dev"], "iam:PassRole", role, {"iam:PassedToService": "ec2.amazonaws.com"}
    )


def test_a_boundary_stays_on_every_role(tmp_path: Path) -> None:
    project = load(write(tmp_path, MAXIMAL))
    found = [
        statement(each) for each in deployer(Scope(project.resolve("prod")), project.calls("prod"))
    ]
    role = "arn:aws:iam::210987654321:role/adherence-prod-x"
    bounded = {"iam:PermissionsBoundary": "arn:aws:iam::210987654321:policy/boundary"}
    for action in ("iam:CreateRole", "iam:PutRolePolicy"):
        assert permits(found, action, role, bounded)
        assert not permits(found, action, role)
    assert not permits(found, "iam:DeleteRolePermissionsBoundary", role, bounded)


def test_environments_whose_names_begin_alike_are_told(tmp_path: Path) -> None:
    text = MAXIMAL.replace("\n  prod:\n", "\n  dev-two:\n")
    project = load(write(tmp_path, text))
    said = platform("sagemaker").guide(
        {name: project.resolve(name) for name in project.environments},
        {name: project.calls(name) for name in project.environments},
    )
    assert "the deployer of `dev` reaches `dev-two`: rename one" in said


def test_what_a_confined_deployer_does_reach_and_does_not_is_told(tmp_path: Path) -> None:
    project = load(write(tmp_path, MAXIMAL))
    said = platform("sagemaker").guide(
        {name: project.resolve(name) for name in project.environments},
        {name: project.calls(name) for name in project.environments},
    )
    assert "keys of the account without a tag `stack` (give them one)" in said
    assert "a deployer who is confined to `dev` cannot make them" in said
    assert "`adherence-pr-*`" in said


def test_every_action_of_a_component_is_in_one_statement(
    rights: dict[str, list[dict[str, Any]]], one_account: Path
) -> None:
    components = {call.component.partition(":")[2] for call in load(one_account).calls("dev")}
    granted = {action for each in rights["dev"] for action in each["Action"]}
    assert granted == {action for each in components for action in ACTIONS[each]}


def test_the_origin_is_read_and_no_more(tmp_path: Path) -> None:
    project = load(EXAMPLE)
    resolved = project.resolve("prod")
    found = [
        statement(each) for each in deployer(Scope(resolved), platform("sagemaker").plan(resolved))
    ]
    version = "arn:aws:sagemaker:eu-west-1:012345678901:model-package/schedule-adherence-dev-{}/1"
    there = {"aws:ResourceAccount": "012345678901"}
    assert permits(found, "sagemaker:DescribeModelPackage", version.format("adherence"), there)
    for action, arn in (
        ("sagemaker:DescribeModelPackage", version.format("other")),
        ("sagemaker:DescribeModelPackage", version.format("adherence").replace("schedule", "x")),
        ("sagemaker:UpdateModelPackage", version.format("adherence")),
        ("s3:GetObject", "arn:aws:s3:::schedule-adherence-dev-data-artifacts-1/models/x"),
    ):
        assert not permits(found, action, arn, there), (action, arn)
    assert origin(Scope(project.resolve("dev"))) == []


def test_jobs_of_one_stack_reach_nothing_of_another(
    one_account: Path, made: dict[str, set[str]]
) -> None:
    """Every role that a stack makes, against everything that the other names."""
    graph = load(one_account).capture("dev")
    policies = graph.of_type("aws:iam/rolePolicy:RolePolicy")
    assert len(policies) > 4
    for item in policies:
        statements = json.loads(str(item.inputs["policy"]))["Statement"]
        actions = {
            action
            for each in statements
            for action in ([each["Action"]] if isinstance(each["Action"], str) else each["Action"])
        }
        for arn in made["prod"]:
            for action in actions:
                if action == "sagemaker:ListModels":
                    continue  # knows no resource
                if action.split(":")[0] == arn.split(":")[2]:
                    assert not permits(statements, action, arn), (item.name, action, arn)
                    assert not permits(statements, action, f"{arn}/models/x"), (item.name, action)
