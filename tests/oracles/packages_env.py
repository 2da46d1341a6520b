"""Code that is not ours in virtual environments of its own: what AWS's containers run, and the clouds' clients.

    python tests/oracles/packages_env.py containers|clients|azure_clients    install it into the cache folder

Tests use what MLOPS_IAC_CONTAINERS, MLOPS_IAC_CLIENTS or MLOPS_IAC_AZURE_CLIENTS names (a Python), or what was
installed here. Nothing is resolved: `containers.txt` is what the images have, as near as this Python's wheels
come; the others are what the clients import.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from hashlib import sha256
from pathlib import Path

import pytest


def packages(name: str) -> Path:
    """What is installed into the environment of that name."""
    return Path(__file__).with_name(f"{name}.txt")


def folder(name: str) -> Path:
    """Where the environment is kept, per set of packages."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser()
    digest = sha256(packages(name).read_bytes()).hexdigest()[:12]
    return cache / "mlops-iac" / f"{name}-{digest}"


def python_of(name: str) -> Path:
    """Its interpreter. Skips the test where there is none."""
    variable = f"MLOPS_IAC_{name.upper()}"
    python = Path(os.environ.get(variable) or folder(name) / "bin" / "python")
    if not python.exists():
        pytest.skip(f"run `python tests/oracles/packages_env.py {name}` or set {variable}")
    return python


def install(name: str) -> Path:
    """Install the packages and return their interpreter."""
    venv.create(folder(name), with_pip=True, clear=True)
    python = folder(name) / "bin" / "python"
    pip = [python, "-m", "pip", "install", "-q", "--no-compile", "--no-deps", "-r", packages(name)]
    subprocess.run(pip, check=True)
    return python


if __name__ == "__main__":
    sys.stdout.write(f"{install(sys.argv[1])}\n")
