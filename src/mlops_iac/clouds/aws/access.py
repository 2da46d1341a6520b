"""How what is deployed to AWS is reached."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_iac.clouds.access import Failure, Place, Software
from mlops_iac.clouds.aws.emulator import ACCOUNT, AwsEmulator
from mlops_iac.clouds.aws.session import RealSession

# Names of exceptions. Source: botocore/exceptions.py.
_SIGNED_OUT = frozenset(
    ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "SSOError")
    + ("TokenRetrievalError",)
)
# What a service answers; every other answer is `rejected`. Source: AWS general reference, "Common
# errors"; SageMaker and S3 for what is not there.
_CODES: Mapping[str, Failure] = {
    "AccessDenied": "refused",
    "AccessDeniedException": "refused",
    "UnauthorizedOperation": "refused",
    "AuthorizationError": "refused",
    "ResourceNotFound": "gone",
    "ResourceNotFoundException": "gone",
    "ValidationException": "gone",
    "NoSuchKey": "gone",
    "NoSuchBucket": "gone",
}
# What the AWS provider and the SDK behind it say of missing or refused credentials. Source:
# pulumi-aws `provider/resources.go` (preConfigureCallback), AWS general reference "Common errors".
_CREDENTIALS = re.compile(
    r"no valid credential|unable to (locate|validate) aws credentials|InvalidClientTokenId|"
    r"ExpiredToken|UnrecognizedClient|SignatureDoesNotMatch|InvalidAccessKeyId|"
    r"failed to refresh cached",
    re.IGNORECASE,
)


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
    variables = ("AWS_",)
    emulated_account = ACCOUNT
    workflows = Path(__file__).parent / "workflows"

    def place(self, provider: Mapping[str, Any]) -> Place:
        """Region, and the one account that the provider may deploy to, if it is one."""
        allowed = provider.get("allowedAccountIds")
        accounts = json.loads(allowed or "[]") if isinstance(allowed, str) else allowed or ()
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
        if not type(raised).__module__.startswith(("botocore.", "boto3.")):
            return None
        if _SIGNED_OUT.intersection(kind.__name__ for kind in type(raised).__mro__):
            return "signed out"
        response = getattr(raised, "response", None)
        if response is None:
            return "silent"
        return _CODES.get(str(response.get("Error", {}).get("Code", "")), "rejected")

    def says_signed_out(self, text: str) -> bool:
        """Whether the provider's message says that credentials are missing or refused."""
        return _CREDENTIALS.search(text) is not None
