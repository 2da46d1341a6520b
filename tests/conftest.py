"""What holds for every test: the same examples every time, and nothing of the machine's user."""

from __future__ import annotations

import gc
import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.cli import warm
from tests.examples import SEARCHES, examples

# A change is judged by the same examples wherever and whenever it is checked, and a busy machine
# fails none of them for its time. MLOPS_IAC_EXAMPLES=1000 searches for new ones, by chance.
settings.register_profile(
    "steady",
    max_examples=examples(100),
    deadline=None,
    derandomize=not SEARCHES,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("steady")

# The tests of a worker share one heap, full of the SDKs, which the collector would go through again
# for each stack that is captured: a fifth of their time.
gc.set_threshold(50_000, 50, 50)

# The Go programs that tests start, `pulumi` and providers, live for a second and need not tidy up.
os.environ.setdefault("GOGC", "400")

# A run in the background of a shell is started with Ctrl-C ignored, and all that it starts is, too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """What was imported and collected stays: no search for garbage goes through it again."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _templates_are_cached_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The cache of whoever runs the tests is neither read nor filled, by commands neither."""
    folder: Path = tmp_path_factory.mktemp("cache")
    os.environ["MLOPS_IAC_CACHE"] = str(folder)


@pytest.fixture(scope="session", autouse=True)
def _programs_begin_warm(request: pytest.FixtureRequest) -> None:
    """Those that the real Pulumi CLI runs (`tests/cli/warm.py`)."""
    if any(item.get_closest_marker("pulumi_cli") for item in request.session.items):
        os.environ["PULUMI_PYTHON_CMD"] = warm.python()
