"""Property names and types of the emulated resources, read from `schema/*.json`.

The files are written by `tools/aws_schema.py` from the installed pulumi-aws SDK. A spec is
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
_FOLDER = Path(__file__).parent / "schema"


@dataclass(frozen=True, slots=True)
class TypeSchema:
    """Inputs and outputs of one resource type by Pulumi name. `sdk` names package and version."""

    type: str
    sdk: str
    inputs: Mapping[str, Spec]
    outputs: Mapping[str, Spec]

    @property
    def spec(self) -> Spec:
        """The inputs as one object spec."""
        return {"type": "object", "fields": self.inputs}


@cache
def schema_for(type_: str) -> TypeSchema | None:
    """The schema of a type such as `aws:s3/bucket:Bucket`, or None where there is none."""
    parts = type_.split(":")
    if len(parts) != 3 or parts[0] != "aws":
        return None
    path = _FOLDER / f"{parts[1].split('/')[0]}.{parts[2]}.json"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    if raw["type"] != type_:
        return None
    return TypeSchema(raw["type"], raw["sdk"], raw["inputs"], raw["outputs"])
