"""What a stack holds that no plan knows of: registered versions, and objects in its buckets.

Source: SageMaker developer guide, "Delete a Model Group": its versions are to be deleted first.
Pulumi does not know them: pipelines register them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mlops_iac.blueprint.words import listed as in_words
from mlops_iac.clouds.aws.errors import failure
from mlops_iac.clouds.aws.sagemaker.registry import listed
from mlops_iac.clouds.aws.session import AwsSession
from mlops_iac.clouds.aws.types import BUCKET, MODEL_GROUP
from mlops_iac.errors import AuthenticationError, MlopsError
from mlops_iac.graph.model import Resource

_PAGE = 1000  # objects of a bucket that are counted (S3 API reference, ListObjectVersions)


def holdings(
    resources: Iterable[Resource], session: AwsSession, *, emptied: bool, versions_go: bool
) -> Iterator[str]:
    """A line for each registry and bucket that holds something."""
    for each in resources:
        if each.type == MODEL_GROUP:
            count = sum(1 for _ in listed(session.client("sagemaker", _region(each)), each.id))
            if count:
                go = _go(count) if versions_go else _KEEP
                yield f"{_many(count, 'registered model version')} of {each.id} {go}"
        elif each.type == BUCKET:
            emptied_first = emptied or bool(each.inputs.get("forceDestroy"))
            yield from _objects(session.client("s3", _region(each)), each.id, emptied=emptied_first)


def delete_versions(resources: Iterable[Resource], session: AwsSession) -> int:
    """Delete all versions in the groups of a stack; how many there were.

    Raises MlopsError where one could not be, AuthenticationError where nobody is signed in.
    """
    found = 0
    groups = [each for each in resources if each.type == MODEL_GROUP]
    names = [str(each.inputs["modelPackageGroupName"]) for each in groups]
    try:
        for each, name in zip(groups, names, strict=True):
            client = session.client("sagemaker", _region(each))
            for item in list(listed(client, name)):
                client.delete_model_package(ModelPackageName=item["ModelPackageArn"])
                found += 1
    except Exception as error:
        failed = failure(error)
        if failed is None:
            raise
        raise (AuthenticationError if failed == "signed out" else MlopsError)(
            f"the model versions in {in_words(names)} cannot be deleted, and the rest was left:"
            f" {error}",
            hint="sign in as who may sagemaker:ListModelPackages and sagemaker:DeleteModelPackage",
        ) from None
    return found


_KEEP = "keep the registry from being deleted: `aws sagemaker delete-model-package` deletes them"


def _objects(s3: Any, bucket: str, *, emptied: bool) -> Iterator[str]:
    try:
        page = s3.list_object_versions(Bucket=bucket, MaxKeys=_PAGE)
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise
        return
    entries = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
    if not entries:
        return
    objects = sum(bool(each["IsLatest"]) for each in page.get("Versions", []))
    more = "more than " if page.get("IsTruncated") else ""
    holds = f"the bucket {bucket} holds {more}{_many(objects, 'object')} in {more}"
    holds += _many(len(entries), "version")
    ends = "; all go with it" if emptied else ": it is not deleted before somebody empties it"
    yield f"{holds}{ends}"


def _region(resource: Resource) -> str:
    """That of a resource in another one than its provider's; empty for the others."""
    return str(resource.inputs.get("region") or resource.outputs.get("region") or "")


def _go(count: int) -> str:
    return "goes, too" if count == 1 else "go, too"


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
