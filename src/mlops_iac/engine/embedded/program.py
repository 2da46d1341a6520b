"""Runs a compiled program in-process. The only module that knows how the SDK keeps its state.

SDK 3.272 keeps its settings in context variables, a root resource and module globals, so each run
gets a copied context, complete settings, no root resource, a new event loop and a thread of its
own (a caller may already be inside a loop). `tests/oracles/test_engine_contract.py` compares the
outcome with the real engine's.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import importlib
import json
import os
import runpy
import selectors
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from types import CodeType
from typing import Any

from mlops_iac.collector import collector_paused
from mlops_iac.engine.embedded.assets import AssetReader
from mlops_iac.engine.embedded.environment import without_environment
from mlops_iac.engine.embedded.output import captured
from mlops_iac.engine.embedded.registration import Handler
from mlops_iac.engine.protocol import StackTarget
from mlops_iac.errors import MlopsError, UsageError

# The program's folder is the working directory while it runs, as under the real CLI: `open` in a
# user's program knows no other base. One program at a time, therefore.
_ONE_AT_A_TIME = threading.Lock()


def run_program(
    target: StackTarget,
    handler: Handler,
    *,
    dry_run: bool,
    parallel: int = 0,
    absolute_assets: bool = True,
) -> None:
    """Run the program of `target`; `handler` hears everything it registers.

    `parallel` is the number of worker threads; 0 answers every request in the loop's own thread.
    Raises the first error the handler raised, or MlopsError with the program's file and line.
    """
    program = target.program.resolve()
    main = program / "__main__.py"
    if not main.is_file():
        raise MlopsError(f"there is no program: {main} is missing", hint="run `mlops-iac compile`")

    from mlops_iac.engine.embedded import lazy_sdk

    lazy_sdk.install()
    from mlops_iac.engine.embedded.monitor import EmbeddedLog, EmbeddedMonitor

    assets = AssetReader(program, absolute=absolute_assets)
    monitor = EmbeddedMonitor(target.stack, target.project, handler, assets)
    outcome: list[BaseException] = []

    def body() -> None:
        try:
            with captured(lambda line: handler.log("info", line)):
                _run(target, program, monitor, EmbeddedLog(handler), dry_run, parallel)
        except BaseException as error:
            outcome.append(error)

    with _ONE_AT_A_TIME, without_environment():
        context = contextvars.Context()
        thread = threading.Thread(target=context.run, args=(body,), name="program", daemon=True)
        thread.start()
        thread.join()
    if monitor.error is not None:
        raise monitor.error
    if outcome:
        raise _explain(outcome[0], program) from None


def _run(
    target: StackTarget,
    program: Path,
    monitor: Any,
    log: Any,
    dry_run: bool,
    parallel: int,
) -> None:
    from pulumi.runtime import config, settings
    from pulumi.runtime.mocks import MockSettings
    from pulumi.runtime.rpc_manager import RPCManager
    from pulumi.runtime.stack import run_in_stack

    settings.configure(
        MockSettings(  # type: ignore[no-untyped-call]
            rpc_manager=RPCManager(),  # type: ignore[no-untyped-call]
            outputs=set(),
            lock=threading.Lock(),
            monitor=monitor,
            monitor_features=set(),
            engine=log,
            project=target.project,
            root_directory=str(program),
            stack=target.stack,
            parallel=parallel,
            dry_run=dry_run,
            legacy_apply_enabled=False,
            organization="organization",
            package_refs={},
            base_providers_by_ref={},
            callbacks=None,
        )
    )
    settings.set_root_resource(None)  # type: ignore[arg-type]
    config.set_all_config(
        {key: config_text(value) for key, value in target.config.items()},
        sorted(target.secret_keys),
    )
    loop = asyncio.new_event_loop() if parallel else _Alone()
    # Whatever the program leaves unawaited is reported by `run_in_stack` or not worth a traceback.
    loop.set_exception_handler(lambda _loop, _context: None)
    executor = ThreadPoolExecutor(max(parallel, 1), "register")
    loop.set_default_executor(executor)
    asyncio.set_event_loop(loop)

    async def main() -> None:
        main = program / "__main__.py"
        code = _compiled(main.read_bytes(), str(main))
        runpy._run_module_code(code, None, "__main__", None, "", str(main))  # type: ignore[attr-defined]
        await _settled(settings.SETTINGS)

    try:
        with as_main_folder(program), _without_waste(), collector_paused():
            loop.run_until_complete(run_in_stack(main))
    finally:
        # More than once: the SDK waits again when what it waits for is cancelled.
        for _ in range(50):
            if not (tasks := asyncio.all_tasks(loop)):
                break
            for task in tasks:
                task.cancel()
            with contextlib.suppress(Exception):
                loop.run_until_complete(asyncio.sleep(0))
        executor.shutdown(wait=True)
        loop.close()


@lru_cache(maxsize=4)
def _compiled(source: bytes, file: str) -> CodeType:
    """As `runpy.run_path` would, once for all environments."""
    return compile(source, file, "exec", dont_inherit=True)


class _Alone(asyncio.SelectorEventLoop):
    """A loop that answers every request at once, in its own thread: nothing waits, order is fixed.

    Nothing wakes it from outside, so it does not ask the system whether something did: a third of a
    run. A wait without an end is told, not waited for.
    """

    def __init__(self) -> None:
        super().__init__(_Nothing())

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> Any:
        """Call it now, unless for an executor of the program's own."""
        if executor is not None:
            return super().run_in_executor(executor, func, *args)
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except BaseException as error:
            future.set_exception(error)
        return future


class _Nothing(selectors.DefaultSelector):
    def select(self, timeout: float | None = None) -> Any:
        """Raises MlopsError where the loop would sleep for good."""
        if len(self.get_map()) > 1:  # beside the loop's own pipe
            return super().select(timeout)
        if timeout == 0:
            return []
        if timeout is None and not (
            set(threading.enumerate()) - {threading.main_thread(), threading.current_thread()}
        ):
            raise MlopsError(
                "the program waits for something that never comes",
                hint="an Output is made from a future that nobody completes; look at the "
                "components that are your own",
            )
        return super().select(timeout)


async def _settled(sdk_settings: Any) -> None:
    """Wait until every output has its value, or one has failed.

    `run_in_stack` waits too and raises what failed, but looks at all of them again whenever one
    completes: with hundreds of resources that is most of a run.
    """
    while pending := [task for task in tuple(sdk_settings.outputs) if not task.done()]:
        done, _ = await asyncio.wait(pending, return_when=asyncio.FIRST_EXCEPTION)
        if any(task.cancelled() or task.exception() is not None for task in done):
            return


class _Waiting:
    """`asyncio` for the SDK's wait for outstanding outputs, which waits for all of them at once.

    It waits for one after the other, and each time for all that are left: quadratic. An error
    still ends the wait at once.
    """

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    def wait(self, tasks: Any, *, return_when: str) -> Any:
        del return_when
        return asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)


@contextlib.contextmanager
def _without_waste() -> Iterator[None]:
    """A third of a run is spent on stack traces nobody reads and on waiting; only while it lasts."""
    from pulumi.runtime import resource, stack
    from pulumi.runtime.proto import source_pb2

    trace, waiting = resource._get_stack_trace, stack.asyncio  # type: ignore[attr-defined]
    resource._get_stack_trace = lambda: source_pb2.StackTrace()
    stack.asyncio = _Waiting()  # type: ignore[assignment, attr-defined]
    try:
        yield
    finally:
        resource._get_stack_trace = trace
        stack.asyncio = waiting  # type: ignore[attr-defined]


def config_text(value: Any) -> str:
    """Configuration as the real engine hands it over: text, structures as JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True)


@contextlib.contextmanager
def as_main_folder(program: Path) -> Iterator[None]:
    """The folder on the path and as working directory; its modules are forgotten afterwards."""
    before, known = Path.cwd(), set(sys.modules)
    sys.path.insert(0, str(program))
    importlib.invalidate_caches()
    os.chdir(program)
    try:
        yield
    finally:
        os.chdir(before)
        with contextlib.suppress(ValueError):
            sys.path.remove(str(program))
        inside = f"{program}{os.sep}"
        for name in sys.modules.keys() - known:
            file = getattr(sys.modules[name], "__file__", None)
            if file and file.startswith(inside) and name != "__main__":
                del sys.modules[name]


def _explain(error: BaseException, program: Path) -> BaseException:
    """The program's own error with the place it comes from, without a traceback."""
    if isinstance(error, MlopsError | KeyboardInterrupt):
        return error
    from pulumi import RunError

    if isinstance(error, RunError):
        # A sentence for the user, which the plain CLI prints without a traceback, too.
        told = {name: getattr(error, name, "") for name in ("hint", "path")}
        return UsageError(getattr(error, "message", str(error)), **told)
    place = ""
    if isinstance(error, SyntaxError):
        place = f"{error.filename}:{error.lineno}: "
    else:
        frames = traceback.extract_tb(error.__traceback__)
        own = [f for f in frames if Path(f.filename).is_relative_to(program)]
        if chosen := (own or frames)[-1:]:
            place = f"{chosen[0].filename}:{chosen[0].lineno}: "
    text = str(error).strip() or "no message"
    return MlopsError(
        f"{place}the program failed: {type(error).__name__}: {text}",
        hint="the program is what `compile` wrote; correct the blueprint, or the ejected component",
    )
