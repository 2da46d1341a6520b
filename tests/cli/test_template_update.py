"""`template update` as people see it: everything first, and then nothing, or exactly what was shown."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.harness import Cli
from tests.cli.template_sources import (
    BLUEPRINT,
    MANIFEST,
    NEXT_BLUEPRINT,
    PATCH_MANIFEST,
    World,
    git,
    release,
    side_by_side,
    team,
)

_LIMIT = "environments.*.serving.*.scaling.max"
LOCKED = "sagemaker.EndpointConfiguration/api-configuration"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A team on the first version, and on the branch `ahead` on the newest that fits."""
    world = World(tmp_path_factory.mktemp("update"))
    git(world.folder, "checkout", "-q", "-b", "ahead")
    world.cli("template", "update", "--yes", "-q")
    git(world.folder, "commit", "-qam", "updated")
    return world


def _at(made: World, branch: str) -> World:
    git(made.folder, "checkout", "-q", "--force", branch)
    git(made.folder, "clean", "-qfd")
    shutil.rmtree(made.folder / ".mlops-iac", ignore_errors=True)
    return made


@pytest.fixture
def world(made: World) -> World:
    return _at(made, "main")


@pytest.fixture
def ahead(made: World) -> World:
    return _at(made, "ahead")


def test_everything_is_shown_and_without_a_terminal_nothing_is_written(
    world: World, tmp_path: Path
) -> None:
    file = tmp_path / "update.md"
    answer = world.cli("template", "update", "--markdown", str(file), expect=2)
    lines = answer.out.splitlines()
    assert world.status == ""
    assert not (world.folder / ".mlops-iac").exists()
    assert "nothing was done" in answer.err
    assert "add --yes" in answer.err
    # Risks and replacements, before anything else.
    top = lines[: lines.index("")]
    assert all(line.startswith("! ") for line in top)
    (replaced,) = [line for line in top if line.startswith("! replaces")]
    assert replaced.startswith(f"! replaces in dev, prod: {LOCKED} ← ")
    assert "acme/standard@1.1.1/blueprint.yaml:2 security.keys: provider → customer" in replaced
    head = f"acme/standard 1.0.0 → 1.1.1  ({world.source}, asked for as ^1.0)"
    told = lines[lines.index(head) :]
    assert told[1:6] == [
        "  1.1.1",
        "    - captures stay for 60 days",
        "  1.1.0",
        "    - customer keys",
        "    - captures are kept",
    ]
    place = "acme/standard@1.1.1/template.yaml"
    assert told[6:10] == [
        "  parameters",
        f"    + days: a whole number, default 60 · Days that captures stay  ({place}:9)",
        "  limits",
        f"    ~ {_LIMIT}: at most 20 → at most 10 · the account's quota  ({place}:11)",
    ]
    values = told[told.index("values") :]
    assert values[1] == "  all environments"
    source = "acme/standard@1.1.1/blueprint.yaml"
    assert f"    security.keys: provider → customer  ← {source}:2" in values
    assert f"    serving.api.capture.retention_days: – → 60  ← {place}:9" in values
    assert f"      ← {source}:7 serving.api.compute.size: small → medium" in values
    assert "churn → dev" in values
    assert "churn → prod" in values
    take = "`mlops-iac template update acme/standard --to 2.0.0`"
    assert f"there is acme/standard 2.0.0, for which ^1.0 has no room: {take}" in answer.err
    # The description of a pull request says the same.
    text = file.read_text()
    described = text.splitlines()
    assert described[0] == "### mlops-iac template update · `blueprint.yaml`"
    assert described[2].startswith("- **`acme/standard`** ")
    block = described[described.index("```diff") + 1 : described.index("```")]
    assert [line[:500] for line in block] == [line[:500] for line in lines]
    assert described[-1] == "Afterwards: `mlops-iac compile`"
    assert len(text) < 65_536


def test_told_to_only_the_lock_changes_and_then_there_is_nothing_to_update(world: World) -> None:
    answer = world.cli("template", "update", "acme/standard", "--yes", "--json")
    assert "wrote blueprint.lock; next: `mlops-iac compile`" in answer.err
    found = answer.json
    assert (found["needed"], found["refused"], found["written"]) == (True, False, True)
    (template,) = found["templates"]
    assert (template["old"], template["new"], template["kind"]) == ("1.0.0", "1.1.1", "upgrade")
    assert [each["stack"] for each in found["stacks"]] == ["dev", "prod"]
    keys = next(each for each in found["values"] if each["path"] == "security.keys")
    assert (keys["old"], keys["new"], keys["line"]) == ("provider", "customer", 2)
    assert keys["environments"] == ["local", "dev", "prod"]
    assert world.status == "M blueprint.lock"
    assert "version: 1.1.1" in world.lock.read_text()
    world.cli("validate")
    again = world.cli("template", "update")
    assert again.out == ""
    assert "nothing to update: blueprint.yaml stands on what blueprint.lock pins" in again.err


def test_a_version_outside_of_the_range_changes_the_number_and_migrates(world: World) -> None:
    before = world.blueprint.read_text()
    answer = world.cli("template", "update", "standard", "--to", "2.0.0", "--yes")
    assert "wrote blueprint.yaml and blueprint.lock" in answer.err
    expected = before.replace("version: ^1.0", "version: ^2.0").replace("{mail: ml", "{oncall: ml")
    assert world.blueprint.read_text() == expected
    assert "  -    parameters: {mail: ml@acme.example}  # who is called" in answer.out.splitlines()
    line = world.line("oncall: ml")
    assert f"  2.0.0: blueprint.yaml:{line}: renamed the parameter mail to oncall" in answer.out
    assert "asked for as ^2.0, before as ^1.0" in answer.out
    assert "    ~ oncall: mail: a text, required → a text, required" in answer.out
    world.cli("validate")
    # Back again the parameter would have to be given by its old name, which nobody can know.
    back = world.cli("template", "update", "--to", "1.1.0", "--yes", expect=2)
    assert "acme/standard 2.0.0 → 1.1.0, a downgrade" in back.out
    assert "needs the parameter 'mail'" in back.err
    assert "the update of blueprint.yaml is refused, nothing was written" in back.err
    assert world.blueprint.read_text() == expected


def test_a_downgrade_works_and_is_called_one(ahead: World) -> None:
    answer = ahead.cli("template", "update", "--to", "1.1.0", "--yes")
    assert "acme/standard 1.1.1 → 1.1.0, a downgrade" in answer.out
    assert "  1.1.1 (taken back)" in answer.out
    assert "data loss in dev, prod: s3.BucketLifecycleConfiguration" in answer.out
    assert "version: 1.1.0" in ahead.lock.read_text()
    assert ahead.status == "M blueprint.lock"  # ^1.0 has it in it: the blueprint stays


def test_a_range_changed_by_hand_is_compared_with_what_is_locked(ahead: World) -> None:
    ahead.change("version: ^1.0", "version: ^1.1")
    answer = ahead.cli("template", "update", "--yes")
    assert "acme/standard 1.1.1: the same, asked for otherwise" in answer.out
    assert "churn →" not in answer.out
    ahead.change("version: ^1.1", "version: 1.1.0")
    answer = ahead.cli("template", "update", "--preview-only")
    assert "acme/standard 1.1.1 → 1.1.0, a downgrade" in answer.out
    assert "asked for as 1.1.0, before as ^1.1" in answer.out


def test_a_limit_that_the_blueprint_would_break_refuses_the_update(world: World) -> None:
    world.change("max: 6", "max: 15")
    before = world.lock.read_bytes()
    answer = world.cli("template", "update", "--yes", expect=2)
    place = f"blueprint.yaml:{world.line('max: 15')}:36"
    message = (
        "environments.prod.serving.api.scaling.max is 15; acme/standard@1.1.1 (template.yaml:11)"
        " allows at most 10: the account's quota"
    )
    assert f"{place}: error[locked]: {message}" in answer.err
    assert "at most 20 → at most 10" in answer.out
    assert world.lock.read_bytes() == before
    again = world.cli("template", "update", "--yes", "--json", expect=2)
    assert again.json["refused"] is True
    assert again.json["problems"][0]["message"] == message
    assert message in again.err
    assert world.lock.read_bytes() == before


def test_a_guard_rail_that_would_be_broken_refuses_the_update(ahead: World) -> None:
    before = ahead.lock.read_bytes()
    answer = ahead.cli("template", "update", "--to", "1.0.0", "--yes", expect=5)
    assert "refused, nothing was written: prod would break endpoint-encryption" in answer.err
    # What is broken today as well is shown, and is no reason.
    assert "mandatory owner-tag" in answer.out
    assert "owner-tag" not in answer.err
    assert ahead.lock.read_bytes() == before


def test_other_content_under_a_locked_version_of_a_repository_is_refused(
    world: World, tmp_path: Path
) -> None:
    """The tag was moved: whoever locked the version before gets what was locked, or an error."""
    copy = tmp_path / "standard"
    shutil.copytree(world.standard, copy)
    cli = team(tmp_path / "team", f"git+file://{copy}", "^1.1")
    cli("compile", "-q")
    release(copy, PATCH_MANIFEST, NEXT_BLUEPRINT.replace("size: medium", "size: large"))
    git(copy, "commit", "-qam", "the same version")
    git(copy, "tag", "-f", "v1.1.1")
    lock = (cli.folder / "blueprint.lock").read_bytes()
    answer = cli("template", "update", "--yes", expect=2)
    assert "acme/standard@1.1.1" in answer.err
    assert "is not what was pinned" in answer.err
    assert "no longer used" not in answer.out + answer.err
    assert (cli.folder / "blueprint.lock").read_bytes() == lock


def test_validate_says_what_no_lock_pins(world: World, tmp_path: Path) -> None:
    cli = team(tmp_path / "team", f"git+file://{world.standard}", "^1.1")
    assert "note: there is no blueprint.lock" in cli("validate").err
    cli("compile", "-q")
    assert "note:" not in cli("validate").err


@pytest.fixture
def beside(tmp_path: Path) -> Cli:
    return side_by_side(tmp_path)


@pytest.mark.parametrize("cached", [True, False])
def test_other_content_of_a_folder_is_shown_and_taken_when_told_to(
    beside: Cli, tmp_path: Path, cached: bool
) -> None:
    (tmp_path / "repo/platform/base/blueprint.yaml").write_text("budget: {monthly_usd: 200}\n")
    if not cached:  # as on another machine: what was locked is in git all the same
        shutil.rmtree(tmp_path / "cache")
    beside("validate", expect=2)
    answer = beside("template", "update", "--yes")
    assert "acme/base 0.1.0: other content under the same version" in answer.out
    assert "through acme/standard@1.0.0" in answer.out
    assert "  files: blueprint.yaml" in answer.out
    assert "    budget.monthly_usd: 100 → 200  ← ../platform/base/blueprint.yaml:1" in answer.out
    assert "costs more in dev, prod: budgets.Budget/budget-monthly" in answer.out
    assert str(tmp_path) not in answer.out + answer.err
    beside("validate")


def test_of_templates_below_only_those_that_change_are_told(tmp_path: Path) -> None:
    cli = side_by_side(tmp_path)
    standard = tmp_path / "repo/platform/standard/template.yaml"
    text = standard.read_text().replace("version: 1.0.0", "version: 1.1.0")
    standard.write_text(text.replace("limits:", "  more: {description: Needed}\nlimits:", 1))
    refused = cli("template", "update", "--yes", expect=2)
    assert "needs the parameter 'more'" in refused.err
    assert "acme/standard 1.0.0 → 1.1.0" in refused.out
    assert "acme/base" not in refused.out


@pytest.fixture
def folder(tmp_path: Path) -> tuple[Cli, Path]:
    """A team beside its platform's one folder."""
    standard = tmp_path / "standard"
    release(standard, MANIFEST, BLUEPRINT)
    cli = team(tmp_path / "team", "../standard", "^1.0")
    cli.environment["MLOPS_IAC_FOLDERS"] = str(standard)
    cli("compile", "-q")
    return cli, standard


RULE = """\
from pathlib import Path
from mlops_iac.policy.model import Rule, Violation
def check(context):
    Path({mark!r}).write_text("ran")
    yield Violation(resource=None, message="no stack is good enough")
RULE = Rule(id="strict-rule", title="t", severity="mandatory", why="w", remediation="none",
            source="s", check=check)
"""


def test_rules_of_a_version_that_is_not_locked_run_only_when_told_to(
    folder: tuple[Cli, Path], tmp_path: Path
) -> None:
    cli, standard = folder
    mark = tmp_path / "ran"
    (standard / "policies").mkdir()
    (standard / "policies" / "strict_rule.py").write_text(RULE.format(mark=str(mark)))
    release(standard, MANIFEST.replace("version: 1.0.0", "version: 1.1.0"), BLUEPRINT)
    answer = cli("template", "update", "--preview-only")
    assert not mark.exists()
    assert "the rules of acme/standard@1.1.0 were not run" in answer.out
    told = cli("template", "update", "--yes", "--template-rules", expect=None)
    assert mark.exists(), told.err
    assert told.code == 5, told.err
    assert "would break strict-rule" in told.err
    assert "version: 1.0.0" in (cli.folder / "blueprint.lock").read_text()


def test_environments_come_and_go_with_a_template(folder: tuple[Cli, Path]) -> None:
    cli, standard = folder
    blueprint = cli.folder / "blueprint.yaml"
    owned = blueprint.read_text().replace("name: churn\n", "name: churn\nowner: a@b.example\n")
    blueprint.write_text(owned)
    staging = BLUEPRINT + "environments: {staging: {protect: false}}\n"
    release(standard, MANIFEST.replace("version: 1.0.0", "version: 1.1.0"), staging)
    answer = cli("template", "update", "--yes")
    assert "    environments.staging: – → {}  ← ../standard/blueprint.yaml:" in answer.out
    assert "has no stack staging: all of it is new" in answer.out
    release(standard, MANIFEST.replace("version: 1.0.0", "version: 1.2.0"), BLUEPRINT)
    answer = cli("template", "update", "--yes")
    assert "    environments.staging: {} → –" in answer.out
    assert "`mlops-iac destroy -s staging` before" in answer.err


def test_a_parameter_that_only_the_next_version_knows_is_given_before_it(
    folder: tuple[Cli, Path],
) -> None:
    cli, standard = folder
    parameter = "  days: {type: integer, description: Days}\nlimits:\n"
    more = MANIFEST.replace("version: 1.0.0", "version: 2.0.0").replace("limits:\n", parameter)
    release(standard, more.replace("at_most: 20", "at_most: 10"), NEXT_BLUEPRINT)
    refused = cli("template", "update", "--to", "2.0.0", "--yes", expect=2)
    assert "needs the parameter 'days'" in refused.err
    blueprint = cli.folder / "blueprint.yaml"
    text = blueprint.read_text().replace("mail: ml@acme.example", "days: 9, mail: ml@acme.example")
    blueprint.write_text(text.replace("max: 6", "max: 7"))
    answer = cli("template", "update", "--to", "2.0.0", "--yes")
    assert "! days: a whole number, required · Days" in answer.out
    assert "at most 20 → at most 10" in answer.out
    assert "security.keys: provider → customer" in answer.out
    assert "! replaces in dev, prod: sagemaker.EndpointConfiguration/api-config" in answer.out
    assert "blueprint.yaml is read without days: the pinned version has no such" in answer.err
    assert "is not valid" not in answer.err
    cli("validate")


def test_a_version_that_mends_a_blueprint_is_compared_with_the_lock_files(
    folder: tuple[Cli, Path],
) -> None:
    cli, standard = folder
    blueprint = cli.folder / "blueprint.yaml"
    blueprint.write_text(blueprint.read_text().replace("max: 6", "max: 30"))
    assert "allows at most 20" in cli("validate", expect=2).err
    more = MANIFEST.replace("version: 1.0.0", "version: 1.1.0").replace("most: 20", "most: 40")
    release(standard, more, BLUEPRINT)
    answer = cli("template", "update", "--yes")
    assert "as it is pinned now, blueprint.yaml is not valid" in answer.err
    assert "costs more in prod: appautoscaling.Target/api-main-scaling" in answer.out
    cli("validate")


def test_a_program_that_cannot_be_made_refuses_the_update(folder: tuple[Cli, Path]) -> None:
    cli, standard = folder
    override = "overrides: {sagemaker.Endpoint/nope: {tags: {a: b}}}\n"
    newer = MANIFEST.replace("version: 1.0.0", "version: 1.1.0")
    release(standard, newer, BLUEPRINT + override)
    answer = cli("template", "update", "--yes", expect=2)
    assert "acme/standard 1.0.0 → 1.1.0" in answer.out
    assert "no resource has the address 'sagemaker.Endpoint/nope'" in answer.err
    assert "mlops-iac-" not in answer.err
    assert "version: 1.0.0" in (cli.folder / "blueprint.lock").read_text()


def test_words_of_a_template_do_nothing_to_a_terminal(folder: tuple[Cli, Path]) -> None:
    cli, standard = folder
    hostile = MANIFEST.replace("version: 1.0.0", "version: 1.1.0").replace(
        "  1.0.0: [the first one]", '  1.1.0: ["\\e[2J\\u202Egone"]'
    )
    release(standard, hostile, BLUEPRINT)
    answer = cli("template", "update", "--preview-only", expect=2)
    assert "control character U+001B" in answer.err
    assert "\x1b" not in answer.out + answer.err


def test_without_templates_there_is_nothing_to_update(tmp_path: Path) -> None:
    cli = team(tmp_path / "team", "x", "1")
    blueprint = cli.folder / "blueprint.yaml"
    lines = blueprint.read_text().splitlines()
    del lines[3:7]
    blueprint.write_text("\n".join(lines).replace("    serving: {api: {scaling: {max: 6}}}", ""))
    answer = cli("template", "update")
    assert "nothing to update: blueprint.yaml stands on no template" in answer.err
    answer = cli("template", "update", "standard", expect=2)
    assert "error: blueprint.yaml stands on no template" in answer.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("nope",), "the blueprint stands on no template called 'nope'"),
        (("--to", "two"), "'two' is not a semantic version"),
        (("--to", "9.9.9"), "has no version that fits '9.9.9'"),
    ],
)
def test_what_cannot_be_asked_for(world: World, words: tuple[str, ...], told: str) -> None:
    answer = world.cli("template", "update", *words, "--yes", expect=2)
    assert told in answer.err
    assert world.status == ""


def test_a_range_that_is_none_is_told_at_its_line_and_mended_by_a_version(world: World) -> None:
    world.change("version: ^1.0", "version: newest")
    answer = world.cli("template", "update", "--yes", expect=2)
    assert "blueprint.yaml:5:15: error[template-version]: 'newest' is not a version" in answer.err
    answer = world.cli("template", "update", "--to", "1.0.0", "--yes")
    assert world.line("version: 1.0.0") == 6


def test_a_blueprint_without_a_lock_is_pinned(world: World) -> None:
    world.change("version: ^1.0", "version: 1.1.1")
    world.lock.unlink()
    answer = world.cli("template", "update", "--yes")
    assert "acme/standard 1.1.1: not pinned yet" in answer.out
    assert "version: 1.1.1" in world.lock.read_text()


def test_a_lock_edited_by_hand_is_compared_by_its_commit_and_written_anew(world: World) -> None:
    kept = world.lock.read_text()
    world.lock.write_text(kept.replace("version: 1.0.0", "version: 1.1.0"))
    answer = world.cli("template", "update", "--to", "1.0.0", "--yes")
    assert "was edited by hand" in answer.err
    assert "the one at HEAD counts" in answer.err
    assert world.lock.read_text() == kept
