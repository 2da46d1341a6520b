"""What is being put into the store, as rules and computations see it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Protocol

from mlops_iac.emulators.azure.tables import Row
from mlops_iac.records import Record


class Item(Record):
    """A resource: its id as it was written, its row, the body that was put, and what `GET` answers."""

    id: str
    row: Row
    sent: Mapping[str, Any]
    document: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The last part of its id."""
        return self.id.rpartition("/")[2]

    @property
    def above(self) -> str:
        """The id of what an extension extends, or the group that it is in."""
        return self.id.rpartition("/providers/")[0]


class Others(Protocol):
    """The rest of the store."""

    base: str
    kept_names: set[tuple[str, str]]

    def find(self, id_: str) -> Item | None:
        """A resource by its id, in any case."""

    def of_type(self, arm: str) -> Iterator[Item]:
        """Everything of an ARM type."""


class Put(Record):
    """A body that is put at an id, over `old` where something stands there. `now` is when."""

    store: Others
    id: str
    row: Row
    body: Mapping[str, Any]
    old: Item | None
    now: datetime

    @property
    def name(self) -> str:
        """The last part of the id."""
        return self.id.rpartition("/")[2]

    @property
    def said(self) -> Mapping[str, Any]:
        """The properties of the body."""
        return self.body.get("properties") or {}

    @property
    def before(self) -> Mapping[str, Any]:
        """The properties that stand there."""
        return self.old.document.get("properties", {}) if self.old else {}

    @property
    def time(self) -> str:
        """When, as ARM writes it."""
        return self.now.strftime("%Y-%m-%dT%H:%M:%SZ")
