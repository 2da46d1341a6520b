"""The lock file of a stack: its symbolic graph, canonical and redacted, as reviewed in git."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from mlops_iac.clouds import registry
from mlops_iac.errors import UsageError
from mlops_iac.graph.canonical import CanonicalGraph, CanonicalResource, unwrapped
from mlops_iac.graph.comparable import comparable, incomparable
from mlops_iac.graph.diff import Replaces, diff
from mlops_iac.graph.model import ResourceGraph
from mlops_iac.graph.plan import Plan
from mlops_iac.jsontext import indented
from mlops_iac.values import text_of

FORMAT: Final = 1
LOCK_SUFFIX: Final = ".lock.json"
_REGENERATE = "run `mlops-iac compile`, which writes it anew; what it held is in git"


def lock_name(stack: str) -> str:
    """The name of a stack's lock file, which lies beside the program."""
    return f"mlops-iac.{stack}{LOCK_SUFFIX}"


def lock_bytes(
    graph: ResourceGraph | CanonicalGraph, versions: Mapping[str, str] | None = None
) -> bytes:
    """The lock file's content: one property per line, the same for the same graph.

    `versions` of tool and SDKs; by default those installed.
    """
    locked = comparable(graph) if isinstance(graph, ResourceGraph) else graph
    if versions is None:
        versions = installed_versions(each.type for each in locked.resources)
    data = {
        "format": FORMAT,
        "versions": dict(sorted(versions.items())),
        "project": locked.project,
        "stack": locked.stack,
        "resources": [_entry(resource) for resource in locked.resources],
        "outputs": locked.outputs,
    }
    return (indented(data, 1) + "\n").encode()


def same_lock(left: bytes, right: bytes) -> bool:
    """Whether two lock files hold the same graph, whatever versions wrote them."""
    try:
        return parse_lock(left, "") == parse_lock(right, "")
    except UsageError:
        return False


def lock_plan(path: Path, graph: ResourceGraph | CanonicalGraph, replaces: Replaces) -> Plan:
    """What would change between the lock file at `path` and a fresh capture.

    Without a lock file everything would be created. Raises UsageError as `read_lock`.
    """
    started = perf_counter()
    new = comparable(graph) if isinstance(graph, ResourceGraph) else graph
    old = read_lock(path) if path.exists() else CanonicalGraph(new.project, new.stack, ())
    return Plan(
        stack=new.stack,
        project=new.project,
        engine="embedded",
        against="lock",
        steps=diff(old, new, replaces),
        outputs=unwrapped(dict(new.outputs)),
        incomparable=incomparable(old, new),
        duration_seconds=perf_counter() - started,
    )


def read_lock(path: Path) -> CanonicalGraph:
    """The graph that a lock file holds; raises as `parse_lock`, and for a file that is missing."""
    try:
        return parse_lock(path.read_bytes(), path.name)
    except FileNotFoundError:
        raise UsageError(
            f"there is no lock file {path.name}", hint="run `mlops-iac compile`, which writes it"
        ) from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None


def parse_lock(raw: bytes, name: str) -> CanonicalGraph:
    """The graph that the bytes of a lock file hold; `name` is for messages.

    Raises UsageError for one that is cut off, merged with conflicts, or of a newer
    format, each with what to do.
    """
    try:
        data = json.loads(raw)
    except ValueError as error:
        conflict = b"<<<<<<< " in raw
        line = getattr(error, "lineno", 0)
        raise UsageError(
            f"{name}{f', line {line}' if line else ''}: "
            + ("there are merge conflicts in it" if conflict else "this is not JSON"),
            hint=_REGENERATE,
        ) from None
    found = data.get("format") if isinstance(data, dict) else None
    if isinstance(found, int) and found > FORMAT:
        raise UsageError(
            f"{name} has format {found}; this version reads up to {FORMAT}",
            hint="upgrade mlops-iac to the version that the team uses",
        )
    try:
        if found != FORMAT:
            raise ValueError(found)
        return _graph(data)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UsageError(f"{name} is not a lock file", hint=_REGENERATE) from None


def lock_versions(raw: bytes) -> dict[str, str]:
    """The versions of tool and SDKs that wrote a lock file that `parse_lock` accepts."""
    found = json.loads(raw).get("versions")
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def installed_versions(types: Iterable[str]) -> dict[str, str]:
    """Versions of this tool, and of the installed SDKs of the clouds that have these types."""
    packages = {each.partition(":")[0] for each in types}
    clouds = [each for each in registry.clouds() if packages.intersection(each.packages)]
    names = ("mlops-iac", "pulumi", *(sdk for each in clouds for sdk in each.sdks))
    return {name: found for name in names if (found := _installed(name))}


@cache
def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _entry(resource: CanonicalResource) -> dict[str, Any]:
    """A resource without what is empty, so that a diff shows what is there."""
    entry = {field.name: getattr(resource, field.name) for field in fields(resource)}
    entry["dependencies"] = list(resource.dependencies)
    return {key: value for key, value in entry.items() if value not in ("", [], {})}


def _graph(data: Mapping[str, Any]) -> CanonicalGraph:
    resources = []
    for entry in data["resources"]:
        resource = CanonicalResource(
            urn=text_of(entry["urn"]),
            type=text_of(entry["type"]),
            name=text_of(entry["name"]),
            custom=bool(entry["custom"]),
            parent=text_of(entry.get("parent", "")),
            inputs=dict(entry.get("inputs", {})),
            dependencies=tuple(map(text_of, entry.get("dependencies", []))),
            options=dict(entry.get("options", {})),
        )
        resources.append(resource)
    return CanonicalGraph(
        text_of(data["project"]), text_of(data["stack"]), tuple(resources), dict(data["outputs"])
    )
