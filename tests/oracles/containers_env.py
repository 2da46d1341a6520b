"""The toolkits of AWS's prebuilt containers in a virtual environment of their own: they pin old packages.

    python tests/oracles/containers_env.py    install it into the cache folder (CI does so once)

Tests use what MLOPS_IAC_CONTAINERS names (a Python), or what was installed here. Nothing is resolved:
`containers.txt` is what the images have, as near as this Python's wheels come.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from hashlib import sha256
from pathlib import Path

VARIABLE = "MLOPS_IAC_CONTAINERS"
PACKAGES = Path(__file__).with_name("containers.txt")


def folder() -> Path:
    """Where the environment is kept, per set of packages."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser()
    return cache / "mlops-iac" / f"containers-{sha256(PACKAGES.read_bytes()).hexdigest()[:12]}"


def find() -> Path | None:
    """Its interpreter, or None where there is none."""
    python = Path(os.environ.get(VARIABLE) or folder() / "bin" / "python")
    return python if python.exists() else None


def install() -> Path:
    """Install the toolkits and return their interpreter."""
    venv.create(folder(), with_pip=True, clear=True)
    python = folder() / "bin" / "python"
    pip = [python, "-m", "pip", "install", "-q", "--no-compile", "--no-deps", "-r", PACKAGES]
    subprocess.run(pip, check=True)
    return python


if __name__ == "__main__":
    sys.stdout.write(f"{install()}\n")
