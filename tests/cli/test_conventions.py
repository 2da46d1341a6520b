"""What every command keeps to: streams, JSON, colours, exit codes, prompts, help."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlops_iac.cli._app import COMMANDS, run
from tests.cli import warm
from tests.cli.harness import Cli, copy_example, environment

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_example(tmp_path_factory.mktemp("conventions") / "project")


@pytest.fixture(scope="module")
def there(folder: Path) -> Cli:
    return Cli(folder, environment())


@pytest.fixture
def inside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("CI", raising=False)
    return folder


# -- help


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, "--help"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.startswith(f"Usage: mlops-iac {command} ")
    assert max(map(len, said.out.splitlines())) <= 100
    if "COMMAND [ARGS]" in said.out:  # a group: its own commands take the options
        return
    for option in ("--file", "--stack", "-C", "--yes", "--json", "--color", "--no-input", "-q"):
        assert option in said.out


def test_without_a_command_the_help_lists_all_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    shown = capsys.readouterr().out
    for name, (_, words) in COMMANDS.items():
        assert re.search(rf"^  {name} +\S", shown, re.M), name
        assert words.split()[0] in shown


def test_a_folder_that_is_gone_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert run(["status"]) == 2
    assert "the folder that you stand in is gone" in capsys.readouterr().err


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom mlops_iac.cli._app import run\n"
        "assert run(['validate', '--help']) == 0\n"
        "heavy = {'rich', 'pulumi', 'boto3', 'botocore', 'moto', 'pydantic', 'yaml', 'networkx'}\n"
        "sys.exit(str(heavy & sys.modules.keys() or ''))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == ""


@pytest.mark.parametrize(("alias", "command"), [("plan", "preview"), ("diff", "preview"), ("deploy", "up")])  # fmt: skip
def test_aliases(alias: str, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    run([alias, "--help"])
    aliased = capsys.readouterr().out.splitlines()[1:]
    run([command, "--help"])
    assert capsys.readouterr().out.splitlines()[1:] == aliased


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str, inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["shell"] == shell
    assert run(["completion", shell]) == 0
    said = capsys.readouterr()
    assert "_MLOPS_IAC_COMPLETE" in said.out
    assert said.err == ""


def test_completion_completes(there: Cli) -> None:
    words = there(
        "--version",
        _MLOPS_IAC_COMPLETE="bash_complete",
        COMP_WORDS="mlops-iac pre",
        COMP_CWORD="1",
    )
    assert "mlops-iac" in words.out or "preview" in words.out


# -- streams and JSON

READERS: list[list[str]] = [
    ["validate"],
    ["preview"],
    ["preview", "-s", "prod"],
    ["compile", "--out", "elsewhere"],
    ["compile", "--out", "elsewhere", "--check"],
    ["status"],
    ["outputs"],
    ["models", "ls"],
    ["graph"],
    ["schema"],
    ["explain", "serving"],
    ["doctor"],
    ["local", "status"],
    ["local", "stop"],
    ["destroy"],
]


@pytest.mark.parametrize("words", READERS, ids=" ".join)
def test_json_is_one_document_alone_on_stdout(
    words: list[str], inside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run([*words, "--json"])
    said = capsys.readouterr()
    assert code == (1 if words == ["local", "status"] else 0)
    json.loads(said.out)
    assert said.err == ""


FAILURES: list[tuple[list[str], int]] = [
    (["validate", "-f", "nope.yaml"], 2),
    (["preview", "-s", "prd"], 6),
    (["preview", "--expect-no-changes"], 7),
    (["up"], 2),
    (["run"], 2),
    (["run", "nope"], 2),
    (["models", "show", "7"], 2),
    (["outputs", "nope"], 2),
    (["explain", "nope.nope"], 2),
    (["preveiw"], 2),
    (["preview", "--bogus"], 2),
    (["local", "frob"], 2),
    (["up", "--parallel", "none"], 2),
    (["validate", "-C", "nope"], 2),
]


@pytest.mark.parametrize(("words", "expected"), FAILURES, ids=lambda item: str(item))
def test_errors_are_one_json_document_too(
    words: list[str], expected: int, inside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*words, "--json"]) == expected
    document = json.loads(capsys.readouterr().out)
    if "error" in document:
        assert document["error"]["exit_code"] == expected
        assert document["error"]["message"]
    assert run(words) == expected
    said = capsys.readouterr()
    assert said.err.strip()
    if words != ["preview", "--expect-no-changes"]:
        assert said.out == ""


def test_data_on_stdout_and_words_on_stderr(there: Cli) -> None:
    plan = there("preview")
    assert "→ local" in plan.err
    assert "DataStore" not in plan.err
    assert "+ DataStore data: " in plan.out
    assert "create" in plan.out.splitlines()[-1]
    quiet = there("preview", "-q")
    assert quiet.err == ""
    assert quiet.out == plan.out
    assert there("validate").out == ""
    assert json.loads(there("schema").out)["$schema"]


def test_global_options_stand_anywhere(there: Cli, tmp_path: Path) -> None:
    elsewhere = Cli(tmp_path, environment())
    where = str(there.folder)
    one = elsewhere("-C", where, "-s", "prod", "explain", "budget").out
    two = elsewhere("explain", "budget", "-s", "prod", "-C", where).out
    three = elsewhere("explain", "budget", "-s", "prod", "-f", f"{where}/blueprint.yaml").out
    assert "500" in one
    assert one == two
    assert "500" in three


# -- colours

COLORS = [
    ({}, (), False),
    ({"NO_COLOR": "", "FORCE_COLOR": "1"}, (), True),
    ({"NO_COLOR": "1"}, ("--color", "always"), True),
    ({"NO_COLOR": "", "FORCE_COLOR": "1"}, ("--color", "never"), False),
]


@pytest.mark.parametrize(("extra", "words", "colored"), COLORS)
def test_colours(there: Cli, extra: dict[str, str], words: tuple[str, ...], colored: bool) -> None:
    said = there("preview", "-s", "prd", *words, expect=6, **extra)
    assert ("\x1b[" in said.err) is colored
    assert "error" in said.err
    assert ("\x1b[" in there("validate", *words, **extra).err) is colored


def test_data_are_coloured_for_a_file_only_when_told_to(there: Cli) -> None:
    assert "\x1b[" not in there("preview", FORCE_COLOR="1", NO_COLOR="").out
    assert "\x1b[" in there("preview", "--color", "always").out


# -- nobody to ask


@pytest.mark.parametrize("words", [(), ("--no-input",)])
def test_without_a_terminal_and_without_yes_nothing_is_done(
    there: Cli, words: tuple[str, ...]
) -> None:
    said = there("up", *words, expect=2)
    assert "Apply" in said.err
    assert "not a terminal; nothing was done" in said.err
    assert "fix: add --yes" in said.err
    assert not (there.folder / ".mlops-iac" / "state" / "local.json").exists()
    assert not (there.folder / ".mlops-iac" / "emulator" / "server.json").exists()


def test_a_stack_that_is_not_there(there: Cli) -> None:
    for command in ("preview", "up", "status", "outputs", "destroy", "graph", "explain", "refresh"):
        said = there(command, "-s", "prd", "--yes", expect=6)
        assert "there is no stack 'prd'" in said.err
        assert "did you mean 'prod'?" in said.err


def test_a_reader_that_goes_away_is_met_with_silence(there: Cli) -> None:
    for command in ("schema", "preview"):
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", f"{sys.executable} -m mlops_iac {command} -q | head -1"],
            cwd=there.folder, env=there.environment, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0
        assert done.stderr == ""
        assert len(done.stdout.splitlines()) == 1


def test_doctor_says_what_this_machine_lacks(there: Cli, tmp_path: Path) -> None:
    path = os.pathsep.join(
        item for item in os.environ["PATH"].split(os.pathsep) if not Path(item, "pulumi").exists()
    )
    said = there("doctor", PATH=path)
    assert "✓ python" in said.out
    assert "✓ moto" in said.out
    assert "· pulumi CLI: not found" in said.out
    assert "✓ blueprint: schedule-adherence" in said.out
    assert "no blueprint.yaml here" in Cli(tmp_path, environment())("doctor").out
    (tmp_path / "blueprint.yaml").write_text("name: 1\n")
    assert "✗ blueprint" in Cli(tmp_path, environment())("doctor", expect=1).out


# -- on a terminal


def on_terminal(cli: Cli, *words: str, answer: tuple[str, str] | None = None) -> tuple[int, str]:
    """Run on a pseudo-terminal; returns the exit code and all that was drawn, escapes included."""
    kept = {key: value for key, value in cli.environment.items() if key != "NO_COLOR"}
    screen = {"TERM": "xterm-256color", "COLUMNS": "120", "LINES": "50"}
    variables = {**kept, **screen, "PATH": warm.on_path()}
    pid, handle = pty.fork()
    if pid == 0:
        os.chdir(cli.folder)
        os.execvpe("mlops-iac", ["mlops-iac", *words], variables)
    drawn = b""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if not select.select([handle], [], [], 1)[0]:
            continue
        try:
            data = os.read(handle, 65536)
        except OSError:  # Linux: the other side is closed
            break
        if not data:
            break
        drawn += data
        if answer and answer[0].encode() in drawn:
            os.write(handle, answer[1].encode())
            answer = None
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status), drawn.decode()


def test_prompts_and_the_live_view(there: Cli) -> None:
    code, drawn = on_terminal(there, "up", answer=("[y/N]", "n\n"))
    assert code == 8
    assert "cancelled" in drawn
    assert "nothing was done" in drawn
    assert not (there.folder / ".mlops-iac" / "emulator" / "server.json").exists()
    try:
        code, drawn = on_terminal(there, "up", answer=("[y/N]", "y\n"))
        assert code == 0
        assert "\x1b[3" in drawn
        plain = ESCAPE.sub("", drawn)
        number = re.search(r"Apply (\d+) change", plain)
        assert number is not None
        assert f"{number[1]} of {number[1]} resources" in plain
        assert re.search(r"… DataStore data  \d+/\d+", plain)
        assert re.search(r"✓ DataStore data  (\d+)/\1\b", plain)
        assert re.search(r"\+ creating s3\.Bucket/data-data", plain)
        assert "local stands" in plain
        code, drawn = on_terminal(there, "preview")
        assert code == 0
        code, drawn = on_terminal(there, "destroy", answer=("[y/N]", "\n"))
        assert code == 8
        assert there("status", "--json").json["resources"]
        code, drawn = on_terminal(there, "destroy", answer=("[y/N]", "y\n"))
        assert code == 0
        assert "everything is deleted" in drawn
        assert "nothing to delete" in on_terminal(there, "destroy")[1]
        dumb = there("up", "--yes", CI="1")
        assert "+ created s3.Bucket/data-data" in dumb.err
        assert "\x1b[" not in dumb.err
    finally:
        there("local", "stop")


# -- init


def test_init_starts_a_project_that_previews_its_environments(tmp_path: Path) -> None:
    here = Cli(tmp_path, environment())
    made = here("init", "new", "--defaults", "--data", "name=parcels", "--json").json["written"]
    assert "new/blueprint.yaml" in made
    inside = Cli(tmp_path / "new", environment())
    path = tmp_path / "new" / "blueprint.yaml"
    inside("stack", "add", "prod")
    path.write_text(path.read_text().replace("  prod:\n", "  prod:\n    account: 012345678901\n"))
    inside("validate", "--strict")
    inside("compile")
    inside("compile", "--check")
    inside("preview", "-s", "prod", "--expect-no-changes")


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    here = Cli(tmp_path, environment())
    (tmp_path / "blueprint.yaml").write_text("mine\n")
    said = here("init", "--defaults", "--data", "name=mine", expect=2)
    assert "blueprint.yaml" in said.err
    assert [path.name for path in tmp_path.iterdir()] == ["blueprint.yaml"]
    assert (tmp_path / "blueprint.yaml").read_text() == "mine\n"
    said = here("init", "new", "--data", "name=Not A Name!", expect=2)
    assert "Not A Name!" in said.err
    assert not (tmp_path / "new").exists()
