"""How what is deployed to AWS is reached."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlops_iac.clouds.access import Failure, Place
from mlops_iac.clouds.aws.emulator import AwsEmulator
from mlops_iac.clouds.aws.errors import CREDENTIALS, failure
from mlops_iac.clouds.aws.session import RealSession
from mlops_iac.clouds.software import Software


class AwsAccess:
    """How what is deployed to AWS is reached."""

    software = Software(
        extra="aws",
        distributions=("pulumi-aws", "boto3"),
        emulator=("moto",),
        modules=frozenset(("boto3", "botocore", "pulumi_aws")),
        emulator_modules=frozenset(("cryptography", "flask_cors", "moto")),
        warm=("mlops_iac.emulators.aws.provider", "pulumi_aws"),
        compiled=("pulumi_aws.sagemaker._inputs", "moto.core.models"),
    )
    variables: Sequence[str] = ("AWS_",)
    workflows = Path(__file__).parent / "workflows"

    def place(self, provider: Mapping[str, Any]) -> Place:
        """Region, and the one account that the provider may deploy to, if it is one."""
        allowed = provider.get("allowedAccountIds")
        accounts = json.loads(allowed or "[]") if isinstance(allowed, str) else list(allowed or ())
        only = str(accounts[0]) if len(accounts) == 1 else ""
        return Place(str(provider.get("region") or ""), only)

    def session(
        self, place: Place, provider: Mapping[str, Any] | None = None, *, patient: bool = True
    ) -> RealSession:
        """boto3 clients of the real cloud."""
        return RealSession(place, provider or {}, patient=patient)

    def emulator(self, work: Path) -> AwsEmulator:
        """The emulated AWS of a work folder."""
        return AwsEmulator(work)

    def failure(self, raised: Exception) -> Failure | None:
        """What botocore's exception says."""
        return failure(raised)

    def says_signed_out(self, text: str) -> bool:
        """Whether the provider's message says that credentials are missing or refused."""
        return CREDENTIALS.search(text) is not None
