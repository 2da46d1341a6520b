"""A sample of rows that come one by one, of a fixed size and always the same."""

from __future__ import annotations

import random
from typing import Generic, TypeVar

MOST_ROWS = 10_000  # of a reference, and of what is compared with it
SEED = 0
_T = TypeVar("_T")


class Sample(Generic[_T]):
    """Each of the items seen is in `taken` with the same chance (reservoir sampling, algorithm R)."""

    def __init__(self, size: int) -> None:
        self._size, self.seen = size, 0
        self._random = random.Random(SEED)  # noqa: S311 - a sample, no secret
        self.taken: list[_T] = []

    def add(self, item: _T) -> None:
        """One more."""
        self.seen += 1
        if len(self.taken) < self._size:
            self.taken.append(item)
        elif (place := self._random.randrange(self.seen)) < self._size:
            self.taken[place] = item
