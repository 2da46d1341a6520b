"""Which properties a service takes only when a resource is made, by the models of Microsoft's clients.

    .venv-azure/bin/python tools/azure_facts/create_only.py < TOKENS > JSON

Models generated from TypeSpec carry each property's visibility; one that is there to `create` and not
to `update` cannot be changed. Runs where those clients are installed, and imports nothing else. Paths are
the request's (`properties.instanceType`), without indices; of a union every variant is looked at.
"""

from __future__ import annotations

import importlib
import json
import sys
import typing
from importlib.metadata import version
from typing import Any

# Module of a Pulumi token → the distribution whose models are TypeSpec's, and where they are.
PACKAGES = {
    "machinelearningservices": ("azure-ai-ml", "azure.ai.ml._restclient.arm_ml_service.models"),
    "storage": ("azure-mgmt-storage", "azure.mgmt.storage.models"),
    "keyvault": ("azure-mgmt-keyvault", "azure.mgmt.keyvault.models"),
    "containerregistry": ("azure-mgmt-containerregistry", "azure.mgmt.containerregistry.models"),
    "network": ("azure-mgmt-network", "azure.mgmt.network.models"),
    "eventhub": ("azure-mgmt-eventhub", "azure.mgmt.eventhub.models"),
    "consumption": ("azure-mgmt-consumption", "azure.mgmt.consumption.models"),
    "operationalinsights": ("azure-mgmt-loganalytics", "azure.mgmt.loganalytics.models"),
}
# Where the class of a request is not called as the resource.
CLASSES = {
    "eventhub:EventHub": "Eventhub",
    "eventhub:Namespace": "EHNamespace",
    "keyvault:Key": "KeyCreateParameters",
    "keyvault:Secret": "SecretCreateOrUpdateParameters",
    "keyvault:Vault": "VaultCreateOrUpdateParameters",
    "machinelearningservices:Compute": "ComputeResource",
    "machinelearningservices:DataVersion": "DataVersionBase",
    "machinelearningservices:ManagedNetworkSettingsRule": "OutboundRuleBasicResource",
    "storage:Queue": "StorageQueue",
    "storage:StorageAccount": "StorageAccountCreateParameters",
}
_DEPTH = 4


class _Any:
    """Stands for the module of unions, which cannot be imported."""

    def __getattr__(self, name: str) -> Any:
        return Any


class Models:
    """The model classes of one distribution."""

    def __init__(self, place: str) -> None:
        self.models = importlib.import_module(f"{place}._models")
        enums = vars(importlib.import_module(f"{place}._enums"))
        whole = importlib.import_module(place)
        self.names = {
            **vars(self.models), **enums, **vars(typing), "_models": whole, "_enums": whole,
            "_unions": _Any(), "_types": _Any(),
        }  # fmt: skip

    def create_only(self, cls: Any, path: str = "", depth: int = 0) -> set[str]:
        """Paths below a class."""
        found: set[str] = set()
        for variant in [cls, *self.variants(cls)]:
            for name, (visibility, inner) in self.fields(variant).items():
                here = f"{path}.{name}" if path else name
                if visibility and "create" in visibility and "update" not in visibility:
                    found.add(here)
                elif inner is not None and depth < _DEPTH:
                    found |= self.create_only(inner, here, depth + 1)
        return found

    @staticmethod
    def variants(cls: Any) -> list[Any]:
        """The classes that a value told apart by a property may be."""
        return [*vars(cls).get("__mapping__", {}).values()]

    def fields(self, cls: Any) -> dict[str, tuple[list[str] | None, Any]]:
        """Name in a request → visibility, and the class of an object (None for anything else)."""
        cls.__new__(cls)  # which reads the annotations
        found = {}
        for attribute, field in cls._attr_to_rest_field.items():
            found[field._rest_name] = (field._visibility, self._inner(cls, attribute))
        return found

    def _inner(self, cls: Any, attribute: str) -> Any:
        for base in cls.__mro__:
            if (said := getattr(base, "__annotations__", {}).get(attribute)) is None:
                continue
            holder = type("Holder", (), {"__annotations__": {attribute: said}})
            try:
                hint = typing.get_type_hints(holder, globalns=self.names)[attribute]
            except (NameError, TypeError, AttributeError):
                return None
            options = [hint, *typing.get_args(hint)]
            return next((each for each in options if getattr(each, "_is_model", False)), None)
        return None


def main() -> None:
    """Answer for every token of standard input that some distribution has a class of."""
    found = {}
    models: dict[str, Models] = {}
    for token in sys.stdin.read().split():
        module, _, short = token.partition(":")
        if module not in PACKAGES:
            continue
        distribution, place = PACKAGES[module]
        known = models.setdefault(module, Models(place))
        cls = getattr(known.models, CLASSES.get(token, short))
        source = f"{distribution} {version(distribution)}"
        found[token] = {"source": source, "paths": sorted(known.create_only(cls))}
    json.dump(found, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
