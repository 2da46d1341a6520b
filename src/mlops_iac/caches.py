"""Where this user keeps what can be had again: templates, environments of workloads."""

from __future__ import annotations

import os
from pathlib import Path

from mlops_iac.errors import UsageError


def cache_folder() -> Path:
    """`$MLOPS_IAC_CACHE`, `$XDG_CACHE_HOME/mlops-iac` or `~/.cache/mlops-iac`; it may be missing.

    Raises UsageError where there is no home.
    """
    if own := os.environ.get("MLOPS_IAC_CACHE"):
        return Path(own).absolute()
    if shared := os.environ.get("XDG_CACHE_HOME"):
        return Path(shared).absolute() / "mlops-iac"
    try:
        return Path.home() / ".cache" / "mlops-iac"
    except RuntimeError:
        # Never a shared place such as /tmp: what others may write there, git and Python would obey.
        raise UsageError(
            "there is no home folder to keep a cache in",
            hint="name a folder of your own in MLOPS_IAC_CACHE",
        ) from None
