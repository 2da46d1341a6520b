"""Stub."""

from __future__ import annotations

from mlops_iac.blueprint.checks.base import Check


def check_datasets(check: Check) -> None:
    """."""


def check_features(check: Check) -> None:
    """."""
