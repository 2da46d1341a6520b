"""Calls of Azure Resource Manager: over HTTP on loopback, or of a store in this process."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from mlops_iac.emulators.common.server import answer_seconds
from mlops_iac.errors import TimedOut
from mlops_iac.records import Record

BLOBS = "/blob/"
"""Below it the emulator has the blobs of each storage account, by the account's name."""


class ArmError(Exception):
    """What ARM refused: its HTTP `status`, its `code` (`ResourceNotFound`) and `message`."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message = status, code, message

    @property
    def gone(self) -> bool:
        """Whether what was asked for is not there; a subscription that who asks may not see is no such answer."""
        return self.status == http.client.NOT_FOUND and "Subscription" not in self.code

    def as_json(self) -> dict[str, Any]:
        """The body of such an answer."""
        return {"error": {"code": self.code, "message": self.message}}


class Answer(Record):
    """An answer of HTTP: `body` is JSON, None where there is none."""

    status: int
    body: Any = None


class Transport(Protocol):
    """What takes a request to whoever answers it."""

    def request(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Answer:
        """Answer as ARM does, refusals too."""


class Arm:
    """ARM behind a transport."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def call(
        self, method: str, id_: str, version: str, body: Any = None, **query: str
    ) -> dict[str, Any]:
        """The body of the answer, empty where it has none. Raises ArmError, TimedOut."""
        answer = self._transport.request(method, id_, {"api-version": version, **query}, body)
        if answer.status >= http.client.BAD_REQUEST:
            told = (answer.body or {}).get("error", {})
            raise ArmError(
                answer.status, str(told.get("code", "")), str(told.get("message", answer.body))
            )
        return answer.body or {}

    def get(self, id_: str, version: str) -> dict[str, Any] | None:
        """A resource, or None where there is none. Raises ArmError, TimedOut."""
        try:
            return self.call("GET", id_, version)
        except ArmError as error:
            if error.gone:
                return None
            raise

    def listed(self, id_: str, version: str, **query: str) -> Iterator[dict[str, Any]]:
        """What a list holds, page by page. Raises ArmError, TimedOut."""
        while True:
            page = self.call("GET", id_, version, **query)
            yield from page.get("value") or ()
            if not page.get("nextLink"):
                return
            # Of the address that goes on its query alone is taken: a token goes to nobody else.
            told = parse_qsl(urlsplit(str(page["nextLink"])).query)
            query = {key: value for key, value in told if key.lower() != "api-version"}


class Loopback:
    """The emulator's process. Each thread keeps its connection; `endpoint` finds, and starts, it."""

    def __init__(self, endpoint: Callable[[], str]) -> None:
        self._endpoint = endpoint
        self._kept = threading.local()

    def request(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Answer:
        """Raises TimedOut where nobody answers in time."""
        place = urlsplit(self._endpoint()).netloc
        target = f"{quote(path)}?{urlencode(query)}"
        content = None if body is None else json.dumps(body).encode()
        connection, known = getattr(self._kept, "connection", (None, ""))
        for fresh in (False, True):
            if connection is None or known != place or fresh:
                connection = http.client.HTTPConnection(place, timeout=answer_seconds())
                self._kept.connection = (connection, place)
            try:
                headers = {"Content-Type": "application/json"}
                connection.request(method, target, content, headers)
                answer = connection.getresponse()
                said = answer.read()
                return Answer(answer.status, json.loads(said) if said else None)
            except TimeoutError as error:
                connection.close()
                self._kept.connection = (None, "")
                raise TimedOut(f"the emulated Azure did not answer {method} {path}") from error
            except (OSError, http.client.HTTPException) as error:
                connection.close()  # it was closed while nobody used it, or the process ended
                self._kept.connection = (None, "")
                if fresh:
                    raise TimedOut(f"the emulated Azure does not answer: {error}") from error
        raise AssertionError
