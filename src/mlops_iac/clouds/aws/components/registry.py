"""The registry of one model: a model package group that versions are registered into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pulumi
import pulumi_aws as aws

from ._context import Context, physical
from ._iam import Statement, policy_document, statement
from ._naming import PACKAGE_GROUP_LIMIT

# Constant, because a change replaces the group and with it every registered version.
_DESCRIPTION = "Versions of one model, registered by its training pipeline"


@dataclass(frozen=True)
class RegistryArgs:
    """`model`: its name in the blueprint, its former one where it was renamed.

    `reader_accounts` may read versions approved here. `approvers` are ARNs of roles or users, or
    names of roles in this account: they may approve and reject versions, and where there are any
    nobody else may, whatever else allows it. Where `approval` is manual, nor may anybody but them
    register a version that is approved already.
    """

    model: str
    reader_accounts: Sequence[str] = ()
    approvers: Sequence[str] = ()
    approval: Literal["manual", "automatic"] = "manual"
    protect: bool = True
    tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class Registry(pulumi.ComponentResource):
    """`group_name` (text known in advance: `<project>-<stack>-<model>`) and `group_arn`.

    A group that still has versions cannot be deleted: they are deleted first.
    """

    group_name: str
    group_arn: pulumi.Output[str]

    def __init__(
        self, name: str, args: RegistryArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-iac:aws:Registry", name, None, opts)
        self._context = Context(self)
        self.group_name = physical(args.model, PACKAGE_GROUP_LIMIT)
        group = aws.sagemaker.ModelPackageGroup(
            f"{name}-group",
            model_package_group_name=self.group_name,
            model_package_group_description=_DESCRIPTION,
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        self.group_arn = group.arn
        statements = [*self._readers(args), *self._approvers(args)]
        if statements:
            aws.sagemaker.ModelPackageGroupPolicy(
                f"{name}-group-policy",
                model_package_group_name=group.model_package_group_name,
                resource_policy=policy_document(*statements),
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({"groupName": self.group_name, "groupArn": self.group_arn})

    @property
    def _versions(self) -> pulumi.Output[str]:
        return self._context.arn("sagemaker", f"model-package/{self.group_name}/*")

    def _readers(self, args: RegistryArgs) -> list[Statement]:
        if not args.reader_accounts:
            return []
        return [
            statement(
                "Readers",
                [
                    "sagemaker:DescribeModelPackageGroup",
                    "sagemaker:ListModelPackages",
                    "sagemaker:DescribeModelPackage",
                    "sagemaker:CreateModel",
                ],
                [self.group_arn, self._versions],
                reason="accounts that serve versions approved here look them up",
                wildcard="the versions of this group, which are numbered as they come",
                principal={"AWS": [self._context.root(each) for each in args.reader_accounts]},
            )
        ]

    def _approvers(self, args: RegistryArgs) -> list[Statement]:
        """Source of the condition keys: service authorization reference, Amazon SageMaker."""
        if not args.approvers:
            return []
        approvers = [self._identity(each) for each in args.approvers]
        others = {"ArnNotEquals": {"aws:PrincipalArn": approvers}}
        wildcard = "the versions of this group, which are numbered as they come"
        found = [
            statement(
                "Approve",
                [
                    "sagemaker:DescribeModelPackage",
                    "sagemaker:ListModelPackages",
                    "sagemaker:UpdateModelPackage",
                ],
                [self.group_arn, self._versions],
                reason="these people look at versions, approve and reject them",
                wildcard=wildcard,
                principal={"AWS": approvers},
            ),
            statement(
                "NobodyElseApproves",
                ["sagemaker:UpdateModelPackage"],
                [self._versions],
                reason="who trains or deploys must not approve, whatever else allows it",
                wildcard=wildcard,
                effect="Deny",
                principal={"AWS": "*"},
                conditions=others,
            ),
        ]
        if args.approval == "manual":
            found.append(
                statement(
                    "NobodyElseRegistersApproved",
                    ["sagemaker:CreateModelPackage"],
                    [self.group_arn, self._versions],
                    reason="a version that is born approved was looked at by nobody",
                    wildcard=wildcard,
                    effect="Deny",
                    principal={"AWS": "*"},
                    conditions={
                        **others,
                        "StringEquals": {"sagemaker:ModelApprovalStatus": "Approved"},
                    },
                )
            )
        return found

    def _identity(self, approver: str) -> pulumi.Input[str]:
        if approver.startswith("arn:"):
            return approver
        return self._context.arn("iam", f"role/{approver}", region=False)
