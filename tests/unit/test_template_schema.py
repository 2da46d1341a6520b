"""The blueprint's schema with templates in it: what an editor completes, and what it underlines."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mlops_iac.api.templates.schema import schema
from mlops_iac.blueprint import inspect, json_schema
from mlops_iac.blueprint.templates.applying import parse
from mlops_iac.blueprint.templates.schema import parameters_schema
from tests.template_support import Shelf, template, workspace

PARAMETERS = """\
description: What services are like.
parameters:
  tier: {description: How much depends on it., default: silver, choices: [silver, gold]}
  most: {type: integer, description: Instances., default: 4, at_least: 1, at_most: 20}
  share: {type: number, description: Of calls., default: 0.5, at_most: 1.5}
  watched: {type: boolean, description: Monitored., default: true}
  squad: {description: Who answers., pattern: "[a-z]+"}
  zone: {description: Where., default: null}
  zones: {type: list, description: Where else., default: [a], at_least: 1, at_most: 2, choices: [a, b, c]}
  release: {description: Which., default: "1.0", choices: ["1.0", "1.1"]}
"""
TREE = """\
tags:
  tier: ${parameters.tier}
  most: ${parameters.most}
  share: ${parameters.share}
  watched: ${parameters.watched}
  squad: ${parameters.squad}
  zone: {$choose: zone, "null": null, $else: "${parameters.zone}"}
  release: ${parameters.release}
"""
STANDARD = template(PARAMETERS, TREE)
OTHER = template("parameters: {size: {description: x, default: small}}\n", "", name="acme/other")
BLUEPRINT: dict[str, Any] = {
    "blueprint": 1,
    "name": "churn",
    "platform": "sagemaker",
    "region": "eu-west-1",
    "extends": [{"template": "standard", "parameters": {"squad": "ml"}}],
    "environments": {"dev": {}},
}


@pytest.fixture(scope="module")
def validator() -> Any:
    templates = {name: parse(each).manifest for name, each in (("standard", STANDARD), ("other", OTHER))}  # fmt: skip
    made = json_schema(templates)
    jsonschema.Draft202012Validator.check_schema(made)
    return jsonschema.Draft202012Validator(made)


def errors(validator: Any, *uses: dict[str, Any]) -> list[str]:
    blueprint = copy.deepcopy(BLUEPRINT)
    blueprint["extends"] = list(uses)
    return [error.message for error in validator.iter_errors(blueprint)]


def test_names_that_a_template_allows_are_completed_and_others_underlined() -> None:
    limits = "limits: {environments: {keys: [dev, prod], because: x}}\n"
    found = {
        "standard": parse(template(limits)).manifest,
        "open": parse(template("limits: {environments: {keys: ['${parameters.a}'], because: x}}\n")).manifest,
    }  # fmt: skip
    made = json_schema(found)
    jsonschema.Draft202012Validator.check_schema(made)
    validator = jsonschema.Draft202012Validator(made)

    def wrong(template: str, *names: str) -> list[str]:
        blueprint = {**BLUEPRINT, "extends": [{"template": template}]}
        blueprint["environments"] = {name: {} for name in names}
        return [error.message for error in validator.iter_errors(blueprint)]

    assert wrong("standard", "local", "dev", "prod") == []
    assert wrong("open", "production") == []
    (one,) = wrong("standard", "dev", "production")
    assert "'production' is not one of ['local', 'dev', 'prod']" in one


GOOD: list[dict[str, Any]] = [
    {"squad": "ml"},
    {"squad": "ml", "tier": "gold", "most": 20, "share": 1.5, "watched": False},
    {"squad": "ml", "zone": None},
    {"squad": "ml", "zone": "a"},
    {"squad": "ml", "zones": ["a", "c"]},
    {"squad": "ml", "release": "1.1"},
    {"squad": "ml", "release": 1.1},  # nobody quotes it, and a text parameter takes it as written
    {"squad": "ml", "share": 1},
]
BAD: list[dict[str, Any]] = [
    {},
    {"squad": "ML"},
    {"squad": "ml2"},
    {"squad": "ml", "teir": "gold"},
    {"squad": "ml", "tier": "bronze"},
    {"squad": "ml", "tier": None},
    {"squad": "ml", "most": 0},
    {"squad": "ml", "most": 21},
    {"squad": "ml", "most": "4"},
    {"squad": "ml", "most": 4.5},
    {"squad": "ml", "share": 2},
    {"squad": "ml", "watched": "yes"},
    {"squad": "ml", "zones": []},
    {"squad": "ml", "zones": ["a", "b", "c"]},
    {"squad": "ml", "zones": ["d"]},
    {"squad": "ml", "zones": "a"},
    {"squad": "ml", "release": "1.2"},
]


@pytest.mark.parametrize("given", GOOD)
def test_what_the_template_takes_is_valid(given: dict[str, Any], validator: Any) -> None:
    assert errors(validator, {"template": "standard", "parameters": given}) == []


@pytest.mark.parametrize("given", BAD)
def test_what_it_does_not_take_is_not(given: dict[str, Any], validator: Any) -> None:
    assert errors(validator, {"template": "standard", "parameters": given})


@pytest.mark.parametrize("given", GOOD + BAD)
def test_schema_and_reader_agree(given: dict[str, Any], validator: Any, tmp_path: Path) -> None:
    import yaml

    blueprint = copy.deepcopy(BLUEPRINT)
    blueprint["extends"] = [{"template": "standard", "parameters": given}]
    path = workspace(tmp_path, yaml.safe_dump(blueprint, sort_keys=False))
    loaded, _ = inspect(path, templates=Shelf(standard=STANDARD))
    assert (loaded is not None) == (not errors(validator, blueprint["extends"][0]))


def test_required_parameters_make_the_mapping_required(validator: Any) -> None:
    assert errors(validator, {"template": "standard"}) == ["'parameters' is a required property"]
    assert errors(validator, {"template": "other"}) == []


def test_each_template_has_parameters_of_its_own(validator: Any) -> None:
    assert errors(validator, {"template": "other", "parameters": {"size": "large"}}) == []
    assert errors(validator, {"template": "other", "parameters": {"tier": "gold"}})
    assert errors(validator, {"template": "unknown", "parameters": {"anything": 1}}) == []


def test_an_editor_is_told_what_a_parameter_is_for(validator: Any) -> None:
    definition = validator.schema["$defs"]["Parameters of acme/standard"]
    assert definition["description"] == "What services are like."
    assert definition["properties"]["tier"] == {
        "description": "How much depends on it.",
        "enum": ["silver", "gold"],
        "default": "silver",
    }
    assert definition["required"] == ["squad"]


@pytest.mark.parametrize(
    ("pattern", "known"),
    [("[a-z]+", True), ("(?:a|b)", True), ("(?=a).*", True), ("(?i)a", False), (r"\\Aa\\Z", False),
     ("(?P<x>a)", False), ("a++", False)],
)  # fmt: skip
def test_an_editor_is_not_given_a_form_that_it_cannot_read(pattern: str, known: bool) -> None:
    text = f'parameters: {{x: {{description: d, pattern: "{pattern}"}}}}\n'
    made = parameters_schema(parse(template(text)).manifest)
    assert ("pattern" in made["properties"]["x"]) == known


def test_without_templates_the_schema_is_the_language_alone() -> None:
    assert json_schema() == json_schema({})
    assert "if" not in str(json_schema()["$defs"]["TemplateUse"])


def test_a_folder_with_a_blueprint_has_a_schema_that_knows_its_templates(tmp_path: Path) -> None:
    folder = tmp_path / "standard"
    folder.mkdir()
    for name, raw in STANDARD.files.items():
        (folder / name).write_bytes(raw)
    path = workspace(
        tmp_path, "extends:\n  - template: ./standard\n  - template: ./gone\nwrong: 1\n"
    )
    made, notes = schema(path)
    assert list(made["$defs"]["TemplateUse"]["properties"]["template"]["examples"]) == [
        "./standard"
    ]
    assert len(notes) == 1
    assert "./gone" in notes[0]
    bad = {**BLUEPRINT, "extends": [{"template": "./standard", "parameters": {"tier": "gold"}}]}
    assert not jsonschema.Draft202012Validator(made).is_valid(bad)


def test_a_schema_knows_a_template_that_is_named(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "standard"
    folder.mkdir()
    for name, raw in STANDARD.files.items():
        (folder / name).write_bytes(raw)
    made, notes = schema(None, ["./standard"])
    assert notes == []
    assert "Parameters of acme/standard" in made["$defs"]
