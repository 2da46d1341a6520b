"""What a program prints belongs to its messages, not into ours: stdout is for data."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any


class _Capturing:
    """A text stream that takes over what one thread writes and lets everything else through."""

    def __init__(self, thread: threading.Thread, real: Any, tell: Callable[[str], None]) -> None:
        self._thread = thread
        self._real = real
        self._tell = tell
        self._rest = ""

    def write(self, text: str) -> int:
        """Whole lines of the thread are told; other threads write as ever."""
        if threading.current_thread() is not self._thread:
            return int(self._real.write(text))
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            if line.strip():
                self._tell(line)
        return len(text)

    def finish(self) -> None:
        """Tell what has no newline."""
        if self._rest.strip():
            self._tell(self._rest)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


@contextlib.contextmanager
def captured(thread: threading.Thread, tell: Callable[[str], None]) -> Iterator[None]:
    """Tell what `thread` prints to either stream, line by line."""
    before = sys.stdout, sys.stderr
    streams = [_Capturing(thread, real, tell) for real in before]
    sys.stdout, sys.stderr = streams
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
        for stream in streams:
            stream.finish()
