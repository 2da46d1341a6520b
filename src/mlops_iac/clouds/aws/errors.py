"""What botocore raises, and what the AWS provider says, by what it means."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mlops_iac.clouds.access import Failure

# Names of exceptions. Source: botocore/exceptions.py.
_SIGNED_OUT = {
    "NoCredentialsError",
    "PartialCredentialsError",
    "CredentialRetrievalError",
    "SSOError",
    "TokenRetrievalError",
}
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
CREDENTIALS = re.compile(
    r"no valid credential|unable to (locate|validate) aws credentials|InvalidClientTokenId|"
    r"ExpiredToken|UnrecognizedClient|SignatureDoesNotMatch|InvalidAccessKeyId|"
    r"failed to refresh cached",
    re.IGNORECASE,
)


def failure(raised: Exception) -> Failure | None:
    """What an exception says; None for one that is not botocore's."""
    if not type(raised).__module__.startswith(("botocore.", "boto3.", "s3transfer.")):
        return None
    if _SIGNED_OUT.intersection(kind.__name__ for kind in type(raised).__mro__):
        return "signed out"
    response = getattr(raised, "response", None)
    if response is None:
        return "silent"
    return _CODES.get(str(response.get("Error", {}).get("Code", "")), "rejected")
