"""Every rule about templates fires on the defect that it is for, at its line, and only there."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import pytest

from mlops_iac.api.templates.linting import lint_content
from mlops_iac.blueprint.templates.content import TemplateContent, TemplateUnavailable, Wanted
from mlops_iac.errors import Diagnostic
from mlops_iac.templates.files import digest
from mlops_iac.templates.starter import starter

MANIFEST = """\
template: 1
name: acme/standard
version: 2.1.0
description: What services are like.
platforms: [sagemaker]
parameters:
  tier: {description: How much depends on it., default: silver, choices: [silver, gold]}
  most: {type: integer, description: Instances., default: 4, at_least: 1, at_most: 20}
  squad: {description: Who answers., pattern: "[a-z]+"}
  zone: {description: Where., default: null}
limits:
  environments.*.security.keys: {fixed: customer, because: keys are ours}
  serving.*.scaling.max: {at_most: "${parameters.most}", because: quota}
  owner: {required: true, because: somebody answers}
changelog:
  2.1.0: [More.]
  2.0.0: [New names.]
migrations:
  2.0.0:
    - {rename: serving.*.scaling.maximum, to: max}
    - {rename_parameter: level, to: tier}
    - {move: a.scaling, to: serving.*.scaling}
    - {set: security.keys, value: customer, because: since then}
"""
BLUEPRINT = """\
tags: {tier: "${parameters.tier}", team: "${parameters.squad}"}
timezone: {$choose: zone, "null": null, $else: "${parameters.zone}"}
security:
  keys: customer
serving:
  api:
    compute:
      size: {$choose: tier, silver: small, gold: medium}
"""
FILES = {
    "template.yaml": MANIFEST.replace("a.scaling, to: serving.*.scaling", "x, to: region"),
    "blueprint.yaml": BLUEPRINT,
    "README.md": "# standard\n",
    "tests/default.yaml": "parameters: {zone: Europe/Amsterdam, squad: a}\nblueprint: {owner: a@acme.com}\n",
    "policies.yaml": "policies: 1\nrules:\n  owner-tag: {severity: mandatory}\n",
    "policies/no_fridays.py": "RULE = Rule(id='no-fridays')\n",
}


class Shelf:
    def __init__(self, **templates: TemplateContent) -> None:
        self.templates = templates

    def find(self, wanted: Wanted) -> TemplateContent:
        if wanted.source not in self.templates:
            raise TemplateUnavailable("template-missing", f"there is no '{wanted.source}'")
        return self.templates[wanted.source]


def content(files: Mapping[str, str | bytes], source: str = "standard") -> TemplateContent:
    raw = {name: text.encode() if isinstance(text, str) else text for name, text in files.items()}
    return TemplateContent(source, digest(raw), raw, shown="standard")


def linted(changes: Mapping[str, object], **below: TemplateContent) -> list[Diagnostic]:
    files: dict[str, str | bytes] = dict(FILES)
    for name, change in changes.items():
        match change:
            case None:
                del files[name]
            case (old, new):
                text = files[name]
                assert isinstance(text, str)
                assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
                files[name] = text.replace(old, new)
            case str() | bytes():
                files[name] = change
    return lint_content(content(files), Shelf(**below))


def told(found: list[Diagnostic]) -> str:
    return "\n".join(
        f"{i.file}:{i.line}: {i.severity}[{i.code}] {i.message} ({i.hint})" for i in found
    )


def test_a_sound_template_has_nothing_wrong() -> None:
    assert linted({}) == []


# What is done to the sound template → what is said: severity, code, file, line, part of the message.
T, B, P = "template.yaml", "blueprint.yaml", "policies.yaml"
DEFECTS = {
    # files
    "no README": ({"README.md": None}, "warning no-readme template.yaml:0 no README.md"),
    "an unknown file": ({"polices.yaml": "x: 1"}, "error unknown-file polices.yaml:0 nothing reads"),
    "an unknown folder": ({"scafold/x": ""}, "error unknown-file scafold/x:0 nothing reads"),
    "a rule that is no Python file": ({"policies/x.rego": ""}, "error unknown-file policies/x.rego:0 nothing"),
    "a case with another ending": ({"tests/a.yml": ""}, "error unknown-file tests/a.yml:0 nothing"),
    # manifest
    "no description": ({T: ("description: What services are like.\n", "")}, "warning no-description template.yaml:2 no description"),
    "an unknown key": ({T: ("platforms:", "platfroms:")}, "error unknown-key template.yaml:5 'platfroms'"),
    "no version": ({T: ("version: 2.1.0\n", "")}, "error missing template.yaml:1 needs 'version'"),
    "an illegal name": ({T: ("acme/standard", "Acme")}, "error illegal-name template.yaml:2 cannot be"),
    "a form that is no expression": ({T: ("owner: {required: true,", "owner: {pattern: '[', required: true,")}, "error bad-pattern template.yaml:14 no regular expression"),
    "a form that no value has": ({T: ("{fixed: customer, ", "{pattern: 'c', ")}, "error locked blueprint.yaml:4 allows a text of the form c"),
    "a version without changelog": ({T: ("version: 2.1.0", "version: 2.2.0")}, "error no-changelog template.yaml:3 nothing of 2.2.0"),
    "an empty changelog entry": ({T: ("2.1.0: [More.]", "2.1.0: []")}, "error no-changelog template.yaml:3 nothing of 2.1.0"),
    "a changelog ahead": ({T: ("2.1.0: [More.]", "2.1.0: [More.]\n  3.0.0: [x]")}, "error ahead-of-version template.yaml:17 changelog has 3.0.0"),
    "migrations ahead": ({T: ("migrations:\n  2.0.0:", "migrations:\n  4.0.0:")}, "error ahead-of-version template.yaml:19 migrations has 4.0.0"),
    "build metadata": ({T: ("version: 2.1.0", "version: 2.1.0+b1")}, "error bad-version template.yaml:3 build metadata"),
    # parameters
    "an unused parameter": ({B: (', team: "${parameters.squad}"', "")}, "error unused-parameter template.yaml:9 'squad' is used nowhere"),
    "an undeclared parameter": ({B: ("${parameters.tier}", "${parameters.teir}")}, "error unknown-parameter blueprint.yaml:1 no parameter 'teir'"),
    "an undeclared one in a key": ({B: ("tags: {", 'tags: {"${parameters.x}": a, ')}, "error unknown-parameter blueprint.yaml:1 no parameter 'x'"),
    "an undeclared one in a limit": ({T: ("${parameters.most}", "${parameters.mots}")}, "error unknown-parameter template.yaml:13 no parameter 'mots'"),
    "an undeclared one chosen by": ({B: ("$choose: tier", "$choose: level")}, "error unknown-parameter blueprint.yaml:8 takes the name of a parameter"),
    "a default outside choices": ({T: ("default: silver", "default: bronze")}, "error bad-default template.yaml:7 is 'bronze'"),
    "a default out of range": ({T: ("default: 4", "default: 40")}, "error bad-default template.yaml:8 is 40"),
    "a default of another type": ({T: ("default: 4", "default: four")}, "error bad-default template.yaml:8 whole number"),
    "a default against its pattern": ({T: ('pattern: "[a-z]+"', 'pattern: "[a-z]+", default: A1')}, "error bad-default template.yaml:9 is 'A1'"),
    "a choice of another type": ({T: ("at_least: 1, at_most: 20", "choices: [4, five]")}, "error wrong-choice template.yaml:8 whole number"),
    "a choice that YAML reads otherwise": ({T: ("[silver, gold]", "[silver, gold, 1.20]")}, "error wrong-choice template.yaml:7 not as the text '1.20'"),
    "an empty range": ({T: ("at_least: 1, at_most: 20", "at_least: 9, at_most: 2")}, "error empty-range template.yaml:8 at least 9"),
    "a pattern that is none": ({T: ('"[a-z]+"', '"["')}, "error bad-pattern template.yaml:9 no regular expression"),
    "a bound of a text": ({T: ('pattern: "[a-z]+"', "at_most: 3")}, "error no-effect template.yaml:9 no at_least"),
    # choosing
    "a case is missing": ({B: (", gold: medium", "")}, "error no-case blueprint.yaml:8 tier 'gold'"),
    "no case for left out": ({B: ('"null": null, $else: "${parameters.zone}"', "UTC: UTC")}, "error no-case blueprint.yaml:2 zone 'null'"),
    "$else alone": ({B: ("$choose: tier, silver: small, gold: medium", "$else: small")}, "error wrong-type blueprint.yaml:8 not a mapping"),
    # limits
    "an unknown path": ({T: ("scaling.max:", "scaling.maxx:")}, "error unknown-path template.yaml:13 'maxx'"),
    "a fixed value that is refused": ({T: ("{fixed: customer, ", "{fixed: ours, ")}, "error unknown-value template.yaml:12 'ours'"),
    "a fixed nothing": ({T: ("{fixed: customer, ", "{fixed: null, ")}, "error no-effect template.yaml:12 fixed to nothing holds nobody"),
    "one_of that the type refuses": ({T: ("{fixed: customer, ", "{one_of: [customer, mine], ")}, "error bad-choice template.yaml:12 'mine'"),
    "a range with nothing in it": ({T: ('{at_most: "${parameters.most}", ', "{at_least: 5, at_most: 3, ")}, "error empty-range template.yaml:13 at least 5, at most 3"),
    "no reason": ({T: ("because: quota", 'because: ""')}, "error empty template.yaml:13 because cannot be empty"),
    "a limit beside which there is another way": ({T: ("  owner: {required", "  serving.*.compute.size: {one_of: [small], because: b}\n  owner: {required")}, "warning alternative template.yaml:14 writes instance instead of size"),
    "required and forbidden": ({T: ("  owner: {required", "  security: {forbidden: true, because: b}\n  owner: {required")}, "error locked blueprint.yaml:3 security is forbidden"),
    "fixed twice": ({T: ("  owner: {required", "  security.keys: {fixed: provider, because: b}\n  owner: {required")}, "error locked blueprint.yaml:4 fixed to 'provider'"),
    "choices without a common one": ({T: ("  owner: {required", "  environments.prod.security.keys: {one_of: [provider], because: b}\n  owner: {required")}, "error locked blueprint.yaml:4 one of 'provider'"),
    "an own environment that may not be": ({T: ("  owner: {required", "  environments: {keys: [dev], because: n}\n  owner: {required"), B: ("tags: {", "environments: {qa: {}}\ntags: {")}, "error locked blueprint.yaml:1 environments has 'qa'"),
    "a key that is required and may not be": ({T: ("  owner: {required", "  tags: {keys: [tier, team], because: n}\n  tags.cost: {required: true, because: b}\n  owner: {required")}, "error locked blueprint.yaml:1 tags.cost is required"),
    "keys of what has none": ({T: ("{fixed: customer, ", "{keys: [a], ")}, "error unknown-path template.yaml:12 keys cannot hold for it"),
    "a limit against its own blueprint": ({B: ("keys: customer", "keys: provider")}, "error locked blueprint.yaml:4 security.keys is fixed to 'customer'"),
    "a value over its own limit": ({B: ("    compute:", "    scaling: {min: 1, max: 30, target: {requests_per_minute: 9}}\n    compute:")}, "error locked blueprint.yaml:7 scaling.max is 30"),
    # what it resolves to
    "a field that there is not": ({B: ("size: {", "siez: {")}, "error unknown-key blueprint.yaml:8 'siez'"),
    "a value that is none": ({B: ("gold: medium", "gold: huge")}, "error unknown-value blueprint.yaml:8 'huge'"),
    "a platform that refuses": (
        {B: ('tags: {tier: "', "tags: {'a;b': x, tier: \"")},
        "error service-limit blueprint.yaml:1 does not match",
    ),
    "the name of the team": ({B: ("tags:", "name: x\ntags:")}, "error fixed-key blueprint.yaml:1 cannot set 'name'"),
    "a base that is not there": ({T: ("parameters:\n", "extends: [{template: base}]\nparameters:\n")}, "error template-missing template.yaml:6 no 'base'"),
    # migrations
    "a rename to nothing": ({T: ("to: max}", "to: maxx}")}, "error bad-migration template.yaml:20 serving.*.scaling.maxx is no path"),
    "a rename of nothing": ({T: ("rename: serving.*.scaling.maximum", "rename: servings.*.scaling.maximum")}, "error bad-migration template.yaml:20 no path"),
    "a rename to a place": ({T: ("to: max}", "to: scaling.max}")}, "error bad-migration template.yaml:20"),
    "a move to nothing": ({T: ("to: region", "to: regions")}, "error bad-migration template.yaml:22 regions is no path"),
    "a move with lost stars": ({T: ("to: region", "to: serving.*.mode")}, "error bad-migration template.yaml:22 more `*`"),
    "a value that cannot be set": ({T: ("value: customer", "value: ours")}, "error bad-migration template.yaml:23 'ours'"),
    "a parameter that is not there": ({T: ("to: tier}", "to: teir}")}, "error bad-migration template.yaml:21 no parameter 'teir'"),
    "a parameter that still is": ({T: ("rename_parameter: level", "rename_parameter: most")}, "error bad-migration template.yaml:21 still a parameter"),
    # guard rails
    "policies that name no rule": ({P: ("owner-tag", "owner-tags")}, "error unknown-rule policies.yaml:3 'owner-tags'"),
    "a wrong severity": ({P: ("mandatory", "must")}, "error unknown-value policies.yaml:3 'must'"),
    "wrong exceptions": ({P: ("mandatory", "mandatory, exceptions: never")}, "error unknown-value policies.yaml:3 'never'"),
    # secrets
    "an access key": ({"README.md": "# x\nAKIA" + "ABCDEFGHIJKLMNOP\n"}, "error secret-literal README.md:2 AWS access key"),
    "a private key": ({"docs/x.md": "-----BEGIN RSA " + "PRIVATE KEY-----\n"}, "error secret-literal docs/x.md:1 private key"),
    "credentials in a URL": ({"README.md": "https://me:hunter2" + "@example.com/x"}, "error secret-literal README.md:1 credentials"),
    # scaffold
    "a scaffold that names nothing": ({"scaffold/README.md.jinja": "{{ nobody }}"}, "error bad-scaffold scaffold/README.md.jinja:1 nobody"),
    "a scaffold that is no Jinja2": ({"scaffold/README.md.jinja": "x\n{% if %}"}, "error bad-scaffold scaffold/README.md.jinja:2"),
    "a blueprint that is no YAML": ({"scaffold/blueprint.yaml.jinja": "blueprint: 1\nname: {{ name }}\nnothing\n{{ extends }}"}, "error bad-scaffold scaffold/blueprint.yaml.jinja:0 (line 4 of what is rendered)"),
    "a hostile name": ({"scaffold/{{ '..' }}/x": "a"}, "error bad-scaffold scaffold/"),
    "a way out of the sandbox": ({"scaffold/a.jinja": "{{ ''.__class__.__mro__ }}"}, "error bad-scaffold scaffold/a.jinja:1"),
    "a scaffold over nothing": ({"scaffold/.from": "nothing"}, "error bad-scaffold scaffold/.from:0 no such scaffold"),
}  # fmt: skip


@cache
def findings(defect: str) -> list[Diagnostic]:
    return linted(DEFECTS[defect][0])


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_is_told(defect: str) -> None:
    wanted = DEFECTS[defect][1]
    found = findings(defect)
    severity, code, place, words = [*wanted.split(" ", 3), ""][:4]
    assert any(
        (item.severity, item.code) == (severity, code)
        and place in f"{item.file.removeprefix('standard/')}:{item.line}"
        and words in item.message
        for item in found
    ), f"{wanted!r} is not among\n{told(found)}"


@pytest.mark.parametrize("defect", DEFECTS)
def test_every_finding_has_a_place_in_the_template(defect: str) -> None:
    for item in findings(defect):
        assert item.file.startswith("standard/"), told([item])
        assert item.message, item


def test_every_code_has_a_defect_that_it_fires_on() -> None:
    import ast
    import inspect as read

    from mlops_iac.api.templates import linting as template_linting
    from mlops_iac.templates.linting import (
        files,
        history,
        limits,
        parameters,
    )

    named: set[str] = set()
    rules = (files, history, limits, parameters)
    for module in (template_linting, *rules):
        for node in ast.walk(ast.parse(read.getsource(module))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in (
                "problem",
                "Diagnostic",
            ):
                place = 1 if getattr(node.func, "id", "") == "problem" else 0
                code = node.args[place] if len(node.args) > place else None
                if isinstance(code, ast.Constant):
                    named.add(str(code.value))
    fired = {item.code for defect in DEFECTS for item in findings(defect)}
    assert len(named) > 12
    assert named - fired == set()


def test_a_guard_rail_that_a_team_can_keep_is_no_finding() -> None:
    """Who pays, only a team can say: the template is not to blame where it asks for that."""
    rules = "policies: 1\nrules:\n  cost-tag: {severity: mandatory}\n"
    assert linted({"policies.yaml": rules}) == []


def test_all_is_told_in_one_pass() -> None:
    manifest = (
        FILES[T].replace("default: 4", "default: 40").replace("scaling.max:", "scaling.maxx:")
    )
    found = linted({B: ("gold: medium", "platinum: huge"), T: manifest, "x": ""})
    assert {"bad-default", "unknown-path", "unknown-file"} <= {item.code for item in found}
    # Also of files that cannot be read as what they are: each of them says what is wrong with it.
    unread = {
        T: ("version: 2.1.0\n", "version: two\n"),
        B: "name: x\n",
    }
    told_of = {(item.file, item.code) for item in linted(unread)}
    assert {
        ("standard/template.yaml", "bad-version"),
        ("standard/blueprint.yaml", "fixed-key"),
    } <= told_of


def test_a_finding_of_many_combinations_is_told_once() -> None:
    found = linted({T: ("{fixed: customer, ", "{fixed: ours, ")})
    assert len([item for item in found if item.code == "unknown-value"]) == 1


def test_what_is_wrong_below_is_told_where_it_is_extended() -> None:
    base = content(
        {
            "template.yaml": "template: 1\nname: acme/base\nversion: 1.0.0\n",
            "blueprint.yaml": "securiti: {}\n",
        },
        "base",
    )
    base = TemplateContent("base", base.digest, base.files)
    found = linted({T: ("parameters:\n", "extends: [{template: base}]\nparameters:\n")}, base=base)
    (item,) = [item for item in found if item.code == "unknown-key"]
    assert (item.file, item.line) == ("standard/template.yaml", 6)
    assert "acme/base@1.0.0/blueprint.yaml:1: 'securiti' is not a section" in item.message


def test_a_template_that_stands_on_itself() -> None:
    files = {
        **FILES,
        T: FILES[T].replace("parameters:\n", "extends: [{template: x}]\nparameters:\n"),
    }
    found = lint_content(content(files), Shelf(x=content(files)))
    assert [item.line for item in found if item.code == "template-cycle"] == [6]


def test_a_project_is_not_blamed_for_what_the_template_gets_wrong() -> None:
    scaffold = {"scaffold/README.md.jinja": "# {{ name }}"}
    found = linted({**scaffold, B: ("size: {", "siez: {")})
    assert "unknown-key" in {item.code for item in found}
    assert "bad-scaffold" not in {item.code for item in found}


def test_a_file_of_a_scaffold_is_named_whole() -> None:
    (found,) = [
        each for each in linted({"scaffold/{{ nobody }}.md": "x"}) if "scaffold" in each.code
    ]
    assert (found.file.rpartition("scaffold/")[2], found.line) == ("{{ nobody }}.md", 1)
    assert found.hint == ""


SATISFIED = {
    "instances": "serving.*.scaling.min: {at_least: 2, because: b}",
    "instances of one environment": "environments.prod.serving.*.scaling.min: {at_least: 2, because: b}",
    "a budget": "environments.*.budget.monthly_usd: {required: true, at_most: 50, because: b}\n"
    "  environments.*.alerts: {required: true, because: b}",
    "a monitor": "environments.*.serving.*.monitor.limits: {required: true, because: b}",
    "a size": "serving.*.compute.size: {one_of: [large], because: b}\n"
    "  serving.*.compute.instance: {forbidden: true, because: b}",
    "a region": "region: {one_of: [eu-central-1], because: b}",
    "a tag": "tags.team: {required: true, because: b}",
    "no overrides": "overrides: {forbidden: true, because: b}",
    "names of environments": "environments: {keys: [staging], because: b}",
    "names of environments, one limited": "environments: {keys: [dev, live], because: b}\n"
    "  environments.live.security.keys: {fixed: customer, because: b}",
    "names of tags": "tags: {keys: [team, cost], required: true, because: b}",
    "names of alerts": "alerts: {keys: [oncall], required: true, because: b}",
}


@pytest.mark.parametrize("case", SATISFIED)
def test_a_limit_that_a_team_can_keep_is_no_finding(case: str) -> None:
    """The small blueprint keeps it, so that the platform can be asked."""
    limits = f"limits:\n  {SATISFIED[case]}\n"
    manifest = f"template: 1\nname: a\nversion: 1.0.0\ndescription: d\nplatforms: [sagemaker]\nchangelog: {{1.0.0: [x]}}\n{limits}"  # fmt: skip
    files = {T: manifest, "README.md": "x", "tests/a.yaml": "{}"}
    found = lint_content(content(files), Shelf())
    assert found == [], told(found)


def test_a_secret_is_not_shown() -> None:
    token = "AKIA" + "ABCDEFGHIJKLMNOP"
    found = linted({"README.md": f"# x\n{token}\n"})
    assert token not in told(found) + "".join(item.snippet for item in found)


def test_the_code_of_a_template_is_not_run() -> None:
    code = "raise SystemExit('ran')\nRULE = Rule(id='no-fridays')\n"
    assert linted({"policies/no_fridays.py": code}) == []


def test_what_init_writes_is_sound() -> None:
    files = {name: raw.decode() for name, raw in starter("acme/standard").items()}
    found = lint_content(content(files), Shelf(standard=content(files)))
    assert [item for item in found if item.code != "bad-scaffold"] == []
