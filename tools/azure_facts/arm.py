"""Where each input of a resource goes in ARM's request, by Microsoft's own types (bicep-types-az).

`index.json` beside them maps Pulumi tokens to ARM types, API versions and path parameters.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tools.azure_facts.schema import Module

# Inputs that Pulumi calls otherwise than ARM does (`x-ms-client-name` in Azure/azure-rest-api-specs):
# nested type, or token of the resource → name here → name there.
RENAMED: Mapping[str, Mapping[str, str]] = {
    "applicationinsights:Component": {
        "applicationType": "Application_Type",
        "disableIpMasking": "DisableIpMasking",
        "disableLocalAuth": "DisableLocalAuth",
        "flowType": "Flow_Type",
        "forceCustomerStorageForProfiler": "ForceCustomerStorageForProfiler",
        "hockeyAppId": "HockeyAppId",
        "immediatePurgeDataOn30Days": "ImmediatePurgeDataOn30Days",
        "ingestionMode": "IngestionMode",
        "requestSource": "Request_Source",
        "retentionInDays": "RetentionInDays",
        "samplingPercentage": "SamplingPercentage",
        "workspaceResourceId": "WorkspaceResourceId",
    },
    "authorization:RoleDefinition": {"roleType": "type"},
    "containerregistry:IPRule": {"iPAddressOrRange": "value"},
    "keyvault:KeyAttributes": {"expires": "exp", "notBefore": "nbf"},
    "keyvault:KeyProperties": {"releasePolicy": "release_policy"},
    "keyvault:SecretAttributes": {"expires": "exp", "notBefore": "nbf"},
    "monitor:MetricAlertMultipleResourceMultipleMetricCriteria": {"odataType": "odata.type"},
    "monitor:MetricAlertSingleResourceMultipleMetricCriteria": {"odataType": "odata.type"},
    "monitor:ScaleRuleMetricDimension": {
        "dimensionName": "DimensionName",
        "operator": "Operator",
        "values": "Values",
    },
    "monitor:WebtestLocationAvailabilityCriteria": {"odataType": "odata.type"},
    "storage:Encryption": {
        "encryptionIdentity": "identity",
        "keyVaultProperties": "keyvaultproperties",
    },
    "storage:EncryptionIdentity": {
        "encryptionFederatedIdentityClientId": "federatedIdentityClientId",
        "encryptionUserAssignedIdentity": "userAssignedIdentity",
    },
    "storage:KeyVaultProperties": {
        "keyName": "keyname",
        "keyVaultUri": "keyvaulturi",
        "keyVersion": "keyversion",
    },
    "storage:IPRule": {"iPAddressOrRange": "value"},
    "storage:StorageAccount": {
        "enableHttpsTrafficOnly": "supportsHttpsTrafficOnly",
        "enableNfsV3": "isNfsV3Enabled",
        "networkRuleSet": "networkAcls",
    },
    "storage:VirtualNetworkRule": {"virtualNetworkResourceId": "id"},
}
# Inputs that stand in a query of the request, not in its body.
QUERIES = {"machinelearningservices:Datastore": ("skipValidation",)}
# Nested types of which the SDK and our copy of ARM's types do not have the same properties.
DIFFERENT = (
    "monitor:DynamicMetricCriteria",
    "network:IpamPoolPrefixAllocation",
    "network:Subnet",
)
# Names of ARM that our copy of its types lacks: all texts called `description` were taken out of it.
_LOST = "description"
_OUTER = ("id", "name", "type")
_OBJECTS = ("ObjectType", "DiscriminatedObjectType")


class Types:
    """The bicep types of one file; element 0 is the body of the resource."""

    def __init__(self, file: Path) -> None:
        self._types = json.loads(file.read_text(encoding="utf-8"))

    def at(self, reference: Mapping[str, str]) -> Any:
        """The type that a reference names."""
        return self._types[int(reference["$ref"].rpartition("/")[2])]

    @property
    def body(self) -> Any:
        """The body of the resource."""
        return self._types[0]

    def properties(self, type_: Any, tags: Mapping[str, str]) -> dict[str, Any]:
        """Name → type. Of a discriminated object those of the variant with one of the `tags`."""
        if type_["$type"] == "ObjectType":
            return {name: self.at(each["type"]) for name, each in type_["properties"].items()}
        found = {name: self.at(each["type"]) for name, each in type_["baseProperties"].items()}
        tag = tags.get(type_["discriminator"])
        for name, reference in type_["elements"].items():
            if tag in (None, name):
                found |= self.properties(self.at(reference), tags)
        return found


@cache
def index(folder: Path) -> Mapping[str, Mapping[str, Any]]:
    """What is known of each token."""
    found: Mapping[str, Mapping[str, Any]] = json.loads((folder / "index.json").read_text("utf-8"))
    return found


def resource(folder: Path, module: Module, token: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """ARM type, version and path of a resource, and the places of its inputs that need telling.

    `inside` is whether what has no place stands in `properties`. Nested types of `module` are given
    their `places`, too.
    """
    known = index(folder)[token]
    types = Types(folder / known["file"])
    outer = types.properties(types.body, {})
    inner = types.properties(outer["properties"], {}) if "properties" in outer else {}
    path = known["pathParameters"]
    places: dict[str, str] = {}
    inside = "properties" not in _bare(inputs) and bool(inner)
    for name, spec in inputs.items():
        wire = name.removesuffix("!")
        if wire in path or wire == "resourceGroupName" or wire in QUERIES.get(token, ()):
            continue
        called = RENAMED.get(token, {}).get(wire, wire)
        # Of both, what a request says of itself is inside.
        if called in outer and not (called in inner and called in _OUTER):
            _nested(module, types, spec, outer[called])
            if inside or called != wire:
                places[wire] = called
        elif called in inner or called == _LOST:
            if called in inner:
                _nested(module, types, spec, inner[called])
            if called != wire or not inside:
                places[wire] = f"properties.{called}"
        else:
            raise SystemExit(f"{token}: ARM has no place for {wire}; has it another name there?")
    return {
        "arm": known["arm"],
        "version": known["apiVersion"],
        "path": path,
        "inside": inside,
        "places": places,
        **({"query": list(QUERIES[token])} if token in QUERIES else {}),
    }


def _bare(fields: Mapping[str, Any]) -> set[str]:
    return {name.removesuffix("!") for name in fields}


def _nested(module: Module, types: Types, spec: Any, type_: Any) -> None:
    """Give the nested types of a spec their places."""
    if isinstance(spec, list):
        if type_["$type"] == "ArrayType":
            _nested(module, types, spec[0], types.at(type_["itemType"]))
        return
    if not isinstance(spec, dict):
        return
    if "map" in spec and type_.get("additionalProperties"):
        _nested(module, types, spec["map"], types.at(type_["additionalProperties"]))
    for name in [spec["ref"]] if "ref" in spec else spec.get("oneOf", ()):
        if "places" not in module.types[name] and type_["$type"] in _OBJECTS:
            _place(module, types, name, type_)


def _place(module: Module, types: Types, name: str, type_: Any) -> None:
    told = module.types[name]
    places: dict[str, str] = {}
    told["places"] = places  # before what it holds: it may hold itself
    there = types.properties(type_, told.get("constants", {}))
    whole = _bare(told["fields"])
    below = there["properties"] if "properties" in there and "properties" not in whole else None
    inner = types.properties(below, {}) if below and below["$type"] in _OBJECTS else {}
    for field, spec in told["fields"].items():
        wire = field.removesuffix("!")
        called = RENAMED.get(f"{module.name}:{name}", {}).get(wire, wire)
        if called in there:
            _nested(module, types, spec, there[called])
            if called != wire:
                places[wire] = called
        elif called in inner:
            _nested(module, types, spec, inner[called])
            places[wire] = f"properties.{called}"
        elif called != _LOST and f"{module.name}:{name}" not in DIFFERENT:
            raise SystemExit(f"{module.name}:{name}: ARM has no place for {wire}")


def sets(module: Module) -> Iterator[str]:
    """The nested types whose lists of texts are the keys of an object in ARM's requests."""
    for name, told in module.types.items():
        if "userAssignedIdentities" in _bare(told.get("fields", {})):
            yield name
