"""A process that dies by SIGKILL at the n-th place where it changes the disk."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_CALLS = (
    (os, "fsync"), (os, "replace"), (os, "rename"), (os, "unlink"), (os, "remove"),
    (os, "link"), (os, "mkdir"), (os, "rmdir"), (os, "chmod"),
    (Path, "replace"), (Path, "rename"), (Path, "unlink"), (Path, "mkdir"), (Path, "rmdir"),
    (Path, "write_bytes"), (Path, "write_text"),
)  # fmt: skip


def arm(at: int) -> None:
    """Die right after the `at`-th change, counted from 1; the places of a call are counted once."""
    count = 0
    inside = False

    def after(call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            nonlocal count, inside
            if inside:
                return call(*args, **kwargs)
            inside = True
            try:
                return call(*args, **kwargs)
            finally:
                inside = False
                count += 1
                if count == at:
                    os.kill(os.getpid(), signal.SIGKILL)

        return wrapped

    for owner, name in _CALLS:
        setattr(owner, name, after(getattr(owner, name)))


def killed(work: Callable[[], object], at: int) -> bool:
    """Run `work` in a process of its own; whether it was killed before it was done."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        code = 0
        try:
            arm(at)
            work()
        except BaseException:
            traceback.print_exc()
            code = 3
        os._exit(code)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


def every_kill(work: Callable[[], object], reset: Callable[[], object]) -> Iterator[int]:
    """Kill `work` at each place, one after the other, each time after `reset`; ends with a whole one."""
    at = 0
    going = True
    while going:
        at += 1
        assert at < 200
        reset()
        going = killed(work, at)
        yield at
