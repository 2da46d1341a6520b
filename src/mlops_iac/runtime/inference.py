"""Serves the workload's `predict.py` in prebuilt containers.

`{"instances": [row, …]}` in, `{"predictions": [value, …]}` out, as JSON; or one row a line in, one
`{"prediction": value}` a line out, as a batch prediction asks. The four functions are
`contract.HANDLERS`; which containers look for them, their cloud knows. A tuple
is taken as body and content type.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

from . import contract

JSON = "application/json"
LINES = "application/jsonlines"


class InvalidRequest(ValueError):
    """A request that is neither `{"instances": [row, …]}` in JSON nor rows in JSON lines."""


class Model:
    """The workload's `predict.py` with what its `load` returned."""

    def __init__(self, folder: Path) -> None:
        code = str(folder / "code")
        if code not in sys.path:
            sys.path.insert(0, code)
        self._module = importlib.import_module("predict")
        self._loaded = self._module.load(str(folder))

    def predict(self, rows: list[Any]) -> list[Any]:
        """One prediction per row, in order. Raises ValueError where the counts differ."""
        predictions = [_plain(value) for value in self._module.predict(self._loaded, rows)]
        if len(predictions) != len(rows):
            raise ValueError(f"predict returned {len(predictions)} values for {len(rows)} rows")
        return predictions


def model_fn(model_dir: str) -> Model:
    """Load the model from the folder that its archive was unpacked to."""
    try:
        return Model(Path(model_dir))
    except Exception:
        if os.environ.get(contract.BATCH):
            # The service asks for half an hour whether a server is ready that never will be. This
            # is a worker of it: without the server the container ends, and so does the job.
            traceback.print_exc()
            os.kill(os.getppid(), signal.SIGTERM)
        raise


def input_fn(body: str | bytes | bytearray, content_type: str) -> list[Any]:
    """The rows of a request. Raises InvalidRequest."""
    media_type = content_type.split(";")[0].strip().lower()
    if media_type not in (JSON, LINES):
        raise InvalidRequest(f"content type {content_type!r}; send {JSON}")
    try:
        if media_type == LINES:
            return [json.loads(line) for line in body.splitlines() if line.strip()]
        payload = json.loads(body)
    except ValueError as error:
        raise InvalidRequest(f"the body is not JSON: {error}") from error
    instances = payload.get("instances") if isinstance(payload, dict) else None
    if not isinstance(instances, list):
        raise InvalidRequest('the body is not {"instances": [row, …]}')
    return instances


def predict_fn(rows: list[Any], model: Model) -> list[Any]:
    """The predictions, in the order of the rows."""
    return model.predict(rows) if rows else []


def output_fn(predictions: list[Any], accept: str) -> tuple[str, str]:
    """The answer's body and content type; JSON, unless lines are asked for."""
    if LINES in accept.lower():
        answers = (json.dumps({contract.PREDICTION: each}, allow_nan=False) for each in predictions)
        return "\n".join(answers), LINES
    return json.dumps({"predictions": predictions}, allow_nan=False), JSON


def _plain(value: Any) -> Any:
    """`value` as JSON has it: numpy's scalars and arrays have `tolist`."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
