"""The emulated AWS of one work folder, and what reaches it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_iac.clouds.access import Place
from mlops_iac.clouds.aws.session import EmulatedSession

if TYPE_CHECKING:
    from mlops_iac.emulators.info import EmulatorInfo
    from mlops_iac.emulators.provider import Provider


class AwsEmulator:
    """One moto process. Nothing is imported or started before something needs it."""

    def __init__(self, work: Path) -> None:
        self._work = work

    def ensure(self) -> EmulatorInfo:
        """Start it unless it runs."""
        from mlops_iac.emulators.aws import server

        return server.ensure(self._work)

    def status(self) -> EmulatorInfo | None:
        """Return it as it is, or None where none was started."""
        from mlops_iac.emulators.aws import server

        return server.status(self._work)

    def stop(self) -> bool:
        """End it, with all it holds; False where none was running."""
        from mlops_iac.emulators.aws import server

        return server.stop(self._work)

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
