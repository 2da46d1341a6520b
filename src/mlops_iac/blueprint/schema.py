"""The JSON Schema of blueprint files, for editors: `blueprint-1.json`.

Generated from the models by pydantic, then widened where the file takes more than the models hold:
text fields take unquoted numbers, an environment is a partial blueprint whose values may be null.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from mlops_iac.blueprint.layers import FIXED
from mlops_iac.blueprint.sections.base import Section
from mlops_iac.blueprint.sections.root import Blueprint

SCHEMA_ID = "blueprint-1.json"
Schema = dict[str, Any]


def json_schema() -> Schema:
    """The schema of a blueprint, JSON Schema draft 2020-12."""
    made = Blueprint.model_json_schema(by_alias=True)
    definitions: Schema = made.pop("$defs")
    sections = _sections()
    for name, definition in definitions.items():
        _groups(definition, sections[name])
        _tidy(definition)
    _tidy(made)
    environment, partial = _partial(made, definitions)
    made["properties"]["environments"]["additionalProperties"] = {"$ref": "#/$defs/Environment"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **made,
        "title": "mlops-iac blueprint",
        "$defs": {**definitions, "Environment": environment, **partial},
    }


def _sections() -> dict[str, type[Section]]:
    found: dict[str, type[Section]] = {}
    todo: list[type[Section]] = [Section]
    while todo:
        for section in todo.pop().__subclasses__():
            found[section.__name__] = section
            todo.append(section)
    return found


def _groups(definition: Schema, section: type[Section]) -> None:
    """Alternatives as editors understand them. What may be left out by default is not required."""
    rules: list[Schema] = []
    for group in section.ALTERNATIVES:
        pairs = [(a, b) for i, a in enumerate(group) for b in group[i + 1 :]]
        rules += [{"not": {"required": [a, b]}} for a, b in pairs]
    for group in (*section.ONE_OF, *section.SOME_OF):
        if "model" not in group:  # may be left out where there is only one
            rules.append({"anyOf": [{"required": [key]} for key in group]})
    if rules:
        definition["allOf"] = rules


def _tidy(schema: Any) -> None:
    """Drop `null` (it only removes, in environments) and generated titles; let texts be numbers."""
    if isinstance(schema, list):
        for item in schema:
            _tidy(item)
    if not isinstance(schema, dict):
        return
    kinds = schema.get("anyOf")
    if isinstance(kinds, list) and {"type": "null"} in kinds:
        kinds.remove({"type": "null"})
        if len(kinds) == 1:
            del schema["anyOf"]
            schema.update(kinds[0])
    if schema.get("default", 0) is None:
        del schema["default"]
    if isinstance(schema.get("title"), str) and "properties" not in schema:
        del schema["title"]
    if schema.get("type") == "string" and not {"enum", "const"} & schema.keys():
        schema["type"] = ["string", "number", "boolean"]
    for value in list(schema.values()):
        _tidy(value)


def _partial(root: Schema, definitions: Schema) -> tuple[Schema, Schema]:
    """The schema of an environment, and those of the partial sections it refers to."""
    partial = {f"Partial{name}": _relax(deepcopy(item)) for name, item in definitions.items()}
    environment = _relax(deepcopy(root))
    environment["title"] = "Environment"
    environment["description"] = "A partial blueprint; `null` removes an inherited key."
    for key in FIXED:
        environment["properties"].pop(key, None)
    return environment, partial


def _relax(schema: Schema) -> Schema:
    """Nothing is required, every value may be null, references lead to the partial sections."""
    schema.pop("required", None)
    schema.pop("allOf", None)
    schema.pop("minProperties", None)
    for name, value in schema.get("properties", {}).items():
        schema["properties"][name] = _nullable(_redirect(value))
    return schema


def _nullable(schema: Any) -> Schema:
    kept = {key: schema.pop(key) for key in ("description",) if key in schema}
    return {**kept, "anyOf": [schema, {"type": "null"}]}


def _redirect(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_redirect(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _redirect(value) for key, value in schema.items() if key != "minProperties"}
    if isinstance(made.get("$ref"), str):
        made["$ref"] = made["$ref"].replace("#/$defs/", "#/$defs/Partial")
    if "discriminator" in made:  # a partial entry need not say its mode
        del made["discriminator"]
        made["anyOf"] = made.pop("oneOf")
    if isinstance(made.get("additionalProperties"), dict):
        made["additionalProperties"] = _nullable(made["additionalProperties"])
    return made
