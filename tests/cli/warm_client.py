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


class Forked:
    """A process that was forked for these words, with `streams` as stdin, stdout and stderr."""

    returncode: int | None = None

    def __init__(
        self,
        address: str,
        words: Sequence[str],
        folder: str,
        environment: Mapping[str, str],
        streams: Sequence[int],
    ) -> None:
        request = json.dumps([words, folder, dict(environment)]).encode()
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.connect(address)
        socket.send_fds(self._connection, [NUMBER.pack(len(request))], streams)
        self._connection.sendall(request)
        self.pid = NUMBER.unpack(self._connection.recv(NUMBER.size))[0]

    def wait(self, seconds: float | None = None) -> int:
        """Its exit code; -9 where it was killed. Raises TimeoutError where it takes longer."""
        if self.returncode is None:
            self._connection.settimeout(seconds)
            told = self._connection.recv(NUMBER.size)
            self._connection.close()
            self.returncode = NUMBER.unpack(told)[0] if told else -signal.SIGKILL
        return self.returncode

    def poll(self) -> int | None:
        """Its exit code, or None while it runs."""
        try:
            return self.wait(0)
        except BlockingIOError:
            return None

    def kill(self) -> None:
        """End it at once."""
        os.kill(self.pid, signal.SIGKILL)


if __name__ == "__main__":
    forked = Forked(sys.argv[1], sys.argv[2:], os.getcwd(), os.environ, (0, 1, 2))  # noqa: PTH109
    sys.exit(forked.wait() & 255)
