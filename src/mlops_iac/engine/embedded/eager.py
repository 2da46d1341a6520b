"""What a program computes is computed at once, not in a later turn of an event loop.

In a capture every request is answered before it returns, so that each of the SDK's coroutines could
run to its end without waiting, but does not: asyncio starts it in a later turn, `gather` answers in
a later turn, and an output costs two tasks. That was three quarters of a capture. Here

  - a coroutine runs when its task is made, up to the first thing that is really not there yet;
  - outputs made from outputs that are there are there (`eager_outputs`).

A program may still wait for what it likes: what is not there takes the ordinary way. What nobody is
left to bring is told, as it would be waited for without an end.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable, Iterator
from typing import Any

# What is replaced are internals: on any other SDK its own, slower code runs.
KNOWN_SDKS = ("3.272.",)
_GIVE_UP = 50


class EagerLoop(asyncio.SelectorEventLoop):
    """Runs a new task's coroutine and a call for an executor before it returns."""

    # Every future asks; it need not be told by a function in Python.
    get_debug = staticmethod(bool)
    # How often what was waited for has been cancelled.
    gave_up = 0

    def _run_once(self) -> None:
        if self.is_stuck():
            self.call_soon(self._give_up)
        super()._run_once()  # type: ignore[misc]

    def _give_up(self) -> None:
        # More than once, as the SDK waits again for what it waited for when it is interrupted.
        self.gave_up += 1
        if self.gave_up > _GIVE_UP:
            self.stop()
        for task in asyncio.all_tasks(self):
            task.cancel()

    def is_stuck(self) -> bool:
        """Whether there is nothing left to run, no timer, and nobody who could wake the loop."""
        if self._ready or self._scheduled or self._stopping:  # type: ignore[attr-defined]
            return False
        if len(self._selector.get_map()) > 1:  # type: ignore[attr-defined]  # beside its own pipe
            return False
        if set(threading.enumerate()) - {threading.main_thread(), threading.current_thread()}:
            return False
        # Once more: one that has just ended may have left something.
        return not self._ready  # type: ignore[attr-defined]

    def create_task(self, coro: Any, *, name: Any = None, context: Any = None) -> Any:
        """A future of the coroutine's outcome; it has begun, and may be done."""
        if not self.is_running():
            return super().create_task(coro, name=name, context=context)
        context = contextvars.copy_context() if context is None else context
        future: asyncio.Future[Any]
        try:
            waits_for = context.run(coro.send, None)
        except StopIteration as end:
            future = asyncio.Future(loop=self)
            future.set_result(end.value)
        except asyncio.CancelledError:
            future = asyncio.Future(loop=self)
            future.cancel()
        except Exception as error:
            future = asyncio.Future(loop=self)
            future.set_exception(error)
        else:
            future = _Continued(coro, context, waits_for, self)
        return future

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> Any:
        """Call it now, unless for an executor of the program's own."""
        if executor is not None:
            return super().run_in_executor(executor, func, *args)
        future: asyncio.Future[Any] = asyncio.Future(loop=self)
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future


class _Continued(asyncio.Future[Any]):
    """The rest of a coroutine that waits for something. Follows `asyncio.tasks.Task`."""

    def __init__(
        self, coro: Any, context: contextvars.Context, waits_for: Any, loop: EagerLoop
    ) -> None:
        super().__init__(loop=loop)
        self._coro = coro
        self._own_context = context
        self._waits_for: asyncio.Future[Any] | None = None
        self._wait(waits_for)

    def _wait(self, waits_for: Any) -> None:
        self._waits_for = None
        if waits_for is None:  # `asyncio.sleep(0)`
            self.get_loop().call_soon(self._step, context=self._own_context)
        elif getattr(waits_for, "_asyncio_future_blocking", None):
            waits_for._asyncio_future_blocking = False
            self._waits_for = waits_for
            waits_for.add_done_callback(self._step, context=self._own_context)
        else:
            problem = RuntimeError(f"a coroutine waits for {waits_for!r}, which is no future")
            self.get_loop().call_soon(self._step, None, problem, context=self._own_context)

    def _step(self, _done: Any = None, problem: BaseException | None = None) -> None:
        if self.done():
            return
        try:
            waits_for = self._coro.send(None) if problem is None else self._coro.throw(problem)
        except StopIteration as end:
            self.set_result(end.value)
        except asyncio.CancelledError:
            super().cancel()
        except Exception as error:
            self.set_exception(error)
        else:
            self._wait(waits_for)

    def cancel(self, msg: Any = None) -> bool:
        """Cancel what it waits for; the coroutine hears of it."""
        if self.done():
            return False
        if self._waits_for is not None and self._waits_for.cancel(msg=msg):
            return True
        problem = asyncio.CancelledError()
        self.get_loop().call_soon(self._step, None, problem, context=self._own_context)
        return True


class Replaced:
    """A module with some of its names replaced."""

    def __init__(self, module: Any, **names: Any) -> None:
        self._module = module
        self.__dict__.update(names)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


@contextlib.contextmanager
def replaced(*replacements: tuple[Any, str, Any]) -> Iterator[None]:
    """Attributes replaced, (owner, name, value) each, while it lasts."""
    before = [(owner, name, owner.__dict__[name]) for owner, name, _ in replacements]
    for owner, name, value in replacements:
        setattr(owner, name, value)
    try:
        yield
    finally:
        for owner, name, value in before:
            setattr(owner, name, value)


def gather(*futures: Any, return_exceptions: bool = False) -> Any:
    """`asyncio.gather`; of futures that are all done, its result is there at once."""
    if not return_exceptions and all(
        isinstance(each, asyncio.Future) and succeeded(each) for each in futures
    ):
        outer: asyncio.Future[list[Any]] = asyncio.Future()
        outer.set_result([each.result() for each in futures])
        return outer
    return asyncio.gather(*futures, return_exceptions=return_exceptions)


def data_of(output: Any) -> Any:
    """An output's data where it is there; None where it is not, or has failed."""
    future = output._data
    return future.result() if succeeded(future) else None


def succeeded(future: asyncio.Future[Any]) -> bool:
    """Whether a future has its value."""
    return future.done() and not future.cancelled() and future.exception() is None
