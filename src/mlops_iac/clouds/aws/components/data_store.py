"""Buckets for data, artifacts, captures and logs, and the datasets that are uploaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path, PurePosixPath

import pulumi
import pulumi_aws as aws

from ._bucket import Bucket
from ._context import Context
from ._iam import Statement, statement

# Under this prefix of the artifacts lies what one run leaves for the next step (prepared data,
# checkpoints); all else there, registered models above all, is kept for ever.
WORK_PREFIX = "work/"
_WORK_DAYS = 30


@dataclass(frozen=True)
class DatasetArgs:
    """One dataset: a local `source` to upload, or the `uri` (s3://…) where it already is."""

    source: pulumi.FileAsset | pulumi.StringAsset | None = None
    file_name: str | None = None
    uri: pulumi.Input[str] | None = None


@dataclass(frozen=True)
class DataStoreArgs:
    """What to keep, and for how long.

    `captures`: retention in days by serving entry; the captures bucket exists when there are any.
    `key_arn`: None encrypts with the provider's own keys (SSE-S3). `event_bridge`: tell
    EventBridge about new objects in the data bucket. `existing_bucket`: a bucket that is used and
    never changed, instead of making any. `protect`: refuse to delete buckets; without it they are
    emptied when deleted.
    """

    key_arn: pulumi.Input[str] | None = None
    datasets: Mapping[str, DatasetArgs] = field(default_factory=dict)
    captures: Mapping[str, pulumi.Input[int]] = field(default_factory=dict)
    event_bridge: bool = False
    existing_bucket: pulumi.Input[str] | None = None
    reader_accounts: Sequence[str] = ()
    noncurrent_days: pulumi.Input[int] = 90
    log_days: pulumi.Input[int] = 365
    protect: bool = True
    tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Area:
    """A place for objects: `bucket` (name), its `arn`, the key `prefix` (`""` or ending in `/`).

    `uri` is `s3://bucket/prefix` without a slash at the end; `objects_arn` names what lies there.
    """

    bucket: pulumi.Output[str]
    arn: pulumi.Output[str]
    prefix: str = ""

    @property
    def uri(self) -> pulumi.Output[str]:
        return pulumi.Output.concat("s3://", self.bucket, f"/{self.prefix}".rstrip("/"))

    @property
    def objects_arn(self) -> pulumi.Output[str]:
        return pulumi.Output.concat(self.arn, f"/{self.prefix}*")


class DataStore(pulumi.ComponentResource):
    """Areas for objects, and where each dataset lies.

    `data`, `artifacts`, `captures` (only where something is captured) and `logs` (not for an
    existing bucket); by dataset `dataset_uris` and, for what is uploaded, `new_data_prefixes`.

    A dataset's own file lies at `datasets/<name>/base/`, what arrives later belongs under
    `datasets/<name>/new/`, where the stack itself never writes; `dataset_uris` names both.
    Raises ValueError for `event_bridge` or `reader_accounts` with an existing bucket, and for a
    dataset with neither `source` nor `uri`.
    """

    data: Area
    artifacts: Area
    dataset_uris: dict[str, pulumi.Output[str]]
    new_data_prefixes: dict[str, str]

    def __init__(
        self, name: str, args: DataStoreArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-iac:aws:DataStore", name, None, opts)
        self._args = args
        self._captures: Area | None = None
        self._logs: Area | None = None
        self.dataset_uris = {}
        self.new_data_prefixes = {}
        if args.existing_bucket is None:
            ready = self._make_buckets(name)
        else:
            ready = []
            self._use_bucket(name, args.existing_bucket)
        self._place_datasets(name, ready)
        self.register_outputs(
            {
                "dataBucket": self.data.bucket,
                "artifactsBucket": self.artifacts.bucket,
                "capturesBucket": _name(self._captures),
                "logsBucket": _name(self._logs),
            }
        )

    @property
    def captures(self) -> Area:
        """Raises ValueError when nothing is captured."""
        if self._captures is None:
            raise ValueError("no serving entry captures, so there is no place for captures")
        return self._captures

    @property
    def logs(self) -> Area:
        """Raises ValueError for an existing bucket, whose logging is not ours to set."""
        if self._logs is None:
            raise ValueError("an existing bucket is used as it is, without a bucket for its logs")
        return self._logs

    def _use_bucket(self, name: str, bucket: pulumi.Input[str]) -> None:
        if self._args.event_bridge or self._args.reader_accounts:
            raise ValueError(
                f"{name}: an existing bucket is never changed, so neither its EventBridge "
                "notifications nor its policy can be set; use a bucket of the stack's own"
            )
        known = pulumi.Output.from_input(bucket)
        arn = pulumi.Output.concat("arn:", Context(self).partition, ":s3:::", known)
        root = f"{pulumi.get_project()}/{pulumi.get_stack()}"
        self.data = Area(known, arn, f"{root}/data/")
        self.artifacts = Area(known, arn, f"{root}/artifacts/")
        if self._args.captures:
            self._captures = Area(known, arn, f"{root}/captures/")

    def _make_buckets(self, name: str) -> list[pulumi.Resource]:
        args = self._args
        # The log delivery service cannot write under a customer key.
        logs = self._bucket(f"{name}-logs", [_expire("logs", "", args.log_days)], key_arn=None)
        data = self._bucket(
            f"{name}-data",
            [_noncurrent("noncurrent", "", args.noncurrent_days)],
            key_arn=args.key_arn,
            event_bridge=args.event_bridge,
        )
        work = _expire("work", WORK_PREFIX, _WORK_DAYS)
        artifacts = self._bucket(f"{name}-artifacts", [work], key_arn=args.key_arn)
        logged = [data, artifacts]
        if args.captures:
            rules = [
                _expire(f"captures-{entry}", f"{entry}/", days)
                for entry, days in args.captures.items()
            ]
            captures = self._bucket(f"{name}-captures", rules, key_arn=args.key_arn)
            logged.append(captures)
            self._captures = Area(captures.name, captures.arn)
        logs.allow(self._access_logs(logs, logged))
        if args.reader_accounts:
            artifacts.allow(self._readers(artifacts))
        for bucket in (logs, *logged):
            bucket.close()
        for bucket in logged:
            bucket.log_to(logs)
        self.data = Area(data.name, data.arn)
        self.artifacts = Area(artifacts.name, artifacts.arn)
        self._logs = Area(logs.name, logs.arn)
        return data.ready

    def _bucket(
        self,
        name: str,
        rules: Sequence[aws.s3.BucketLifecycleConfigurationRuleArgs],
        *,
        key_arn: pulumi.Input[str] | None,
        event_bridge: bool = False,
    ) -> Bucket:
        return Bucket(
            name,
            parent=self,
            key_arn=key_arn,
            rules=rules,
            protect=self._args.protect,
            tags=self._args.tags,
            event_bridge=event_bridge,
        )

    def _access_logs(self, logs: Bucket, logged: Sequence[Bucket]) -> Statement:
        context = Context(self)
        return statement(
            "AccessLogs",
            ["s3:PutObject"],
            [pulumi.Output.concat(logs.arn, "/*")],
            reason="the access logs of the stack's own buckets are delivered here",
            principal={"Service": context.service("logging.s3")},
            conditions={
                "StringEquals": {"aws:SourceAccount": context.account},
                "ArnEquals": {"aws:SourceArn": [each.arn for each in logged]},
            },
        )

    def _readers(self, artifacts: Bucket) -> Statement:
        context = Context(self)
        return statement(
            "Readers",
            ["s3:GetObject"],
            [pulumi.Output.concat(artifacts.arn, "/*")],
            reason="accounts that serve the models trained here read their artifacts",
            principal={"AWS": [context.root(each) for each in self._args.reader_accounts]},
        )

    def _place_datasets(self, name: str, ready: Sequence[pulumi.Resource]) -> None:
        for dataset, args in self._args.datasets.items():
            if args.uri is not None:
                self.dataset_uris[dataset] = pulumi.Output.from_input(args.uri)
                continue
            if args.source is None:
                raise ValueError(f"{name}: dataset {dataset} has neither a source nor a uri")
            prefix = f"{self.data.prefix}datasets/{dataset}/"
            aws.s3.BucketObjectv2(
                f"{name}-{dataset}",
                bucket=self.data.bucket,
                key=f"{prefix}base/{_file_name(dataset, args)}",
                source=args.source,
                source_hash=_content_hash(args.source),
                server_side_encryption="aws:kms" if self._args.key_arn is not None else None,
                kms_key_id=self._args.key_arn,
                tags=self._args.tags,
                opts=pulumi.ResourceOptions(parent=self, depends_on=list(ready)),
            )
            self.dataset_uris[dataset] = pulumi.Output.concat(
                self.data.uri, f"/datasets/{dataset}/"
            )
            self.new_data_prefixes[dataset] = f"{prefix}new/"


def _name(area: Area | None) -> pulumi.Output[str] | None:
    return None if area is None else area.bucket


def _expire(
    name: str, prefix: str, days: pulumi.Input[int]
) -> aws.s3.BucketLifecycleConfigurationRuleArgs:
    """Objects go after `days`, and what they leave behind a week later."""
    return aws.s3.BucketLifecycleConfigurationRuleArgs(
        id=name,
        status="Enabled",
        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=prefix),
        expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=days),
        noncurrent_version_expiration=(
            aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                noncurrent_days=7
            )
        ),
    )


def _noncurrent(
    name: str, prefix: str, days: pulumi.Input[int]
) -> aws.s3.BucketLifecycleConfigurationRuleArgs:
    """Objects stay; versions that were overwritten or deleted go after `days`."""
    return aws.s3.BucketLifecycleConfigurationRuleArgs(
        id=name,
        status="Enabled",
        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=prefix),
        noncurrent_version_expiration=(
            aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                noncurrent_days=days
            )
        ),
    )


def _file_name(dataset: str, args: DatasetArgs) -> str:
    if args.file_name is not None:
        return args.file_name
    if isinstance(args.source, pulumi.FileAsset):
        return PurePosixPath(str(args.source.path)).name
    return dataset


def _content_hash(source: pulumi.FileAsset | pulumi.StringAsset) -> str:
    if isinstance(source, pulumi.FileAsset):
        return sha256(Path(source.path).read_bytes()).hexdigest()
    return sha256(source.text.encode()).hexdigest()
