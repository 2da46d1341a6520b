"""What serves one version: to whoever calls, or by night."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_fake as fake


@dataclass(frozen=True)
class ServingArgs:
    """`model` is for people, `registry` has its versions. Without a `version` nothing serves.

    With a `schedule` it serves by night, else whoever calls.
    """

    model: str
    registry: pulumi.Input[str]
    version: str | None
    size: pulumi.Input[str]
    schedule: pulumi.Input[str] | None = None
    protect: bool = True
    tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class Serving(pulumi.ComponentResource):
    """`endpoint` is its name, None before it is there; `pending` are models without a version."""

    endpoint: pulumi.Output[str] | None = None
    pending: list[str]

    def __init__(
        self, name: str, args: ServingArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-iac:fake:Serving", name, None, opts)
        self.pending = [] if args.version else [args.model]
        if args.version:
            self.endpoint = fake.Service(
                f"{name}-service",
                name=f"{pulumi.get_project()}-{pulumi.get_stack()}-{name}",
                version=pulumi.Output.concat(args.registry, "/", args.version),
                size=args.size,
                schedule=args.schedule,
                tags=args.tags,
                opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
            ).name
        self.register_outputs({"endpoint": self.endpoint})
