"""Serves the workload's `predict.py`: in prebuilt containers, and by `server`.

`{"instances": [row, …]}` in, `{"predictions": [value, …]}` out, as JSON; or one row a line in, one
`{"prediction": value}` a line out, as a batch prediction asks; `forms` has the others. The four
functions are `contract.HANDLERS`; which containers look for them, their cloud knows. A tuple is
taken as body and content type.

What goes wrong travels through them as a value, `Unanswered`: the containers make a 500 without a
reason of every exception, and the last function alone has a way to tell another status.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import signal
import sys
import traceback
from collections.abc import Iterable
from copy import copy
from http import HTTPStatus
from pathlib import Path
from typing import Any

from . import contract, forms, versions
from .forms import Unanswered
from .kinds import kind_of

_TRIED = 8  # rows that are asked for one by one to see whether the model answers any
_NAMED = 10  # columns in a sentence


class Model:
    """The workload's `predict.py` with what its `load` returned."""

    def __init__(self, folder: Path) -> None:
        self._code = folder / contract.CODE
        if str(self._code) not in sys.path:
            sys.path.insert(0, str(self._code))
        self._module = importlib.import_module("predict")
        self._loaded = self._module.load(str(folder))
        # A row that was, to judge others by: one that has the most, as fields may be left out.
        self._answered: list[Any] = []

    def predict(self, rows: list[Any]) -> list[Any]:
        """One prediction per row, in order. Raises Unanswered."""
        try:
            predictions = self._ask(rows)
        except Exception as error:
            raise self._unanswered(rows, error) from error
        if len(predictions) != len(rows):
            what = f"predict returned {len(predictions)} values for {len(rows)} rows"
            raise Unanswered(500, what)
        self._answered = max(rows[-1:], self._answered, key=_breadth)
        return predictions

    def _unanswered(self, rows: list[Any], error: Exception) -> Unanswered:
        """Whose fault it is: of one row, if others pass that are asked for now; else the model's."""
        what = self._words(error)
        others = [[row] for row in rows[:_TRIED]] if len(rows) > 1 else []
        tried = [] if isinstance(error, MemoryError) else filter(None, [self._answered, *others])
        passing = next(filter(self._passes, tried), None)
        place = self._refused(rows) if passing else None
        if passing is None or place is None:
            # Without the message, which may hold a value of the request.
            trace = "".join(traceback.format_tb(error.__traceback__))
            sys.stderr.write(f"predict raised {type(error).__name__}:\n{trace}")
            return Unanswered(500, f"predict failed: {what}")
        sentence = "; ".join([what, *_differences(rows[place], passing[0])])
        self._answered = passing
        return Unanswered(400, f"predict refuses row {place + 1}: {sentence}", place + 1)

    def _refused(self, rows: list[Any]) -> int | None:
        """The first row that cannot be answered alone; None where rows cannot be together."""
        low, high = 0, len(rows)
        while high - low > 1:
            middle = (low + high) // 2
            if not self._passes(rows[low:middle]):
                high = middle
            elif not self._passes(rows[middle:high]):
                low = middle
            else:
                return None
        return low

    def _passes(self, rows: list[Any]) -> bool:
        try:
            return len(self._ask(rows)) == len(rows)
        except Exception:
            return False

    def _ask(self, rows: list[Any]) -> list[Any]:
        # Copies: a `predict` that takes a field out of a row would be asked again without it.
        return _values(self._module.predict(self._loaded, [copy(row) for row in rows]))

    def _words(self, error: Exception) -> str:
        """The last line of the traceback, and the last line of the workload that it is about."""
        line = traceback.format_exception_only(type(error), error)[-1].strip()[:500]
        frames = traceback.extract_tb(error.__traceback__)
        own = [each for each in frames if Path(each.filename).parent == self._code]
        return f"{line} ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else line


def model_fn(model_dir: str) -> Model:
    """Load the model from the folder that its archive was unpacked to."""
    changed = versions.changed(Path(model_dir) / contract.CODE / contract.VERSIONS_FILE)
    if changed:
        sys.stderr.write(f"mlops-iac: {changed}\n")
    try:
        return Model(Path(model_dir))
    except Exception as error:
        if os.environ.get(contract.BATCH):
            # The service asks for half an hour whether a server is ready that never will be. This
            # is a worker of it: without the server the container ends, and so does the job.
            traceback.print_exc()
            os.kill(os.getppid(), signal.SIGTERM)
        if changed:
            raise RuntimeError(f"{type(error).__name__}: {error}; {changed}") from error
        raise


def input_fn(body: str | bytes | bytearray, content_type: str | None) -> list[Any] | Unanswered:
    """The rows of a request."""
    try:
        return forms.read(body, content_type)
    except Unanswered as unanswered:
        return unanswered


def predict_fn(rows: list[Any] | Unanswered, model: Model) -> list[Any] | Unanswered:
    """The predictions, in the order of the rows."""
    if isinstance(rows, Unanswered):
        return rows
    try:
        return model.predict(rows) if rows else []
    except Unanswered as unanswered:
        return unanswered


def output_fn(predictions: list[Any] | Unanswered, accept: str | None, context: Any = None) -> Any:
    """The answer's body and content type; JSON, unless lines are asked for.

    `context` is what servers that hand it over take a status from. Raises Unanswered where there
    is no way to tell one.
    """
    if isinstance(predictions, list):
        try:
            return _body(predictions, forms.preferred(accept))
        except (TypeError, ValueError) as error:
            predictions = Unanswered(500, f"what predict returned cannot be sent: {error}")
    if context is not None:
        status = HTTPStatus(predictions.status)
        context.set_response_status(code=status.value, phrase=status.phrase)
        return predictions.body(), forms.JSON
    flask = sys.modules.get("flask")
    if flask is not None and flask.has_request_context():
        return flask.Response(predictions.body(), predictions.status, mimetype=forms.JSON)
    raise predictions


def _body(predictions: list[Any], form: str) -> tuple[str, str]:
    if form == forms.LINES:
        answers = (json.dumps({contract.PREDICTION: each}, allow_nan=False) for each in predictions)
        return "\n".join(answers), form
    return json.dumps({"predictions": predictions}, allow_nan=False), form


def _values(found: Any) -> list[Any]:
    """What predict returned, as a list of values that JSON has. Raises Unanswered for another."""
    found = _plain(found)
    # Of a table, the names of its columns would be taken for predictions.
    if found is None or isinstance(found, (str, bytes, dict, set)) or hasattr(found, "columns"):
        raise TypeError(f"predict returned a {type(found).__name__}, not a list of values")
    return found if isinstance(found, list) else [_plain(each) for each in found]


def _plain(value: Any) -> Any:
    """`value` as JSON has it: numpy's scalars and arrays have `tolist`; NaN is null."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return value


def _differences(row: Any, answered: Any) -> list[str]:
    """How a row differs in form from one that is answered, in words without any of its values."""
    if isinstance(row, dict) and isinstance(answered, dict):
        pairs = [(row[name], answered[name], name) for name in row if name in answered]
        mistyped = [
            f"{name} ({_kind(ours)} for {_kind(theirs)})"
            for ours, theirs, name in pairs
            if ours is not None and theirs is not None and _kind(ours) != _kind(theirs)
        ]
        found = [
            ("it lacks", [name for name in answered if name not in row]),
            ("it has more than others", [name for name in row if name not in answered]),
            ("of another type than in others", mistyped),
        ]
        return [f"{what}: {_listed(names)}" for what, names in found if names]
    if _kind(row) != _kind(answered):
        return [f"it is {_kind(row)}, and others are {_kind(answered)}"]
    if isinstance(row, list) and len(row) != len(answered):
        return [f"it has {len(row)} values, and others have {len(answered)}"]
    return []


def _breadth(rows: list[Any]) -> int:
    return 1 + len(rows[0]) if rows and isinstance(rows[0], dict) else len(rows)


def _kind(value: Any) -> str:
    if isinstance(value, (dict, list, bytes)):
        return {dict: "an object", list: "a list", bytes: "bytes"}[type(value)]
    return kind_of(value).replace("integer", "number")


def _listed(names: Iterable[Any]) -> str:
    names = [str(name) for name in names]
    return ", ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "")
