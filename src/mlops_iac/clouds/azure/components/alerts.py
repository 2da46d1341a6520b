"""Who is told when something is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
from pulumi_azure_native import monitor

from ._context import start
from ._naming import SHORT_LIMIT, squeezed


@dataclass(frozen=True)
class AlertsArgs:
    """`emails` are addresses by name."""

    group: pulumi.Input[str]
    emails: Mapping[str, pulumi.Input[str]]
    tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class Alerts(pulumi.ComponentResource):
    """`action_group_id` is whom alerts are sent to, `emails` the addresses."""

    action_group_id: pulumi.Output[str]
    emails: list[pulumi.Input[str]]

    def __init__(
        self, name: str, args: AlertsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-iac:azure:Alerts", name, None, opts)
        group = monitor.ActionGroup(
            f"{name}-group",
            resource_group_name=args.group,
            action_group_name=f"{start()}-alerts",
            # Of what tells people, it is the only place.
            location="Global",
            group_short_name=squeezed(start())[:SHORT_LIMIT],
            enabled=True,
            email_receivers=[
                monitor.MicrosoftCommonEmailReceiverArgs(
                    name=each, email_address=address, use_common_alert_schema=True
                )
                for each, address in args.emails.items()
            ],
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.action_group_id, self.emails = group.id, list(args.emails.values())
        self.register_outputs({"actionGroupId": self.action_group_id})
