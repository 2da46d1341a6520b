"""Stub."""

from __future__ import annotations

from collections.abc import Sequence

from mlops_iac.blueprint.checks.base import Check
from mlops_iac.errors import Diagnostic


def check_models(check: Check) -> None:
    """."""


def check_promotion(checks: Sequence[Check]) -> list[Diagnostic]:
    """."""
    return []
