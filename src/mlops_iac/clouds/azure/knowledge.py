"""What is true of Azure types, each fact in one table."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from mlops_iac.clouds.azure.rules import MODULES
from mlops_iac.clouds.azure.types import ONLINE_DEPLOYMENT, TYPES
from mlops_iac.clouds.knowledge import Differing, RiskKind
from mlops_iac.emulators.azure.facts import FACTS
from mlops_iac.emulators.azure.tables import row

if TYPE_CHECKING:
    from mlops_iac.graph.plan import Step

_MODULES = {
    "storage": ("storage", "containerregistry"),
    "security": ("keyvault", "managedidentity", "authorization"),
    "learning": ("machinelearningservices",),
    "watching": ("monitor", "operationalinsights", "applicationinsights", "consumption"),
    "compute": ("app", "logic", "eventgrid", "eventhub"),
    "network": ("network", "privatedns"),
}
_FAMILIES = {module: family for family, modules in _MODULES.items() for module in modules}
# Property paths that hold what nobody may read.
_SENSITIVE: Mapping[str, frozenset[str]] = {
    "azure-native:keyvault:Secret": frozenset(("properties.value",)),
    "azure-native:machinelearningservices:Datastore": frozenset(("properties.credentials",)),
}


class AzureKnowledge:
    """The tables, and what is told of a step by what it says in Azure's words."""

    types = TYPES
    rules: Sequence[str] = MODULES
    families: Mapping[str, str] = _FAMILIES
    identities: Collection[str] = ("name", "accountName", "workspaceName", "vaultName", "scope")
    machines: Collection[str] = ("instanceType", "vmSize")
    largest: Sequence[str] = ("Standard_ND*", "Standard_NC*_A100*", "Standard_NC*_H100*")
    counts: Mapping[str, str] = {
        "capacity": "instances",
        "amount": "the budget's limit",
        "retentionInDays": "days that logs are kept",
    }

    def smaller(self, old: str, new: str) -> bool:
        """Sizes of one family are not told apart yet."""
        return False

    def always_on(self, step: Step) -> Iterator[str]:
        """The instances of a deployment, with or without calls."""
        if step.type == ONLINE_DEPLOYMENT:
            instances = (step.new_inputs.get("sku") or {}).get("capacity", 1)
            machine = (step.new_inputs.get("properties") or {}).get("instanceType")
            yield f"{instances} × {machine}"

    def risks(self, step: Step, values: Sequence[Differing]) -> Iterator[tuple[RiskKind, str]]:
        """What opens an account, a vault or a registry to who has a key, or to everybody."""
        for path, _, new in values:
            name = path.rpartition(".")[2]
            for property_, value, kind, words in _OPENS:
                if name == property_ and new == value:
                    yield kind, words

    def refused(self, steps: Sequence[Step]) -> Iterator[tuple[Step, str]]:
        """Updates that Pulumi would send and the service refuses."""
        for step in steps:
            known = row(step.type)
            if known is None or step.op != "update":
                continue
            for path, source in known.refused.items():
                if any(_within(change.path, path) for change in step.changes):
                    yield (
                        step,
                        f"{path} can only be said when it is made ({source}): make it anew, under another name",
                    )

    def watches(self, step: Step) -> str:
        """An alarm's scope is the endpoint that it watches."""
        scopes = step.old_inputs.get("scopes")
        at = str(scopes[0]) if isinstance(scopes, list) and len(scopes) == 1 else ""
        kind, _, name = at.rpartition("/")
        return name if kind.lower().endswith("/onlineendpoints") else ""

    def sensitive(self, type_: str) -> frozenset[str]:
        """Property paths whose values are credentials."""
        return _SENSITIVE.get(type_, frozenset())

    def replaces(self, type_: str, path: str) -> tuple[bool | None, str]:
        """As the provider's own rule has it, and Microsoft's clients."""
        return FACTS.replaces(type_, path)

    def facts_digest(self) -> str:
        """That of the tables."""
        return FACTS.digest


# Property, value → what a change to it risks.
_OPENS: Sequence[tuple[str, object, RiskKind, str]] = (
    (
        "allowSharedKeyAccess",
        True,
        "wider-permission",
        "whoever has the account's key reads all of it",
    ),
    ("allowBlobPublicAccess", True, "network-opening", "containers may be opened to everybody"),
    (
        "adminUserEnabled",
        True,
        "wider-permission",
        "whoever has the registry's password pushes images",
    ),
    ("anonymousPullEnabled", True, "network-opening", "everybody may pull images"),
    ("publicNetworkAccess", "Enabled", "network-opening", "it is reached from everywhere"),
    ("disableLocalAuth", False, "wider-permission", "whoever has a key writes"),
    (
        "enableRbacAuthorization",
        False,
        "wider-permission",
        "who reads secrets is not said by roles",
    ),
)


def _within(path: str, whole: str) -> bool:
    return path == whole or path.startswith((f"{whole}.", f"{whole}["))
