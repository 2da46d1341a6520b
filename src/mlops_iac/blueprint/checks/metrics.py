"""Stub."""

from __future__ import annotations

from mlops_iac.blueprint.checks.base import Check


def check_metrics(check: Check) -> None:
    """."""
