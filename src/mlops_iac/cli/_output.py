r"""What is printed can be read, and is obeyed by nothing: no terminal, and no agent of a CI system.

Agents look for commands in the output of steps: GitHub's for `::` where a line begins and for `##[`
anywhere, Azure's for `##vso[` anywhere, TeamCity's for `##teamcity[`; GitLab's sections end in a
carriage return and an escape sequence. One character of each is written as `\u005b`, and so is every
control character. As JSON has the same escapes, a document stays valid and says the same.
"""

from __future__ import annotations

import codecs
import io
import re
import sys
import threading
from typing import Any, Final

# Comparing strings, .NET passes over characters that are not seen, of which all but the control
# characters are beyond ASCII. Classes that leave out are made at once, unlike those up to the last
# character of Unicode.
_BEYOND: Final = r"[^\x00-\x7f]"
_BLANK: Final = r"[^\x00-\x08\n-\x1f!-\x7f]"  # a space, a tab, beyond
_WORD: Final = r"[^\x00-/:-@\[-^`{-\x7f]"  # a letter, a digit, `_`, beyond
_COMMAND = re.compile(rf"#{_BEYOND}*#{_WORD}*\[|\n{_BLANK}*:{_BEYOND}*:")
# The end of a text that, with what is written next, may be one.
_BEGUN = re.compile(rf"\n{_BLANK}*(?::{_BEYOND}*)?\Z|#{_BEYOND}*(?:#{_WORD}*)?\Z")
# What a terminal obeys. Not the line breaks of Windows, and not the colours that we have ourselves.
_OBEYED = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f]"
    r"(?<!\r(?=\n))(?<!\x1b(?=\[(?:[012]|3[1-6]|9[0-7])m))"
)
# What turns the text around; compiled by who needs it first.
_TURNING: Final = r"[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"


def visible(text: str) -> str:
    """The text, with what would be obeyed by a terminal written out."""
    shown = _OBEYED.sub(_escaped, text)
    return shown if shown.isascii() else re.sub(_TURNING, _escaped, shown)


def _escaped(found: re.Match[str]) -> str:
    return f"{found[0][:-1]}\\u{ord(found[0][-1]):04x}"


class Inert(io.TextIOWrapper):
    """A standard stream in the place of the one it was made of."""

    def __init__(self, stream: io.TextIOWrapper) -> None:
        ascii_only = codecs.lookup(stream.encoding).name == "ascii"
        super().__init__(
            stream.buffer,
            encoding="utf-8" if ascii_only else stream.encoding,
            # The name of a file that is no UTF-8, say, which Python keeps as halves of characters.
            errors="backslashreplace",
            line_buffering=stream.line_buffering,
            write_through=stream.write_through,
        )
        self._real = stream  # whose end would close what both write to
        self._lock = threading.RLock()  # a signal's handler may print, too
        self._begun = "\n"
        self._bytes = _Bytes(self)

    @property
    def buffer(self) -> Any:
        """For who writes bytes: it is the same way out."""
        return self._bytes

    def write(self, text: str, *, command: bool = False) -> int:
        """Write; a `command` is a line that GitHub's agent is to obey."""
        shown = visible(text)
        with self._lock:
            # What is out already stands before the end of a command, and so stays as it is.
            before = " " if command else self._begun
            whole = before + shown
            super().write(_COMMAND.sub(_escaped, whole)[len(before) :])
            self._begun = _begun(whole)
        return len(text)


class _Bytes(io.BufferedIOBase):
    def __init__(self, text: Inert) -> None:
        self._text = text
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._text.write(self._decoder.decode(bytes(data)))
        return len(data)

    def flush(self) -> None:
        self._text.flush()


def _begun(text: str) -> str:
    """The shortest text after which the next one means the same."""
    found = _BEGUN.search(text, max(0, text.rfind("\n")))
    if found is None:
        return ""
    if found[0].startswith("\n"):
        return "\n:" if ":" in found[0] else "\n"
    return "#" * found[0].count("#")


def guard() -> None:
    """Let everything that this process prints from now on be read, and be obeyed by nothing.

    `sys.__stderr__` stays what it was, for who draws on a terminal.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):  # or None: closed by who started us
        sys.stdout = Inert(sys.stdout)
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr = Inert(sys.stderr)


def put_commands(lines: str) -> None:
    """Print GitHub's workflow commands, one a line, whose values are escaped."""
    for line in lines.split("\n"):
        if isinstance(sys.stdout, Inert):
            sys.stdout.write(f"{line}\n", command=True)
        else:
            sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
