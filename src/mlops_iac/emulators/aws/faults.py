"""What the emulated AWS cannot do is told as AWS tells an error; never as a page, or as a success.

Sources: "Common errors" of the API references (`InternalFailure`, `InvalidAction`), and the error
shapes of the AWS protocols in Smithy: awsJson, awsQuery, restJson1, restXml.
"""

from __future__ import annotations

import json
import re
import sys
import traceback
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from werkzeug.exceptions import HTTPException

_JSON = "application/x-amz-json-1.1"
_LOOKS_UP = re.compile("Describe|Get|Update|Delete")
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def honest(application: Application) -> Application:
    """A WSGI application whose pages and exceptions become errors of the service that was asked.

    It is not for answers that are streamed.
    """

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        answer: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            answer[:] = [status, headers, *rest]
            return answer.append

        try:
            body = list(application(environ, start))
        except NotImplementedError:
            return _refuse(environ, start_response, known=False)
        except HTTPException as error:  # a path that no service has
            return _refuse(environ, start_response, known=(error.code or 500) >= 500)
        except Exception as error:  # a fault of moto's, whatever it is
            if code := _unfound(environ, error):
                return _told(
                    environ, start_response, "400 Bad Request", code, f"{error} is not there."
                )
            traceback.print_exc(file=sys.stderr)
            return _refuse(environ, start_response, known=True)
        if _is_page(answer[0], body):
            return _refuse(environ, start_response, known=answer[0].startswith("5"))
        start_response(*answer)
        return body

    return serve


def _is_page(status: str, body: Iterable[bytes]) -> bool:
    """Whether it is an error for a browser, as Flask makes them."""
    return status[:1] in "45" and b"".join(body)[:15].lower().startswith(
        (b"<!doctype html", b"<html")
    )


def _refuse(
    environ: dict[str, Any], start_response: Callable[..., Any], *, known: bool
) -> Iterable[bytes]:
    """`known`: the operation is there, and failed."""
    service, operation = _asked(environ)
    if known:
        status, code = "500 Internal Server Error", "InternalFailure"
        text = f"The emulated {service} failed in {operation}; its log has the traceback."
    else:
        # A client tries what is an error of the server again; this one stays.
        status = "501 Not Implemented" if service == "s3" else "400 Bad Request"
        code = {"s3": "NotImplemented"}.get(service, "UnknownOperationException")
        text = f"The emulated {service} does not do {operation}."
    return _told(environ, start_response, status, code, text)


def _told(
    environ: dict[str, Any], start_response: Callable[..., Any], status: str, code: str, text: str
) -> Iterable[bytes]:
    kind, body = _error(environ, _asked(environ)[0], code, text)
    headers = [("Content-Type", kind), ("Content-Length", str(len(body)))]
    if "json" in kind:
        headers.append(("x-amzn-ErrorType", code))
    start_response(status, headers)
    return [body]


def _unfound(environ: dict[str, Any], error: Exception) -> str:
    """The service's error for what is not there, where moto looked something up and failed; or empty."""
    from botocore.exceptions import BotoCoreError
    from moto.core.utils import get_service_model

    service, operation = _asked(environ)
    if not isinstance(error, KeyError) or not _LOOKS_UP.match(operation):
        return ""
    try:
        errors = get_service_model(service).operation_model(operation).error_shapes
    except (BotoCoreError, KeyError):  # of services that are signed for by another name
        return ""
    return next((str(each.name) for each in errors if "NotFound" in each.name), "")


def _error(environ: dict[str, Any], service: str, code: str, text: str) -> tuple[str, bytes]:
    """The error as the protocol of the request has it."""
    if service == "s3":
        return "application/xml", f"<Error><Code>{code}</Code>{_message(text)}</Error>".encode()
    if _action(environ):
        code = "InvalidAction" if code == "UnknownOperationException" else code
        inner = f"<Error><Type>Sender</Type><Code>{code}</Code>{_message(text)}</Error>"
        return "text/xml", f"<ErrorResponse>{inner}</ErrorResponse>".encode()
    return _JSON, json.dumps({"__type": code, "message": text}).encode()


def _message(text: str) -> str:
    return f"<Message>{escape(text)}</Message>"


def _asked(environ: dict[str, Any]) -> tuple[str, str]:
    """Which service was asked for which operation, in words."""
    scope = str(environ.get("HTTP_AUTHORIZATION", "")).partition("Credential=")[2].split("/")
    service = scope[3] if len(scope) > 3 else "s3"
    operation = str(environ.get("HTTP_X_AMZ_TARGET", "")).rpartition(".")[2] or _action(environ)
    return service, operation or f"{environ.get('REQUEST_METHOD')} {environ.get('PATH_INFO')}"


def _action(environ: dict[str, Any]) -> str:
    """`Action` of a query; the body has been read ahead, and is read again."""
    if "x-www-form-urlencoded" not in str(environ.get("CONTENT_TYPE", "")):
        return ""
    stream = environ["wsgi.input"]
    if not stream.seekable():
        return ""
    stream.seek(0)
    actions = parse_qs(stream.read().decode("latin-1")).get("Action", [])
    return actions[0] if actions else ""
