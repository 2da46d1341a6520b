"""The blobs of one storage account, over REST with a token: its keys open nothing (`components.data_store`).

Source: azure-docs, rest-api, "Put Blob", "Get Blob", "List Blobs", "Delete Blob", "Authorize with Microsoft
Entra ID".
"""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import IO
from urllib.parse import quote, urlencode, urlsplit
from xml.etree import ElementTree

from mlops_iac.clouds.azure.errors import Silent
from mlops_iac.emulators.azure.arm import ArmError

VERSION = "2023-11-03"
"""The version of the service's API that is asked."""
MOST_BYTES = 5000 * 2**20
"""The largest blob that one request takes. Source: "Put Blob", remarks."""
_Body = bytes | IO[bytes] | None


class Blobs:
    """The containers of one account.

    `url` is the account's (`https://ACCOUNT.blob.core.windows.net`), `token` gives the token of a request,
    `seconds` is how long one answer may take. Calls raise ArmError in the service's words, Silent where
    nobody answers, and what `token` raises.
    """

    def __init__(self, url: str, token: Callable[[], str], seconds: float) -> None:
        self._place, self._token, self._seconds = urlsplit(url), token, seconds
        self._kept: http.client.HTTPConnection | None = None

    def put(self, container: str, name: str, data: bytes | Path) -> None:
        """Write a blob, over the one that there is; a path is a file's, read as it is sent."""
        if isinstance(data, Path):
            with data.open("rb") as file:
                self._put(container, name, file, data.stat().st_size)
        else:
            self._put(container, name, data, len(data))

    def get(self, container: str, name: str) -> bytes:
        """The content of a blob."""
        return self._ask("GET", f"{container}/{name}")

    def list(self, container: str, prefix: str = "", *, most: int | None = None) -> dict[str, int]:
        """The blobs whose names begin with `prefix`, in order, each with its size in bytes.

        The first `most` of them, where that is said.
        """
        return dict(islice(self._pages(container, prefix), most))

    def delete_prefix(self, container: str, prefix: str) -> int:
        """Delete the blobs whose names begin with `prefix`; how many there were."""
        found = self.list(container, prefix)
        for name in found:
            self._ask("DELETE", f"{container}/{name}")
        return len(found)

    def _put(self, container: str, name: str, body: _Body, size: int) -> None:
        if size > MOST_BYTES:
            raise ArmError(413, "RequestBodyTooLarge", f"{name} has more than {MOST_BYTES:,} bytes")
        headers = {"x-ms-blob-type": "BlockBlob", "Content-Length": str(size)}
        self._ask("PUT", f"{container}/{name}", body=body, headers=headers)

    def _pages(self, container: str, prefix: str) -> Iterator[tuple[str, int]]:
        asked = {"restype": "container", "comp": "list", "prefix": prefix}
        marker = ""
        while True:
            query = asked | ({"marker": marker} if marker else {})
            # Written by the service that was asked with our token.
            page = ElementTree.fromstring(self._ask("GET", container, query))  # noqa: S314
            for blob in page.iter("Blob"):
                size = blob.findtext("Properties/Content-Length") or "0"
                yield blob.findtext("Name") or "", int(size)
            marker = page.findtext("NextMarker") or ""
            if not marker:
                return

    def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: _Body = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        target = f"{self._place.path}/{quote(path)}"
        if query:
            target += f"?{urlencode(query)}"
        sent = {
            "Authorization": f"Bearer {self._token()}",
            "x-ms-version": VERSION,
            **(headers or {}),
        }
        for fresh in (False, True):
            connection = self._connection(fresh)
            try:
                connection.request(method, target, body, sent)
                answer = connection.getresponse()
                content = answer.read()
                break
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                # A connection that was kept may have been closed by the other side meanwhile.
                if fresh or isinstance(error, TimeoutError):
                    raise Silent(f"{self._place.netloc} does not answer: {error}") from error
                if body is not None and not isinstance(body, bytes):
                    body.seek(0)
        if answer.status >= http.client.BAD_REQUEST:
            raise _error(answer, content, path)
        return content

    def _connection(self, fresh: bool) -> http.client.HTTPConnection:
        if self._kept is None or fresh:
            secure = self._place.scheme == "https"
            kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
            self._kept = kind(self._place.netloc, timeout=self._seconds)
        return self._kept


def _error(answer: http.client.HTTPResponse, content: bytes, path: str) -> ArmError:
    code = answer.headers.get("x-ms-error-code") or answer.reason
    try:
        told = ElementTree.fromstring(content).findtext("Message") or ""  # noqa: S314
    except ElementTree.ParseError:
        told = ""
    # Its first line: what follows is the request's id and its time.
    said = told.splitlines()[0] if told else "the storage account refused"
    return ArmError(answer.status, code, f"{said} ({path})")
