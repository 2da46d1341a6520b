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
_ARTIFACTS = "data-artifacts-*"


@dataclass(frozen=True, kw_only=True)
class PromotionArgs:
    """`role_arn` is the endpoint's role; stacks in `accounts` trained what it serves.

    `stacks` is what their names begin with.

    `encrypted`: whether those accounts encrypt with keys of their own.
    """

    role_arn: pulumi.Input[str]
    accounts: Sequence[str]
    stacks: Sequence[str]
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
                promoted_models(context, args.stacks),
                reason="versions approved elsewhere keep their artifacts there",
                wildcard="the bucket's name is made when the other stack is deployed; its beginning and "
                "the account that owns it are fixed",
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
                    "admits this account, and it is used by way of S3 and for that bucket only",
                    # Amazon S3 user guide, "Using server-side encryption with AWS KMS keys": the
                    # context is the bucket's ARN, or the object's where it has no bucket key.
                    conditions={
                        "StringEquals": {"kms:ViaService": context.endpoint("s3")},
                        "StringLike": {
                            "kms:EncryptionContext:aws:s3:arn": _buckets(context, args.stacks)
                        },
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


def promoted_models(context: Context, stacks: Sequence[str]) -> list[pulumi.Output[str]]:
    """The sealed models of stacks whose names begin so, whatever account they are in."""
    return [pulumi.Output.concat(each, f"/{MODELS_PREFIX}*") for each in _buckets(context, stacks)]


def _buckets(context: Context, stacks: Sequence[str]) -> list[pulumi.Output[str]]:
    return [
        pulumi.Output.concat("arn:", context.partition, f":s3:::{stack}-{_ARTIFACTS}")
        for stack in stacks
    ]
