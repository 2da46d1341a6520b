"""What holds for every test: the same examples every time, and nothing of the machine's user."""

from __future__ import annotations

import gc
import os
import shlex
import shutil
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

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


# The language host of the real CLI asks pip what is installed before every operation, twice as long
# as a small program takes; in an environment that stays as it is, the first answer holds.
_ASKED_ONCE = """\
#!/bin/sh
case "$1 $2" in
"-m pip" | "-c "*importlib.metadata*)
  told={folder}/$(printf %s "$*" | cksum | tr ' ' -)
  if [ ! -e "$told" ]; then
    {python} "$@" > "$told.$$" || exit
    mv "$told.$$" "$told"
  fi
  exec cat "$told" ;;
esac
exec {python} "$@"
"""


@pytest.fixture(scope="session", autouse=True)
def _pip_is_asked_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    if shutil.which("pulumi") is None:
        return
    folder = tmp_path_factory.mktemp("asked")
    script = folder / "python"
    text = _ASKED_ONCE.format(folder=shlex.quote(str(folder)), python=shlex.quote(sys.executable))
    script.write_text(text, encoding="utf-8")
    script.chmod(0o755)
    os.environ["PULUMI_PYTHON_CMD"] = str(script)
