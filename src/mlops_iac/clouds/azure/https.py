"""One request over HTTP, for tokens and for ARM: through the proxy that the environment names, without redirects."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from mlops_iac.clouds.azure.errors import Silent
from mlops_iac.records import Record


class Reply(Record):
    """What was answered; header names are in small letters."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class _Stay(HTTPRedirectHandler):
    """Follows none: a token would go along to wherever it leads."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = build_opener(_Stay)


def ask(
    method: str, url: str, headers: Mapping[str, str], content: bytes | None, seconds: float
) -> Reply:
    """Ask once; an answer of any status is one. Raises Silent where none comes within `seconds`."""
    # `url` is ours, or that of the variables with which a CI job is given its identity.
    request = Request(url, content, dict(headers), method=method)  # noqa: S310
    try:
        with _OPENER.open(request, timeout=seconds) as answer:
            return _reply(answer.status, answer.headers, answer.read())
    except HTTPError as refusal:
        with refusal:
            return _reply(refusal.code, refusal.headers, refusal.read())
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        # Without what came before: its frames hold the headers.
        raise Silent(f"{urlsplit(url).netloc} does not answer: {reason}") from None


def _reply(status: int, headers: Any, content: bytes) -> Reply:
    return Reply(status, {key.lower(): value for key, value in headers.items()}, content)
