"""A process that has imported what commands import, and forks for each command that is run.

The tests run some two thousand commands, and most of what one takes is the import of SDKs. What is
forked is a process of its own all the same, with its own environment, folder, streams and exit
code; it tells what it imported, and those after it have that. What has to begin as a user's command
does, because of what it imports or may not import, is begun by `Cli.start`.

Programs that the real Pulumi CLI runs are forked from it too (`python`).
"""

from __future__ import annotations

import atexit
import functools
import importlib
import json
import os
import runpy
import select
import shlex
import shutil
import socket
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

from mlops_iac.engine import plugin_path
from tests.cli import warm_client
from tests.cli.warm_client import NUMBER

ROOT = Path(__file__).resolve().parents[2]
# Read when an interpreter begins: with others of these a command gets an interpreter of its own.
_BEGINNING = ("PYTHON", "LC_", "LANG", "TZ")
# Elsewhere the system's libraries do not outlive a fork, or there is none.
_CAN_FORK = sys.platform == "linux"


def fits(environment: Mapping[str, str]) -> bool:
    """Whether an interpreter that has begun can stand for one with these variables."""

    def beginning(variables: Mapping[str, str]) -> dict[str, str]:
        return {key: text for key, text in variables.items() if key.startswith(_BEGINNING)}

    return _CAN_FORK and beginning(environment) == beginning(os.environ)


def run(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str], seconds: float
) -> tuple[int, str, str]:
    """The command's exit code, and what it says on stdout and on stderr."""
    with (
        open(os.devnull, "rb") as nothing,  # noqa: PTH123 - no path
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        streams = [each.fileno() for each in (nothing, out, err)]
        code = warm_client.ask(_address(), arguments, str(folder), environment, streams, seconds)
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read().decode())
    assert code is not None, f"{arguments}: the process was killed\n{texts[1]}"
    return code, texts[0], texts[1]


def on_path() -> str:
    """A PATH with an `mlops-iac` for scripts that runs warm, before what this interpreter has."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    if not _CAN_FORK:
        return path
    script = _script("mlops-iac", f'#!/bin/sh\nexec {_client()} "$@"\n')
    return f"{script.parent}{os.pathsep}{path}"


# The language host of the real CLI asks pip what is installed before every operation, twice as long
# as a small program takes; in an environment that stays as it is, the first answer holds. A program
# whose path of modules is the test's own gets an interpreter of its own.
_PYTHON = """\
#!/bin/sh
case "$1 $2" in
"-m pip" | "-c "*importlib.metadata*)
  told={folder}/$(printf %s "$*" | cksum | tr ' ' -)
  if [ ! -e "$told" ]; then
    {python} "$@" > "$told.$$" || exit
    mv "$told.$$" "$told"
  fi
  exec cat "$told" ;;
*/pulumi-language-python-exec" "*)
  case "$PYTHONPATH" in "" | {path}) exec {client} "$@" ;; esac ;;
esac
exec {python} "$@"
"""


def python() -> str:
    """An interpreter for the real Pulumi CLI (`PULUMI_PYTHON_CMD`)."""
    if not _CAN_FORK:
        return sys.executable
    folder, path = Path(_address()).parent, plugin_path.__path__[0]
    words = {"folder": folder, "python": sys.executable, "path": path}
    quoted = {name: shlex.quote(str(word)) for name, word in words.items()}
    return str(_script("python", _PYTHON.format(**quoted, client=_client())))


def _client() -> str:
    return shlex.join([sys.executable, "-ISs", warm_client.__file__, _address()])


def _script(name: str, text: str) -> Path:
    script = Path(_address()).with_name(name)
    script.write_text(text, encoding="utf-8")
    script.chmod(0o755)
    return script


@functools.cache
def _address() -> str:
    """Where the process listens; it ends with this one."""
    folder = tempfile.mkdtemp(prefix="warm-")  # such an address has at most 107 characters
    address = str(Path(folder, "socket"))
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(address)
        listening.listen(64)
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.cli.warm", str(listening.fileno())],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            pass_fds=[listening.fileno()],
        )

    def end() -> None:
        process.communicate()
        shutil.rmtree(folder)

    atexit.register(end)
    return address


# -- in that process


def _serve(listening: socket.socket) -> None:
    import mlops_iac.cli  # noqa: F401 - for those to come
    from mlops_iac.engine.embedded import lazy_sdk

    lazy_sdk.install()
    known = 0
    with tempfile.TemporaryFile("ab+", buffering=0) as imported:
        while sys.stdin not in select.select([sys.stdin, listening], [], [])[0]:
            connection, _ = listening.accept()
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            names = os.pread(imported.fileno(), 1 << 24, known)
            known += len(names)
            for name in dict.fromkeys(names.decode().split()):
                with suppress(Exception):  # it is imported where it is needed, and fails there
                    importlib.import_module(name)
            with connection:
                size, streams, _, _ = socket.recv_fds(connection, NUMBER.size, 3)
                request = connection.recv(NUMBER.unpack(size)[0], socket.MSG_WAITALL)
                if os.fork() == 0:
                    listening.close()
                    _command(*json.loads(request), streams, connection, imported)
            for each in streams:
                os.close(each)


def _command(
    arguments: list[str],
    folder: str,
    environment: dict[str, str],
    streams: list[int],
    reply: socket.socket,
    imported: BinaryIO,
) -> None:
    reply.sendall(NUMBER.pack(os.getpid()))
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        os.dup2(streams[number], number)
        os.close(streams[number])
        old = getattr(sys, name)
        new = os.fdopen(number, old.mode, encoding=old.encoding, errors=old.errors)
        setattr(sys, name, new)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    script = arguments[0] if arguments and Path(arguments[0]).is_absolute() else ""
    sys.argv = arguments if script else ["mlops-iac", *arguments]
    sys.path[0] = str(Path(script).parent) if script else folder  # as `python -m` has it
    before = set(sys.modules)
    code = 1
    try:
        if script:
            # The language host ends a program by ending what it has started: who asked for it.
            threading.Thread(target=_end_with, args=(reply,), daemon=True).start()
            runpy.run_path(script, run_name="__main__")
        else:
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
        with suppress(BrokenPipeError):
            stream.flush()
    names = _installed(name for name in [*sys.modules] if name not in before)
    imported.write("".join(f"{name} " for name in names).encode())
    reply.sendall(NUMBER.pack(code))
    os._exit(0)


def _end_with(asking: socket.socket) -> None:
    asking.recv(1)
    os._exit(1)


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
