"""`ci generate` and `init --ci`: files written, kept fresh, never somebody else's overwritten."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.harness import Cli, environment
from tests.cli.template_sources import side_by_side

FOLDER = Path(".github/workflows")
PREVIEW = FOLDER / "mlops-iac-schedule-adherence-preview.yml"


@pytest.fixture(autouse=True)
def without_workflows(project: Path) -> None:
    shutil.rmtree(project / ".github")


def test_generated_once_and_fresh_after(cli: Cli, project: Path) -> None:
    written = cli("ci", "generate", "github", "--json").json["written"]
    assert str(PREVIEW) in written
    assert cli("ci", "generate", "github", "--json").json["written"] == []
    cli("ci", "generate", "github", "--check")


def test_what_was_chosen_is_kept_and_what_is_emptied_is_taken_back(cli: Cli, project: Path) -> None:
    chosen = (
        "--branch", "trunk", "--python", "3.12", "--runner", "self-hosted,linux", "--cache",
        "--index-url", "https://packages.example.com/simple", "--index-credentials",
    )  # fmt: skip
    cli("ci", "generate", "github", *chosen)
    text = (project / PREVIEW).read_text(encoding="utf-8")
    assert 'runs-on: ["self-hosted", "linux"]' in text
    assert "environment: mlops-iac\n" in text
    assert cli("ci", "generate", "github", "--json").json["written"] == []
    cli("ci", "generate", "github", "--check")
    stale = cli("ci", "generate", "github", "--no-cache", "--check", "--json", expect=1).json
    assert str(PREVIEW) in stale["stale"]
    cli("ci", "generate", "github", "--runner", "", "--no-index-credentials", "--index-url", "")
    head = (project / PREVIEW).read_text(encoding="utf-8").partition("\n")[0]
    assert "`mlops-iac ci generate github --branch trunk --python 3.12 --cache`" in head


@pytest.mark.parametrize(
    ("platform", "words", "said"),
    [
        ("azure-devops", ["--runner", "a,b"], "run in one pool"),
        ("github", ["--runner", "${{ x }}"], "cannot stand in a workflow"),
        ("github", ["--python", "3.9"], "3.11 or newer"),
        ("github", ["--index-credentials"], "add --index-url"),
        ("github", ["--docs", "x.md"], "--template"),
    ],
)
def test_what_cannot_be_is_refused(
    cli: Cli, project: Path, platform: str, words: list[str], said: str
) -> None:
    assert said in cli("ci", "generate", platform, *words, expect=2).err
    assert not (project / ".github").exists()


def test_without_a_lock_it_says_that_jobs_install_nothing(cli: Cli, project: Path) -> None:
    program = project / "stacks" / "schedule-adherence"
    program.mkdir(parents=True)
    (program / "requirements.txt").write_text("pulumi==1\n", encoding="utf-8")
    answer = cli("ci", "generate", "gitlab")
    missing = "CI installs nothing: stacks/schedule-adherence/requirements.lock is missing"
    assert f"{missing}: `mlops-iac ci lock`" in answer.err


def test_a_changed_blueprint_makes_them_stale(
    cli: Cli, project: Path, edit: Callable[[str, str], None]
) -> None:
    cli("ci", "generate", "github")
    edit("    account: 210987654321\n", "    account: 210987654322\n")
    stale = cli("ci", "generate", "github", "--check", "--json", expect=1).json["stale"]
    assert stale == [str(FOLDER / "mlops-iac-schedule-adherence-apply.yml")]


def test_a_file_of_somebody_else_is_left_alone(cli: Cli, project: Path) -> None:
    path = project / PREVIEW
    path.parent.mkdir(parents=True)
    path.write_text("name: mine\n", encoding="utf-8")
    answer = cli("ci", "generate", "github", expect=2)
    assert "was not written by mlops-iac; nothing was written" in answer.err
    assert [each.name for each in path.parent.iterdir()] == [PREVIEW.name]


def test_a_project_in_a_folder_of_its_repository_runs_there_and_only_for_it(
    cli: Cli, project: Path
) -> None:
    (project.parent / ".git").mkdir()
    cli("ci", "generate", "github")
    text = (project.parent / PREVIEW).read_text(encoding="utf-8")
    assert 'working-directory: "project"' in text
    assert 'LOCK: "project/stacks/schedule-adherence/requirements.lock"' in text
    watched = '"project/**", "project/stacks/schedule-adherence/**", ".github/**", "CODEOWNERS"'
    assert f"paths: [{watched}" in text


def test_folders_of_templates_start_it_too_those_below_included(tmp_path: Path) -> None:
    team = side_by_side(tmp_path)
    team("ci", "generate", "github")
    folder = tmp_path / "repo" / FOLDER
    for what in ("preview", "fork-preview", "apply"):
        text = (folder / f"mlops-iac-churn-{what}.yml").read_text(encoding="utf-8")
        for template in ("platform/standard", "platform/base"):
            assert f'"{template}/**"' in text


@pytest.mark.parametrize("words", [["--branch", "a b"], ["--branch", "$(id)"]])
def test_names_that_a_workflow_cannot_carry_are_refused(
    cli: Cli, project: Path, words: list[str]
) -> None:
    assert "cannot stand in a workflow" in cli("ci", "generate", "github", *words, expect=2).err
    assert not (project / ".github").exists()


def test_a_folder_that_could_be_taken_for_an_expression_is_refused(cli: Cli, project: Path) -> None:
    (project.parent / ".git").mkdir()
    moved = project.rename(project.with_name("${{ github.token }}"))
    other = Cli(moved, environment())
    assert "cannot stand in a workflow" in other("ci", "generate", "github", expect=2).err


def test_a_new_project_comes_with_its_workflows(tmp_path: Path) -> None:
    cli = Cli(tmp_path, environment())
    cli("init", "new", "--defaults", "--ci", "github", "--ci", "gitlab", "--ci", "azure-devops")
    names = {p.relative_to(tmp_path / "new").as_posix() for p in (tmp_path / "new").rglob("*.yml")}
    assert {
        ".github/workflows/mlops-iac-new-preview.yml",
        ".github/workflows/mlops-iac-new-fork-preview.yml",
        ".github/workflows/mlops-iac-new-apply.yml",
        ".gitlab/mlops-iac-new.yml",
        ".azure-pipelines/mlops-iac-new-preview.yml",
        ".azure-pipelines/mlops-iac-new-apply.yml",
    } <= names
    new = Cli(tmp_path / "new", environment())
    new("validate")
    for platform in ("github", "gitlab", "azure-devops"):
        new("ci", "generate", platform, "--check")


def test_without_an_environment_there_is_nothing_to_deliver_to(tmp_path: Path) -> None:
    cli = Cli(tmp_path, environment())
    cli("init", "new", "--defaults")
    answer = Cli(tmp_path / "new", environment())("ci", "generate", "gitlab", expect=2)
    assert "no environment to deliver to" in answer.err
