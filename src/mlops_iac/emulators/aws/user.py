"""Who does something in the emulated AWS: the user of this machine, and nobody that moto invents."""

from __future__ import annotations

import getpass
from typing import Any


def user(arn: str) -> dict[str, Any] | None:
    """SageMaker's `UserContext` of whoever made what has this ARN; None where that has no name."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        return None
    _, partition, _, _, account, *_ = arn.split(":")
    return {"IamIdentity": {"Arn": f"arn:{partition}:iam::{account}:user/{name}"}}
