"""What a machine does to a deployment: signals, kills, full disks, a second command, a dead cloud.

Every time: a clear error with its exit code, nothing lost, nothing doubled, and the next command
works. Real processes throughout.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.cli.harness import Cli, environment

BLUEPRINT = """\
blueprint: 1
name: small
platform: sagemaker
region: eu-west-1
owner: someone@acme.example
datasets:
  rows: {source: data/rows.csv, format: csv, target: y}
models:
  m:
    code: workload/
    runtime: {framework: scikit-learn, version: 1.9}
    datasets: [rows]
    metrics: {accuracy: maximize}
    prepare: {script: prepare.py}
    train: {script: train.py, compute: {size: small}, timeout_minutes: 10}
    evaluate: {script: evaluate.py, gates: {accuracy: {at_least: 0.5}}}
    registry: {approval: manual}
security: {keys: customer}
alerts: {oncall: {email: oncall@acme.example}}
environments:
  dev: {account: "123456789012", protect: false}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    for name in ("data/rows.csv", *(f"workload/{n}.py" for n in ("prepare", "train", "evaluate"))):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x,y\n1,0\n" if name.endswith("csv") else "pass\n")
    (folder / "blueprint.yaml").write_text(BLUEPRINT, encoding="utf-8")
    return folder


def emulator(cli: Cli) -> dict[str, Any]:
    found: dict[str, Any] = cli("local", "status", "--json").json
    return found


def census(cli: Cli) -> Counter[str]:
    """How many of each kind stand in the emulated cloud, by boto3."""
    import boto3

    url = emulator(cli)["endpoint"]

    def client(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=url,
            region_name="eu-west-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )

    kms = client("kms")
    keys = [kms.describe_key(KeyId=item["KeyId"]) for item in kms.list_keys()["Keys"]]
    aliases = kms.list_aliases()["Aliases"]
    return Counter(
        {
            "buckets": len(client("s3").list_buckets()["Buckets"]),
            "keys": sum(
                key["KeyMetadata"]["KeyState"] == "Enabled"
                and key["KeyMetadata"]["KeyManager"] == "CUSTOMER"
                for key in keys
            ),
            "aliases": sum(not item["AliasName"].startswith("alias/aws/") for item in aliases),
            "roles": len(client("iam").list_roles()["Roles"]),
            "topics": len(client("sns").list_topics()["Topics"]),
            "pipelines": len(client("sagemaker").list_pipelines()["PipelineSummaries"]),
            "groups": len(
                client("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"]
            ),
        }
    )


def owned(cli: Cli) -> Counter[str]:
    """The same, by the state."""
    kinds = {
        "aws:s3/bucket:Bucket": "buckets",
        "aws:kms/key:Key": "keys",
        "aws:kms/alias:Alias": "aliases",
        "aws:iam/role:Role": "roles",
        "aws:sns/topic:Topic": "topics",
        "aws:sagemaker/pipeline:Pipeline": "pipelines",
        "aws:sagemaker/modelPackageGroup:ModelPackageGroup": "groups",
    }
    rows = cli("status", "--json").json["resources"]
    return Counter(kinds[row["type"]] for row in rows if row["type"] in kinds)


def assert_converged(cli: Cli) -> None:
    """Nothing to do, and what stands is what the state owns, once."""
    cli("preview", "--expect-no-changes")
    standing = census(cli)
    assert standing == owned(cli)
    assert standing["buckets"] == 3


def wait_for_lines(process: subprocess.Popen[str], number: int, word: str = "created") -> list[str]:
    """Read stderr until so many resources were made."""
    assert process.stderr is not None
    seen: list[str] = []
    for line in process.stderr:
        seen.append(line)
        if sum(word in item for item in seen) >= number:
            break
    return seen


def rest(process: subprocess.Popen[str], seconds: float = 90) -> str:
    _, err = process.communicate(timeout=seconds)
    assert "Traceback" not in err, err
    return err


def test_ctrl_c_ends_in_order_and_the_next_up_completes(cli: Cli) -> None:
    cli("local", "start")
    process = cli.start_stepwise("up", "--yes")
    wait_for_lines(process, 3)
    process.send_signal(signal.SIGINT)
    said = rest(process)
    assert process.returncode == 8, said
    assert "cancelled: interrupted" in said
    assert "run it again" in said
    status = cli("status", "--json").json
    assert 0 < len(status["resources"]) < 38
    assert status["next"] == ["mlops-iac up"]
    cli("up", "--yes")
    assert_converged(cli)


def test_kills_at_any_point_lose_and_double_nothing(cli: Cli) -> None:
    cli("local", "start")
    for number in (1, 4, 9, 15):
        process = cli.start_stepwise("up", "--yes")
        wait_for_lines(process, number)
        process.kill()
        rest(process)
    cli("up", "--yes")
    assert_converged(cli)
    for number in (2, 12):
        process = cli.start_stepwise("destroy", "--yes")
        wait_for_lines(process, number, "deleted")
        process.kill()
        rest(process)
    cli("up", "--yes")
    assert_converged(cli)
    process = cli.start_stepwise("destroy", "--yes")
    wait_for_lines(process, 5, "deleted")
    process.kill()
    rest(process)
    cli("destroy", "--yes")
    # moto has no DeleteModelPackageGroup, so groups outlive their deletion.
    assert [kind for kind, number in census(cli).items() if number and kind != "groups"] == []
    assert cli("status", "--json").json["resources"] == []
    assert "nothing to delete" in cli("destroy", "--yes").err


def test_a_second_up_at_the_same_time_is_refused(cli: Cli) -> None:
    cli("local", "start")
    first = cli.start_stepwise("up", "--yes")
    wait_for_lines(first, 1)
    first.send_signal(signal.SIGSTOP)
    try:
        second = cli("up", "--yes", expect=1)
        assert "the stack local is in use: `up`, process" in second.err
        assert str(first.pid) in second.err
        assert "fix: wait for it to end" in second.err
        answer = cli("destroy", "--yes", "--json", expect=1).json
        assert "in use" in answer["error"]["message"]
    finally:
        first.send_signal(signal.SIGCONT)
    rest(first)
    assert first.returncode == 0
    assert_converged(cli)


def test_two_ups_begun_at_once_make_everything_once(cli: Cli) -> None:
    both = [cli.start("up", "--yes") for _ in range(2)]
    said = [rest(process) for process in both]
    codes = sorted(process.returncode for process in both)
    assert codes in ([0, 0], [0, 1]), said
    if codes == [0, 1]:
        assert any("in use" in words for words in said)
    assert_converged(cli)


def test_an_emulator_that_stops_answering_ends_the_command_in_time(cli: Cli) -> None:
    cli("local", "start")
    found = emulator(cli)
    soon = {"MLOPS_IAC_EMULATOR_TIMEOUT": "3"}
    process = cli.start_stepwise("up", "--yes", **soon)
    wait_for_lines(process, 2)
    os.kill(found["pid"], signal.SIGSTOP)
    try:
        begun = time.monotonic()
        said = rest(process)
        assert time.monotonic() - begun < 60
        assert process.returncode == 9, said
        assert "does not answer" in said
        assert "`mlops-iac local stop` ends it" in said
        soon = {"MLOPS_IAC_EMULATOR_TIMEOUT": "1"}
        for command in ("preview", "up", "run", "refresh"):
            begun = time.monotonic()
            answer = cli(command, "--yes", expect=9, **soon)
            assert time.monotonic() - begun < 60
            assert "does not answer" in answer.err
            assert "`mlops-iac local stop`" in answer.err
        # Where nothing is set, too.
        assert "does not answer" in cli("status").err
    finally:
        os.kill(found["pid"], signal.SIGCONT)
    # What was asked for and never answered may have been done all the same.
    cli("up", "--yes")
    assert_converged(cli)


def test_a_hung_emulator_can_be_stopped_and_everything_made_again(cli: Cli) -> None:
    cli("up", "--yes")
    os.kill(emulator(cli)["pid"], signal.SIGSTOP)
    cli("local", "stop")
    assert cli("local", "status", "--json", expect=1).json == {"running": False}
    assert "lost what it held" in cli("preview").err
    cli("up", "--yes")
    assert_converged(cli)


def test_an_emulator_that_dies_in_the_middle_is_told_and_recovered_from(cli: Cli) -> None:
    cli("local", "start")
    process = cli.start_stepwise("up", "--yes")
    wait_for_lines(process, 3)
    os.kill(emulator(cli)["pid"], signal.SIGKILL)
    said = rest(process)
    assert process.returncode == 9, said
    assert "does not answer" in said
    cli("up", "--yes")
    assert_converged(cli)


def test_a_full_disk_loses_nothing(cli: Cli, project: Path) -> None:
    """The limit on the size of a file says no as a full disk does, in the middle of the journal."""
    cli("local", "start")
    program = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))\n"
        "from mlops_iac.cli._app import run\n"
        "sys.exit(run(['up', '--yes']))\n"
    )
    for size in (2_000, 40_000, 90_000):
        done = subprocess.run(
            [sys.executable, "-c", program, str(size)],
            cwd=project, env=environment(), capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode in (1, 2, 4), (size, done.stderr)
        assert "File too large" in done.stderr
        assert "Traceback" not in done.stderr
        assert "internal error" not in done.stderr
    cli("up", "--yes")
    assert_converged(cli)


@pytest.mark.parametrize("what", [".mlops-iac", ".mlops-iac/state", ".mlops-iac/emulator"])
def test_a_folder_that_cannot_be_made(cli: Cli, project: Path, what: str) -> None:
    """A file stands where the folder should be: as good as a read-only directory, even for root."""
    (project / what).parent.mkdir(exist_ok=True)
    (project / what).write_text("in the way")
    said = cli("up", "--yes", expect=None)
    assert said.code in (1, 2)
    assert Path(what).name in said.err
    assert "internal error" not in said.err
    assert (project / what).read_text() == "in the way"
    (project / what).unlink()
    cli("up", "--yes")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_directory(cli: Cli, project: Path) -> None:
    project.chmod(0o555)
    try:
        assert "make it writable" in cli("up", "--yes", expect=2).err
        assert "cannot write" in cli("compile", expect=2).err
        cli("validate")
    finally:
        project.chmod(0o755)


def test_compile_into_what_is_no_folder(cli: Cli, project: Path) -> None:
    (project / "stacks").write_text("in the way")
    said = cli("compile", expect=2)
    assert "stacks" in said.err
    assert "internal error" not in said.err
    (project / "stacks").unlink()
    cli("compile")


@pytest.mark.parametrize("content", ["", "{", '{"version": 3}', "[]"])
def test_a_damaged_state_is_named_and_left_alone(cli: Cli, project: Path, content: str) -> None:
    state = project / ".mlops-iac" / "state" / "local.json"
    state.parent.mkdir(parents=True)
    state.write_text(content)
    for command in ("preview", "up", "destroy", "status", "outputs", "refresh"):
        said = cli(command, "--yes", expect=1)
        assert "local.json is damaged" in said.err
        assert "nothing was changed" in said.err
        assert said.out == ""
    assert state.read_text() == content


def test_a_reader_that_goes_away_does_not_stop_a_deployment(cli: Cli, project: Path) -> None:
    """`up 2>&1 | head -1`: the pipe breaks at the first words; what was begun is in the state."""
    cli("local", "start")
    process = subprocess.Popen(
        f"{sys.executable} -m mlops_iac up --yes 2>&1 | head -1",
        shell=True, cwd=project, env=environment(), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    out, _ = process.communicate(timeout=90)
    assert "Traceback" not in out
    cli("up", "--yes")
    assert_converged(cli)
