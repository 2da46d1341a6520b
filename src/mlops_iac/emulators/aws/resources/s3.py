"""S3: buckets and objects. What is set on a bucket stands in `s3_settings.py`."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlencode

from mlops_iac.emulators.aws.api import Api
from mlops_iac.emulators.aws.resources.base import Handler
from mlops_iac.emulators.aws.resources.tags import pairs
from mlops_iac.emulators.aws.translation import as_map, asset_bytes
from mlops_iac.emulators.common.handler import changed
from mlops_iac.emulators.common.naming import NameRule
from mlops_iac.emulators.provider import ProviderError, ResourceState
from mlops_iac.values import Asset, Properties, Value, reveal

# Route 53 zones of S3 website endpoints (hashicorp/aws internal/service/s3/hosted_zones.go).
_ZONES = {
    "us-east-1": "Z3AQBSTGFYJSTF",
    "us-east-2": "Z2O1EMRO9K5GLX",
    "us-west-2": "Z3BJ6K6RIION7M",
    "eu-west-1": "Z1BKCTXD74EZPE",
    "eu-west-2": "Z3GKZC51ZF0DB4",
    "eu-central-1": "Z21DNDUVLTQW6Q",
}


class Bucket(Handler):
    """A bucket. Its inline settings are deprecated and refused: each has a resource of its own."""

    type = "aws:s3/bucket:Bucket"
    service = "s3"
    create_op, key = "CreateBucket", {"Bucket": "bucket"}
    name = NameRule("bucket", limit=63, prefix="bucketPrefix", lower=True)
    id = "{bucket}"
    computed = {
        "arn": "arn:{partition}:s3:::{bucket}",
        "bucketDomainName": "{bucket}.s3.{suffix}",
        "bucketRegionalDomainName": "{bucket}.s3.{region}.{suffix}",
        "bucketRegion": "{region}",
        "hostedZoneId": "{}",
    }
    defaults = {"forceDestroy": False, "objectLockEnabled": False, "requestPayer": "BucketOwner"}
    local = frozenset({"forceDestroy", "tags"})

    def request(self, api: Api, inputs: Properties, token: str) -> dict[str, Any]:
        """In its region."""
        renames = {"objectLockEnabled": "ObjectLockEnabledForBucket"}
        parameters = api.params("s3", "CreateBucket", self.sent(inputs), renames)
        if api.place.region != "us-east-1":
            parameters["CreateBucketConfiguration"] = {"LocationConstraint": api.place.region}
        return parameters

    def settle(self, api: Api, id_: str, old: Properties | None, new: Properties) -> None:
        """Only the tags can change."""
        if not changed(old or {}, new, ["tags"]):
            return
        if tags := reveal(new.get("tags")):
            api.call("s3", "PutBucketTagging", Bucket=id_, Tagging={"TagSet": pairs(tags)})
        else:
            api.look("s3", "DeleteBucketTagging", Bucket=id_)

    def read(self, api: Api, id_: str, known: Properties) -> dict[str, Value] | None:
        """Whether it is there, and its tags."""
        if api.look("s3", "HeadBucket", Bucket=id_) is None:
            return None
        answer = api.look("s3", "GetBucketTagging", Bucket=id_) or {}
        zone = _ZONES.get(api.place.region)
        found: dict[str, Value] = {"bucket": id_, "tags": as_map(answer.get("TagSet", []))}
        return {**found, "hostedZoneId": zone} if zone else found

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """With `forceDestroy` every version goes first; without it a full bucket is an error."""
        if api.look("s3", "HeadBucket", Bucket=id_) is None:
            return
        if state.inputs.get("forceDestroy") is True:
            self._empty(api, id_)
        elif self._versions(api, id_):
            raise ProviderError(
                f"bucket {id_} is not empty; set forceDestroy and apply, or empty it first"
            )
        api.look("s3", "DeleteBucket", Bucket=id_)

    def _versions(self, api: Api, bucket: str) -> list[dict[str, str]]:
        """Up to 1,000 versions and delete markers."""
        answer = api.look("s3", "ListObjectVersions", Bucket=bucket) or {}
        entries = [*answer.get("Versions", []), *answer.get("DeleteMarkers", [])]
        return [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in entries]

    def _empty(self, api: Api, bucket: str) -> None:
        before: list[dict[str, str]] = []
        while objects := self._versions(api, bucket):
            if objects == before:
                raise ProviderError(
                    f"cannot empty {bucket}: {objects[0]['Key']} stays, although its deletion was"
                    " answered with success"
                )
            before = objects
            answer = api.call("s3", "DeleteObjects", Bucket=bucket, Delete={"Objects": objects})
            if answer.get("Errors"):
                first = answer["Errors"][0]
                raise ProviderError(f"cannot empty {bucket}: {first['Key']}: {first['Message']}")


class BucketObjectv2(Handler):
    """An object. Its id is its key (hashicorp/aws `aws_s3_object`)."""

    type = "aws:s3/bucketObjectv2:BucketObjectv2"
    service = "s3"
    name = NameRule("key", limit=255)
    id = "{key}"
    key = {"Bucket": "bucket", "Key": "key"}
    renames = {"kmsKeyId": "SSEKMSKeyId"}
    computed = {
        "arn": "arn:{partition}:s3:::{bucket}/{key}",
        "etag": "{}",
        "versionId": "{}",
    }
    defaults = {"forceDestroy": False, "storageClass": "STANDARD", "bucketKeyEnabled": False}
    local = frozenset(
        {"source", "content", "contentBase64", "sourceHash", "forceDestroy", "tags", "etag"}
    )
    not_kept = frozenset(
        {"source", "content", "contentBase64", "sourceHash", "forceDestroy", "etag", "acl"}
    )
    volatile = frozenset({"etag", "versionId"})

    def create(self, api: Api, inputs: Properties, token: str) -> str:
        """Put the object."""
        plain = reveal(dict(inputs))
        given = [k for k in ("source", "content", "contentBase64") if plain.get(k) is not None]
        if len(given) > 1:
            raise ProviderError(f"only one of {', '.join(given)} can be given")
        parameters = api.params("s3", "PutObject", self.sent(inputs), self.renames)
        parameters["Body"] = _body(plain)
        if plain.get("tags"):
            parameters["Tagging"] = urlencode(plain["tags"])
        api.call("s3", "PutObject", **parameters)
        return self.id_of(inputs)

    def read(self, api: Api, id_: str, known: Properties) -> dict[str, Value] | None:
        """Everything but the content, which the ETag stands for."""
        named = self.named(id_, known)
        place = {"Bucket": named["bucket"], "Key": id_}
        answer = api.look("s3", "HeadObject", **place)
        if answer is None:
            return None
        fields = {k: v for k, v in self.schema.outputs.items() if k != "versionId"}
        found = api.properties("s3", "HeadObjectOutput", answer, fields, self.renames)
        tags = api.look("s3", "GetObjectTagging", **place) or {}
        return {
            **found,
            **named,
            "etag": answer["ETag"].strip('"'),
            "versionId": answer.get("VersionId", ""),
            "tags": as_map(tags.get("TagSet", [])),
        }

    def update(self, api: Api, id_: str, old: ResourceState, new: Properties) -> None:
        """Put the object again."""
        self.create(api, new, "")

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """Every version of it, as the real provider does."""
        bucket = state.inputs["bucket"]
        answer = api.look("s3", "ListObjectVersions", Bucket=bucket, Prefix=id_) or {}
        for entry in [*answer.get("Versions", []), *answer.get("DeleteMarkers", [])]:
            if entry["Key"] == id_:
                version = {"Key": id_, "VersionId": entry["VersionId"]}
                api.look("s3", "DeleteObject", Bucket=bucket, **version)


def _body(plain: Properties) -> bytes:
    source = plain.get("source")
    if isinstance(source, Asset):
        return asset_bytes(source)
    if source is not None:
        raise ProviderError("source: an asset is expected")
    if plain.get("contentBase64") is not None:
        return base64.b64decode(plain["contentBase64"])
    return str(plain.get("content") or "").encode()


HANDLERS: list[Handler] = [Bucket(), BucketObjectv2()]
