"""A lifecycle printed as a pipeline's definition, and what a run of it on this machine works with."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from fake_cloud.emulator.world import World
from mlops_iac.errors import UsageError
from mlops_iac.pipeline import steps
from mlops_iac.pipeline.backend import Version
from mlops_iac.pipeline.steps import Lifecycle
from mlops_iac.pipeline.tasks import tasks
from mlops_iac.records import as_json, from_json

_STATUS = {"manual": "PendingManualApproval", "automatic": "Approved"}


def printed(life: Lifecycle) -> str:
    values = {"bucket": "${bucket}", "pipeline": "${pipeline}"}
    definition = {"values": values, "steps": [as_json(each) for each in tasks(life)]}
    return json.dumps(definition, indent=1) + "\n"


def deployed(kept: Any, definition: str, world: World) -> tuple[Lifecycle, FakeBackend] | None:
    try:
        life = from_json(kept, vars(steps))
        found = json.loads(definition)
        if json.loads(printed(life))["steps"] != found["steps"]:
            return None
        return life, FakeBackend(life, found["values"], world)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


class FakeStore:
    """`pipeline.backend.Store`: objects are files."""

    def __init__(self, world: World) -> None:
        self._world = world

    def download(self, uri: str, folder: Path) -> None:
        source = self._world.path(uri)
        if not source.exists():
            raise UsageError(f"there is nothing at {uri}", hint="`mlops-iac up` uploads the data")
        folder.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, folder, dirs_exist_ok=True)
        else:
            shutil.copyfile(source, folder / source.name)

    def upload(self, path: Path, uri: str) -> None:
        target = self._world.path(uri)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, target, dirs_exist_ok=True)
        else:
            shutil.copyfile(path, target)

    def exists(self, uri: str) -> bool:
        return self._world.path(uri).exists()

    def digest(self, uri: str) -> str:
        top = self._world.path(uri)
        files = sorted(each for each in (top, *top.rglob("*")) if each.is_file())
        found = [(each.relative_to(top).as_posix(), each.read_bytes()) for each in files]
        return sha256(repr(found).encode()).hexdigest()

    def seal(self, source: str, target: str) -> str:
        sealed = f"{target}/{source.rsplit('/', 1)[-1]}"
        self.upload(self._world.path(source), sealed)
        return sealed


class FakeBackend:
    """`pipeline.backend.Backend` over the file that is the emulated cloud."""

    environment: Mapping[str, str] = {}
    framework = ""
    tracks = False

    def __init__(self, life: Lifecycle, values: Mapping[str, str], world: World) -> None:
        self._world, self._pipeline = world, values["pipeline"]
        self._status = _STATUS[life.register.approval]
        self.store = FakeStore(world)
        self.artifacts = f"fake://{values['bucket']}"
        self.code = f"{self.artifacts}/code/{life.model}/sourcedir.tar.gz"
        self.datasets = {each.name: f"{self.artifacts}/data/{each.name}" for each in life.datasets}

    def register(
        self, model: str, report: str | None, examples: str | None, given: Mapping[str, str]
    ) -> Version:
        metrics = json.loads(self._world.path(report).read_text())["metrics"] if report else {}
        now = datetime.now(UTC).isoformat()
        with self._world.changing() as world:
            versions = world["versions"].setdefault(self._pipeline, [])
            found = next((each for each in versions if each["model"] == model), None)
            if found is None:
                found = {"number": len(versions) + 1, "model": model, "status": self._status}
                more = {
                    "metrics": metrics,
                    "examples": examples,
                    "given": given,
                    "created": now,
                    "changed": now,
                }
                versions.append({**found, **more})
        return Version(f"{self._pipeline}/{found['number']}", found["status"])
