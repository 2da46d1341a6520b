"""boto3 clients for one stack in the real cloud.

Calls raise botocore's own errors.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from mlops_iac.clouds.access import Place
from mlops_iac.errors import MlopsError

# Of somebody who only looks: botocore's own are a minute, five times.
_SECONDS = 10
_TRIES = 2
_NAME = "mlops-iac"


class AwsSession(Protocol):
    """What every session to AWS is."""

    def client(self, service: str, region: str = "", account: str = "") -> Any:
        """Return a client; those of the place unless another region is said.

        `account` is for the emulator, which lets no account look into another: in the real cloud
        who deploys asks, as a policy there allows. Raises MlopsError where boto3 is missing.
        """


class RealSession:
    """The user's own, or that of whom a provider deploys as."""

    def __init__(self, place: Place, provider: Mapping[str, Any], *, patient: bool) -> None:
        self.place = place
        self._provider = provider
        self._patient = patient
        self._clients: dict[tuple[str, str], Any] = {}
        self._sessions: dict[str, Any] = {}

    def client(self, service: str, region: str = "", account: str = "") -> Any:
        """Return a client. Raises MlopsError where boto3 is missing, and botocore's own errors."""
        key = service, region or self.place.region
        if key not in self._clients:
            self._clients[key] = self._client(*key)
        return self._clients[key]

    def _client(self, service: str, region: str) -> Any:
        if region not in self._sessions:
            self._sessions[region] = as_deployer(self._provider, region)
        if self._patient:
            return self._sessions[region].client(service)
        from botocore.config import Config

        patience = Config(
            connect_timeout=_SECONDS, read_timeout=_SECONDS, retries={"total_max_attempts": _TRIES}
        )
        return self._sessions[region].client(service, config=patience)


def as_deployer(provider: Mapping[str, Any], region: str) -> Any:
    """The boto3 session of whom a provider with these inputs deploys as.

    Raises MlopsError where boto3 is missing, and botocore's own errors.
    """
    session = real_session(region)
    said = provider.get("assumeRoles") or "[]"
    roles = json.loads(said) if isinstance(said, str) else said
    for role in roles:  # taken on one after the other
        answer = session.client("sts").assume_role(
            RoleArn=str(role["roleArn"]), RoleSessionName=_NAME
        )
        session = real_session(region, answer["Credentials"])
    return session


def real_session(region: str, role: Mapping[str, str] | None = None) -> Any:
    """Return a boto3 session, the user's own or that of the credentials STS gave for a `role`.

    Without a region it is the user's own. Raises MlopsError where boto3 is missing.
    """
    try:
        import boto3
    except ImportError as error:
        raise MlopsError("boto3 is not installed", hint="pip install 'mlops-iac[aws]'") from error
    if role is None:
        return boto3.Session(region_name=region or None)
    keys = role["AccessKeyId"], role["SecretAccessKey"], role["SessionToken"]
    return boto3.Session(*keys, region_name=region or None)
