"""Order along dependencies, the same in every run."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping


def topological(dependencies: Mapping[str, Iterable[str]]) -> list[str]:
    """The keys, each after all keys it depends on, ties in alphabetical order.

    Dependencies that are no keys are left out. What stands in a cycle (a state can hold one after
    an interrupted replacement) comes last, in alphabetical order.
    """
    waiting = {
        key: {d for d in needed if d in dependencies and d != key}
        for key, needed in dependencies.items()
    }
    dependants: dict[str, list[str]] = {key: [] for key in waiting}
    for key, needed in waiting.items():
        for other in needed:
            dependants[other].append(key)
    ready = [key for key, needed in waiting.items() if not needed]
    heapq.heapify(ready)
    order: list[str] = []
    while ready:
        key = heapq.heappop(ready)
        order.append(key)
        for dependant in dependants[key]:
            waiting[dependant].discard(key)
            if not waiting[dependant]:
                heapq.heappush(ready, dependant)
    placed = set(order)
    return order + sorted(key for key in waiting if key not in placed)
