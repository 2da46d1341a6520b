"""The emulated AWS of one work folder, and what reaches it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from mlops_iac.clouds.access import Place
from mlops_iac.clouds.aws.session import EmulatedSession
from mlops_iac.emulators.aws.server import AwsServer

if TYPE_CHECKING:
    from mlops_iac.emulators.provider import Provider


class AwsEmulator(AwsServer):
    """One moto process, and what reaches it."""

    def session(self, place: Place) -> EmulatedSession:
        """boto3 clients of one region and account."""
        return EmulatedSession(self.ensure, place)

    def providers(
        self, place: Place, endpoint: Callable[[], str], *, serves: str, forced: bool
    ) -> Mapping[str, Provider]:
        """The one provider that there is."""
        from mlops_iac.emulators.aws.provider import AwsProvider

        provider = AwsProvider(
            endpoint, region=place.region, account=place.account, serves=serves, forced=forced
        )
        return {"aws": provider}

    def exports(self, place: Place) -> str:
        """What the AWS CLI and boto3 take from the environment."""
        return (
            "For the AWS CLI and boto3:\n"
            f"  export AWS_ENDPOINT_URL={self.ensure().url} AWS_ACCESS_KEY_ID=local "
            f"AWS_SECRET_ACCESS_KEY=local AWS_DEFAULT_REGION={place.region}"
        )

    def url(self, place: Place, endpoint: str) -> str:
        """The path of InvokeEndpoint; a request that nobody signed is one of the only endpoint so called."""
        return f"{self.ensure().url}/endpoints/{endpoint}/invocations"
