"""Property paths: `tags.Name`, `variants[0].instanceType`, `tags["a.b"]`, `variants[*]`.

Source of the grammar and of `reset`: `sdk/go/common/resource/property_path.go`.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from typing import Any

from mlops_iac.errors import MlopsError
from mlops_iac.values import Properties, Secret, Value

Segment = str | int
_PART = re.compile(r'\.?([^.\[\]"]+)|\[(\d+|\*)\]|\["((?:[^"\\]|\\.)*)"\]')


def parse(path: str) -> tuple[Segment, ...]:
    """The segments; `*` is a wildcard. Raises MlopsError."""
    segments: list[Segment] = []
    position = 0
    while position < len(path):
        match = _PART.match(path, position)
        if match is None:
            raise MlopsError(f"{path!r} is not a property path")
        name, index, quoted = match.groups()
        if index is not None:
            segments.append(index if index == "*" else int(index))
        else:
            segments.append(name if name is not None else quoted.replace('\\"', '"'))
        position = match.end()
    if not segments:
        raise MlopsError("a property path is empty")
    return tuple(segments)


def covers(pattern: Sequence[Segment], path: Sequence[Segment]) -> bool:
    """Whether `path` is the pattern's place or lies below it."""
    return len(path) >= len(pattern) and all(
        mine in ("*", theirs) for mine, theirs in zip(pattern, path, strict=False)
    )


def get(value: Value, path: Sequence[Segment]) -> Value:
    """The value at `path`, None if there is none; secret if anything above it is."""
    secret = False
    for segment in path:
        if isinstance(value, Secret):
            secret, value = True, value.value
        match value:
            case dict():
                value = value.get(segment)
            case list() if isinstance(segment, int) and segment < len(value):
                value = value[segment]
            case _:
                return None
    return Secret(value) if secret and not isinstance(value, Secret) else value


def reset(new: Properties, old: Properties, patterns: Sequence[str]) -> dict[str, Any]:
    """`new` with what the patterns name taken from `old`, and removed where `old` has none."""
    result: dict[str, Any] = copy.deepcopy(dict(new))
    for pattern in patterns:
        _reset(result, old, parse(pattern))
    return result


def _reset(new: Any, old: Any, path: Sequence[Segment]) -> None:
    head, rest = path[0], path[1:]
    if head == "*":
        keys: list[Any] = []
        for side in (new, old):
            keys += side if isinstance(side, dict) else range(len(side))
        for key in dict.fromkeys(keys):
            _reset_one(new, old, key, rest)
        return
    _reset_one(new, old, head, rest)


def _reset_one(new: Any, old: Any, key: Any, rest: Sequence[Segment]) -> None:
    new_has, old_has = _has(new, key), _has(old, key)
    if not rest:
        if old_has and (new_has or isinstance(new, dict)):
            new[key] = copy.deepcopy(old[key])
        elif new_has and isinstance(new, dict):
            del new[key]
        return
    # As the real engine: a container that was added or removed cannot be ignored in part.
    if new_has and old_has:
        inner_new, inner_old = new[key], old[key]
        if isinstance(inner_new, Secret):
            new[key] = inner_new = Secret(inner_new.value)
            inner_new = inner_new.value
        if isinstance(inner_old, Secret):
            inner_old = inner_old.value
        if isinstance(inner_new, dict | list) and type(inner_new) is type(inner_old):
            _reset(inner_new, inner_old, rest)


def _has(container: Any, key: Any) -> bool:
    if isinstance(container, dict):
        return key in container
    return isinstance(container, list) and isinstance(key, int) and key < len(container)
