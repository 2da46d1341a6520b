"""What the `git` of this machine says of a folder."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def git_says(folder: Path, *words: str, seconds: float = 30) -> str | None:
    """The answer without its last line break; None where there is none: no git, or a refusal."""
    environment = {k: v for k, v in os.environ.items() if k not in ("GIT_DIR", "GIT_WORK_TREE")}
    try:
        answer = subprocess.run(
            ["git", *words],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.rstrip("\n") if answer.returncode == 0 else None
