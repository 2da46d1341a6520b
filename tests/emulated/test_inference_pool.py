"""The processes that serve models, without a cloud around them."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from mlops_iac.emulators.common import inference
from mlops_iac.emulators.common.inference import NoReply, NotReady, Pool, Served
from mlops_iac.workload.environments import OVERRIDE
from tests.emulated import models

DIES = "import os\n\n\ndef load(folder): ...\n\n\ndef predict(model, rows):\n    os._exit(3)\n"
SLEEPS = (
    "import time\n\n\ndef load(folder): ...\n\n\ndef predict(model, rows):\n    time.sleep(60)\n"
)
FOREVER = "import time\ntime.sleep(60)\n"
ROW = b'{"instances": [{"x": 21}]}'
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(OVERRIDE, sys.executable)
    pool = Pool(tmp_path / "models")
    yield pool
    pool.kill()


def test_models_that_are_alike_share_a_process_until_nobody_has_it(pool: Pool) -> None:
    heard: list[str] = []
    one = pool.take(Served(models.archive()), heard.append, start_seconds=60)
    assert pool.take(Served(models.archive()), print, start_seconds=60) is one
    assert pool.take(Served(models.archive(), "", {"A": "1"}), print, start_seconds=60) is not one
    assert one.wait(60)
    pool.give_back(one, print)
    assert one.ask(ROW, JSON, 10).body == b'{"predictions": [42]}'
    pool.give_back(one, heard.append)
    with pytest.raises(NotReady):
        one.ask(ROW, JSON, 10)


def test_a_server_that_ends_again_and_again_is_given_up(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inference, "_PAUSES", (0.0, 0.0))
    heard: list[str] = []
    server = pool.take(Served(models.archive(DIES)), heard.append, start_seconds=60)
    assert server.wait(60)
    while server.state != "failed":
        with pytest.raises((NoReply, NotReady)):
            server.ask(ROW, JSON, 10)
        time.sleep(0.01)
    assert sum(line.endswith("it is started again") for line in heard) == 2
    with pytest.raises(NotReady, match="exit code 3"):
        server.ask(ROW, JSON, 10)
    # Whoever takes it anew gets another one.
    assert pool.take(Served(models.archive(DIES)), print, start_seconds=60) is not server


def test_nobody_waits_for_ever(pool: Pool) -> None:
    slow = pool.take(Served(models.archive(SLEEPS)), lambda _: None, start_seconds=60)
    assert slow.wait(60)
    with pytest.raises(NoReply) as caught:
        slow.ask(ROW, JSON, 0.1)
    assert caught.value.timed_out
    never = pool.take(Served(models.archive(FOREVER)), lambda _: None, start_seconds=0.5)
    assert never.wait(60)
    assert (never.state, "within 0.5 seconds" in never.reason) == ("failed", True)
