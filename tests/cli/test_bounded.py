"""The process that reads a stranger's files ends, and whoever asked is told why."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from mlops_iac import python_child
from mlops_iac.cli import _bounded
from mlops_iac.errors import MlopsError, TimedOut
from tests.cli.harness import environment

TOKEN = "the-jobs-token"


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Python that runs a file of ours in the place of `-m mlops_iac`."""
    script = tmp_path / "script.py"
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} {script} "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    monkeypatch.setattr(python_child.sys, "executable", str(python))
    return script


def test_one_that_takes_too_long_is_ended_with_all_that_it_started(stand_in: Path) -> None:
    child = stand_in.with_name("child")
    stand_in.with_name("python").write_text(f"#!/bin/sh\nsleep 600 & echo $! > {child}\nwait\n")
    with pytest.raises(TimedOut, match="more than 3 seconds"):
        _bounded.run([], "", seconds=3)
    state = Path(f"/proc/{child.read_text().strip()}/status")
    assert not state.exists() or "zombie" in state.read_text()


def test_one_that_takes_too_much_memory_says_so(stand_in: Path) -> None:
    stand_in.write_text("held = bytearray(512 * 1024 * 1024)\n")
    assert _bounded.run([], "", memory=256 * 1024**2) == 1
    stand_in.write_text("import os; os.abort()\n")  # as a library in C does
    with pytest.raises(MlopsError, match="ended by SIGABRT: most likely it needed more than 4 GiB"):
        _bounded.run([], "")


def test_one_that_prints_without_end_is_ended(
    stand_in: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_bounded, "OUTPUT", 1024**2)
    for text in ("x' * 1000 + '\\n", "x' * 100_000 + '"):
        stand_in.write_text(f"while True: print('{text}', end='', flush=True)\n")
        with pytest.raises(MlopsError, match="printed more than 1 MiB"):
            _bounded.run([], "")
        assert len(capsys.readouterr().out) <= 1024**2


def test_one_that_fills_the_disk_is_stopped_at_a_file(stand_in: Path, tmp_path: Path) -> None:
    stand_in.write_text(
        "import sys\n"
        f"with open({str(tmp_path / 'big')!r}, 'wb') as file:\n"
        "    file.truncate(1024 ** 4)\n"
    )
    assert _bounded.run([], "") != 0
    assert (tmp_path / "big").stat().st_size == 0


def test_what_it_says_and_how_it_ends_is_passed_on(
    stand_in: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in.write_text(
        "import json, os, signal, sys\n"
        "left = signal.alarm(0)  # it ends by itself where whoever started it is killed\n"
        "print(json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ), left]))\n"
        "print('words', file=sys.stderr); sys.exit(5)\n"
    )
    os.environ["MLOPS_IAC_TEST_TOKEN"] = TOKEN
    try:
        assert _bounded.run(["preview", "--fork", "x"], str(tmp_path)) == 5
    finally:
        del os.environ["MLOPS_IAC_TEST_TOKEN"]
    out, err = capsys.readouterr()
    words, folder, variables, left = json.loads(out)
    assert left + 60 >= _bounded.SECONDS
    assert left > 0
    assert words[-3:] == ["preview", "--fork", "x"]
    assert folder == str(tmp_path)
    assert TOKEN not in variables.values()
    assert variables["MLOPS_IAC_OFFLINE"] == "1"
    assert err == "words\n"


def test_out_of_memory_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "blueprint.yaml").write_text("blueprint: 1\n", encoding="utf-8")
    program = (
        "import sys\n"
        "from mlops_iac import blueprint, cli\n"
        "def full(*_, **__): raise MemoryError\n"
        "blueprint.examine = full\n"
        "sys.argv = ['mlops-iac', 'validate']\n"
        "cli.main()\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment(), capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert answer.returncode == 1
    assert answer.stderr.startswith("error: there is not enough memory")


def test_what_it_wrote_to_temporary_folders_is_gone_however_it_ended(
    stand_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    stand_in.with_name("python").write_text('#!/bin/sh\ntouch "$TMPDIR/left"\nsleep 600\n')
    with pytest.raises(TimedOut):
        _bounded.run([], "", seconds=2)
    assert not list((tmp_path / "temporary").iterdir())
