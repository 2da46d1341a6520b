"""What a program prints belongs to its messages, not into ours: stdout is for data."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any


class _Lines:
    """What one thread prints, told line by line."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._rest = ""

    def write(self, text: str) -> None:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            if line.strip():
                self._tell(line)

    def finish(self) -> None:
        self.write("\n")


class _Shared:
    """A text stream that takes over what threads write that are captured; others write as ever."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def write(self, text: str) -> int:
        lines: _Lines | None = getattr(_THREAD, "lines", None)
        if lines is None:
            return int(self._real.write(text))
        lines.write(text)
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


_THREAD = threading.local()
_LOCK = threading.Lock()
# What the streams were before the first of several captures.
_BEFORE: list[tuple[Any, Any]] = []


@contextlib.contextmanager
def captured(tell: Callable[[str], None]) -> Iterator[None]:
    """Tell what this thread prints to either stream, line by line."""
    outer, lines = getattr(_THREAD, "lines", None), _Lines(tell)
    with _LOCK:
        _BEFORE.append((sys.stdout, sys.stderr))
        if len(_BEFORE) == 1:
            sys.stdout, sys.stderr = _Shared(sys.stdout), _Shared(sys.stderr)
    _THREAD.lines = lines
    try:
        yield
    finally:
        _THREAD.lines = outer
        with _LOCK:
            # The last to end puts back what the first has found.
            first = _BEFORE[0]
            _BEFORE.pop()
            if not _BEFORE:
                sys.stdout, sys.stderr = first
        lines.finish()
