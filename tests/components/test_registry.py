"""The registry of one model."""

from __future__ import annotations

from typing import Any

from mlops_iac.clouds.aws.components.registry import Registry, RegistryArgs
from mlops_iac.graph.model import Resource
from tests.components.capture import capture, one, policy, types

GROUP = "aws:sagemaker/modelPackageGroup:ModelPackageGroup"


def graph(stack: str = "stack", **args: Any) -> list[Resource]:
    return capture(lambda: Registry("churn-registry", RegistryArgs(**args)), stack=stack)


def test_one_group_with_a_literal_name_protected_and_parented() -> None:
    found = graph(model="churn", tags={"a": "b"})
    assert types(found) == {"mlops-iac:aws:Registry": 1, GROUP: 1}
    group = one(found, GROUP)
    assert group.inputs["modelPackageGroupName"] == "project-stack-churn"
    assert group.inputs["tags"] == {"a": "b"}
    assert group.protect
    assert group.parent == one(found, "mlops-iac:aws:Registry").urn
    assert one(found, "mlops-iac:aws:Registry").outputs["groupName"] == "project-stack-churn"


def test_the_description_is_constant_because_a_change_replaces_the_registry() -> None:
    here, there = graph(model="churn"), graph("prod", model="other", protect=False)
    key = "modelPackageGroupDescription"
    assert one(here, GROUP).inputs[key] == one(there, GROUP).inputs[key]
    assert not one(there, GROUP).protect


def test_readers_look_versions_up() -> None:
    found = graph(model="churn", reader_accounts=["111122223333"])
    attached = one(found, "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy")
    readers = policy(attached.inputs["resourcePolicy"])["Readers"]
    assert readers["Principal"] == {"AWS": ["arn:aws:iam::111122223333:root"]}
    assert "sagemaker:UpdateModelPackage" not in readers["Action"]
    assert readers["Resource"][1].endswith(":model-package/project-stack-churn/*")


REVIEWERS = ["ml-leads", "arn:aws:iam::012345678901:user/reviewer"]
ARNS = ["arn:aws:iam::123456789012:role/ml-leads", "arn:aws:iam::012345678901:user/reviewer"]
POLICY = "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy"
VERSIONS = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/project-stack-churn/*"


def test_approvers_approve_and_nobody_else_does() -> None:
    found = graph(model="churn", approvers=REVIEWERS)
    rights = policy(one(found, POLICY).inputs["resourcePolicy"])
    assert rights.keys() == {"Approve", "NobodyElseApproves", "NobodyElseRegistersApproved"}
    assert rights["Approve"]["Principal"] == {"AWS": ARNS}
    assert "sagemaker:UpdateModelPackage" in rights["Approve"]["Action"]
    assert VERSIONS in rights["Approve"]["Resource"]
    denied = rights["NobodyElseApproves"]
    assert (denied["Effect"], denied["Principal"]) == ("Deny", {"AWS": "*"})
    assert denied["Action"] == "sagemaker:UpdateModelPackage"
    assert denied["Resource"] == VERSIONS
    assert denied["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": ARNS}}
    born = rights["NobodyElseRegistersApproved"]
    assert born["Effect"] == "Deny"
    assert born["Action"] == "sagemaker:CreateModelPackage"
    assert born["Condition"] == {
        "ArnNotEquals": {"aws:PrincipalArn": ARNS},
        "StringEquals": {"sagemaker:ModelApprovalStatus": "Approved"},
    }


def test_an_automatic_approval_is_the_pipelines_own() -> None:
    found = graph(model="churn", approvers=REVIEWERS, approval="automatic")
    rights = policy(one(found, POLICY).inputs["resourcePolicy"])
    assert "NobodyElseRegistersApproved" not in rights
    assert "NobodyElseApproves" in rights


def test_readers_and_approvers_share_the_one_policy_of_a_group() -> None:
    found = graph(model="churn", approvers=REVIEWERS, reader_accounts=["111122223333"])
    rights = policy(one(found, POLICY).inputs["resourcePolicy"])
    assert {"Readers", "Approve", "NobodyElseApproves"} <= rights.keys()


def test_a_long_name_is_cut_and_stays_distinct() -> None:
    made = {one(graph(model="m" * 80 + end), GROUP).inputs["modelPackageGroupName"] for end in "ab"}
    assert len(made) == 2
    assert all(len(name) <= 63 for name in made)
