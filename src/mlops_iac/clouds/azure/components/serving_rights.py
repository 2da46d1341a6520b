"""What endpoints may do: their identity is one, and a role is given once."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from ._roles import Principal, Scope, assign


@dataclass(frozen=True)
class ServingRightsArgs:
    """`principal_id` is the endpoints' identity; images and models lie in the other two."""

    principal_id: pulumi.Input[str]
    registry_id: pulumi.Input[str]
    storage_id: pulumi.Input[str]


class ServingRights(pulumi.ComponentResource):
    """A user-assigned identity gets nothing by itself, and the first instance starts with it."""

    def __init__(
        self, name: str, args: ServingRightsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-iac:azure:ServingRights", name, None, opts)
        who = Principal("serve", args.principal_id)
        for role, scope, reason in (
            ("AcrPull", Scope("images", args.registry_id), "endpoints run its images"),
            (
                "Storage Blob Data Reader",
                Scope("data", args.storage_id),
                "endpoints load models and code from it",
            ),
        ):
            assign(role, who, scope, reason=reason, parent=self)
        self.register_outputs({})
