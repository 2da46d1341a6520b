"""A picture of a stack as SVG: readable on light and dark ground, the same from run to run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from html import escape

from mlops_iac.graph.layers import Drawing, Placed, Route, Size, draw
from mlops_iac.graph.model import ResourceGraph
from mlops_iac.graph.picture import Box, Group, Picture, picture
from mlops_iac.graph.plan import SIGNS

_WIDTH = 252.0
_HEAD = 46.0
_ROW = 19.0
_PAD = 24.0
_TITLE = 58.0
_LEGEND = 26.0
_MAX_ROWS = 9
_CORNER = 10.0

# The families of services, in the legend's order; a cloud says which services are of each.
_COLOURS = {
    "storage": "#3f8624",
    "security": "#d6293e",
    "learning": "#01a88d",
    "watching": "#e7157b",
    "scaling": "#8c4fff",
    "compute": "#ed7100",
}
_NO_FAMILY = "#6e7781"

_STYLE = """
  .ground { fill: #ffffff; }
  text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
  .title { font-size: 19px; font-weight: 650; fill: #1f2328; }
  .note { font-size: 12px; fill: #59636e; }
  .box { fill: #f6f8fa; stroke: #d1d9e0; stroke-width: 1; }
  .name { font-size: 14px; font-weight: 650; fill: #1f2328; }
  .kind { font-size: 11px; fill: #59636e; }
  .type { font-size: 11.5px; fill: #1f2328; }
  .which { font-size: 10.5px; fill: #59636e; }
  .rule { stroke: #d1d9e0; stroke-width: 1; }
  .arrow { fill: none; stroke: #8c959f; stroke-width: 1.4; }
  .tip { fill: #8c959f; }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117; }
    .title, .name, .type { fill: #f0f6fc; }
    .note, .kind, .which { fill: #9198a1; }
    .box { fill: #161b22; stroke: #3d444d; }
    .rule { stroke: #3d444d; }
    .arrow { stroke: #6e7681; }
    .tip { fill: #6e7681; }
  }
"""

_MARK_STYLE = """
  .sign { font-size: 13px; font-weight: 700; text-anchor: middle; }
  .create { fill: #1a7f37; } .update { fill: #9a6700; }
  .replace { fill: #8250df; } .delete { fill: #cf222e; }
  .edge { fill: none !important; stroke-width: 2; }
  .edge.create { stroke: #1a7f37; } .edge.update { stroke: #9a6700; }
  .edge.replace { stroke: #8250df; } .edge.delete { stroke: #cf222e; }
  .band { opacity: 0.13; }
  @media (prefers-color-scheme: dark) {
    .create { fill: #3fb950; } .update { fill: #d29922; }
    .replace { fill: #ab7df8; } .delete { fill: #f85149; }
    .edge.create { stroke: #3fb950; } .edge.update { stroke: #d29922; }
    .edge.replace { stroke: #ab7df8; } .edge.delete { stroke: #f85149; }
    .band { opacity: 0.2; }
  }
"""
# Operations that are marked, the weightiest first, with the signs that previews use.
_SIGNS = {op: SIGNS[op] for op in ("delete", "replace", "create", "update")}


def to_svg(graph: ResourceGraph, marks: Mapping[str, str] | None = None) -> str:
    """The picture's text. A box is a component; an arrow leads from what is used to its user.

    `marks` maps URNs of resources that change to `create`, `update`, `replace` or `delete`: their
    rows get its sign and colour, their components a border of the weightiest.
    """
    marks = marks or {}
    drawn = picture(graph)
    sizes = {box.key: Size(_WIDTH, _height(box)) for box in drawn.boxes}
    if not sizes:
        sizes = {"": Size(_WIDTH, 0)}
    drawing = draw(sizes, [(arrow.used, arrow.user) for arrow in drawn.arrows])
    width = max(drawing.width, 420) + 2 * _PAD
    height = drawing.height + _TITLE + 2 * _PAD + _LEGEND
    title = f"{drawn.project} · {drawn.stack}"
    lines = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(width)} {_n(height)}"'
            f' width="{_n(width)}" height="{_n(height)}" role="img"'
            f' aria-label="{escape(f"Components and resources of {title}")}">'
        ),
        f"<style>{_STYLE}{_MARK_STYLE if marks else ''}</style>",
        (
            '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"'
            ' orient="auto"><path class="tip" d="M0,0.6 L7.4,4 L0,7.4 Z"/></marker>'
        ),
        f'<rect class="ground" width="{_n(width)}" height="{_n(height)}" rx="12"/>',
        f'<text class="title" x="{_n(_PAD)}" y="{_n(_PAD + 16)}">{escape(title)}</text>',
        f'<text class="note" x="{_n(_PAD)}" y="{_n(_PAD + 36)}">{_caption(drawn)}</text>',
        (
            f'<g transform="translate({_n(_PAD + (width - 2 * _PAD - drawing.width) / 2)}'
            f' {_n(_PAD + _TITLE)})">'
        ),
        *_arrows(drawing),
        *(line for box in drawn.boxes for line in _box(box, drawing.nodes[box.key], marks)),
        "</g>",
        *_legend(drawn, height - 16, marks),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _caption(drawn: Picture) -> str:
    told = f"{drawn.size} resources in {len(drawn.boxes)} components · A → B: B uses A"
    if any(group.recorded for box in drawn.boxes for group in box.groups):
        told += " · ○ recorded, not emulated"
    return escape(told)


def _height(box: Box) -> float:
    rows = min(len(box.groups), _MAX_ROWS + 1)
    return _HEAD + (rows * _ROW + 14 if rows else 0)


def _arrows(drawing: Drawing) -> list[str]:
    return [
        f'<path class="arrow" marker-end="url(#tip)" d="{_path(route)}"/>'
        for route in drawing.routes
    ]


def _path(route: Route) -> str:
    """Straight down beside boxes, bent only in the space between rows."""
    (x, y), *rest = route.points
    text = [f"M{_n(x)},{_n(y)}"]
    for to_x, to_y in rest:
        if abs(to_x - x) < 0.5:
            text.append(f"L{_n(to_x)},{_n(to_y)}")
        else:
            middle = (y + to_y) / 2
            text.append(f"C{_n(x)},{_n(middle)} {_n(to_x)},{_n(middle)} {_n(to_x)},{_n(to_y)}")
        x, y = to_x, to_y
    return " ".join(text)


def _box(box: Box, at: Placed, marks: Mapping[str, str]) -> list[str]:
    x, y = at.x, at.y
    groups = sorted(box.groups, key=lambda group: _weightiest(group, marks) == "")
    found = [op for group in groups if (op := _weightiest(group, marks))]
    border = min(found, key=list(_SIGNS).index) if found else ""
    colour = _COLOURS.get(_main_family(box), _NO_FAMILY)
    lines = [
        f"<g><title>{escape(f'{box.title} ({box.kind}), {box.size} resources')}</title>",
        (
            f'<rect class="box" x="{_n(x)}" y="{_n(y)}" width="{_n(at.width)}" height="{_n(at.height)}"'
            f' rx="{_n(_CORNER)}"/>'
        ),
        f'<rect x="{_n(x + 12)}" y="{_n(y + 12)}" width="4" height="24" rx="2" fill="{colour}"/>',
        (
            f'<text class="name" x="{_n(x + 24)}" y="{_n(y + 22)}">'
            f"{escape(_fitted(box.title, at.width - 36, 14))}</text>"
        ),
        (
            f'<text class="kind" x="{_n(x + 24)}" y="{_n(y + 37)}">'
            f"{escape(_fitted(box.kind, at.width - 36, 11))}</text>"
        ),
    ]
    if box.groups:
        rule = y + _HEAD
        lines.append(
            f'<line class="rule" x1="{_n(x)}" y1="{_n(rule)}" x2="{_n(x + at.width)}" y2="{_n(rule)}"/>'
        )
    if border:
        lines.append(
            f'<rect class="edge {border}" x="{_n(x)}" y="{_n(y)}" width="{_n(at.width)}"'
            f' height="{_n(at.height)}" rx="{_n(_CORNER)}"/>'
        )
    shown = groups if len(groups) <= _MAX_ROWS + 1 else groups[:_MAX_ROWS]
    for index, group in enumerate(shown):
        lines += _row(group, x, y + _HEAD + 20 + index * _ROW, at.width, marks)
    hidden = groups[len(shown) :]
    if hidden:
        names = ", ".join(group.label for group in hidden)
        bottom = y + _HEAD + 20 + len(shown) * _ROW
        count = sum(len(group.names) for group in hidden)
        lines.append(
            f'<text class="which" x="{_n(x + 24)}" y="{_n(bottom)}">'
            f"<title>{escape(names)}</title>and {count} more</text>"
        )
    return [*lines, "</g>"]


def _weightiest(group: Group, marks: Mapping[str, str]) -> str:
    found = {marks.get(urn, "") for urn in group.urns}
    return next((op for op in _SIGNS if op in found), "")


def _row(group: Group, x: float, y: float, width: float, marks: Mapping[str, str]) -> list[str]:
    op = _weightiest(group, marks)
    colour = _COLOURS.get(group.family, _NO_FAMILY)
    fill = (
        f'fill="none" stroke="{colour}" stroke-width="1.3"'
        if group.recorded
        else f'fill="{colour}"'
    )
    label = _label(group, width - 40)
    room = width - 24 - 12 - _measure(label, 11.5) - 8
    # What changes is named, where not all of a group does.
    names = [
        f"{_SIGNS[marks[urn]]} {name}" if marks.get(urn) in _SIGNS else name
        for name, urn in zip(group.names, group.urns or group.names, strict=True)
    ]
    names.sort(key=lambda name: name[:2].strip() not in _SIGNS.values() if op else False)
    which = ", ".join(names if len(names) > 1 else group.names)
    fitted = _fitted(which, room, 10.5) if room > 40 and which != group.label else ""
    lines = [
        f"<g><title>{escape(f'{group.service}.{group.type}: {which}')}</title>",
        *(
            [
                (
                    f'<rect class="band {op}" x="{_n(x + 5)}" y="{_n(y - 14)}"'
                    f' width="{_n(width - 10)}" height="{_n(_ROW)}" rx="4"/>'
                ),
                f'<text class="sign {op}" x="{_n(x + 15)}" y="{_n(y)}">{_SIGNS[op]}</text>',
            ]
            if op
            else [f'<circle cx="{_n(x + 15)}" cy="{_n(y - 4)}" r="3.4" {fill}/>']
        ),
        f'<text class="type" x="{_n(x + 24)}" y="{_n(y)}">{escape(label)}</text>',
    ]
    if fitted:
        lines.append(
            f'<text class="which" x="{_n(x + width - 12)}" y="{_n(y)}" text-anchor="end">'
            f"{escape(fitted)}</text>"
        )
    return [*lines, "</g>"]


def _label(group: Group, room: float) -> str:
    """The group's label; of a long type its end goes, never the count."""
    count = group.label.removeprefix(group.type)
    return _fitted(group.type, room - _measure(count, 11.5), 11.5) + count


def _legend(drawn: Picture, y: float, marks: Mapping[str, str]) -> list[str]:
    """The families that the picture has, in the table's order; what is marked before them."""
    found = {group.family for box in drawn.boxes for group in box.groups}
    lines = []
    x = _PAD
    for op, sign in _SIGNS.items():
        if op in marks.values():
            lines += [
                f'<text class="sign {op}" x="{_n(x + 4)}" y="{_n(y)}">{sign}</text>',
                f'<text class="note" x="{_n(x + 13)}" y="{_n(y)}">{op}</text>',
            ]
            x += 13 + _measure(op, 12) + 18
    for family, colour in _COLOURS.items():
        if family in found:
            lines += [
                f'<circle cx="{_n(x + 4)}" cy="{_n(y - 4)}" r="3.4" fill="{colour}"/>',
                f'<text class="note" x="{_n(x + 13)}" y="{_n(y)}">{family}</text>',
            ]
            x += 13 + _measure(family, 12) + 18
    return lines


def _main_family(box: Box) -> str:
    counts: Counter[str] = Counter()
    for group in box.groups:
        counts[group.family or group.service] += len(group.names)
    return max(counts, key=lambda each: (each == "learning", counts[each], each), default="")


def _fitted(text: str, room: float, size: float) -> str:
    """Text cut to fit, with an ellipsis."""
    if _measure(text, size) <= room:
        return text
    # No character is narrower than that: thousands of names must not be measured one by one.
    text = text[: max(int(room / (size * 0.42)), 0) + 1]
    while text and _measure(text + "…", size) > room:
        text = text[:-1]
    return text.rstrip(", -") + "…" if text else ""


def _measure(text: str, size: float) -> float:
    """Width in pixels, guessed high: the viewer's font is not known."""
    narrow = sum(character in "iljtfrI.,:;'|!()[]1- " for character in text)
    wide = sum(character in "mwMWGOQ@%—×…" or character.isupper() for character in text)
    other = len(text) - narrow - wide
    return size * (narrow * 0.42 + other * 0.61 + wide * 0.84)


def _n(value: float) -> str:
    """A number with at most one decimal, never `-0`."""
    text = f"{value:.1f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
