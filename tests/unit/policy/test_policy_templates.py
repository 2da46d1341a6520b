"""Guard rails of templates: what they set holds, whatever stands above."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_iac.api import Project, validate
from mlops_iac.api.compile import guard_rail_checks
from mlops_iac.api.core import guard_rails
from mlops_iac.blueprint import load
from mlops_iac.blueprint.templates.content import TemplateContent
from mlops_iac.errors import BlueprintInvalid, Diagnostic, UsageError
from mlops_iac.policy import served
from mlops_iac.policy.rules import rules
from mlops_iac.policy.templates import Guards, standing
from mlops_iac.templates.files import digest
from mlops_iac.templates.lockfile import Lock, Pin, lock_path, write_lock
from tests.template_support import TEAM, Shelf, workspace

KNOWN = {rule.id: rule for rule in rules()}
NO_FRIDAYS = """
from mlops_iac.policy import Rule, Violation

def check(context):
    yield Violation("it is always Friday")

RULE = Rule(
    id="no-fridays", title="No Fridays", severity="mandatory", why="Nobody is there.",
    remediation="another day", source="our handbook", check=check,
)
"""


def template(policies: str = "", name: str = "acme/standard", **code: str) -> TemplateContent:
    texts = {"template.yaml": f"template: 1\nname: {name}\nversion: 2.1.0\n"}
    if policies:
        texts["policies.yaml"] = f"policies: 1\nrules:\n  {policies}\n"
    texts |= {f"policies/{key}.py": text for key, text in code.items()}
    files = {key: text.encode() for key, text in texts.items()}
    return TemplateContent(name.rpartition("/")[2], digest(files), files)


def project(
    folder: Path, *templates: TemplateContent, team: str = "", more: str = "", pinned: bool = True
) -> Project:
    uses = ", ".join(f"{{template: {each.source}}}" for each in templates)
    path = workspace(folder, TEAM.replace("{template: standard}", uses) + more)
    if team:
        (folder / "policies.yaml").write_text(f"policies: 1\nrules:\n  {team}\n", encoding="utf-8")
    shelf = Shelf(**{each.source: each for each in templates})
    loaded = load(path, templates=shelf)
    if pinned:
        pins = tuple(Pin(e.source, "", f"acme/{e.source}", "2.1.0", e.digest) for e in templates)
        write_lock(lock_path(path), Lock(pins))
    return Project(loaded)


def settings(made: Project, *, own: bool = True):
    return guard_rails.configuration(made, guard_rails.rules(made, own=own))


def told(found: list[Diagnostic]) -> list[str]:
    return [f"{Path(i.file).name}:{i.line} {i.code} {i.message}" for i in found]


def test_a_template_sets_rules(tmp_path: Path) -> None:
    made = project(
        tmp_path,
        template(
            "log-retention: {severity: mandatory, least_days: 90}\n  log-encryption: {enabled: false}"
        ),
    )
    found = settings(made)
    assert found.severity(KNOWN["log-retention"]) == "mandatory"
    assert found.parameters(KNOWN["log-retention"]) == {"least_days": 90}
    assert not found.enabled(KNOWN["log-encryption"])
    assert found.source(KNOWN["log-retention"]).endswith("; acme/standard@2.1.0 (policies.yaml:3)")
    assert found.source(KNOWN["owner-tag"]) == KNOWN["owner-tag"].source


# What the template says, what the team says, the message (empty: allowed).
LOOSENED = {
    "a lower severity": ("log-retention: {severity: mandatory}", "log-retention: {severity: advisory}", "policies.yaml:3 locked log-retention is made mandatory by acme/standard@2.1.0 (policies.yaml:3)"),
    "switched off": ("log-retention: {severity: advisory}", "log-retention: {enabled: false}", "policies.yaml:3 locked log-retention cannot be switched off: acme/standard@2.1.0 (policies.yaml:3) holds to it"),
    "switched off, switched on below": ("log-retention: {enabled: true}", "log-retention: {enabled: false}", "policies.yaml:3 locked log-retention cannot be switched off: acme/standard@2.1.0 (policies.yaml:3) holds to it"),
    "another setting": ("log-retention: {least_days: 90}", "log-retention: {least_days: 7}", "policies.yaml:3 locked log-retention: least_days is set to 90 by acme/standard@2.1.0 (policies.yaml:3)"),
    "other regions": ("allowed-regions: {regions: [eu-*]}", 'allowed-regions: {regions: ["*"]}', "policies.yaml:3 locked allowed-regions: regions is set to [eu-*] by acme/standard@2.1.0 (policies.yaml:3)"),
    "the same setting": ("log-retention: {least_days: 90}", "log-retention: {least_days: 90}", ""),
    "a higher severity": ("log-retention: {severity: advisory}", "log-retention: {severity: mandatory}", ""),
    "switched on": ("log-retention: {enabled: false}", "log-retention: {enabled: true}", ""),
    "a setting of its own": ("log-retention: {severity: mandatory}", "log-retention: {least_days: 7}", ""),
    "off where only a number is set": ("log-retention: {least_days: 90}", "log-retention: {enabled: false}", ""),
    "a rule that no template names": ("log-retention: {severity: mandatory}", "log-encryption: {enabled: false}", ""),
}  # fmt: skip


@pytest.mark.parametrize("case", LOOSENED)
def test_the_team_cannot_loosen_it(case: str, tmp_path: Path) -> None:
    below, above, message = LOOSENED[case]
    made = project(tmp_path, template(below), team=above)
    assert told(guard_rails.problems(made)) == ([message] if message else [])
    if message:
        with pytest.raises(BlueprintInvalid, match=r"acme/standard@2\.1\.0"):
            settings(made)


def test_what_the_team_may_say_is_kept(tmp_path: Path) -> None:
    made = project(
        tmp_path,
        template("log-retention: {severity: mandatory}\n  log-encryption: {enabled: false}"),
        team="log-retention: {least_days: 7}\n  log-encryption: {enabled: true}",
    )
    found = settings(made)
    rule = KNOWN["log-retention"]
    assert (found.severity(rule), found.parameters(rule)) == ("mandatory", {"least_days": 7})
    assert found.enabled(KNOWN["log-encryption"])


EXCEPTION = "exceptions: {%s: {at: serving.api, reason: because, until: 2030-01-31}}\n"
EXCEPTIONS = {
    "made mandatory": ("log-retention: {severity: mandatory}", "log-retention", False),
    "switched on": ("log-retention: {enabled: true}", "log-retention", False),
    "forbidden in words": ("log-retention: {least_days: 9, exceptions: forbidden}", "log-retention", False),
    "allowed": ("log-retention: {severity: mandatory, exceptions: allowed}", "log-retention", True),
    "only a number": ("log-retention: {least_days: 9}", "log-retention", True),
    "another rule": ("log-retention: {severity: mandatory}", "log-encryption", True),
    "a rule of the template": ("", "no-fridays", False),
    "a rule of the template, allowed": ("no-fridays: {exceptions: allowed}", "no-fridays", True),
}  # fmt: skip


@pytest.mark.parametrize("case", EXCEPTIONS)
def test_exceptions_are_for_the_template_to_allow(case: str, tmp_path: Path) -> None:
    said, rule, allowed = EXCEPTIONS[case]
    made = project(tmp_path, template(said, no_fridays=NO_FRIDAYS), more=EXCEPTION % rule)
    found = guard_rails.problems(made)
    if allowed:
        assert found == []
        return
    (item,) = found
    assert item.code == "locked"
    where = "policies.yaml:3" if said else "policies/no_fridays.py"
    assert item.message == f"acme/standard@2.1.0 ({where}) allows no exceptions from {rule}"
    assert "exceptions: {" in item.snippet


def test_of_two_templates_the_stricter_one_holds(tmp_path: Path) -> None:
    base = template("log-retention: {severity: advisory}", "acme/base")
    made = project(tmp_path, base, template("log-retention: {severity: mandatory}"))
    assert settings(made).severity(KNOWN["log-retention"]) == "mandatory"


@pytest.mark.parametrize(
    ("below", "above"),
    [
        ("log-retention: {severity: mandatory}", "log-retention: {severity: advisory}"),
        ("log-retention: {severity: mandatory}", "log-retention: {enabled: false}"),
        ("log-retention: {least_days: 90}", "log-retention: {least_days: 30}"),
    ],
)
def test_a_template_cannot_loosen_another(below: str, above: str, tmp_path: Path) -> None:
    made = project(tmp_path, template(below, "acme/base"), template(above))
    (item,) = guard_rails.problems(made)
    assert item.code == "templates-contradict"
    assert "acme/standard@2.1.0" in item.message
    assert "acme/base@2.1.0" in item.message


def test_the_rules_of_a_template_run_and_name_it(tmp_path: Path) -> None:
    made = project(tmp_path, template(no_fridays=NO_FRIDAYS))
    (finding,) = [each for each in made.policies("prod") if each.rule == "no-fridays"]
    assert finding.counts
    assert finding.source == "acme/standard@2.1.0 (policies/no_fridays.py): our handbook"
    assert finding.remediation == (
        "another day; acme/standard@2.1.0 (policies/no_fridays.py) holds to it"
    )


def test_a_pack_has_the_rules_of_templates(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    said = template("log-retention: {severity: mandatory}", no_fridays=NO_FRIDAYS)
    made = project(tmp_path / "project", said)
    guard_rail_checks.write_pack(made, tmp_path / "pack")
    assert (tmp_path / "pack/policies/no_fridays.py").read_text("utf-8") == NO_FRIDAYS
    found = served.load(tmp_path / "pack").settings.rules
    assert found["no-fridays"].severity == "mandatory"
    assert found["log-retention"].severity == "mandatory"
    guard_rail_checks.write_pack(made, tmp_path / "pack", own=False)
    assert not (tmp_path / "pack/policies/no_fridays.py").exists()


def test_they_do_not_run_where_code_is_not_trusted(tmp_path: Path) -> None:
    made = project(tmp_path, template(no_fridays="raise SystemExit('ran')"))
    assert guard_rails.problems(made) == []
    assert "no-fridays" not in [rule.id for rule in guard_rails.rules(made, own=False)]
    assert guard_rails.not_run(made, own=True) == []
    assert guard_rails.not_run(made, own=False) == [
        "the rules of acme/standard@2.1.0 were not run, their code is not trusted here: no-fridays"
    ]


def test_settings_of_a_template_hold_also_where_its_code_does_not_run(tmp_path: Path) -> None:
    made = project(tmp_path, template("log-retention: {severity: mandatory}"))
    assert settings(made, own=False).severity(KNOWN["log-retention"]) == "mandatory"


def test_code_that_no_lock_pins_does_not_run(tmp_path: Path) -> None:
    made = project(tmp_path, template(no_fridays="raise SystemExit('ran')"), pinned=False)
    with pytest.raises(UsageError, match=r"acme/standard@2\.1\.0 are code, and blueprint\.lock"):
        guard_rails.rules(made)
    other = Pin("standard", "", "acme/standard", "2.1.0", f"sha256:{'0' * 64}")
    write_lock(lock_path(made.path), Lock((other,)))
    with pytest.raises(UsageError, match="does not pin what would run"):
        guard_rails.rules(made)


def test_settings_that_no_lock_pins_hold(tmp_path: Path) -> None:
    made = project(tmp_path, template("log-retention: {severity: mandatory}"), pinned=False)
    assert settings(made).severity(KNOWN["log-retention"]) == "mandatory"


def test_a_template_cannot_take_the_name_of_another_rule(tmp_path: Path) -> None:
    made = project(tmp_path, template(owner_tag=NO_FRIDAYS))
    with pytest.raises(
        UsageError, match=r"acme/standard@2\.1\.0/policies/owner_tag\.py has the name"
    ):
        guard_rails.rules(made)
    base = template(name="acme/base", no_fridays=NO_FRIDAYS)
    made = project(tmp_path, base, template(no_fridays=NO_FRIDAYS))
    with pytest.raises(UsageError, match=r"a rule of acme/base@2\.1\.0, no-fridays"):
        guard_rails.rules(made)


def test_a_team_weakens_no_rule_of_a_template(tmp_path: Path) -> None:
    made = project(
        tmp_path,
        template(no_fridays=NO_FRIDAYS),
        team="no-fridays: {severity: advisory, reason: we like it}",
    )
    with pytest.raises(BlueprintInvalid) as raised:
        settings(made)
    (item,) = raised.value.diagnostics
    assert item.message == (
        "no-fridays is made mandatory by acme/standard@2.1.0 (policies/no_fridays.py)"
    )


def test_a_broken_file_of_a_template_is_told_in_it(tmp_path: Path) -> None:
    made = project(tmp_path, template("log-retenton: {severity: mandatory}"))
    (item,) = guard_rails.problems(made)
    assert (item.file, item.line, item.code) == (
        "acme/standard@2.1.0/policies.yaml",
        3,
        "unknown-rule",
    )


def test_exceptions_are_no_setting_of_a_team(tmp_path: Path) -> None:
    made = project(
        tmp_path,
        template("log-retention: {severity: mandatory}"),
        team="log-encryption: {exceptions: allowed}",
    )
    (item,) = guard_rails.problems(made)
    assert item.code == "unknown-key"
    assert "a template says it" in item.hint


def test_production_of_a_template_cannot_be_taken_away(tmp_path: Path) -> None:
    content = template("log-retention: {severity: mandatory}")
    text = content.files["policies.yaml"].decode().replace("rules:", "production: [prod]\nrules:")
    files = {**content.files, "policies.yaml": text.encode()}
    made = project(tmp_path, TemplateContent("standard", digest(files), files))
    (tmp_path / "policies.yaml").write_text("policies: 1\nproduction: [dev]\n", encoding="utf-8")
    assert settings(made).production == ("prod", "dev")


@pytest.mark.parametrize(
    ("template_says", "team_says", "found"),
    [
        ("endpoint-monitor: {severity: mandatory}", "production: []", True),
        ("endpoint-monitor: {severity: mandatory}", "", True),
        ("log-retention: {severity: mandatory}", "production: []", False),  # it holds to another
        ("production: [dev]", "production: []", False),
    ],
)
def test_a_team_does_not_call_its_production_something_else(
    template_says: str, team_says: str, found: bool, tmp_path: Path
) -> None:
    content = template("endpoint-monitor: {severity: mandatory}")
    text = f"policies: 1\nrules: {{{template_says}}}\n"
    if template_says.startswith("production"):
        text = (
            f"policies: 1\n{template_says}\nrules: {{endpoint-monitor: {{severity: mandatory}}}}\n"
        )
    files = {**content.files, "policies.yaml": text.encode()}
    made = project(tmp_path, TemplateContent("standard", digest(files), files))
    (tmp_path / "policies.yaml").write_text(f"policies: 1\n{team_says}\n", encoding="utf-8")
    assert made.protected("prod")
    broken = {each.rule for each in made.policies("prod")}
    assert ("endpoint-monitor" in broken) == found


def test_nothing_is_read_of_templates_that_say_nothing() -> None:
    assert not Guards("acme/standard@2.1.0", "", {"template.yaml": b""}).written
    found, problems = standing([], rules(), ())
    assert (found.held, problems) == ({}, [])


def test_validate_tells_it(tmp_path: Path) -> None:
    folder = tmp_path / "standard"
    for name, raw in template("log-retention: {severity: mandatory}").files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(raw)
    path = workspace(
        tmp_path,
        TEAM.replace("template: standard", "template: ./standard") + EXCEPTION % "log-retention",
    )
    assert "locked" in [item.code for item in validate(path)]
