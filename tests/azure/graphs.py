"""Components on Azure without a cloud: ids and outputs in the shapes of the tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mlops_iac.emulators.azure.computed import guid
from mlops_iac.emulators.azure.provider import AzureProvider
from mlops_iac.graph.model import Resource
from tests.components import capture as components

SUBSCRIPTION = "4f1c9a52-7d3e-4b0c-9e61-0a8d2c5b7f36"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/project-stack"
PLACE = {"group": "project-stack", "location": "westeurope"}
_PROVIDER = AzureProvider(subscription=SUBSCRIPTION)
_GUIDS = ("principalId", "clientId", "tenantId")


def capture(program: Callable[[], Any], **config: str) -> list[Resource]:
    """What a program registers; what a service makes is told by the logical name."""
    given = {"azure-native:subscriptionId": SUBSCRIPTION, **config}
    return components.capture(program, config=given, shape=_shape)


def _shape(type_: str, name: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    def make(property_: str, shape: str) -> str:
        if property_ in _GUIDS:
            return guid(f"{name}/{property_}")
        if property_ == "createdDate":
            return "2026-12-07T15:00:00Z"
        return shape.replace("{}", name.replace("-", ""))

    id_, outputs = _PROVIDER.stand_ins(type_, name, inputs, make)
    return id_, dict(outputs)
