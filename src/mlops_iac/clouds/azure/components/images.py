"""The container registry of a stack, where the images of its environments lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
from pulumi_azure_native import containerregistry


@dataclass(frozen=True)
class ImagesArgs:
    """`sku` is `Basic`, `Standard` or `Premium`; a private network takes the last."""

    group: pulumi.Input[str]
    location: pulumi.Input[str]
    sku: pulumi.Input[str] = "Standard"
    protect: bool = True
    tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class Images(pulumi.ComponentResource):
    """`registry_id` is its id, `server` where it answers."""

    registry_id: pulumi.Output[str]
    server: pulumi.Output[str]

    def __init__(
        self, name: str, args: ImagesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-iac:azure:Images", name, None, opts)
        registry = containerregistry.Registry(
            f"{name}-registry",
            resource_group_name=args.group,
            location=args.location,
            sku=containerregistry.SkuArgs(name=args.sku),
            # Its password would be everybody's.
            admin_user_enabled=False,
            anonymous_pull_enabled=False,
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        self.registry_id, self.server = registry.id, registry.login_server
        self.register_outputs({"registryId": self.registry_id, "server": self.server})
