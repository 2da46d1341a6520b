"""A process that has imported what commands import, and forks for each command that is run.

The tests run some two thousand commands, and most of what one takes is the import of SDKs, and what
is read and looked up the first time. What is forked is a process of its own all the same, with its
own environment, folder, streams and exit code; it tells what it imported, and those after it have
that. What has to begin as a user's command does, because of what it imports or may not import, is
begun by `Cli.start`.

Programs that the real Pulumi CLI runs are forked from it too (`python`).
An emulated cloud that such a command starts is forked, too, from a process that has imported moto
and made its services. It has the command line of one that was started, by which it is ended.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import gc
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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, BinaryIO

from mlops_iac.engine import plugin_path
from tests.cli import warm_client
from tests.cli.warm_client import NUMBER, Forked

ROOT = Path(__file__).resolve().parents[2]
# Read when an interpreter begins: with others of these a command gets an interpreter of its own.
_BEGINNING = ("PYTHON", "LC_", "LANG", "TZ")
# Elsewhere the system's libraries do not outlive a fork, or there is none.
_CAN_FORK = sys.platform == "linux"
# Behind the address for commands: where emulators are asked for.
_EMULATORS = "-of-emulators"
# Whose models botocore reads for a deployment: JSON of megabytes.
_SERVICES = (
    "application-autoscaling", "budgets", "cloudwatch", "events", "iam", "kms", "lambda", "logs",
    "s3", "sagemaker", "scheduler", "sns", "sqs", "sts",
)  # fmt: skip
# How many bytes the command line of an emulator takes at most.
_WORDS = 4096


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
        forked = Forked(_address(), arguments, str(folder), environment, streams)
        try:
            code = forked.wait(seconds)
        except TimeoutError:
            forked.kill()
            raise
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read().decode())
    assert code >= 0, f"{arguments}: the process was killed\n{texts[1]}"
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
    with socket.socket(socket.AF_UNIX) as commands, socket.socket(socket.AF_UNIX) as emulators:
        for listening, place in ((commands, address), (emulators, address + _EMULATORS)):
            listening.bind(place)
            listening.listen(64)
        numbers = (commands.fileno(), emulators.fileno())
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.cli.warm", *map(str, numbers), address, " " * _WORDS],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            pass_fds=numbers,
        )

    def end() -> None:
        process.communicate()
        shutil.rmtree(folder)

    atexit.register(end)
    return address


# -- in that process


def _serve(listening: socket.socket, emulators: socket.socket, address: str) -> None:
    import mlops_iac.cli  # noqa: F401 - for those to come
    from mlops_iac.emulators.common import server
    from mlops_iac.engine.embedded import lazy_sdk

    lazy_sdk.install()
    with suppress(Exception):  # what cannot be done fails where a test asks for it
        _work_once()
    server._begun = functools.partial(_begun, server._begun, address + _EMULATORS)  # type: ignore[assignment]
    known = 0
    with tempfile.TemporaryFile("ab+", buffering=0) as imported:
        for ready in _asked(listening, emulators):
            if ready is emulators:
                if os.fork() == 0:
                    listening.close()
                    _serve_emulators(emulators)
                    os._exit(0)
                emulators.close()
                continue
            names = os.pread(imported.fileno(), 1 << 24, known)
            known += len(names)
            for name in dict.fromkeys(names.decode().split()):
                with suppress(Exception):  # it is imported where it is needed, and fails there
                    importlib.import_module(name)
            _fork(listening, functools.partial(_command, imported))


def _work_once() -> None:
    """What the first command of a process imports, reads and looks up, for all to come."""
    import mlops_iac
    from mlops_iac.emulators.aws import clients

    with tempfile.TemporaryDirectory() as folder:
        ignore = shutil.ignore_patterns(".mlops-iac", "stacks")
        example = ROOT / "examples" / "schedule-adherence"
        copy = shutil.copytree(example, f"{folder}/project", ignore=ignore)
        project = mlops_iac.load(Path(copy) / "blueprint.yaml")
        project.compile()
        project.preview("local")
    nowhere = clients.Clients("http://127.0.0.1:9", "eu-west-1", "")
    for service in _SERVICES:
        clients.service_model(service)
        nowhere.get(service)


def _serve_emulators(listening: socket.socket) -> None:
    from mlops_iac.emulators.aws.server import AwsServer

    os.environ.update(AwsServer.variables)
    from moto.moto_api._internal import mock_random

    from mlops_iac.emulators.aws import moto_process

    moto_process.warm()

    def emulator(arguments: list[str], *_: object) -> int:
        os.setsid()
        _name(["-P", *arguments])
        mock_random.seed()
        sys.argv = arguments[1:]
        moto_process.main()
        return 0

    for _ in _asked(listening):
        _fork(listening, emulator)


def _asked(*listening: socket.socket) -> Iterator[socket.socket]:
    """Those on which somebody asks, until there are no more tests. Ended ones are collected."""
    while True:
        open_ones = [each for each in listening if each.fileno() >= 0]
        ready = select.select([sys.stdin, *open_ones], [], [])[0]
        if sys.stdin in ready:
            return
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        yield from ready


def _fork(listening: socket.socket, work: Callable[[list[str], str, socket.socket], int]) -> None:
    """Do what is asked in a process of its own: `work` gets words, folder, and who asks."""
    connection, _ = listening.accept()
    with connection:
        size, streams, _, _ = socket.recv_fds(connection, NUMBER.size, 3)
        request = connection.recv(NUMBER.unpack(size)[0], socket.MSG_WAITALL)
        gc.freeze()  # no search for garbage in there goes through what is here
        if os.fork() == 0:
            listening.close()
            connection.sendall(NUMBER.pack(os.getpid()))
            arguments, folder, environment = json.loads(request)
            _become(folder, environment, streams)
            connection.sendall(NUMBER.pack(work(arguments, folder, connection)))
            os._exit(0)
    for each in streams:
        os.close(each)


def _become(folder: str, environment: dict[str, str], streams: list[int]) -> None:
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        os.dup2(streams[number], number)
        os.close(streams[number])
        old = getattr(sys, name)
        new = os.fdopen(number, old.mode, encoding=old.encoding, errors=old.errors)
        setattr(sys, name, new)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)


def _command(imported: BinaryIO, arguments: list[str], folder: str, asking: socket.socket) -> int:
    script = arguments[0] if arguments and Path(arguments[0]).is_absolute() else ""
    sys.argv = arguments if script else ["mlops-iac", *arguments]
    sys.path[0] = str(Path(script).parent) if script else folder  # as `python -m` has it
    before = set(sys.modules)
    code = 1
    try:
        if script:
            # The language host ends a program by ending what it has started: who asked for it.
            threading.Thread(target=_end_with, args=(asking,), daemon=True).start()
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
    return code


def _begun(
    start: Callable[..., Any],
    address: str,
    words: Sequence[str],
    environment: Mapping[str, str],
    output: IO[bytes],
) -> Any:
    """`_begun` of `emulators/common/server.py`, forked where it is moto."""
    if "mlops_iac.emulators.aws.moto_process" not in words:
        return start(words, environment, output)
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - no path
        streams = (nothing.fileno(), output.fileno(), output.fileno())
        return Forked(address, words, "/", environment, streams)


def _name(words: list[str]) -> None:
    """Put the words behind the interpreter in the command line of this process (proc(5))."""
    start, end = map(int, Path("/proc/self/stat").read_text().rpartition(")")[2].split()[45:47])
    line = b"".join(os.fsencode(word) + b"\0" for word in [sys.executable, *words])
    assert len(line) <= end - start, words
    ctypes.memmove(start, line.ljust(end - start, b"\0"), end - start)


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
    _serve(*(socket.socket(fileno=int(number)) for number in sys.argv[1:3]), sys.argv[3])
