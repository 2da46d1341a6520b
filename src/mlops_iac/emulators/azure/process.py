"""The emulator's own process: the store behind one loopback port. Started by `server.py` only.

    python -P -m mlops_iac.emulators.azure.process --work DIR --instance ID [--port N]

Once it listens, it writes DIR/server.json (atomically, for its owner alone): whoever started it waits for that
file. State is in memory and ends with the process; the random instance id tells one life from another.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

from mlops_iac.emulators.azure import certificates, directory
from mlops_iac.emulators.azure.arm import BLOBS, Answer, ArmError
from mlops_iac.emulators.azure.blobs import BlobStore, Reply
from mlops_iac.emulators.azure.store import ArmStore
from mlops_iac.emulators.common.loopback import Application, guarded
from mlops_iac.emulators.common.processes import began
from mlops_iac.emulators.common.server import IDENTITY_PATH
from mlops_iac.workfolder import write_durably

_CONTROL = ("/mlops-iac",)
# The first byte of TLS: a record of a handshake (RFC 8446, 5.1).
_HANDSHAKE = b"\x16"
_JSON = "application/json; charset=utf-8"


def application(identity: dict[str, Any], store: ArmStore, blobs: BlobStore) -> Application:
    """The WSGI application: who this is, the store, and what is in its storage accounts."""

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = str(environ["PATH_INFO"])
        if path.startswith(BLOBS):
            reply = _blob(blobs, environ, path.removeprefix(BLOBS))
        else:
            known = path == IDENTITY_PATH
            answer = Answer(200, identity) if known else _asked(store, environ, path)
            body = b"" if answer.body is None else json.dumps(answer.body).encode()
            reply = Reply(answer.status, body, {"Content-Type": _JSON})
        headers = [*reply.headers.items(), ("Content-Length", str(len(reply.body)))]
        start_response(f"{reply.status} ", headers)
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else reply.body]

    return serve


def _asked(store: ArmStore, environ: dict[str, Any], path: str) -> Answer:
    query = {key.lower(): value for key, value in parse_qsl(environ["QUERY_STRING"])}
    if told := directory.answer(store.base, path, query):
        return told
    content = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    try:
        body = json.loads(content) if content else None
    except ValueError as error:
        refusal = ArmError(400, "InvalidRequestContent", f"the body is no JSON: {error}")
        return Answer(refusal.status, refusal.as_json())
    return store.request(str(environ["REQUEST_METHOD"]), path, query, body)


def _blob(blobs: BlobStore, environ: dict[str, Any], path: str) -> Reply:
    headers = {
        key.removeprefix("HTTP_").replace("_", "-").lower(): str(told)
        for key, told in environ.items()
        if key.startswith(("HTTP_", "CONTENT_"))
    }
    query = dict(parse_qsl(environ["QUERY_STRING"]))
    return blobs.request(
        str(environ["REQUEST_METHOD"]), path, query, headers, environ["wsgi.input"]
    )


class Handler(BaseHTTPRequestHandler):
    """HTTP with connections that are kept, in front of a WSGI application."""

    protocol_version = "HTTP/1.1"
    # Headers and body go out as two writes; with Nagle and a delayed ACK each call waits 40 ms.
    disable_nagle_algorithm = True
    application: Application
    folder: Path

    def setup(self) -> None:
        """Whoever begins with TLS is answered in it, at the same port."""
        if self.request.recv(1, socket.MSG_PEEK) == _HANDSHAKE:
            made = certificates.context(self.folder)
            self.request = made.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self) -> None:
        """The server closes what it accepted, which is not what TLS made of it."""
        super().finish()
        self.request.close()

    def _answer(self) -> None:
        path, _, query = self.path.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "PATH_INFO": unquote(path),
            "QUERY_STRING": query,
            "CONTENT_LENGTH": self.headers.get("Content-Length", ""),
            "wsgi.input": self.rfile,
            **{f"HTTP_{key.upper().replace('-', '_')}": told for key, told in self.headers.items()},
        }

        def start(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
            self.send_response(int(status.split()[0]))
            for key, value in headers:
                self.send_header(key, value)
            self.end_headers()

        for part in type(self).application(environ, start):
            self.wfile.write(part)

    do_GET = do_HEAD = do_PUT = do_PATCH = do_POST = do_DELETE = _answer  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Requests may carry secrets: none is logged."""


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """One line: somebody went away, or does not trust our certificate."""
        sys.stderr.write(f"a connection ended: {sys.exc_info()[1]}\n")


def main() -> None:
    """Listen on loopback until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--instance", required=True)
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()

    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is meant for the command, not for us

    identity: dict[str, Any] = {"instance": arguments.instance, "pid": os.getpid()}
    token = secrets.token_urlsafe(32)
    try:
        listener = _Listener(("127.0.0.1", arguments.port), Handler)
    except OSError:  # the port is taken
        listener = _Listener(("127.0.0.1", 0), Handler)
    port = listener.server_address[1]
    store = ArmStore(f"https://localhost:{port}")
    # A function in a class would be a method.
    Handler.folder = arguments.work
    blobs = BlobStore(arguments.work / "blobs", store)
    served = application(identity, store, blobs)
    Handler.application = staticmethod(guarded(served, token, _CONTROL))
    info = {
        **identity,
        "port": port,
        "started": time.time(),
        "began": began(os.getpid()),
        "token": token,
    }
    write_durably(arguments.work / "server.json", json.dumps(info).encode())
    listener.serve_forever()


if __name__ == "__main__":
    main()
