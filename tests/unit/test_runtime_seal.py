"""The sealing function against a stand-in of S3: what it asks for, and what it leaves alone."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from mlops_iac.clouds.aws.runtime import seal as module
from mlops_iac.clouds.aws.runtime.seal import seal

SOURCE = "s3://artifacts/pipelines/churn/run/trained/job/output/model.tar.gz"
TARGET = "s3://artifacts/models/churn/run"
SEALED = "models/churn/run/e1/model.tar.gz"


class ClientError(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.response = {"Error": {"Code": code}}


class S3:
    """One object at SOURCE of `size` bytes; keys that were completed, and with which parts."""

    def __init__(self, size: int) -> None:
        self.size, self.etag = size, '"e1"'
        self.exceptions = SimpleNamespace(ClientError=ClientError)
        self.completed: dict[str, list[int]] = {}
        self.ranges: dict[int, str] = {}
        self.lock = threading.Lock()

    def head_object(self, **at: str) -> dict[str, Any]:
        assert f"s3://{at['Bucket']}/{at['Key']}" == SOURCE
        return {"ContentLength": self.size, "ETag": self.etag}

    def create_multipart_upload(self, **at: str) -> dict[str, str]:
        return {"UploadId": at["Key"]}

    def upload_part_copy(self, **part: Any) -> dict[str, Any]:
        if part["CopySourceIfMatch"] != self.etag:
            raise ClientError("PreconditionFailed")
        with self.lock:
            self.ranges[part["PartNumber"]] = part["CopySourceRange"]
        return {"CopyPartResult": {"ETag": str(part["PartNumber"])}}

    def complete_multipart_upload(self, **upload: Any) -> None:
        if upload["IfNoneMatch"] == "*" and upload["Key"] in self.completed:
            raise ClientError("PreconditionFailed")
        parts = upload["MultipartUpload"]["Parts"]
        self.completed[upload["Key"]] = [each["PartNumber"] for each in parts]


def test_the_copy_lies_under_what_it_is_a_copy_of() -> None:
    s3 = S3(10)
    assert seal(s3, SOURCE, TARGET) == f"s3://artifacts/{SEALED}"
    assert (s3.completed, s3.ranges) == ({SEALED: [1]}, {1: "bytes=0-9"})


def test_more_than_one_copy_takes_goes_in_parts_in_their_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_PART", 4)
    s3 = S3(10)
    seal(s3, SOURCE, TARGET)
    assert s3.completed == {SEALED: [1, 2, 3]}
    assert s3.ranges == {1: "bytes=0-3", 2: "bytes=4-7", 3: "bytes=8-9"}


def test_the_largest_object_of_s3_has_no_more_parts_than_s3_takes() -> None:
    s3 = S3(48 * 1024**4)  # S3 user guide: 10 000 parts, of 5 GiB each
    seal(s3, SOURCE, TARGET)
    assert len(s3.ranges) <= 10_000
    first = s3.ranges[1].removeprefix("bytes=0-")
    assert int(first) < 5 * 1024**3


def test_a_step_that_is_tried_again_finds_its_copy() -> None:
    s3 = S3(10)
    first = seal(s3, SOURCE, TARGET)
    s3.completed[SEALED] = [7]  # whoever wrote it: it stays
    assert seal(s3, SOURCE, TARGET) == first
    assert s3.completed == {SEALED: [7]}


def test_another_content_gets_another_key() -> None:
    s3 = S3(10)
    seal(s3, SOURCE, TARGET)
    s3.etag = '"e2"'
    assert seal(s3, SOURCE, TARGET).endswith("/e2/model.tar.gz")
    assert len(s3.completed) == 2


def test_a_source_that_changes_meanwhile_is_not_sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    s3 = S3(10)
    monkeypatch.setattr(s3, "head_object", lambda **_: {"ContentLength": 10, "ETag": '"e0"'})
    with pytest.raises(ClientError):
        seal(s3, SOURCE, TARGET)
    assert s3.completed == {}


def test_nothing_is_not_sealed() -> None:
    with pytest.raises(ValueError, match="is empty"):
        seal(S3(0), SOURCE, TARGET)
