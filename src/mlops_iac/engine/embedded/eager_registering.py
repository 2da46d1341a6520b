"""A registration made from what is there, without a request in between. Only on an `EagerLoop`.

The SDK (3.272, `register_resource`) turns a resource into a protobuf message and back in seven
coroutines. Where everything is there and no rare option is used, this comes to the same
`Registration` directly; whatever else there is goes the SDK's own way.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Iterable
from operator import attrgetter
from typing import Any

from google.protobuf import struct_pb2
from pulumi import ComponentResource, Resource, _types
from pulumi.output import Output
from pulumi.runtime import resource, rpc, settings
from pulumi.runtime.resource_cycle_breaker import _DEPENDENCIES_PROPERTY

from mlops_iac.engine.embedded import eager_resources
from mlops_iac.engine.embedded.eager_sending import NotAtOnceError, kept, sent, there
from mlops_iac.engine.embedded.monitor import Answered, EmbeddedMonitor
from mlops_iac.engine.embedded.registration import PROVIDER_TYPE, Registration
from mlops_iac.graph.model import STACK_TYPE

_original_register = resource.register_resource
_original_register_outputs = resource.register_resource_outputs
# What is asked of the SDK, of the engine, or of both, too seldom to be worth a second way.
_rare = attrgetter(
    "provider", "providers", "transforms", "state_migrations", "replacement_trigger", "import_",
    "plugin_download_url", "replace_with", "hide_diffs", "env_var_mappings", "deleted_with",
    "custom_timeouts", "urn", "id",
)  # fmt: skip
# The resources of this run: one runs at a time.
_made: list[Any] = []


def replacements() -> list[tuple[Any, str, Any]]:
    """What to replace with what, for `replaced`."""
    return [
        (owner, replacement.__name__, replacement)
        for owner in (resource, importlib.import_module("pulumi.resource"))
        for replacement in (register_resource, register_resource_outputs)
    ]


def take_apart() -> None:
    """Let go of what a run made: as circles, it would cost the collector a tenth of a capture."""
    for res in _made:
        res.__dict__.clear()
    _made.clear()


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
    _made.append(res)
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
    given: Any = inputs if answer else struct_pb2.Struct()
    try:
        eager_resources.resolve_outputs(
            res, given, outputs, {}, resolvers, custom, typ is not None, answer is not None,
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
    rare = any(_rare(opts)) or ty.startswith(PROVIDER_TYPE)
    hooks = opts.hooks is not None and any(vars(opts.hooks).values())
    if rare or hooks or ty == STACK_TYPE or (typ is None and props):
        raise NotAtOnceError
    explicit = opts.depends_on or []
    if isinstance(explicit, Resource):
        explicit = [explicit]
    if not isinstance(explicit, list) or not all(isinstance(each, Resource) for each in explicit):
        raise NotAtOnceError
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
            value = sent(props[key], found, types.get(translated))
            if value is not None:
                inputs[translated] = value
                standing_on[translated] = found
    by_property = {key: sorted(_expanded(standing_on[key], res)) for key in sorted(standing_on)}
    parent = opts.parent if opts.parent is not None else settings.get_root_resource()
    parent_urn = _text(parent.urn) if parent is not None else ""
    registration = Registration(
        urn=monitor.urn(parent_urn, ty, name),
        type=ty,
        name=name,
        custom=custom,
        parent=parent_urn,
        inputs={key: kept(inputs[key], monitor.read_asset) for key in sorted(inputs)},
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
    return registration, inputs


def _text(output: Output[Any]) -> str:
    value = there(output).value
    if type(value) is not str:
        raise NotAtOnceError
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
            _declare(res, one)
            if isinstance(one, ComponentResource) and not one._remote:
                waiting += one._childResources
            else:
                urns[_text(one.urn)] = None
    return urns


def _declare(res: Any, on: Any) -> None:
    """Note a dependency where the SDK notes it. Raises NotAtOnceError for one in a circle."""
    direct = res.__dict__.setdefault(_DEPENDENCIES_PROPERTY, set())
    if on in direct:
        return
    seen = set()
    waiting = [on]
    while waiting:
        one = waiting.pop()
        if one is res:
            raise NotAtOnceError
        if one not in seen:
            seen.add(one)
            waiting += one.__dict__.get(_DEPENDENCIES_PROPERTY, ())
    direct.add(on)


def register_resource_outputs(res: Any, outputs: Any) -> None:
    """Hand over a component's outputs at once where that can be done."""
    monitor = settings.get_monitor()
    try:
        if type(outputs) is not dict or not isinstance(monitor, EmbeddedMonitor):
            raise NotAtOnceError
        values = {key: sent(value, [], None) for key, value in sorted(outputs.items())}
        given = {
            key: kept(value, monitor.read_asset)
            for key, value in values.items()
            if value is not None
        }
        urn = _text(res.urn)
    except Exception:  # what is wrong with it is the SDK's to say
        _original_register_outputs(res, outputs)
        return
    monitor.register_outputs(urn, given)
