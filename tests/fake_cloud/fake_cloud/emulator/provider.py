"""The emulated cloud as a Pulumi provider; every type in the same way, by the table of properties."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fake_cloud.emulator.world import Gone, World
from fake_cloud.types import BUCKET, OBJECT, PIPELINE, PROPERTIES
from mlops_iac.emulators.provider import (
    CheckFailure,
    CheckResult,
    DiffResult,
    MakeStandIn,
    PropertyDiff,
    ProviderError,
    ResourceState,
)
from mlops_iac.values import UNKNOWN, Asset, Properties, Value, contains_unknown, reveal

_SOURCE = "fake 1.0.0"


class FakeProvider:
    """Implements `emulators.provider.Provider`. `serves` is the one stack that it deploys."""

    package = "fake"
    version = "1.0.0"

    def __init__(self, world: World, ensure: Callable[[], str], *, serves: str) -> None:
        self._world, self._ensure, self._serves = world, ensure, serves

    def configure(self, stack: str, config: Properties) -> None:
        name = stack.split("::")[0].rsplit(":", 1)[-1] if stack.startswith("urn:") else stack
        if name != self._serves:
            raise ProviderError(f"the emulated Fake serves '{self._serves}' alone, not '{name}'")

    def supports(self, type_: str) -> bool:
        return type_ in PROPERTIES

    def records(self, type_: str) -> bool:
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
        inputs = {name: value for name, value in news.items() if value is not None}
        unknown = [name for name in inputs if name not in PROPERTIES[type_]]
        return CheckResult(inputs, [CheckFailure(name, "is no property") for name in unknown])

    def diff(
        self,
        type_: str,
        id_: str,
        old_inputs: Properties,
        old_outputs: Properties,
        new_inputs: Properties,
        ignore_changes: Sequence[str] = (),
    ) -> DiffResult:
        detailed: dict[str, PropertyDiff] = {}
        for name, replaces in PROPERTIES[type_].items():
            old, new = _plain(old_inputs.get(name)), _plain(new_inputs.get(name))
            if name not in ignore_changes and (old != new or contains_unknown(new)):
                kind = "add" if old is None else "delete" if new is None else "update"
                detailed[name] = PropertyDiff(kind, replaces, _SOURCE)  # type: ignore[arg-type]
        return DiffResult(detailed, delete_before_replace=True)

    def preview_outputs(
        self, type_: str, inputs: Properties, old: ResourceState | None, diff: DiffResult | None
    ) -> Properties:
        if old is None or (diff is not None and diff.replace_keys):
            return {**inputs, "url": UNKNOWN}
        return {**old.outputs, **inputs}

    def stand_ins(
        self, type_: str, name: str, inputs: Properties, make: MakeStandIn
    ) -> tuple[str, Properties]:
        return make("id", "{}"), {**inputs, "url": make("url", "fake://{}")}

    def create(self, urn: str, type_: str, inputs: Properties, token: str) -> ResourceState:
        self._ensure()
        id_ = "/".join(
            str(reveal(inputs[key])) for key in ("bucket", "key", "name") if key in inputs
        )
        if f"{type_}|{id_}" in self._world.read()["things"]:
            raise ProviderError(f"{id_} is there already")
        return self._keep(type_, id_, inputs, token)

    def read(self, type_: str, id_: str, known: ResourceState | None) -> ResourceState | None:
        self._ensure()
        try:
            inputs = self._world.thing(type_, id_)
        except Gone:
            return None
        for name, value in (known.inputs if known else {}).items():
            if _plain(value) == inputs.get(name):
                inputs[name] = value
        return ResourceState(id_, inputs, _outputs(id_, inputs))

    def update(
        self, urn: str, type_: str, old: ResourceState, new_inputs: Properties
    ) -> ResourceState:
        if self.read(type_, old.id, None) is None:
            raise ProviderError(f"{old.id} is not there any more")
        return self._keep(type_, old.id, new_inputs, "")

    def delete(self, type_: str, state: ResourceState) -> None:
        self._ensure()
        with self._world.changing() as world:
            world["things"].pop(f"{type_}|{state.id}", None)
            if type_ == PIPELINE:
                world["versions"].pop(state.id, None)
        if type_ == BUCKET:
            shutil.rmtree(self._world.path(state.id), ignore_errors=True)
        if type_ == OBJECT:
            self._world.path(state.id).unlink(missing_ok=True)

    def find(self, type_: str, inputs: Properties, token: str) -> ResourceState | None:
        for key, thing in self._world.read()["things"].items():
            if thing["token"] == token and key.startswith(f"{type_}|"):
                return self.read(type_, key.partition("|")[2], ResourceState("", inputs, {}))
        return None

    def invoke(self, token: str, args: Properties) -> Mapping[str, Value]:
        raise ProviderError(f"{token} is not answered here")

    def _keep(self, type_: str, id_: str, inputs: Properties, token: str) -> ResourceState:
        source = inputs.get("source")
        if isinstance(source, Asset):
            path = self._world.path(id_)
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(str(source.path), path)
        with self._world.changing() as world:
            plain = {name: _plain(value) for name, value in inputs.items()}
            world["things"][f"{type_}|{id_}"] = {"inputs": plain, "token": token}
        return ResourceState(id_, inputs, _outputs(id_, inputs))


def _outputs(id_: str, inputs: Properties) -> dict[str, Any]:
    return {**inputs, "url": f"fake://{id_}"}


def _plain(value: Value) -> Any:
    found = reveal(value)
    return f"sha256:{found.hash}" if isinstance(found, Asset) else found
