"""Serves a model over HTTP: the four handlers of its `code/inference.py`, as the cloud's own container.

    python -P server.py MODEL READY [--host 127.0.0.1] [--port 0] [--threads 1] [--most-bytes N]
                        [--example FILE]

`MODEL` is the folder that a version's archive was unpacked to. It listens first, writes READY (`{"port",
"pid"}`), then loads; where that fails, READY.failed (`{"error"}`) and exit code 1. `GET /ping` is 503 until
the model is loaded and has answered `--example` (a body in JSON), `POST /invocations` the handlers' answer; 503
while loading, and where too many wait. It ends on SIGTERM, and with the pipe that is its stdin: it
answers what it has begun, and no more.

HTTP is a thread of its own, so that a slow client holds up nobody. The model is loaded and asked in
the main thread, one request at a time, as a worker of the prebuilt containers does it: what `load` made
may belong to its thread. With more `--threads`, others ask it besides.
Runs with the workload's interpreter, Python 3.9 or newer, and imports the standard library alone.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib
import inspect
import json
import os
import re
import signal
import socket
import stat
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from http.client import responses
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

JSON = "application/json"
_HEAD_BYTES = 65_536
_IDLE_SECONDS = 75.0  # longer than what stands before it keeps connections, 60 s as a rule
_BODY_SECONDS = 60.0
_LINGER_SECONDS = 5.0
_GRACE_SECONDS = 30.0  # to answer what was begun
_CONNECTIONS = 500
_WAITING = 100  # requests that wait for a thread; one more is told to come again
_ERROR_LINES = 5
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,8})[ \t]*(?:;.*)?\r\n")


class Request(NamedTuple):
    """What is asked. Names of headers are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""


class Answer(NamedTuple):
    """What is answered. `last` closes the connection."""

    status: int
    body: bytes
    content_type: str = JSON
    last: bool = False

    def encoded(self) -> bytes:
        """The bytes on the wire."""
        head = (
            f"HTTP/1.1 {self.status} {responses.get(self.status, '')}\r\n"
            f"Content-Type: {self.content_type}\r\nContent-Length: {len(self.body)}\r\n"
            f"Connection: {'close' if self.last else 'keep-alive'}\r\n"
            f"{'Retry-After: 1' * (self.status == 503)}"
        )
        return f"{head.rstrip()}\r\n\r\n".encode("latin-1") + self.body


class Refused(Exception):
    """What is not HTTP as we speak it: a status and words. Nothing more is read."""


class Handlers:
    """The workload's handlers, with the model that they loaded."""

    def __init__(self, folder: Path) -> None:
        code = folder / "code"
        if not (code / "inference.py").is_file():
            raise FileNotFoundError(f"no code/inference.py in {sorted(map(str, folder.iterdir()))}")
        sys.path.insert(0, str(code))
        module = importlib.import_module("inference")
        steps = (module.input_fn, module.predict_fn, module.output_fn)
        self._steps = [_with_context(each, given=2) for each in steps]
        self._model = _with_context(module.model_fn, given=1)(str(folder), None)

    def __call__(self, request: Request) -> Answer:
        """The answer to one request; an exception of the handlers is a 500 with its last line."""
        accept = request.headers.get("accept", JSON)
        (read, predict, write), context = self._steps, _Context()
        try:
            rows = read(request.body, request.headers.get("content-type", JSON), context)
            predictions = predict(rows, self._model, context)
            body = write(predictions, accept, context)
            body, content_type = body if isinstance(body, tuple) else (body, accept)
            encoded = body.encode() if isinstance(body, str) else bytes(body)
            return Answer(context.status, encoded, content_type)
        except BaseException as error:  # sys.exit of a model's code, too, is no end of the server
            # Without the message, which may hold a value of the request.
            trace = "".join(traceback.format_tb(error.__traceback__))
            sys.stderr.write(f"{type(error).__name__} while answering:\n{trace}")
            return _error(500, traceback.format_exception_only(type(error), error)[-1].strip())


class _Context:
    """What handlers tell a status of their own by, as TorchServe has it."""

    status = 200

    def set_response_status(self, code: int = 200, phrase: str = "") -> None:
        self.status = code


class Server:
    """Connections, and the queue between them and whoever asks the model."""

    def __init__(self, listener: socket.socket, threads: int, most_bytes: int) -> None:
        self._threads, self._most_bytes = threads, most_bytes
        self._handlers: Handlers | None = None
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._waiting = 0
        self._stopping = False
        self._connections: set[asyncio.StreamWriter] = set()
        self._idle: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._accepting = self._loop.run_until_complete(
            asyncio.start_server(self._connected, sock=listener, limit=_HEAD_BYTES)
        )
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def serve(self, handlers: Handlers) -> None:
        """Answer with these until `stop`, in this thread and as many more as there are to be."""
        self._handlers = handlers
        for _ in range(self._threads - 1):
            threading.Thread(target=self._work, daemon=True).start()
        self._work()

    def stop(self) -> None:
        """Answer what was begun, then let `serve` return. Ends the process where that takes long."""
        if self._handlers is None:
            os._exit(0)
        _end_after(_GRACE_SECONDS)
        self._loop.call_soon_threadsafe(self._stop)

    def _stop(self) -> None:
        self._stopping = True
        self._accepting.close()
        for each in self._idle:
            each.close()
        self._end_if_done()

    def _end_if_done(self) -> None:
        if self._stopping and not self._connections:
            for _ in range(self._threads):
                self._queue.put(None)

    def _work(self) -> None:
        for job in iter(self._queue.get, None):
            job()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            if len(self._connections) <= _CONNECTIONS:
                await self._talk(reader, writer)
            else:
                await self._write(writer, _error(503, "too many connections", last=True))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the caller has gone, or was closed for being idle or slow
        finally:
            writer.close()
            self._connections.discard(writer)
            self._idle.discard(writer)
            self._end_if_done()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection, one after the other."""
        answer = Answer(200, b"")
        while not (answer.last or self._stopping):
            self._idle.add(writer)
            slow = self._loop.call_later(_IDLE_SECONDS, writer.close)
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                self._idle.discard(writer)
                slow.cancel()
                slow = self._loop.call_later(_BODY_SECONDS, _give_up, writer)
                request = _head(head)
                body = await _body(reader, writer, request, self._most_bytes)
            except asyncio.LimitOverrunError:
                answer = _error(
                    431, f"a head, or a line, of more than {_HEAD_BYTES} bytes", last=True
                )
            except Refused as refused:
                answer = _error(*refused.args, last=True)
            else:
                slow.cancel()
                answer = await self._answer(request._replace(body=body), writer)
                keep = request.headers.get("connection", "").lower() != "close"
                answer = answer._replace(last=not keep or self._stopping)
            finally:
                slow.cancel()
            await self._write(writer, answer)
        if answer.status >= 400:
            await self._linger(reader, writer)

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> Answer:
        path = request.path.partition("?")[0]
        allowed = {"/ping": "GET", "/invocations": "POST"}.get(path)
        if allowed is None:
            return _error(404, "there are GET /ping and POST /invocations")
        if request.method != allowed:
            return _error(405, f"{path} is asked with {allowed}")
        if self._handlers is None:
            return _error(503, "loading")
        if path == "/ping":
            return Answer(200, b"{}")
        if self._waiting >= _WAITING + self._threads:
            return _error(503, f"busy: {self._waiting} requests are being answered or wait")
        answered: asyncio.Future[Answer] = self._loop.create_future()
        handlers = self._handlers

        def work() -> None:
            # Nobody waits for an answer to who has gone.
            answer = _error(503, "gone") if writer.is_closing() else handlers(request)
            self._loop.call_soon_threadsafe(answered.set_result, answer)

        self._waiting += 1
        try:
            self._queue.put(work)
            return await answered
        finally:
            self._waiting -= 1

    async def _write(self, writer: asyncio.StreamWriter, answer: Answer) -> None:
        slow = self._loop.call_later(_BODY_SECONDS, writer.transport.abort)
        try:
            writer.write(answer.encoded())
            await writer.drain()
        finally:
            slow.cancel()

    async def _linger(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read what is still sent: closed at once, a sender is reset before it reads the answer."""
        slow = self._loop.call_later(_LINGER_SECONDS, writer.transport.abort)
        try:
            writer.write_eof()
            while await reader.read(_HEAD_BYTES):
                pass
        finally:
            slow.cancel()


def _head(head: bytes) -> Request:
    """The request without its body. Raises Refused."""
    first, *lines = head.decode("latin-1").strip("\r\n").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise Refused(400, "not a request of HTTP/1.1")
    headers: dict[str, str] = {"connection": "close"} if words[2] == "HTTP/1.0" else {}
    for line in lines:
        name, colon, value = line.partition(":")
        name = name.lower()
        if not colon or name != name.strip() or not name:
            raise Refused(400, "a header is not NAME: VALUE")
        if name in ("content-length", "transfer-encoding") and name in headers:
            raise Refused(400, f"{name} is given twice")
        headers[name] = value.strip()
    return Request(words[0], words[1], headers)


async def _body(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: Request, most: int
) -> bytes:
    """What follows the head. Raises Refused, before it is read where its length says so."""
    coding = request.headers.get("transfer-encoding")
    length = request.headers.get("content-length")
    if coding is not None and (length is not None or coding.lower() != "chunked"):
        raise Refused(400, "a body is either chunked or has a Content-Length")
    if length is not None and not (length.isascii() and length.isdigit() and len(length) < 20):
        raise Refused(400, "Content-Length is not a number")
    size = int(length or 0)
    if size > most:
        raise Refused(413, f"the body has {size} bytes; at most {most} are taken")
    if request.headers.get("expect", "").lower() == "100-continue" and (size or coding):
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    if coding is None:
        return await reader.readexactly(size)
    body = bytearray()
    while found := _CHUNK.fullmatch(await reader.readuntil(b"\r\n")):
        size = int(found[1], 16)
        if len(body) + size > most:
            raise Refused(413, f"the body has more than {most} bytes, the most that are taken")
        if size == 0:
            while (await reader.readuntil(b"\r\n")) != b"\r\n":
                pass  # trailers
            return bytes(body)
        body += await reader.readexactly(size)
        if await reader.readexactly(2) != b"\r\n":
            break
    raise Refused(400, "the body is not chunked as it says")


def _with_context(function: Callable[..., Any], given: int) -> Callable[..., Any]:
    """A handler that is given the context, too, and takes it or not; TorchServe's toolkit looks alike."""
    takes = len(inspect.signature(function).parameters) == given + 1
    return function if takes else lambda *values: function(*values[:given])


def _give_up(writer: asyncio.StreamWriter) -> None:
    writer.write(_error(408, f"no whole body in {_BODY_SECONDS:g} seconds", last=True).encoded())
    writer.close()


def _error(status: int, error: str, *, last: bool = False) -> Answer:
    return Answer(status, json.dumps({"error": error}).encode(), last=last)


def _end_after(seconds: float, code: int = 1) -> None:
    """End the process by then, whatever the model's own threads still do."""
    timer = threading.Timer(seconds, os._exit, (code,))
    timer.daemon = True
    timer.start()


def _watch_stdin(stop: Callable[[], None]) -> None:
    """Stop when the parent has gone. A container's stdin is no pipe, and at its end at once."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return

    def watch() -> None:
        while os.read(0, 4096):
            pass
        stop()

    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
        threading.Thread(target=watch, daemon=True).start()


def _put(path: Path, content: dict[str, Any]) -> None:
    """Write a file that is there whole, or not at all."""
    (part := path.with_name(f"{path.name}.part")).write_text(json.dumps(content), encoding="utf-8")
    part.replace(path)


def main(arguments: Sequence[str]) -> int:
    """Serve until told to end. Returns the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("ready", type=Path)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--most-bytes", type=int, default=6 * 2**20)
    parser.add_argument("--example", type=Path)
    given = parser.parse_args(arguments)
    failed = given.ready.with_name(f"{given.ready.name}.failed")
    for former in (given.ready, failed):
        former.unlink(missing_ok=True)
    # Without -P the folder of this file comes first, and a `data` of the workload after it.
    sys.path[:] = [each for each in sys.path if each != str(Path(__file__).parent)]
    # A thread that has bytes to pass on waits for the one that predicts no longer than this.
    sys.setswitchinterval(0.001)
    try:
        family = socket.AF_INET6 if ":" in given.host else socket.AF_INET
        listener = socket.create_server((given.host, given.port), family=family, backlog=1024)
        server = Server(listener, given.threads, given.most_bytes)
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda *_: server.stop())
        _watch_stdin(server.stop)
        _put(given.ready, {"port": listener.getsockname()[1], "pid": os.getpid()})
        handlers = Handlers(given.model.resolve())
        if given.example is not None:
            answer = handlers(Request("POST", "", {}, given.example.read_bytes()))
            if answer.status != 200:
                raise RuntimeError(f"the example is not answered: {answer.body.decode()}")
    except BaseException:
        said = traceback.format_exc()
        sys.stderr.write(said)
        _put(failed, {"error": "\n".join(said.strip().splitlines()[-_ERROR_LINES:])})
        _end_after(_LINGER_SECONDS)
        return 1
    gc.freeze()  # to look through what was loaded takes as long as ten predictions
    server.serve(handlers)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
