"""Dynamic resources: the program's own provider code, run in-process.

The protocol is that of the plugin which the real CLI starts for them (SDK 3.272,
`pulumi/dynamic/__main__.py`): inputs and outputs carry the provider under `__provider`, and an
update, a refresh or a deletion runs what stands there.

What stands there is a pickle, and unpickling runs whatever it names. So it is read by a reader that
knows plain data and provider classes of importable modules, and nothing else: code comes from a
module by its name, never out of a pickle. A class in `__main__.py`, which a pickle would have to
bring along, is refused when it is registered. A state that holds one is the embedded engine's own,
where it is sealed with the key beside it; locks and plans hold none.
"""

from __future__ import annotations

import base64
import importlib
import io
import pickle
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NoReturn

from mlops_iac.emulators.provider import (
    CheckFailure,
    CheckResult,
    DiffKind,
    DiffResult,
    MakeStandIn,
    PropertyDiff,
    ProviderError,
    ResourceState,
)
from mlops_iac.engine.embedded.output import captured
from mlops_iac.engine.embedded.registration import DYNAMIC_PROVIDER as PROVIDER
from mlops_iac.values import UNKNOWN, Asset, Properties, Unknown, Value

PACKAGE: Final = "pulumi-python"
_HINT = (
    "define the provider's class in a module beside the program, and keep nothing but text, numbers, "
    "lists and mappings in it"
)


class DynamicProvider:
    """Implements `emulators.provider.Provider` for every dynamic type of one program.

    The program's folder is on the path of modules whenever it is called. `tell` hears each line that
    providers print.
    """

    package = PACKAGE
    version = ""

    def __init__(self, project: str, tell: Callable[[str], None]) -> None:
        self._project = project
        self._tell = tell
        self._config: dict[str, Value] = {}
        self._known: dict[str, Any] = {}
        self._lock = threading.RLock()

    def configure(self, stack: str, config: Properties) -> None:
        """Take the stack's whole configuration, namespaces included, as the real engine hands it."""
        self._config = dict(config)

    def supports(self, type_: str) -> bool:
        """Whether it is the type of a dynamic resource: `pulumi-python:dynamic/module:Class`."""
        return type_.startswith((f"{PACKAGE}:dynamic:", f"{PACKAGE}:dynamic/"))

    def records(self, type_: str) -> bool:
        """What it creates exists."""
        return False

    def check(
        self,
        urn: str,
        type_: str,
        olds: Properties | None,
        news: Properties,
        seed: bytes,
        proposed: str | None = None,
    ) -> CheckResult:
        """What the provider's `check` makes of the inputs."""
        result = self._call(news, "check", _given(olds or {}), _given(news))
        failures = [CheckFailure(each.property, each.reason) for each in result.failures or ()]
        return CheckResult(_taken(result.inputs or {}, news), failures)

    def diff(
        self,
        type_: str,
        id_: str,
        old_inputs: Properties,
        old_outputs: Properties,
        new_inputs: Properties,
        ignore_changes: Sequence[str] = (),
    ) -> DiffResult:
        """What the provider's `diff` says; where it says nothing, inputs that differ are changes."""
        differ = [
            key
            for key in {**old_inputs, **new_inputs}
            if old_inputs.get(key) != new_inputs.get(key)
        ]
        if not id_:  # planned by an earlier pass, so there is nothing to ask its provider about
            return DiffResult(
                {key: PropertyDiff(_kind(key, old_inputs, new_inputs), None) for key in differ}
            )
        olds = {PROVIDER: old_inputs.get(PROVIDER), **old_outputs}
        result = self._call(new_inputs, "diff", id_, _given(olds), _given(new_inputs))
        replaces = list(result.replaces or ())
        if result.changes is False or not (result.changes or differ):
            return DiffResult()
        detailed = {
            key: PropertyDiff(_kind(key, old_inputs, new_inputs), key in replaces, "its own diff")
            for key in dict.fromkeys([*sorted(differ), *replaces])
        }
        return DiffResult(
            detailed,
            delete_before_replace=bool(result.delete_before_replace),
            stables=list(result.stables or ()),
            differs=True,
        )

    def preview_outputs(
        self, type_: str, inputs: Properties, old: ResourceState | None, diff: DiffResult | None
    ) -> Properties:
        """The inputs alone, as in the real engine: nothing is called, the rest is unknown."""
        return inputs

    def stand_ins(
        self, type_: str, name: str, inputs: Properties, make: MakeStandIn
    ) -> tuple[str, Properties]:
        """The inputs; what else it will have is unknown."""
        return make("id", "{}"), inputs

    def create(self, urn: str, type_: str, inputs: Properties, token: str) -> ResourceState:
        """Raises ProviderError with what the provider's `create` raised."""
        result = self._call(inputs, "create", _given(inputs))
        if not isinstance(result.id, str) or not result.id:
            raise ProviderError(f"create returned the id {result.id!r}, which is no text")
        return ResourceState(result.id, inputs, _taken(result.outs or {}, inputs))

    def read(self, type_: str, id_: str, known: ResourceState | None) -> ResourceState | None:
        """What the provider's `read` finds; the inputs are the old ones unless it returns some."""
        assert known is not None, "a dynamic resource is read from a state"
        props = known.outputs or known.inputs
        result = self._call(props, "read", id_, _given(props))
        if not result.id:
            return None
        inputs = known.inputs if result.inputs is None else _taken(result.inputs, known.inputs)
        return ResourceState(result.id, inputs, _taken(result.outs or {}, props))

    def update(
        self, urn: str, type_: str, old: ResourceState, new_inputs: Properties
    ) -> ResourceState:
        """Raises ProviderError with what the provider's `update` raised."""
        args = (old.id, _given(old.outputs), _given(new_inputs))
        result = self._call(new_inputs, "update", *args)
        return ResourceState(old.id, new_inputs, _taken(result.outs or {}, new_inputs))

    def delete(self, type_: str, state: ResourceState) -> None:
        """Raises ProviderError with what the provider's `delete` raised."""
        props = state.outputs or state.inputs
        self._call(props, "delete", state.id, _given(props))

    def find(self, type_: str, inputs: Properties, token: str) -> ResourceState | None:
        """Nothing: the protocol has no way to ask."""
        return None

    def invoke(self, token: str, args: Properties) -> Mapping[str, Value]:
        """Refused: a dynamic provider has no data sources."""
        raise ProviderError(f"{token} is no data source")

    def _call(self, props: Properties, method: str, *args: Any) -> Any:
        """Run one method of the provider in `props`. Raises ProviderError for whatever it raises."""
        provider = self._provider(props)
        try:
            with captured(self._tell):
                result = getattr(provider, method)(*args)
        except (Exception, SystemExit) as error:
            said = str(error).strip() or "no message"
            raise ProviderError(
                f"{type(provider).__name__}.{method}: {type(error).__name__}: {said}"
            ) from error
        if result is None and method != "delete":
            raise ProviderError(f"{type(provider).__name__}.{method} returned nothing")
        return result

    def _provider(self, props: Properties) -> Any:
        """The provider, read and configured once."""
        text = props.get(PROVIDER)
        if not isinstance(text, str):
            raise ProviderError("there is no provider in the inputs of this dynamic resource")
        with self._lock:
            if text not in self._known:
                from pulumi.dynamic import Config, ConfigureRequest

                provider = load(text)
                request = ConfigureRequest(Config(dict(self._config), self._project))
                with captured(self._tell):
                    try:
                        provider.configure(request)
                    except (Exception, SystemExit) as error:
                        raise ProviderError(
                            f"{type(provider).__name__}.configure: {type(error).__name__}: {error}"
                        ) from error
                self._known[text] = provider
            return self._known[text]


def _kind(key: str, old: Properties, new: Properties) -> DiffKind:
    if (key in old) == (key in new):
        return "update"
    return "add" if key in new else "delete"


def load(text: str) -> Any:
    """The provider that was pickled as `text`. Raises ProviderError for what may not be in it."""
    from pulumi.dynamic import ResourceProvider

    try:
        provider = _Reader(io.BytesIO(base64.b64decode(text))).load()
    except ProviderError:
        raise
    except Exception as error:
        raise ProviderError(
            f"the provider of this dynamic resource cannot be read: {error}"
        ) from error
    if not isinstance(provider, ResourceProvider):
        raise ProviderError("what stands in the place of the provider is none")
    return provider


def name_of_provider(text: str) -> str:
    """`module:Class` of the provider that was pickled as `text`. Raises ProviderError.

    What a lock shows of it: the pickle is of one Python and may hold secrets, and a program that
    changes what is in it changes nothing unless the provider's `diff` says so.
    """
    kind = type(load(text))
    return f"{kind.__module__}:{kind.__qualname__}"


class _Reader(pickle.Unpickler):
    """Reads plain data and provider classes, and refuses to look anything else up."""

    def find_class(self, module: str, name: str) -> Any:
        """A provider class of an importable module. Raises ProviderError for anything else."""
        from pulumi.dynamic import ResourceProvider

        if module.partition(".")[0] in ("__main__", "builtins", "dill", "copyreg"):
            _refuse(module, name)
        try:
            found: Any = importlib.import_module(module)
            for part in name.split("."):
                found = getattr(found, part)
        except (ImportError, AttributeError) as error:
            raise ProviderError(
                f"the provider {module}:{name} of this dynamic resource is not there: {error}"
            ) from error
        if not (isinstance(found, type) and issubclass(found, ResourceProvider)):
            _refuse(module, name)
        return found

    def persistent_load(self, pid: Any) -> NoReturn:
        """Nothing is kept outside of the pickle."""
        _refuse("a persistent id", str(pid))


def _refuse(module: str, name: str) -> NoReturn:
    raise ProviderError(
        f"the provider of this dynamic resource holds {module}.{name}, which is not read: {_HINT}"
    )


def _given(value: Value) -> Any:
    """A property value as the SDK hands it to a provider."""
    import pulumi
    from pulumi.output import Unknown as SdkUnknown

    match value:
        case Unknown():
            return SdkUnknown()  # type: ignore[no-untyped-call]
        case Asset(path=str(path), archive=archive):
            return pulumi.FileArchive(path) if archive else pulumi.FileAsset(path)
        case Asset(text=str(text)):
            return pulumi.StringAsset(text)
        case int() if not isinstance(value, bool):
            return float(value)  # the wire has no other numbers
        case Mapping():
            return {key: _given(item) for key, item in value.items()}
        case list() | tuple():
            return [_given(item) for item in value]
        case _:
            return value


def _taken(outs: Any, props: Properties) -> dict[str, Value]:
    """What a provider returned, with the provider itself as in `props`. Raises ProviderError."""
    if not isinstance(outs, Mapping):
        raise ProviderError(f"a provider returns mappings, not a {type(outs).__name__}")
    found = {str(key): _value(item, str(key)) for key, item in outs.items()}
    return {**found, PROVIDER: props.get(PROVIDER)}


def _value(value: Any, path: str) -> Value:
    from pulumi.output import Unknown as SdkUnknown

    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return int(value) if value.is_integer() else value
        case SdkUnknown():
            return UNKNOWN
        case Mapping():
            return {str(key): _value(item, f"{path}.{key}") for key, item in value.items()}
        case list() | tuple():
            return [_value(item, f"{path}[{index}]") for index, item in enumerate(value)]
        case _:
            raise ProviderError(
                f"{path}: a provider returned a {type(value).__name__}, which is no property value"
            )
