"""What differs between two versions of a template, and which range has a version in it."""

from __future__ import annotations

import pytest

from mlops_iac.api.templates.request import Use, chosen, range_with, updates
from mlops_iac.blueprint.source import Source
from mlops_iac.blueprint.templates.applied import AppliedTemplate
from mlops_iac.blueprint.templates.applying import Applier, parse
from mlops_iac.blueprint.templates.content import TemplateContent, Wanted
from mlops_iac.errors import UsageError
from mlops_iac.templates import changes
from mlops_iac.templates.files import digest
from mlops_iac.templates.lockfile import Pin
from mlops_iac.templates.usage import behind
from mlops_iac.templates.versions import parse_requirement

OLD = """\
template: 1
name: acme/standard
version: 1.2.0
parameters:
  tier: {description: How much, default: silver, choices: [silver, gold]}
  gone: {description: No more, default: null}
  most: {type: integer, description: Machines, default: 4}
limits:
  serving.*.scaling.max: {at_most: 20, because: quota}
  region: {one_of: [eu-west-1], because: law}
changelog:
  1.2.0: [now]
  1.0.0: [first]
"""
NEW = """\
template: 1
name: acme/standard
version: 2.10.0
parameters:
  tier: {description: How much, default: silver, choices: [silver, gold]}
  most: {type: integer, description: Machines}
  mail: {description: Who is called}
  days: {type: integer, description: Days, default: 30}
limits:
  serving.*.scaling.max: {at_most: 10, because: less quota}
  owner: {required: true, because: who answers}
changelog:
  2.0.0: [two]
  2.9.0: [nine]
  2.10.0: [ten, and more]
  3.0.0: [not yet]
  1.2.0: [now]
"""


def content(text: str) -> TemplateContent:
    files = {"template.yaml": text.encode()}
    return TemplateContent(source="./standard", digest=digest(files), files=files)


def applied(text: str, parameters: str) -> AppliedTemplate:
    from mlops_iac.blueprint.compose import compose

    blueprint = f"extends: [{{template: ./standard, parameters: {{{parameters}}}}}]\n"

    class Finder:
        def find(self, wanted: Wanted) -> TemplateContent:
            return content(text)

    applier = Applier(Finder())
    applier.walk(compose(Source("blueprint.yaml", blueprint))[0])
    assert applier.problems == []
    return applier.applied[0]


def test_the_changelog_is_what_lies_between_newest_first() -> None:
    found = changes.changelog(parse(content(NEW)), "1.2.0")
    assert [entry.version for entry in found] == ["2.10.0", "2.9.0", "2.0.0"]
    assert found[0].texts == ("ten", "and more")


def test_parameters_that_are_new_gone_or_have_to_be_given_now() -> None:
    found = {
        each.name: each for each in changes.parameters(parse(content(OLD)), parse(content(NEW)))
    }
    kinds = {name: each.kind for name, each in found.items()}
    assert kinds == {"most": "required", "mail": "required", "days": "new", "gone": "gone"}
    assert (found["most"].old, found["most"].new) == (
        "a whole number, default 4",
        "a whole number, required",
    )
    assert found["gone"].old == "a text, may be left out"
    assert found["days"].place == "acme/standard@2.10.0/template.yaml:8"
    assert found["gone"].place == "acme/standard@1.2.0/template.yaml:6"


def test_limits_that_are_new_gone_or_changed() -> None:
    old, new = applied(OLD, "tier: gold"), applied(NEW, "most: 3, mail: a@b.c")
    found = {each.name: each for each in changes.limits(old.limits, new.limits)}
    told = {path: (each.kind, each.old, each.new) for path, each in found.items()}
    assert told == {
        "serving.*.scaling.max": ("changed", "at most 20", "at most 10"),
        "owner": ("new", "", "required"),
        "region": ("gone", "one of 'eu-west-1'", ""),
    }
    assert found["owner"].why == "who answers"


@pytest.mark.parametrize(
    ("requested", "version", "expected"),
    [
        ("^2.1", "3.0.0", "^3.0"),
        ("^2.1", "2.0.5", "^2.0"),
        ("~2.1", "2.4.1", "~2.4"),
        ("^2", "3.1.4", "^3"),
        ("2.1.0", "2.2.0", "2.2.0"),
        ("^2.1", "3.0.0-rc.1", "^3.0.0-rc.1"),
        ("^0.1", "0.2.3", "^0.2"),
        ("", "3.0.0-rc.1", "3.0.0-rc.1"),
    ],
)
def test_a_range_keeps_its_form(requested: str, version: str, expected: str) -> None:
    assert range_with(requested, version) == expected
    assert parse_requirement(expected).fits(version)


KNOWN = [
    Pin("git+https://h/standard", "^1", "acme/standard", "", ""),
    Pin("git+https://h/base", "^2", "acme/base", "", "", by="acme/standard@1.0.0"),
    Pin("../strict", "", "acme/strict", "", ""),
]
USES = [Use(0, "./../strict", "", "../strict")]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("", ["acme/standard", "acme/base", "acme/strict"]),
        ("acme/base", ["acme/base"]),
        ("strict", ["acme/strict"]),
        ("../strict", ["acme/strict"]),
        ("./../strict", ["acme/strict"]),
        ("git+https://h/standard", ["acme/standard"]),
    ],
)
def test_a_template_is_meant_by_name_or_source(wanted: str, expected: list[str]) -> None:
    assert [each.name for each in chosen(KNOWN, wanted, "", USES)] == expected


def test_what_is_not_clear_is_asked_back() -> None:
    with pytest.raises(UsageError, match="no template called 'acme/standrad'") as error:
        chosen(KNOWN, "acme/standrad", "", USES)
    assert error.value.hint == "did you mean 'acme/standard'?"
    with pytest.raises(UsageError, match="a version of one template") as error:
        chosen(KNOWN, "", "2.0.0", USES)
    assert error.value.hint == "name it: acme/standard or acme/strict"
    twice = [*KNOWN, Pin("../base", "", "other/base", "", "")]
    with pytest.raises(UsageError, match="several templates are called 'base'"):
        chosen(twice, "base", "", USES)


def test_a_template_of_a_template_has_the_versions_that_are_asked_for() -> None:
    base = KNOWN[1:2]
    assert updates(base, "acme/base", "2.3.0") == {"git+https://h/base": "2.3.0"}
    with pytest.raises(UsageError, match=r"comes with acme/standard@1\.0\.0, which asks for \^2"):
        updates(base, "acme/base", "3.0.0")
    assert updates(KNOWN, "", "") == {"*": ""}


@pytest.mark.parametrize(
    ("version", "newest", "expected"),
    [
        ("1.2.3", "1.2.3", ""),
        ("1.2.3", "1.2.4", "patch"),
        ("1.2.3", "1.10.0", "minor"),
        ("1.2.3", "2.0.0", "major"),
        ("2.0.0", "1.0.0", ""),
        ("", "1.0.0", ""),
        ("1.0.0", "", ""),
        ("1.0.0-rc.1", "1.0.0", "patch"),
    ],
)
def test_how_far_a_version_is_behind(version: str, newest: str, expected: str) -> None:
    assert behind(version, newest) == expected
