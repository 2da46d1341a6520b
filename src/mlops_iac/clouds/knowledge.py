"""What the rest asks about a cloud's types, each fact in one table of the cloud's own."""

from __future__ import annotations

from typing import Protocol


class Knowledge(Protocol):
    """What is true of a cloud's types. Asks nobody."""

    def replaces(self, type_: str, path: str) -> tuple[bool | None, str]:
        """Whether a change at a property path replaces the resource, and who says so.

        None and "" where nobody knows.
        """

    def facts_digest(self) -> str:
        """SHA-256 of all that is known of that."""
