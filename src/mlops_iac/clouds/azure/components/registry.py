"""The registry of one model: what its versions are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
from pulumi_azure_native import machinelearningservices


@dataclass(frozen=True)
class RegistryArgs:
    """`model` is what it is called in the workspace."""

    group: pulumi.Input[str]
    workspace: pulumi.Input[str]
    model: str
    description: pulumi.Input[str] | None = None
    protect: bool = True
    tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class Registry(pulumi.ComponentResource):
    """`container` is the id of the model's container, in which its versions are."""

    container: pulumi.Output[str]

    def __init__(
        self, name: str, args: RegistryArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-iac:azure:Registry", name, None, opts)
        container = machinelearningservices.ModelContainer(
            f"{name}-model",
            resource_group_name=args.group,
            workspace_name=args.workspace,
            name=args.model,
            properties=machinelearningservices.ModelContainerPropertiesArgs(
                description=args.description, tags=args.tags, is_archived=False
            ),
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        self.container = container.id
        self.register_outputs({"container": self.container})
