"""How the rest reaches what a stack deployed: in the real cloud, and in the emulated one."""

from __future__ import annotations

from typing import Protocol


class Access(Protocol):
    """The way to one cloud's deployed things."""
