"""What a version of a template breaks, for whom, and whether its number says so."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from mlops_iac.blueprint.templates.content import TemplateContent, TemplateUnavailable, Wanted
from mlops_iac.errors import Diagnostic
from mlops_iac.templates.compatibility.run import compare, diagnostics, needed
from mlops_iac.templates.files import digest

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
    old, new = content(OLD), content(files)
    return diagnostics(old, new, compare(old, new, Nothing))


def shown(found: list[Diagnostic]) -> str:
    return "\n".join(f"{i.line} {i.severity}[{i.code}] {i.message} ({i.hint})" for i in found)


# What is changed → severity, code, part of the message.
CHANGES = {
    "a parameter gone": ({"t": ("  zone: {description: d, default: null}\n", ""), "b": ('description: {$choose: zone, "null": null, $else: "${parameters.zone}"}\n', "")}, "warning", "parameter-removed", "zone is gone; breaks blueprints that give zone"),
    "a choice gone": ({"t": ("[silver, gold]", "[silver]")}, "warning", "parameter-narrowed", "no longer takes 'gold'; breaks blueprints with tier 'gold'"),
    "a choice more": ({"t": ("[silver, gold]", "[silver, gold, bronze]")}, "note", "parameter-widened", "silver, gold or bronze"),
    "choices where there were none": ({"t": ('pattern: "[a-z]+"', "choices: [sample]")}, "warning", "parameter-narrowed", "takes only sample"),
    "a tighter bound": ({"t": ("at_most: 20", "at_most: 10")}, "warning", "parameter-narrowed", "at most 10 now; breaks blueprints above it"),
    "a bound where there was none": ({"t": ('pattern: "[a-z]+"', 'pattern: "[a-z]+[0-9]"')}, "warning", "parameter-narrowed", "has another form"),
    "a wider bound": ({"t": ("at_most: 20", "at_most: 30")}, "note", "parameter-widened", "at_most"),
    "another type": ({"t": ("{type: integer, description: d, default: 4, at_least: 1, at_most: 20}", "{type: boolean, description: d, default: true}"), "b": ("tier: \"", 'm: "${parameters.most}", tier: "')}, "warning", "parameter-type", "takes true or false, and took a whole number"),
    "a wider type": ({"t": ("type: integer", "type: number")}, "", "parameter-type", ""),
    "a parameter that must be given": ({"t": ("default: null", 'pattern: "[A-Z]+"')}, "warning", "parameter-required", "zone must be given now; breaks blueprints that leave zone out"),
    "a new one that must be given": ({"t": ("  tier:", "  extra: {description: d}\n  tier:"), "b": ("tags: {", "tags: {e: '${parameters.extra}', ")}, "warning", "parameter-required", "breaks every blueprint"),
    "a new one": ({"t": ("  tier:", "  extra: {description: d, default: a}\n  tier:"), "b": ("tags: {", "tags: {e: '${parameters.extra}', ")}, "note", "parameter-added", "extra is new"),
    "one that may be left out": ({"t": ('pattern: "[a-z]+"', 'pattern: "[a-z]+", default: a')}, "note", "parameter-optional", "squad may be left out"),
    "another default": ({"t": ("default: silver", "default: gold")}, "note", "default-changed", "tags.tier: 'silver' → 'gold'; for blueprints that leave tier out"),
    "a default for null": ({"t": ("default: null", "default: UTC")}, "warning", "parameter-narrowed", "can no longer be left empty"),
    "a limit more": ({"t": ("limits:\n", "limits:\n  tracking: {fixed: native, because: x}\n")}, "warning", "limit-added", "tracking is fixed to 'native' now"),
    "another fixed value": ({"t": ("fixed: customer", "fixed: provider")}, "warning", "limit-tightened", "and was fixed to 'customer'"),
    "fewer values": ({"t": ("[eu-west-1, eu-central-1]", "[eu-west-1]")}, "warning", "limit-tightened", "region is one of 'eu-west-1'"),
    "more values": ({"t": ("[eu-west-1, eu-central-1]", "[eu-west-1, eu-central-1, us-east-1]")}, "note", "limit-loosened", "region"),
    "a lower bound": ({"t": ('at_most: "${parameters.most}"', "at_most: 3")}, "warning", "limit-tightened", "at most 3, and was at most 4"),
    "a tighter limit by default alone": ({"t": ("default: 4", "default: 3")}, "warning", "limit-tightened", "beyond it that leave parameters out"),
    "fewer names": ({"t": ("[dev, staging, prod]", "[dev, prod]")}, "warning", "limit-tightened", "environments is only 'dev' and 'prod', and was only 'dev', 'staging' and 'prod'"),
    "more names": ({"t": ("[dev, staging, prod]", "[dev, staging, prod, qa]")}, "note", "limit-loosened", "environments"),
    "a form where there was none": ({"t": ("owner: {required: true,", "owner: {required: true, pattern: '.*@acme.com',")}, "warning", "limit-tightened", "owner is a text of the form .*@acme.com, required, and was required: somebody; breaks blueprints of another form"),
    "a form of what had choices": ({"t": ("{one_of: [eu-west-1, eu-central-1],", "{pattern: 'eu-.*',")}, "note", "limit-loosened", "region"),
    "a form that a choice has not": ({"t": ("{one_of: [eu-west-1, eu-central-1],", "{pattern: 'eu-west-.*',")}, "warning", "limit-tightened", "region"),
    "a limit gone": ({"t": ("  owner: {required: true, because: somebody}\n", "")}, "note", "limit-removed", "owner is not limited any more"),
    "another reason": ({"t": ("because: quota", "because: money")}, "note", "limit-explained", "reason"),
    "a section gone": ({"b": ("alerts: {oncall: {email: oncall@acme.com}}\n", "")}, "warning", "section-removed", "alerts is not in the template any more"),
    "an entry gone": ({"b": ("{oncall:", "{pager:")}, "warning", "section-removed", "alerts.oncall"),
    "an environment gone": ({"b": ("staging:", "test:")}, "warning", "environment-removed", "environments.staging"),
    "other values": ({"b": ("oncall@acme.com", "ops@acme.com")}, "note", "values-changed", "alerts.oncall.email: 'oncall@acme.com' → 'ops@acme.com'"),
    "a platform dropped": ({"t": ("[sagemaker]", "[vertex]")}, "warning", "platform-dropped", "breaks blueprints on sagemaker"),
    "a platform more": ({"t": ("[sagemaker]", "[sagemaker, vertex]")}, "note", "platform-added", "vertex is supported"),
    "another name": ({"t": ("acme/standard", "acme/base")}, "warning", "name-changed", "acme/base"),
    "guard rails more": ({"policies/x.py": "RULE = 1\n"}, "warning", "guard-rails-added", "policies/x.py"),
    "a rule more": ({"policies.yaml": ("{log-retention", "{owner-tag: {severity: mandatory}, log-retention")}, "warning", "guard-rail-tightened", "owner-tag is set, and was not"),
    "a rule made mandatory": ({"policies.yaml": ("severity: advisory", "severity: mandatory")}, "warning", "guard-rail-tightened", "log-retention is mandatory now"),
    "exceptions forbidden": ({"policies.yaml": (", exceptions: allowed", "")}, "warning", "guard-rail-tightened", "allows no exceptions now"),
    "another setting of a rule": ({"policies.yaml": ("least_days: 30", "least_days: 90")}, "warning", "guard-rail-tightened", "has another least_days"),
    "a rule switched on": ({"policies.yaml": ("enabled: false", "enabled: true")}, "warning", "guard-rail-tightened", "log-encryption is switched on"),
    "a rule gone": ({"policies.yaml": (", log-encryption: {enabled: false}", "")}, "note", "guard-rail-loosened", "log-encryption is not set any more"),
    "a setting gone": ({"policies.yaml": (", least_days: 30", "")}, "note", "guard-rail-loosened", "holds less"),
    "a rule switched off": ({"policies.yaml": ("{log-retention", "{owner-tag: {enabled: false}, log-retention")}, "note", "guard-rail-loosened", "owner-tag is switched off"),
    "a rule that checks otherwise": ({"policies/a.py": "RULE = 2\n"}, "note", "guard-rails-changed", "policies/a.py"),
    "another scaffold": ({"scaffold/a": "b"}, "note", "scaffold-changed", "scaffold/a"),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_told(change: str) -> None:
    changes, severity, code, words = CHANGES[change]
    found = [item for item in told(**changes) if item.code == code]
    if not severity:
        assert found == []
        return
    assert any((i.severity == severity) and words in i.message for i in found), shown(
        told(**changes)
    )


BREAKING = [name for name, row in CHANGES.items() if row[1] == "warning"]


@pytest.mark.parametrize("change", BREAKING)
def test_a_version_that_hides_it_is_an_error(change: str) -> None:
    wrong = [item for item in told("2.2.0", **CHANGES[change][0]) if item.severity == "error"]
    assert [(i.code, i.hint, i.line) for i in wrong] == [("dishonest-version", "write 3.0.0", 3)]


def test_a_version_that_says_it_is_none() -> None:
    found = told("3.0.0", **CHANGES["a choice gone"][0])
    assert "parameter-narrowed" in [item.code for item in found]
    assert not [item for item in found if item.severity == "error"]


def test_what_differs_for_one_choice_alone_is_told() -> None:
    chosen = 'region: {$choose: tier, silver: {one_of: [eu-west-1], because: x}, gold: {one_of: [eu-west-1, eu-north-1], because: x}}'  # fmt: skip
    before = MANIFEST.replace("region: {one_of: [eu-west-1, eu-central-1], because: close}", chosen)
    after = before.replace(", eu-north-1", "")
    tree = BLUEPRINT + "owner: {$choose: tier, silver: a, gold: b}\n"
    old = content({**OLD, "template.yaml": before, "blueprint.yaml": tree})
    new = content(
        {**OLD, "template.yaml": after, "blueprint.yaml": tree.replace("gold: b", "gold: c")}
    )
    found = {change.code: change.message for change in compare(old, new, Nothing)}
    assert found["limit-tightened"].endswith(": x, with tier 'gold'")
    assert found["values-changed"].endswith("owner: 'b' → 'c', with tier 'gold'")


def test_a_limit_that_the_template_keeps_already_changes_no_value() -> None:
    limits = "limits:\n  serving.*.capture.percent: {at_least: 10, because: x}\n"
    tree = BLUEPRINT + "serving: {api: {capture: {percent: 100, retention_days: 30}}}\n"
    old = content({**OLD, "blueprint.yaml": tree})
    new = content(
        {**OLD, "blueprint.yaml": tree, "template.yaml": MANIFEST.replace("limits:\n", limits)}
    )
    codes = [change.code for change in compare(old, new, Nothing)]
    assert codes == ["limit-added"]


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("pattern: 'CC-.*'", "pattern: 'CC-[0-9]+'", "limit-tightened"),
        # It takes more, and nobody can tell: what cannot be told is told as what breaks.
        ("pattern: 'CC-[0-9]+'", "pattern: 'CC-.*'", "limit-tightened"),
        ("pattern: 'CC-.*', required: true", "required: true", "limit-loosened"),
        ("pattern: 'CC-.*', required: true", "pattern: 'CC-.*'", "limit-loosened"),
        ("pattern: 'CC-.*'", "fixed: CC-1", "limit-tightened"),
        ("fixed: CC-1", "pattern: 'CC-.*'", "limit-loosened"),
        ("pattern: 'CC-.*'", "pattern: 'CC-.*'", None),
    ],
)
def test_a_form_changes(before: str, after: str, code: str | None) -> None:
    text = "limits:\n  tags.cost: {{{}, because: x}}\n"
    old = {"template.yaml": MANIFEST.replace("limits:\n", text.format(before))}
    new = {"template.yaml": MANIFEST.replace("limits:\n", text.format(after))}
    codes = [i.code for i in compared(old, new) if i.code.startswith("limit-")]
    assert codes == ([code] if code else [])


# A pattern that no sample is known for: without one, nothing could be compared.
ODD = {"template.yaml": MANIFEST.replace('"[a-z]+"', '"CC-[0-9]{9}"')}
TESTED = {"tests/one.yaml": "parameters: {squad: CC-123456789}\n"}


def compared(old: Mapping[str, str], new: Mapping[str, str]) -> list[Diagnostic]:
    before, after = content({**OLD, **old}), content({**OLD, **new})
    return diagnostics(before, after, compare(before, after, Nothing))


def test_what_could_not_be_compared_is_an_error() -> None:
    tighter = {"template.yaml": ODD["template.yaml"].replace(", eu-central-1]", "]")}
    raised = {"template.yaml": tighter["template.yaml"].replace("2.1.0", "3.0.0")}
    for after in (tighter, raised):
        (item,) = [i for i in compared(ODD, after) if i.code == "not-compared"]
        assert (item.severity, item.line) == ("error", 8)
        assert item.hint == "give one in a case: tests/default.yaml, `parameters: {squad: …}`"
    # The tests of either version give one, and what is compared then is the change.
    for old, new in ((TESTED, {}), ({}, TESTED)):
        codes = [i.code for i in compared({**ODD, **old}, {**raised, **new})]
        assert "limit-tightened" in codes
        assert "not-compared" not in codes


def test_values_that_a_small_blueprint_does_not_show_are_compared_under_the_tests() -> None:
    # Only a team that brings its own variants resolves: the small blueprint does not.
    tree = BLUEPRINT + "serving: {api: {variants: {a: {model: mine, traffic_percent: 100}}}}\n"
    case = (
        "parameters: {squad: a}\nblueprint:\n  owner: a@acme.com\n"
        "  datasets: {s: {source: data/samples.csv, format: csv, target: late}}\n"
        "  serving: {api: {mode: real-time}}\n"
        "  models: {mine: {code: workload/, runtime: {framework: scikit-learn, version: 1.9},"
        " train: {script: train.py}}}\n"
    )
    old = {"blueprint.yaml": tree}
    new = {
        "blueprint.yaml": tree.replace("oncall@", "ops@"),
        "template.yaml": MANIFEST.replace("version: 2.1.0", "version: 2.2.0"),
    }
    (item,) = [i for i in compared(old, new) if i.code == "not-compared"]
    assert (item.severity, item.line) == ("error", 3)
    assert "no model 'mine'" in item.message
    found = compared(old, {**new, "tests/own.yaml": case})
    assert "not-compared" not in [i.code for i in found]
    assert any("'oncall@acme.com' → 'ops@acme.com'" in i.message for i in found)


def test_nothing_changed_is_no_finding() -> None:
    assert told("2.1.0") == []
    assert [i.severity for i in told("2.1.1")] == []


def test_a_feature_needs_a_minor_version() -> None:
    added = CHANGES["a new one"][0]
    (item,) = [each for each in told("2.1.1", **added) if each.severity == "error"]
    assert (item.code, item.hint) == ("dishonest-version", "write 2.2.0")
    assert not [each for each in told("2.2.0", **added) if each.severity == "error"]


def test_the_same_version_with_another_content_is_an_error() -> None:
    found = told("2.1.0", b=("oncall@acme.com", "ops@acme.com"))
    (item,) = [each for each in found if each.severity == "error"]
    assert (item.code, item.hint) == ("same-version", "write 2.2.0")


def test_a_version_does_not_go_back() -> None:
    found = told("2.0.0", b=("oncall@acme.com", "ops@acme.com"))
    assert [each.code for each in found if each.severity == "error"] == ["older-version"]


def test_a_renamed_parameter_with_its_migration_is_covered() -> None:
    changes = {
        "t": ("  tier: {", "  level: {"),
        "b": ("${parameters.tier}", "${parameters.level}"),
    }
    migration = "migrations: {3.0.0: [{rename_parameter: tier, to: level}]}\n"
    found = told("3.0.0", migration, **changes)
    (item,) = [each for each in found if each.code == "parameter-renamed"]
    assert (item.severity, item.hint) == ("note", "the migration of 3.0.0 takes care of it")
    assert not [each for each in found if each.code == "parameter-removed"]
    again = told("2.1.1", migration.replace("3.0.0", "2.1.1"), **changes)
    assert "dishonest-version" in {each.code for each in again}
    lost = told("3.0.0", **changes)
    assert {"parameter-removed"} <= {each.code for each in lost if each.severity == "warning"}


def test_a_section_that_a_migration_removes_is_covered() -> None:
    changes = {"b": ("alerts: {oncall: {email: oncall@acme.com}}\n", "")}
    migration = "migrations: {3.0.0: [{remove: alerts, because: elsewhere}]}\n"
    (item,) = [e for e in told("3.0.0", migration, **changes) if e.code == "section-removed"]
    assert (item.severity, item.hint) == ("note", "the migration of 3.0.0 takes care of it")
    early = migration.replace("3.0.0", "2.1.0")  # that of the version before covers nothing
    (item,) = [e for e in told("3.0.0", early, **changes) if e.code == "section-removed"]
    assert item.severity == "warning"


@pytest.mark.parametrize(
    ("old", "level", "least"),
    [
        ("2.1.0", "breaking", "3.0.0"),
        ("2.1.0", "feature", "2.2.0"),
        ("2.1.0", "fix", "2.1.1"),
        ("0.1.0", "breaking", "0.2.0"),
        ("0.1.0", "feature", "0.1.1"),
        ("3.0.0-rc.1", "breaking", "3.0.0"),
    ],
)
def test_the_least_honest_version(old: str, level: str, least: str) -> None:
    from mlops_iac.blueprint.source import Node, Source
    from mlops_iac.templates.compatibility.model import Change

    place = Node("scalar", Source("", ""), 1, 1)
    assert needed([Change(level, "x", "x", place)], old) == least
