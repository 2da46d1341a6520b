"""What an endpoint role needs to serve versions that another account trained.

The other stack's own policies admit this account (`Registry`, `DataStore`, `Keys`:
`reader_accounts`); across accounts both sides must say yes, and this is the other side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from ._context import Context
from ._iam import policy_document, statement
from .data_store import MODELS_PREFIX

# The other stack's `DataStore` is called `data`; its bucket of artifacts is named after it and has
# a suffix that is made when it is deployed.
ARTIFACTS = "data-artifacts-*"


@dataclass(frozen=True, kw_only=True)
class PromotionArgs:
    """`role_arn` is the endpoint's role; `accounts` trained what it serves.

    `encrypted`: whether those accounts encrypt with keys of their own.
    """

    role_arn: pulumi.Input[str]
    accounts: Sequence[str]
    encrypted: bool = True


class Promotion(pulumi.ComponentResource):
    """The policy, attached to the role. Endpoints depend on it."""

    def __init__(
        self, name: str, args: PromotionArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-iac:aws:Promotion", name, None, opts)
        context = Context(self)
        accounts = list(args.accounts)
        statements = [
            statement(
                "ReadPromoted",
                ["s3:GetObject"],
                [
                    pulumi.Output.concat(
                        "arn:", context.partition, f":s3:::{ARTIFACTS}/{MODELS_PREFIX}*"
                    )
                ],
                reason="versions approved elsewhere keep their artifacts there",
                wildcard="the bucket's name is made when the other stack is deployed; the account "
                "that owns it is fixed",
                conditions={"StringEquals": {"aws:ResourceAccount": accounts}},
            )
        ]
        if args.encrypted:
            statements.append(
                statement(
                    "DecryptPromoted",
                    ["kms:Decrypt"],
                    [context.arn("kms", "key/*", account=each) for each in accounts],
                    reason="those artifacts are encrypted with the other stack's key",
                    wildcard="the key is made when the other stack is deployed; its own policy "
                    "admits this account, and it is used by way of S3 only",
                    conditions={
                        "StringEquals": {
                            "kms:ViaService": pulumi.Output.concat(
                                "s3.", context.region, ".", context.dns_suffix
                            )
                        }
                    },
                )
            )
        self.policy = aws.iam.RolePolicy(
            f"{name}-policy",
            role=pulumi.Output.from_input(args.role_arn).apply(lambda arn: arn.split("/")[-1]),
            policy=policy_document(*statements),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})
