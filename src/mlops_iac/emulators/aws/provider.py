"""The emulated AWS as a Pulumi provider: moto behind Pulumi's own verbs.

check → differences → (preview | stand-ins) need neither boto3 nor an emulator; create, read,
update, delete and find do. What is particular to a type stands in `resources/`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType

from mlops_iac.emulators.aws.api import Api, Place
from mlops_iac.emulators.aws.checking import check_inputs
from mlops_iac.emulators.aws.comparing import Comparison
from mlops_iac.emulators.aws.facts import PropertyFact, facts_for
from mlops_iac.emulators.aws.invokes import invoke as answer_invoke
from mlops_iac.emulators.aws.naming import DEFAULTS, complete_name
from mlops_iac.emulators.aws.resources import handler_for
from mlops_iac.emulators.aws.resources.base import HalfMade, Handler
from mlops_iac.emulators.aws.standing import (
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
from mlops_iac.values import (
    UNKNOWN,
    Properties,
    Unknown,
    Value,
    contains_unknown,
    reveal,
)

LOCAL = "local"
_NO_FACTS: Mapping[str, PropertyFact] = MappingProxyType({})
# Where it is known from that a regional resource keeps its region and cannot change it: source of
# hashicorp/aws 6, internal/provider/sdkv2/region.go (`forceNewIfRegionChanges`).
_KEEPS_REGION = "hashicorp/aws 6"
# Provider settings that would change resources and that the emulator does not apply.
_REFUSED_CONFIG = ("defaultTags", "ignoreTags")


def _url(endpoint: Callable[[], str] | str | None) -> str:
    if endpoint is None:
        raise ProviderError("there is no emulated AWS to talk to")
    return endpoint if isinstance(endpoint, str) else endpoint()


class AwsProvider:
    """Implements `emulators.provider.Provider` for AWS.

    `endpoint` is the emulator's URL or a function that finds (and starts) it, called at the first
    operation that needs it; without one those operations fail. `serves` is the one stack it deploys:
    `local`, or an environment that is rehearsed. `forced` deletes buckets with what is in them.
    """

    package = "aws"

    def __init__(
        self,
        endpoint: Callable[[], str] | str | None = None,
        *,
        region: str = "eu-west-1",
        account: str = "123456789012",
        serves: str = LOCAL,
        forced: bool = False,
    ) -> None:
        self._endpoint = endpoint
        self._serves = serves
        self._forced = forced
        self._place = Place(region, account)
        self._api = Api(partial(_url, self._endpoint), self._place)

    @property
    def version(self) -> str:
        """Version of the pulumi-aws SDK whose resources these are."""
        try:
            return version("pulumi-aws")
        except PackageNotFoundError:
            return "7.0.0"

    def configure(self, stack: str, config: Properties) -> None:
        """Take region (and `account`). `stack` is a name or any URN of the stack.

        Raises ProviderError for every stack but the one that it serves, and for settings that would change
        resources and are not applied here.
        """
        name = stack.split("::")[0].rsplit(":", 1)[-1] if stack.startswith("urn:") else stack
        if name != self._serves:
            raise ProviderError(
                f"the emulated AWS serves the stack '{self._serves}' alone, not '{name}'; "
                "a real stack is deployed by the real provider"
            )
        plain = {key.rsplit(":", 1)[-1]: reveal(value) for key, value in config.items()}
        for refused in _REFUSED_CONFIG:
            if plain.get(refused):
                raise ProviderError(f"aws:{refused} is not applied here; set tags explicitly")
        self._place = Place(
            str(plain.get("region") or self._place.region),
            str(plain.get("account") or self._place.account),
        )
        self._api = Api(partial(_url, self._endpoint), self._place)

    def supports(self, type_: str) -> bool:
        """Whether the type is emulated (or recorded)."""
        return handler_for(type_) is not None

    def records(self, type_: str) -> bool:
        """Whether moto has nothing of the type."""
        handler = handler_for(type_)
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
        comparison = Comparison(self._facts(type_))
        detailed: dict[str, PropertyDiff] = comparison.differences(
            old_inputs, new_inputs, handler.schema.inputs, ignore_changes
        )
        made, wanted = _region(old_outputs), new_inputs.get("region") or self._place.region
        if made not in ("", wanted):
            detailed = {
                **detailed,
                "region": PropertyDiff("update", True, _KEEPS_REGION, (made, wanted)),
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
        fresh = preview_outputs(handler, inputs, self._facts(type_), self._place)
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
        return stand_in_outputs(self._handler(type_), inputs, self._facts(type_), self._place, make)

    def create(self, urn: str, type_: str, inputs: Properties, token: str) -> ResourceState:
        """Create, and read back. Raises ProviderError, with `partial` where something exists."""
        del urn
        handler = self._handler(type_)
        self._refuse_unreal(type_, inputs)
        if handler.recorded:
            return self._record(handler, inputs)
        try:
            id_ = handler.create(self._api, inputs, token)
        except HalfMade as error:
            partial = self._read(self._api, handler, error.id, inputs, {})
            raise ProviderError(error.message, partial=partial) from error
        return self._must_read(self._api, handler, id_, inputs)

    def read(self, type_: str, id_: str, known: ResourceState | None) -> ResourceState | None:
        """What exists now; what is recorded alone is as it was recorded."""
        handler = self._handler(type_)
        if handler.recorded:
            return known
        outputs = known.outputs if known else {}
        state = self._read(
            self._api_of(outputs), handler, id_, known.inputs if known else {}, outputs
        )
        if state is None or known is None:
            return state
        return ResourceState(state.id, state.inputs, state.outputs, known.recorded)

    def update(
        self, urn: str, type_: str, old: ResourceState, new_inputs: Properties
    ) -> ResourceState:
        """Change in place, and read back."""
        del urn
        handler = self._handler(type_)
        self._refuse_unreal(type_, new_inputs)
        if handler.recorded:
            return self._record(handler, new_inputs)
        api = self._api_of(old.outputs)
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
        recorded = old.recorded or handler.recorded_after_update
        return ResourceState(state.id, state.inputs, state.outputs, recorded)

    def delete(self, type_: str, state: ResourceState) -> None:
        """Delete; absent already is success."""
        handler = self._handler(type_)
        if not handler.recorded:
            inputs = reveal(state.inputs)
            if self._forced:
                inputs = {**inputs, "forceDestroy": True}
            plain = ResourceState(state.id, inputs, reveal(state.outputs))
            handler.delete(self._api_of(plain.outputs), state.id, plain)

    def find(self, type_: str, inputs: Properties, token: str) -> ResourceState | None:
        """What an interrupted create left: by final name, or by operation tag."""
        handler = self._handler(type_)
        if handler.recorded:
            return None
        plain = reveal(dict(inputs))
        id_ = handler.find(self._api, plain, token)
        return None if id_ is None else self._read(self._api, handler, id_, inputs, {})

    def invoke(self, token: str, args: Properties) -> Mapping[str, Value]:
        """Account, region and partition, without a cloud."""
        return answer_invoke(token, args, self._place)

    def _api_of(self, outputs: Properties) -> Api:
        """Where a resource was made, which its outputs say; global ones are everywhere."""
        region = _region(outputs)
        if region in ("", self._place.region):
            return self._api
        return Api(partial(_url, self._endpoint), replace(self._place, region=region))

    def _handler(self, type_: str) -> Handler:
        handler = handler_for(type_)
        if handler is None:
            raise ProviderError(f"{type_} is not emulated")
        return handler

    def _facts(self, type_: str) -> Mapping[str, PropertyFact]:
        facts = facts_for(type_)
        return facts.properties if facts is not None else _NO_FACTS

    def _refuse_unreal(self, type_: str, inputs: Properties) -> None:
        if contains_unknown(inputs):
            raise ProviderError(f"{type_}: an input is still unknown")
        if contains_stand_in(inputs):
            raise ProviderError(f"{type_}: an input holds a stand-in of a capture")
        region = inputs.get("region")
        if region is not None and region != self._place.region:
            raise ProviderError(
                f"{type_}: region {region} differs from the stack's {self._place.region}"
            )

    def _must_read(self, api: Api, handler: Handler, id_: str, inputs: Properties) -> ResourceState:
        state = self._read(api, handler, id_, inputs, {})
        if state is None:
            raise ProviderError(f"{handler.type} {id_} is gone right after it was written")
        return ResourceState(state.id, inputs, state.outputs, state.recorded)

    def _record(self, handler: Handler, inputs: Properties) -> ResourceState:
        """Validate against the API's model; nothing is called."""
        sent = handler.sent(inputs)
        operation = handler.create_op
        request = self._api.params(handler.service, operation, sent, handler.renames)
        self._api.check(handler.service, operation, request)
        outputs = with_defaults(handler, inputs, self._facts(handler.type), self._place)
        outputs.update(computed(handler, outputs, self._place, None))
        with_zeros(handler, outputs, self._facts(handler.type))
        return ResourceState(handler.id_of(outputs), inputs, outputs, recorded=True)

    def _read(
        self, api: Api, handler: Handler, id_: str, inputs: Properties, old_outputs: Properties
    ) -> ResourceState | None:
        """Lay what the emulator says over what is known."""
        known = {**reveal(dict(old_outputs)), **reveal(dict(inputs))}
        actual = handler.read(api, id_, known)
        if actual is None:
            return None
        comparison = Comparison(self._facts(handler.type))
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
        outputs = with_defaults(handler, now, self._facts(handler.type), api.place)
        for name, value in actual.items():
            if name not in handler.not_kept or name not in now:
                same = name in now and comparison.same(
                    reveal(now[name]), value, fields.get(name, {"type": "any"}), name
                )
                outputs[name] = outputs[name] if same else value
        outputs = {k: v for k, v in outputs.items() if v is not None and k != DEFAULTS}
        if "tagsAll" in handler.schema.outputs:
            outputs["tagsAll"] = dict(reveal(outputs.get("tags")) or {})
        outputs.update(computed(handler, outputs, api.place, None))
        with_zeros(handler, outputs, self._facts(handler.type))
        return ResourceState(id_, now, keep_secrets(now, outputs))


def _region(outputs: Properties) -> str:
    """The region of a regional resource; empty for a global one, and where it is not known."""
    region = reveal(outputs.get("region"))
    return region if isinstance(region, str) else ""


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
