"""Where logs and measurements of a stack go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
from pulumi_azure_native import applicationinsights, operationalinsights

from ._context import start


@dataclass(frozen=True)
class ObservabilityArgs:
    """Logs are kept for `days`. Nobody writes or reads with a key."""

    group: pulumi.Input[str]
    location: pulumi.Input[str]
    days: pulumi.Input[int] = 90
    tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class Observability(pulumi.ComponentResource):
    """`workspace_id` is the log workspace's, `insights_id` that of what applications tell.

    `created` is when the log workspace was made (ISO 8601).
    """

    workspace_id: pulumi.Output[str]
    insights_id: pulumi.Output[str]
    created: pulumi.Output[str]

    def __init__(
        self, name: str, args: ObservabilityArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-iac:azure:Observability", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        workspace = operationalinsights.Workspace(
            f"{name}-logs",
            resource_group_name=args.group,
            workspace_name=f"{start()}-logs",
            location=args.location,
            sku=operationalinsights.WorkspaceSkuArgs(name="PerGB2018"),
            retention_in_days=args.days,
            features=operationalinsights.WorkspaceFeaturesArgs(disable_local_auth=True),
            tags=args.tags,
            opts=child,
        )
        insights = applicationinsights.Component(
            f"{name}-insights",
            resource_group_name=args.group,
            resource_name_=f"{start()}-insights",
            location=args.location,
            kind="web",
            application_type="web",
            ingestion_mode="LogAnalytics",
            workspace_resource_id=workspace.id,
            disable_local_auth=True,
            tags=args.tags,
            opts=child,
        )
        self.workspace_id, self.insights_id = workspace.id, insights.id
        self.created = workspace.created_date
        self.register_outputs({"workspaceId": self.workspace_id, "insightsId": self.insights_id})
