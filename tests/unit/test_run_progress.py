"""What a run shows while it goes on, at a terminal and off it."""

from __future__ import annotations

import pytest

from mlops_iac.cli import _run_progress
from mlops_iac.cli._run_progress import Now, progress
from mlops_iac.cli._session import Session
from mlops_iac.pipeline.executor import RunEvent

EVENTS = [
    RunEvent("environment", "start"),
    RunEvent("environment", "done", seconds=3),
    RunEvent("Train", "start", at=(2, 7)),
    RunEvent("Train", "line", "epoch 1"),
    RunEvent("Train", "done", seconds=2.5, at=(2, 7), cpu_seconds=4.25, peak_bytes=170_000_000),
    RunEvent("Evaluate", "start", at=(3, 7)),
    RunEvent("Evaluate", "line", "mlops-iac gate missed: accuracy"),
    RunEvent("Evaluate", "failed", "no such column"),
]


def test_off_a_terminal_every_event_is_a_line_and_a_failure_is_told_by_its_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with progress(Session()) as on_event:
        for event in EVENTS:
            on_event(event)
    assert capsys.readouterr().err.splitlines() == [
        "environment …",
        "environment: done in 3.0 s",
        "[2/7] Train …",
        "  epoch 1",
        "Train: done in 2.5 s; 4.2 s of processors, 170 MB",
        "[3/7] Evaluate …",
    ]


def test_a_quiet_run_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(Session(quiet=True)) as on_event:
        for event in EVENTS:
            on_event(event)
    assert capsys.readouterr().err == ""


def test_the_line_below_says_which_step_goes_on_and_for_how_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = 100.0
    monkeypatch.setattr(_run_progress, "monotonic", lambda: clock)
    now = Now()
    assert str(now.draw()) == ""
    now.take(EVENTS[2])
    clock = 175.0
    now.take(EVENTS[3])
    assert str(now.draw()) == "Train (2 of 7) · 1:15"
    now.take(EVENTS[4])
    assert str(now.draw()) == ""
