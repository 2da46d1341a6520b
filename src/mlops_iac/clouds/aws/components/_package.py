"""Functions that are one file: how they are packed and run."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Mapping
from hashlib import sha256

import pulumi
import pulumi_aws as aws

from ._iam import Statement, statement

RUNTIME = "python3.13"


def uploaded(
    name: str,
    module: str,
    source: str,
    *,
    bucket: pulumi.Input[str],
    folder: str,
    key_arn: pulumi.Input[str] | None,
    tags: Mapping[str, pulumi.Input[str]],
    opts: pulumi.ResourceOptions,
) -> tuple[aws.s3.BucketObjectv2, str]:
    """The package below `functions/<folder>/` of a bucket, and its digest as Lambda says it."""
    package = zipped(f"{module}.py", source)
    digest = sha256(package)
    code = aws.s3.BucketObjectv2(
        name,
        bucket=bucket,
        key=f"functions/{folder}/{digest.hexdigest()[:32]}.zip",
        content_base64=base64.b64encode(package).decode(),
        source_hash=digest.hexdigest(),
        server_side_encryption="aws:kms" if key_arn else None,
        kms_key_id=key_arn,
        tags=tags,
        opts=opts,
    )
    return code, base64.b64encode(digest.digest()).decode()


def write_log(log: aws.cloudwatch.LogGroup) -> Statement:
    """What a function with a log group of its own may write there."""
    return statement(
        "WriteLog",
        ["logs:CreateLogStream", "logs:PutLogEvents"],
        [pulumi.Output.concat(log.arn, ":*")],
        reason="the function tells what it did",
        wildcard="the streams of its own log group, named by Lambda",
    )


def zipped(file_name: str, source: str) -> bytes:
    """A package of one file whose bytes depend on nothing but the source."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as package:
        entry = zipfile.ZipInfo(file_name, date_time=(1980, 1, 1, 0, 0, 0))
        entry.create_system = 3  # Unix, on every machine that packs
        entry.external_attr = 0o644 << 16
        package.writestr(entry, source)
    return buffer.getvalue()
