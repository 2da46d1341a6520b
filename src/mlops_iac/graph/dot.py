"""A picture of a stack in Graphviz' language, a cluster per component."""

from __future__ import annotations

import json

from mlops_iac.graph.canonical import in_order
from mlops_iac.graph.model import ResourceGraph, outermost
from mlops_iac.graph.picture import picture


def to_dot(graph: ResourceGraph) -> str:
    """Every resource and every dependency; an arrow leads from what is used to what uses it."""
    drawn = picture(graph)
    resources = [resource for resource in in_order(graph.resources) if resource.in_cloud]
    names = {resource.urn: f"r{index}" for index, resource in enumerate(resources)}
    lines = [
        f"digraph {_quote(f'{graph.project} {graph.stack}')} {{",
        '  graph [rankdir=TB fontname="sans-serif" compound=true];',
        '  node [shape=box style=rounded fontname="sans-serif" fontsize=10];',
        "  edge [color=gray50];",
    ]
    by_urn = graph.by_urn()
    for index, box in enumerate(drawn.boxes):
        lines += [
            f"  subgraph cluster_{index} {{",
            f"    label={_quote(f'{box.title} ({box.kind})')};",
        ]
        lines += [
            f"    {names[resource.urn]} [label={_quote(resource.address)}];"
            for resource in resources
            if outermost(resource, by_urn).urn == box.key
        ]
        lines.append("  }")
    for resource in resources:
        for needed in sorted(set(resource.dependencies)):
            if needed in names:
                lines.append(f"  {names[needed]} -> {names[resource.urn]};")
    return "\n".join([*lines, "}"]) + "\n"


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
