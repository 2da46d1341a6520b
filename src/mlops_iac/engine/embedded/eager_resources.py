"""What a registration answers, worked out when it is asked for. Only for runs on an `EagerLoop`.

A resource has twenty outputs, of which a program uses one or none. The SDK (3.272,
`runtime/rpc.py`, `runtime/resource.py`) decodes and types all of them; here it does so with one when
that is used. What it then does is its own code.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
from collections.abc import Generator, Mapping, Sequence
from typing import Any, get_args, get_origin

from google.protobuf import struct_pb2
from pulumi import Alias, Resource, _types
from pulumi.output import Output, _OutputData
from pulumi.runtime import resource, rpc, settings

from mlops_iac.engine.embedded import wire
from mlops_iac.engine.embedded.eager import data_of
from mlops_iac.engine.embedded.monitor import Answered

_resource_module = importlib.import_module("pulumi.resource")
_original_resolve_outputs = rpc.resolve_outputs
_original_create_urn = resource.create_urn
_original_collapse = resource.collapse_alias_to_urn
# An ejected component's classes are new in every run.
_resource_types = functools.lru_cache(maxsize=512)(_types.resource_types)
_unwrap_optional_type = functools.lru_cache(maxsize=4096)(_types.unwrap_optional_type)
_output_type_types = functools.lru_cache(maxsize=512)(_types.output_type_types)
_pulumi_to_py_names = functools.lru_cache(maxsize=512)(_types.resource_pulumi_to_py_names)


@functools.lru_cache(maxsize=512)
def _py_to_pulumi_names(kind: Any) -> Mapping[str, str]:
    return {name: key for key, name in _pulumi_to_py_names(kind).items()}


_SCALARS = frozenset({str, bool, int, float, type(None)})


class _Property(asyncio.Future[Any]):
    """The data of one output of a resource, taken from the answer when somebody asks."""

    answer: _Answer | None = None
    name = ""
    # Somebody waits since before the answer: nobody will ask again.
    awaited = False
    given = False

    def _ask(self) -> None:
        if (answer := self.answer) is not None:
            self.answer = None
            answer.fill(self)

    def done(self) -> bool:
        self._ask()
        return super().done()

    def result(self) -> Any:
        self._ask()
        return super().result()

    def exception(self) -> Any:
        self._ask()
        return super().exception()

    def add_done_callback(self, fn: Any, *, context: Any = None) -> None:
        self._ask()
        self.awaited = True
        super().add_done_callback(fn, context=context)

    def __await__(self) -> Generator[Any, None, Any]:
        self._ask()
        return super().__await__()

    __iter__ = __await__


def transfer_properties(res: Any, props: Any, custom: bool) -> dict[str, Any]:
    """One future for a property in the place of four and a task. The registration is waited for."""
    resolvers: dict[str, Any] = {}
    for name in props:
        if name == "urn" or (name == "id" and custom):
            continue
        future = _Property()
        res.__dict__[name] = _untracked(future)
        resolvers[name] = functools.partial(_resolve, res, future)
    return resolvers


def output_of(data: _OutputData[Any]) -> Output[Any]:
    """An output that has its value: nothing to wait for, nothing that can fail."""
    future: asyncio.Future[_OutputData[Any]] = asyncio.Future()
    future.set_result(data)
    return _untracked(future)


def _untracked(future: asyncio.Future[Any]) -> Output[Any]:
    """Its failure is that of the registration, which is tracked."""
    made: Output[Any] = object.__new__(Output)
    made._data = future
    return made


def _resolve(
    res: Any,
    future: asyncio.Future[Any],
    value: Any,
    is_known: bool,
    is_secret: bool,
    deps: Any,
    failed: Exception | None,
) -> None:
    if isinstance(future, _Property):
        if future.given:
            return
        future.given, future.answer = True, None
    if failed is not None:
        future.set_exception(failed)
        return
    resources = {*deps, res} if deps else {res}
    future.set_result(_OutputData(resources, value, is_known, is_secret))


def resource_output(res: Any) -> tuple[Any, Output[Any]]:
    """URN or id of a resource, and what gives it its value."""
    future: asyncio.Future[Any] = asyncio.Future()

    def resolve(value: Any, known: bool, secret: bool, exn: Exception | None) -> None:
        _resolve(res, future, value, known, secret, None, exn)

    return resolve, _untracked(future)


def resolve_outputs(
    res: Any,
    serialized: Any,
    outputs: Any,
    deps: Any,
    resolvers: dict[str, Any],
    *more: Any,
    **named: Any,
) -> None:
    """Leave each property to be resolved when somebody asks for it."""
    if not isinstance(outputs, Answered):
        _original_resolve_outputs(res, serialized, outputs, deps, resolvers, *more, **named)
        return
    answer = _Answer(res, serialized, outputs, deps, more, named)
    # A structure that is not of its type is an error of the registration, used or not.
    kind: Any = type(res)
    types = _resource_types(kind)
    for key, value in outputs.outputs.items():
        if type(value) not in _SCALARS and not _typed(value, types.get(key)):
            name = answer.name(key)
            if name in resolvers:
                answer.resolve(name, resolvers[name])
    for name, resolver in resolvers.items():
        future: _Property = resolver.args[1]
        if future.given:
            continue
        future.answer, future.name = answer, name
        if future.awaited:
            future.done()


def _typed(value: Any, typ: Any) -> bool:
    """Whether a value is plainly of its type; of the rest, `translate_output_properties` decides."""
    typ = _unwrap_optional_type(typ) if typ is not None else None
    if type(value) in _SCALARS or typ is None or typ is Any:
        return type(value) in _SCALARS or type(value) in (dict, list)
    if type(value) is list:
        if get_origin(typ) not in (list, Sequence):
            return False
        (element,) = get_args(typ) or (None,)
        return all(_typed(item, element) for item in value)
    if type(value) is not dict:
        return False
    if _types.is_output_type(typ):
        of_keys = _output_type_types(typ)
        return all(_typed(item, of_keys.get(key)) for key, item in value.items())
    if get_origin(typ) not in (dict, Mapping):
        return False
    of_all = (get_args(typ) or (None, None))[1]
    return all(_typed(item, of_all) for item in value.values())


class _Answer:
    """What is known of a resource's properties after its registration, resolved one by one."""

    def __init__(
        self, res: Any, serialized: Any, outputs: Answered, deps: Any, more: Any, named: Any
    ) -> None:
        self._res = res
        self._serialized = serialized
        self._outputs = outputs
        self._rest = (deps, more, named)
        self._typed = more[1]
        self._keys: dict[str, list[str]] = {}

    def name(self, key: str) -> str:
        """A property's name in Python, as `resolve_outputs` finds it."""
        kind: Any = type(self._res)
        if self._typed:
            return _pulumi_to_py_names(kind).get(key) or key
        return str(self._res.translate_output_property(key))

    def _text(self, name: str) -> str | None:
        """A property that is plainly a text of the answer: nearly all that a program uses."""
        kind: Any = type(self._res)
        outputs = self._outputs.outputs
        key = _py_to_pulumi_names(kind).get(name, name)
        value = outputs.get(key)
        if type(value) is not str or not value.isascii() or value == wire.UNKNOWN_TEXT:
            return None
        if not self._typed or self._rest[0] or (key != name and name in outputs):
            return None
        return value if _unwrap_optional_type(_resource_types(kind).get(key)) is str else None

    def resolve(self, name: str, resolver: Any) -> None:
        """Resolve one property, by the SDK's own code. Raises what that raises."""
        if (text := self._text(name)) is not None:
            resolver(text, True, False, None, None)
            return
        if not self._keys:
            for key in (*self._outputs.outputs, *self._serialized):
                self._keys.setdefault(self.name(key), []).append(key)
        wanted = self._keys.get(name, [])
        sent = struct_pb2.Struct()
        for key in wanted:
            if key not in self._serialized:
                continue
            if isinstance(self._serialized, dict):
                sent[key] = self._serialized[key]
            else:
                sent.fields[key].CopyFrom(self._serialized.fields[key])
        answered = self._outputs.struct(wanted)
        deps, more, named = self._rest
        resolvers = {name: resolver}
        _original_resolve_outputs(self._res, sent, answered, deps, resolvers, *more, **named)

    def fill(self, future: _Property) -> None:
        """Resolve one property that somebody asks for; what fails is its failure."""
        resolver = functools.partial(_resolve, self._res, future)
        try:
            self.resolve(future.name, resolver)
        except Exception as error:
            rpc.resolve_outputs_due_to_exception({future.name: resolver}, error)


def _urn_below(parent: str, type_: str, name: str) -> str:
    return f"{parent[0 : parent.rfind('::')]}${type_}::{name}"


def eager_resources() -> list[tuple[Any, str, Any]]:
    """What to replace with what, for `replaced`."""

    def create_urn(
        name: Any,
        type_: Any,
        parent: Any = None,
        project: Any = None,
        stack: Any = None,
    ) -> Output[Any]:
        """Of texts, which every registration asks for, a text."""
        if type(name) is str and type(type_) is str:
            if type(parent) is str:
                return output_of(_OutputData(set(), _urn_below(parent, type_, name), True, False))
            data = data_of(parent.urn) if isinstance(parent, Resource) else None
            if data is not None and data.is_known and type(data.value) is str:
                text = _urn_below(data.value, type_, name)
                return output_of(_OutputData(set(data.resources), text, True, data.is_secret))
        return _original_create_urn(name, type_, parent, project, stack)

    def collapse(alias: Any, name: Any, type_: Any, parent: Any) -> Output[Any]:
        """Of a former type or name under the same parent, its URN."""
        unsaid: tuple[Any, ...] = (..., None)
        here = isinstance(alias, Alias) and any(alias.project is each for each in unsaid)
        here = here and any(alias.stack is each for each in unsaid)
        if not here or parent is None:
            return _original_collapse(alias, name, type_, parent)
        former = [
            given if of is ... else of
            for of, given in (
                (alias.name, name),
                (alias.type_, type_),
                (alias.parent, parent),
            )
        ]
        if former[0] is None or former[1] is None:
            return _original_collapse(alias, name, type_, parent)
        own_type, above = former[1:]
        return create_urn(former[0], own_type, above, settings.get_project(), settings.get_stack())

    return [
        (_types, "resource_types", _resource_types),
        (_types, "resource_pulumi_to_py_names", _pulumi_to_py_names),
        (rpc, "transfer_properties", transfer_properties),
        (rpc, "resolve_outputs", resolve_outputs),
        (resource, "resource_output", resource_output),
        (resource, "create_urn", create_urn),
        (resource, "collapse_alias_to_urn", collapse),
        (_resource_module, "collapse_alias_to_urn", collapse),
    ]
