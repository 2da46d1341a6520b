"""The SDK's outputs, computed at once from what is there. Only for runs on an `EagerLoop`.

Every function here follows the one it stands for (SDK 3.272, `output.py`) and leaves to it whatever
is not there yet, so that an output comes out the same: value, whether known, whether secret, and
the resources it depends on. `tests/emulated/test_engine_eager.py` holds them against the originals.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import importlib
import json
from collections.abc import Callable, Iterator
from inspect import isawaitable
from operator import attrgetter
from typing import Any

from pulumi import ResourceOptions, _types, log, output, runtime
from pulumi.output import Output, Unknown, _OutputData
from pulumi.resource_hooks import ResourceHookBinding
from pulumi.runtime import resource, rpc

from mlops_iac.engine.embedded import eager_invoking, eager_registering
from mlops_iac.engine.embedded.eager import Replaced, data_of, gather, replaced, succeeded
from mlops_iac.engine.embedded.eager_resources import eager_resources, output_of

# `pulumi.runtime.invoke` is a function of that name, once the package is imported.
_invoke = importlib.import_module("pulumi.runtime.invoke")
_PLAIN = frozenset({str, int, float, bool, type(None)})

_original_track = Output._track
_original_untrack = Output._untrack
_original_apply = Output.apply
_original_all = Output.all
_original_from_input = Output.from_input
_original_json_dumps = Output.json_dumps
_original_merge: Any = ResourceOptions.merge
_original_contains_unknowns = rpc.contains_unknowns
# Asked anew for every property; an ejected component's types are new in every run.
_unwrap_type = functools.lru_cache(maxsize=4096)(_types.unwrap_type)
_unwrap_optional_type = functools.lru_cache(maxsize=4096)(_types.unwrap_optional_type)


class _NotThereError(Exception):
    """A part of an input is not there yet, or has failed: the SDK's own code takes over."""


class _Deep:
    """What `Output.from_input` finds in an input: deeply unwrapped value and all it stands on."""

    __slots__ = ("known", "resources", "secret")

    def __init__(self) -> None:
        self.resources: set[Any] = set()
        self.known = True
        self.secret = False

    def value(self, item: Any) -> Any:
        """The value of `item`, whose dependencies are noted. Raises _NotThereError."""
        kind = type(item)
        if kind in _PLAIN:
            return item
        if isinstance(item, Output):
            return self._of_output(item)
        if _types.is_input_type(kind):
            raise _NotThereError
        if isinstance(item, dict):
            if not item:
                return item
            if not all(type(key) is str for key in item):
                raise _NotThereError
            return {key: self.value(inner) for key, inner in item.items()}
        if isinstance(item, list):
            return [self.value(inner) for inner in item] if item else item
        if isinstance(item, tuple):
            return tuple([self.value(inner) for inner in item]) if item else item
        if isinstance(item, Unknown):
            self.known = False
            return item
        if isawaitable(item):
            raise _NotThereError
        return item

    def _of_output(self, item: Output[Any]) -> Any:
        data = data_of(item)
        if data is None or not data.is_known:
            raise _NotThereError
        self.resources |= data.resources
        self.secret = self.secret or data.is_secret
        return self.value(data.value)

    def output(self, value: Any) -> Output[Any]:
        return output_of(_OutputData(self.resources, value, self.known, self.secret))


def _track(self: Output[Any]) -> None:
    if not succeeded(self._data):
        _original_track(self)


def _untrack(self: Output[Any]) -> None:
    if not succeeded(self._data):
        _original_untrack(self)


def _from_input(value: Any) -> Output[Any]:
    found = _Deep()
    try:
        inner = found.value(value)
    except _NotThereError:
        return _original_from_input(value)
    return found.output(inner)


def _all(*args: Any, **kwargs: Any) -> Output[Any]:
    if args and kwargs:
        return _original_all(*args, **kwargs)
    found = _Deep()
    try:
        if kwargs:
            values: Any = {key: found.value(item) for key, item in kwargs.items()}
        else:
            values = [found.value(item) for item in args]
    except _NotThereError:
        return _original_all(*args, **kwargs)
    return found.output(values)


def _json_dumps(obj: Any, **options: Any) -> Output[str]:
    found = _Deep()
    try:
        return found.output(json.dumps(found.value(obj), **options))
    except Exception:  # what is wrong with it, or holds outputs unseen, is the SDK's
        return _original_json_dumps(obj, **options)


def _apply(
    self: Output[Any], func: Callable[[Any], Any], run_with_unknowns: bool = False
) -> Output[Any]:
    data = data_of(self)
    if data is None or not data.is_known:
        return _original_apply(self, func, run_with_unknowns)
    try:
        result = func(data.value)
    except Exception as error:
        failed: asyncio.Future[Any] = asyncio.Future()
        failed.set_exception(error)
        return Output._from_data(failed)
    if isinstance(result, Output):
        inner = data_of(result)
        if inner is not None:
            return output_of(_joined(data, inner))
        _untrack(result)

        async def joined() -> _OutputData[Any]:
            return _joined(data, await result._data)

        return Output._from_data(joined())
    if type(result) not in _PLAIN and isawaitable(result):

        async def awaited() -> _OutputData[Any]:
            return _OutputData(data.resources, await result, True, data.is_secret)

        return Output._from_data(awaited())
    return output_of(_OutputData(data.resources, result, True, data.is_secret))


def _joined(outer: _OutputData[Any], inner: _OutputData[Any]) -> _OutputData[Any]:
    return _OutputData(
        outer.resources | inner.resources,
        inner.value,
        inner.is_known,
        inner.is_secret or outer.is_secret,
    )


def _contains_unknowns(value: Any) -> bool:
    kind = type(value)
    if kind in _PLAIN:
        return False
    if kind is dict:
        return any(map(_contains_unknowns, value.values()))
    if kind is list:
        return any(map(_contains_unknowns, value))
    return _original_contains_unknowns(value)


def _silent(*args: Any, **kwargs: Any) -> None:
    """Debug messages, which nobody hears: the engine drops them."""


def _copied(options: Any) -> Any:
    """A copy, without asking the class how it is pickled."""
    made = object.__new__(type(options))
    made.__dict__.update(options.__dict__)
    return made


# Options of two that are put together, where both have them; of the rest, the second one's counts.
_gathered = attrgetter(
    "ignore_changes", "replace_on_changes", "aliases", "additional_secret_outputs",
    "transformations", "transforms", "state_migrations", "replace_with", "hide_diffs",
)  # fmt: skip
_LISTS = frozenset({list, type(None)})


def _merge(first: Any, second: Any) -> Any:
    """The options of a resource over those of its package, as every resource is made with."""
    plain = (
        type(first) is type(second) is ResourceOptions
        and first.providers is None
        and second.providers is None
        and first.hooks is None
        and second.hooks is None
        and type(first.depends_on) in _LISTS
        and type(second.depends_on) in _LISTS
        and not any(_gathered(first))
    )
    if not plain:
        return _original_merge(first, second)
    made = object.__new__(ResourceOptions)
    given = {name: value for name, value in vars(second).items() if value is not None}
    made.__dict__.update(vars(first), **given)
    made.depends_on = [*(first.depends_on or ()), *(second.depends_on or ())]
    made.hooks = ResourceHookBinding()
    return made


def _same(function: Any) -> Any:
    """Calls are made in the caller's context: it need not be carried over."""
    return function


@contextlib.contextmanager
def eager_outputs() -> Iterator[None]:
    """The SDK with outputs as above, while it lasts."""
    with replaced(
        (output, "asyncio", Replaced(asyncio, gather=gather)),
        (output, "contains_unknowns", _contains_unknowns),
        (rpc, "contains_unknowns", _contains_unknowns),
        (_types, "unwrap_type", _unwrap_type),
        (_types, "unwrap_optional_type", _unwrap_optional_type),
        (resource, "wrap_with_context", _same),
        (_invoke, "wrap_with_context", _same),
        (log, "debug", _silent),
        (Output, "_track", _track),
        (Output, "_untrack", _untrack),
        (Output, "apply", _apply),
        (Output, "all", staticmethod(_all)),
        (Output, "from_input", staticmethod(_from_input)),
        (Output, "json_dumps", staticmethod(_json_dumps)),
        (ResourceOptions, "_copy", _copied),
        (ResourceOptions, "merge", _merge),
        (ResourceHookBinding, "_copy", _copied),
        (runtime, "invoke_output", eager_invoking.invoke_output),
        *eager_resources(),
        *eager_registering.replacements(),
    ):
        try:
            yield
        finally:
            eager_registering.take_apart()
            eager_invoking.forget()
