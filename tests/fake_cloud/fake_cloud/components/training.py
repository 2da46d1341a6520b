"""What trains one model, and keeps its versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_fake as fake


@dataclass(frozen=True)
class TrainingArgs:
    """`definition` has the placeholders `${bucket}` and `${pipeline}`."""

    definition: str
    code: pulumi.FileAsset
    bucket: pulumi.Input[str]
    protect: bool = True
    tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class Training(pulumi.ComponentResource):
    """`pipeline` is its name, and that of the registry: it is known before it is made."""

    pipeline: pulumi.Output[str]

    def __init__(
        self, name: str, args: TrainingArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-iac:fake:Training", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        physical = f"{pulumi.get_project()}-{pulumi.get_stack()}-{name}"
        fake.Object(
            f"{name}-code",
            bucket=args.bucket,
            key=f"code/{name}/sourcedir.tar.gz",
            source=args.code,
            opts=child,
        )
        text = args.definition.replace("${pipeline}", physical)
        self.pipeline = fake.Pipeline(
            f"{name}-pipeline",
            name=physical,
            definition=pulumi.Output.from_input(args.bucket).apply(
                lambda bucket: text.replace("${bucket}", bucket)
            ),
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        ).name
        self.register_outputs({"pipeline": self.pipeline})
