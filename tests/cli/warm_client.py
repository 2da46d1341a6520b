"""Asks the process of `warm.py` to run a command, and says its exit code. Nothing but the standard
library, so that it stands in for `mlops-iac` in a script.

    python -ISs warm_client.py ADDRESS [WORDS…]
"""

import json
import os
import signal
import socket
import struct
import sys
from collections.abc import Mapping, Sequence

NUMBER = struct.Struct("i")


def ask(
    address: str,
    arguments: Sequence[str],
    folder: str,
    environment: Mapping[str, str],
    streams: Sequence[int],
    seconds: float | None = None,
) -> int | None:
    """The exit code of the command, which has `streams` as stdin, stdout and stderr.

    None: it was killed. Raises TimeoutError where it takes longer than `seconds`, and ends it.
    """
    request = json.dumps([arguments, folder, dict(environment)]).encode()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(address)
        socket.send_fds(connection, [NUMBER.pack(len(request))], streams)
        connection.sendall(request)
        pid = connection.recv(NUMBER.size)
        connection.settimeout(seconds)
        try:
            told = connection.recv(NUMBER.size)
        except TimeoutError:
            os.kill(NUMBER.unpack(pid)[0], signal.SIGKILL)
            raise
    return int(NUMBER.unpack(told)[0]) if told else None


if __name__ == "__main__":
    code = ask(sys.argv[1], sys.argv[2:], os.getcwd(), os.environ, (0, 1, 2))  # noqa: PTH109
    sys.exit(255 if code is None else code)
