"""The machine learning workspace of a stack, on what it stands on, and who may do what in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
from pulumi_azure_native import machinelearningservices

from ._roles import Principal, Scope, assign

# What the workspace does with its own identity in what it stands on. Source: azure-ai-docs,
# how-to-identity-based-service-authentication, "User-assigned managed identity".
_STANDS_ON = {
    "storage": ("Contributor", "the workspace keeps its files in the account"),
    "vault": ("Contributor", "the workspace manages its vault"),
    "registry": ("Contributor", "the workspace builds and keeps images"),
    "insights": ("Contributor", "the workspace tells what endpoints and jobs do"),
}


@dataclass(frozen=True)
class WorkspaceArgs:
    """Ids of what it stands on, and of its own identity.

    `members` are planes that work in it: name → object id.
    """

    group: pulumi.Input[str]
    location: pulumi.Input[str]
    storage_id: pulumi.Input[str]
    vault_id: pulumi.Input[str]
    registry_id: pulumi.Input[str]
    insights_id: pulumi.Input[str]
    identity_id: pulumi.Input[str]
    principal_id: pulumi.Input[str]
    members: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    description: pulumi.Input[str] | None = None
    protect: bool = True
    tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class Workspace(pulumi.ComponentResource):
    """`workspace` is its name, `workspace_id` its id, `tracking_uri` MLflow's."""

    workspace: pulumi.Output[str]
    workspace_id: pulumi.Output[str]
    tracking_uri: pulumi.Output[str]

    def __init__(
        self, name: str, args: WorkspaceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-iac:azure:Workspace", name, None, opts)
        self._name, self._args = name, args
        workspace = machinelearningservices.Workspace(
            f"{name}-workspace",
            resource_group_name=args.group,
            location=args.location,
            kind="Default",
            sku=machinelearningservices.SkuArgs(name="Basic"),
            description=args.description,
            identity=machinelearningservices.ManagedServiceIdentityArgs(
                type="UserAssigned", user_assigned_identities=[args.identity_id]
            ),
            primary_user_assigned_identity=args.identity_id,
            storage_account=args.storage_id,
            key_vault=args.vault_id,
            container_registry=args.registry_id,
            application_insights=args.insights_id,
            system_datastores_auth_mode="Identity",
            v1_legacy_mode=False,
            # It can be said at creation alone.
            hbi_workspace=False,
            public_network_access="Enabled",
            tags=args.tags,
            opts=pulumi.ResourceOptions(
                parent=self, protect=args.protect, depends_on=self._stands_on()
            ),
        )
        for plane, principal in args.members.items():
            assign(
                "AzureML Data Scientist",
                Principal(f"{name}-{plane}", principal),
                Scope("workspace", workspace.id),
                reason=f"{plane} works in the workspace",
                parent=self,
            )
        self.workspace, self.workspace_id = workspace.name, workspace.id
        self.tracking_uri = workspace.ml_flow_tracking_uri
        self.register_outputs({"workspace": self.workspace, "workspaceId": self.workspace_id})

    def _stands_on(self) -> list[pulumi.Resource]:
        """What its identity may do there, without which the workspace is made and does not work."""
        args = self._args
        ids = {
            "storage": args.storage_id,
            "vault": args.vault_id,
            "registry": args.registry_id,
            "insights": args.insights_id,
        }
        given = [(scope, *_STANDS_ON[scope]) for scope in ids]
        given += [
            ("storage", "Storage Blob Data Contributor", "datastores are reached by identity"),
            ("vault", "Key Vault Administrator", "the workspace keeps secrets of its own"),
        ]
        who = Principal(self._name, args.principal_id)
        return [
            assign(role, who, Scope(scope, ids[scope]), reason=reason, parent=self)
            for scope, role, reason in given
        ]
