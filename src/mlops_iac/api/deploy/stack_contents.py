"""What a stack holds that no plan knows of: registered versions, and objects in its buckets.

They go with it, or keep it from going; whoever is asked whether to delete it has to know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mlops_iac.api.deploy.clients import Clients
from mlops_iac.api.deploy.registry_cleanup import versions
from mlops_iac.errors import MlopsError
from mlops_iac.policy.types import BUCKET, MODEL_GROUP

if TYPE_CHECKING:
    from mlops_iac.api.deploy.states import State
    from mlops_iac.api.project import Project

_PAGE = 1000  # objects of a bucket that are counted (S3 API reference, ListObjectVersions)


def holdings(project: Project, state: State) -> list[str]:
    """A line for each registry and bucket that holds something, and where it cannot be counted."""
    found: list[str] = []
    clients = Clients(project, state.stack, state.provider)
    for resource in state.resources:
        if resource["type"] not in (BUCKET, MODEL_GROUP):
            continue
        said = {**(resource.get("outputs") or {}), **(resource.get("inputs") or {})}
        try:
            found.extend(_held(project, clients, state, resource, said))
        except Exception as error:
            if not isinstance(error, MlopsError) and type(error).__module__[:9] != "botocore.":
                raise
            return [*found, f"what {state.stack} holds cannot be counted: {error}"]
    return found


def _held(
    project: Project,
    clients: Clients,
    state: State,
    resource: Mapping[str, Any],
    said: Mapping[str, Any],
) -> Iterator[str]:
    name = str(resource["id"])

    region = str(said.get("region") or "")
    if resource["type"] == MODEL_GROUP:
        if count := len(versions(clients("sagemaker", region), name)):
            goes = project.emulates(state.stack) or bool(state.tags)
            yield f"{_many(count, 'registered model version')} of {name} {_go(count, goes=goes)}"
        return
    s3 = clients("s3", region)
    try:
        page = s3.list_object_versions(Bucket=name, MaxKeys=_PAGE)
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise
        return
    entries = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
    if not entries:
        return
    objects = sum(bool(each["IsLatest"]) for each in page.get("Versions", []))
    more = "more than " if page.get("IsTruncated") else ""
    holds = f"the bucket {name} holds {more}{_many(objects, 'object')} in {more}"
    holds += _many(len(entries), "version")
    if said.get("forceDestroy") or project.rehearsed:
        yield f"{holds}; all go with it"
    else:
        yield f"{holds}: it is not deleted before somebody empties it"


def _go(count: int, *, goes: bool) -> str:
    if goes:
        return "goes, too" if count == 1 else "go, too"
    return "keep the registry from being deleted: `aws sagemaker delete-model-package` deletes them"


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
