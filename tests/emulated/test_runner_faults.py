"""What scripts do to the runner: print without end, fork away, outlive whoever started them."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from filelock import FileLock

from mlops_iac.errors import ScriptFailed, TimedOut
from mlops_iac.runtime import contract
from mlops_iac.workload import environments, processes
from mlops_iac.workload.processes import Processes, clean_environment

# A step of its own process, as a job starts it, without the archives around it.
STEP = (
    "import os; from pathlib import Path; from mlops_iac.runtime.step import Step\n"
    "Step(Path.cwd(), os.environ, []).run()"
)
DAEMON = """import os, sys, time
from pathlib import Path
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        Path("pid").write_text(str(os.getpid()))
        time.sleep(600)
    os._exit(0)
while not Path("pid").exists() or not Path("pid").read_text():
    time.sleep(0.01)
Path(sys.argv[4], "train.csv").write_text("x")
"""


def step(folder: Path, script: str) -> dict[str, str]:
    (folder / contract.PROCESSING_DATA / "orders").mkdir(parents=True)
    (folder / "prepare.py").write_text(script)
    return {
        **clean_environment(),
        contract.STEP: "prepare",
        contract.SCRIPT: "prepare.py",
        contract.DATASETS: "orders",
        contract.ROOT_SETTING: str(folder),
    }


def go(folder: Path, code: str, seconds: float = 60, **env: str) -> tuple[Processes, list[str]]:
    found: list[str] = []
    run = Processes()
    command = [sys.executable, "-c", f"import os; os.chdir({str(folder)!r})\n{code}"]
    run.run(
        "Train",
        command,
        env=env or clean_environment(),
        log=folder / "log.txt",
        seconds=seconds,
        on_line=found.append,
    )
    return run, found


def gone(pid: int) -> bool:
    """Whether a process has ended, or ends within the patience of a busy machine."""
    for _ in range(600):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("end", ["", "\\n"])
def test_of_an_endless_output_the_beginning_and_the_end_are_kept(
    tmp_path: Path, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "_MOST", 1_000_000)
    script = (
        f"import sys\nfor n in range(4000): sys.stdout.write(f'{{n}} ' + 'x' * 5_000 + '{end}')\n"
    )
    script += "print('\\nmlops-iac metric accuracy=0.5')\nprint('the end')\n"
    _, told = go(tmp_path, script)
    log = (tmp_path / "log.txt").read_text()
    assert len(log) < 1_200_000
    assert sum(map(len, told)) < 1_200_000
    assert log.startswith("0 x")
    assert log.count("mlops-iac metric accuracy=0.5") >= 1
    assert log.endswith("the end\n")
    assert max(map(len, told)) <= 64_000
    assert sum("prints very much" in line for line in told) == 1


def test_a_log_that_cannot_be_written_ends_the_script_and_is_told(tmp_path: Path) -> None:
    (tmp_path / "log.txt").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        go(tmp_path, "while True: print('more')")


def test_what_a_process_takes_is_counted_with_its_children(tmp_path: Path) -> None:
    burn = "t = __import__('time'); b = bytearray(90_000_000)\nwhile t.process_time() < 0.3: pass"
    run, _ = go(
        tmp_path, f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {burn!r}])"
    )
    assert 0.3 <= run.used.cpu_seconds < 30
    # Linux counts as a process's own what its parent held when it was begun (kernel/exec.c).
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    assert 90_000_000 < run.used.peak_bytes <= max(ours, 900_000_000)


@pytest.mark.skipif(sys.platform != "linux", reason="a daemon is found in /proc")
@pytest.mark.parametrize("end", ["", "raise SystemExit(3)", "time.sleep(600)"])
def test_a_daemon_of_a_script_ends_with_its_step(tmp_path: Path, end: str) -> None:
    env = step(tmp_path, DAEMON + end)
    error = {"": None, "raise SystemExit(3)": ScriptFailed}.get(end, TimedOut)
    if error is None:
        go(tmp_path, STEP, **env)
    else:
        with pytest.raises(error):
            go(tmp_path, STEP, 5, **env)
    assert gone(int((tmp_path / "pid").read_text()))


def test_a_run_that_waits_for_an_environment_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLOPS_IAC_CACHE", str(tmp_path))
    monkeypatch.delenv(environments.OVERRIDE, raising=False)
    monkeypatch.setattr(environments, "_make", lambda folder, *_: folder)
    folder = environments.workload_python("", Processes(), print)
    said: list[str] = []

    def hear(line: str) -> None:
        said.append(line)
        other.release()

    with FileLock(folder / "lock", thread_local=False) as other:
        assert environments.workload_python("", Processes(), hear) == folder
    assert said == ["another run is making it; this one waits"]


def test_a_silent_script_ends_where_its_runner_was_killed(tmp_path: Path) -> None:
    env = step(
        tmp_path, "import os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(600)"
    )
    (tmp_path / "env.json").write_text(json.dumps(env))
    runner = (
        "import json, sys; from pathlib import Path; import mlops_iac.workload.processes as p\n"
        f"folder = Path({str(tmp_path)!r}); import os; os.chdir(folder)\n"
        f"p.Processes().run('Train', [sys.executable, '-c', {STEP!r}], log=folder / 'log.txt',"
        " env=json.loads((folder / 'env.json').read_text()), seconds=600, on_line=print)"
    )
    with subprocess.Popen([sys.executable, "-c", runner]) as process:
        file = tmp_path / "pid"
        while process.poll() is None and not (file.exists() and file.read_text()):
            time.sleep(0.05)
        assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    assert gone(int(file.read_text()))
