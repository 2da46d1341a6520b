"""All that the emulated cloud holds: a file of JSON, and objects in a folder beside it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any

from mlops_iac.workfolder import made, write_durably

_LOCK = RLock()


class Gone(Exception):
    """The cloud does not have what was asked for."""


class World:
    """`things` by type and id, `versions` by pipeline; `objects` is the folder of the buckets."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file, self.objects = folder, folder / "world.json", folder / "objects"

    def make(self) -> None:
        if not self.file.is_file():
            made(self.folder.parent)
            self.objects.mkdir(parents=True, exist_ok=True)
            self._write({"instance": secrets.token_hex(8), "things": {}, "versions": {}})

    def read(self) -> dict[str, Any]:
        with _LOCK:
            found: dict[str, Any] = json.loads(self.file.read_text(encoding="utf-8"))
            return found

    @contextmanager
    def changing(self) -> Iterator[dict[str, Any]]:
        with _LOCK:
            found = self.read()
            yield found
            self._write(found)

    def thing(self, type_: str, id_: str) -> dict[str, Any]:
        try:
            inputs: dict[str, Any] = self.read()["things"][f"{type_}|{id_}"]["inputs"]
        except KeyError:
            raise Gone(f"there is no {id_}") from None
        return inputs

    def path(self, uri: str) -> Path:
        return self.objects / uri.removeprefix("fake://")

    def _write(self, content: dict[str, Any]) -> None:
        write_durably(self.file, json.dumps(content, indent=1).encode())
