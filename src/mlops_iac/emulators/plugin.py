"""Serves an emulated cloud to the real Pulumi engine, over its own gRPC protocol.

For the one process that drives the CLI: `PULUMI_DEBUG_PROVIDERS=<package>:<port>`; the engine then
attaches to this server and starts no plugin. Never installed on PATH, where it would serve real
stacks too; and `Configure` and `CheckConfig` see the stack's URN and refuse any stack but `local`.
Source of the semantics: pulumi/proto/provider.proto.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent import futures
from copy import copy
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import (
    plugin_pb2,
    provider_pb2,
    provider_pb2_grpc,
    status_pb2,
)

from mlops_iac.emulators.provider import (
    DiffResult,
    PropertyDiff,
    Provider,
    ProviderError,
    ResourceState,
)
from mlops_iac.emulators.wire import WireError, from_struct, hashed, to_struct
from mlops_iac.errors import MlopsError
from mlops_iac.values import Asset, Properties

_properties = partial(from_struct, read_asset=hashed)
_MAX_MESSAGE = 400 * 1024 * 1024  # as the engine's own


@dataclass(slots=True)
class PluginServer:
    """A running server. `environment` is what the CLI's process needs to find it."""

    port: int
    package: str
    _server: Any

    @property
    def environment(self) -> dict[str, str]:
        """`PULUMI_DEBUG_PROVIDERS` for that one process."""
        return {"PULUMI_DEBUG_PROVIDERS": f"{self.package}:{self.port}"}

    def stop(self) -> None:
        """End the server; calls in flight get a second."""
        self._server.stop(1).wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def serve(provider: Provider, root: Path | None = None) -> PluginServer:
    """Serve `provider` on a free loopback port until `stop()`.

    `root` is the program's folder, where relative asset paths start; the engine's handshake says
    it too where it makes one.
    """
    options = [
        ("grpc.max_receive_message_length", _MAX_MESSAGE),
        ("grpc.max_send_message_length", _MAX_MESSAGE),
    ]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), options=options)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(_Servicer(provider, root), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return PluginServer(port, provider.package, server)


def _answering(method: Callable[[Any, Any, Any], Any]) -> Callable[[Any, Any, Any], Any]:
    """Turn our errors into gRPC statuses; a traceback must not reach the user."""

    def answer(self: Any, request: Any, context: Any) -> Any:
        try:
            return method(self, request, context)
        except ProviderError as error:
            _abort(context, error)
        except WireError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, error.message)
        except MlopsError as error:
            context.abort(grpc.StatusCode.UNAVAILABLE, error.message)
        return None

    return answer


def _abort(context: Any, error: ProviderError) -> None:
    """Fail; what exists nevertheless goes along as Pulumi's initErrors."""
    partial = error.partial
    if partial is not None:
        failed = provider_pb2.ErrorResourceInitFailed(
            id=partial.id,
            properties=to_struct(partial.outputs),
            inputs=to_struct(partial.inputs),
            reasons=[error.message],
        )
        status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=error.message)
        status.details.add().Pack(failed)
        packed = (("grpc-status-details-bin", status.SerializeToString()),)
        context.set_trailing_metadata(packed)
    context.abort(grpc.StatusCode.UNKNOWN, error.message)


class _Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """The protocol's side. Everything not here answers `unimplemented`, which the engine reports."""

    def __init__(self, provider: Provider, root: Path | None) -> None:
        self._provider = provider
        self._root = root
        self._lock = threading.Lock()
        # The engine has a connection for each provider resource, default or the program's own.
        self._configured: dict[str, Provider] = {}

    def _of(self, context: Any) -> Provider:
        return self._configured.get(context.peer(), self._provider)

    def Handshake(self, request: Any, context: Any) -> Any:  # noqa: N802
        if request.program_directory:
            self._root = Path(request.program_directory)
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=True, supports_autonaming_configuration=True
        )

    def Attach(self, request: Any, context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802
        return plugin_pb2.PluginInfo(version=self._provider.version)

    def GetSchema(self, request: Any, context: Any) -> Any:  # noqa: N802
        minimal = {"name": self._provider.package, "version": self._provider.version}
        return provider_pb2.GetSchemaResponse(schema=json.dumps(minimal))

    def Cancel(self, request: Any, context: Any) -> Any:  # noqa: N802
        return empty_pb2.Empty()

    @_answering
    def CheckConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._configure(context, request.urn, _config(_properties(request.news)))
        return provider_pb2.CheckResponse(inputs=request.news)

    @_answering
    def DiffConfig(self, request: Any, context: Any) -> Any:  # noqa: N802
        # Without a difference the engine goes on with the provider as its state has it.
        olds, news = _properties(request.old_inputs), _properties(request.news)
        differ = sorted(key for key in {*olds, *news} if olds.get(key) != news.get(key))
        some, none = provider_pb2.DiffResponse.DIFF_SOME, provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(changes=some if differ else none, diffs=differ)

    @_answering
    def Configure(self, request: Any, context: Any) -> Any:  # noqa: N802
        if not request.urn:
            raise ProviderError(
                "this Pulumi engine does not say which stack it configures; 3.180 or newer does"
            )
        self._configure(context, request.urn, _config(_properties(request.args)))
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, supports_autonaming_configuration=True
        )

    def _configure(self, context: Any, urn: str, config: Properties) -> None:
        with self._lock:
            provider = self._configured[context.peer()] = copy(self._provider)
            provider.configure(urn, config)

    @_answering
    def Check(self, request: Any, context: Any) -> Any:  # noqa: N802
        type_ = self._type(request.urn)
        olds = _properties(request.olds) if request.HasField("olds") else {}
        news = _properties(request.news)
        proposed = request.autonaming.proposed_name if request.HasField("autonaming") else None
        checked = self._of(context).check(
            request.urn, type_, olds or None, news, bytes(request.randomSeed), proposed
        )
        failures = [
            provider_pb2.CheckFailure(property=failure.property, reason=failure.reason)
            for failure in checked.failures
        ]
        return provider_pb2.CheckResponse(inputs=to_struct(checked.inputs), failures=failures)

    @_answering
    def Diff(self, request: Any, context: Any) -> Any:  # noqa: N802
        result = self._of(context).diff(
            self._type(request.urn),
            request.id,
            _properties(request.old_inputs),
            _properties(request.olds),
            _properties(request.news),
            list(request.ignoreChanges),
        )
        return _diff_response(result)

    @_answering
    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802
        type_ = self._type(request.urn)
        inputs = _properties(request.properties)
        if request.preview:
            outputs = self._of(context).preview_outputs(type_, inputs, None, None)
            return provider_pb2.CreateResponse(properties=to_struct(outputs))
        token = sha256(request.urn.encode()).hexdigest()[:32]
        state = self._of(context).create(request.urn, type_, self._rooted(inputs), token)
        outputs = _as_given(state.outputs, inputs)
        return provider_pb2.CreateResponse(id=state.id, properties=to_struct(outputs))

    @_answering
    def Read(self, request: Any, context: Any) -> Any:  # noqa: N802
        inputs, outputs = _properties(request.inputs), _properties(request.properties)
        known = ResourceState(request.id, inputs, outputs) if inputs or outputs else None
        state = self._of(context).read(self._type(request.urn), request.id, known)
        if state is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(
            id=state.id, properties=to_struct(state.outputs), inputs=to_struct(state.inputs)
        )

    @_answering
    def Update(self, request: Any, context: Any) -> Any:  # noqa: N802
        type_ = self._type(request.urn)
        news = _properties(request.news)
        old = ResourceState(request.id, _properties(request.old_inputs), _properties(request.olds))
        if request.preview:
            ignored = list(request.ignoreChanges)
            diff = self._of(context).diff(type_, old.id, old.inputs, old.outputs, news, ignored)
            outputs = self._of(context).preview_outputs(type_, news, old, diff)
        else:
            state = self._of(context).update(request.urn, type_, old, self._rooted(news))
            outputs = _as_given(state.outputs, news)
        return provider_pb2.UpdateResponse(properties=to_struct(outputs))

    @_answering
    def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802
        inputs, outputs = _properties(request.old_inputs), _properties(request.properties)
        state = ResourceState(request.id, inputs, outputs)
        self._of(context).delete(self._type(request.urn), state)
        return empty_pb2.Empty()

    @_answering
    def Invoke(self, request: Any, context: Any) -> Any:  # noqa: N802
        found = self._of(context).invoke(request.tok, _properties(request.args))
        return provider_pb2.InvokeResponse(**{"return": to_struct(found)})

    def _rooted(self, inputs: Properties) -> Properties:
        """Inputs whose assets' paths start at the program's folder."""
        root = self._root
        if root is None:
            return inputs
        return {
            name: replace(value, path=str(root / value.path))
            if isinstance(value, Asset) and value.path is not None
            else value
            for name, value in inputs.items()
        }

    def _type(self, urn: str) -> str:
        """The type token of a URN; the parents' types stand before it."""
        type_ = urn.split("::")[2].rsplit("$", 1)[-1]
        if not self._provider.supports(type_):
            raise ProviderError(f"{type_} is not emulated")
        return type_


def _as_given(outputs: Properties, inputs: Properties) -> Properties:
    """Outputs with the program's own asset paths: no machine's paths in a state."""
    assets = {name: value for name, value in inputs.items() if isinstance(value, Asset)}
    return {**outputs, **{name: assets[name] for name in assets if name in outputs}}


def _config(config: Properties) -> Properties:
    """Provider arguments; what is structured arrives as JSON text."""
    return {key: value for key, value in config.items() if key not in ("version", "__internal")}


def _diff_response(result: DiffResult) -> Any:
    """A property without a fact is an update here: the engine knows no 'may replace'."""
    if not result.changes:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)
    detailed = {
        path: provider_pb2.PropertyDiff(kind=_kind(entry), inputDiff=True)
        for path, entry in result.detailed.items()
    }
    tops = sorted({_top(path) for path in result.detailed})
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME,
        replaces=result.replace_keys,
        stables=list(result.stables),
        deleteBeforeReplace=bool(result.replace_keys) and result.delete_before_replace,
        diffs=tops,
        detailedDiff=detailed,
        hasDetailedDiff=True,
    )


def _kind(entry: PropertyDiff) -> provider_pb2.PropertyDiff.Kind.ValueType:
    kinds = provider_pb2.PropertyDiff
    replaces = entry.replaces is True
    match entry.kind:
        case "add":
            return kinds.ADD_REPLACE if replaces else kinds.ADD
        case "delete":
            return kinds.DELETE_REPLACE if replaces else kinds.DELETE
        case "update":
            return kinds.UPDATE_REPLACE if replaces else kinds.UPDATE


def _top(path: str) -> str:
    return path.split(".")[0].split("[")[0]
