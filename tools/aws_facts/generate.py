"""Joins the provider's answers with the SDK's names into the files that the planner reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from . import names
from .blocks import Attribute, Block, Nested, absent, read_block
from .probe import Answer, Prober
from .provider_process import AwsProvider, find_provider
from .second_source import SOURCE as CFN_SOURCE
from .second_source import create_only

HERE = Path(__file__).parent
PROVIDER_VERSION = "5.100.0"
SOURCE = f"hashicorp/aws {PROVIDER_VERSION}"


class Refused(Exception):
    """Properties that the provider would not plan; `overrides.json` has to help."""


@dataclass(frozen=True, slots=True)
class ResourceType:
    """One line of `types.txt`."""

    token: str
    tf_name: str
    cfn_type: str


def resource_types() -> Iterator[ResourceType]:
    """Everything facts are generated for."""
    for line in (HERE / "types.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            yield ResourceType(*line.split())


def generate(only: str = "") -> dict[str, str]:
    """File name → content. `only` leaves out all other types.

    Raises ProviderMissing, Unmapped, Refused.
    """
    from mlops_iac.emulators.common.schema import file_name

    overrides = json.loads((HERE / "overrides.json").read_text("utf-8"))
    files = {}
    with AwsProvider(find_provider(PROVIDER_VERSION)) as provider:
        own, blocks = provider.schemas()
        provider.configure(absent(read_block(own)) | OFFLINE)
        for kind in resource_types():
            if only and kind.token != only:
                continue
            data = _facts(provider, kind, read_block(blocks[kind.tf_name]), overrides)
            files[file_name(kind.token)] = _render(data)
    return files


OFFLINE = {
    "region": "eu-west-1",
    "access_key": "offline",
    "secret_key": "offline",
    "skip_credentials_validation": True,
    "skip_metadata_api_check": "true",
    "skip_region_validation": True,
    "skip_requesting_account_id": True,
}


def _facts(
    provider: AwsProvider, kind: ResourceType, block: Block, overrides: Mapping[str, Any]
) -> dict[str, Any]:
    def mine(section: str) -> Any:
        return overrides[section].get(kind.tf_name, {})

    answers = Prober(provider, kind.tf_name, block, mine("base"), mine("values")).run()
    refused = sorted(
        f"{kind.tf_name}.{'.'.join(path)}: {reason}"
        for path, answer in answers.items()
        for reason in answer.refused
    )
    if refused:
        raise Refused("\n".join(refused))
    inputs = names.inputs_of(kind.token)
    mapped = names.match(block, inputs, mine("renames"), set(mine("gone")))
    rows: dict[str, dict[str, Any]] = {}
    for one in mapped:
        path = ".".join(one.path)
        if path in rows:
            raise names.Unmapped(f"{kind.token}: two properties map to {path}")
        answer = answers[one.tf_path] if one.tf_path else Answer()
        rows[path] = _row(kind, one, answer)
    for path, row in rows.items():
        if row["kind"] in ("object", "list", "set") and row.get("replaces") is False:
            inside = (r for p, r in rows.items() if p.startswith(path + "."))
            row["replaces"] = any(r.get("replaces") for r in inside)
    return {
        "type": kind.token,
        "tf_name": kind.tf_name,
        "source": SOURCE,
        "version": f"pulumi-aws {version('pulumi-aws')}",
        "properties": dict(sorted(rows.items())),
        "outputs": _outputs(kind, block, set(inputs), mine("renames")),
    }


def _row(kind: ResourceType, one: names.Mapped, answer: Answer) -> dict[str, Any]:
    assert one.sdk is not None
    row: dict[str, Any] = {"tf_path": ".".join(one.tf_path), **_kind(one, answer)}
    match one.node:
        case Attribute() as attribute:
            flags = ("required", "optional", "computed", "sensitive")
            row |= {flag: True for flag in flags if getattr(attribute, flag)}
        case Nested() as nested:
            row["required" if nested.min_items else "optional"] = True
            if nested.max_items:
                row["max_items"] = nested.max_items
        case None:
            row["optional"] = True
    if answer.json:
        row["json"] = True
    if answer.default is not None:
        row["default"] = answer.default
    if one.tf_path:
        row["replaces"] = answer.update
        row["replaces_on_add"] = answer.add
        row["replaces_on_delete"] = answer.delete
    elif create_only(kind.cfn_type, one.path):
        row |= dict.fromkeys(("replaces", "replaces_on_add", "replaces_on_delete"), True)
        row["source"] = CFN_SOURCE
    return row


_SCALARS = {"str": "string", "bool": "bool", "int": "integer", "float": "number"}


def _kind(one: names.Mapped, answer: Answer) -> dict[str, Any]:
    assert one.sdk is not None
    match one.sdk.shape:
        case "asset":
            return {"kind": "string", "asset": True}
        case "scalar":
            return {"kind": "json" if answer.json else _SCALARS[one.sdk.scalar]}
        case "list":
            element = "object" if one.sdk.args else _SCALARS[one.sdk.scalar]
            return {"kind": "set" if _is_set(one.node) else "list", "element": element}
        case shape:
            return {"kind": shape}


def _is_set(node: Attribute | Nested | None) -> bool:
    match node:
        case Nested():
            return node.nesting == "set"
        case Attribute():
            return isinstance(node.type, list) and node.type[0] == "set"
        case None:
            return False


_UNKNOWN_TO_THE_PROVIDER = Attribute("", "string", False, False, True, False)


def _outputs(
    kind: ResourceType, block: Block, inputs: set[str], renames: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    by_name: dict[str, Attribute] = {}
    for name, attribute in block.attributes.items():
        base = names.camel(renames.get(name, name))
        by_name |= {base: attribute, f"{base}s": attribute}
    rows = {}
    for name in sorted(names.output_names(kind.token) - inputs):
        attribute = by_name.get(name, _UNKNOWN_TO_THE_PROVIDER)
        row: dict[str, Any] = {"tf_path": attribute.name}
        match attribute.type:
            case "string" | "number" | "bool" as scalar:
                row["kind"] = scalar
            case [("list" | "set" | "map") as shape, *_]:
                row["kind"] = shape
        row["computed"] = True
        if attribute.sensitive:
            row["sensitive"] = True
        rows[name] = row
    return rows


def _render(data: Mapping[str, Any]) -> str:
    """One property a line, so that a diff of two provider versions can be read."""
    lines = []
    for key, value in data.items():
        if isinstance(value, dict):
            inner = [f"    {json.dumps(k)}: {json.dumps(v)}" for k, v in value.items()]
            body = "{\n" + ",\n".join(inner) + "\n  }" if inner else "{}"
            lines.append(f"  {json.dumps(key)}: {body}")
        else:
            lines.append(f"  {json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"
