"""boto3 clients for one stack, in the real cloud and in the emulated one.

Calls raise botocore's own errors.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from mlops_iac.clouds.access import Place
from mlops_iac.clouds.aws.forms import FORMS
from mlops_iac.emulators.aws.clients import SLOW
from mlops_iac.errors import MlopsError

if TYPE_CHECKING:
    from mlops_iac.emulators.common.info import EmulatorInfo

# Of somebody who only looks: botocore's own are a minute, five times.
_SECONDS = 10
_TRIES = 2
_NAME = "mlops-iac"


class RealSession:
    """The user's own, or that of whom a provider deploys as."""

    def __init__(self, place: Place, provider: Mapping[str, Any], *, patient: bool) -> None:
        self.place = place
        self._patient = patient
        self._client = cache(self._made)
        self._session = cache(partial(as_deployer, provider))  # by region

    def client(self, service: str, region: str = "", account: str = "") -> Any:
        """Return a client; of the place unless another region is said.

        Who deploys asks whatever the `account`, as a policy there allows. Raises MlopsError where
        boto3 is missing, and botocore's own errors.
        """
        return self._client(service, region or self.place.region)

    def _made(self, service: str, region: str) -> Any:
        session = self._session(region)
        if self._patient:
            return session.client(service)
        from botocore.config import Config

        # A model that was slow is not asked the same once more.
        patience = Config(
            connect_timeout=_SECONDS,
            read_timeout=SLOW.get(service, _SECONDS),
            retries={"total_max_attempts": 1 if service in SLOW else _TRIES},
        )
        return session.client(service, config=patience)


class EmulatedSession:
    """Clients of the emulator, which is started if need be."""

    def __init__(self, ensure: Callable[[], EmulatorInfo], place: Place) -> None:
        self.place = place
        self._ensure = ensure

    def client(self, service: str, region: str = "", account: str = "") -> Any:
        """Return a boto3 client. Raises what starting the emulator raises.

        `account` is that of whose it is: the emulator lets no account look into another.
        """
        from mlops_iac.emulators.aws import server

        info = self._ensure()
        there = region or self.place.region
        return server.client(service, info, there, account or self.place.account or FORMS.account)


AwsSession = RealSession | EmulatedSession


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
    keys = role and (role["AccessKeyId"], role["SecretAccessKey"], role["SessionToken"])
    return boto3.Session(*(keys or ()), region_name=region or None)
