"""The provider of an emulated cloud: Pulumi's own verbs over the handlers of its types.

check → differences → (preview | stand-ins) need neither an SDK nor an emulator; create, read,
update, delete and find do. What is particular to a type is its handler's.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from mlops_iac.emulators.common.checking import check_inputs
from mlops_iac.emulators.common.comparing import Comparison
from mlops_iac.emulators.common.facts import Facts, PropertyFact
from mlops_iac.emulators.common.handler import HalfMade, Handler
from mlops_iac.emulators.common.naming import DEFAULTS, complete_name
from mlops_iac.emulators.common.outputs import (
    as_written,
    computed,
    keep_secrets,
    preview_outputs,
    stand_in_outputs,
    with_defaults,
    with_zeros,
)
from mlops_iac.emulators.provider import (
    CheckResult,
    DiffResult,
    MakeStandIn,
    PropertyDiff,
    ProviderError,
    ResourceState,
)
from mlops_iac.graph.standins import contains_stand_in
from mlops_iac.values import UNKNOWN, Properties, Unknown, Value, contains_unknown, reveal


class HandlerProvider(ABC):
    """What of `emulators.provider.Provider` is the same for every emulated cloud.

    `deleted_with` are inputs that every deletion gets beside its own.
    """

    facts: ClassVar[Facts]
    # Whether an absent value equals an empty one (`Comparison.zeros`).
    zeros: ClassVar[bool] = True
    deleted_with: Mapping[str, Value] = MappingProxyType({})

    @staticmethod
    @abstractmethod
    def handler_for(type_: str) -> Handler | None:
        """The handler of a type token, or None where the type is not emulated."""

    @staticmethod
    def canonical(document: Any) -> Any:
        """A JSON document in one form for all that mean the same."""
        return document

    @abstractmethod
    def api(self, outputs: Properties) -> Any:
        """The way to where a resource with these outputs was made; without any, to make one."""

    @abstractmethod
    def place(self, outputs: Properties | None = None) -> Mapping[str, str]:
        """The names of that place, of which ids are made."""

    def moves(self, old_outputs: Properties, new_inputs: Properties) -> dict[str, PropertyDiff]:
        """Differences in where a resource stands, which its inputs do not tell."""
        return {}

    def supports(self, type_: str) -> bool:
        """Whether the type is emulated (or recorded)."""
        return self.handler_for(type_) is not None

    def records(self, type_: str) -> bool:
        """Whether the emulator has nothing of the type."""
        handler = self.handler_for(type_)
        return handler is not None and handler.recorded

    def check(
        self,
        urn: str,
        type_: str,
        olds: Properties | None,
        news: Properties,
        seed: bytes,
        proposed: str | None = None,
    ) -> CheckResult:
        """Validate against the SDK's schema and fill in the name."""
        handler = self._handler(type_)
        failures = check_inputs(news, handler.schema.inputs)
        inputs = dict(news)
        if handler.name is not None:
            inputs, refused = complete_name(handler.name, urn, olds, news, seed, proposed)
            failures += refused
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
        """Compare by meaning. `replaces` comes from the facts, or is None.

        A replacement deletes first where both copies would have one name: with a fixed name, as
        pulumi-terraform-bridge decides (`nameRequiresDeleteBeforeReplace`), and, beyond it, where
        the id is the same, because here the second delete would take the new copy away.
        """
        del id_
        handler = self._handler(type_)
        comparison = self._comparison(type_)
        detailed = {
            **comparison.differences(old_inputs, new_inputs, handler.schema.inputs, ignore_changes),
            **self.moves(old_outputs, new_inputs),
        }
        replacing = any(entry.replaces is not False for entry in detailed.values())
        return DiffResult(
            detailed=detailed,
            delete_before_replace=replacing and _same_name(handler, old_inputs, new_inputs),
            stables=[n for n in handler.computed if n not in handler.volatile] if detailed else [],
        )

    def preview_outputs(
        self, type_: str, inputs: Properties, old: ResourceState | None, diff: DiffResult | None
    ) -> Properties:
        """Outputs as far as known. An update keeps the old ones but those it can move."""
        handler = self._handler(type_)
        fresh = preview_outputs(handler, inputs, self._facts(type_), self.place())
        if old is None or diff is None or diff.replace_keys:
            return fresh
        gone = set(old.inputs) - set(inputs)
        kept = {
            name: UNKNOWN if diff.changes and name in handler.volatile else value
            for name, value in old.outputs.items()
            if name not in gone
        }
        known = {k: v for k, v in fresh.items() if not isinstance(v, Unknown) or k in inputs}
        return {**kept, **known, **{k: v for k, v in kept.items() if k in handler.volatile}}

    def stand_ins(
        self, type_: str, name: str, inputs: Properties, make: MakeStandIn
    ) -> tuple[str, Properties]:
        """Id and outputs for symbolic capture; names that the program gives stay literal."""
        del name
        return stand_in_outputs(
            self._handler(type_), inputs, self._facts(type_), self.place(), make
        )

    def create(self, urn: str, type_: str, inputs: Properties, token: str) -> ResourceState:
        """Create, and read back. Raises ProviderError, with `partial` where something exists."""
        del urn
        handler, api = self._handler(type_), self.api({})
        self.refuse_unreal(type_, inputs)
        if handler.recorded:
            return self._record(handler, inputs)
        try:
            id_ = handler.create(api, inputs, token)
        except HalfMade as error:
            partial = self._read(api, handler, error.id, inputs, {})
            raise ProviderError(error.message, partial=partial) from error
        return self._must_read(api, handler, id_, inputs)

    def read(self, type_: str, id_: str, known: ResourceState | None) -> ResourceState | None:
        """What exists now; what is recorded alone is as it was recorded."""
        handler = self._handler(type_)
        if handler.recorded:
            return known
        outputs = known.outputs if known else {}
        state = self._read(self.api(outputs), handler, id_, known.inputs if known else {}, outputs)
        if state is None or known is None:
            return state
        return ResourceState(state.id, state.inputs, state.outputs, known.recorded)

    def update(
        self, urn: str, type_: str, old: ResourceState, new_inputs: Properties
    ) -> ResourceState:
        """Change in place, and read back."""
        del urn
        handler = self._handler(type_)
        self.refuse_unreal(type_, new_inputs)
        if handler.recorded:
            return self._record(handler, new_inputs)
        api = self.api(old.outputs)
        try:
            handler.update(api, old.id, old, new_inputs)
        except ProviderError as error:
            # What is there now is what the next plan must start from.
            try:
                partial = self._read(api, handler, old.id, old.inputs, old.outputs)
            except ProviderError:
                partial = None
            raise ProviderError(error.message, partial=partial) from error
        state = self._must_read(api, handler, old.id, new_inputs)
        return ResourceState(state.id, state.inputs, state.outputs, old.recorded)

    def delete(self, type_: str, state: ResourceState) -> None:
        """Delete; absent already is success."""
        handler = self._handler(type_)
        if not handler.recorded:
            inputs = {**reveal(state.inputs), **self.deleted_with}
            plain = ResourceState(state.id, inputs, reveal(state.outputs))
            handler.delete(self.api(plain.outputs), state.id, plain)

    def find(self, type_: str, inputs: Properties, token: str) -> ResourceState | None:
        """What an interrupted create left: by final name, or by operation tag."""
        handler = self._handler(type_)
        if handler.recorded:
            return None
        plain = reveal(dict(inputs))
        api = self.api({})
        id_ = handler.find(api, plain, token)
        return None if id_ is None else self._read(api, handler, id_, inputs, {})

    def refuse_unreal(self, type_: str, inputs: Properties) -> None:
        """Raise ProviderError for inputs that must not reach a cloud."""
        if contains_unknown(inputs):
            raise ProviderError(f"{type_}: an input is still unknown")
        if contains_stand_in(inputs):
            raise ProviderError(f"{type_}: an input holds a stand-in of a capture")

    def _handler(self, type_: str) -> Handler:
        handler = self.handler_for(type_)
        if handler is None:
            raise ProviderError(f"{type_} is not emulated")
        return handler

    def _facts(self, type_: str) -> Mapping[str, PropertyFact]:
        return self.facts.properties(type_)

    def _comparison(self, type_: str) -> Comparison:
        return Comparison(self._facts(type_), self.canonical, self.zeros)

    def _must_read(self, api: Any, handler: Handler, id_: str, inputs: Properties) -> ResourceState:
        state = self._read(api, handler, id_, inputs, {})
        if state is None:
            raise ProviderError(f"{handler.type} {id_} is gone right after it was written")
        return ResourceState(state.id, inputs, state.outputs, state.recorded)

    def _record(self, handler: Handler, inputs: Properties) -> ResourceState:
        """Validate against the API's model; nothing is called."""
        handler.validate(self.api({}), inputs)
        facts, place = self._facts(handler.type), self.place()
        outputs = with_defaults(handler, inputs, facts, place)
        outputs.update(computed(handler, outputs, place, None))
        with_zeros(handler, outputs, facts)
        return ResourceState(handler.id_of(outputs), inputs, outputs, recorded=True)

    def _read(
        self, api: Any, handler: Handler, id_: str, inputs: Properties, old_outputs: Properties
    ) -> ResourceState | None:
        """Lay what the emulator says over what is known."""
        known = {**reveal(dict(old_outputs)), **reveal(dict(inputs))}
        actual = handler.read(api, id_, known)
        if actual is None:
            return None
        comparison = self._comparison(handler.type)
        fields = handler.schema.inputs
        now: dict[str, Value] = {}
        for name, value in inputs.items():
            if (
                name.startswith("__")
                or name in handler.local - actual.keys()
                or name in handler.not_kept
                or name not in fields
            ):
                now[name] = value
            elif actual.get(name) is not None:
                now[name] = as_written(value, actual[name], fields[name], comparison, name)
            elif (
                name not in actual and name in (handler.name.prefix if handler.name else "",)
            ) or comparison.same(reveal(value), None, fields[name], name):
                now[name] = value
        if not inputs:  # an import: everything that can be written
            now = {k: v for k, v in actual.items() if k in fields}
        elif actual.get("tags") and not inputs.get("tags"):
            now["tags"] = actual["tags"]
        place = self.place(old_outputs)
        outputs = with_defaults(handler, now, self._facts(handler.type), place)
        for name, value in actual.items():
            if name not in handler.not_kept or name not in now:
                same = name in now and comparison.same(
                    reveal(now[name]), value, fields.get(name, {"type": "any"}), name
                )
                outputs[name] = outputs[name] if same else value
        outputs = {k: v for k, v in outputs.items() if v is not None and k != DEFAULTS}
        handler.derive(outputs, place)
        outputs.update(computed(handler, outputs, place, None))
        if self.zeros:
            with_zeros(handler, outputs, self._facts(handler.type))
        return ResourceState(id_, now, keep_secrets(now, outputs))


def _same_name(handler: Handler, old: Properties, new: Properties) -> bool:
    rule = handler.name
    if rule is not None:
        if rule.property in (new.get(DEFAULTS) or ()):
            return False
        name = new.get(rule.property)
        if isinstance(name, Unknown) or name != old.get(rule.property):
            return False
    if handler.server_named:
        return rule is not None
    try:
        return handler.id_of(reveal(dict(old))) == handler.id_of(reveal(dict(new)))
    except KeyError:
        return rule is not None
