"""How Python is started as a child of ours: nothing of the folder it runs in is importable there.

`python -m` puts the working folder first on the path of modules, and so does an empty or relative
entry of PYTHONPATH: a checkout could bring an `argparse.py`. Not for a user's workload, which is
meant to find its own modules.
"""

from __future__ import annotations

import os
import sys

SAFE_PATH = "PYTHONSAFEPATH"
_PATH = "PYTHONPATH"


def command(*words: str) -> list[str]:
    """The command line of this interpreter with `words` after its own options."""
    return [sys.executable, "-P", *words]


def environment() -> dict[str, str]:
    """The environment of this process, also safe for what the child starts in its turn."""
    kept = {name: value for name, value in os.environ.items() if name != _PATH}
    return kept | ({_PATH: os.pathsep.join(path())} if path() else {}) | {SAFE_PATH: "1"}


def path() -> list[str]:
    """The entries of PYTHONPATH that are no folder one happens to be in."""
    return [each for each in os.environ.get(_PATH, "").split(os.pathsep) if each.startswith(os.sep)]
