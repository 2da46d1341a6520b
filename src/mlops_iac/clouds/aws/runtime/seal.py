"""Lambda handler: copy what a job left to where no job may write, so that it stays what it is.

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
    """Seal the object at `source` below the prefix `target`, both S3 URIs.

    Returns `{"uri": …}`; the same goes to the log as one JSON line. Service errors are raised, so
    that the step fails.
    """
    import boto3

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
