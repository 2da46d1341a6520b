"""The emulated Azure as a Pulumi provider: `azure-native`'s verbs over ARM."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version

from mlops_iac.emulators.azure.arm import Arm, Loopback, Transport
from mlops_iac.emulators.azure.facts import FACTS
from mlops_iac.emulators.azure.resources import handler_for
from mlops_iac.emulators.azure.tables import PACKAGE
from mlops_iac.emulators.common.provider import HandlerProvider
from mlops_iac.emulators.provider import ProviderError
from mlops_iac.records import Record
from mlops_iac.values import Properties, Value, reveal

LOCAL = "local"
SUBSCRIPTION = "00000000-0000-4000-8000-00000000a2e0"
"""The subscription of the emulator."""
_CLIENT = "azure-native:authorization:getClientConfig"


class Api(Record):
    """ARM, and the subscription that resources are made in."""

    arm: Arm
    subscription: str


class AzureProvider(HandlerProvider):
    """Implements `emulators.provider.Provider` for Azure.

    `endpoint` finds (and starts) the emulator, called at the first operation that needs it; a store in this
    process stands for it (`transport`). `serves` is the one stack that it deploys: `local`, or an environment
    that is rehearsed.
    """

    package = PACKAGE
    facts = FACTS
    zeros = False
    handler_for = staticmethod(handler_for)

    def __init__(
        self,
        endpoint: Callable[[], str] | None = None,
        *,
        subscription: str = SUBSCRIPTION,
        serves: str = LOCAL,
        transport: Transport | None = None,
    ) -> None:
        self._arm = Arm(transport or Loopback(endpoint or _nowhere))
        self._subscription = subscription
        self._serves = serves

    @property
    def version(self) -> str:
        """Version of the pulumi-azure-native SDK whose resources these are."""
        try:
            return version("pulumi-azure-native")
        except PackageNotFoundError:
            return "3.0.0"

    def configure(self, stack: str, config: Properties) -> None:
        """Take the subscription. `stack` is a name or any URN of the stack.

        Raises ProviderError for every stack but the one that it serves.
        """
        name = stack.split("::")[0].rsplit(":", 1)[-1] if stack.startswith("urn:") else stack
        if name != self._serves:
            raise ProviderError(
                f"the emulated Azure serves the stack '{self._serves}' alone, not '{name}'; "
                "a real stack is deployed by the real provider"
            )
        self._subscription = str(reveal(config.get("subscriptionId")) or self._subscription)

    def api(self, outputs: Properties) -> Api:
        """ARM at the subscription."""
        return Api(self._arm, self._subscription)

    def place(self, outputs: Properties | None = None) -> Mapping[str, str]:
        """The subscription."""
        return {"subscription": self._subscription}

    def invoke(self, token: str, args: Properties) -> Mapping[str, Value]:
        """Who is signed in, without a cloud."""
        if token != _CLIENT:
            raise ProviderError(f"{token} is not answered by the emulated Azure")
        from mlops_iac.emulators.azure.computed import TENANT, guid

        return {
            "subscriptionId": self._subscription,
            "tenantId": TENANT,
            "clientId": guid("deployer/client"),
            "objectId": guid("deployer"),
        }


def _nowhere() -> str:
    raise ProviderError("there is no emulated Azure to talk to")
