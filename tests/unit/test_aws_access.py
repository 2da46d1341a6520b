"""The way to AWS: what its SDK raises, where a provider deploys, what has to be installed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore import exceptions

from mlops_iac.clouds.access import Place
from mlops_iac.clouds.aws.access import AwsAccess
from mlops_iac.clouds.aws.session import RealSession
from mlops_iac.clouds.software import install
from mlops_iac.emulators.aws.clients import Clients


def answered(code: str) -> exceptions.ClientError:
    return exceptions.ClientError({"Error": {"Code": code}}, "DescribeEndpoint")


@pytest.mark.parametrize(
    ("raised", "says"),
    [
        (answered("ResourceNotFound"), "gone"),
        (answered("NoSuchBucket"), "gone"),
        (answered("AccessDeniedException"), "refused"),
        (answered("ExpiredTokenException"), "rejected"),
        (exceptions.NoCredentialsError(), "signed out"),
        (exceptions.UnauthorizedSSOTokenError(), "signed out"),
        (exceptions.EndpointConnectionError(endpoint_url="https://x"), "silent"),
        (exceptions.ReadTimeoutError(endpoint_url="https://x"), "silent"),
        (KeyError("Error"), None),
    ],
)
def test_what_an_exception_says(raised: Exception, says: str | None) -> None:
    assert AwsAccess().failure(raised) == says


@pytest.mark.parametrize(
    ("provider", "place"),
    [
        ({}, Place()),
        ({"region": "eu-west-1"}, Place("eu-west-1")),
        ({"region": "eu-west-1", "allowedAccountIds": ["1"]}, Place("eu-west-1", "1")),
        ({"allowedAccountIds": json.dumps(["1"])}, Place("", "1")),
        ({"allowedAccountIds": ["1", "2"]}, Place()),  # any of them
    ],
)
def test_where_a_provider_deploys(provider: dict[str, Any], place: Place) -> None:
    assert AwsAccess().place(provider) == place


def test_what_both_places_say_differs_in_words() -> None:
    assert Place("a", "1").moved(Place("b", "2")) == [("region", "a", "b"), ("account", "1", "2")]
    assert Place("a").moved(Place("a", "2")) == []


@pytest.mark.parametrize(
    ("message", "signed_out"),
    [
        ("error: No valid credential sources found", True),
        ("operation error STS: InvalidClientTokenId: the token", True),
        ("the bucket exists already", False),
    ],
)
def test_what_the_provider_says(message: str, signed_out: bool) -> None:
    assert AwsAccess().says_signed_out(message) is signed_out


@pytest.mark.parametrize(
    ("module", "how"),
    [
        ("pulumi_aws.s3", "pip install 'mlops-iac[aws]', or 'mlops-iac[emulate]' with the"),
        ("pulumi", "pip install 'mlops-iac[aws]', or 'mlops-iac[emulate]' with the"),
        ("moto", "pip install 'mlops-iac[emulate]'"),
        ("mlops_iac.nowhere", ""),
    ],
)
def test_what_brings_a_module(module: str, how: str) -> None:
    assert install(module).startswith(how)
    assert bool(install(module)) is bool(how)


@pytest.mark.parametrize(
    ("service", "seconds", "tries"), [("sagemaker-runtime", 70, 1), ("s3", 10, 2)]
)
def test_a_model_has_the_minute_that_the_service_gives_it(
    service: str, seconds: int, tries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    there = RealSession(Place("eu-west-1"), {}, patient=False).client(service).meta.config
    assert (there.read_timeout, there.retries["total_max_attempts"]) == (seconds, tries)
    here = Clients("http://127.0.0.1:9", "eu-west-1", "1").get(service).meta.config
    assert here.read_timeout == max(30, seconds)
