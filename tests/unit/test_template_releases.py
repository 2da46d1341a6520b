"""What a version of a template breaks, for whom, and whether its number says so."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from mlops_iac.blueprint.source import Node, Source
from mlops_iac.blueprint.templates.applying import parse
from mlops_iac.blueprint.templates.content import TemplateContent, TemplateUnavailable, Wanted
from mlops_iac.errors import Diagnostic
from mlops_iac.templates.changes import Change
from mlops_iac.templates.files import digest
from mlops_iac.templates.releases import compare, diagnostics, least_version

MANIFEST = """\
template: 1
name: acme/standard
version: 2.1.0
platforms: [sagemaker]
parameters:
  tier: {description: d, default: silver, choices: [silver, gold]}
  most: {type: integer, description: d, default: 4, at_least: 1, at_most: 20}
  squad: {description: d, pattern: "[a-z]+"}
  zone: {description: d, default: null}
limits:
  security.keys: {fixed: customer, because: keys are ours}
  serving.*.scaling.max: {at_most: "${parameters.most}", because: quota}
  region: {one_of: [eu-west-1, eu-central-1], because: close}
  owner: {required: true, because: somebody}
  environments: {keys: [dev, staging, prod], because: names}
"""
BLUEPRINT = """\
tags: {tier: "${parameters.tier}", squad: "${parameters.squad}"}
alerts: {oncall: {email: oncall@acme.com}}
description: {$choose: zone, "null": null, $else: "${parameters.zone}"}
environments: {staging: {protect: true}}
"""
OLD = {
    "template.yaml": MANIFEST,
    "blueprint.yaml": BLUEPRINT,
    "policies.yaml": "policies: 1\nrules: {log-retention: {severity: advisory, exceptions: allowed, "
    "least_days: 30}, log-encryption: {enabled: false}}\n",
    "policies/a.py": "RULE = 1\n",
    "tests/default.yaml": "parameters: {squad: a}\nblueprint: {owner: a@acme.com}\n",
}


class Nothing:
    def find(self, wanted: Wanted) -> TemplateContent:
        raise TemplateUnavailable("template-missing", "there is none")


def content(files: Mapping[str, str]) -> TemplateContent:
    raw = {name: text.encode() for name, text in files.items()}
    return TemplateContent("standard", digest(raw), raw, shown="standard")


def told(version: str = "2.1.1", migrations: str = "", **changes: tuple[str, str] | str) -> list[Diagnostic]:  # fmt: skip
    files = dict(OLD)
    for key, change in changes.items():
        name = {"t": "template.yaml", "b": "blueprint.yaml"}.get(key, key)
        if isinstance(change, str):
            files[name] = change
            continue
        assert files[name].count(change[0]) == 1, change
        files[name] = files[name].replace(*change)
    files["template.yaml"] = files["template.yaml"].replace("version: 2.1.0", f"version: {version}")
    files["template.yaml"] += migrations
    return compared({}, files)


def compared(old: Mapping[str, str], new: Mapping[str, str]) -> list[Diagnostic]:
    before, after = (parse(each) for each in (content({**OLD, **old}), content({**OLD, **new})))
    return diagnostics(before, after, compare(before, after, Nothing, "sagemaker"))


def shown(found: list[Diagnostic]) -> str:
    return "\n".join(f"{i.line} {i.severity}[{i.code}] {i.message} ({i.hint})" for i in found)


# What is changed → severity, part of the message.
CHANGES = {
    "a parameter gone": ({"t": ("  zone: {description: d, default: null}\n", ""), "b": ('description: {$choose: zone, "null": null, $else: "${parameters.zone}"}\n', "")}, "warning", 'parameter zone: a text, may be left out → – · d; breaks blueprints that give zone'),
    "a choice gone": ({"t": ("[silver, gold]", "[silver]")}, "warning", 'one of silver or gold, default \'silver\' → one of silver, default \'silver\' · d; breaks blueprints that give tier'),
    "a choice more": ({"t": ("[silver, gold]", "[silver, gold, bronze]")}, "note", 'silver, gold or bronze'),
    "choices where there were none": ({"t": ('pattern: "[a-z]+"', "choices: [sample]")}, "warning", 'one of sample, required · d; breaks'),
    "a tighter bound": ({"t": ("at_most: 20", "at_most: 10")}, "warning", 'at least 1 and at most 10, default 4 · d; breaks'),
    "a bound where there was none": ({"t": ('pattern: "[a-z]+"', 'pattern: "[a-z]+[0-9]"')}, "warning", 'of the form [a-z]+[0-9], required · d; breaks'),
    "a wider bound": ({"t": ("at_most: 20", "at_most: 30")}, "note", 'at most 30'),
    "another type": ({"t": ("{type: integer, description: d, default: 4, at_least: 1, at_most: 20}", "{type: boolean, description: d, default: true}"), "b": ("tier: \"", 'm: "${parameters.most}", tier: "')}, "warning", 'parameter most: a whole number, at least 1 and at most 20, default 4 → true or false'),
    "a wider type": ({"t": ("type: integer", "type: number")}, "note", 'parameter most'),
    "a parameter that must be given": ({"t": ("default: null", 'pattern: "[A-Z]+"')}, "warning", 'breaks blueprints that leave zone out'),
    "a new one that must be given": ({"t": ("  tier:", "  extra: {description: d}\n  tier:"), "b": ("tags: {", "tags: {e: '${parameters.extra}', ")}, "warning", 'breaks every blueprint'),
    "a new one": ({"t": ("  tier:", "  extra: {description: d, default: a}\n  tier:"), "b": ("tags: {", "tags: {e: '${parameters.extra}', ")}, "note", "parameter extra: – → a text, default 'a' · d"),
    "one that may be left out": ({"t": ('pattern: "[a-z]+"', 'pattern: "[a-z]+", default: a')}, "note", 'parameter squad'),
    "another default": ({"t": ("default: silver", "default: gold")}, "note", "tags.tier: 'silver' → 'gold'"),
    "a default for null": ({"t": ("default: null", "default: UTC")}, "warning", 'breaks blueprints that give zone'),
    "a limit more": ({"t": ("limits:\n", "limits:\n  tracking: {fixed: native, because: x}\n")}, "warning", "limit tracking: – → fixed to 'native' · x; breaks"),
    "another fixed value": ({"t": ("fixed: customer", "fixed: provider")}, "warning", "fixed to 'customer' → fixed to 'provider'"),
    "fewer values": ({"t": ("[eu-west-1, eu-central-1]", "[eu-west-1]")}, "warning", "limit region: one of 'eu-west-1' or 'eu-central-1' → one of 'eu-west-1'"),
    "more values": ({"t": ("[eu-west-1, eu-central-1]", "[eu-west-1, eu-central-1, us-east-1]")}, "note", 'limit region'),
    "a lower bound": ({"t": ('at_most: "${parameters.most}"', "at_most: 3")}, "warning", 'at most 4 → at most 3'),
    "a tighter limit by default alone": ({"t": ("default: 4", "default: 3")}, "warning", 'at most 4 → at most 3'),
    "fewer names": ({"t": ("[dev, staging, prod]", "[dev, prod]")}, "warning", "only 'dev', 'staging' and 'prod' → only 'dev' and 'prod'"),
    "more names": ({"t": ("[dev, staging, prod]", "[dev, staging, prod, qa]")}, "note", 'limit environments'),
    "a form where there was none": ({"t": ("owner: {required: true,", "owner: {required: true, pattern: '.*@acme.com',")}, "warning", 'limit owner: required → a text of the form .*@acme.com, required · somebody; breaks'),
    "a form of what had choices": ({"t": ("{one_of: [eu-west-1, eu-central-1],", "{pattern: 'eu-.*',")}, "note", 'limit region'),
    "a form that a choice has not": ({"t": ("{one_of: [eu-west-1, eu-central-1],", "{pattern: 'eu-west-.*',")}, "warning", 'limit region'),
    "a limit gone": ({"t": ("  owner: {required: true, because: somebody}\n", "")}, "note", 'limit owner: required → –'),
    "a section gone": ({"b": ("alerts: {oncall: {email: oncall@acme.com}}\n", "")}, "warning", 'alerts: in the template → –; breaks blueprints that count on alerts'),
    "an entry gone": ({"b": ("{oncall:", "{pager:")}, "warning", 'alerts.oncall'),
    "an environment gone": ({"b": ("staging:", "test:")}, "warning", 'environments.staging'),
    "other values": ({"b": ("oncall@acme.com", "ops@acme.com")}, "note", "alerts.oncall.email: 'oncall@acme.com' → 'ops@acme.com'"),
    "a platform dropped": ({"t": ("[sagemaker]", "[vertex]")}, "warning", 'platforms: sagemaker → vertex; breaks'),
    "a platform more": ({"t": ("[sagemaker]", "[sagemaker, vertex]")}, "note", 'platforms: sagemaker → sagemaker and vertex'),
    "another name": ({"t": ("acme/standard", "acme/base")}, "warning", 'acme/standard → acme/base'),
    "guard rails more": ({"policies/x.py": "RULE = 1\n"}, "warning", 'guard rail policies/x.py'),
    "a rule more": ({"policies.yaml": ("{log-retention", "{owner-tag: {severity: mandatory}, log-retention")}, "warning", 'guard rail owner-tag'),
    "a rule made mandatory": ({"policies.yaml": ("severity: advisory", "severity: mandatory")}, "warning", 'guard rail log-retention'),
    "exceptions forbidden": ({"policies.yaml": (", exceptions: allowed", "")}, "warning", 'guard rail log-retention'),
    "another setting of a rule": ({"policies.yaml": ("least_days: 30", "least_days: 90")}, "warning", 'guard rail log-retention'),
    "a rule switched on": ({"policies.yaml": ("enabled: false", "enabled: true")}, "warning", 'guard rail log-encryption'),
    "a rule gone": ({"policies.yaml": (", log-encryption: {enabled: false}", "")}, "note", 'guard rail log-encryption'),
    "a setting gone": ({"policies.yaml": (", least_days: 30", "")}, "note", 'guard rail log-retention'),
    "a rule switched off": ({"policies.yaml": ("{log-retention", "{owner-tag: {enabled: false}, log-retention")}, "note", 'guard rail owner-tag'),
    "a rule that checks otherwise": ({"policies/a.py": "RULE = 2\n"}, "note", 'guard rail policies/a.py'),
    "another scaffold": ({"scaffold/a": "b"}, "note", 'scaffold: – → scaffold/a'),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_told(change: str) -> None:
    changes, severity, words = CHANGES[change]
    found = told(**changes)
    assert any(i.severity == severity and words in i.message for i in found), shown(found)


BREAKING = [name for name, row in CHANGES.items() if row[1] == "warning"]


@pytest.mark.parametrize("change", BREAKING)
def test_a_version_that_hides_it_is_an_error(change: str) -> None:
    wrong = [item for item in told("2.2.0", **CHANGES[change][0]) if item.severity == "error"]
    assert [(i.code, i.hint, i.line) for i in wrong] == [("wrong-version", "write 3.0.0", 3)]


def test_a_version_that_says_it_is_none() -> None:
    found = told("3.0.0", **CHANGES["a choice gone"][0])
    assert "warning" in [item.severity for item in found]
    assert not [item for item in found if item.severity == "error"]


def test_what_differs_for_one_choice_alone_is_told() -> None:
    chosen = "region: {$choose: tier, silver: {one_of: [eu-west-1], because: x}, gold: {one_of: [eu-west-1, eu-north-1], because: x}}"  # fmt: skip
    before = MANIFEST.replace("region: {one_of: [eu-west-1, eu-central-1], because: close}", chosen)
    tree = BLUEPRINT + "timezone: {$choose: tier, silver: Europe/Paris, gold: Europe/Rome}\n"
    old = {"template.yaml": before, "blueprint.yaml": tree}
    new = {
        "template.yaml": before.replace(", eu-north-1", ""),
        "blueprint.yaml": tree.replace("Europe/Rome", "UTC"),
    }
    said = shown(compared(old, new))
    assert "limit region: one of 'eu-west-1' or 'eu-north-1' → one of 'eu-west-1'" in said
    assert "timezone: 'Europe/Rome' → 'UTC'" in said


def test_a_limit_that_the_template_keeps_already_changes_no_value() -> None:
    limits = "limits:\n  serving.*.capture.percent: {at_least: 10, because: x}\n"
    tree = BLUEPRINT + "serving: {api: {capture: {percent: 100, retention_days: 30}}}\n"
    new = {"blueprint.yaml": tree, "template.yaml": MANIFEST.replace("limits:\n", limits)}
    found = [i for i in compared({"blueprint.yaml": tree}, new) if i.code == "changed"]
    assert [item.message.partition(":")[0] for item in found] == ["limit serving.*.capture.percent"]


@pytest.mark.parametrize(
    ("before", "after", "breaks"),
    [
        ("pattern: 'CC-.*'", "pattern: 'CC-[0-9]+'", True),
        # It takes more, and nobody can tell: what cannot be told is told as what breaks.
        ("pattern: 'CC-[0-9]+'", "pattern: 'CC-.*'", True),
        ("pattern: 'CC-.*', required: true", "required: true", False),
        ("pattern: 'CC-.*', required: true", "pattern: 'CC-.*'", False),
        ("pattern: 'CC-.*'", "fixed: CC-1", True),
        ("fixed: CC-1", "pattern: 'CC-.*'", False),
        ("pattern: 'CC-.*'", "pattern: 'CC-.*'", None),
    ],
)
def test_a_form_changes(before: str, after: str, breaks: bool | None) -> None:
    text = "limits:\n  tags.cost: {{{}, because: x}}\n"
    team = {"tests/default.yaml": OLD["tests/default.yaml"].replace("{owner", "{tags: {cost: CC-1}, owner")}  # fmt: skip
    old, new = (
        {**team, "template.yaml": MANIFEST.replace("limits:\n", text.format(each))}
        for each in (before, after)
    )
    found = [i.severity for i in compared(old, new) if i.message.startswith("limit tags.cost")]
    assert found == ([] if breaks is None else ["warning" if breaks else "note"])


def test_what_could_not_be_compared_is_an_error() -> None:
    """Without a case that both versions take; unless a new major version promises nothing."""
    new = {"template.yaml": MANIFEST.replace("2.1.0", "2.2.0")}
    old = {"tests/default.yaml": "expect: {errors: [x]}\n"}
    (item,) = [i for i in compared(old, {**new, **old}) if i.code == "not-compared"]
    assert (item.severity, item.line) == ("error", 3)
    assert "no case gives the parameters" in item.message
    # The cases of either version do, and what is compared then is the change.
    for one, other in ((OLD, {**OLD, **new, **old}), ({**OLD, **old}, {**OLD, **new})):
        assert "not-compared" not in [i.code for i in compared(one, other)]


def test_nothing_changed_is_no_finding() -> None:
    assert told("2.1.0") == []
    assert told("2.1.1") == []


def test_a_feature_needs_a_minor_version() -> None:
    added = CHANGES["a new one"][0]
    (item,) = [each for each in told("2.1.1", **added) if each.severity == "error"]
    assert (item.code, item.hint) == ("wrong-version", "write 2.2.0")
    assert not [each for each in told("2.2.0", **added) if each.severity == "error"]


def test_the_same_version_with_another_content_is_an_error() -> None:
    found = told("2.1.0", b=("oncall@acme.com", "ops@acme.com"))
    (item,) = [each for each in found if each.severity == "error"]
    assert "a version never changes" in item.message
    assert item.hint == "write 2.2.0"


def test_a_version_does_not_go_back() -> None:
    found = told("2.0.0", b=("oncall@acme.com", "ops@acme.com"))
    (item,) = [each for each in found if each.severity == "error"]
    assert item.message == "2.0.0 comes after 2.1.0"


def test_a_renamed_parameter_with_its_migration_is_covered() -> None:
    changes = {"t": ("  tier: {", "  level: {"), "b": ("${parameters.tier}", "${parameters.level}")}
    migration = "migrations: {3.0.0: [{rename_parameter: tier, to: level}]}\n"
    found = told("3.0.0", migration, **changes)
    (item,) = [each for each in found if "parameter level" in each.message]
    assert (item.severity, item.hint) == ("note", "the migration of 3.0.0 takes care of it")
    assert not [each for each in found if "parameter tier" in each.message]
    again = told("2.1.1", migration.replace("3.0.0", "2.1.1"), **changes)
    assert "wrong-version" in {each.code for each in again}
    lost = [each for each in told("3.0.0", **changes) if each.severity == "warning"]
    assert any("parameter tier" in each.message for each in lost)


def test_a_section_that_a_migration_removes_is_covered() -> None:
    changes = {"b": ("alerts: {oncall: {email: oncall@acme.com}}\n", "")}
    migration = "migrations: {3.0.0: [{remove: alerts, because: elsewhere}]}\n"
    early = migration.replace("3.0.0", "2.1.0")  # that of the version before covers nothing
    for written, severity in ((migration, "note"), (early, "warning")):
        found = told("3.0.0", written, **changes)
        (item,) = [each for each in found if "count on alerts" in each.message]
        assert item.severity == severity


@pytest.mark.parametrize(
    ("old", "breaks", "least"),
    [
        ("2.1.0", "somebody", "3.0.0"),
        ("2.1.0", "", "2.2.0"),
        ("2.1.0", None, "2.1.1"),
        ("0.1.0", "somebody", "0.2.0"),
        ("0.1.0", "", "0.1.1"),
        ("3.0.0-rc.1", "somebody", "3.0.0"),
    ],
)
def test_the_least_honest_version(old: str, breaks: str | None, least: str) -> None:
    place = Node("scalar", Source("", ""), 1, 1)
    change = Change("changed", "x", "x", "", "", "", place, breaks or "")
    assert least_version([] if breaks is None else [change], old) == least
