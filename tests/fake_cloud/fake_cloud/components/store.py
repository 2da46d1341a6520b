"""The bucket of a stack, with its datasets in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_fake as fake


@dataclass(frozen=True)
class StoreArgs:
    """`files` are uploaded, by dataset; `protect` refuses to delete the bucket."""

    files: Mapping[str, pulumi.FileAsset] = field(default_factory=dict)
    replicas: pulumi.Input[int] | None = None
    protect: bool = True
    tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class Store(pulumi.ComponentResource):
    """`bucket` is its name."""

    bucket: pulumi.Output[str]

    def __init__(
        self, name: str, args: StoreArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-iac:fake:Store", name, None, opts)
        bucket = fake.Bucket(
            f"{name}-bucket",
            name=f"{pulumi.get_project()}-{pulumi.get_stack()}",
            encrypted=True,
            replicas=args.replicas,
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        for dataset, source in args.files.items():
            fake.Object(
                f"{name}-{dataset}",
                bucket=bucket.name,
                key=f"data/{dataset}/{dataset}.csv",
                source=source,
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.bucket = bucket.name
        self.register_outputs({"bucket": self.bucket})
