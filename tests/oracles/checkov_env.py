"""checkov in a virtual environment of its own, because it pins boto3.

    python tests/oracles/checkov_env.py    install it into the cache folder (CI does so once)

Tests use, in this order: what MLOPS_IAC_CHECKOV names, what was installed here, what is on PATH.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

VERSION = "3.3.30"
VARIABLE = "MLOPS_IAC_CHECKOV"


def folder() -> Path:
    """Where the environment is kept, per version."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser()
    return cache / "mlops-iac" / f"checkov-{VERSION}"


def find() -> str | None:
    """The executable, or None where there is none."""
    named = os.environ.get(VARIABLE)
    if named:
        return named
    installed = folder() / "bin" / "checkov"
    return str(installed) if installed.exists() else shutil.which("checkov")


def install() -> str:
    """Install checkov and return its executable."""
    venv.create(folder(), with_pip=True, clear=True)
    subprocess.run(
        [folder() / "bin" / "python", "-m", "pip", "install", "-q", f"checkov=={VERSION}"],
        check=True,
    )
    return str(folder() / "bin" / "checkov")


if __name__ == "__main__":
    sys.stdout.write(f"{install()}\n")
