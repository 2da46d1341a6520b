"""What stands on the platform: `clouds.operations.Operations`, function by function."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fake_cloud.emulator.world import Gone, World
from fake_cloud.types import BUCKET, OBJECT, PIPELINE, SERVICE
from mlops_iac.clouds.operations import (
    APPROVED,
    MISSING,
    REJECTED,
    AlarmState,
    Answer,
    Entry,
    LastRun,
    ModelRefused,
    Monitored,
    Served,
    Variant,
    Version,
)
from mlops_iac.clouds.questions import Questions
from mlops_iac.errors import UsageError
from mlops_iac.graph.model import Resource
from mlops_iac.graph.plan import Step
from mlops_iac.pipeline.run_record import last_record
from mlops_iac.values import Asset

registry_output = "registry"


class Registry:
    """The versions that pipelines registered; the id of one is `PIPELINE/NUMBER`."""

    def __init__(self, world: World) -> None:
        self._world = world

    def versions(self, group: str, status: str = "") -> list[Version]:
        found = self._world.read()["versions"].get(group, ())
        return [_version(group, each) for each in reversed(found) if status in ("", each["status"])]

    def describe(self, id_: str) -> Version:
        group, _, number = id_.rpartition("/")
        for each in self.versions(group):
            if str(each.version) == number:
                return each
        raise Gone(f"there is no version {id_}")

    def metrics(self, version: Version) -> dict[str, float]:
        return dict(version.metrics)

    def examples(self, version: Version) -> Mapping[str, Any]:
        uri = version.details.get("examples")
        found: dict[str, Any] = json.loads(self._world.path(uri).read_text()) if uri else {}
        return found

    def decide(self, id_: str, *, approve: bool, comment: str = "") -> None:
        group, _, number = id_.rpartition("/")
        with self._world.changing() as world:
            each = world["versions"][group][int(number) - 1]
            each["status"] = APPROVED if approve else REJECTED
            each["comment"] = comment
            each["changed"] = datetime.now(UTC).isoformat()
            each["by"] = "whoever asks"


def _version(group: str, each: Mapping[str, Any]) -> Version:
    return Version(
        model=group,
        version=each["number"],
        status=each["status"],
        id=f"{group}/{each['number']}",
        created=datetime.fromisoformat(each["created"]),
        metrics=each["metrics"],
        details={"examples": each["examples"]},
        comment=each.get("comment", ""),
        changed=datetime.fromisoformat(each["changed"]),
        by=each.get("by", ""),
    )


def registry(session: World) -> Registry:
    return Registry(session)


def served(resources: Iterable[Resource]) -> Iterator[Served]:
    for each in resources:
        if each.type == SERVICE:
            group, _, number = str(each.inputs["version"]).rpartition("/")
            yield Served(group, number, str(each.inputs["version"]))


def endpoints(resources: Iterable[Resource]) -> dict[str, Resource]:
    return {each.parent.split("::")[-1]: each for each in resources if each.type == SERVICE}


def entry(
    name: str, endpoint: Resource, questions: Questions | None, groups: Mapping[str, str]
) -> Entry:
    if questions is None:
        return Entry(name, endpoint.id)
    found = questions.ask(
        f"the service {endpoint.id}", lambda: questions.session.thing(SERVICE, endpoint.id), {}
    )
    if not found:
        return Entry(name, endpoint.id, MISSING, trouble=f"{endpoint.id} is gone")
    version = Registry(questions.session).describe(found["version"])
    variant = Variant(
        "main",
        percent=100,
        instances=1,
        model=groups.get(version.model, version.model),
        version=str(version.version),
        approval=version.status,
        approved=version.decided if version.status == APPROVED else "",
        by=version.by,
        metrics=version.metrics,
    )
    state = str(found.get("state") or "InService")
    serves = state == "InService"
    reason = str(found.get("reason") or "")
    return Entry(name, endpoint.id, state, serves, variants=(variant,), trouble=reason)


largest_body = 1_000


def invoke(
    endpoint: Resource, session: World, body: bytes, content_type: str, *, variant: str = ""
) -> Answer:
    """The models of this cloud say how many columns a row has; they want a `petal` that is a number."""
    found = session.thing(SERVICE, endpoint.id)
    if found.get("state"):
        raise Gone(f"{endpoint.id} does not serve")
    if variant not in ("", "main"):
        raise Gone(f"there is no variant {variant}")
    if content_type != "application/json":
        return Answer(f"{len(body)} bytes of {content_type}".encode(), "text/plain", "main", 1.0)
    rows = json.loads(body)["instances"]
    for number, row in enumerate(rows, 1):
        if row.get("petal") == "break":
            raise ModelRefused(500, "Traceback:\nZeroDivisionError: division by zero\n")
        if not isinstance(row.get("petal"), int | float):
            said = {"error": f"predict refuses row {number}: no petal", "row": number}
            raise ModelRefused(400, json.dumps(said))
    answer = {"predictions": [len(row) for row in rows]}
    return Answer(json.dumps(answer).encode(), "application/json", "main", 1.0)


def run_monitoring(
    pipeline: str, session: World, runs: Path, identity: str = "", *, cooldown: bool = True
) -> Monitored:
    return Monitored(state="no data")


def alarms(resources: Iterable[Resource], questions: Questions | None) -> list[AlarmState]:
    return []


def last_run(pipeline: str, questions: Questions) -> LastRun | None:
    """As the runner has written it: this cloud's emulator shows runs in no form of its own."""
    try:
        found = last_record(questions.session.folder.parent / "runs", pipeline)
    except UsageError:
        return None
    return LastRun(found.id, found.status, found.started_at)


def page(pipeline: str, session: World, file: str, run: str) -> None:
    """Runs are only on this machine, and so are their pages."""


def differing(endpoints: Iterable[Resource], session: World, of: str = "") -> Iterator[str]:
    for each in endpoints:
        try:
            runs = session.thing(SERVICE, each.id)["version"]
        except Gone:
            yield f"{each.id} is gone: `mlops-iac refresh{of}`, then `mlops-iac up{of}`"
            continue
        if runs != each.inputs["version"]:
            yield f"{each.id} serves {runs}, not {each.inputs['version']}"


def images(endpoints: Iterable[Resource], session: World) -> dict[str, str]:
    return {}


def definition(pipeline: str, session: World) -> str | None:
    try:
        return str(session.thing(PIPELINE, pipeline)["definition"])
    except Gone:
        return None


def read_by_run(steps: Iterable[Step], pipeline: str, definition: str) -> list[Step]:
    return [each for each in steps if each.type in (PIPELINE, OBJECT)]


def upload(step: Step) -> str:
    source = step.new_inputs.get("source")
    return source.path or "" if isinstance(source, Asset) else ""


def uploaded(step: Step, session: World) -> bytes | None:
    path = session.objects / str(step.old_inputs.get("bucket")) / str(step.old_inputs.get("key"))
    return path.read_bytes() if path.is_file() else None


def holdings(
    resources: Iterable[Resource], session: World, *, emptied: bool, versions_go: bool
) -> Iterator[str]:
    for each in resources:
        if each.type == BUCKET:
            count = sum(path.is_file() for path in session.path(each.id).rglob("*"))
            yield f"the bucket {each.id} holds {count} objects; all go with it"
        elif each.type == PIPELINE and (found := Registry(session).versions(each.id)):
            yield f"{len(found)} registered versions of {each.id} go, too"


def delete_versions(resources: Iterable[Resource], session: World) -> int:
    with session.changing() as world:
        names = [each.id for each in resources if each.type == PIPELINE]
        return sum(len(world["versions"].pop(name, ())) for name in names)
