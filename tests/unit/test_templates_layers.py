"""A blueprint over templates: which layer wins, and where a value says that it comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_iac.blueprint import ExtraEnvironment, load
from tests.template_support import TEAM, Shelf, read, template, valid, workspace

pytestmark = pytest.mark.usefixtures("_no_cache")


@pytest.fixture
def _no_cache() -> None:
    from mlops_iac.blueprint.templates import applying

    applying._PARSED.clear()


def messages(found: list) -> list[str]:
    return [f"{each.file}:{each.line}:{each.column}: {each.message}" for each in found]


def test_the_team_wins_over_the_template(tmp_path: Path) -> None:
    standard = template(blueprint="owner: platform@acme.com\ntags: {cost: a, team: b}\n")
    loaded = valid(tmp_path, TEAM + "tags: {team: c}\n", standard=standard)
    prod = loaded.resolve("prod")
    assert prod.blueprint.owner == "team@acme.com"
    assert prod.blueprint.tags == {"cost": "a", "team": "c"}
    origin = prod.origin("tags.cost")
    assert (origin.layer, origin.file, origin.line) == (
        "template acme/standard@2.1.0",
        "acme/standard@2.1.0/blueprint.yaml",
        2,
    )
    assert prod.origin("tags.team").layer == "blueprint"


def test_a_later_template_wins_over_an_earlier_one(tmp_path: Path) -> None:
    base = template(blueprint="tags: {a: base, b: base}\n", name="acme/base")
    standard = template(blueprint="tags: {b: standard}\n")
    text = TEAM.replace("[{template: standard}]", "[{template: base}, {template: standard}]")
    loaded = valid(tmp_path, text, base=base, standard=standard)
    assert [each.label for each in loaded.templates] == ["acme/base@2.1.0", "acme/standard@2.1.0"]
    assert loaded.resolve("dev").blueprint.tags == {"a": "base", "b": "standard"}


def test_a_template_stands_on_another_and_hands_parameters_down(tmp_path: Path) -> None:
    base = template(
        "parameters: {level: {description: x}}\n",
        "tags: {level: '${parameters.level}'}\n",
        name="acme/base",
        version="1.0.0",
    )
    standard = template(
        "extends: [{template: base, version: ^1, parameters: {level: '${parameters.tier}-x'}}]\n"
        "parameters: {tier: {description: x}}\n"
    )
    text = TEAM.replace("{template: standard}", "{template: standard, parameters: {tier: gold}}")
    path = workspace(tmp_path, text)
    shelf = Shelf(base=base, standard=standard)
    loaded = load(path, templates=shelf)
    assert loaded.resolve("dev").blueprint.tags == {"level": "gold-x"}
    assert [(each.label, each.by) for each in loaded.templates] == [
        ("acme/base@1.0.0", "acme/standard@2.1.0"),
        ("acme/standard@2.1.0", ""),
    ]
    assert shelf.asked[1].parent == standard
    assert shelf.asked[1].version == "^1"


def test_an_environment_is_above_every_base(tmp_path: Path) -> None:
    standard = template(
        blueprint="environments:\n"
        "  '*': {tags: {every: one, who: star}}\n"
        "  prod: {tags: {who: prod}}\n"
        "  staging: {}\n"
    )
    loaded = valid(tmp_path, TEAM + "tags: {who: team}\n", standard=standard)
    assert loaded.environments == ("local", "prod", "staging", "dev")
    tags = {name: loaded.resolve(name).blueprint.tags for name in loaded.environments}
    assert tags == {
        "local": {"who": "team"},
        "dev": {"every": "one", "who": "star"},
        "staging": {"every": "one", "who": "star"},
        "prod": {"every": "one", "who": "prod"},
    }
    layer = loaded.resolve("prod").origin("tags.who").layer
    assert layer == "template acme/standard@2.1.0, prod"


def test_null_removes_what_a_template_says_and_an_environment_that_it_declares(
    tmp_path: Path,
) -> None:
    standard = template(
        blueprint="budget: {monthly_usd: 5}\nenvironments: {staging: {}, prod: {}}\n"
    )
    text = TEAM.replace("environments: {dev: {}", "environments: {dev: {}, staging: null")
    loaded = valid(tmp_path, text + "budget: null\n", standard=standard)
    assert loaded.environments == ("local", "prod", "dev")
    assert loaded.resolve("prod").blueprint.budget is None


def test_an_alternative_of_the_team_drops_the_templates(tmp_path: Path) -> None:
    standard = template(blueprint="alerts: {oncall: {email: a@acme.com}}\n")
    text = TEAM + "alerts: {oncall: {webhook: {secret: hook}}}\nsecrets: {hook: {}}\n"
    alert = valid(tmp_path, text, standard=standard).resolve("dev").blueprint.alerts["oncall"]
    assert alert.email is None
    assert alert.webhook is not None


def test_what_is_wrong_in_a_template_is_told_at_its_line(tmp_path: Path) -> None:
    standard = template(blueprint="owner: x\nbudget: {monthly_usd: much}\n")
    _, found = read(tmp_path, standard=standard)
    assert messages(found) == [
        "acme/standard@2.1.0/blueprint.yaml:2:23: budget.monthly_usd takes a number, not 'much'"
    ]


@pytest.mark.parametrize(
    ("key", "reason"),
    [("name: churn", "the name is the team's own"), ("extends: []", "in template.yaml")],
)
def test_what_a_template_cannot_set(tmp_path: Path, key: str, reason: str) -> None:
    _, found = read(tmp_path, standard=template(blueprint=f"owner: x\n{key}\n"))
    (one,) = found
    assert (one.code, one.line, one.file) == (
        "fixed-key",
        2,
        "acme/standard@2.1.0/blueprint.yaml",
    )
    assert reason in one.message


def test_templates_that_extend_each_other(tmp_path: Path) -> None:
    one = template("extends: [{template: two}]\n", name="acme/one")
    two = template("extends: [{template: one}]\n", name="acme/two")
    text = TEAM.replace("template: standard", "template: one")
    _, found = read(tmp_path, text, one=one, two=two)
    (problem,) = found
    assert problem.code == "template-cycle"
    assert problem.message == ("templates extend each other: acme/one → acme/two → acme/one")
    assert problem.file == "acme/two@2.1.0/template.yaml"
    assert problem.line == 4


def test_a_template_that_is_reached_twice_is_one_layer(tmp_path: Path) -> None:
    base = template(blueprint="tags: {a: base}\n", name="acme/base")
    left = template("extends: [{template: base}]\n", name="acme/left")
    right = template("extends: [{template: base}]\n", name="acme/right")
    text = TEAM.replace("[{template: standard}]", "[{template: left}, {template: right}]")
    loaded = valid(tmp_path, text, base=base, left=left, right=right)
    assert [each.manifest.name for each in loaded.templates] == [
        "acme/base",
        "acme/left",
        "acme/right",
    ]


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (
            template(name="acme/base", version="3.0.0"),
            "acme/base@3.0.0 (two) is wanted where acme/base@2.1.0 (one) stands already",
        ),
        (
            template("parameters: {a: {description: x, default: 1}}\n", name="acme/base"),
            "acme/base@2.1.0 (two) is wanted where acme/base@2.1.0 (one) stands already",
        ),
    ],
)
def test_two_versions_of_one_template(tmp_path: Path, second, message: str) -> None:
    text = TEAM.replace("[{template: standard}]", "[{template: one}, {template: two}]")
    _, found = read(tmp_path, text, one=template(name="acme/base"), two=second)
    assert messages(found) == [f"blueprint.yaml:6:39: {message}"]


def test_one_template_with_different_parameters(tmp_path: Path) -> None:
    base = template("parameters: {a: {description: x}, b: {description: y, default: z}}\n")
    text = TEAM.replace(
        "[{template: standard}]",
        "[{template: s, parameters: {a: 1}}, {template: s, parameters: {a: 2}}]",
    )
    _, found = read(tmp_path, text, s=base)
    assert messages(found) == [
        "blueprint.yaml:6:57: acme/standard@2.1.0 is used twice with different a"
    ]
    assert found[0].hint == "the blueprint says a '1'; the blueprint says a '2': make the two agree"


def test_templates_that_stand_on_one_with_different_parameters_are_named(tmp_path: Path) -> None:
    base = template("parameters: {a: {description: x, default: null}}\n", name="acme/base")
    left = template("extends: [{template: base}]\n", name="acme/left")
    right = template("extends: [{template: base, parameters: {a: x}}]\n", name="acme/right")
    text = TEAM.replace("[{template: standard}]", "[{template: left}, {template: right}]")
    _, (said,) = read(tmp_path, text, base=base, left=left, right=right)
    assert said.hint == (
        "acme/left@2.1.0 says a left out; acme/right@2.1.0 says a 'x': make the two agree"
    )


def test_a_chain_that_does_not_end(tmp_path: Path) -> None:
    chain = {
        f"t{number}": template(f"extends: [{{template: t{number + 1}}}]\n", name=f"acme/t{number}")
        for number in range(15)
    }
    _, found = read(tmp_path, TEAM.replace("template: standard", "template: t0"), **chain)
    assert [each.code for each in found] == ["too-many-templates"]


def test_a_template_that_cannot_be_had_is_told_at_the_teams_line(tmp_path: Path) -> None:
    loaded, found = read(tmp_path)
    assert loaded is None
    assert messages(found) == ["blueprint.yaml:6:22: there is no 'standard'"]


def test_without_a_finder_templates_are_refused(tmp_path: Path) -> None:
    from mlops_iac.blueprint import inspect

    loaded, found = inspect(workspace(tmp_path))
    assert loaded is None
    assert [each.code for each in found] == ["no-templates"]


def test_the_finder_is_not_asked_where_nothing_is_extended(tmp_path: Path) -> None:
    shelf = Shelf()
    path = workspace(tmp_path, TEAM.replace("extends: [{template: standard}]\n", ""))
    assert load(path, templates=shelf).templates == ()
    assert not shelf.asked


def test_an_ephemeral_environment_is_another_ones_overlay_and_bound_by_its_limits(
    tmp_path: Path,
) -> None:
    standard = template("limits: {environments.dev.protect: {fixed: true, because: shared data}}\n")
    path = workspace(tmp_path, TEAM + "tags: {stage: '${environment}'}\n")
    extra = {"pr-1": ExtraEnvironment("dev", {"expires": "2026-11-22T00:00:00Z"})}
    from mlops_iac.blueprint import inspect

    loaded, found = inspect(path, templates=Shelf(standard=standard), extra=extra)
    assert loaded is None
    assert [each.message for each in found] == [
        (
            "environments.pr-1.protect is fixed to true by acme/standard@2.1.0 (template.yaml:4):"
            " shared data"
        )
    ]
    loaded = load(path, templates=Shelf(standard=template()), extra=extra)
    made = loaded.resolve("pr-1").blueprint
    assert made.tags == {"stage": "pr-1", "expires": "2026-11-22T00:00:00Z"}
    assert made.protect is False
    assert loaded.resolve("dev").blueprint.protect is True
