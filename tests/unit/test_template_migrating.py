"""Migrations of a template over a team's blueprint: base, overlays, comments, conflicts."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from mlops_iac.blueprint.editing import EditRefused
from mlops_iac.blueprint.templates.content import TemplateContent
from mlops_iac.blueprint.templates.manifest import read_manifest
from mlops_iac.templates.migrating import migrate

TEAM = """\
    blueprint: 1  # ours
    name: churn
    extends:
    - {template: ../standard, version: ^1, parameters: {level: gold}}   # the platform team's
    - template: ../other
      parameters: {level: 1}

    # what answers
    serving:
      api:
        mode: real-time
        # agreed with ops
        scaling: {min: 1, maximum: 4}  # quota
        monitor: {every: daily}
      web: {mode: real-time}
    environments:
      dev: {serving: {api: {scaling: {maximum: 1}}}}
      prod:
        serving:
          api:
            scaling:
              maximum: 20   # peak
"""


def operations(text: str):
    manifest = "template: 1\nname: standard\nversion: 3.0.0\nmigrations:\n"
    content = TemplateContent(
        source="../standard",
        digest="sha256:0",
        files={"template.yaml": (manifest + indent(dedent(text), "  ")).encode()},
    )
    return read_manifest(content).manifest.migrations


def run(text: str, migrations: str, *, old: str = "1.0.0", new: str = "3.0.0"):
    sources = {"../standard"}
    return migrate(dedent(text), operations(migrations), old=old, new=new, sources=sources)


def test_a_rename_reaches_the_base_and_every_environment():
    done = run(TEAM, "  2.0.0: [{rename: serving.*.scaling.maximum, to: max}]\n")
    assert done.text == dedent(TEAM).replace("maximum", "max")
    assert [(each.line, each.words) for each in done.done] == [
        (13, "renamed serving.api.scaling.maximum to max"),
        (17, "renamed environments.dev.serving.api.scaling.maximum to max"),
        (22, "renamed environments.prod.serving.api.scaling.maximum to max"),
    ]


def test_a_move_takes_its_comments_along_and_leaves_no_empty_section():
    done = run(TEAM, "  2.0.0: [{move: serving.*.scaling, to: serving.*.compute.scale}]\n")
    assert done.text == dedent(
        TEAM.replace("        # agreed with ops\n", "")
        .replace("        scaling: {min: 1, maximum: 4}  # quota\n", "")
        .replace(
            "        monitor: {every: daily}\n",
            "        monitor: {every: daily}\n        compute:\n          # agreed with ops\n"
            "          scale: {min: 1, maximum: 4}  # quota\n",
        )
        .replace("{scaling: {maximum: 1}}", "{compute: {scale: {maximum: 1}}}")
        .replace(
            "            scaling:\n              maximum: 20   # peak\n",
            "            compute:\n              scale:\n                maximum: 20   # peak\n",
        )
    )


def test_a_section_that_lost_all_it_had_goes_but_what_has_a_name_stays():
    steps = """\
      2.0.0:
      - {move: serving.*.monitor.every, to: serving.*.schedule}
      - {remove: serving.*.scaling.maximum, because: the platform decides}
    """
    done = run(TEAM, steps)
    assert "monitor" not in done.text
    assert "    schedule: daily\n" in done.text
    assert "  dev: {serving: {api: {}}}\n" in done.text
    assert "      api: {}\n" in done.text
    assert [each.words for each in done.done][1] == (
        "removed serving.api.scaling.maximum: the platform decides"
    )


def test_a_parameter_is_renamed_where_it_is_given_to_this_template():
    done = run(TEAM, "  2.0.0: [{rename_parameter: level, to: tier, because: one word}]\n")
    assert done.text == dedent(TEAM).replace("{level: gold}", "{tier: gold}")
    assert [(each.line, each.words) for each in done.done] == [
        (4, "renamed the parameter level to tier: one word")
    ]


def test_a_value_is_set_where_none_is_written():
    steps = """\
      2.0.0:
      - {set: serving.*.monitor.every, value: weekly, because: it was the default}
      - {set: security.keys, value: provider}
      - {set: serving.*.mode, value: batch}
      - {set: models.*.x, value: 1}
    """
    done = run(TEAM, steps)
    assert [(each.line, each.words) for each in done.done] == [
        (0, "set serving.web.monitor.every to weekly: it was the default"),
        (0, "set security.keys to provider"),
    ]
    assert "  web: {mode: real-time, monitor: {every: weekly}}\n" in done.text
    assert done.text.endswith("security:\n  keys: provider\n")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("1.0.0", "3.0.0", "c"),
        ("1.0.0", "2.9.0", "b"),
        ("2.0.0", "2.5.0", "a"),
        ("1.9.0", "2.0.0", "a"),
        ("2.0.0", "2.0.0", "name"),
        ("3.0.0", "1.0.0", "name"),
        ("2.0.0-rc.1", "2.0.0", "a"),
    ],
)
def test_the_versions_between_in_their_order(old, new, expected):
    steps = """\
      10.0.0: [{rename: c, to: d}]
      2.0.0: [{rename: name, to: a}]
      3.0.0: [{rename: b, to: c}]
      2.9.0: [{rename: a, to: b}]
    """
    assert f"\n{expected}: churn\n" in run(TEAM, steps, old=old, new=new).text or (
        old == "2.0.0" and run(TEAM, steps, old=old, new=new).text == dedent(TEAM)
    )


def test_each_step_sees_what_the_one_before_did_and_tells_the_first_line():
    steps = """\
      2.0.0: [{move: serving.*.scaling, to: capacity.*}]
      2.1.0: [{rename: capacity.*.maximum, to: max}]
    """
    done = run(TEAM, steps)
    assert [each.line for each in done.done if each.version == "2.1.0"] == [13, 17, 22]
    assert "max: 20   # peak" in done.text


def test_a_conflict_names_both_lines():
    with pytest.raises(EditRefused) as told:
        run(TEAM, "  2.0.0: [{rename: name, to: owner}, {rename: serving.*.mode, to: monitor}]\n")
    (said,) = told.value.diagnostics
    assert said.message == (
        "serving.api.mode cannot become serving.api.monitor: that is in line 14 already"
    )
    assert (said.line, said.snippet) == (11, "    mode: real-time")


def test_what_finds_nothing_says_nothing():
    steps = """\
      2.0.0:
      - {rename: models.*.x, to: z}
      - {move: a.b, to: c.d}
      - {remove: serving.*.nothing}
      - {rename_parameter: unknown, to: known}
    """
    done = run(TEAM, steps)
    assert done.text == dedent(TEAM)
    assert done.done == ()


def test_what_an_anchor_shares_is_not_changed_for_one():
    text = "serving:\n  api: &x\n    maximum: 1\n  web: *x\n"
    with pytest.raises(EditRefused, match="shared through the anchor in line 2"):
        run(text, "  2.0.0: [{rename: serving.api.maximum, to: max}]\n")
    done = run(text, "  2.0.0: [{rename: serving.*.maximum, to: max}]\n")
    assert done.text == text.replace("maximum", "max")
