"""What the `git` of this machine says of a folder."""

from __future__ import annotations

import subprocess
from pathlib import Path

from mlops_iac.git_environment import of_no_repository


def git_says(folder: Path, *words: str, seconds: float = 30) -> str | None:
    """The answer without its last line break; None where there is none: no git, or a refusal."""
    try:
        answer = subprocess.run(
            ["git", *words],
            cwd=folder,
            env=of_no_repository(),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.rstrip("\n") if answer.returncode == 0 else None
