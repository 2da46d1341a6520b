"""Asks a model for rows through the four handlers, in a process of its own.

    python -m PACKAGE.tryout MODEL ROWS TOLD

`MODEL` is the folder that a version's archive was unpacked to, whose `code/` is on the path; `ROWS` has
`rows` to try and a `reference`, more of them whose answers are only kept. `TOLD` always says what goes on: `{"doing": "import" | "load" | "predict", "since": time}`,
at the end with `error` or with what was `found`. Whoever started the process ends it where it hangs.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from . import contract
from .forms import JSON, LINES

# Of a call for the reference, and of all: a slow model has a reference without predictions.
_CALL_SECONDS, _REFERENCE_SECONDS = 5.0, 60.0
_MOST_AT_ONCE = 500


class _Told:
    """What whoever started this reads; whole at any time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._doing = "import"

    def doing(self, stage: str) -> None:
        self._doing = stage
        self.write()

    def write(self, **more: Any) -> None:
        text = json.dumps({"doing": self._doing, "since": time.time(), **more})
        new = self._path.with_suffix(".new")
        new.write_text(text, encoding="utf-8")
        new.replace(self._path)


def serve(model: str, rows: list[Any], reference: list[Any], told: _Told) -> dict[str, Any]:
    """Every row at once, then the last one alone, each as JSON and as lines; then the reference.

    Raises what the workload's code raises.
    """
    told.doing("import")
    module = importlib.import_module("predict")
    for name in contract.FUNCTIONS:
        getattr(module, name)
    handlers = importlib.import_module("inference")
    told.doing("load")
    began = time.perf_counter()
    loaded = handlers.model_fn(model)
    load_seconds = time.perf_counter() - began
    answers: list[dict[str, Any]] = []
    for asked in (rows, rows[-1:]) if rows else ():
        for kind in (JSON, LINES):
            body = _body(asked, kind)
            told.doing("predict")
            began = time.perf_counter()
            predictions = handlers.predict_fn(handlers.input_fn(body, kind), loaded)
            answer, _ = handlers.output_fn(predictions, kind)
            seconds = time.perf_counter() - began
            answers.append({"seconds": seconds, "predictions": _read(answer, kind)})
    quick = len(rows) / max(answers[0]["seconds"], 1e-3) if answers else 0.0

    def ask(some: list[Any]) -> list[Any]:
        told.doing("predict")
        body = _body(some, JSON)
        answer, _ = handlers.output_fn(
            handlers.predict_fn(handlers.input_fn(body, JSON), loaded), JSON
        )
        return _read(answer, JSON)

    return {
        "load_seconds": load_seconds,
        "answers": answers,
        "reference": _kept(reference, ask, int(quick * _CALL_SECONDS)),
        "python": platform.python_version(),
        "packages": _packages(),
    }


def _kept(rows: list[Any], ask: Callable[[list[Any]], list[Any]], at_once: int) -> list[Any]:
    """The answers, None where there is none: rows that predict refuses, or too late."""
    size = min(max(at_once, 1), _MOST_AT_ONCE)
    found: list[Any] = []
    late = time.monotonic() + _REFERENCE_SECONDS
    for start in range(0, len(rows), size):
        some = rows[start : start + size]
        answered: list[Any] = []
        if time.monotonic() < late:
            # The rows that were tried say whether it predicts; one of these may be a bad one.
            with suppress(Exception):
                answered = ask(some)
        found += answered if len(answered) == len(some) else [None] * len(some)
    return found


def _body(rows: list[Any], kind: str) -> str:
    if kind == LINES:
        return "\n".join(json.dumps(row) for row in rows)
    return json.dumps({"instances": rows})


def _read(answer: str, kind: str) -> list[Any]:
    if kind == LINES:
        return [json.loads(line)[contract.PREDICTION] for line in answer.splitlines()]
    return list(json.loads(answer)["predictions"])


def _packages() -> dict[str, str]:
    """What was imported of what is installed, by module, with its version."""
    found = {}
    for name, module in sorted(sys.modules.items()):
        # Some parts of packages warn of whoever looks at them.
        if "." not in name and "-packages" in (getattr(module, "__file__", None) or ""):
            version = getattr(module, "__version__", None)
            if isinstance(version, str):
                found[name] = version
    return found


def _where(error: BaseException) -> str:
    """The last line of the workload's own that was reached: `predict.py, line 8, in load`."""
    if isinstance(error, SyntaxError):
        return f"{Path(error.filename or '').name}, line {error.lineno}"
    found = ""
    for frame in traceback.extract_tb(error.__traceback__):
        if _is_theirs(frame.filename):
            found = f"{Path(frame.filename).name}, line {frame.lineno}, in {frame.name}"
    return found


def _is_theirs(file: str) -> bool:
    ours, path = Path(__file__).resolve().parent, Path(file).resolve()
    return ours.parent in path.parents and ours not in path.parents


def _theirs(error: BaseException) -> BaseException:
    """What the workload's code raised, where our handlers have said it in words of their own."""
    frames = traceback.extract_tb(error.__traceback__)
    if error.__cause__ is None or any(_is_theirs(each.filename) for each in frames):
        return error
    return error.__cause__


def _lines(error: BaseException) -> list[str]:
    """Its traceback from where the workload's own code begins."""
    at = error.__traceback__
    while at is not None and not _is_theirs(at.tb_frame.f_code.co_filename):
        at = at.tb_next
    text = "".join(traceback.format_exception(type(error), error, at))
    return text.rstrip().splitlines()


def main(model: str, rows: str, told: str) -> int:
    """Run it. Returns the exit code."""
    writes = _Told(Path(told))
    try:
        asked = json.loads(Path(rows).read_text(encoding="utf-8"))
        writes.write(found=serve(model, asked["rows"], asked["reference"], writes))
        return 0
    except BaseException as error:  # a script may end the process, too
        theirs = _theirs(error)
        lines = _lines(theirs)
        print(*lines, sep="\n", file=sys.stderr)  # noqa: T201 - the job's log
        what = {
            "kind": type(error).__name__,
            "words": str(error),
            "where": _where(theirs),
            "lines": lines[-6:],
        }
        writes.write(error=what)
        return 1


if __name__ == "__main__":
    code = main(*sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # threads that the workload has left hold nobody up
