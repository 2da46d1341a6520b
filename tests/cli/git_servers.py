"""Servers on this machine that speak git's protocols: `git http-backend` behind TLS, and sshd.

What is git's is done by git; here are only the sockets, who is let in, and how it can go wrong.
"""

from __future__ import annotations

import base64
import getpass
import os
import re
import shutil
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

from mlops_iac.templates import cache

HOST = "127.0.0.1"
_OF_A_USER = (
    "MLOPS_IAC_OFFLINE", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "GIT_ASKPASS", "GIT_SSH",
    "GIT_SSH_VARIANT", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
)  # fmt: skip


def new_user(folder: Path, environment: pytest.MonkeyPatch) -> None:
    """Make this process one of a user with a home of their own, no settings and an empty cache."""
    (folder / "home").mkdir()
    environment.setenv("HOME", str(folder / "home"))
    environment.setenv("MLOPS_IAC_CACHE", str(folder / "cache"))
    environment.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name in _OF_A_USER:
        environment.delenv(name, raising=False)
        environment.delenv(name.upper(), raising=False)
    cache.forget()


class Authority:
    """Certificates of an authority of our own; `path` is what git has to trust."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self.path = folder / "authority.pem"
        self._authority.cert_pem.write_to_path(self.path)

    def context(self, *names: str, expired: bool = False) -> ssl.SSLContext:
        """What a server called `names` shows."""
        yesterday = datetime.now(UTC) - timedelta(days=1)
        issued = self._authority.issue_cert(*names, not_after=yesterday if expired else None)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issued.configure_cert(context)
        return context


@dataclass
class Behaviour:
    """How a server answers; a test changes it between two commands."""

    user: str = ""
    password: str = ""
    redirect: str = ""  # to where it sends everybody
    hangs: str = ""  # in what path it never answers
    drips: bool = False  # whether an answer comes one byte a second
    cut: int = 0  # after how many bytes of a pack it hangs up
    status: int = 0  # what it says instead of an answer
    seen: list[tuple[str, str]] = field(default_factory=list)
    """Path and the name and password that came with it."""
    connections: list[str] = field(default_factory=list)
    """To where a proxy was asked to connect."""


class HttpsServer:
    """The repositories below a folder at `https://127.0.0.1:PORT/NAME`."""

    def __init__(self, root: Path, context: ssl.SSLContext | None) -> None:
        self.behaviour = Behaviour()
        self.ended = threading.Event()
        self.scheme = "https" if context else "http"

        class Handler(_Backend):
            server_ = self

        self.root = root
        self._server = _Quiet((HOST, 0), Handler)
        self.port = self._server.server_address[1]
        if context is not None:
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def url(self, name: str, host: str = HOST) -> str:
        return f"{self.scheme}://{host}:{self.port}/{name}"

    def close(self) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Who hangs up, as who does not trust us, is no news."""


class _Backend(BaseHTTPRequestHandler):
    """One request: a CGI of `git http-backend`."""

    server_: HttpsServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *args: object) -> None: ...

    def _answer(self) -> None:
        asked = self.server_.behaviour
        body = self._body()
        path, _, query = self.path.partition("?")
        name, password = self._credentials()
        asked.seen.append((path, f"{name}:{password}" if name else ""))
        if asked.hangs and asked.hangs in self.path:
            self.server_.ended.wait(60)
            self.close()
        elif asked.status:
            self._say(asked.status)
        elif asked.redirect:
            self._say(302, Location=f"{asked.redirect}{self.path}")
        elif asked.user and (name, password) != (asked.user, asked.password):
            self._say(401, **{"WWW-Authenticate": 'Basic realm="git"'})
        else:
            self._pass_on(*self._backend(path, query, body))

    def close(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _credentials(self) -> tuple[str, str]:
        kind, _, told = self.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "basic":
            return "", ""
        name, _, password = base64.b64decode(told).decode().partition(":")
        return name, password

    def _say(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": "0"}.items():
            self.send_header(key, value)
        self.end_headers()

    def _backend(self, path: str, query: str, body: bytes) -> tuple[list[str], bytes]:
        """Headers and body that git's own CGI answers with."""
        program = Path(_git("--exec-path")) / "git-http-backend"
        asked = {
            "GIT_PROJECT_ROOT": str(self.server_.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "PATH": os.environ["PATH"],
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run([program], input=body, env=asked, capture_output=True, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        return head.decode().split("\r\n"), content

    def _pass_on(self, head: list[str], content: bytes) -> None:
        headers = dict(line.split(": ", 1) for line in head if ": " in line)
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for key, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(key, value)
        self.end_headers()
        asked = self.server_.behaviour
        if asked.cut and b"PACK" in content:
            self.wfile.write(content[: asked.cut])
            self.close()
        elif asked.drips:
            for number in range(len(content)):
                self.wfile.write(content[number : number + 1])
                if self.server_.ended.wait(1):
                    break
            self.close()
        else:
            self.wfile.write(content)


@contextmanager
def https_server(root: Path, context: ssl.SSLContext | None) -> Iterator[HttpsServer]:
    """A server that runs as long as the body; plain HTTP without a context."""
    server = HttpsServer(root, context)
    try:
        yield server
    finally:
        server.close()


@contextmanager
def proxy() -> Iterator[tuple[str, list[str]]]:
    """A proxy that connects to whatever it is asked to; its URL, and what it was asked for."""
    asked: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            host, _, port = self.rfile.readline().split()[1].decode().rpartition(":")
            while self.rfile.readline().strip():
                pass
            asked.append(f"{host}:{port}")
            with socket.create_connection((HOST, int(port))) as there:
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=_pump, args=(there, self.connection), daemon=True)
                back.start()
                _pump(self.connection, there)
                back.join(10)

    with socketserver.ThreadingTCPServer((HOST, 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://{HOST}:{server.server_address[1]}", asked
        server.shutdown()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


# -- ssh --------------------------------------------------------------------------------------
@dataclass
class SshServer:
    """An sshd of the user who runs it. `command` is what GIT_SSH_COMMAND has to be."""

    port: int
    folder: Path

    def url(self, path: Path) -> str:
        return f"ssh://{getpass.getuser()}@{HOST}:{self.port}{path}"

    def command(self, *, key: str = "client", known: str = "known_hosts") -> str:
        options = [
            "-F", os.devnull,
            "-i", str(self.folder / key),
            "-o", f"UserKnownHostsFile={self.folder / known}",
            "-o", f"GlobalKnownHostsFile={os.devnull}",
            "-o", "IdentitiesOnly=yes",
            "-o", "IdentityAgent=none",
        ]  # fmt: skip
        return " ".join(["ssh", *options])


@contextmanager
def ssh_server(folder: Path) -> Iterator[SshServer]:
    """A real sshd on a port of its own; skips, saying so, where there is none that runs."""
    program = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
    if program is None or not shutil.which("ssh") or not shutil.which("ssh-keygen"):
        pytest.skip("there is no OpenSSH server on this machine")
    folder.mkdir(mode=0o700)
    if os.geteuid() == 0:
        with suppress(OSError):  # as the system's service does when it starts
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    for name in ("host", "client", "stranger"):
        _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name))
    shutil.copy(folder / "client.pub", folder / "authorized_keys")
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    host_key = " ".join((folder / "host.pub").read_text().split()[:2])
    stranger = " ".join((folder / "stranger.pub").read_text().split()[:2])
    (folder / "known_hosts").write_text(f"[{HOST}]:{port} {host_key}\n")
    (folder / "changed_hosts").write_text(f"[{HOST}]:{port} {stranger}\n")
    (folder / "config").write_text(
        f"Port {port}\nListenAddress {HOST}\nHostKey {folder}/host\nPidFile none\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\nStrictModes no\nUsePAM no\n"
        "PasswordAuthentication yes\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n"
    )
    log = folder / "log"
    with log.open("wb") as words:
        process = subprocess.Popen(
            [program, "-D", "-e", "-f", str(folder / "config")],
            stderr=words,
            stdin=subprocess.DEVNULL,
        )
    try:
        if not _listens(port, process):
            pytest.skip(f"sshd does not run here: {log.read_text()[-300:]}")
        server = SshServer(port, folder)
        asked = [*server.command().split(), "-p", str(port), f"{getpass.getuser()}@{HOST}", "true"]
        if subprocess.run(asked, check=False, timeout=30, stdin=subprocess.DEVNULL).returncode:
            pytest.skip(f"sshd lets its own user not in: {log.read_text()[-300:]}")
        yield server
    finally:
        process.terminate()
        process.wait(10)


def _listens(port: int, process: subprocess.Popen[bytes]) -> bool:
    until = time.monotonic() + 10
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError), socket.create_connection((HOST, port), 1):
            return True
        time.sleep(0.05)
    return False


def local_ssh(folder: Path) -> str:
    """An `ssh` that runs the command on this machine, as git's own tests have it; its path.

    The host and the command that it was given are written into `folder/asked`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "ssh"
    script.write_text(
        f"#!{sys.executable}\n"
        "import os, pathlib, subprocess, sys\n"
        f"log = pathlib.Path({str(folder / 'asked')!r})\n"
        "with log.open('a') as file:\n"
        "    print(*sys.argv[1:], file=file)\n"
        "if sys.argv[1:2] == ['-G']:\n"
        "    sys.exit(1)\n"
        "os.execvp('sh', ['sh', '-c', sys.argv[-1]])\n"
    )
    script.chmod(0o755)
    return str(script)


# -- users --------------------------------------------------------------------------------------
def credentials(folder: Path, name: str, password: str) -> str:
    """A credential helper of a user: what `credential.helper` says."""
    script = folder / "helper"
    script.write_text(f"#!/bin/sh\necho username={name}\necho password={password}\n")
    script.chmod(0o755)
    return str(script)


def configuration(path: Path, settings: Mapping[str, str]) -> Path:
    """A user's `.gitconfig`."""
    path.touch()
    for key, value in settings.items():
        _run("git", "config", "--file", str(path), "--add", key, value)
    return path


def git_version() -> tuple[int, ...]:
    """`(2, 39)`."""
    found = re.search(r"(\d+)\.(\d+)", _git("--version"))
    assert found is not None
    return int(found[1]), int(found[2])


def _git(*words: str) -> str:
    return _run("git", *words)


def _run(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()
