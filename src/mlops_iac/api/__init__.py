"""The typed public API: load, resolve, compile, preview, up. The CLI adds words and pictures."""

from __future__ import annotations

from mlops_iac.api.core.loading import load, validate
from mlops_iac.api.project import Project

__all__ = ["Project", "load", "validate"]
