"""A picture of a stack as a Mermaid flowchart, which GitHub and GitLab draw by themselves."""

from __future__ import annotations

from mlops_iac.graph.model import ResourceGraph
from mlops_iac.graph.picture import Box, Identifiers, picture

_LINES = 8


def to_mermaid(graph: ResourceGraph) -> str:
    """The flowchart's text; an arrow leads from what is used to what uses it."""
    drawn = picture(graph)
    names = Identifiers()
    lines = ["flowchart TB"]
    lines += [f'  {names.of(box.key)}["{_label(box)}"]' for box in drawn.boxes]
    lines += [f"  {names.of(arrow.used)} --> {names.of(arrow.user)}" for arrow in drawn.arrows]
    return "\n".join(lines) + "\n"


def _label(box: Box) -> str:
    rows = [f"<b>{_escape(box.title)}</b>", f"<i>{_escape(box.kind)}</i>"]
    rows += [_escape(group.label) for group in box.groups[:_LINES]]
    if len(box.groups) > _LINES:
        rows.append(f"+ {sum(len(group.names) for group in box.groups[_LINES:])} more")
    return "<br/>".join(rows)


def _escape(text: str) -> str:
    for character, entity in (("&", "&amp;"), ('"', "&quot;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(character, entity)
    return text
