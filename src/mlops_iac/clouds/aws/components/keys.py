"""Customer keys: one for the data, another for operations, each admitting exactly who needs it.

Who may read logs and alerts need not be able to decrypt data, nor the other way round.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pulumi
import pulumi_aws as aws

from ._context import Context, physical
from ._iam import Statement, policy_document, statement
from ._naming import sid

_ALIAS_LIMIT = 250  # kms AliasNameType is 256, with `alias/`

AlertPublisher = Literal["cloudwatch", "events", "budgets"]
LogService = Literal["logs", "cloudtrail"]


@dataclass(frozen=True)
class KeysArgs:
    """What to encrypt with keys of one's own.

    `customer`: make a key for data (`security.keys: customer`); ignored when `existing_key_arn`
    is set. `alert_publishers` are the services that publish to the alert topic, `log_services`
    those that write logs and the audit trail: where there are any, they share a key for operations.
    Alarms need one even when the data has none, because CloudWatch cannot use the `aws/sns` key
    (CloudWatch user guide, "Notifying users on alarm changes"). `reader_accounts` may decrypt with
    the data key: they serve models that this stack trained.
    """

    customer: bool = False
    existing_key_arn: pulumi.Input[str] | None = None
    alert_publishers: Sequence[AlertPublisher] = ()
    log_services: Sequence[LogService] = ()
    reader_accounts: Sequence[str] = ()
    deletion_window_days: int = 30
    protect: bool = True
    tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class Keys(pulumi.ComponentResource):
    """Keys and their aliases.

    `data_key_arn`: the key of the data, or None when the provider's own encryption is used.
    `operations_key_arn`: the key of the alert topic, of logs and of the audit trail, or None.
    """

    data_key_arn: pulumi.Output[str] | None
    operations_key_arn: pulumi.Output[str] | None

    def __init__(
        self, name: str, args: KeysArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-iac:aws:Keys", name, None, opts)
        self._args = args
        self._context = Context(self)
        self.data_key_arn = None
        self.operations_key_arn = None
        if args.existing_key_arn is not None:
            self.data_key_arn = pulumi.Output.from_input(args.existing_key_arn).apply(_key_arn)
        elif args.customer:
            self.data_key_arn = self._key(
                f"{name}-data",
                "Data, models and captures",
                self._readers(),
            )
        users = [
            *(self._publisher(each) for each in args.alert_publishers),
            *(self._log_service(each) for each in args.log_services),
        ]
        if users:
            self.operations_key_arn = self._key(
                f"{name}-operations",
                "Logs, the audit trail and messages of the alert topic",
                users,
                # What it was called when it was the topic's alone.
                former=f"{name}-alerts",
            )
        self.register_outputs(
            {"dataKeyArn": self.data_key_arn, "operationsKeyArn": self.operations_key_arn}
        )

    def _key(
        self, name: str, description: str, statements: Sequence[Statement], former: str = ""
    ) -> pulumi.Output[str]:
        def child(suffix: str = "", **options: Any) -> pulumi.ResourceOptions:
            aliases = [pulumi.Alias(name=f"{former}{suffix}")] if former else None
            return pulumi.ResourceOptions(parent=self, aliases=aliases, **options)

        key = aws.kms.Key(
            name,
            description=description,
            enable_key_rotation=True,
            deletion_window_in_days=self._args.deletion_window_days,
            policy=policy_document(self._owner(), *statements),
            tags=self._args.tags,
            opts=child(protect=self._args.protect),
        )
        aws.kms.Alias(
            f"{name}-alias",
            name=f"alias/{physical(name, _ALIAS_LIMIT)}",
            target_key_id=key.key_id,
            opts=child("-alias"),
        )
        return key.arn

    def _owner(self) -> Statement:
        return statement(
            "Owner",
            ["kms:*"],
            ["*"],
            reason="the account's own IAM policies decide who manages and uses the key",
            wildcard="in a key policy `*` is this key; without this statement nobody could manage it",
            principal={"AWS": self._context.root()},
        )

    def _readers(self) -> list[Statement]:
        if not self._args.reader_accounts:
            return []
        return [
            statement(
                "Readers",
                ["kms:Decrypt"],
                ["*"],
                reason="accounts that serve the models trained here read their artifacts from S3",
                wildcard="in a key policy `*` is this key",
                principal={
                    "AWS": [self._context.root(each) for each in self._args.reader_accounts]
                },
                conditions={"StringEquals": {"kms:ViaService": self._context.endpoint("s3")}},
            )
        ]

    def _publisher(self, service: AlertPublisher) -> Statement:
        return statement(
            sid(f"{service} publishes"),
            ["kms:Decrypt", "kms:GenerateDataKey*"],
            ["*"],
            reason=f"{service} publishes to the encrypted topic; without it alerts vanish silently"
            + unsourced(service),
            wildcard="in a key policy `*` is this key; GenerateDataKey* is what the service asks for",
            principal={"Service": self._context.service(service)},
            conditions=publishing_conditions(self._context, service),
        )

    def _log_service(self, service: LogService) -> Statement:
        more = ["kms:DescribeKey"]
        if service == "logs":
            # CloudWatch Logs user guide, "Encrypt log data": it sends the group's ARN as context.
            more = ["kms:Encrypt", "kms:ReEncrypt*", *more]
            key, own = "kms:EncryptionContext:aws:logs:arn", ("logs", "log-group:*")
        else:
            # CloudTrail user guide, "Configure AWS KMS key policies for CloudTrail".
            key, own = "aws:SourceArn", ("cloudtrail", "trail/*")
        conditions = {"ArnLike": {key: self._context.arn(*own)}}
        return statement(
            sid(f"{service} encrypts"),
            ["kms:Decrypt", "kms:GenerateDataKey*", *more],
            ["*"],
            reason=f"{service} stores what this stack writes down under the key",
            wildcard="in a key policy `*` is this key; the starred actions are variants of one",
            principal={"Service": self._context.service(service)},
            conditions=conditions,
        )


def publishing_conditions(
    context: Context, service: str
) -> dict[str, dict[str, pulumi.Input[str]]] | None:
    """On whose behalf a service publishes to the encrypted topic of alerts.

    EventBridge sends neither `aws:SourceAccount` nor `aws:SourceArn` there: with a condition its
    events vanish (SNS developer guide, "Key management", on EventBridge and encrypted topics;
    EventBridge user guide, "Troubleshooting", on conditions in topic policies). A rule of another
    account needs a role to publish here, and that role is nobody's in these policies.
    """
    if unsourced(service):
        return None
    return {"StringEquals": {"aws:SourceAccount": context.account}}


def unsourced(service: str) -> str:
    """Why there is no condition, for whoever reads the statement; empty where there is one."""
    return ", and it names no account it acts for" if service == "events" else ""


def _key_arn(text: str) -> str:
    if not text.startswith("arn:") or ":key/" not in text:
        raise ValueError(f"{text!r} is not the ARN of a KMS key; ids and aliases do not work")
    return text
