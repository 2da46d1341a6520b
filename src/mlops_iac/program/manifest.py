"""`.mlops-iac.json` beside a generated program: which files are ours, and what they were made from."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path, PurePosixPath

from mlops_iac.jsontext import indented

NAME = ".mlops-iac.json"
_FORMAT = 1
_COPY = re.compile(r"components/[A-Za-z_]\w*\.py")


@dataclass(frozen=True, slots=True)
class Copy:
    """The module that was ejected, of which version, and the SHA-256 of what it said."""

    module: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What `write` wrote last.

    `files`: path → SHA-256 of what we wrote; `made_from`: archive → digest of what was packed;
    `config`: environment → full configuration keys that we wrote; `backends`: environment → where the
    blueprint said that its state is kept, as written, of those that it said so of; `ejected`: path →
    of what it is a copy.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    made_from: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, list[str]] = field(default_factory=dict)
    backends: Mapping[str, str] = field(default_factory=dict)
    ejected: Mapping[str, Copy] = field(default_factory=dict)

    def archive_with(self, folder: Path, fingerprint: str) -> bytes | None:
        """The content of an untouched archive made from the same, if there is one."""
        for path, made_from in self.made_from.items():
            if made_from == fingerprint:
                try:
                    content = (folder / path).read_bytes()
                except OSError:
                    continue
                if sha256(content).hexdigest() == self.files.get(path):
                    return content
        return None

    def to_bytes(self) -> bytes:
        """The manifest's own file."""
        data = {
            "format": _FORMAT,
            "files": dict(sorted(self.files.items())),
            "made_from": dict(sorted(self.made_from.items())),
            "config": {env: sorted(keys) for env, keys in sorted(self.config.items())},
            **({"backends": dict(sorted(self.backends.items()))} if self.backends else {}),
            **({"ejected": self._ejected()} if self.ejected else {}),
        }
        return (indented(data, 2) + "\n").encode()

    def _ejected(self) -> dict[str, dict[str, str]]:
        return {path: asdict(copy) for path, copy in sorted(self.ejected.items())}


def read_manifest(folder: Path) -> Manifest:
    """The manifest in `folder`; an empty one where there is none or it cannot be understood.

    It decides only what may be removed and reused, so a broken one costs nothing but that.
    """
    try:
        data = json.loads((folder / NAME).read_text(encoding="utf-8"))
        if data["format"] != _FORMAT:
            return Manifest()
        files = {path: str(value) for path, value in data["files"].items() if _is_inside(path)}
        made_from = {str(k): str(v) for k, v in data["made_from"].items() if k in files}
        config = {str(k): [str(key) for key in keys] for k, keys in data["config"].items()}
        backends = {str(k): str(url) for k, url in data.get("backends", {}).items()}
        ejected = {
            path: Copy(str(copy["module"]), str(copy["version"]), str(copy["sha256"]))
            for path, copy in data.get("ejected", {}).items()
            if _COPY.fullmatch(path)
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Manifest()
    return Manifest(files, made_from, config, backends, ejected)


def _is_inside(path: str) -> bool:
    pure = PurePosixPath(path)
    return not pure.is_absolute() and ".." not in pure.parts
