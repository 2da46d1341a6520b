"""Which part of the blueprint a resource comes from."""

from __future__ import annotations

from collections.abc import Mapping

from mlops_iac.graph.model import ResourceGraph, outermost


def blueprint_paths(graph: ResourceGraph, paths: Mapping[str, str]) -> dict[str, str]:
    """URN → blueprint path, for every resource below a component of the program.

    `paths` maps component names to blueprint paths (`Program.paths`). The outermost component
    counts. A resource that stands in none is left out.
    """
    by_urn = graph.by_urn()
    found: dict[str, str] = {}
    for resource in graph:
        here = outermost(resource, by_urn)
        if not here.custom and here.name in paths:
            found[resource.urn] = paths[here.name]
    return found
