"""Parameters: typed where they are given, put in as values, never read as YAML."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.template_support import TEAM, read, template, valid

TIER = "parameters: {tier: {description: which one, default: silver, choices: [silver, gold]}}\n"


def given(parameters: str) -> str:
    return TEAM.replace("{template: standard}", f"{{template: s, parameters: {parameters}}}")


def messages(found: list) -> list[str]:
    return [f"{each.file}:{each.line}:{each.column}: {each.message}" for each in found]


@pytest.mark.parametrize(
    ("declared", "written", "message", "hint"),
    [
        ("{description: x, choices: [silver, gold]}", "gld",
         "extends[0].parameters.p is 'gld'; acme/standard@2.1.0 takes one of silver or gold",
         "did you mean 'gold'?"),
        ("{type: integer, description: x, at_least: 1, at_most: 20}", "21",
         "extends[0].parameters.p is 21; acme/standard@2.1.0 takes a whole number, at least 1 and at most 20", "x"),
        ("{type: integer, description: x}", "2.5", "extends[0].parameters.p takes a whole number, not '2.5'", ""),
        ("{type: integer, description: x}", "'3'", "extends[0].parameters.p takes a whole number, not '3'", "write it without quotes"),
        ("{type: boolean, description: x}", "on", "extends[0].parameters.p takes true or false, not 'on'", "did you mean true?"),
        ("{type: number, description: x}", "{a: 1}", "extends[0].parameters.p takes a number, not a mapping", ""),
        ("{type: list, description: x}", "one", "extends[0].parameters.p takes a list of texts", "write `[one]`"),
        ("{type: list, description: x, at_least: 2}", "[one]", "extends[0].parameters.p has 1 item; acme/standard@2.1.0 takes a list of texts, at least 2 items", ""),
        ("{type: list, description: x, choices: [a, b]}", "[a, c]", "'c' in extends[0].parameters.p: acme/standard@2.1.0 takes one of a or b", ""),
        ("{description: x, pattern: '[a-z]+@acme.com'}", "joe", "extends[0].parameters.p is 'joe'; acme/standard@2.1.0 takes a text, of the form [a-z]+@acme.com", "x"),
        ("{description: x}", "null", "extends[0].parameters.p has no value", ""),
    ],
)  # fmt: skip
def test_a_parameter_of_the_wrong_type_is_told_at_the_teams_line(
    tmp_path: Path, declared: str, written: str, message: str, hint: str
) -> None:
    standard = template(f"parameters: {{p: {declared}}}\n")
    loaded, found = read(tmp_path, given(f"{{p: {written}}}"), s=standard)
    assert loaded is None
    (one,) = found
    assert one.message == message
    assert (one.file, one.line) == ("blueprint.yaml", 6)
    if hint:
        assert hint in one.hint


def test_a_pattern_that_comes_to_no_end_fits_nothing(tmp_path: Path) -> None:
    standard = template("parameters: {p: {description: x, pattern: '(a+)+$'}}\n")
    started = time.monotonic()
    _, found = read(tmp_path, given(f"{{p: {'a' * 40}!}}"), s=standard)
    assert time.monotonic() - started < 60  # it would take years
    assert ["too long to tell" in each.message for each in found] == [True]
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_unknown_and_missing_parameters_are_told_together(tmp_path: Path) -> None:
    standard = template("parameters: {tier: {description: which one}, b: {description: c}}\n")
    _, found = read(tmp_path, given("{teir: gold}"), s=standard)
    assert messages(found) == [
        "blueprint.yaml:6:22: acme/standard@2.1.0 needs the parameter 'tier'",
        "blueprint.yaml:6:22: acme/standard@2.1.0 needs the parameter 'b'",
        "blueprint.yaml:6:38: 'teir' is not a parameter of acme/standard@2.1.0",
    ]
    assert [each.hint for each in found] == [
        "which one (a text)",
        "c (a text)",
        "did you mean 'tier'?",
    ]


def test_a_parameter_alone_is_the_typed_value(tmp_path: Path) -> None:
    standard = template(
        "parameters:\n"
        "  usd: {type: number, description: x}\n"
        "  shares: {type: list, description: x}\n"
        "  on: {type: boolean, description: x, default: true}\n",
        "budget: {monthly_usd: '${parameters.usd}'}\n"
        "protect: '${parameters.on}'\n"
        "security: {access: {approvers: '${parameters.shares}'}}\n",
    )
    dev = valid(tmp_path, given("{usd: 7.5, shares: [a, b]}"), s=standard).resolve("dev").blueprint
    assert dev.budget is not None
    assert dev.budget.monthly_usd == 7.5
    assert dev.protect is True
    assert dev.security.access.approvers == ("a", "b")


def test_a_text_stays_a_text(tmp_path: Path) -> None:
    standard = template(
        "parameters: {v: {description: x}}\n",
        "options: {sagemaker: {permissions_boundary: 'x-${parameters.v}'}}\n"
        "overrides: {a: {b: '${parameters.v}'}}\n",
    )
    for written, meant in (("1.20", "1.20"), ("true", "true"), ("'~'", "~"), ("0123", "0123")):
        dev = valid(tmp_path, given(f"{{v: {written}}}"), s=standard).resolve("dev").blueprint
        assert dev.overrides == {"a": {"b": meant}}
        assert dev.options.sagemaker is not None
        assert dev.options.sagemaker.permissions_boundary == f"x-{meant}"


@pytest.mark.parametrize(
    "hostile",
    [
        r'"a}}\nprotect: false\nx: {y: {"',
        "'{protect: false}'",
        "'*anchor'",
        "'a: b'",
        "'!!python/object:os.system'",
        "'{{ 7 * 7 }}'",
    ],
)
def test_what_a_parameter_holds_is_never_read_as_yaml(tmp_path: Path, hostile: str) -> None:
    standard = template(
        "parameters: {v: {description: x}}\n",
        "description: 'a ${parameters.v} b'\nmodels: {churn: {description: '${parameters.v}'}}\n"
        "protect: true\n",
    )
    dev = valid(tmp_path, given(f"{{v: {hostile}}}"), s=standard).resolve("dev").blueprint
    assert dev.protect is True
    assert dev.description == f"a {dev.models['churn'].description} b"
    assert len(dev.models) == 1


def test_a_key_may_be_a_parameter(tmp_path: Path) -> None:
    standard = template(
        "parameters: {who: {description: x}}\n",
        "alerts: {'${parameters.who}-oncall': {email: a@acme.com}}\n",
    )
    dev = valid(tmp_path, given("{who: risk}"), s=standard).resolve("dev").blueprint
    assert list(dev.alerts) == ["risk-oncall"]


def test_the_languages_own_variables_stay(tmp_path: Path) -> None:
    standard = template(
        "parameters: {v: {description: x}}\n",
        "tags: {a: '${parameters.v}-${environment}', b: '$${parameters.v}'}\n",
    )
    loaded = valid(tmp_path, given("{v: '${name}'}"), s=standard)
    assert loaded.resolve("dev").blueprint.tags == {"a": "churn-dev", "b": "${parameters.v}"}


def test_what_is_left_out_leaves_its_key_out(tmp_path: Path) -> None:
    standard = template(
        "parameters:\n"
        "  boundary: {description: x, default: null}\n"
        "  who: {description: x, default: null}\n",
        "options: {sagemaker: {permissions_boundary: '${parameters.boundary}'}}\n"
        "security: {access: {approvers: [a, '${parameters.who}']}}\n",
    )
    dev = valid(tmp_path, given("{who: null}"), s=standard).resolve("dev").blueprint
    assert dev.options.sagemaker is not None
    assert dev.options.sagemaker.permissions_boundary is None
    assert dev.security.access.approvers == ("a",)


@pytest.mark.parametrize(("tier", "usd"), [("silver", 90), ("gold", 900), ("bronze", None)])
def test_a_value_is_chosen_by_a_parameter(tmp_path: Path, tier: str, usd: float | None) -> None:
    standard = template(
        "parameters: {tier: {description: x, choices: [gold, silver, bronze]}}\n",
        "budget:\n  $choose: tier\n  gold: {monthly_usd: 900}\n"
        "  silver: {monthly_usd: 90}\n  bronze: null\n",
    )
    budget = valid(tmp_path, given(f"{{tier: {tier}}}"), s=standard).resolve("dev").blueprint.budget
    assert (budget.monthly_usd if budget else None) == usd


@pytest.mark.parametrize(
    ("blueprint", "message"),
    [
        ("budget: {$choose: tier, gold: {}}\n", "there is no case for tier 'silver'"),
        ("budget: {$choose: teir, gold: {}}\n", "$choose takes the name of a parameter"),
        ("owner: '${parameters.tire}'\n", "there is no parameter 'tire'"),
        ("owner: 'a ${parameters.tire} b'\n", "there is no parameter 'tire'"),
        (
            "tags: {'${parameters.tier}': a, silver: b}\n",
            "two keys of this map are 'silver'",
        ),
    ],
)
def test_what_is_wrong_in_the_template_is_told_there(
    tmp_path: Path, blueprint: str, message: str
) -> None:
    loaded, found = read(tmp_path, given("{}"), s=template(TIER, blueprint))
    assert loaded is None
    (one,) = found
    assert one.message == message
    assert (one.file, one.line) == ("acme/standard@2.1.0/blueprint.yaml", 1)


def test_a_value_that_does_not_fit_the_field_is_told_where_it_is_given(tmp_path: Path) -> None:
    standard = template(
        "parameters: {size: {description: x}}\n",
        "models: {churn: {train: {compute: {size: '${parameters.size}'}}}}\n",
    )
    _, found = read(tmp_path, given("{size: midium}"), s=standard)
    (one,) = found
    assert (one.file, one.line) == ("blueprint.yaml", 6)
    assert one.message == "'midium' is not a value of models.churn.train.compute.size"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: Acme\n", "'Acme' cannot be the name of a template"),
        ("version: 2.1\n", "'2.1' is no semantic version"),
        ("parameters: {Tier: {description: x}}\n", "'Tier' cannot be the name of a parameter"),
        ("parameters: {t: {}}\n", "parameters.t needs 'description'"),
        ("parameters: {t: {description: x, type: string}}\n", "'string' is not a value of parameters.t.type"),
        ("parameters: {t: {description: x, pattern: '['}}\n", "parameters.t.pattern is no regular expression"),
        ("parameters: {t: {description: x, at_most: 3}}\n", "a text has no at_least or at_most"),
        ("changelog: {soon: [x]}\n", "'soon' is no semantic version"),
        ("migrations: {2.0.0: [{renam: a, to: b}]}\n", "needs one of rename, move, rename_parameter"),
        ("migrations: {2.0.0: [{rename: a}]}\n", "migrations.2.0.0[0]: rename needs 'to'"),
        ("paramters: {}\n", "'paramters' is not a key of template.yaml"),
    ],
)  # fmt: skip
def test_a_manifest_that_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    made = template()
    head = {"name": "name: acme/s\n", "version": "version: 1.0.0\n"}
    head.pop(text.partition(":")[0], None)
    files = {"template.yaml": ("template: 1\n" + "".join(head.values()) + text).encode()}
    broken = type(made)("s", f"sha256:{text}", files)
    loaded, found = read(tmp_path, given("{}"), s=broken)
    assert loaded is None
    assert any(message in each.message for each in found), messages(found)
    assert all(each.file.endswith("/template.yaml") for each in found)


@pytest.mark.parametrize(
    ("use", "code"),
    [("{template: s, params: {tier: gold}}", "unknown-key"), ("{template: s, parameters: [tier]}", "wrong-type")],
)  # fmt: skip
def test_why_a_parameter_that_was_written_is_missing_is_told(
    tmp_path: Path, use: str, code: str
) -> None:
    needed = template("parameters: {tier: {description: which one}}\n")
    _, found = read(tmp_path, TEAM.replace("{template: standard}", use), s=needed)
    assert {each.code for each in found} == {"missing-parameter", code}


def test_a_parameter_that_has_another_name_now_is_told_so(tmp_path: Path) -> None:
    renamed = TIER + "migrations: {2.0.0: [{rename_parameter: level, to: tier}]}\n"
    _, (said,) = read(tmp_path, given("{level: gold}"), s=template(renamed))
    assert (said.code, said.hint) == (
        "unknown-parameter",
        "since 2.0.0 it is called 'tier'; `mlops-iac template update` renames it",
    )


@pytest.mark.parametrize(
    ("extends", "hint"),
    [
        ("./s", "write `[{template: ./s}]`"),
        ("[./s]", "write `{template: ./s}`"),
        ("{template: ./s}", "write `- ` before its first key, or `[` and `]` around it"),
        ("'a b'", ""),
    ],
)
def test_how_a_template_is_named_is_told(tmp_path: Path, extends: str, hint: str) -> None:
    _, found = read(tmp_path, TEAM.replace("[{template: standard}]", extends))
    assert [(each.code, each.hint) for each in found] == [("wrong-type", hint)]
