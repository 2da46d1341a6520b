"""Times and texts of others, as lines for people have them."""

from __future__ import annotations

from mlops_iac.graph.shown import cut


def short_time(time: str) -> str:
    """`2026-12-01 03:12 UTC` for what JSON has as ISO 8601."""
    return f"{time[:16].replace('T', ' ')} UTC" if time else "?"


def one_line(text: str) -> str:
    """The text on one line of at most 200 characters."""
    return cut(" ".join(text.split()), 0, 200)
