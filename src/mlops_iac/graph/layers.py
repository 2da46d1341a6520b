"""Layered drawing of a directed acyclic graph, after Sugiyama: layers, order, positions.

Own code because it is 150 lines, and the alternatives are an external binary (Graphviz) or a
numeric stack far larger than this package.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_SWEEPS = 12
_NUDGES = 60
# Nodes side by side; more make a picture too wide to be read where it is shown.
_WIDEST = 4


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in pixels."""

    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Placed:
    """A node's upper left corner and size."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Route:
    """An edge: points from the bottom of its source to the top of its target."""

    source: str
    target: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """Positions of all nodes, routes of all edges, and the size of the whole."""

    nodes: Mapping[str, Placed]
    routes: Sequence[Route]
    width: float
    height: float


def draw(
    sizes: Mapping[str, Size],
    edges: Sequence[tuple[str, str]],
    *,
    gap: float = 28,
    layer_gap: float = 56,
    lane: float = 18,
) -> Drawing:
    """Place nodes on layers from top to bottom; an edge over several layers gets a lane of its own.

    `sizes` in a fixed order and `edges` without cycles, sorted: the drawing depends on nothing else.
    """
    layer = _layers(list(sizes), edges)
    rows, chains, widths = _with_lanes(sizes, edges, layer, lane)
    links = [pair for chain in chains for pair in itertools.pairwise(chain)]
    rows = _ordered(rows, links)
    centre = _positions(rows, links, widths, gap)
    heights = [max((sizes[n].height for n in row if n in sizes), default=0.0) for row in rows]
    tops = [sum(heights[:i]) + layer_gap * i for i in range(len(rows))]
    left = min(centre[n] - widths[n] / 2 for row in rows for n in row)
    right = max(centre[n] + widths[n] / 2 for row in rows for n in row)
    nodes = {
        name: Placed(
            centre[name] - left - size.width / 2, tops[layer[name]], size.width, size.height
        )
        for name, size in sizes.items()
    }
    routes = _routes(chains, nodes, {n: c - left for n, c in centre.items()}, tops, heights)
    return Drawing(nodes, routes, right - left, tops[-1] + heights[-1])


def _layers(nodes: list[str], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Longest path from the top; then what could stand lower moves down beside its first user."""
    layer = dict.fromkeys(nodes, 0)
    for _ in nodes:
        changed = False
        for used, user in edges:
            if layer[user] <= layer[used]:
                layer[user] = layer[used] + 1
                changed = True
        if not changed:
            break
    for node in reversed(nodes):
        users = [layer[user] for used, user in edges if used == node]
        if users and not any(user == node for _, user in edges):
            layer[node] = min(users) - 1
    return _narrowed(nodes, edges, layer)


def _narrowed(
    nodes: list[str], edges: Sequence[tuple[str, str]], layer: dict[str, int]
) -> dict[str, int]:
    """Move what nobody uses down from layers that are too wide: it may stand anywhere below."""
    used = {used for used, _ in edges}
    for row in range(len(nodes)):
        members = [node for node in nodes if layer[node] == row]
        loose = [node for node in members if node not in used]
        for node in loose[: max(len(members) - _WIDEST, 0)]:
            layer[node] += 1
    return layer


def _with_lanes(
    sizes: Mapping[str, Size],
    edges: Sequence[tuple[str, str]],
    layer: Mapping[str, int],
    lane: float,
) -> tuple[list[list[str]], list[list[str]], dict[str, float]]:
    """Rows of nodes and lane points, the chain of each edge, and every width."""
    rows: list[list[str]] = [[] for _ in range(max(layer.values()) + 1)]
    widths = {name: size.width for name, size in sizes.items()}
    for name in sizes:
        rows[layer[name]].append(name)
    chains = []
    for index, (used, user) in enumerate(edges):
        chain = [used]
        for between in range(layer[used] + 1, layer[user]):
            point = f"\0{index}:{between}"
            rows[between].append(point)
            widths[point] = lane
            chain.append(point)
        chains.append([*chain, user])
    return rows, chains, widths


def _ordered(rows: list[list[str]], links: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Order each row by the mean position of its neighbours, down and up; keep the best seen."""
    above: dict[str, list[str]] = {}
    below: dict[str, list[str]] = {}
    for upper, lower in links:
        above.setdefault(lower, []).append(upper)
        below.setdefault(upper, []).append(lower)
    best, fewest = [list(row) for row in rows], _crossings(rows, below)
    current = [list(row) for row in rows]
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        neighbours = above if down else below
        for index in range(len(current)) if down else reversed(range(len(current))):
            position = {n: i / max(len(row) - 1, 1) for row in current for i, n in enumerate(row)}
            current[index].sort(key=lambda node: _mean(node, neighbours, position))
        count = _crossings(current, below)
        if count < fewest:
            best, fewest = [list(row) for row in current], count
    return best


def _mean(node: str, neighbours: Mapping[str, list[str]], position: Mapping[str, float]) -> float:
    near = neighbours.get(node)
    return sum(position[n] for n in near) / len(near) if near else position[node]


def _crossings(rows: Sequence[Sequence[str]], below: Mapping[str, Sequence[str]]) -> int:
    total = 0
    for upper, lower in itertools.pairwise(rows):
        place = {node: index for index, node in enumerate(lower)}
        ends = [[place[n] for n in below.get(node, ())] for node in upper]
        for i, first in enumerate(ends):
            for second in ends[i + 1 :]:
                total += sum(a > b for a in first for b in second)
    return total


def _positions(
    rows: Sequence[Sequence[str]],
    links: Sequence[tuple[str, str]],
    widths: Mapping[str, float],
    gap: float,
) -> dict[str, float]:
    """Centres: packed and centred rows first, then drawn towards their neighbours."""
    centre: dict[str, float] = {}
    for row in rows:
        total = sum(widths[node] for node in row) + gap * (len(row) - 1)
        x = -total / 2
        for node in row:
            centre[node] = x + widths[node] / 2
            x += widths[node] + gap
    near: dict[str, list[str]] = {}
    for upper, lower in links:
        near.setdefault(upper, []).append(lower)
        near.setdefault(lower, []).append(upper)
    for nudge in range(_NUDGES):
        for row in rows if nudge % 2 == 0 else reversed(rows):
            wanted = {n: sum(centre[m] for m in near[n]) / len(near[n]) for n in row if n in near}
            _pull(row, wanted, centre, widths, gap)
    return centre


def _pull(
    row: Sequence[str],
    wanted: Mapping[str, float],
    centre: dict[str, float],
    widths: Mapping[str, float],
    gap: float,
) -> None:
    """Move a row's nodes half way to where they want to be, never over each other."""
    target = {n: (centre[n] + wanted.get(n, centre[n])) / 2 for n in row}

    def apart(left: str, right: str) -> float:
        return (widths[left] + widths[right]) / 2 + gap

    low: dict[str, float] = {}
    high: dict[str, float] = {}
    for i, node in enumerate(row):
        low[node] = (
            target[node] if i == 0 else max(target[node], low[row[i - 1]] + apart(row[i - 1], node))
        )
    for i in range(len(row) - 1, -1, -1):
        node = row[i]
        after = row[i + 1] if i + 1 < len(row) else None
        high[node] = (
            target[node] if after is None else min(target[node], high[after] - apart(node, after))
        )
    for node in row:
        centre[node] = (low[node] + high[node]) / 2
    for i in range(1, len(row)):
        centre[row[i]] = max(centre[row[i]], centre[row[i - 1]] + apart(row[i - 1], row[i]))


def _routes(
    chains: Sequence[Sequence[str]],
    nodes: Mapping[str, Placed],
    centre: Mapping[str, float],
    tops: Sequence[float],
    heights: Sequence[float],
) -> list[Route]:
    """Ends are spread along a node's edge in the order of where they lead, so that none cross."""
    row_of = {top: index for index, top in enumerate(tops)}
    starts = _ports(chains, nodes, centre, end=0)
    ends = _ports(chains, nodes, centre, end=-1)
    routes = []
    for index, chain in enumerate(chains):
        first, last = nodes[chain[0]], nodes[chain[-1]]
        points = [(starts[index], first.y + first.height)]
        row = row_of[first.y]
        # Down to the end of the row first: a shorter box must not let an edge pass under a taller.
        points.append((starts[index], tops[row] + heights[row]))
        for lane in chain[1:-1]:
            row += 1
            points += [(centre[lane], tops[row]), (centre[lane], tops[row] + heights[row])]
        points.append((ends[index], last.y))
        routes.append(Route(chain[0], chain[-1], tuple(points)))
    return routes


def _ports(
    chains: Sequence[Sequence[str]],
    nodes: Mapping[str, Placed],
    centre: Mapping[str, float],
    *,
    end: int,
) -> dict[int, float]:
    by_node: dict[str, list[int]] = {}
    for index, chain in enumerate(chains):
        by_node.setdefault(chain[end], []).append(index)
    ports: dict[int, float] = {}
    for node, indexes in by_node.items():
        box = nodes[node]
        towards = 1 if end == 0 else -2
        indexes.sort(key=lambda i: centre[chains[i][towards]])
        step = min(26.0, box.width * 0.8 / max(len(indexes), 1))
        start = box.x + box.width / 2 - step * (len(indexes) - 1) / 2
        ports.update({i: start + step * n for n, i in enumerate(indexes)})
    return ports
