"""Texts: what no name may have, how long one may be, and which time zones there are."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
import yaml

from mlops_iac import validate
from mlops_iac.blueprint import json_schema

NAMED = """\
blueprint: 1
name: churn
platform: sagemaker
region: eu-west-1
EDIT
environments: {prod: {account: 210987654321}}
"""
UNSEEN = [
    r"\u200b",
    r"\u202e",
    r"\u2066",
    r"\ufeff",
    r"\u00ad",
    r"\x07",
    r"\x7f",
    r"\x85",
    r"\n",
    r"\t",
]


@pytest.mark.parametrize("character", UNSEEN)
@pytest.mark.parametrize(
    ("edit", "path"),
    [
        ('owner: "a@b"', "owner"),
        ('tags: {team: "a@b"}', "tags.team"),
        ('tags: {"a@b": x}', "tags.a@b"),
        ('deploy_as: "a@b"', "deploy_as"),
        ('exceptions: {"a@b": {at: ., reason: x, until: 2027-01-31}}', "exceptions.a@b"),
        ('existing: {subnets: ["a@b"]}', "existing.subnets[0]"),
        ('alerts: {oncall: {email: "a@b@c.example"}}', "alerts.oncall.email"),
    ],
)
def test_a_name_has_nothing_that_nobody_sees(
    tmp_path: Path, character: str, edit: str, path: str
) -> None:
    file = tmp_path / "blueprint.yaml"
    file.write_text(NAMED.replace("EDIT", edit.replace("@", character, 1)))
    (found,) = [item for item in validate(file) if item.severity == "error"]
    seen = character.encode().decode("unicode_escape")
    assert found.code == "control-character"
    # Where a key is one that a terminal obeys, it is refused before it is a path.
    assert found.path in ("", path.replace("@", seen, 1))
    assert f"U+{ord(seen):04X}" in found.message
    assert seen not in found.message
    assert found.line == 5


@pytest.mark.parametrize(
    "text",
    [
        "Zürich 東京",
        r"\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        r"👩\u200d💻",
        r"two\nlines\tand more",
    ],
)
def test_prose_may_be_in_any_writing(tmp_path: Path, text: str) -> None:
    file = tmp_path / "blueprint.yaml"
    file.write_text(NAMED.replace("EDIT", f'description: "{text}"\nowner: Zürich 東京'))
    assert validate(file) == []


@pytest.mark.parametrize(
    ("timezone", "known"),
    [
        ("Europe/Amsterdam", True),
        ("America/Argentina/Buenos_Aires", True),
        ("US/Pacific", True),
        ("UTC", True),
        *((f"{folder}/Europe/Amsterdam", False) for folder in ("posix", "right", "..")),
        *((name, False) for name in ("localtime", "posixrules", "Factory", "utc", "tzdata.zi")),
    ],
)
def test_a_time_zone_is_one_everywhere(tmp_path: Path, timezone: str, known: bool) -> None:
    file = tmp_path / "blueprint.yaml"
    file.write_text(NAMED.replace("EDIT", f"timezone: {timezone}"))
    assert [item.code for item in validate(file)] == ([] if known else ["unknown-timezone"])


IMAGE = "{{image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/x:1}}"
LONG = {
    "owner": ("owner: {}", 256),
    "tags.team": ("tags: {{team: {}}}", 256),
    "tags.": ("tags: {{{}: x}}", 128),
    "alerts.": ("alerts: {{{}: {{email: a@b.example}}}}", 40),
    "models.m.description": (
        f"models: {{{{m: {{{{description: {{}}, source: 's3://a/b', runtime: {IMAGE}}}}}}}}}",
        3072,
    ),
}


@pytest.mark.parametrize("path", list(LONG))
def test_how_long_a_text_may_be_is_told_by_the_reader_and_the_schema(
    tmp_path: Path, path: str
) -> None:
    written, most = LONG[path]
    validator = jsonschema.Draft202012Validator(json_schema())
    file = tmp_path / "blueprint.yaml"
    for length in (most, most + 1):
        text = NAMED.replace("EDIT", written.format("x" * length))
        file.write_text(text)
        found = [item for item in validate(file) if item.severity == "error"]
        content = yaml.safe_load(text)
        content["environments"]["prod"]["account"] = "210987654321"
        assert bool(found) is (length > most)
        assert validator.is_valid(content) is (length <= most)
        assert all(item.path.startswith(path) and item.line == 5 for item in found)
