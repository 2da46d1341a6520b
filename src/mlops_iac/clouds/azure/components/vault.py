"""The key vault of a stack: who may read a secret is said by roles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
from pulumi_azure_native import keyvault

_SOFT_DAYS = 90  # the most that there is; it cannot be changed later


@dataclass(frozen=True)
class VaultArgs:
    """`protect`: refuse to delete it, and to purge what was deleted, for ever."""

    group: pulumi.Input[str]
    location: pulumi.Input[str]
    tenant_id: pulumi.Input[str]
    protect: bool = True
    tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class Vault(pulumi.ComponentResource):
    """`vault_id` is its id, `uri` where it answers."""

    vault_id: pulumi.Output[str]
    uri: pulumi.Output[str]

    def __init__(
        self, name: str, args: VaultArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-iac:azure:Vault", name, None, opts)
        vault = keyvault.Vault(
            f"{name}-vault",
            resource_group_name=args.group,
            location=args.location,
            properties=keyvault.VaultPropertiesArgs(
                tenant_id=args.tenant_id,
                sku=keyvault.SkuArgs(family="A", name=keyvault.SkuName.STANDARD),
                enable_rbac_authorization=True,
                enable_soft_delete=True,
                soft_delete_retention_in_days=_SOFT_DAYS,
                # The service takes true alone: what is protected once is for ever.
                enable_purge_protection=True if args.protect else None,
            ),
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        self.vault_id = vault.id
        self.uri = pulumi.Output.concat("https://", vault.name, ".vault.azure.net/")
        self.register_outputs({"vaultId": self.vault_id, "uri": self.uri})
