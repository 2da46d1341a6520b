"""Captured calls of an endpoint: JSON lines, each a request and its answer as the platform kept them.

What was said is under `captureData` (`endpointInput`, `endpointOutput`: `data`, `encoding`,
`observedContentType`), when and under which id under `eventMetadata`. Bodies are text (`JSON`, `CSV`) or
`BASE64`, whatever their form.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from . import contract, forms


class Call(NamedTuple):
    """One call: when (ISO 8601, UTC), its id where the caller gave one, its rows and their predictions."""

    at: str
    id: str
    rows: list[Any]
    predictions: list[Any]


def calls(folder: Path) -> Iterator[Call | None]:
    """The calls below a folder in the order of their files; None for each that cannot be read.

    That is a line that is broken, a body in no known form, and a call that was not answered row by row.
    """
    if not folder.is_dir():
        return
    for path in sorted(each for each in folder.rglob("*.jsonl") if each.is_file()):
        with path.open(encoding="utf-8", errors="replace") as lines:
            yield from (_call(line) for line in lines if line.strip())


def _call(line: str) -> Call | None:
    try:
        found = json.loads(line)
        about, data = found["eventMetadata"], found["captureData"]
        rows = forms.read(*_body(data["endpointInput"]))
        predictions = _answer(*_body(data["endpointOutput"]))
        if len(rows) != len(predictions):
            return None
        return Call(
            str(about["inferenceTime"]), str(about.get("inferenceId", "")), rows, predictions
        )
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, forms.Unanswered):
        return None


def _body(said: Any) -> tuple[bytes | str, str]:
    """A body and its content type."""
    data, encoding = said["data"], said.get("encoding")
    kind = said.get("observedContentType") or (forms.CSV if encoding == "CSV" else forms.JSON)
    return (base64.b64decode(data, validate=True) if encoding == "BASE64" else data), kind


def _answer(body: bytes | str, content_type: str) -> list[Any]:
    text = body.decode("utf-8") if isinstance(body, bytes) else body
    if "json" not in content_type:
        raise ValueError(content_type)
    if "lines" in content_type or "ndjson" in content_type or content_type.endswith("jsonl"):
        return [json.loads(line)[contract.PREDICTION] for line in text.split("\n") if line.strip()]
    return list(json.loads(text)["predictions"])
