"""What the rest asks about a cloud's types, each fact in one table of the cloud's own."""

from __future__ import annotations

from typing import Protocol


class Knowledge(Protocol):
    """What is true of a cloud's types. Asks nobody."""
