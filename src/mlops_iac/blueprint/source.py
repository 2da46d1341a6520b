"""A blueprint's text and what stands where in it.

`Source` is the text of one file; `Node` a tree of what was written, with its place. Values stay
text here: what `1.20` or `on` means depends on the field and is decided in `decode.py`.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from mlops_iac.errors import Diagnostic, Severity, UsageError

LARGEST_FILE = 1024 * 1024
"""Bytes. A blueprint is read by people; nobody reads a megabyte."""

# YAML's own line breaks, so that line numbers agree with the parser's marks.
_BREAKS = "\r\n|[\n\r\x85\u2028\u2029]"


class Source:
    """The text of one layer, e.g. `blueprint.yaml` or the command line."""

    __slots__ = ("_lines", "file", "text")

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text
        self._lines: list[str] | None = None

    def lines(self) -> list[str]:
        """All lines, without their breaks."""
        if self._lines is None:
            self._lines = re.split(_BREAKS, self.text)
        return self._lines

    def line(self, number: int) -> str:
        """Line `number`, counted from 1, without its break; empty if there is none."""
        lines = self.lines()
        return lines[number - 1] if 0 < number <= len(lines) else ""


Kind = Literal["scalar", "list", "map"]
_NOTHING: Mapping[str, Entry] = MappingProxyType({})


class Node:
    """A scalar, list or map as written. Line and column count from 1; `length` is in characters.

    `removed` is where an upper layer took a key of a map away, by that key.
    """

    __slots__ = (
        "column",
        "entries",
        "items",
        "kind",
        "length",
        "line",
        "plain",
        "removed",
        "size",
        "source",
        "text",
    )

    def __init__(
        self,
        kind: Kind,
        source: Source,
        line: int,
        column: int,
        length: int = 1,
        text: str = "",
        *,
        items: list[Node] | None = None,
        entries: dict[str, Entry] | None = None,
    ) -> None:
        self.kind = kind
        self.source = source
        self.line = line
        self.column = column
        self.length = length
        self.text = text
        self.plain = True
        self.items = [] if items is None else items
        self.entries = {} if entries is None else entries
        self.removed: Mapping[str, Entry] = _NOTHING
        self.size = 1  # nodes below, with every alias expanded

    @property
    def is_null(self) -> bool:
        """Whether nothing, `~` or `null` is written."""
        return (
            self.kind == "scalar" and self.plain and self.text in ("", "~", "null", "Null", "NULL")
        )

    def removal(self, keys: Iterable[str], place: Node) -> Node:
        """Where an upper layer took one of the keys away; `place` where none was."""
        return next((self.removed[key].key for key in keys if key in self.removed), place)

    def with_entries(self, entries: dict[str, Entry]) -> Node:
        """A map at the same place with other entries."""
        copy = Node("map", self.source, self.line, self.column, self.length, entries=entries)
        copy.removed = self.removed
        return copy

    def scalar_like(self, text: str) -> Node:
        """A scalar standing at this place, for a default that is filled in."""
        return Node("scalar", self.source, self.line, self.column, self.length, text)


class Entry:
    """A key and its value. `layer` is set where it differs from that of the map it stands in.

    `added` holds the names that a lower layer had beside it, if an overlay added this entry.
    """

    __slots__ = ("added", "key", "layer", "value")

    def __init__(
        self,
        key: Node,
        value: Node,
        layer: str | None = None,
        added: tuple[str, ...] | None = None,
    ) -> None:
        self.key = key
        self.value = value
        self.layer = layer
        self.added = added


def problem(
    node: Node,
    code: str,
    message: str,
    *,
    path: str = "",
    hint: str = "",
    severity: Severity = "error",
    offset: int = 0,
    length: int | None = None,
) -> Diagnostic:
    """A diagnostic at `node`, or `offset` characters into it."""
    return Diagnostic(
        code=code,
        message=message,
        file=node.source.file,
        line=node.line,
        column=node.column + offset,
        length=max(1, node.length if length is None else length),
        path=path,
        hint=hint,
        snippet=without_credentials(node.source.line(node.line)),
        severity=severity,
    )


def _elsewhere(path: Path) -> str:
    """Which blueprint was meant: one beside it, or in a folder around it."""
    found: list[Path] = []
    with contextlib.suppress(OSError):  # a folder that is closed to this user
        folder = path.absolute().parent
        found += sorted(folder.glob("*blueprint.y*ml"))
        around = [each / "blueprint.yaml" for each in folder.parents]
        found += [each for each in around if each.is_file()]
    if not found:
        return "name the blueprint with --file, or run `init`"
    return f"there is {os.path.relpath(found[0])}: name it with --file"


def read(path: Path, shown: str) -> Source:
    """The text at `path`, called `shown` in messages.

    Raises UsageError if it cannot be read, is too large, or is not UTF-8.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise UsageError(f"there is no file '{shown}'", hint=_elsewhere(path)) from None
    except IsADirectoryError:
        raise UsageError(f"'{shown}' is a folder", hint="name the blueprint's file") from None
    except OSError as error:
        raise UsageError(f"'{shown}' cannot be read: {error.strerror}") from None
    if len(data) > LARGEST_FILE:
        raise UsageError(
            f"'{shown}' is larger than {LARGEST_FILE // 1024} KiB",
            hint="data does not belong into a blueprint",
        )
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UsageError(f"'{shown}' is UTF-16, not UTF-8", hint="save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(
            f"'{shown}' is not UTF-8: byte 0x{data[error.start]:02x} in line {line}",
            hint="save it as UTF-8",
        ) from None
    return Source(shown, text)


# A password may hold any character but those that end a YAML scalar or a URL's text for sure.
_CREDENTIALS = re.compile(r"(?<=https://)[^\s'\",]*@|(?<=://)[^\s/:@'\",]*:[^\s'\",]*@")


def without_credentials(line: str) -> str:
    """A line as it may be shown: what stands before the host of a URL is masked in place."""
    return _CREDENTIALS.sub(lambda match: "*" * (len(match[0]) - 1) + "@", line)


# All but what YAML allows in a stream (1.2, production c-printable); decoded text has no surrogates.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]|\ufffe|\uffff")


def control_characters(source: Source) -> Iterator[Diagnostic]:
    """A diagnostic for the first character that text files do not have."""
    if match := _CONTROL.search(source.text):
        before = re.split(_BREAKS, source.text[: match.start()])
        place = Node("scalar", source, len(before), len(before[-1]) + 1)
        yield problem(
            place,
            "control-character",
            f"character U+{ord(match.group()):04X} is not allowed in a blueprint",
            hint="remove it",
        )
