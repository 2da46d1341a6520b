"""What Azure offers where: tables that are read, never asked for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

_DATA = Path(__file__).parent / "data"


@cache
def regions() -> Sequence[str]:
    """Regions with Azure Machine Learning, as far as they are known."""
    lines = (_DATA / "regions.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))
