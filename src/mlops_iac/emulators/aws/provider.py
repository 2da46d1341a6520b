"""The emulated AWS as a Pulumi provider: moto behind Pulumi's own verbs.

What is particular to a type stands in `resources/`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from importlib.metadata import PackageNotFoundError, version

from mlops_iac.emulators.aws.api import Api, Place
from mlops_iac.emulators.aws.facts import FACTS
from mlops_iac.emulators.aws.invokes import invoke as answer_invoke
from mlops_iac.emulators.aws.policies import canonical
from mlops_iac.emulators.aws.resources import handler_for
from mlops_iac.emulators.common.provider import HandlerProvider
from mlops_iac.emulators.provider import PropertyDiff, ProviderError
from mlops_iac.values import Properties, Value, reveal

LOCAL = "local"
# Where it is known from that a regional resource keeps its region and cannot change it: source of
# hashicorp/aws 6, internal/provider/sdkv2/region.go (`forceNewIfRegionChanges`).
_KEEPS_REGION = "hashicorp/aws 6"
# Provider settings that would change resources and that the emulator does not apply.
_REFUSED_CONFIG = ("defaultTags", "ignoreTags")


def _url(endpoint: Callable[[], str] | str | None) -> str:
    if endpoint is None:
        raise ProviderError("there is no emulated AWS to talk to")
    return endpoint if isinstance(endpoint, str) else endpoint()


class AwsProvider(HandlerProvider):
    """Implements `emulators.provider.Provider` for AWS.

    `endpoint` is the emulator's URL or a function that finds (and starts) it, called at the first
    operation that needs it; without one those operations fail. `serves` is the one stack it deploys:
    `local`, or an environment that is rehearsed. `forced` deletes buckets with what is in them.
    """

    package = "aws"
    facts = FACTS
    handler_for = staticmethod(handler_for)
    canonical = staticmethod(canonical)

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
        if forced:
            self.deleted_with = {"forceDestroy": True}
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

    def api(self, outputs: Properties) -> Api:
        """Where a resource was made, which its outputs say; global ones are everywhere."""
        place = self._place_of(outputs)
        return self._api if place == self._place else Api(partial(_url, self._endpoint), place)

    def place(self, outputs: Properties | None = None) -> Mapping[str, str]:
        """Region, account and partition."""
        return self._place_of(outputs or {}).names()

    def _place_of(self, outputs: Properties) -> Place:
        region = _region(outputs)
        return replace(self._place, region=region) if region else self._place

    def moves(self, old_outputs: Properties, new_inputs: Properties) -> dict[str, PropertyDiff]:
        """A regional resource keeps its region."""
        made, wanted = _region(old_outputs), new_inputs.get("region") or self._place.region
        if made in ("", wanted):
            return {}
        return {"region": PropertyDiff("update", True, _KEEPS_REGION, (made, wanted))}

    def refuse_unreal(self, type_: str, inputs: Properties) -> None:
        """As elsewhere, and another region than the stack's."""
        super().refuse_unreal(type_, inputs)
        region = inputs.get("region")
        if region is not None and region != self._place.region:
            raise ProviderError(
                f"{type_}: region {region} differs from the stack's {self._place.region}"
            )

    def invoke(self, token: str, args: Properties) -> Mapping[str, Value]:
        """Account, region and partition, without a cloud."""
        return answer_invoke(token, args, self._place)


def _region(outputs: Properties) -> str:
    """The region of a regional resource; empty for a global one, and where it is not known."""
    region = reveal(outputs.get("region"))
    return region if isinstance(region, str) else ""
