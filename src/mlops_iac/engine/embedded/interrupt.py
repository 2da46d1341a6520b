"""Ctrl-C: the first ends the run in order, the second at once."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType
from typing import Any, Self

from mlops_iac.errors import Cancelled


class Interrupt:
    """While it is entered, SIGINT and SIGTERM ask for an end instead of raising.

    Outside the main thread signals cannot be caught; there it only answers no.
    """

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._previous: dict[int, Any] = {}

    def requested(self) -> bool:
        """Whether nothing new may start."""
        return self._asked.is_set()

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._previous[number] = signal.signal(number, self._hear)
        return self

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self._asked.is_set():
            # Workers may hang in a call. Every operation is journalled: nothing is lost.
            os._exit(Cancelled.exit_code)
        self._asked.set()

    def __exit__(self, *_: object) -> None:
        for number, previous in self._previous.items():
            signal.signal(number, previous)
