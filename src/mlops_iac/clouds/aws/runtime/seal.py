"""Lambda handler of training pipelines: seals what is registered, finds what is in service.

To seal is to copy what a job left to where no job may write, so that it stays what it is.

What is measured, approved and served is the copy. Its key holds the ETag of what was copied: a
step that is tried again finds its copy, and another content gets another key. An object that is
there is never overwritten. S3 copies by itself; no byte passes through here.

Imports only the standard library and boto3, which the Lambda runtime brings along.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

# S3 user guide, "Multipart upload limits": parts of at most 5 GiB, at most 10 000 of them.
_PART = 256 * 1024**2
_PARTS = 10_000
_AT_ONCE = 8


def handler(event: dict[str, str], context: object) -> dict[str, str]:  # noqa: ARG001
    """Seal the object at `source` below the prefix `target`, both S3 URIs; or see `current`.

    Returns `{"uri": …}`; the same goes to the log as one JSON line. Service errors are raised, so
    that the step fails.
    """
    import boto3

    if "group" in event:
        answer = current(boto3.client("sagemaker"), **event)
    else:
        answer = {"uri": seal(boto3.client("s3"), event["source"], event["target"])}
    print(json.dumps({**event, **answer}))  # noqa: T201  (a Lambda logs by printing)
    return answer


def seal(s3: Any, source: str, target: str) -> str:
    """The URI of the copy, `<target>/<ETag>/<file name>`. Raises ValueError for an empty object."""
    from_bucket, from_key = _split(source)
    to_bucket, prefix = _split(target)
    found = s3.head_object(Bucket=from_bucket, Key=from_key)
    size, etag = found["ContentLength"], found["ETag"]
    if not size:
        raise ValueError(f"{source} is empty")
    key = "/".join([prefix.rstrip("/"), etag.strip('"'), from_key.rsplit("/", 1)[-1]])
    place = {"Bucket": to_bucket, "Key": key}
    # In parts, whatever the size: a single copy ends at 5 GB, and not every SDK that a runtime
    # brings along can tell it to overwrite nothing.
    upload = {**place, "UploadId": s3.create_multipart_upload(**place)["UploadId"]}
    copy = partial(
        s3.upload_part_copy,
        **upload,
        CopySource={"Bucket": from_bucket, "Key": from_key},
        # Each part is of the same object, also where somebody replaces it meanwhile.
        CopySourceIfMatch=etag,
    )
    parts = {"Parts": _copied(copy, size)}
    try:
        s3.complete_multipart_upload(**upload, MultipartUpload=parts, IfNoneMatch="*")
    except s3.exceptions.ClientError as error:
        # The copy of an earlier try is there, and its key says that it is of the same object. What
        # an upload leaves that does not end, the bucket drops by itself.
        if error.response["Error"]["Code"] != "PreconditionFailed":
            raise
    return f"s3://{to_bucket}/{key}"


def current(sagemaker: Any, group: str, model: str, version: str, otherwise: str) -> dict[str, str]:
    """Return the archive's `uri` and the name, `churn/3`, of the `version` of a group.

    `newest` is the newest approved one, as `up` deploys it; where none is approved yet, the URI is
    `otherwise` and the name `none`. Raises ValueError for a version that is not there, or has no archive.
    """
    pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
    found = {
        int(each["ModelPackageVersion"]): each["ModelPackageArn"]
        for page in pages
        for each in page["ModelPackageSummaryList"]
        if version == str(each["ModelPackageVersion"])
        or (version == "newest" and each["ModelApprovalStatus"] == "Approved")
    }
    if not found and version == "newest":
        return {"uri": otherwise, "version": "none"}
    if not found:
        raise ValueError(f"{group} has no version {version}, which is pinned")
    number = max(found)
    package = sagemaker.describe_model_package(ModelPackageName=found[number])
    containers = package.get("InferenceSpecification", {}).get("Containers") or [{}]
    if not containers[0].get("ModelDataUrl"):
        raise ValueError(f"{model}/{number} has no archive that could be measured")
    return {"uri": containers[0]["ModelDataUrl"], "version": f"{model}/{number}"}


def _copied(copy: Callable[..., Any], size: int) -> list[dict[str, Any]]:
    step = max(_PART, -(-size // _PARTS))

    def part(number: int) -> dict[str, Any]:
        first = (number - 1) * step
        last = min(first + step, size) - 1
        answer = copy(PartNumber=number, CopySourceRange=f"bytes={first}-{last}")
        return {"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]}

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(part, range(1, -(-size // step) + 1)))


def _split(uri: str) -> tuple[str, str]:
    bucket, _, key = uri[len("s3://") :].partition("/")
    return bucket, key
