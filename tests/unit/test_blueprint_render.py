"""Diagnostics as people, programs, code scanners and GitHub read them."""

from __future__ import annotations

import json

import pytest

from mlops_iac.blueprint.render import Format, as_github, as_text, render
from mlops_iac.blueprint.words import THERE_IS
from mlops_iac.errors import Diagnostic

ITEM = Diagnostic(
    code="unknown-key",
    message="'instanse' is not a field of serving.api.compute",
    file="blueprint.yaml",
    line=41,
    column=5,
    length=8,
    path="serving.api.compute.instanse",
    hint="did you mean 'instance'?",
    snippet="    instanse: ml.m5.large",
)


def test_text_has_the_form_of_the_language_description() -> None:
    assert as_text(ITEM) == (
        "blueprint.yaml:41:5: error[unknown-key]: 'instanse' is not a field of serving.api.compute\n"
        "   41 |     instanse: ml.m5.large\n"
        "      |     ^^^^^^^^ did you mean 'instance'?"
    )


def test_text_without_a_line_has_no_snippet() -> None:
    item = Diagnostic("x", "the whole file", file="b.yaml", hint="do this", severity="warning")
    assert as_text(item) == "b.yaml: warning[x]: the whole file\n      do this"
    assert as_text(Diagnostic("x", "nowhere")) == "error[x]: nowhere"


@pytest.mark.parametrize(
    ("snippet", "column", "length", "caret"),
    [
        ("a: é ü", 6, 1, "     ^"),
        ("a: 日本 x", 7, 1, "        ^"),
        ("a: 日本 x", 4, 2, "   ^^^^"),
        ("a:\tb", 4, 1, "   ^"),
        ("a: e\u0301x", 6, 1, "    ^"),
    ],
)
def test_the_caret_stands_under_the_place_also_beside_wide_characters(
    snippet: str, column: int, length: int, caret: str
) -> None:
    item = Diagnostic("x", "m", "b.yaml", 1, column, length, snippet=snippet)
    assert as_text(item).split("\n")[2] == f"      | {caret}"


def test_a_very_long_line_is_cut_around_the_place() -> None:
    line = "a: [" + "x, " * 1000 + "here" + ", y" * 1000 + "]"
    item = Diagnostic("x", "m", "b.yaml", 1, line.index("here") + 1, 4, snippet=line)
    _, shown, caret = as_text(item).split("\n")
    assert len(shown) < 200
    at = caret.index("^")
    assert shown[at : at + 4] == "here"


def test_control_characters_never_reach_the_terminal() -> None:
    item = Diagnostic("x", "m", "b.yaml", 1, 1, 1, snippet="a: \x1b[31mred\x07")
    assert "\x1b" not in as_text(item)
    assert "\x07" not in as_text(item)


def test_a_style_paints_the_parts() -> None:
    painted = as_text(ITEM, style=lambda text, role: f"<{role}>{text}</>")
    assert "<place>blueprint.yaml:41:5:</> <error>error[unknown-key]</>" in painted
    assert "<caret>^^^^^^^^</> <hint>did you mean 'instance'?</>" in painted


def test_json_has_every_field_and_counts() -> None:
    content = json.loads(render([ITEM, Diagnostic("y", "m", severity="warning")], "json"))
    assert (content["errors"], content["warnings"]) == (1, 1)
    assert list(content) == ["diagnostics", "errors", "warnings"]
    said = [
        "code",
        "severity",
        "message",
        "hint",
        "file",
        "line",
        "column",
        "length",
        "path",
        "snippet",
    ]
    assert list(content["diagnostics"][0]) == said
    assert content["diagnostics"][0]["line"] == 41
    assert content["diagnostics"][0]["path"] == "serving.api.compute.instanse"
    assert json.loads(render([], "json")) == {"diagnostics": [], "errors": 0, "warnings": 0}


def test_sarif_points_at_the_place() -> None:
    content = json.loads(render([ITEM, Diagnostic("a", "whole", "b.yaml")], "sarif"))
    run = content["runs"][0]
    assert content["version"] == "2.1.0"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["a", "unknown-key"]
    first, second = run["results"]
    assert (first["ruleId"], first["ruleIndex"], first["level"]) == ("unknown-key", 1, "error")
    region = first["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 41, "startColumn": 5, "endColumn": 13}
    assert "region" not in second["locations"][0]["physicalLocation"]


def test_github_annotations_escape_what_would_end_them() -> None:
    assert as_github(ITEM) == (
        "::error file=blueprint.yaml,title=unknown-key,line=41,col=5,endColumn=13::"
        "'instanse' is not a field of serving.api.compute%0Adid you mean 'instance'?"
    )
    item = Diagnostic("c", "100%\nx", "a,b:c.yaml", severity="note")
    assert as_github(item) == "::notice file=a%2Cb%3Ac.yaml,title=c::100%25%0Ax"


def test_text_of_several_is_one_after_the_other() -> None:
    assert render([ITEM, ITEM]) == f"{as_text(ITEM)}\n{as_text(ITEM)}"
    assert render([]) == ""


@pytest.mark.parametrize("form", ["text", "github"])
def test_of_very_many_people_see_some_and_programs_all(form: Format) -> None:
    items = [Diagnostic("w", f"aside {n}", "b.yaml", severity="warning") for n in range(150)]
    items += [Diagnostic("e", f"fault {n}", "b.yaml") for n in range(99)]
    lines = render(items, form).split("\n")
    assert (len(lines), sum("fault" in line for line in lines)) == (101, 99)
    assert "aside 0" in lines[0]
    assert lines[-1].endswith("and 149 more (`--json` has all)")
    assert len(json.loads(render(items, "json"))["diagnostics"]) == 249
    assert len(render(items[:100], form).split("\n")) == 100


@pytest.mark.parametrize("form", ["text", "github"])
def test_what_a_mapping_takes_is_said_once(form: Format) -> None:
    paths = ("a.x", "a.y", "b.x")
    items = [Diagnostic("unknown-key", "m", "b.yaml", path=at, hint=THERE_IS + "k") for at in paths]
    items += [Diagnostic("other", "m", "b.yaml", path=at, hint="leave it out") for at in paths]
    text = render(items, form)
    assert (text.count("there is: k"), text.count("leave it out")) == (2, 3)
    assert render(items, "json").count("there is: k") == 3
