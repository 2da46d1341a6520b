"""The registry of one model: a model package group that versions are registered into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from ._context import Context, physical
from ._iam import policy_document, statement
from ._naming import PACKAGE_GROUP_LIMIT

# Constant, because a change replaces the group and with it every registered version.
_DESCRIPTION = "Versions of one model, registered by its training pipeline"


@dataclass(frozen=True)
class RegistryArgs:
    """`model`: its name in the blueprint, its former one where it was renamed. `reader_accounts` may read versions approved here."""

    model: str
    reader_accounts: Sequence[str] = ()
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
        self.group_name = physical(args.model, PACKAGE_GROUP_LIMIT)
        group = aws.sagemaker.ModelPackageGroup(
            f"{name}-group",
            model_package_group_name=self.group_name,
            model_package_group_description=_DESCRIPTION,
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        self.group_arn = group.arn
        if args.reader_accounts:
            context = Context(self)
            versions = context.arn("sagemaker", f"model-package/{self.group_name}/*")
            aws.sagemaker.ModelPackageGroupPolicy(
                f"{name}-group-policy",
                model_package_group_name=group.model_package_group_name,
                resource_policy=policy_document(
                    statement(
                        "Readers",
                        [
                            "sagemaker:DescribeModelPackageGroup",
                            "sagemaker:ListModelPackages",
                            "sagemaker:DescribeModelPackage",
                            "sagemaker:CreateModel",
                        ],
                        [group.arn, versions],
                        reason="accounts that serve versions approved here look them up",
                        wildcard="the versions of this group, which are numbered as they come",
                        principal={"AWS": [context.root(each) for each in args.reader_accounts]},
                    )
                ),
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({"groupName": self.group_name, "groupArn": self.group_arn})
