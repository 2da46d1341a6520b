"""What a subscription must have before a stack is deployed to it."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.azure.ml.scope import Scope
from mlops_iac.clouds.azure.ml.stack import present
from mlops_iac.clouds.azure.session import Session
from mlops_iac.clouds.base import Condition

_API = "2021-04-01"  # azure-rest-api-specs, Microsoft.Resources, Providers_Get


def conditions(scope: Scope, session: Session) -> Iterator[Condition]:
    """Each resource provider of the stack's parts, registered or not. Raises ArmError, SignedOut, Silent."""
    subscription = scope.blueprint.account
    parts = present(scope) if subscription else []
    for namespace in sorted({each for part in parts for each in part.namespaces}):
        found = session.arm.call(
            "GET", f"/subscriptions/{subscription}/providers/{namespace}", _API
        )
        state = str(found.get("registrationState"))
        fix = f"az provider register --namespace {namespace} --subscription {subscription}"
        yield Condition(namespace, state == "Registered", state, fix)
