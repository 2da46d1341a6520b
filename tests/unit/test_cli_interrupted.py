"""Ctrl-C, pressed twice: the words about the first are not lost to the second."""

from __future__ import annotations

import signal
from typing import Any, NoReturn

import pytest

from mlops_iac.cli import _app


def test_a_second_interruption_does_not_end_the_words_about_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = signal.getsignal(signal.SIGINT)

    def interrupted(**_: Any) -> NoReturn:
        raise KeyboardInterrupt

    def tell(*_: Any) -> int:
        signal.raise_signal(signal.SIGINT)
        return 8

    monkeypatch.setattr(_app.root, "main", interrupted)
    monkeypatch.setattr(_app, "_tell", tell)
    assert _app.run(["validate"]) == 8
    assert signal.getsignal(signal.SIGINT) is before
