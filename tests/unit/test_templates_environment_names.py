"""Which environments there may be: a limit of `prod` is not evaded by calling it `production`."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_iac.blueprint import ExtraEnvironment, inspect
from tests.template_support import TEAM, Shelf, read, template, valid, workspace

STANDARD = "acme/standard@2.1.0 (template.yaml:4)"
NAMES = "limits: {environments: {keys: [dev, staging, prod], because: limits go by name}}\n"


def said(found: list) -> list[str]:
    return [f"{each.file}:{each.line}:{each.column}: {each.message}" for each in found]


def test_an_environment_of_another_name(tmp_path: Path) -> None:
    text = TEAM.replace("prod: {", "production: {")
    loaded, found = read(tmp_path, text, standard=template(NAMES))
    assert loaded is None
    assert said(found) == [
        (
            f"blueprint.yaml:14:25: environments has 'production'; {STANDARD} allows only 'dev',"
            " 'staging' and 'prod': limits go by name"
        )
    ]
    (one,) = found
    assert (one.code, one.path, one.hint) == (
        "locked",
        "environments.production",
        "call it otherwise, or remove it",
    )


def test_not_every_name_has_to_be_there_and_local_always_may(tmp_path: Path) -> None:
    text = TEAM.replace("{dev: {}, prod: {account: 210987654321}}", "{local: {}, dev: {}}")
    loaded = valid(tmp_path, text, standard=template(NAMES))
    assert loaded.environments == ("local", "dev")


def test_a_name_that_a_template_declares(tmp_path: Path) -> None:
    base = template(blueprint="environments: {qa: {}, '*': {protect: true}}\n", name="acme/base")
    text = TEAM.replace("[{template: standard}]", "[{template: base}, {template: standard}]")
    _, found = read(tmp_path, text, base=base, standard=template(NAMES))
    assert [(each.file, each.line, each.path) for each in found] == [
        ("acme/base@2.1.0/blueprint.yaml", 1, "environments.qa")
    ]
    removed = text.replace("{dev: {}", "{qa: null, dev: {}")
    loaded = valid(tmp_path, removed, base=base, standard=template(NAMES))
    assert loaded.environments == ("local", "dev", "prod")


def test_two_templates_allow_what_both_name(tmp_path: Path) -> None:
    other = template("limits: {environments: {keys: [dev, qa], because: two}}\n", name="acme/other")
    text = TEAM.replace("[{template: standard}]", "[{template: other}, {template: standard}]")
    text = text.replace("{dev: {}", "{qa: {}, dev: {}")
    _, found = read(tmp_path, text, other=other, standard=template(NAMES))
    assert sorted(each.path for each in found) == ["environments.prod", "environments.qa"]


def test_names_may_be_a_parameter(tmp_path: Path) -> None:
    manifest = (
        "parameters: {names: {type: list, description: x, default: [dev, prod]}}\n"
        "limits: {environments: {keys: '${parameters.names}', because: y}}\n"
    )
    valid(tmp_path, standard=template(manifest))
    text = TEAM.replace("{template: standard}", "{template: s, parameters: {names: [dev]}}")
    _, found = read(tmp_path, text, s=template(manifest))
    assert [each.path for each in found] == ["environments.prod"]


def test_the_command_line_declares_none(tmp_path: Path) -> None:
    _, found = read(
        tmp_path, standard=template(NAMES), command_line=("environments.production.region=x",)
    )
    assert {each.code for each in found} == {"fixed-key"}


def test_an_ephemeral_environment_has_any_name_and_the_limits_of_its_base(tmp_path: Path) -> None:
    manifest = (
        "limits:\n  environments: {keys: [dev, prod], because: a}\n"
        "  environments.prod.security.keys: {fixed: customer, because: b}\n"
    )
    shelf = Shelf(standard=template(manifest))
    extra = {"pr-1": ExtraEnvironment("prod"), "pr-2": ExtraEnvironment("dev")}
    loaded, found = inspect(workspace(tmp_path), templates=shelf, extra=extra)
    assert loaded is not None, found
    assert [loaded.resolve(name).blueprint.security.keys for name in extra] == [
        "customer",
        "provider",
    ]
    assert [len(loaded.limits_of(name)) for name in ("local", "dev", "prod", *extra)] == [
        0, 0, 1, 1, 0,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ("environments: {keys: [dev], required: true, because: x}", "only the names can be limited"),
        ("environments.prod: {keys: [a], because: x}", "only the names can be limited"),
        ("environments: {keys: [], because: x}", "limits.environments.keys is empty"),
        ("environments: {keys: dev, because: x}", "takes a list"),
        ("security: {keys: [network], because: x}", "keys cannot hold for it"),
        ("tags: {keys: [a], fixed: {a: b}, because: x}", "takes one of fixed, one_of, keys, pattern or forbidden"),
    ],
)  # fmt: skip
def test_keys_that_cannot_be(tmp_path: Path, limits: str, message: str) -> None:
    loaded, found = read(tmp_path, standard=template(f"limits: {{{limits}}}\n"))
    assert loaded is None
    assert any(message in each.message for each in found), said(found)
    assert {each.file for each in found} == {"acme/standard@2.1.0/template.yaml"}
