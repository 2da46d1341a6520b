"""Pictures of a captured stack."""

from __future__ import annotations

from mlops_iac.blueprint.words import listed
from mlops_iac.errors import UsageError
from mlops_iac.graph.dot import to_dot
from mlops_iac.graph.html import to_html
from mlops_iac.graph.mermaid import to_mermaid
from mlops_iac.graph.model import ResourceGraph
from mlops_iac.graph.svg import to_svg

_STYLES = {"mermaid": to_mermaid, "svg": to_svg, "html": to_html, "dot": to_dot}


def draw(graph: ResourceGraph, style: str) -> str:
    """Return the graph as `mermaid`, `svg`, `html` or `dot`. Raises UsageError for another style."""
    if style not in _STYLES:
        known = listed(map(repr, _STYLES), "or")
        raise UsageError(f"there is no style {style!r}", hint=f"write {known}")
    return _STYLES[style](graph)


def addresses(graph: ResourceGraph) -> list[dict[str, str]]:
    """Return address, type, component and URN of every resource that a provider makes."""
    return [
        {
            "address": item.address,
            "type": item.type,
            "component": item.parent.split("::")[-1],
            "urn": item.urn,
        }
        for item in graph
        if item.in_cloud
    ]
