"""Where a stack was deployed, as its state says, against where the blueprint says now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlops_iac.api.deploy.states import only_account

if TYPE_CHECKING:
    from mlops_iac.engine.protocol import StackTarget

_PROVIDER = "pulumi:providers:aws"


def provider_inputs(resources: Sequence[Any]) -> Mapping[str, Any]:
    """The inputs of the provider that a stack was deployed by; empty before that."""
    return next((each.inputs for each in resources if each.type == _PROVIDER), {})


def moved_place(resources: Sequence[Any], target: StackTarget) -> list[tuple[str, str, str]]:
    """Say where a stack with these resources was deployed and where it would be now.

    `(what, was, would be)` for region and account, where both are known and a resource stands.
    """
    if not any(each.custom and not each.type.startswith("pulumi:") for each in resources):
        return []
    made = provider_inputs(resources)
    config = target.config
    found = [
        ("region", str(made.get("region") or ""), str(config.get("aws:region") or "")),
        (
            "account",
            only_account(made.get("allowedAccountIds")),
            only_account(config.get("aws:allowedAccountIds")),
        ),
    ]
    return [each for each in found if each[1] and each[2] and each[1] != each[2]]
