"""Model containers and the versions in them, through ARM.

Azure ML knows no approval: it is a tag of the version, which whoever may write models may write. What binds is
the approval of a deployment's environment; the activity log says who wrote what. Source: azure-rest-api-specs,
Microsoft.MachineLearningServices 2025-12-01, ModelVersions_List, _Get and _CreateOrUpdate (there is no PATCH).

What registers a version numbers it, as MLflow does: one, and one more than the last. Versions of other names are
somebody else's and left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from mlops_iac.blueprint.words import listed as in_words
from mlops_iac.clouds.azure.errors import failure
from mlops_iac.clouds.azure.session import Session
from mlops_iac.clouds.azure.types import MODEL
from mlops_iac.clouds.operations import APPROVED, REJECTED, WAITING, Version, utc
from mlops_iac.emulators.azure.arm import Arm, ArmError
from mlops_iac.errors import AuthenticationError, MlopsError
from mlops_iac.graph.model import Resource

API = "2025-12-01"
"""The version of Azure ML's API in ARM that is asked."""
APPROVAL, BY, AT, COMMENT = "approval", "approval_by", "approval_at", "approval_comment"
"""Tags of a version: what was decided (a key of `STATES`), by whom, when (ISO 8601), in which words."""
STATES: Mapping[str, str] = {"pending": WAITING, "approved": APPROVED, "rejected": REJECTED}
METRIC = "metric."
"""Tags that begin so are numbers of the evaluation's report."""
# What a version's PUT takes of its properties; the rest is the service's.
_OWN = (
    "datasets",
    "description",
    "flavors",
    "isAnonymous",
    "isArchived",
    "jobName",
    "modelType",
    "modelUri",
    "properties",
    "stage",
    "tags",
)


class ModelContainers:
    """The registries that a session reaches: a group is the id of a model's container."""

    def __init__(self, session: Session, now: Callable[[], datetime]) -> None:
        self._session, self._now = session, now

    def versions(self, group: str, status: str = "") -> list[Version]:
        """The versions in a container, newest first; none where there is no such container."""
        found = [_version(each) for each in listed(self._session.arm, group)]
        kept = (each for each in found if not status or each.status == status)
        return sorted(kept, key=lambda each: each.version, reverse=True)

    def describe(self, id_: str) -> Version:
        """Everything registered about a version."""
        return _version(self._session.arm.call("GET", id_, API))

    def metrics(self, version: Version) -> dict[str, float]:
        """The numbers that a described version was registered with."""
        return dict(version.metrics)

    def examples(self, version: Version) -> Mapping[str, Any]:
        """Nothing: they are not read yet."""
        return {}

    def decide(self, id_: str, *, approve: bool, comment: str = "") -> None:
        """Approve or reject a version; `comment` goes with it, and who is signed in."""
        arm = self._session.arm
        said = arm.call("GET", id_, API)["properties"]
        wanted = APPROVED if approve else REJECTED
        tags = {
            **{key: value for key, value in (said.get("tags") or {}).items() if key != COMMENT},
            APPROVAL: next(tag for tag, status in STATES.items() if status == wanted),
            BY: self._session.who,
            AT: utc(self._now()),
            **({COMMENT: comment} if comment else {}),
        }
        kept = {key: said[key] for key in _OWN if said.get(key) is not None}
        arm.call("PUT", id_, API, {"properties": {**kept, "tags": tags}})


def registry(session: Session) -> ModelContainers:
    """The registries that a session reaches."""
    return ModelContainers(session, lambda: datetime.now(UTC))


def listed(arm: Arm, group: str) -> Iterator[Mapping[str, Any]]:
    """The numbered versions of a container as ARM tells them; none where somebody deleted it."""
    try:
        found = list(arm.listed(f"{group}/versions", API))
    except ArmError as error:
        if not error.gone:
            raise
        return
    yield from (each for each in found if str(each["name"]).isdecimal())


def held(resources: Iterable[Resource], session: Session) -> Iterator[str]:
    """A line for each container that holds versions, which go with it."""
    for each in resources:
        if each.type == MODEL and (count := sum(1 for _ in listed(session.arm, each.id))):
            many = "version goes" if count == 1 else "versions go"
            yield f"{count:,} registered model {many} with {each.id.rpartition('/')[2]}"


def delete_versions(resources: Iterable[Resource], session: Session) -> int:
    """Delete all versions in the containers of a stack; how many there were.

    Raises MlopsError where one could not be, AuthenticationError where nobody is signed in.
    """
    found = 0
    groups = [each.id for each in resources if each.type == MODEL]
    try:
        for group in groups:
            for item in listed(session.arm, group):
                session.arm.call("DELETE", str(item["id"]), API)
                found += 1
    except Exception as error:
        failed = failure(error)
        if failed is None:
            raise
        names = in_words([each.rpartition("/")[2] for each in groups])
        raise (AuthenticationError if failed == "signed out" else MlopsError)(
            f"the model versions in {names} cannot be deleted, and the rest was left: {error}",
            hint="sign in as who is AzureML Data Scientist in the workspace",
        ) from None
    return found


def _version(told: Mapping[str, Any]) -> Version:
    said, made = told["properties"], told.get("systemData") or {}
    tags: Mapping[str, str] = said.get("tags") or {}
    name = str(told["name"])
    created = _time(made.get("createdAt"))
    return Version(
        model=str(told["id"]).split("/")[-3],
        version=int(name) if name.isdecimal() else 0,
        # One without the tag was registered by somebody else: nobody has decided about it.
        status=STATES.get(tags.get(APPROVAL, ""), WAITING),
        id=str(told["id"]),
        created=created,
        metrics=dict(_metrics(tags)),
        comment=tags.get(COMMENT, ""),
        details=told,
        changed=_time(tags.get(AT) or made.get("lastModifiedAt") or made.get("createdAt")),
        by=tags.get(BY) or "",
        run=str(said.get("jobName") or "") or _run(str(said.get("modelUri") or "")),
    )


def _metrics(tags: Mapping[str, str]) -> Iterator[tuple[str, float]]:
    for key, value in tags.items():
        if key.startswith(METRIC):
            with suppress(ValueError):  # anybody can write a tag
                yield key.removeprefix(METRIC), float(value)


def _run(uri: str) -> str:
    """The job that left it, of `azureml://…/paths/FOLDER/MODEL/JOB/…`."""
    parts = uri.partition("/paths/")[2].split("/")
    return parts[2] if len(parts) > 3 else ""


def _time(told: object) -> datetime:
    """A time of ARM's or of a tag of ours; the epoch for what is none, as anybody can write a tag."""
    try:
        found = datetime.fromisoformat(str(told))
    except ValueError:
        return datetime.fromtimestamp(0, UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
