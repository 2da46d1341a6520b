"""What CloudFormation says about properties that the provider asked does not have.

Source: createOnlyProperties of the resource schemas that cfn-lint ships. Only its yes is taken: what
no API can change must be replaced by every provider, whereas what an API can change a provider may
replace nevertheless (`model_package_group_description`).
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

SOURCE = f"cfn-lint {version('cfn-lint')} createOnlyProperties"


def create_only(cfn_type: str, path: tuple[str, ...]) -> bool:
    """Whether the property at a Pulumi path is create-only in CloudFormation, under its name."""
    if cfn_type == "-":
        return False
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

    schema: Mapping[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema(
        "us-east-1", cfn_type
    ).schema
    fixed = {
        pointer.removeprefix("/properties/") for pointer in schema.get("createOnlyProperties", ())
    }
    here: Any = schema
    walked: list[str] = []
    for name in path:
        here = _resolve(schema, here)
        pascal = name[:1].upper() + name[1:]
        known = here.get("properties", {})
        found = next((n for n in (pascal, pascal.removesuffix("s")) if n in known), None)
        if found is None:
            return False
        walked.append(found)
        if "/".join(walked) in fixed:
            return True
        here = known[found]
    return False


def _resolve(schema: Mapping[str, Any], node: Any) -> Any:
    while True:
        if "$ref" in node:
            target: Any = schema
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        elif "items" in node:
            node = node["items"]
        else:
            return node
