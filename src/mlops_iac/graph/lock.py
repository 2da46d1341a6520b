"""The lock file of a stack: its symbolic graph, canonical and redacted, as reviewed in git."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from mlops_iac.errors import MlopsError, UsageError
from mlops_iac.graph.canonical import CanonicalGraph, CanonicalResource, canonical
from mlops_iac.graph.model import ResourceGraph

FORMAT: Final = 1
_SDKS = ("mlops-iac", "pulumi", "pulumi-aws")
_REGENERATE = "run `mlops-iac compile`, which writes it anew; what it held is in git"


def lock_path(program: Path, stack: str) -> Path:
    """Where a stack's lock file lies: beside the program."""
    return program / f"mlops-iac.{stack}.lock.json"


def lock_bytes(
    graph: ResourceGraph | CanonicalGraph, versions: Mapping[str, str] | None = None
) -> bytes:
    """The lock file's content: one property per line, the same for the same graph.

    `versions` of tool and SDKs; by default those installed.
    """
    locked = canonical(graph) if isinstance(graph, ResourceGraph) else graph
    data = {
        "format": FORMAT,
        "versions": dict(sorted((installed_versions() if versions is None else versions).items())),
        "project": locked.project,
        "stack": locked.stack,
        "resources": [_entry(resource) for resource in locked.resources],
        "outputs": locked.outputs,
    }
    return (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode()


def write_lock(path: Path, graph: ResourceGraph | CanonicalGraph) -> bool:
    """Write the lock file atomically; False when its content is there already.

    Only versions that differ do not count as a change. Raises UsageError for a place that cannot be
    written, MlopsError for a full disk.
    """
    if not stale_lock(path, graph):
        return False
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(lock_bytes(graph))
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        kind = MlopsError if error.errno in (28, 122) else UsageError
        raise kind(f"{path} cannot be written: {error.strerror}") from None
    return True


def stale_lock(path: Path, graph: ResourceGraph | CanonicalGraph) -> list[str]:
    """Why the lock file is not that of `graph`, for `--check`; empty when it is."""
    locked = canonical(graph) if isinstance(graph, ResourceGraph) else graph
    if not path.exists():
        return [f"{path.name} is missing"]
    try:
        existing = read_lock(path)
    except UsageError as error:
        return [error.message]
    if existing == locked:
        return []
    old = {resource.urn: resource for resource in existing.resources}
    new = {resource.urn: resource for resource in locked.resources}
    changed = sum(old[urn] != new[urn] for urn in old.keys() & new.keys())
    counts = {
        "not in it": len(new.keys() - old.keys()),
        "changed": changed,
        "only in it": len(old.keys() - new.keys()),
    }
    told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    return [f"{path.name} is not what the program gives ({told or 'order or outputs'})"]


def read_lock(path: Path) -> CanonicalGraph:
    """The graph that a lock file holds.

    Raises UsageError for a file that is missing, cut off, merged with conflicts, or of a newer
    format, each with what to do.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise UsageError(
            f"there is no lock file {path.name}", hint="run `mlops-iac compile`, which writes it"
        ) from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    try:
        data = json.loads(raw)
    except ValueError as error:
        conflict = b"<<<<<<< " in raw
        line = getattr(error, "lineno", 0)
        raise UsageError(
            f"{path.name}{f', line {line}' if line else ''}: "
            + ("there are merge conflicts in it" if conflict else "this is not JSON"),
            hint=_REGENERATE,
        ) from None
    found = data.get("format") if isinstance(data, dict) else None
    if isinstance(found, int) and found > FORMAT:
        raise UsageError(
            f"{path.name} has format {found}; this version reads up to {FORMAT}",
            hint="upgrade mlops-iac to the version that the team uses",
        )
    try:
        if found != FORMAT:
            raise ValueError(found)
        return _graph(data)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UsageError(f"{path.name} is not a lock file", hint=_REGENERATE) from None


def installed_versions() -> dict[str, str]:
    """Versions of this tool and of the SDKs that are installed."""
    found = {}
    for name in _SDKS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _entry(resource: CanonicalResource) -> dict[str, Any]:
    """A resource without what is empty, so that a diff shows what is there."""
    entry = asdict(resource)
    entry["dependencies"] = list(resource.dependencies)
    return {key: value for key, value in entry.items() if value not in ("", [], {})}


def _graph(data: Mapping[str, Any]) -> CanonicalGraph:
    resources = []
    for entry in data["resources"]:
        resource = CanonicalResource(
            urn=_text(entry["urn"]),
            type=_text(entry["type"]),
            name=_text(entry["name"]),
            custom=bool(entry["custom"]),
            parent=_text(entry.get("parent", "")),
            inputs=dict(entry.get("inputs", {})),
            dependencies=tuple(map(_text, entry.get("dependencies", []))),
            options=dict(entry.get("options", {})),
        )
        resources.append(resource)
    return CanonicalGraph(
        _text(data["project"]), _text(data["stack"]), tuple(resources), dict(data["outputs"])
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value
