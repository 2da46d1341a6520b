"""What stands before a server on loopback: programs of this machine are answered, web pages are not.

Loopback keeps other machines out, and not a page that a browser of this one has open:

    what a page can do                        what it is known by
    scripts and forms that send or read       `Origin`, which its scripts cannot leave out
    pictures, frames and links: bare GETs     `Sec-Fetch-Site`, of every browser since 2023
    its own name, led to 127.0.0.1 by DNS     `Host`
    reading an answer                         needs `Access-Control-*`, which never leave

An address that a person typed (`Sec-Fetch-Site: none`) may be looked at. What steers the server itself
needs a token besides.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

TOKEN_HEADER = "X-Mlops-Iac-Token"  # noqa: S105 - its name
_TOKEN = "HTTP_X_MLOPS_IAC_TOKEN"  # noqa: S105
# `bucket.localhost` is what SDKs make of http://localhost; of an address they make a path.
_HERE = re.compile(r"(([a-z0-9_-]+\.)*localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?", re.IGNORECASE)

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def guarded(application: Application, token: str, control: Sequence[str]) -> Application:
    """A WSGI application behind the guard. Paths that begin as one of `control` need `token`."""

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        why = _refused(environ, token, control)
        if why:
            body = f"refused: {why}\n".encode()
            headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
            start_response("403 Forbidden", headers)
            return [body]

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            kept = [each for each in headers if not each[0].lower().startswith("access-control-")]
            return start_response(status, kept, *rest)

        return application(environ, start)

    return serve


def _refused(environ: dict[str, Any], token: str, control: Sequence[str]) -> str:
    """Why a request is not answered; empty where it is. Nothing of the request is repeated."""
    if not _HERE.fullmatch(environ.get("HTTP_HOST", "")):
        return "this server is called 127.0.0.1 or localhost; the request names another one"
    typed = environ.get("REQUEST_METHOD") in ("GET", "HEAD")
    site = environ.get("HTTP_SEC_FETCH_SITE")
    if "HTTP_ORIGIN" in environ or not (site is None or (site == "none" and typed)):
        return "this server answers programs on this machine, not web pages"
    path = "/" + environ.get("PATH_INFO", "").lstrip("/").lower()
    given = environ.get(_TOKEN, "").encode("latin-1", "replace")
    if path.startswith(tuple(control)) and not hmac.compare_digest(given, token.encode()):
        return "this path needs the token in server.json"
    return ""
