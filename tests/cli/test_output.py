"""The real command on a pull request that wants the CI system to do something: nothing is obeyed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agents import obeyed
from tests.cli.harness import Answer, Cli, copy_example, environment, teach_nothing
from tests.components.test_repository import git

MARKS = "##vso[task.prependpath]/x ##[add-path]y ##teamcity[z]"
LINE = f"::add-path::/x {MARKS}"
SHOWN = json.dumps(LINE)
TEXTS = f"""\
overrides: {{sns.Topic/alerts-topic: {{displayName: {SHOWN}}}}}
exceptions: {{single-instance: {{at: ., reason: {SHOWN}, until: 2999-01-01}}}}
"""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """A repository whose main was compiled; its texts are commands since."""
    folder = copy_example(tmp_path_factory.mktemp("hostile") / "project")
    cli = Cli(folder, environment())
    cli("compile")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "one")
    file = folder / "blueprint.yaml"
    text = file.read_text(encoding="utf-8").replace("search: random", f"search: {SHOWN}")
    file.write_text(text + TEXTS, encoding="utf-8")
    cli("compile")
    return cli


def quiet(answer: Answer) -> Answer:
    assert not obeyed(answer.out)
    assert not obeyed(answer.err)
    return answer


COMMANDS = {
    "preview": ("preview", "-s", "prod", "--against", "main", "--diff"),
    "preview without a ref": ("preview", "--diff"),
    "explain": ("explain", "models.adherence.train.hyperparameters.search"),
    "policy check": ("policy", "check", "-s", "staging"),
}


@pytest.mark.parametrize("what", COMMANDS)
def test_values_of_a_blueprint(what: str, compiled: Cli) -> None:
    answer = quiet(compiled(*COMMANDS[what]))
    assert "task.prependpath" in answer.out


def test_a_ref_that_is_not_there(compiled: Cli) -> None:
    for more in ((), ("--json",)):
        answer = quiet(compiled("preview", "-s", "prod", "--against", MARKS, *more, expect=2))
        assert "task.prependpath" in answer.out + answer.err


def test_a_comment_that_is_only_shown(compiled: Cli, tmp_path: Path) -> None:
    plan = str(tmp_path / "plan")
    compiled("preview", "-s", "prod", "--against", "main", "--save-plan", plan)
    for platform in ("github", "gitlab", "azure-devops", "bitbucket"):
        words = ("pr", "comment", "--from", plan, "--platform", platform, "--repo", "o/r")
        shown = quiet(compiled(*words, "--number", "1", "--dry-run")).out
        assert "prependpath" in shown
        assert quiet(compiled(*words, "--number", "1", "--dry-run", "--json")).json


def test_documents_say_what_the_blueprint_says(compiled: Cli) -> None:
    path = "models.adherence.train.hyperparameters.search"
    assert quiet(compiled("explain", path, "--json")).json[0]["value"] == LINE
    plan = quiet(compiled("preview", "-s", "prod", "--against", "main", "--json")).json
    assert MARKS in json.dumps(plan)
    found = quiet(compiled("policy", "check", "-s", "staging", "--format", "sarif")).json
    assert LINE in json.dumps(found)


@pytest.fixture
def wrong(project: Path, cli: Cli) -> Iterator[Cli]:
    """A blueprint with a command in keys and values that are refused."""
    path = project / "blueprint.yaml"
    text = path.read_text(encoding="utf-8").replace(
        "owner: analytics@acme.example", f"owner: {json.dumps(LINE)}\n{json.dumps(LINE)}: 1"
    )
    path.write_text(text, encoding="utf-8")
    return cli


def test_problems_in_every_form(wrong: Cli) -> None:
    assert "::add-path::/x" in quiet(wrong("validate", expect=2)).err
    told = quiet(wrong("validate", "--format", "json", expect=2)).json["diagnostics"]
    assert any(LINE in each["message"] for each in told)
    log = quiet(wrong("validate", "--format", "sarif", expect=2)).json
    assert [each["message"]["text"].split(LINE)[0] for each in log["runs"][0]["results"]]
    ours = wrong("validate", "--format", "github", expect=2)
    assert not obeyed(ours.err)
    assert obeyed(ours.out) == ours.out.splitlines()
    assert all(line.startswith("::error file=blueprint.yaml,") for line in ours.out.splitlines())
    assert not obeyed(ours.out.replace("::error ", ""))
    quiet(wrong("compile", expect=2))


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("preview", "-s", f"x\n{LINE}"), 6),
        (("explain", f"x\r{LINE}"), 2),
        (("validate", "-f", f"x\n{LINE}.yaml"), 2),
        ((f"x\n{LINE}",), 2),
        (("-C", f"x\n{LINE}", "validate"), 2),
    ],
)
def test_words_that_were_typed(words: tuple[str, ...], code: int, cli: Cli) -> None:
    """A branch's name, say, that a workflow gives as an argument."""
    for more in ((), ("--json",)):
        answer = quiet(cli(*words, *more, expect=None))
        assert answer.code == code
        assert "add-path" in answer.out + answer.err


def test_names_of_files_and_of_the_environment(cli: Cli, project: Path) -> None:
    folder = project / f"a\n{LINE.replace('/', '')}"
    folder.mkdir()
    shutil.copy(project / "blueprint.yaml", folder)
    assert "add-path" in quiet(cli("validate", "--all-stacks", ".", expect=None)).out
    file = (folder / "blueprint.yaml").relative_to(project)
    assert "add-path" in quiet(cli("validate", "-f", str(file), expect=None)).err
    answer = quiet(cli("run", expect=None, MLOPS_IAC_WORKLOAD_PYTHON=f"/x\n{LINE}"))
    assert answer.code


def test_what_a_script_prints(cli: Cli, project: Path) -> None:
    teach_nothing(project)
    printed = f"print({LINE!r}, 'section_start:1:x', sep='\\r', end='\\r\\x1b[0K\\n', flush=True)\n"
    prepare = project / "workload" / "prepare.py"
    prepare.write_text(printed + prepare.read_text(encoding="utf-8"), encoding="utf-8")
    (project / "workload" / "train.py").write_text(f"{printed}raise SystemExit({LINE!r})\n")
    cli("up", "--yes")
    said = quiet(cli("run", expect=4))
    # As they come: the first script's line, and both of the one that failed.
    assert said.err.count("task.prependpath") > 2
