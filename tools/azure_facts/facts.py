"""What a change of a property does: which ones replace, and which the service refuses.

Pulumi replaces for what stands in the path of a resource's id, for what its own map names, and for what is
create-only outside of nested types (pulumi/pulumi-azure-native, `provider/pkg/provider/diff.go` and
`provider/pkg/gen/properties.go`: "a non-updatable property at a subtype level does not mandate the
replacement of the whole resource"). What is create-only further below it sends as an update, and the
service refuses that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Source: pulumi/pulumi-azure-native f8d3054a, provider/pkg/gen/replacement.go, `forceNewMap`.
MAP: Mapping[str, tuple[str, ...]] = {
    "authorization:RoleAssignment": ("principalId", "scope"),
    "network:PrivateEndpoint": ("subnet",),
    "network:VirtualNetwork": ("location",),
    "resources:ResourceGroup": ("location",),
    "storage:StorageAccount": ("isHnsEnabled", "location"),
}
# Resources that the map says have no such property, whatever the API says.
NEVER = ("network:Subnet", "storage:BlobContainer")
_MAP = "pulumi-azure-native replacement.go"
_PATH = "path of the id"
# Of all tracked resources (azure-docs, resource-manager `error-invalid-resource-location`).
_LOCATION = "ARM: InvalidResourceLocation"
# A schedule takes another job whenever one likes: its job is no job of the service's yet.
_EMBEDDED = {"machinelearningservices:Schedule": "properties.action."}


def of(
    token: str,
    inputs: Mapping[str, Any],
    placed: Mapping[str, Any],
    created: Mapping[str, Any] | None,
    known: Mapping[str, str],
) -> dict[str, Any]:
    """`replaces` and `refused`: paths of properties → source; `asked`: who was asked of all others.

    `created` is what the client's models say, None where they say nothing; `known` what people know.
    """
    names = {name.removesuffix("!") for name in inputs}
    replaces = {each: _PATH for each in (*placed["path"], "resourceGroupName") if each in names}
    replaces |= dict.fromkeys(MAP.get(token, ()), _MAP)
    refused: dict[str, str] = {}
    if created is not None:
        skipped = _EMBEDDED.get(token)
        for path in created["paths"]:
            if skipped and path.startswith(skipped):
                continue
            here = _as_input(path, names, placed)
            if here.partition(".")[0] not in names:
                continue  # no input of the SDK's
            top = "." not in here
            (replaces if top and token not in NEVER else refused).setdefault(
                here, created["source"]
            )
    if "location" in names and "location" not in replaces:
        refused["location"] = _LOCATION
    refused |= known
    return {
        "replaces": replaces,
        **({"refused": refused} if refused else {}),
        **({"asked": created["source"]} if created else {}),
    }


def _as_input(path: str, names: set[str], placed: Mapping[str, Any]) -> str:
    """A path in a request as the path of an input."""
    for name, place in placed["places"].items():
        if path == place or path.startswith(f"{place}."):
            return name + path[len(place) :]
    inner = path.removeprefix("properties.")
    return inner if placed["inside"] and inner.partition(".")[0] in names else path
