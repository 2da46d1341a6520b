"""Placeholder until the finder lands."""

from __future__ import annotations


def install() -> None:
    """Nothing yet."""
