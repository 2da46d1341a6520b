"""Moto on a port of its own, one request at a time; prints the port once it listens.

    python tests/oracles/moto_in_order.py

Moto's server takes requests in threads over dictionaries without locks, and its services import one
another on first use. A provider that sends twenty requests at once finds a race in that sooner or
later; what it creates does not depend on it. The port is bound before it is told, so that nobody
else can have taken it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server


def in_order(application: Callable[..., Iterable[bytes]]) -> Callable[..., list[bytes]]:
    """The application, asked by one request at a time."""
    lock = threading.Lock()

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        with lock:
            return list(application(environ, start_response))

    return serve


def main() -> None:
    # Threads, as a client may open a connection long before it asks something.
    server = make_server(
        "127.0.0.1", 0, in_order(DomainDispatcherApplication(create_backend_app)), threaded=True
    )
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
