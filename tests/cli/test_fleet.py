"""`--all-stacks`: every blueprint below a folder, one report, whatever happens to one of them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.harness import Cli, environment
from tests.sagemaker_blueprints import PREDICT

SERVICE = """\
blueprint: 1
name: {name}
owner: team@acme.example
platform: sagemaker
region: eu-west-1
datasets:
  events: {{source: data/events.csv, format: csv, target: y}}
models:
  scorer:
    code: workload/
    runtime: {{framework: scikit-learn, version: 1.9}}
    datasets: [events]
    metrics: {{accuracy: maximize}}
    train: {{script: train.py}}
    evaluate: {{script: evaluate.py, gates: {{accuracy: {{at_least: 0.75}}}}}}
serving:
  api:
    mode: real-time
    model: scorer
    scaling: {{min: 1, max: 4, target: {{requests_per_minute: 200}}}}
    monitor: {{limits: {{latency_p99_ms: {{at_most: 300}}}}}}
security: {{keys: customer}}
alerts: {{oncall: {{email: oncall@acme.example}}}}
budget: {{monthly_usd: 300}}
environments:
  dev: {{account: "111111111111"}}
  prod: {{account: "222222222222"}}
"""


def project(folder: Path, name: str) -> Path:
    (folder / "workload").mkdir(parents=True)
    (folder / "data").mkdir()
    (folder / "workload" / "train.py").write_text("print('train')\n")
    (folder / "workload" / "evaluate.py").write_text("print('evaluate')\n")
    (folder / "workload" / "predict.py").write_text(PREDICT)
    (folder / "data" / "events.csv").write_text("x,y\n1,0\n2,1\n")
    path = folder / "blueprint.yaml"
    path.write_text(SERVICE.format(name=name))
    return path


@pytest.fixture
def fleet(tmp_path: Path) -> Cli:
    for name in ("alpha", "beta", "gamma"):
        project(tmp_path / "teams" / name, name)
    return Cli(tmp_path, environment())


def states(answer_json: dict[str, object]) -> dict[str, str]:
    found = answer_json["blueprints"]
    assert isinstance(found, list)
    return {each["file"].split("/")[-2]: each["state"] for each in found}


def edit(fleet: Cli, team: str, old: str, new: str) -> None:
    path = fleet.folder / "teams" / team / "blueprint.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def rule(fleet: Cli, team: str, body: str) -> None:
    folder = fleet.folder / "teams" / team / "policies"
    folder.mkdir()
    (folder / "ours.py").write_text(
        "from mlops_iac.policy import Rule, Violation\n\n"
        f"def check(context):\n    {body}\n    yield from ()\n\n"
        'RULE = Rule(id="ours", title="t", severity="mandatory", why="w", remediation="r",'
        ' source="s", check=check)\n'
    )


def test_validate_tells_every_blueprint_and_ends_with_the_problems(fleet: Cli) -> None:
    answer = fleet("validate", "--all-stacks")
    assert answer.out.splitlines() == [
        "valid  teams/alpha/blueprint.yaml  alpha  dev, prod",
        "valid  teams/beta/blueprint.yaml  beta  dev, prod",
        "valid  teams/gamma/blueprint.yaml  gamma  dev, prod",
        "",
        "3 blueprint(s), 6 stack(s): 3 valid",
    ]
    edit(fleet, "beta", "mode: real-time", "mode: real-tme")
    (fleet.folder / "teams" / "gamma" / "blueprint.yaml").write_text("blueprint: 1\nname: [\n")
    answer = fleet("validate", "--all-stacks", "teams", expect=2)
    assert "invalid  teams/beta/blueprint.yaml" in answer.out
    assert "teams/beta/blueprint.yaml:18:11: error[unknown-value]" in answer.out
    assert "teams/gamma/blueprint.yaml:3:1: error[syntax]" in answer.out
    assert answer.out.endswith("3 blueprint(s), 2 stack(s): 2 invalid, 1 valid\n")
    named = "teams/beta/blueprint.yaml, teams/gamma/blueprint.yaml"
    assert f"2 of 3 blueprint(s) ({named})" in answer.err
    assert "\r" not in answer.err


def test_validate_gives_one_document_in_every_form(fleet: Cli) -> None:
    edit(fleet, "beta", "mode: real-time", "mode: real-tme")
    edit(fleet, "gamma", "region: eu-west-1", "regoin: eu-west-1")
    log = fleet("validate", "--all-stacks", "--format", "sarif", expect=2).json
    files = [
        each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for each in log["runs"][0]["results"]
    ]
    assert set(files) == {"teams/beta/blueprint.yaml", "teams/gamma/blueprint.yaml"}
    lines = fleet("validate", "--all-stacks", "--format", "github", expect=2).out.splitlines()
    assert len(lines) == len(files)
    assert all(line.startswith("::error file=teams/") for line in lines)
    told = fleet("validate", "--all-stacks", "--json", expect=2).json
    assert states(told) == {"alpha": "valid", "beta": "invalid", "gamma": "invalid"}
    assert told["exit_code"] == 2
    assert told["totals"]["blueprints"] == 3
    (wrong,) = told["blueprints"][1]["problems"]
    assert (wrong["file"], wrong["line"]) == ("teams/beta/blueprint.yaml", 18)
    assert (
        fleet("validate", "--all-stacks", "--format", "json", expect=2).json.keys() == told.keys()
    )


def test_compile_check_and_preview_go_together(fleet: Cli) -> None:
    shutil.rmtree(fleet.folder / "teams" / "gamma")
    stale = fleet("compile", "--check", "--all-stacks", "--json", expect=1).json
    assert set(states(stale).values()) == {"stale"}
    assert not list(fleet.folder.glob("teams/*/stacks"))
    assert set(states(fleet("compile", "--all-stacks", "--json").json).values()) == {"written"}
    again = fleet("compile", "--all-stacks")
    assert again.out.endswith("2 blueprint(s), 4 stack(s): 2 unchanged\n")
    assert set(states(fleet("compile", "--check", "--all-stacks", "--json").json).values()) == {
        "fresh"
    }
    quiet = fleet("preview", "--all-stacks", "--expect-no-changes")
    assert quiet.out.endswith("2 blueprint(s), 4 stack(s): 2 no changes\n")
    edit(fleet, "beta", "max: 4", "max: 5")
    told = fleet("preview", "--all-stacks", "--json", "--expect-no-changes", expect=7).json
    assert states(told) == {"alpha": "no changes", "beta": "changes"}
    dev, prod = told["blueprints"][1]["stacks"]
    assert [dev["stack"], prod["stack"]] == ["dev", "prod"]
    assert dev["counts"] == {"update": 1}
    (change,) = dev["changes"]
    assert change["op"] == "update"
    assert change["properties"] == ["maxCapacity"]
    shown = fleet("preview", "--all-stacks", "-s", "prod").out
    assert "prod  ~1 update" in shown
    assert "dev" not in shown


def test_what_is_compiled_together_is_what_is_compiled_alone(fleet: Cli) -> None:
    fleet("compile", "--all-stacks")
    together = {
        path.relative_to(fleet.folder): path.read_bytes()
        for path in fleet.folder.glob("teams/*/stacks/**/*")
        if path.is_file()
    }
    assert len(together) > 30
    for team in ("alpha", "beta", "gamma"):
        shutil.rmtree(fleet.folder / "teams" / team / "stacks")
        shutil.rmtree(fleet.folder / "teams" / team / ".mlops-iac")
        fleet("compile", "-f", f"teams/{team}/blueprint.yaml")
    assert together == {path: (fleet.folder / path).read_bytes() for path in together}


def test_policies_of_each_project_are_its_own(fleet: Cli) -> None:
    rule(fleet, "beta", 'print("noise"); yield Violation("no")')
    told = fleet("policy", "check", "--all-stacks", "--json", expect=5).json
    assert states(told) == {"alpha": "kept", "beta": "broken", "gamma": "kept"}
    broken = [each["rule"] for each in told["blueprints"][1]["stacks"][0]["findings"]]
    assert "ours" in broken
    answer = fleet("policy", "check", "--all-stacks", expect=5)
    assert "error[ours]" in answer.out
    assert "noise" not in answer.out + answer.err
    assert "ours" not in fleet("policy", "check", "--all-stacks", "--no-team-rules").out
    both = fleet("preview", "--all-stacks", "--policy", "-s", "prod", "--json", expect=5).json
    assert both["blueprints"][1]["stacks"][0]["exit_code"] == 5


def test_errors_are_the_last_of_the_problems(fleet: Cli) -> None:
    edit(fleet, "alpha", "mode: real-time", "mode: real-tme")
    shown = fleet("policy", "check", "--all-stacks", expect=2).out.splitlines()
    levels = [
        line.split("[")[0].rpartition(" ")[2] for line in shown if "[" in line and ":" in line
    ]
    levels = [level for level in levels if level in ("error", "warning")]
    assert levels == [*["warning"] * (len(levels) - 1), "error"]
    assert len(levels) > 2
    assert shown[-2:] == [
        f"1 error(s), {len(levels) - 1} warning(s)",
        "3 blueprint(s), 4 stack(s): 1 invalid, 2 kept",
    ]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("import os; os.kill(os.getpid(), 9)", "killed (SIGKILL), as systems do when memory runs"),
        ("import os; os.abort()", "its worker crashed (SIGABRT)"),
        ("import os; os._exit(3)", "its worker ended in the middle (exit code 3)"),
        ("raise MemoryError", "MemoryError"),
    ],
)
def test_a_worker_that_dies_takes_one_blueprint_with_it(fleet: Cli, body: str, words: str) -> None:
    rule(fleet, "beta", body)
    told = fleet("policy", "check", "--all-stacks", "--json", expect=None)
    assert told.code in (1, 2, 5)
    assert states(told.json)["alpha"] == states(told.json)["gamma"] == "kept"
    assert words in json.dumps(told.json["blueprints"][1])


def test_a_stack_chooses_among_blueprints(fleet: Cli) -> None:
    edit(fleet, "beta", "  prod:", "  live:")
    told = fleet("validate", "--all-stacks", "-s", "live", "--json").json
    assert states(told) == {"beta": "valid"}
    assert [each["stack"] for each in told["blueprints"][0]["stacks"]] == ["live"]
    assert "has a stack 'nope'" in fleet("validate", "--all-stacks", "-s", "nope", expect=6).err


def test_two_blueprints_that_are_one_thing_in_the_cloud(fleet: Cli) -> None:
    edit(fleet, "beta", "name: beta", "name: alpha")
    edit(fleet, "beta", '{account: "111111111111"}', '{account: "333333333333"}')
    answer = fleet("validate", "--all-stacks", expect=2)
    assert "error[shared-environment]: alpha → prod is also made by teams/alpha/" in answer.out
    assert "account 222222222222, eu-west-1" in answer.out
    assert "teams/beta/blueprint.yaml:2:1: warning[shared-environment]: alpha → dev" in answer.out
    edit(fleet, "beta", "region: eu-west-1", "region: eu-west-1\nstate: {backend: 's3://a'}")
    edit(fleet, "alpha", "region: eu-west-1", "region: eu-west-1\nstate: {backend: 's3://a'}")
    told = fleet("validate", "--all-stacks", "--json", expect=2).json
    assert [each["severity"] for each in told["problems"]] == ["error", "error"]
    assert "their state in s3://a" in told["problems"][0]["message"]


def test_two_programs_in_one_folder_are_refused_before_anything_is_written(fleet: Cli) -> None:
    (fleet.folder / "stacks").mkdir()
    edit(fleet, "beta", "name: beta", "name: alpha")
    answer = fleet("compile", "--all-stacks", expect=2)
    assert "teams/alpha/blueprint.yaml: error[shared-program]: teams/beta/" in answer.out
    assert [path.name for path in (fleet.folder / "stacks").iterdir()] == ["gamma"]


def test_what_makes_no_sense_is_refused(fleet: Cli) -> None:
    for words in (
        ("validate", "--all-stacks", "-f", "x"),
        ("compile", "--all-stacks", "--out", "x"),
        ("preview", "--all-stacks", "--live"),
        ("preview", "--all-stacks", "--against", "state"),
        ("preview", "--all-stacks", "--save-plan", "x"),
    ):
        assert "--all-stacks takes no" in fleet(*words, expect=2).err
    assert "is not there" in fleet("validate", "--all-stacks", "nowhere", expect=2).err
    (fleet.folder / "empty").mkdir()
    assert (
        "there is no blueprint below empty"
        in fleet("validate", "--all-stacks", "empty", expect=2).err
    )


def begun(fleet: Cli) -> tuple[subprocess.Popen[str], int]:
    """A run whose first worker is at something that takes a minute, and that worker."""
    mark = fleet.folder / "begun"
    rule(
        fleet,
        "alpha",
        f"open({str(mark)!r}, 'w').write(str(__import__('os').getpid()));"
        " __import__('time').sleep(60)",
    )
    process = fleet.start("policy", "check", "--all-stacks")
    deadline = time.monotonic() + 60
    while not (mark.exists() and mark.read_text()) and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.05)
    return process, int(mark.read_text())


def test_ctrl_c_ends_the_workers(fleet: Cli) -> None:
    process, worker = begun(fleet)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=59)
    assert process.returncode == 8, (out, err)
    assert "Traceback" not in err
    assert not _alive(worker)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere they end after their blueprint")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_workers_do_not_outlive_the_command(fleet: Cli, how: signal.Signals) -> None:
    process, worker = begun(fleet)
    process.send_signal(how)
    process.communicate(timeout=59)
    deadline = time.monotonic() + 30
    while _alive(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _alive(worker)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    # Nothing: it went between the two questions.
    return state.stdout.strip()[:1] not in ("", "Z")


def test_the_worktree_is_as_it_was_after_a_preview(fleet: Cli) -> None:
    def files() -> dict[str, bytes]:
        return {
            str(path): path.read_bytes()
            for path in fleet.folder.rglob("*")
            if path.is_file() and ".mlops-iac" not in path.parts
        }

    fleet("compile", "--all-stacks")
    before = files()
    fleet("preview", "--all-stacks")
    fleet("policy", "check", "--all-stacks", expect=None)
    assert files() == before


def on_a_template(fleet: Cli, team: str) -> None:
    """The team's blueprint stands on a template, and a lock pins it."""
    folder = fleet.folder / "standard"
    folder.mkdir()
    (fleet.folder / ".git").mkdir()
    manifest = "template: 1\nname: acme/standard\nversion: 1.0.0\ndescription: d\n"
    (folder / "template.yaml").write_text(manifest)
    (folder / "blueprint.yaml").write_text("serving:\n  api: {compute: {size: medium}}\n")
    extends = "extends: [{template: ../../standard, version: ^1}]\nregion: eu-west-1\n"
    edit(fleet, team, "region: eu-west-1\n", extends)
    fleet("compile", "-f", f"teams/{team}/blueprint.yaml", MLOPS_IAC_CACHE=str(fleet.folder / "c"))


def test_what_is_wrong_in_a_lock_or_a_template_says_whose_it_is(fleet: Cli) -> None:
    on_a_template(fleet, "beta")
    cache = {"MLOPS_IAC_CACHE": str(fleet.folder / "c")}
    rule(fleet, "beta", 'yield Violation("no", path="serving.api.compute.size")')
    shown = fleet("policy", "check", "--all-stacks", expect=5, **cache).out
    assert "standard/blueprint.yaml:2:" in shown
    assert "error[ours]: teams/beta/blueprint.yaml: no" in shown
    lock = fleet.folder / "teams" / "beta" / "blueprint.lock"
    lock.write_text(lock.read_text().replace("version: 1.0.0", "version: 1.0.1"))
    shown = fleet("validate", "--all-stacks", expect=2, **cache).out
    assert "teams/beta/blueprint.lock:9:12: error[lock-edited]: teams/beta/blueprint.lock" in shown
    alone = fleet("validate", "-f", "teams/beta/blueprint.yaml", expect=2, **cache).err
    assert "teams/beta/blueprint.lock:9:12" in alone


def test_a_program_that_was_never_compiled_is_one_problem(fleet: Cli) -> None:
    told = fleet("compile", "--check", "--all-stacks", "--json", expect=1).json
    for each in told["blueprints"]:
        (problem,) = each["problems"]
        assert problem["message"].count("is missing") == 3
        assert " more" in problem["message"]
        assert f"mlops-iac compile -f {each['file']}" in problem["hint"]


def test_a_folder_that_cannot_be_looked_into_is_told(fleet: Cli) -> None:
    from mlops_iac.api.fleet import blueprints

    closed = fleet.folder / "teams" / "beta"
    closed.chmod(0)
    try:
        unread: list[str] = []
        found = blueprints(fleet.folder / "teams", unread)
        if len(found) == 3:
            pytest.skip("this user may look into everything")
        assert unread == [f"{closed} cannot be looked into: Permission denied"]
        for command in (("validate", "--all-stacks"), ("template", "usage")):
            assert "note: ./teams/beta cannot be looked into" in fleet(*command).err
    finally:
        closed.chmod(0o755)


def test_paths_of_any_characters_are_shown_and_stay_on_their_line(fleet: Cli) -> None:
    odd = ("a\n::error::b", "ä é  数", os.fsdecode(b"latin-\xe9"))
    for number, name in enumerate(odd):
        project(fleet.folder / "teams" / name, f"odd-{number}")
        edit(fleet, name, "mode: real-time", "mode: real-tme")
    strict = {"PYTHONIOENCODING": "utf-8:strict"}
    shown = fleet("validate", "--all-stacks", "teams", expect=2, **strict)
    assert "::error::" not in {line[:9] for line in (shown.out + shown.err).splitlines()}
    assert "invalid  teams/latin-\\udce9/blueprint.yaml" in shown.out
    assert "teams/ä é  数/blueprint.yaml:18:11: error" in shown.out
    told = fleet("validate", "--all-stacks", "teams", "--json", expect=2, **strict).json
    assert {f"teams/{name}/blueprint.yaml" for name in odd} < {
        each["file"] for each in told["blueprints"]
    }
    log = fleet("validate", "--all-stacks", "teams", "--format", "sarif", expect=2, **strict).json
    places = {
        each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for each in log["runs"][0]["results"]
    }
    assert places == {
        "teams/a%0A::error::b/blueprint.yaml",
        "teams/%C3%A4%20%C3%A9%20%20%E6%95%B0/blueprint.yaml",
        "teams/latin-%E9/blueprint.yaml",
    }


def test_an_interruption_before_there_is_a_command_ends_in_words_too(fleet: Cli) -> None:
    code = (
        "import sys, mlops_iac.cli\n"
        "class Interrupted:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name == 'click':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupted())\n"
        "mlops_iac.cli.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (8, "cancelled: interrupted\n")
