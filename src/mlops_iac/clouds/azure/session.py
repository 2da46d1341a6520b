"""ARM for one stack, in the real cloud and in the emulated one: no SDK, as two verbs of HTTP are enough."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from mlops_iac.clouds.access import Place
from mlops_iac.clouds.azure.blobs import Blobs
from mlops_iac.clouds.azure.errors import Silent
from mlops_iac.clouds.azure.https import Reply, ask
from mlops_iac.clouds.azure.tokens import Tokens
from mlops_iac.emulators.azure.arm import BLOBS, Answer, Arm, Loopback

if TYPE_CHECKING:
    from mlops_iac.emulators.common.info import EmulatorInfo

ARM = "https://management.azure.com"
STORAGE = "https://storage.azure.com/"
"""What tokens for blobs are of."""
# Of somebody who only looks, and of who waits: for one answer, and for it to be taken at all.
_SECONDS, _PATIENT_SECONDS = 10, 60
# Asked again after what the service says, else after 1, 2, 4 … seconds. Source: azure-docs,
# "Throttling Resource Manager requests"; azure-core `RetryPolicyBase`.
_AGAIN = frozenset((408, 429, 500, 502, 503, 504))
# Of these the service has done nothing: what is no PUT may be sent again.
_UNTOUCHED = frozenset((429, 503))


class RealSession:
    """The user's own: whoever the environment, or Azure's CLI, says that is."""

    def __init__(self, place: Place, *, patient: bool) -> None:
        self.place = place
        self.tokens = Tokens()
        self._seconds = _PATIENT_SECONDS if patient else _SECONDS

    @cached_property
    def arm(self) -> Arm:
        """ARM. Calls raise ArmError, SignedOut, Silent."""
        return Arm(Https(ARM, self._token, self._seconds))

    def _token(self, path: str) -> str:
        """One of the tenant that the subscription in the path is in."""
        _, kind, name, *_ = (*path.split("/"), "", "")
        return self.tokens(f"{ARM}/", name if kind == "subscriptions" else self.place.account)

    @property
    def who(self) -> str:
        """Who ARM was asked as, as far as a token says it."""
        return self.tokens.who(f"{ARM}/")

    def blobs(self, account: str) -> Blobs:
        """The blobs of a storage account. Calls raise ArmError, SignedOut, Silent."""
        return Blobs(
            f"https://{account}.blob.core.windows.net",
            lambda: self.tokens(STORAGE, self.place.account),
            _PATIENT_SECONDS,
        )


class EmulatedSession:
    """The emulator's, which is started if need be."""

    def __init__(self, ensure: Callable[[], EmulatorInfo], place: Place) -> None:
        self.place = place
        self._ensure = ensure

    who = "local"

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
    """A service of Azure's at `base`, asked with a token of `token(path)`.

    `seconds` is how long one answer may take, and how long is waited in all for a service that is busy.
    """

    def __init__(
        self,
        base: str,
        token: Callable[[str], str],
        seconds: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base, self._token, self._seconds, self._sleep = base, token, seconds, sleep

    def request(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Answer:
        """`arm.Transport`. Raises Silent where nobody answers, SignedOut where there is no token."""
        url = f"{self._base}{quote(path)}?{urlencode(query)}"
        content = None if body is None else json.dumps(body).encode()
        left = self._seconds
        for attempt in count():
            headers = {
                "Authorization": f"Bearer {self._token(path)}",
                "Content-Type": "application/json",
            }
            reply = ask(method, url, headers, content, self._seconds)
            wait = _wait(reply, attempt)
            left -= wait
            if reply.status not in (_UNTOUCHED if method == "POST" else _AGAIN) or left < 0:
                break
            self._sleep(wait)
        return Answer(reply.status, self._read(reply))

    def _read(self, reply: Reply) -> Any:
        try:
            return json.loads(reply.content) if reply.content.strip() else None
        except ValueError:
            raise Silent(
                f"{self._base} answers what is no JSON (HTTP {reply.status}): is there a proxy between?"
            ) from None


def _wait(reply: Reply, attempt: int) -> float:
    """Seconds until it may be asked again."""
    told = reply.headers.get("retry-after", "")
    if told.isdigit():
        return float(told)
    try:
        return max(0.0, (parsedate_to_datetime(told) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return float(2**attempt)
