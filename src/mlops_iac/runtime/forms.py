"""The forms in which rows come, by content type, and the one in which predictions go.

A row has the same values in every form: CSV is read as pandas reads it by default (`kinds`), and
`NaN` of JSON, which Python's own clients send, is `None` as a gap in CSV is.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from email.message import Message
from functools import lru_cache
from typing import Any

from .kinds import kind_of_text, typed, whole
from .rows import CsvRecords, number

JSON = "application/json"
LINES = "application/jsonlines"
CSV = "text/csv"
_INSTANCES = '{"instances": [row, …]}'
_CONSTANTS = {"NaN": None, "Infinity": float("inf"), "-Infinity": float("-inf")}


class Unanswered(Exception):
    """A request without predictions.

    `status` is HTTP's: 400 and 415 for what the caller did wrong, 500 for what the model did.
    `error` says it in words; `row` is the number of the row that is at fault, counted from 1.
    """

    def __init__(self, status: int, error: str, row: int | None = None) -> None:
        super().__init__(error)
        self.status, self.error, self.row = status, error, row

    def body(self) -> str:
        """The answer in JSON: `{"error": "…"}`, and `"row"` where one is at fault."""
        return json.dumps({"error": self.error, **({"row": self.row} if self.row else {})})


def read(body: str | bytes | bytearray, content_type: str | None) -> list[Any]:
    """The rows of a request; without a content type it is JSON. Raises Unanswered."""
    kind, parameters = _media_type(content_type or JSON)
    if kind in _BYTES or kind.startswith("image/"):
        return [body.encode() if isinstance(body, str) else bytes(body)]
    reader = _READERS.get(kind)
    if reader is None:
        known = ", ".join((*_READERS, "image/*", *_BYTES))
        raise Unanswered(415, f"content type {content_type!r} is not read; send one of {known}")
    charset = parameters.get("charset", "utf-8")
    try:
        text = body if isinstance(body, str) else body.decode(charset)
        return reader(text[1:] if text.startswith("\ufeff") else text)
    except LookupError:
        raise Unanswered(415, f"charset {charset!r} is not known; send utf-8") from None
    except UnicodeError:
        raise Unanswered(400, f"the body is not text in {charset}") from None


@lru_cache(maxsize=64)
def preferred(accept: str | None) -> str:
    """JSON or LINES, whichever a caller would rather have; JSON where it wants neither."""
    best, found = 0.0, JSON
    for each in re.findall(r'(?:[^,"]|"[^"]*"?)+', accept or ""):
        kind, parameters = _media_type(each)
        if kind in (*_READERS, "*/*", "application/*") and kind != CSV:
            weight = number(parameters.get("q", "1")) or 0.0
            if weight > best:
                best, found = weight, LINES if _READERS.get(kind) is _lines else JSON
    return found


@lru_cache(maxsize=64)
def _media_type(header: str) -> tuple[str, dict[str, str]]:
    """`text/csv; charset="latin-1"` → `text/csv`, `{"charset": "latin-1"}`."""
    message = Message()
    message["content-type"] = header.strip()
    (kind, _), *parameters = message.get_params(failobj=[("", "")])
    return kind.lower(), {name.lower(): str(value) for name, value in parameters}


def _json(text: str) -> list[Any]:
    payload = _loaded(text, "the body")
    instances = payload.get("instances") if isinstance(payload, dict) else None
    if not isinstance(instances, list):
        raise Unanswered(400, f"the body is not {_INSTANCES}")
    return instances


def _lines(text: str) -> list[Any]:
    # Not `splitlines`, which also cuts at characters that JSON allows within a text.
    numbered = enumerate(text.split("\n"), 1)
    return [_loaded(line, f"line {place}") for place, line in numbered if line.strip()]


def _loaded(text: str, what: str) -> Any:
    try:
        return json.loads(text, parse_constant=_CONSTANTS.__getitem__)
    except ValueError as error:
        raise Unanswered(400, f"{what} is not JSON: {error}") from None
    except RecursionError:
        raise Unanswered(400, f"{what} is nested too deeply") from None


def _csv(text: str) -> list[Any]:
    try:
        records = CsvRecords(io.StringIO(text, newline=""))
        width, found = len(records.header), []
        if all(number(name) is not None for name in records.header):
            raise ValueError("its first line has numbers alone, and no names of columns")
        for line, fields, row in records:
            if len(fields) != width:
                raise ValueError(f"line {line} has {len(fields)} fields, and the header {width}")
            found.append(row)
        if not found:
            raise ValueError("it has a header and no row")
        columns = {name: whole({kind_of_text(row[name]) for row in found}) for name in found[0]}
        return [typed(row, columns) for row in found]
    except (ValueError, csv.Error) as error:
        raise Unanswered(400, f"the body is not CSV with a header line: {error}") from None


_READERS: dict[str, Callable[[str], list[Any]]] = {
    JSON: _json,
    LINES: _lines,
    "application/jsonl": _lines,
    "application/x-ndjson": _lines,
    CSV: _csv,
}
_BYTES = ("application/x-image", "application/octet-stream")
