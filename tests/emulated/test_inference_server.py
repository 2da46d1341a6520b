"""The server that every platform's predictions come from: a real process, real sockets, bad models."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.runtime import server
from mlops_iac.runtime.files import runtime_files

# What a row says is done with it. Files in the model's folder are how a test looks in and holds it up.
PREDICT = """
import os, sys, threading, time
from pathlib import Path
import data  # of the workload, and not of what serves it

def load(folder):
    return Path(folder), threading.get_ident(), data.FACTOR

def predict(model, rows):
    folder, thread, factor = model
    if rows == ["thread"]:
        return [threading.get_ident() == thread]
    if rows == [{"do": "few"}, {"do": "few"}]:
        return [1]
    return [answer(folder, factor, row) for row in rows]

def answer(folder, factor, row):
    if isinstance(row, bytes):
        return len(row)
    do = row.get("do")
    if do == "exit":
        sys.exit("exit")
    if do == "memory":
        raise MemoryError("no more")
    if do == "die":
        os._exit(7)
    if do == "nan":
        return float("nan")
    if do == "wait":
        (folder / f"begun-{row['name']}").touch()
        while not (folder / "go").exists():
            time.sleep(0.01)
    return row["x"] * factor
"""
FACTOR = 1.1
SECRET = "4711-0815"


def until(holds: Callable[[], Any]) -> Any:
    """Wait for what has to come; a test that waits for nothing is ended by its runner."""
    while not (found := holds()):
        time.sleep(0.01)
    return found


class Served:
    """A process that serves one model."""

    def __init__(self, folder: Path, predict: str = PREDICT, **constants: object) -> None:
        self.model = folder / "model"
        code = self.model / "code"
        code.mkdir(parents=True)
        files = {"predict.py": predict.encode(), "data.py": f"FACTOR = {FACTOR}".encode()}
        for name, content in {**runtime_files(), **files}.items():
            (code / name).parent.mkdir(exist_ok=True)
            (code / name).write_bytes(content)
        self.ready = folder / "ready.json"
        self.log = folder / "log"
        self.constants = constants

    def start(self, *options: str, stdin: int = subprocess.PIPE) -> Served:
        self.ready.unlink(missing_ok=True)
        script = Path(server.__file__)
        command = ["-P", str(script)] if "-P" in options else [str(script)]
        if self.constants:
            changed = "; ".join(
                f"server.{name} = {value!r}" for name, value in self.constants.items()
            )
            start = "import sys; sys.path.insert(0, sys.argv[1]); import server; "
            command = ["-c", f"{start}{changed}; sys.exit(server.main(sys.argv[2:]))"]
            command.append(str(script.parent))
        given = [str(self.model), str(self.ready), *(each for each in options if each != "-P")]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, *command, *given], stdin=stdin, stdout=log, stderr=log
            )
        until(lambda: self.ready.exists() or self.process.poll() is not None)
        return self

    def loaded(self, *options: str, **how: int) -> Served:
        self.start(*options, **how)
        until(lambda: self.process.poll() is not None or self.ask("GET", "/ping")[0] == 200)
        assert self.process.poll() is None, self.log.read_text()
        return self

    @property
    def port(self) -> int:
        return int(json.loads(self.ready.read_text())["port"])

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        with contextlib.closing(self.connect()) as connection:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    def predict(self, *rows: Any) -> tuple[int, Any]:
        return self.ask("POST", "/invocations", json.dumps({"instances": rows}))

    def raw(self, *parts: bytes) -> bytes:
        """All that is answered to bytes, until the connection is closed."""
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            for part in parts:
                connection.sendall(part)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def begin(self, name: str) -> tuple[threading.Thread, list[tuple[int, Any]]]:
        """A request that is being answered until the file `go` is there."""
        told: list[tuple[int, Any]] = []
        row = {"do": "wait", "name": name, "x": 1}
        thread = threading.Thread(target=lambda: told.append(self.predict(row)))
        thread.start()
        return thread, told

    def begun(self, name: str) -> bool:
        return (self.model / f"begun-{name}").exists()

    def end(self) -> None:
        (self.model / "go").touch()
        self.process.kill()
        self.process.wait()
        if self.process.stdin:
            self.process.stdin.close()


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    made: list[Served] = []

    def one(*given: Any, **constants: Any) -> Served:
        made.append(Served(tmp_path / str(len(made)), *given, **constants))
        return made[-1]

    yield one
    for each in made:
        each.end()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    found = Served(tmp_path_factory.mktemp("served")).loaded("--most-bytes", "100000")
    yield found
    found.end()


def test_predictions_are_the_models_own_to_the_last_bit(served: Served) -> None:
    values = [0.1 * 3**power for power in range(-300, 300, 7)] + [5e-324, -0.0, 2**53 + 1]
    status, answer = served.predict(*({"x": value} for value in values))
    assert status == 200
    assert list(map(repr, answer["predictions"])) == [repr(value * FACTOR) for value in values]


def test_a_connection_is_kept_and_every_form_is_answered_on_it(served: Served) -> None:
    forms = {
        "application/json": b'{"instances": [{"x": 2}]}',
        "application/jsonlines": b'{"x": 2}\n',
        "text/csv; charset=utf-8": b"x\n2\n",
        "image/png": b"\x89P",
    }
    with contextlib.closing(served.connect()) as connection:
        connection.connect()
        first = connection.sock
        for content_type, body in forms.items():
            headers = {"Content-Type": content_type, "Accept": "application/jsonlines"}
            connection.request("POST", "/invocations", body, headers)
            answer = connection.getresponse()
            found = json.loads(answer.read())["prediction"]
            assert (answer.status, answer.getheader("Content-Type")) == (
                200, "application/jsonlines",
            )  # fmt: skip
            assert found == (2 if content_type == "image/png" else 2 * FACTOR)
        assert connection.sock is first


@pytest.mark.parametrize(
    ("rows", "status", "words"),
    [
        ([{"x": 1}, {"y": SECRET}], 400, "row 2: KeyError: 'x' (predict.py, line 33); it lacks: x"),
        ([{"x": None}, {"x": 1}], 400, "refuses row 1: TypeError"),
        ([{"x": 1}, SECRET], 400, "it is text, and others are an object"),
        ([{"do": "few"}, {"do": "few"}], 500, "predict returned 1 values for 2 rows"),
        ([{"do": "memory"}], 500, "predict failed: MemoryError: no more"),
        ([{"do": "exit"}], 500, "SystemExit: exit"),
    ],
)
def test_what_is_not_answered_says_why(
    served: Served, rows: list[Any], status: int, words: str
) -> None:
    served.predict({"x": 1})
    found, answer = served.predict(*rows)
    assert found == status, answer
    assert words in answer["error"]
    assert served.predict({"x": 1})[0] == 200
    assert SECRET not in served.log.read_text()


def test_what_is_no_number_is_null(served: Served) -> None:
    assert served.predict({"do": "nan"}, {"x": 0}) == (200, {"predictions": [None, 0.0]})


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "words"),
    [
        ("GET", "/", {}, 404, "/invocations"),
        ("POST", "/ping", {}, 405, "/ping is asked with GET"),
        ("GET", "/invocations?x=1", {}, 405, "POST"),
        ("POST", "/invocations", {"Content-Type": "text/html"}, 415, "send one of"),
        ("POST", "/invocations", {"Content-Type": "text/csv"}, 400, "it is empty"),
        ("POST", "/invocations", {"Content-Length": "-1"}, 400, "Content-Length"),
        ("POST", "/invocations", {"Content-Length": "1e3"}, 400, "Content-Length"),
        ("POST", "/invocations", {"Content-Length": "100001"}, 413, "at most 100000"),
        ("GET", "/ping", {"Transfer-Encoding": "gzip"}, 400, "chunked"),
        ("GET", "/ping", {"X": "x" * 70_000}, 431, "65536"),
    ],
)
def test_what_is_asked_wrongly_is_told(
    served: Served, method: str, path: str, headers: dict[str, str], status: int, words: str
) -> None:
    found, answer = served.ask(method, path, None, **headers)
    assert found == status
    assert words in answer["error"]


def test_a_body_that_is_too_large_is_answered_and_not_reset(served: Served) -> None:
    # All of it is sent before the answer is read, with and without its length said first.
    assert served.ask("POST", "/invocations", b"x" * 5_000_000)[0] == 413
    chunks = (b"x" * 50_000 for _ in range(100))
    assert served.ask("POST", "/invocations", chunks)[0] == 413
    assert served.ask("POST", "/invocations", iter([b'{"insta', b'nces": []}'])) == (
        200, {"predictions": []},
    )  # fmt: skip


HEAD = b"POST /invocations HTTP/1.1\r\nConnection: close\r\n"


def test_a_body_is_waited_for_where_it_asks_first(served: Served) -> None:
    said = served.raw(HEAD + b"Expect: 100-continue\r\nContent-Length: 17\r\n\r\n{}" + b" " * 15)
    assert said.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400 ")


@pytest.mark.parametrize("body", [b"5\r\n{\r\n0\r\n\r\n", b"-1\r\n{\r\n", b"zz\r\n"])
def test_chunks_that_are_none_are_refused(served: Served, body: bytes) -> None:
    said = served.raw(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + body + b"\r\n" * 4)
    assert said.startswith(b"HTTP/1.1 400 ")
    assert b"not chunked as it says" in said


def test_more_than_its_length_is_no_second_request(served: Served) -> None:
    said = served.raw(b"GET /ping HTTP/1.1\r\nContent-Length: 2\r\n\r\n{} and more\r\n\r\n")
    assert re.findall(rb"HTTP/1.1 (\d+)", said) == [b"200", b"400"]


def test_a_slow_client_holds_nobody_up_and_is_given_up(make: Callable[..., Served]) -> None:
    served = make(_BODY_SECONDS=1.0).loaded()
    with socket.create_connection(("127.0.0.1", served.port)) as slow:
        slow.sendall(HEAD + b"Content-Length: 100\r\n\r\n{")
        assert served.predict({"x": 1})[0] == 200
        said = b"".join(iter(lambda: slow.recv(65536), b""))
    assert said.startswith(b"HTTP/1.1 408 ")


def test_until_it_is_loaded_it_says_so_at_once(make: Callable[..., Served]) -> None:
    served = make("while True: pass\n").start("-P")
    for _ in range(20):
        assert served.ask("GET", "/ping") == (503, {"error": "loading"})
    with contextlib.closing(served.connect()) as connection:
        connection.request("POST", "/invocations", b"{}")
        answer = connection.getresponse()
        assert (answer.status, answer.getheader("Retry-After")) == (503, "1")
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait() == 0


@pytest.mark.parametrize(
    ("predict", "words"),
    [
        ("import pickel\n", "No module named 'pickel'"),
        ("def load(folder): open(folder + '/none')\n", "No such file"),
        ("import sys\ndef load(folder): sys.exit('no licence')\n", "no licence"),
        ("x = 1\n", "has no attribute 'load'"),
    ],
)
def test_a_model_that_does_not_load_ends_it_with_the_reason(
    make: Callable[..., Served], predict: str, words: str
) -> None:
    served = make(predict).start()
    assert served.process.wait() == 1
    failed = json.loads(served.ready.with_name("ready.json.failed").read_text())
    assert words in failed["error"]
    assert "Traceback" in served.log.read_text()


def test_an_example_that_is_not_answered_ends_it(make: Callable[..., Served]) -> None:
    served = make()
    example = served.model / "example.json"
    example.write_text('{"instances": [{"x": 1}, {"y": 1}]}')
    served.start("--example", str(example))
    assert served.process.wait() == 1
    failed = json.loads(served.ready.with_name("ready.json.failed").read_text())
    assert "the example is not answered" in failed["error"]
    example.write_text('{"instances": [{"x": 1}]}')
    served.loaded("--example", str(example))
    assert not served.ready.with_name("ready.json.failed").exists()
    # A row alone is judged by the example.
    assert served.predict({"y": 1})[0] == 400


def test_a_port_that_is_taken_is_told(make: Callable[..., Served], served: Served) -> None:
    other = make().start("--port", str(served.port))
    assert other.process.wait() == 1
    assert (
        "Address already in use"
        in json.loads(other.ready.with_name("ready.json.failed").read_text())["error"]
    )


def test_a_model_that_dies_ends_the_server(make: Callable[..., Served]) -> None:
    served = make().loaded()
    with pytest.raises((ConnectionError, http.client.BadStatusLine)):
        served.predict({"do": "die"})
    assert served.process.wait() == 7


def test_it_ends_on_sigterm_with_what_it_has_begun(make: Callable[..., Served]) -> None:
    served = make().loaded()
    port = served.port
    with contextlib.closing(served.connect()) as idle:
        idle.request("GET", "/ping")
        idle.getresponse().read()
        thread, told = served.begin("a")
        until(lambda: served.begun("a"))
        served.process.terminate()

        def refused() -> bool:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
            except ConnectionError:
                return True
            return False

        until(refused)
        assert not told
        (served.model / "go").touch()
        thread.join()
        assert told == [(200, {"predictions": [FACTOR]})]
        assert served.process.wait() == 0


def test_an_answer_that_does_not_come_does_not_keep_it(make: Callable[..., Served]) -> None:
    served = make(_GRACE_SECONDS=0.2).loaded()
    with socket.create_connection(("127.0.0.1", served.port)) as half:
        half.sendall(HEAD)
        half.sendall(b"Content-Length: 100\r\n\r\n")
        served.ask("GET", "/ping")
        served.process.terminate()
        assert served.process.wait() == 1


def test_it_ends_with_its_parent(make: Callable[..., Served]) -> None:
    served = make().loaded()
    assert served.process.stdin
    served.process.stdin.close()
    assert served.process.wait() == 0
    # In a container, stdin is at its end from the beginning.
    container = make().loaded(stdin=subprocess.DEVNULL)
    assert container.predict({"x": 1})[0] == 200


def test_who_would_wait_too_long_is_told_to_come_again(make: Callable[..., Served]) -> None:
    served = make(_WAITING=1).loaded()
    first, _ = served.begin("a")
    until(lambda: served.begun("a"))
    with contextlib.closing(served.connect()) as second:
        second.request("POST", "/invocations", b'{"instances": [{"x": 1}]}')
        third = until(lambda: (found := served.predict({"x": 1}))[0] == 503 and found)
        assert third[1]["error"] == "busy: 2 requests are being answered or wait"
        assert served.ask("GET", "/ping") == (200, {})
        (served.model / "go").touch()
        assert json.loads(second.getresponse().read()) == {"predictions": [FACTOR]}
    first.join()


def test_the_thread_that_loads_is_the_one_that_predicts(
    make: Callable[..., Served], served: Served
) -> None:
    assert served.predict("thread") == (200, {"predictions": [True]})
    both = make().loaded("--threads", "2")
    threads = [both.begin(name)[0] for name in "ab"]
    until(lambda: both.begun("a") and both.begun("b"))
    (both.model / "go").touch()
    for thread in threads:
        thread.join()
