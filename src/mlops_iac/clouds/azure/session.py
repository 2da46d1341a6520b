"""ARM for one stack, in the real cloud and in the emulated one: no SDK, as two verbs of HTTP are enough."""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from mlops_iac.clouds.access import Place
from mlops_iac.clouds.azure.blobs import Blobs
from mlops_iac.clouds.azure.errors import SignedOut, Silent
from mlops_iac.emulators.azure.arm import BLOBS, Answer, Arm, Loopback

if TYPE_CHECKING:
    from mlops_iac.emulators.common.info import EmulatorInfo

HOST = "management.azure.com"
STORAGE = "https://storage.azure.com/"
"""What tokens for blobs are of."""
# Of somebody who only looks, and of who waits.
_SECONDS, _PATIENT_SECONDS = 10, 60
_CLI_SECONDS = 30


class RealSession:
    """The user's own: whoever is signed in to Azure's CLI."""

    def __init__(self, place: Place, *, patient: bool) -> None:
        self.place = place
        self._seconds = _PATIENT_SECONDS if patient else _SECONDS

    @cached_property
    def arm(self) -> Arm:
        """ARM. Calls raise ArmError, SignedOut, Silent."""
        return Arm(Https(HOST, lambda: token(f"https://{HOST}/"), self._seconds))

    def blobs(self, account: str) -> Blobs:
        """The blobs of a storage account. Calls raise ArmError, SignedOut, Silent."""
        # One token for all of them: asking for it takes a second.
        known = cache(lambda: token(STORAGE))
        return Blobs(f"https://{account}.blob.core.windows.net", known, _PATIENT_SECONDS)


class EmulatedSession:
    """The emulator's, which is started if need be."""

    def __init__(self, ensure: Callable[[], EmulatorInfo], place: Place) -> None:
        self.place = place
        self._ensure = ensure

    @cached_property
    def arm(self) -> Arm:
        """ARM. Calls raise ArmError, and what starting the emulator raises."""
        return Arm(Loopback(lambda: self._ensure().url))

    def blobs(self, account: str) -> Blobs:
        """The blobs of a storage account. Calls raise ArmError, Silent."""
        url = f"{self._ensure().url}{BLOBS}{account}"
        return Blobs(url, lambda: "local", _PATIENT_SECONDS)


Session = RealSession | EmulatedSession


class Https:
    """A host of Azure's, asked with a token of `token()`. `seconds` is how long one answer may take."""

    def __init__(self, host: str, token: Callable[[], str], seconds: float) -> None:
        self._host, self._token, self._seconds = host, token, seconds

    def request(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Answer:
        """Raises Silent where nobody answers, SignedOut where there is no token."""
        headers = {
            "Authorization": f"Bearer {self._token()}",
            "Content-Type": "application/json",
        }
        content = None if body is None else json.dumps(body).encode()
        connection = http.client.HTTPSConnection(self._host, timeout=self._seconds)
        try:
            connection.request(method, f"{quote(path)}?{urlencode(query)}", content, headers)
            answer = connection.getresponse()
            said = answer.read()
            return Answer(answer.status, json.loads(said) if said else None)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Silent(f"{self._host} does not answer: {error}") from error
        finally:
            connection.close()


def token(resource: str) -> str:
    """An access token for a resource, of whoever is signed in to Azure's CLI. Raises SignedOut."""
    az = shutil.which("az")
    if az is None:
        raise SignedOut(
            "Azure's CLI is not installed, which signs in: install `az`, then `az login`"
        )
    words = [az, "account", "get-access-token", "--resource", resource, "--output", "json"]
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=_CLI_SECONDS, check=True
        )
        found = json.loads(done.stdout)["accessToken"]
    except (OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
        # What it printed may hold a token.
        raise SignedOut("Azure's CLI has no token: run `az login`") from error
    return str(found)
