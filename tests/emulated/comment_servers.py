"""Four platforms' comment APIs on loopback, as their published documentation describes them.

Paths, pages, authentication headers and status codes are theirs; what is kept is a list in memory.
`Platform.faults` answers chosen requests otherwise: a status, headers, or not at all.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "tok-3f9c1d7e5b2a8064"
ME, OTHER = "github-actions[bot]", "mallory"
PAGE = 3


@dataclass
class Entry:
    id: int
    body: str
    author: str


@dataclass
class Fault:
    """What a request gets instead; `times` of them. `after`: done first, then answered so."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: str = "{}"
    times: int = 1
    method: str = ""
    path: str = ""
    sleep: float = 0.0
    after: bool = False
    drip: bool = False


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    json: Any


@dataclass
class Platform:
    """One pull request on one platform."""

    name: str
    entries: list[Entry] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    on_create: Callable[[Platform], None] | None = None
    url: str = ""
    next_id: int = 100
    tells_identity: bool = True
    lock: Any = field(default_factory=threading.RLock)

    def add(self, body: str, author: str = ME) -> Entry:
        with self.lock:
            entry = Entry(self.next_id, body, author)
            self.next_id += 1
            self.entries.append(entry)
            return entry

    def find(self, id_: int) -> Entry | None:
        return next((entry for entry in self.entries if entry.id == id_), None)

    def methods(self) -> list[str]:
        return [request.method for request in self.requests]

    def answer(self, request: Request) -> tuple[int, dict[str, str], Any]:
        with self.lock:
            return getattr(self, self.name.replace("-", "_"))(request)

    # -- https://docs.github.com/en/rest/issues/comments

    def github(self, request: Request) -> tuple[int, dict[str, str], Any]:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, {}, {"message": "Bad credentials", "status": "401"}
        if request.headers.get("x-github-api-version") != "2022-11-28":
            return 400, {}, {"message": "version"}
        if request.path == "/graphql" and request.method == "POST":
            assert request.json == {"query": "{viewer{login}}"}
            return 200, {}, {"data": {"viewer": {"login": ME}}}
        shown = lambda entry: {  # noqa: E731
            "id": entry.id,
            "body": entry.body,
            "user": {"login": entry.author, "type": "Bot"},
            "html_url": f"https://github.com/o/r/pull/7#issuecomment-{entry.id}",
        }
        if request.path == "/repos/o/r/issues/7/comments":
            if request.method == "POST":
                if len(request.json["body"]) > 65536:
                    return 422, {}, {"message": "Validation Failed: body is too long"}
                return 201, {}, shown(self.created(request.json["body"]))
            page, size = int(request.query.get("page", 1)), int(request.query["per_page"])
            assert size == 100
            items = self.entries[(page - 1) * PAGE : page * PAGE]
            headers = {}
            if page * PAGE < len(self.entries):
                base = f"{self.url}{request.path}?per_page={size}"
                headers["Link"] = (
                    f'<{base}&page=1>; rel="first", <{base}&page={page + 1}>; rel="next"'
                )
            return 200, headers, [shown(entry) for entry in items]
        match = re.fullmatch(r"/repos/o/r/issues/comments/(\d+)", request.path)
        if match and request.method == "PATCH":
            return self.rewritten(int(match[1]), request.json["body"], shown, anyone=True)
        return 404, {}, {"message": "Not Found"}

    # -- https://docs.gitlab.com/api/notes

    def gitlab(self, request: Request) -> tuple[int, dict[str, str], Any]:
        if request.headers.get("private-token") != TOKEN:
            return 401, {}, {"message": "401 Unauthorized"}
        ids = {ME: 11, OTHER: 22}
        if request.path == "/user":
            return 200, {}, {"id": 11, "username": "project_1_bot"}
        shown = lambda entry: {  # noqa: E731
            "id": entry.id,
            "body": entry.body,
            "system": entry.author == "system",
            "author": {"id": ids.get(entry.author, 0)},
        }
        notes = "/projects/group%2Fsub%2Fproject/merge_requests/7/notes"
        if request.path == notes:
            if request.method == "POST":
                return 201, {}, shown(self.created(request.json["body"]))
            page = int(request.query["page"])
            assert (request.query["sort"], request.query["per_page"]) == ("asc", "100")
            more = str(page + 1) if page * PAGE < len(self.entries) else ""
            items = self.entries[(page - 1) * PAGE : page * PAGE]
            return 200, {"X-Next-Page": more}, [shown(entry) for entry in items]
        match = re.fullmatch(re.escape(notes) + r"/(\d+)", request.path)
        if match and request.method == "PUT":
            return self.rewritten(int(match[1]), request.json["body"], shown, anyone=True)
        return 404, {}, {"message": "404 Not found"}

    # -- https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-threads

    def azure_devops(self, request: Request) -> tuple[int, dict[str, str], Any]:
        personal = "Basic " + base64.b64encode(f":{TOKEN}".encode()).decode()
        if request.headers.get("authorization") not in (f"Bearer {TOKEN}", personal):
            return 203, {"Content-Type": "text/html"}, "<html>Sign in</html>"
        if request.path == "/_apis/connectionData":
            return (
                (200, {}, {"authenticatedUser": {"id": "ME-ID"}})
                if self.tells_identity
                else (403, {}, {"message": "no"})
            )
        if request.query.get("api-version") != "7.1":
            return 400, {}, {"message": "No api-version was supplied"}
        ids = {ME: "me-id", OTHER: "other-id"}
        comment = lambda entry: {  # noqa: E731
            "id": 1,
            "content": entry.body,
            "author": {"id": ids.get(entry.author, "")},
        }
        thread = lambda entry: {  # noqa: E731
            "id": entry.id,
            "isDeleted": False,
            "comments": [comment(entry)],
            "status": "closed",
        }
        threads = "/My%20Project/_apis/git/repositories/r-id/pullRequests/7/threads"
        if request.path == threads:
            if request.method == "POST":
                (first,) = request.json["comments"]
                assert request.json["status"] == 4
                assert (first["parentCommentId"], first["commentType"]) == (0, 1)
                return 200, {}, thread(self.created(first["content"]))
            value: list[Any] = [thread(entry) for entry in self.entries]
            return 200, {}, {"value": [{"id": 1, "comments": []}, *value], "count": len(value)}
        match = re.fullmatch(re.escape(threads) + r"/(\d+)/comments/1", request.path)
        if match and request.method == "PATCH":
            return self.rewritten(int(match[1]), request.json["content"], comment, anyone=False)
        return 404, {}, {"message": "TF401180: The requested pull request was not found."}

    # -- https://developer.atlassian.com/cloud/bitbucket/rest/api-group-pullrequests

    def bitbucket(self, request: Request) -> tuple[int, dict[str, str], Any]:
        personal = "Basic " + base64.b64encode(f"me:{TOKEN}".encode()).decode()
        if request.headers.get("authorization") not in (f"Bearer {TOKEN}", personal):
            return 401, {}, {"type": "error", "error": {"message": "Access token expired."}}
        if request.path == "/user":
            if self.tells_identity:
                return 200, {}, {"uuid": "{me}"}
            return 403, {}, {"type": "error", "error": {"message": "no"}}
        ids = {ME: "{me}", OTHER: "{other}"}
        shown = lambda entry: {  # noqa: E731
            "id": entry.id,
            "content": {"raw": entry.body, "markup": "markdown"},
            "user": {"uuid": ids.get(entry.author, "")},
            "deleted": False,
        }
        comments = "/repositories/ws/repo/pullrequests/7/comments"
        if request.path == comments:
            if request.method == "POST":
                return 201, {}, shown(self.created(request.json["content"]["raw"]))
            page = int(request.query.get("page", 1))
            data: dict[str, Any] = {
                "values": [shown(e) for e in self.entries[(page - 1) * PAGE : page * PAGE]]
            }
            if page * PAGE < len(self.entries):
                data["next"] = f"{self.url}{comments}?pagelen=100&page={page + 1}"
            return 200, {}, data
        match = re.fullmatch(re.escape(comments) + r"/(\d+)", request.path)
        if match and request.method == "PUT":
            body = request.json["content"]["raw"]
            return self.rewritten(int(match[1]), body, shown, anyone=False)
        return 404, {}, {"type": "error", "error": {"message": "not found"}}

    def created(self, body: str) -> Entry:
        if self.on_create is not None:
            hook, self.on_create = self.on_create, None
            hook(self)
        return self.add(body)

    def rewritten(
        self, id_: int, body: str, shown: Callable[[Entry], Any], *, anyone: bool
    ) -> tuple[int, dict[str, str], Any]:
        entry = self.find(id_)
        if entry is None:
            return 404, {}, {"message": "Not Found"}
        if entry.author != ME and not anyone:
            return 403, {}, {"message": "you are not the author"}
        entry.body = body
        return 200, {}, shown(entry)


@contextmanager
def serving(platform: Platform) -> Iterator[Platform]:
    """The platform on a port of its own; requests are recorded."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length", 0))
            content = self.rfile.read(length)
            request = Request(
                self.command,
                parts.path,
                {key: values[0] for key, values in parse_qs(parts.query).items()},
                {key.lower(): value for key, value in self.headers.items()},
                json.loads(content) if content else None,
            )
            platform.requests.append(request)
            fault = next(
                (
                    fault
                    for fault in platform.faults
                    if fault.times > 0
                    and fault.method in ("", request.method)
                    and fault.path in request.path
                ),
                None,
            )
            if fault is None:
                status, headers, data = platform.answer(request)
                self.reply(status, headers, data if isinstance(data, str) else json.dumps(data))
                return
            fault.times -= 1
            if fault.after:
                platform.answer(request)
            if fault.sleep:
                time.sleep(fault.sleep)
            if fault.drip:
                self.drip()
            elif fault.status:
                self.reply(fault.status, fault.headers, fault.body)
            else:
                self.close_connection = True

        def reply(self, status: int, headers: dict[str, str], body: str) -> None:
            content = body.encode()
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def drip(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "1000000")
            self.end_headers()
            for _ in range(1000):
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(0.1)
            self.close_connection = True

        def do_GET(self) -> None:
            self.handle_any()

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the library's names

        def log_message(self, *arguments: Any) -> None:
            pass

        def handle(self) -> None:
            with suppress(ConnectionError, ValueError):
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    platform.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield platform
    finally:
        server.shutdown()
        server.server_close()
