"""What belongs to an endpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops_iac.clouds.aws.types import ENDPOINT_CONFIGURATION
from mlops_iac.graph.model import Resource
from mlops_iac.policy.context import Context, items


def configurations(context: Context, endpoint: Resource) -> list[Resource]:
    """The endpoint's configuration."""
    every = context.of_type(ENDPOINT_CONFIGURATION)
    linked = set(endpoint.property_dependencies.get("endpointConfigName", ()))
    if found := [each for each in every if each.urn in linked]:
        return found
    return [each for each in every if context.means(endpoint, "endpointConfigName", each)]


def variants(configuration: Resource) -> Iterator[Mapping[str, object]]:
    """The variants of a configuration that answer callers."""
    for each in items(configuration.inputs.get("productionVariants")):
        if isinstance(each, Mapping):
            yield each
