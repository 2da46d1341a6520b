"""Ctrl-C and SIGTERM while the real CLI runs, by a process that stands in for it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from mlops_iac.engine.pulumi_interrupt import PulumiInterrupt, in_order
from mlops_iac.errors import MlopsError

# Ends in order when it is told to, and says how often it was.
_CLI = """\
trap 'echo told' INT
echo ready
for _ in $(seq 600); do sleep 0.1; test -e "$0.end" && exit 1; done
"""


@pytest.fixture
def cli(tmp_path: Path) -> Path:
    """A shell under the CLI's name: the system tells processes by the file that they run."""
    shell = shutil.which("bash")
    if shell is None:
        pytest.skip("there is no bash")
    shutil.copy(shell, tmp_path / "pulumi")
    (tmp_path / "script").write_text(_CLI)
    return tmp_path


def started(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [str(folder / "pulumi"), str(folder / "script")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the system has no /proc")
@pytest.mark.parametrize(("number", "told"), [(signal.SIGTERM, "told\n"), (signal.SIGINT, "")])
def test_a_term_is_passed_on_and_an_interrupt_came_by_itself(
    cli: Path, number: signal.Signals, told: str
) -> None:
    process = started(cli)
    with PulumiInterrupt() as interrupt:
        os.kill(os.getpid(), number)
        assert interrupt.requested()
        if told:
            assert process.stdout is not None
            assert process.stdout.readline() == told
            told = ""
        (cli / "script.end").touch()
        assert process.communicate()[0] == told


def test_what_ran_has_ended_before_it_is_raised() -> None:
    ended = []
    with pytest.raises(KeyboardInterrupt), in_order():
        os.kill(os.getpid(), signal.SIGINT)
        ended.append(True)
    assert ended
    with pytest.raises(KeyboardInterrupt), in_order():
        os.kill(os.getpid(), signal.SIGINT)
        raise MlopsError("Pulumi: update canceled")
    with pytest.raises(MlopsError), in_order():
        raise MlopsError("something else")
