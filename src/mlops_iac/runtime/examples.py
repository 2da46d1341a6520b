"""Example rows of a model, and what it answers to them before it becomes a version.

The rows are those that the workload has left as `contract.EXAMPLE_ROWS`, one as JSON a line, in the
model or beside `predict.py`; else the last of a dataset, without the column to predict. The scripts own
the split, so these may have been trained on: they show that a version answers, not how well.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import contract, prediction
from .metrics import StepFailed
from .sample import MOST_ROWS as MOST_OF_REFERENCE

MOST_ROWS = 20
# A model that answers later than that is given up by whoever asks it: a minute is what services wait
# for an answer, and a few what they wait for a server to be ready.
SECONDS = {"import": 300.0, "load": 480.0, "predict": 60.0}
_POLL_SECONDS = 0.05
_OTHERS = (
    f"if callers send other rows, let train leave some in --model as {contract.EXAMPLE_ROWS}, one a"
    " line"
)
_HANDLERS = "Unanswered"  # what our handlers raise, with all that is to be said
_MEND = {
    "import": "an endpoint starts with it",
    "load": "load(folder) reads what train left in --model, from the folder that it is given",
    "predict": "predict(model, rows) takes a list of rows as callers send them",
}


def own_rows(model: Path) -> list[Any] | None:
    """The first rows that the workload has left; None where it has left none.

    Raises StepFailed for a file that is not as it must be.
    """
    for file in (model / contract.EXAMPLE_ROWS, model / contract.CODE / contract.EXAMPLE_ROWS):
        if file.is_file():
            rows = []
            for number, line in enumerate(file.read_bytes().splitlines(), 1):
                try:
                    rows += [json.loads(line)] if line.strip() else []
                except ValueError as error:
                    where = f"{contract.EXAMPLE_ROWS}, line {number}"
                    raise StepFailed(f"{where}: {error}; write one row as JSON a line") from None
            if not rows:
                raise StepFailed(
                    f"{contract.EXAMPLE_ROWS} has no rows: write some, or leave it out"
                )
            return rows[:MOST_OF_REFERENCE]
    return None


def dataset_rows(
    folder: Path, format_: str, without: str
) -> tuple[list[dict[str, Any]], dict[str, str], list[dict[str, Any]]]:
    """The last rows of a dataset as callers send them, the kind of each of its columns, and a sample.

    Values are those that `prediction.write_rows` sends. Raises DataError.
    """
    kinds, *found = prediction.last_rows(folder, format_, MOST_ROWS, MOST_OF_REFERENCE)
    rows, sample = (
        [{name: value for name, value in row.items() if name != without} for row in each]
        for each in found
    )
    return rows, {name: kind for name, kind in kinds.items() if name != without}, sample


def tried(
    model: Path,
    rows: Sequence[Any],
    work: Path,
    env: Mapping[str, str],
    reference: Sequence[Any] = (),
) -> dict[str, Any]:
    """What the model in a folder answers to rows, as `tryout` finds it; to the reference as far as it is quick.

    Runs in an empty folder below `work`, with `env`. Raises StepFailed where the version cannot predict.
    """
    # No script finds there what it would not find where it serves.
    empty = work / "try"
    empty.mkdir(parents=True, exist_ok=True)
    asked, told = work / "rows.json", work / "told.json"
    both = {"rows": list(rows), "reference": list(reference)}
    asked.write_text(json.dumps(both), encoding="utf-8")
    code = model / contract.CODE
    paths = [str(code), *filter(None, [env.get("PYTHONPATH")])]
    process = subprocess.Popen(
        [
            sys.executable,
            "-u",
            "-m",
            f"{contract.PACKAGE}.tryout",
            str(model),
            str(asked),
            str(told),
        ],
        cwd=empty,
        env={**env, "PYTHONPATH": os.pathsep.join(paths)},
        stdin=subprocess.DEVNULL,
    )
    began = time.time()
    try:
        while process.poll() is None:
            said = _read(told) or {"doing": "import", "since": began}
            if time.time() - said["since"] > SECONDS[said["doing"]]:
                process.kill()
                raise StepFailed(_slow(said["doing"], len(rows)))
            time.sleep(_POLL_SECONDS)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
    said = _read(told) or {"doing": "import"}
    if "found" not in said:
        raise _failed(said, process.returncode)
    found: dict[str, Any] = said["found"]
    _answered(found["answers"], len(rows))
    return found


def report(
    found: Mapping[str, Any],
    rows: Sequence[Any],
    columns: Mapping[str, str],
    reference: Sequence[Any] = (),
) -> dict[str, Any]:
    """What is kept of it: the rows, what was answered, how long a row took, and with what.

    `repeatable` is whether the same rows were answered alike each time. `reference` has `rows` and their
    `predictions`, null where there is none: what monitoring holds later calls to.
    """
    answers = found["answers"]
    predictions = answers[0]["predictions"] if answers else []
    return {
        "rows": list(rows),
        "predictions": predictions,
        "columns": dict(columns) or _columns(rows),
        "repeatable": all(
            alike(each["predictions"], predictions[-len(each["predictions"]) :]) for each in answers
        ),
        "load_seconds": round(found["load_seconds"], 6),
        "seconds_per_row": round(answers[-2]["seconds"], 6) if answers else None,
        "python": found["python"],
        "packages": found["packages"],
        "reference": {"rows": list(reference), "predictions": found["reference"]},
    }


def alike(one: Any, other: Any) -> bool:
    """Whether two predictions are the same, but for what arithmetic differs by between machines."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[name], other[name]) for name in one)
    numbers = [
        isinstance(each, (int, float)) and not isinstance(each, bool) for each in (one, other)
    ]
    if all(numbers):
        return math.isclose(one, other, rel_tol=1e-4, abs_tol=1e-6)
    return bool(one == other)


def _read(told: Path) -> dict[str, Any] | None:
    return prediction.load(told) if told.is_file() else None


def _columns(rows: Sequence[Any]) -> dict[str, str]:
    return prediction.kinds(row for row in rows if isinstance(row, dict))


def _slow(stage: str, rows: int) -> str:
    seconds = f"{SECONDS[stage]:g} seconds"
    what = {
        "import": f"importing {contract.PREDICT} took longer than {seconds}",
        "load": f"load took longer than {seconds}",
        "predict": f"predict took longer than {seconds} for {rows} rows",
    }
    return f"{what[stage]}, and nobody waits that long: do in load what is done once, in train the rest"


def _failed(said: Mapping[str, Any], code: int) -> StepFailed:
    """Why it ended early: what was raised and where, what to mend, and the end of the traceback."""
    stage, error = said["doing"], said.get("error")
    what = {"import": f"{contract.PREDICT} cannot be imported", "load": "load failed"}
    start = what.get(stage, "predict failed")
    if error is None:
        ended = contract.killed(-code) if code < 0 else f"{contract.ENDED} {code}"
        return StepFailed(f"{start}: the process {ended}; {_MEND[stage]}")
    words = " ".join(error["words"].split())
    if error["kind"] == _HANDLERS:
        start = words
    else:
        where = f" ({error['where']})" if error["where"] else ""
        start = f"{start}: {error['kind']}: {words}{where}"
    mend = _MEND[stage] + (f"; {_OTHERS}" if stage == "predict" else "")
    if error["kind"] == "ModuleNotFoundError":
        mend = "name its package in requirements.txt, or put the file into the code folder"
    elif words.startswith("predict returned "):
        mend = "one value per row, in their order: drop no row"
    elif "JSON serializable" in words or "Out of range float" in words:
        mend = "each value that predict returns is a number, a text, or a list or dict of them"
    failed = StepFailed(f"{start}; {mend}")
    failed.lines = tuple(error["lines"])
    return failed


def _answered(answers: Sequence[Mapping[str, Any]], rows: int) -> None:
    predictions = answers[0]["predictions"] if answers else []
    if rows and all(each is None for each in predictions):
        raise StepFailed(
            f"predict answered {rows} of {rows} rows with NaN or None; one value per row is wanted:"
            f" look at what it does with columns that are missing, or {_OTHERS.partition(', ')[2]}"
        )
