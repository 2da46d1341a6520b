"""What everything of a stack lies in: its resource group, the identities of its planes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_azure_native import managedidentity, resources

from ._context import start


@dataclass(frozen=True)
class FoundationArgs:
    """`planes` get an identity each: what one may do, no other one may."""

    location: pulumi.Input[str]
    planes: Sequence[str] = ()
    protect: bool = True
    tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Identity:
    """The `id` of an identity as a resource, and its object id in Entra."""

    id: pulumi.Output[str]
    principal_id: pulumi.Output[str]


class Foundation(pulumi.ComponentResource):
    """`group` is the group's name, `group_id` its id; `tenant_id` is where its identities are."""

    group: pulumi.Output[str]
    group_id: pulumi.Output[str]
    tenant_id: pulumi.Output[str]

    def __init__(
        self, name: str, args: FoundationArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-iac:azure:Foundation", name, None, opts)
        group = resources.ResourceGroup(
            f"{name}-group",
            resource_group_name=start(),
            location=args.location,
            tags=args.tags,
            # With it goes everything that is in it.
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        identities = {
            plane: managedidentity.UserAssignedIdentity(
                f"{name}-{plane}",
                resource_group_name=group.name,
                resource_name_=f"{start()}-{plane}",
                location=args.location,
                tags=args.tags,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for plane in args.planes
        }
        self.group, self.group_id = group.name, group.id
        self._identities = {
            plane: Identity(each.id, each.principal_id) for plane, each in identities.items()
        }
        self.tenant_id = next(iter(identities.values())).tenant_id
        self.register_outputs({"group": self.group, "groupId": self.group_id})

    @property
    def workspace(self) -> Identity:
        """That of the workspace itself. Raises ValueError where there is none."""
        return self._of("workspace")

    @property
    def serve(self) -> Identity:
        """That of endpoints. Raises ValueError where there is none."""
        return self._of("serve")

    @property
    def train(self) -> Identity:
        """That of jobs that train. Raises ValueError where there is none."""
        return self._of("train")

    @property
    def register(self) -> Identity:
        """That of jobs that register versions. Raises ValueError where there is none."""
        return self._of("register")

    def _of(self, plane: str) -> Identity:
        if plane not in self._identities:
            raise ValueError(f"nothing here needs an identity to {plane}")
        return self._identities[plane]
