"""In and out of the emulated S3, as SageMaker does it for its jobs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from mlops_iac.clouds.aws.errors import failure
from mlops_iac.clouds.aws.runtime.seal import seal
from mlops_iac.errors import ResourceFailed, UsageError


@contextmanager
def cloud_errors(what: str) -> Iterator[None]:
    """Turn what boto raises into a ResourceFailed that says what was being done."""
    try:
        yield
    except Exception as error:
        if failure(error) is None:
            raise
        raise ResourceFailed(
            f"{what}: {error}", hint="is the emulator running? `mlops-iac local status`"
        ) from error


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of an S3 URI. Raises UsageError for any other."""
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise UsageError(f"{uri!r} is not an s3:// URI")
    return bucket, key


class S3Store:
    """S3 through a client, as `pipeline.backend.Store`; what is written is encrypted with a key."""

    def __init__(self, s3: Any, key_arn: str | None) -> None:
        self._s3 = s3
        self._extra = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key_arn} if key_arn else {}

    def download(self, uri: str, folder: Path) -> None:
        """Everything under a prefix (S3DataType S3Prefix) into `folder`.

        Names are relative to the prefix; a prefix that is one object keeps the object's name.
        Raises UsageError where nothing is there.
        """
        bucket, prefix = split_uri(uri)
        count = 0
        with cloud_errors(f"reading {uri}"):
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            for key in [item["Key"] for page in pages for item in page.get("Contents", [])]:
                name = _relative(key, prefix)
                if name is None:
                    continue
                target = folder / name
                if not target.resolve().is_relative_to(folder.resolve()):
                    raise UsageError(f"s3://{bucket}/{key} would be written outside its folder")
                target.parent.mkdir(parents=True, exist_ok=True)
                self._s3.download_file(bucket, key, str(target))
                count += 1
        if not count:
            raise UsageError(f"there is nothing at {uri}", hint="`mlops-iac up` uploads the data")

    def exists(self, uri: str) -> bool:
        """Whether anything is under a prefix."""
        bucket, prefix = split_uri(uri)
        with cloud_errors(f"reading {uri}"):
            found = self._s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
        return bool(found.get("KeyCount"))

    def digest(self, uri: str) -> str:
        """Of the names under a prefix, and of S3's digest of each: nothing is downloaded."""
        bucket, prefix = split_uri(uri)
        with cloud_errors(f"reading {uri}"):
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
            found = [
                (name, item["ETag"])
                for page in pages
                for item in page.get("Contents", [])
                if (name := _relative(item["Key"], prefix)) is not None
            ]
        return sha256(repr(sorted(found)).encode()).hexdigest()

    def upload(self, path: Path, uri: str) -> None:
        """One file to one URI, or a folder's files under a prefix."""
        if path.is_dir():
            for file in sorted(item for item in path.rglob("*") if item.is_file()):
                name = file.relative_to(path).as_posix()
                self.upload(file, f"{uri.rstrip('/')}/{name}")
            return
        bucket, key = split_uri(uri)
        with cloud_errors(f"writing {uri}"):
            self._s3.upload_file(str(path), bucket, key, ExtraArgs=self._extra)

    def seal(self, source: str, target: str) -> str:
        """Copy an object below a prefix by the function that does it in the cloud; its URI."""
        with cloud_errors(f"sealing {source}"):
            return seal(self._s3, source, target)


def _relative(key: str, prefix: str) -> str | None:
    if key.endswith("/"):
        return None  # a console's marker of an empty folder
    if key == prefix:
        return key.rsplit("/", 1)[-1]
    if prefix and not prefix.endswith("/") and not key.startswith(prefix + "/"):
        return None  # `data/a` is not a folder of `data/abc`
    return key[len(prefix) :].lstrip("/")
