"""Property names and types of the emulated resources, read from a cloud's folder `schema/`.

A tool writes its files from the installed SDK. A spec is
`{"type": string|bool|int|number|list|map|object|asset|any, "items"|"fields": …, "required": …,
"json": …}`.
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


@cache
def read_schema(folder: Path, type_: str) -> TypeSchema | None:
    """The schema of a type, or None where there is none."""
    raw = read_type(folder, type_)
    if raw is None:
        return None
    return TypeSchema(raw["type"], raw["sdk"], raw["inputs"], raw["outputs"])
