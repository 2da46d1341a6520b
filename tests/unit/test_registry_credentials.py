"""The SDK's words about credentials and the network, when a real registry is asked."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore import exceptions

from mlops_iac.api.deploy.served_versions import credentials
from mlops_iac.clouds.aws.access import AwsAccess
from mlops_iac.errors import AuthenticationError, MlopsError

PROJECT: Any = SimpleNamespace(access=AwsAccess())
DENIED = {"Error": {"Code": "ExpiredTokenException", "Message": "expired"}}


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (exceptions.NoCredentialsError(), AuthenticationError),
        (exceptions.ClientError(DENIED, "ListModelPackages"), AuthenticationError),
        (exceptions.UnauthorizedSSOTokenError(), AuthenticationError),
        (exceptions.EndpointConnectionError(endpoint_url="https://x"), MlopsError),
    ],
)
def test_what_the_sdk_raises(raised: Exception, kind: type[MlopsError]) -> None:
    told = pytest.raises(MlopsError, match="newest approved version of churn")
    with told as caught, credentials(PROJECT, "prod", "churn"):
        raise raised
    assert type(caught.value) is kind
    assert "pin models.churn.version" in caught.value.hint


def test_a_bug_stays_a_bug() -> None:
    with pytest.raises(ZeroDivisionError), credentials(PROJECT, "prod", "churn"):
        raise ZeroDivisionError
