"""Pictures of a captured stack."""

from __future__ import annotations

from mlops_iac.errors import UsageError
from mlops_iac.graph.model import ResourceGraph


def draw(graph: ResourceGraph, style: str) -> str:
    """Return the graph as `mermaid`, `svg`, `html` or `dot`. Raises UsageError for another style."""
    match style:
        case "svg":
            from mlops_iac.graph.svg import to_svg

            return to_svg(graph)
        case "html":
            from mlops_iac.graph.html import to_html

            return to_html(graph)
        case "dot":
            from mlops_iac.graph.dot import to_dot

            return to_dot(graph)
        case "mermaid":
            from mlops_iac.graph.mermaid import to_mermaid

            return to_mermaid(graph)
        case _:
            raise UsageError(
                f"there is no style {style!r}", hint="write 'mermaid', 'svg', 'html' or 'dot'"
            )


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
