"""What Azure's clients ask before they ask ARM: where this cloud has what, and for a token.

Tokens are asked for as in Azure's App Service, which names its endpoint by two variables:
https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from mlops_iac.emulators.azure.arm import Answer
from mlops_iac.emulators.azure.computed import TENANT, guid

CLOUD = "Local"
METADATA, TOKENS = "/metadata/endpoints", "/identity/token"
_SECONDS = 86_400


def answer(base: str, path: str, query: Mapping[str, str]) -> Answer | None:
    """Who asks is told; None for another path. `base` is the address with TLS."""
    if path == METADATA:
        return Answer(200, [_cloud(base)])
    if path == TOKENS:
        return Answer(200, _token(query.get("resource", base)))
    return None


def _cloud(base: str) -> dict[str, Any]:
    """What this cloud has where, in the form of api-version 2019-05-01 of ARM's metadata."""
    return {
        "name": CLOUD,
        "portal": f"{base}/portal",
        "resourceManager": f"{base}/",
        "authentication": {
            "loginEndpoint": f"{base}/login",
            "audiences": [base],
            "tenant": TENANT,
        },
        "suffixes": {"storage": "core.windows.net"},
    }


def _token(resource: str) -> dict[str, str]:
    """A token that says nothing: nobody looks at it here, and nobody takes it elsewhere."""
    return {
        "access_token": "local",
        "expires_on": str(int(time.time()) + _SECONDS),
        "resource": resource,
        "token_type": "Bearer",
        "client_id": guid("deployer/client"),
    }
