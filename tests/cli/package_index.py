"""A package index on loopback with small wheels, as PEP 503 describes it; with a password, or without."""

from __future__ import annotations

import base64
import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

USER, PASSWORD = "ci", "pass/w:rd@8064"


@dataclass
class Index:
    """What it has: file name → bytes. `digests`: what its pages say of files, where that is a lie."""

    private: bool = False
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def add(self, name: str, version: str, needs: Sequence[str] = (), tag: str = "py3-none-any", extra: str = "") -> str:  # fmt: skip
        """Publish a wheel with one module; `needs` are its requirements. Its SHA-256."""
        module = name.replace("-", "_")
        info = f"{module}-{version}.dist-info"
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        lines += [f"Provides-Extra: {extra}"] if extra else []
        lines += [f"Requires-Dist: {each}" for each in needs]
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as wheel:
            for path, text in (
                (f"{module}.py", f"VERSION = {version!r}\n"),
                (f"{info}/METADATA", "\n".join(lines) + "\n"),
                (f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n"),
                (f"{info}/RECORD", ""),
            ):
                wheel.writestr(zipfile.ZipInfo(path), text)
        self.files[f"{module}-{version}-{tag}.whl"] = content.getvalue()
        return hashlib.sha256(content.getvalue()).hexdigest()

    def answer(self, path: str, authorization: str) -> tuple[int, str, bytes]:
        self.asked.append(path)
        expected = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.private and authorization != expected:
            return 401, "text/plain", b"who are you?"
        if path.endswith(".metadata"):  # PEP 658
            wheel = zipfile.ZipFile(
                io.BytesIO(self.files[path[len("/files/") : -len(".metadata")]])
            )
            [name] = [each for each in wheel.namelist() if each.endswith("/METADATA")]
            return 200, "text/plain", wheel.read(name)
        if path.startswith("/files/"):
            found = self.files.get(path.removeprefix("/files/"))
            return (
                (200, "application/zip", found) if found is not None else (404, "text/plain", b"")
            )
        name = path.removeprefix("/simple/").strip("/").replace("-", "_")
        links = "".join(
            f'<a href="/files/{file}#sha256={hashlib.sha256(data).hexdigest()}" data-core-metadata="true">{file}</a>\n'
            for file, data in self.files.items()
            if file.startswith(f"{name}-")
        )
        page = f"<!DOCTYPE html><html><body>{links}</body></html>"
        return (200, "text/html", page.encode()) if links else (404, "text/plain", b"")


@contextmanager
def serving(index: Index) -> Iterator[Index]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, data = index.answer(self.path, self.headers.get("Authorization", ""))
            self.send_response(status)
            if status == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="index"')
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *arguments: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    index.url = f"http://127.0.0.1:{server.server_address[1]}/simple"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield index
    finally:
        server.shutdown()
        server.server_close()
