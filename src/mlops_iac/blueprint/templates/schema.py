"""The parameters of templates as JSON Schema, so that an editor completes and checks them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mlops_iac.blueprint.scalars import core
from mlops_iac.blueprint.source import Node, Source
from mlops_iac.blueprint.templates.manifest import UNSET, Manifest, Parameter

Schema = dict[str, Any]
_TEXT = ["string", "number", "boolean"]
"""What a text parameter takes unquoted."""
# Of Python's regular expressions, what those of editors (ECMA-262) do not know.
_OURS_ALONE = re.compile(r"\(\?(?![:=!]|<[=!])|\\[AZ]|[*+?}]\+")


def add_templates(root: Schema, definitions: Schema, templates: Mapping[str, Manifest]) -> None:
    """Say in `TemplateUse` which parameters each template takes, in `root` which names it allows."""
    use = definitions["TemplateUse"]
    rules = use.setdefault("allOf", [])
    for source, manifest in templates.items():
        name = f"Parameters of {manifest.name}"
        definitions[name] = parameters_schema(manifest)
        then: Schema = {"properties": {"parameters": {"$ref": f"#/$defs/{_pointer(name)}"}}}
        if definitions[name].get("required"):
            then["required"] = ["parameters"]
        chosen = {"properties": {"template": {"const": source}}, "required": ["template"]}
        rules.append({"if": chosen, "then": then})
        if names := _environment_names(manifest):
            root.setdefault("allOf", []).append(_only_environments(chosen, names))
    use["properties"]["template"]["examples"] = list(templates)


def _environment_names(manifest: Manifest) -> list[str]:
    """Those that environments may have; none where a parameter says it, or nothing does."""
    limit = manifest.limits.get("environments")
    names = limit.get("keys") if isinstance(limit, dict) else None
    if not isinstance(names, list) or any("${" in str(name) for name in names):
        return []
    return ["local", *(str(name) for name in names)]


def _only_environments(chosen: Schema, names: list[str]) -> Schema:
    stands = {"properties": {"extends": {"contains": chosen}}, "required": ["extends"]}
    allowed = {"environments": {"propertyNames": {"enum": names}}}
    return {"if": stands, "then": {"properties": allowed}}


def _pointer(name: str) -> str:
    """A name in a URI fragment (RFC 6901, RFC 3986)."""
    return name.replace("~", "~0").replace("/", "~1").replace(" ", "%20")


def parameters_schema(manifest: Manifest) -> Schema:
    """What a blueprint can write under `parameters`."""
    made: Schema = {
        "type": "object",
        "title": f"Parameters of {manifest.label}",
        "additionalProperties": False,
        "properties": {name: _schema(each) for name, each in manifest.parameters.items()},
    }
    if manifest.description:
        made["description"] = manifest.description
    required = [name for name, each in manifest.parameters.items() if each.default is UNSET]
    if required:
        made["required"] = required
    return made


def _schema(parameter: Parameter) -> Schema:
    made = _list(parameter) if parameter.type == "list" else _plain(parameter)
    if parameter.default is None:
        made = {"anyOf": [made, {"type": "null"}]}
    elif parameter.default is not UNSET:
        made["default"] = parameter.default
    return {"description": parameter.description, **made}


def _plain(parameter: Parameter) -> Schema:
    match parameter.type:
        case "boolean":
            return {"type": "boolean"}
        case "integer" | "number":
            made: Schema = {"type": parameter.type}
            for bound, key in (("at_least", "minimum"), ("at_most", "maximum")):
                if (value := getattr(parameter, bound)) is not None:
                    made[key] = int(value) if value == int(value) else value
            return made | ({"enum": list(parameter.choices)} if parameter.choices else {})
        case _:
            return _text(parameter)


def _text(parameter: Parameter) -> Schema:
    if parameter.choices:
        return {"enum": [value for choice in parameter.choices for value in _written(choice)]}
    made: Schema = {"type": list(_TEXT)}
    if parameter.pattern is not None and not _OURS_ALONE.search(parameter.pattern):
        # Ours must match the whole text; theirs only a part of it.
        made |= {"type": _TEXT, "pattern": f"^(?:{parameter.pattern})$"}
    return made


def _list(parameter: Parameter) -> Schema:
    made: Schema = {"type": "array", "items": _text(parameter)}
    for bound, key in (("at_least", "minItems"), ("at_most", "maxItems")):
        if (value := getattr(parameter, bound)) is not None:
            made[key] = int(value)
    return made


def _written(choice: Any) -> list[Any]:
    """A text, and what it is where nobody quotes it: `1.0`, `true`."""
    text = str(choice).lower() if isinstance(choice, bool) else str(choice)
    bare = core(Node("scalar", Source("", text), 1, 1, text=text))
    return [text] if isinstance(bare, str) or bare is None else [text, bare]
