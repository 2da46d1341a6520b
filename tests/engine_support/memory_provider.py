"""A small cloud in memory (or in one file), with latency, failures and kills on demand.

It stands for package `aws`, so that programs use the real SDK's classes, or for `fake`. Types it
knows, with what forces a replacement and what is computed, are in `TYPES`. Every mutation is appended to `calls`.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from mlops_iac.emulators.provider import (
    CheckFailure,
    CheckResult,
    DiffResult,
    MakeStandIn,
    PropertyDiff,
    ProviderError,
    ResourceState,
)
from mlops_iac.graph.standins import contains_stand_in
from mlops_iac.values import UNKNOWN, Asset, Properties, Unknown, Value, contains_unknown

# type → (name property, force-new properties, ARN shape)
TYPES: dict[str, tuple[str, frozenset[str], str]] = {
    "aws:iam/role:Role": ("name", frozenset({"name", "path"}), "arn:aws:iam::123456789012:role/{}"),
    "aws:iam/policy:Policy": ("name", frozenset({"name"}), "arn:aws:iam::123456789012:policy/{}"),
    "aws:s3/bucket:Bucket": ("bucket", frozenset({"bucket"}), "arn:aws:s3:::{}"),
    "aws:s3/bucketObjectv2:BucketObjectv2": (
        "key",
        frozenset({"bucket", "key"}),
        "arn:aws:s3:::o/{}",
    ),
    "aws:sns/topic:Topic": ("name", frozenset({"name"}), "arn:aws:sns:eu-west-1:123456789012:{}"),
    "aws:ssm/parameter:Parameter": (
        "name",
        frozenset({"name"}),
        "arn:aws:ssm:eu-west-1:123456789012:parameter/{}",
    ),
    "aws:sqs/queue:Queue": (
        "name",
        frozenset({"name", "fifoQueue"}),
        "arn:aws:sqs:eu-west-1:123456789012:{}",
    ),
    # Its labels go in as a list of pairs and come back as a map.
    "fake:index/box:Box": ("name", frozenset({"name", "place"}), "fake:box:{}"),
}
JSON_VALUED = {"assumeRolePolicy", "policy"}


def _same(key: str, old: Value, new: Value) -> bool:
    if isinstance(old, Asset) and isinstance(new, Asset):
        return old.hash == new.hash
    if key in JSON_VALUED and isinstance(old, str) and isinstance(new, str):
        return bool(json.loads(old) == json.loads(new))
    return bool(old == new)


def _labels(inputs: Properties) -> dict[str, Value]:
    labels = inputs.get("labels")
    if not isinstance(labels, list):
        return {"labels": labels} if "labels" in inputs else {}
    return {"labels": {each["key"]: each["value"] for each in labels}}


class MemoryProvider:
    version = "7.51.1"

    def __init__(self, file: Path | None = None, *, package: str = "aws") -> None:
        self.file = file
        self.package = package
        self.config: Properties = {}
        self.lock = threading.RLock()
        self.things: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[str, str]] = []
        self.fail: dict[str, str] = {}  # "create:name" → message
        self.partial: set[str] = set()
        self.latency = 0.0
        self.hook: Callable[[str, str], None] = lambda when, what: None
        self.running = 0
        self.peak = 0
        self.stacks: list[str] = []
        self._load()

    # -- persistence, for the tests that kill ------------------------------------------------
    def _load(self) -> None:
        if self.file and self.file.exists():
            self.things = json.loads(self.file.read_text())

    def _save(self) -> None:
        if self.file:
            temporary = self.file.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
            temporary.write_text(json.dumps(self.things))
            temporary.replace(self.file)

    def _enter(self, verb: str, what: str) -> None:
        with self.lock:
            self.running += 1
            self.peak = max(self.peak, self.running)
        self.hook("before", f"{verb}:{what}")
        if self.latency:
            time.sleep(self.latency)

    def _leave(self, verb: str, what: str) -> None:
        with self.lock:
            self.running -= 1
        self.hook("after", f"{verb}:{what}")

    # -- the interface -----------------------------------------------------------------------
    def configure(self, stack: str, config: Properties) -> None:
        self.stacks.append(stack)
        self.config = config
        if stack != "local" and not stack.startswith("urn:pulumi:local::"):
            raise ProviderError(f"the emulator serves the stack local, not {stack}")

    def supports(self, type_: str) -> bool:
        return type_ in TYPES and type_.startswith(f"{self.package}:")

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
        name_key = TYPES[type_][0]
        inputs = {k: v for k, v in news.items() if v is not None}
        failures = [CheckFailure(k, "is not a word") for k in inputs if inputs[k] == "bad!"]
        if name_key not in inputs:
            old = (olds or {}).get(name_key)
            logical = urn.rsplit("::", 1)[1]
            inputs[name_key] = old or proposed or f"{logical}-{sha256(seed).hexdigest()[:7]}"
        return CheckResult(inputs, failures)

    def diff(
        self,
        type_: str,
        id_: str,
        old_inputs: Properties,
        old_outputs: Properties,
        new_inputs: Properties,
        ignore_changes: Sequence[str] = (),
    ) -> DiffResult:
        name_key, force_new, _ = TYPES[type_]
        detailed: dict[str, PropertyDiff] = {}
        for key in sorted({*old_inputs, *new_inputs}):
            old, new = old_inputs.get(key), new_inputs.get(key)
            if key in ignore_changes or (_same(key, old, new) and not contains_unknown(new)):
                continue
            kind = "add" if old is None else "delete" if new is None else "update"
            replaces = None if key == "mystery" else key in force_new
            if isinstance(old, dict) and isinstance(new, dict):
                for inner in sorted({*old, *new}):
                    if old.get(inner) != new.get(inner):
                        k = (
                            "add"
                            if inner not in old
                            else "delete"
                            if inner not in new
                            else "update"
                        )
                        detailed[f"{key}.{inner}"] = PropertyDiff(k, replaces, "memory 1")
            else:
                detailed[key] = PropertyDiff(kind, replaces, "memory 1")  # type: ignore[arg-type]
        fixed = new_inputs.get(name_key) == old_inputs.get(name_key)
        explicit = old_inputs.get("__fixed") or not str(old_inputs.get(name_key, "")).count("-")
        return DiffResult(detailed, delete_before_replace=bool(fixed and explicit))

    def _outputs(self, type_: str, inputs: Properties) -> dict[str, Value]:
        name_key, _, shape = TYPES[type_]
        name = inputs[name_key]
        known = not isinstance(name, Unknown)
        outputs = dict(inputs)
        outputs["arn"] = shape.replace("{}", name) if known else UNKNOWN
        outputs["id"] = name
        if self.package == "fake":
            outputs["place"] = inputs.get("place", self.config.get("place"))
            outputs.update(_labels(inputs))
        return outputs

    def preview_outputs(
        self, type_: str, inputs: Properties, old: ResourceState | None, diff: DiffResult | None
    ) -> Properties:
        if old is not None:
            return {**old.outputs, **inputs, **_labels(inputs)}
        return {**inputs, **_labels(inputs), "arn": UNKNOWN, "id": UNKNOWN}

    def stand_ins(
        self, type_: str, name: str, inputs: Properties, make: MakeStandIn
    ) -> tuple[str, Properties]:
        name_key, _, shape = TYPES[type_]
        id_ = make("id", "{}")
        outputs = {name_key: make(name_key, "{}"), **inputs, **_labels(inputs)}
        return id_, {**outputs, "arn": make("arn", shape)}

    def create(self, urn: str, type_: str, inputs: Properties, token: str) -> ResourceState:
        assert not contains_stand_in(inputs) and not contains_unknown(inputs), inputs
        logical = urn.rsplit("::", 1)[1]
        self._enter("create", logical)
        try:
            if message := self.fail.get(f"create:{logical}"):
                partial = None
                if logical in self.partial:
                    partial = self._store(type_, inputs, token)
                raise ProviderError(message, partial=partial)
            if f"{type_}|{inputs[TYPES[type_][0]]}" in self.things:
                raise ProviderError(f"{inputs[TYPES[type_][0]]} already exists")
            state = self._store(type_, inputs, token)
            self.calls.append(("create", logical))
            return state
        finally:
            self._leave("create", logical)

    def _store(self, type_: str, inputs: Properties, token: str) -> ResourceState:
        with self.lock:
            id_ = inputs[TYPES[type_][0]]
            plain = {k: {"asset": v.hash} if isinstance(v, Asset) else v for k, v in inputs.items()}
            self.things[f"{type_}|{id_}"] = {"inputs": plain, "token": token}
            self._save()
        return ResourceState(id_, inputs, self._outputs(type_, inputs))

    def read(self, type_: str, id_: str, known: ResourceState | None) -> ResourceState | None:
        thing = self.things.get(f"{type_}|{id_}")
        if thing is None:
            return None
        inputs = dict(thing["inputs"])
        if known is not None:
            for key, value in known.inputs.items():
                if isinstance(value, Asset) and inputs.get(key) == {"asset": value.hash}:
                    inputs[key] = value
        return ResourceState(id_, inputs, self._outputs(type_, inputs))

    def update(
        self, urn: str, type_: str, old: ResourceState, new_inputs: Properties
    ) -> ResourceState:
        assert not contains_stand_in(new_inputs) and not contains_unknown(new_inputs)
        logical = urn.rsplit("::", 1)[1]
        self._enter("update", logical)
        try:
            if message := self.fail.get(f"update:{logical}"):
                raise ProviderError(message)
            if f"{type_}|{old.id}" not in self.things:
                raise ProviderError(f"{old.id} does not exist")
            token = self.things[f"{type_}|{old.id}"]["token"]
            state = self._store(type_, new_inputs, token)
            self.calls.append(("update", logical))
            return state
        finally:
            self._leave("update", logical)

    def delete(self, type_: str, state: ResourceState) -> None:
        self._enter("delete", state.id)
        try:
            if message := self.fail.get(f"delete:{state.id.split('-')[0]}"):
                raise ProviderError(message)
            with self.lock:
                self.things.pop(f"{type_}|{state.id}", None)
                self._save()
            self.calls.append(("delete", state.id))
        finally:
            self._leave("delete", state.id)

    def find(self, type_: str, inputs: Properties, token: str) -> ResourceState | None:
        id_ = inputs[TYPES[type_][0]]
        thing = self.things.get(f"{type_}|{id_}")
        if thing is None or thing["token"] != token:
            return None
        return ResourceState(id_, inputs, self._outputs(type_, inputs))

    def invoke(self, token: str, args: Properties) -> Mapping[str, Value]:
        answers: dict[str, dict[str, Any]] = {
            "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": "123456789012"},
            "aws:index/getRegion:getRegion": {"name": "eu-west-1", "region": "eu-west-1"},
            "fake:index/getPlace:getPlace": {"place": self.config.get("place")},
        }
        if token not in answers:
            raise ProviderError(f"no offline answer for {token}")
        return answers[token]
