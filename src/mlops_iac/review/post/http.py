"""One way to ask a platform's API: JSON over HTTPS, bounded in time, size and retries.

The token goes to the one origin it is meant for, never along a redirect or a page's link to another,
and stands in no message. A request runs in a thread of its own, because neither name resolution nor
a server that sends a byte now and then is bounded by a socket's timeout.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn
from urllib.parse import urljoin, urlsplit

from mlops_iac import __version__
from mlops_iac.errors import AuthenticationError, MlopsError, TimedOut, UsageError
from mlops_iac.graph.redact import redact_text
from mlops_iac.review.escape import visible

_LARGEST: Final = 32_000_000
_TRIES: Final = 5
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_PASSING: Final = (500, 502, 503, 504)
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


class Uncertain(MlopsError):
    """A write got no answer that says whether it was done; look before trying again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `headers` in lower case, `data` the parsed JSON or None."""

    status: int
    headers: Mapping[str, str]
    data: Any


@dataclass(slots=True)
class Http:
    """A platform's API under one address.

    `timeout` bounds one request, `patience` all of them with their waits, in seconds.
    """

    platform: str
    base: str
    headers: Mapping[str, str]
    secrets: Sequence[str]
    timeout: float = 20.0
    patience: float = 180.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    _until: float = field(default=0.0)

    def __post_init__(self) -> None:
        self.base = checked_address(self.base)
        self._until = self.clock() + self.patience

    def ask(
        self,
        method: str,
        url: str,
        body: Any = None,
        *,
        told: Sequence[int] = (),
        once: bool = False,
    ) -> Answer:
        """An answer that is final; asked again while it makes sense.

        Statuses in `told` are given to the caller instead of raised. `once` is for what makes
        something new: it raises Uncertain where that may have been made without an answer.
        """
        self._same_origin(url)
        redirects = 0
        for attempt in range(1, _TRIES + 1):
            last = attempt == _TRIES
            try:
                answer = self._once(method, url, body)
            except (TimeoutError, ConnectionError, OSError) as error:
                if once:
                    raise Uncertain(self._words(f"{_reason(error)} after {method}")) from None
                pause = 2.0**attempt / 2
                if last or self._left() < pause or type(error).__name__.startswith("SSL"):
                    self._unreachable(error)
                self.sleep(pause)
                continue
            if 200 <= answer.status < 300 and answer.status != 203:
                return answer
            if answer.status in told and not _limited(answer):
                return answer
            if answer.status in _REDIRECTS and redirects < 3:
                redirects += 1
                url = self._redirected(method, url, answer)
                continue
            if answer.status in _PASSING and once:
                raise Uncertain(self._words(f"it answers {answer.status}"))
            asked = _pause(answer, attempt)
            if asked is None or last:
                self._refused(answer)
            self._wait(asked, f"it answers {answer.status}")
        raise MlopsError(self._words("it redirects and fails by turns"))

    def _once(self, method: str, url: str, body: Any) -> Answer:
        """One request, in a thread that is left behind when it takes too long."""
        box: list[Answer | Exception] = []
        seconds = min(self.timeout, max(self._left(), 0.0))
        if seconds <= 0:
            raise TimeoutError

        def run() -> None:
            try:
                box.append(_send(method, url, body, self.headers, seconds))
            except Exception as error:
                box.append(error)

        thread = threading.Thread(target=run, name="mlops-iac-post", daemon=True)
        thread.start()
        thread.join(seconds + 0.5)
        if not box:
            raise TimeoutError
        if isinstance(box[0], Exception):
            raise box[0]
        return box[0]

    def _wait(self, seconds: float, why: str) -> None:
        if seconds > self._left():
            raise TimedOut(
                self._words(f"{why} and asks to wait {seconds:.0f} s, longer than is left"),
                hint="run it again later",
            )
        self.sleep(seconds)

    def _left(self) -> float:
        return self._until - self.clock()

    def _redirected(self, method: str, url: str, answer: Answer) -> str:
        target = urljoin(url, answer.headers.get("location", ""))
        if "signin" in target.lower():
            self._refused(Answer(401, answer.headers, None))
        if method != "GET" and answer.status not in (307, 308):
            raise MlopsError(
                self._words(f"it answers {answer.status}: the repository has moved"),
                hint="give its new name with --repo",
            )
        self._same_origin(target)
        return target

    def _same_origin(self, url: str) -> None:
        if _origin(url) != _origin(self.base):
            raise MlopsError(
                self._words("it points to another server, which does not get the token"),
                hint="give the right address with --api-url",
            )

    def _unreachable(self, error: Exception) -> NoReturn:
        if isinstance(error, TimeoutError):
            raise TimedOut(
                self._words(f"no answer within {self.timeout:.0f} s"),
                hint="run it again later, or look at the platform's status page",
            ) from None
        raise MlopsError(
            self._words(f"it cannot be reached: {_reason(error)}"),
            hint="check --api-url and the network of this job",
        ) from None

    def _refused(self, answer: Answer) -> NoReturn:
        said = f": {said}" if (said := _message(answer, self.secrets)) else ""
        match answer.status:
            case 401 | 203:
                raise AuthenticationError(
                    self._words("it refuses the token"),
                    hint="is the token's variable set in this job, and not expired?",
                )
            case 403 if not _limited(answer):
                raise AuthenticationError(
                    self._words(f"the token may not do this{said}"),
                    hint="it needs the right to write comments on pull requests",
                )
            case 404 | 410:
                raise UsageError(
                    self._words("there is no such pull request, or the token may not see it"),
                    hint="check --repo and --number",
                )
            case 403 | 429:
                raise TimedOut(
                    self._words(f"too many requests, also after waiting{said}"),
                    hint="run it again later",
                )
            case _:
                raise MlopsError(self._words(f"it answers {answer.status}{said}"))

    def _words(self, text: str) -> str:
        return f"{self.platform}: {redact_text(text, self.secrets)}"


def checked_address(address: str) -> str:
    """An API's address without its last slash. Raises UsageError for one that is not safe.

    A token goes over https alone; plain http is for this machine (a proxy, a test).
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    safe = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    if not (safe and host and plain and port != 0):
        raise UsageError(
            f"the API's address is not an https address: {visible(redact_text(address, ()), 120)}",
            hint="give it as https://HOST/PATH with --api-url",
        )
    return address.rstrip("/")


def at(data: Any, path: str) -> Any:
    """What stands at a dotted path (`comments.0.content`); None where it leads nowhere."""
    for key in path.split(".") if path else ():
        if isinstance(data, list) and key.isdecimal() and int(key) < len(data):
            data = data[int(key)]
        else:
            data = data.get(key) if isinstance(data, dict) else None
    return data


def shaped(found: Any, kind: type, platform: str) -> Any:
    """`found` if it is of that type. Raises MlopsError: the answer is not what the API promises."""
    if not isinstance(found, kind):
        raise MlopsError(
            f"{platform}: an answer that is not as its API describes",
            hint="check --api-url; is a proxy or a sign-in page between?",
        )
    return found


def _send(method: str, url: str, body: Any, headers: Mapping[str, str], timeout: float) -> Answer:
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import HTTPRedirectHandler, Request, build_opener

    class Stay(HTTPRedirectHandler):
        """Redirects are the caller's: the library would take the token along."""

        def redirect_request(self, *_: Any) -> None:
            return None

    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data=data, method=method)  # noqa: S310 - the scheme is checked above
    for name, value in {
        "Accept": "application/json",
        "User-Agent": f"mlops-iac/{__version__}",
        **({"Content-Type": "application/json; charset=utf-8"} if data is not None else {}),
        **headers,
    }.items():
        # Unredirected: what goes to a proxy of the library's own making stays without the token.
        request.add_unredirected_header(name, value)
    try:
        with build_opener(Stay).open(request, timeout=timeout) as response:
            return _answer(response.status, response.headers.items(), _read(response))
    except HTTPError as error:
        with error:
            return _answer(error.code, error.headers.items(), _read(error))
    except URLError as error:
        if isinstance(error.reason, OSError):
            raise error.reason from None
        raise ConnectionError(str(error.reason)) from None
    except HTTPException as error:
        raise ConnectionError(type(error).__name__) from None


def _read(response: Any) -> bytes:
    content: bytes = response.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise ConnectionError("the answer is too large")
    return content


def _answer(status: int, headers: Any, content: bytes) -> Answer:
    try:
        data = json.loads(content) if content else None
    except (ValueError, RecursionError):
        data = None
    return Answer(status, {key.lower(): value for key, value in headers}, data)


def _pause(answer: Answer, attempt: int) -> float | None:
    """Seconds to wait before the next try; None where another would be answered the same."""
    asked = _asked(answer.headers)
    if answer.status == 429 or (answer.status == 403 and _limited(answer)):
        return asked if asked is not None else 15.0 * attempt
    if answer.status in _PASSING or answer.status == 409:
        return asked if asked is not None else 2.0**attempt / 2
    return None


def _asked(headers: Mapping[str, str]) -> float | None:
    """What Retry-After (seconds or a date) or GitHub's reset time ask for."""
    from email.utils import parsedate_to_datetime

    value = headers.get("retry-after", "").strip()
    if value.isdecimal() and len(value) < 10:
        return float(value)
    if value:
        try:
            return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
        except (ValueError, TypeError, OverflowError):
            return None
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal() and len(reset) < 12:
        return max(1.0, float(reset) - time.time())
    return None


def _limited(answer: Answer) -> bool:
    """Whether a 403 is GitHub's way to say 429."""
    return answer.status == 403 and (
        "retry-after" in answer.headers or answer.headers.get("x-ratelimit-remaining") == "0"
    )


def _message(answer: Answer, secrets: Sequence[str]) -> str:
    """The platform's own words about an error, short and without anything secret."""
    data = answer.data
    if not isinstance(data, dict):
        return ""
    found = data.get("message") or data.get("error_description") or data.get("error") or ""
    if isinstance(found, dict):
        found = found.get("message", "")
    return visible(redact_text(str(found)[:2000], secrets), 300)


def _origin(url: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
        return parts.scheme, (parts.hostname or "").lower(), port
    except ValueError:
        return "", "", None


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return visible(str(getattr(error, "strerror", None) or error) or type(error).__name__, 200)
