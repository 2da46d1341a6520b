"""What Azure's answers and its provider's messages mean."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mlops_iac.clouds.access import Failure
from mlops_iac.emulators.azure.arm import ArmError


class SignedOut(Exception):
    """Nobody is signed in; says why."""


class Silent(Exception):
    """Nobody answered; says who."""


_STATUS: Mapping[int, Failure] = {401: "signed out", 403: "refused"}
# What azure-native and the libraries behind it say of missing or refused credentials. Source:
# pulumi-azure-native `provider/pkg/provider/auth_azidentity.go`; Microsoft Entra error codes.
CREDENTIALS = re.compile(
    r"AADSTS\d+|az login|DefaultAzureCredential|failed to acquire a token"
    r"|(Invalid|Expired)AuthenticationToken|could not (build|get) authoriz|AuthenticationFailed",
    re.IGNORECASE,
)


def failure(raised: Exception) -> Failure | None:
    """What an exception says; None for one of somebody else."""
    match raised:
        case ArmError():
            if raised.gone:
                return "gone"
            # From 500 on it could not answer, and has been asked again already.
            return "silent" if raised.status >= 500 else _STATUS.get(raised.status, "rejected")
        case SignedOut():
            return "signed out"
        case Silent():
            return "silent"
        case _:
            return None
