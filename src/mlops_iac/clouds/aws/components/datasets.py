"""Datasets that lie beside the blueprint, uploaded to where the steps read them.

A component of its own, because an environment that only serves uploads none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True, kw_only=True)
class DatasetsArgs:
    """`files` by the name of the dataset, uploaded to `bucket`; `key_arn` encrypts them.

    The path of one may be a folder's: of every file below it whose name, and whose folders' names,
    do not begin with a dot.

    `known_as` are former names of those that were renamed: what is stored stays where it is.
    """

    bucket: pulumi.Input[str]
    files: Mapping[str, pulumi.FileAsset | pulumi.StringAsset]
    key_arn: pulumi.Input[str] | None = None
    known_as: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class Datasets(pulumi.ComponentResource):
    """Where each dataset lies: `uris` (`s3://…/`) and `new_data_prefixes` by name.

    What is uploaded lies at `datasets/<name>/base/`; what arrives later belongs under
    `datasets/<name>/new/`, where the stack itself never writes; the URI is of both.
    What `depends_on` names is there before any file is.
    """

    uris: dict[str, pulumi.Output[str]]
    new_data_prefixes: dict[str, str]

    def __init__(
        self, name: str, args: DatasetsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-iac:aws:Datasets", name, None, opts)
        # A component's own dependencies are not those of its children.
        child = pulumi.ResourceOptions(parent=self, depends_on=opts.depends_on if opts else None)
        bucket = pulumi.Output.from_input(args.bucket)
        self.uris = {}
        self.new_data_prefixes = {}
        for dataset, source in args.files.items():
            former = args.known_as.get(dataset)
            known = former or dataset
            prefix = f"datasets/{known}/"
            for below, asset in _assets(known, source):
                former_name = f"{name}-{former}{below.resource}"
                aws.s3.BucketObjectv2(
                    f"{name}-{dataset}{below.resource}",
                    bucket=bucket,
                    key=f"{prefix}base/{below.key}",
                    source=asset,
                    source_hash=_content_hash(asset),
                    server_side_encryption="aws:kms" if args.key_arn is not None else None,
                    kms_key_id=args.key_arn,
                    tags=args.tags,
                    opts=pulumi.ResourceOptions.merge(
                        child,
                        pulumi.ResourceOptions(
                            aliases=[pulumi.Alias(name=former_name)] if former else None
                        ),
                    ),
                )
            self.uris[dataset] = pulumi.Output.concat("s3://", bucket, "/", prefix)
            self.new_data_prefixes[dataset] = f"{prefix}new/"
        self.register_outputs({"uris": self.uris})


class _Below(NamedTuple):
    """What one file of a dataset adds to the name of a resource, and its key below `base/`."""

    resource: str
    key: str


def _assets(
    dataset: str, source: pulumi.FileAsset | pulumi.StringAsset
) -> Iterator[tuple[_Below, pulumi.FileAsset | pulumi.StringAsset]]:
    """The files of one dataset. Raises ValueError for a link that leads out of a folder."""
    if not isinstance(source, pulumi.FileAsset):
        yield _Below("", dataset), source
        return
    root = Path(source.path)
    if not root.is_dir():
        yield _Below("", root.name), source
        return
    for path in sorted(root.rglob("*")):
        below = path.relative_to(root)
        if any(part.startswith(".") for part in below.parts) or path.is_dir():
            continue
        if not path.resolve().is_relative_to(root.resolve()):
            raise ValueError(f"{path} is a link that leads out of {root}")
        yield _Below(f"/{below.as_posix()}", below.as_posix()), pulumi.FileAsset(str(path))


def _content_hash(source: pulumi.FileAsset | pulumi.StringAsset) -> str:
    if isinstance(source, pulumi.FileAsset):
        return sha256(Path(source.path).read_bytes()).hexdigest()
    return sha256(source.text.encode()).hexdigest()
