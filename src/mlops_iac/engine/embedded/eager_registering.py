"""A registration made from what is there, without a request in between. Only on an `EagerLoop`.

The SDK (3.272, `register_resource`) turns a resource into a protobuf message and back in seven
coroutines. Where everything is there and no rare option is used, this comes to the same
`Registration` directly; whatever else there is goes the SDK's own way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, get_args, get_origin

from google.protobuf import struct_pb2
from pulumi import ComponentResource, Resource, _types
from pulumi.output import Output, _OutputData
from pulumi.runtime import resource, resource_cycle_breaker, rpc, settings

from mlops_iac.engine.embedded import eager_resources, wire
from mlops_iac.engine.embedded.eager import succeeded
from mlops_iac.engine.embedded.monitor import Answered, EmbeddedMonitor
from mlops_iac.engine.embedded.registration import PROVIDER_TYPE, Registration
from mlops_iac.graph.model import STACK_TYPE

_original_register = resource.register_resource
_PLAIN = frozenset({str, bool, int, float, type(None)})
# Beyond this a number is not exact in protobuf.
_EXACT = 2**53
# What is asked of the SDK, of the engine, or of both, too seldom to be worth a second way.
_RARE = (
    "provider", "providers", "transforms", "state_migrations", "replacement_trigger", "import_",
    "plugin_download_url", "replace_with", "hide_diffs", "env_var_mappings", "deleted_with",
    "custom_timeouts", "urn", "id",
)  # fmt: skip


class _OtherwayError(Exception):
    """It is not there yet, or it is rare."""


def register_resource(
    res: Any,
    ty: str,
    name: str,
    custom: bool,
    remote: bool,
    new_dependency: Any,
    props: Any,
    opts: Any,
    typ: Any = None,
    package_ref: Any = None,
) -> None:
    """Register at once where that can be done."""
    monitor = settings.get_monitor()
    registration = None
    if not remote and package_ref is None and isinstance(monitor, EmbeddedMonitor):
        try:
            registration, inputs = _registration(monitor, res, ty, name, custom, props, opts, typ)
        except Exception:  # what is wrong with it is the SDK's to say
            registration = None
    if registration is None or not isinstance(monitor, EmbeddedMonitor):
        _original_register(
            res, ty, name, custom, remote, new_dependency, props, opts, typ, package_ref
        )
        return
    answer = monitor.register(registration)
    resolve_urn, res.__dict__["urn"] = eager_resources.resource_output(res)
    resolve_urn(answer.urn if answer else registration.urn, True, False, None)
    if custom:
        id_ = answer.id if answer else ""
        resolve_id, res.__dict__["id"] = eager_resources.resource_output(res)
        resolve_id(id_, bool(id_), False, None)
    resolvers = eager_resources.transfer_properties(res, props, custom)
    outputs: Any = Answered(answer) if answer else struct_pb2.Struct()
    sent: Any = inputs if answer else struct_pb2.Struct()
    try:
        eager_resources.resolve_outputs(
            res, sent, outputs, {}, resolvers, custom, typ is not None, answer is not None,
            resolve_missing_as_unknown=answer is None,
        )  # fmt: skip
    except Exception as error:
        _failed(error, resolvers)


def _failed(error: Exception, resolvers: dict[str, Any]) -> None:
    """As when the SDK's coroutine fails: a failed call, and no outputs."""
    rpc.resolve_outputs_due_to_exception(resolvers, error)

    async def fail() -> None:
        raise error

    # The manager keeps the call until the program is awaited.
    calls = settings._get_rpc_manager()
    calls.rpcs.append(asyncio.ensure_future(calls.do_rpc("register resource", fail)()))


def _registration(
    monitor: EmbeddedMonitor,
    res: Any,
    ty: str,
    name: str,
    custom: bool,
    props: Any,
    opts: Any,
    typ: Any,
) -> tuple[Registration, dict[str, Any]]:
    rare = any(getattr(opts, option) for option in _RARE) or ty.startswith(PROVIDER_TYPE)
    hooks = opts.hooks is not None and any(vars(opts.hooks).values())
    if rare or hooks or ty == STACK_TYPE or (typ is None and props):
        raise _OtherwayError
    explicit = opts.depends_on or []
    if isinstance(explicit, Resource):
        explicit = [explicit]
    if not isinstance(explicit, list) or not all(isinstance(each, Resource) for each in explicit):
        raise _OtherwayError
    dependencies = set(_expanded(explicit, res))
    inputs: dict[str, Any] = {}
    standing_on: dict[str, list[Any]] = {}
    if typ is not None:
        names, types = (
            _types.input_type_py_to_pulumi_names(typ),
            _types.input_type_types(typ),
        )
        for key in props:
            found: list[Any] = []
            translated = names.get(key) or key
            value = _sent(props[key], found, types.get(translated))
            if value is not None:
                inputs[translated] = value
                standing_on[translated] = found
    by_property = {key: sorted(_expanded(standing_on[key], res)) for key in sorted(standing_on)}
    parent = opts.parent if opts.parent is not None else settings.get_root_resource()
    registration = Registration(
        urn="",
        type=ty,
        name=name,
        custom=custom,
        parent=_text(parent.urn) if parent is not None else "",
        inputs={key: _kept(inputs[key]) for key in sorted(inputs)},
        dependencies=sorted(dependencies.union(*by_property.values())),
        property_dependencies=by_property,
        version=opts.version or "",
        protect=bool(opts.protect),
        retain_on_delete=bool(opts.retain_on_delete),
        delete_before_replace=opts.delete_before_replace,
        ignore_changes=list(
            resource._translate_ignore_changes(res, typ, opts.ignore_changes) or ()
        ),
        replace_on_changes=list(
            resource._translate_replace_on_changes(res, typ, opts.replace_on_changes) or ()
        ),
        additional_secret_outputs=list(
            resource._translate_additional_secret_outputs(res, typ, opts.additional_secret_outputs)
            or ()
        ),
        aliases=_aliases(res, opts),
    )
    return monitor.named(registration), inputs


def _there(output: Output[Any]) -> _OutputData[Any]:
    """An output's data, of one that is known and no secret."""
    if not succeeded(output._data):
        raise _OtherwayError
    data: _OutputData[Any] = output._data.result()
    if not data.is_known or data.is_secret:
        raise _OtherwayError
    return data


def _text(output: Output[Any]) -> str:
    value = _there(output).value
    if type(value) is not str:
        raise _OtherwayError
    return value


def _aliases(res: Any, opts: Any) -> list[str]:
    if opts.aliases is None:
        return []
    found = resource.all_aliases(opts.aliases, res._name, res._type, opts.parent)
    return list(dict.fromkeys(_text(Output.from_input(alias)) for alias in found))


def _expanded(resources: Iterable[Any], res: Any) -> dict[str, None]:
    """URNs that dependencies come to: a component is all it holds. As `rpc._add_dependency`."""
    urns: dict[str, None] = {}
    for each in resources:
        waiting = [each]
        while waiting:
            one = waiting.pop(0)
            if not resource_cycle_breaker.declare_dependency(res, one):
                raise _OtherwayError
            if isinstance(one, ComponentResource) and not one._remote:
                waiting += one._childResources
            else:
                urns[_text(one.urn)] = None
    return urns


def _sent(value: Any, found: list[Any], typ: Any) -> Any:
    """A property as it is sent, with what it stands on. As `rpc.serialize_property`."""
    kind = type(value)
    if kind in _PLAIN:
        if value == wire.UNKNOWN_TEXT:
            raise _OtherwayError
        return value
    typ = _types.unwrap_type(typ) if typ else typ
    if typ is Any:
        typ = None
    if kind is list or kind is tuple:
        element = rpc._get_list_element_type(typ)
        return [_sent(item, found, element) for item in value]
    if isinstance(value, Output):
        data = _there(value)
        found.extend(data.resources)
        inner: list[Any] = []
        result = _sent(data.value, inner, typ)
        found.extend(inner)
        data.resources.update(inner)
        return result
    if _types.is_input_type(kind):
        types = _types.input_type_types(kind)
        items = _types.input_type_to_dict(value).items()
        return {_key(key): _sent(item, found, types.get(key)) for key, item in items}
    if kind is dict:
        return _sent_mapping(value, found, typ)
    raise _OtherwayError


def _sent_mapping(value: dict[Any, Any], found: list[Any], typ: Any) -> dict[str, Any]:
    names: Mapping[str, str] = {}
    types: Mapping[str, Any] | None = None
    of_all = None
    if typ is not None:
        typ = _types.reduce_discriminated_union(typ, value, _types._py_name_for) or typ
        if _types.is_input_type(typ):
            names = _types.input_type_py_to_pulumi_names(typ)
            types = _types.input_type_types(typ)
        elif typ is dict or get_origin(typ) in (dict, Mapping):
            args = get_args(typ)
            of_all = args[1] if len(args) == 2 and args[0] is str else None
    sent = {}
    for key in value:
        name = _key(names.get(key) or key)
        sent[name] = _sent(value[key], found, types.get(name) if types is not None else of_all)
    return sent


def _key(key: Any) -> str:
    if type(key) is not str or key == wire.SIGNATURE:
        raise _OtherwayError
    return key


def _kept(value: Any) -> Any:
    """What a request's decoding makes of it: `wire.from_struct`."""
    kind = type(value)
    if kind is dict:
        return {key: _kept(value[key]) for key in sorted(value)}
    if kind is list:
        return [_kept(item) for item in value]
    if kind is float:
        return int(value) if value.is_integer() else value
    if kind is int and abs(value) > _EXACT:
        return int(float(value))
    return value
