"""Regular expressions that somebody else wrote, tried for a bounded time."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST = 4096  # characters that a pattern is tried on
SECONDS = 1.0  # an honest pattern takes microseconds


class TooSlow(Exception):
    """A pattern did not come to an end; `(a+)+$` takes longer than anybody lives."""


def wrong_pattern(pattern: str) -> str:
    """Why a pattern is no regular expression; empty where it is one."""
    try:
        re.compile(pattern)
    except re.error as error:
        return str(error)
    return ""


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern fits a whole text of at most `LONGEST` characters.

    Raises TooSlow where that takes longer than `SECONDS`. The clock is a signal, which the
    expression engine of Python hears while it tries: without one (Windows, a thread that is not the
    main one) there is no bound.
    """
    if len(text) > LONGEST:
        return False
    with _bounded():
        return re.fullmatch(pattern, text) is not None


def occurs(pattern: str, text: str) -> bool:
    """Whether a pattern fits some part of a text. Raises TooSlow, as `matches`."""
    with _bounded():
        return re.search(pattern, text) is not None


@contextmanager
def _bounded() -> Iterator[None]:
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or not hasattr(signal, "setitimer"):
        yield
        return
    previous = signal.signal(signal.SIGALRM, _ring)
    running, interval = signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, running, interval)
        signal.signal(signal.SIGALRM, previous)


def _ring(*_: object) -> None:
    raise TooSlow
