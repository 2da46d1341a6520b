"""A process that has imported what commands import, and forks for each command that is run.

The tests run some two thousand commands, and most of what one takes is the import of SDKs. What is
forked is a process of its own all the same, with its own environment, folder, streams and exit
code; it tells what it imported, and those after it have that. What has to begin as a user's command
does, because of what it imports or may not import, is begun by `Cli.start`.
"""

from __future__ import annotations

import atexit
import functools
import importlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import sysconfig
import tempfile
import threading
import traceback
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

ROOT = Path(__file__).resolve().parents[2]
# Read when an interpreter begins: with others of these a command gets an interpreter of its own.
_BEGINNING = ("PYTHON", "LC_", "LANG", "TZ")
_NUMBER = struct.Struct("i")


def fits(environment: Mapping[str, str]) -> bool:
    """Whether an interpreter that has begun can stand for one with these variables."""

    def beginning(variables: Mapping[str, str]) -> dict[str, str]:
        return {key: text for key, text in variables.items() if key.startswith(_BEGINNING)}

    return beginning(environment) == beginning(os.environ)


def run(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str], seconds: float
) -> tuple[int, str, str]:
    """The command's exit code, and what it says on stdout and on stderr."""
    parent, lock = _parent()
    request = json.dumps([arguments, str(folder), dict(environment)]).encode()
    ours, theirs = socket.socketpair()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, ours:
        with theirs, lock:
            fds = [out.fileno(), err.fileno(), theirs.fileno()]
            socket.send_fds(parent, [_NUMBER.pack(len(request))], fds)
            parent.sendall(request)
        pid = _NUMBER.unpack(ours.recv(_NUMBER.size))[0]
        ours.settimeout(seconds)
        try:
            told = ours.recv(_NUMBER.size)
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(arguments, seconds) from None
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read().decode())
    assert told, f"{arguments}: the process was killed\n{texts[1]}"
    return _NUMBER.unpack(told)[0], texts[0], texts[1]


@functools.cache
def _parent() -> tuple[socket.socket, threading.Lock]:
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", "tests.cli.warm", str(theirs.fileno())]
    process = subprocess.Popen(command, cwd=ROOT, pass_fds=[theirs.fileno()])
    theirs.close()

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours, threading.Lock()


# -- in that process


def _serve(requests: socket.socket) -> None:
    import mlops_iac.cli  # noqa: F401 - for those to come
    from mlops_iac.engine.embedded import lazy_sdk

    lazy_sdk.install()
    known = 0
    with tempfile.TemporaryFile("ab+", buffering=0) as imported:
        while True:
            size, fds, _, _ = socket.recv_fds(requests, _NUMBER.size, 3)
            if not size:
                return
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            names = os.pread(imported.fileno(), 1 << 24, known)
            known += len(names)
            for name in dict.fromkeys(names.decode().split()):
                importlib.import_module(name)
            request = requests.recv(_NUMBER.unpack(size)[0], socket.MSG_WAITALL)
            if os.fork() == 0:
                requests.close()
                _command(*json.loads(request), fds, imported)
            for each in fds:
                os.close(each)


def _command(
    arguments: list[str],
    folder: str,
    environment: dict[str, str],
    fds: list[int],
    imported: BinaryIO,
) -> None:
    out, err, reply = fds
    for given, stream in ((out, 1), (err, 2)):
        os.dup2(given, stream)
        os.close(given)
    os.write(reply, _NUMBER.pack(os.getpid()))
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["mlops-iac", *arguments]
    sys.path[0] = folder  # as `python -m` has it
    before = set(sys.modules)
    code = 1
    try:
        from mlops_iac.cli import main

        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    # What an interpreter does at its end, but for taking apart what was imported.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    names = _installed(name for name in [*sys.modules] if name not in before)
    imported.write("".join(f"{name} " for name in names).encode())
    os.write(reply, _NUMBER.pack(code))
    os._exit(0)


def _installed(names: Iterable[str]) -> list[str]:
    """Those of the modules that are the product's or a package's, and no project's."""
    places = (str(ROOT / "src"), sysconfig.get_path("stdlib"))
    files = {name: vars(sys.modules[name]).get("__file__") or "" for name in names}
    return [
        name
        for name, file in files.items()
        if file.startswith(places) or f"{os.sep}site-packages{os.sep}" in file
    ]


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
