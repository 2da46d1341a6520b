"""Property names and types of the emulated resources, read from a cloud's folder `schema/`.

A tool writes its files from the installed SDK. A spec is
`{"type": string|bool|int|number|list|map|object|union|asset|any, "items"|"fields": …, "required": …,
"json": …, "values": …}`. A union is one of several objects (`options`), told apart by its property `by`;
`values` are all that a text may be.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

Spec = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TypeSchema:
    """Inputs and outputs of one resource type by Pulumi name. `sdk` names package and version."""

    type: str
    sdk: str
    inputs: Mapping[str, Spec]
    outputs: Mapping[str, Spec]


def file_name(type_: str) -> str:
    """`index.Box.json` for `fake:index/box:Box`."""
    _, module, short = type_.split(":")
    return f"{module.split('/')[0]}.{short}.json"


def read_type(folder: Path, type_: str) -> dict[str, Any] | None:
    """What a folder's file says of a type, or None where it has none of it."""
    if type_.count(":") != 2:
        return None
    try:
        raw: dict[str, Any] = json.loads((folder / file_name(type_)).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return raw if raw["type"] == type_ else None


def variant(spec: Spec, value: Any) -> Spec:
    """The spec of a value: of a union that of its variant, where it says a known one."""
    if spec["type"] != "union":
        return spec
    said = value.get(spec["by"]) if isinstance(value, Mapping) else None
    found: Spec = spec["options"].get(said, spec) if isinstance(said, str) else spec
    return found


@cache
def read_schema(folder: Path, type_: str) -> TypeSchema | None:
    """The schema of a type, or None where there is none."""
    raw = read_type(folder, type_)
    if raw is None:
        return None
    return TypeSchema(raw["type"], raw["sdk"], raw["inputs"], raw["outputs"])
