"""Asks a model for rows in lines and joins the answers to them, as a service's transform job does.

    python transform.py MODEL ROWS OUT KEY

Only runs on one machine start it: in the cloud this is the service's own part. `MODEL` is the folder
that a version's archive was unpacked to; the answer to a row is put under `KEY` of it.
Runs with the workload's interpreter, so it imports the standard library alone.
"""

from __future__ import annotations

import importlib
import json
import sys
from itertools import islice
from pathlib import Path

LINES = "application/jsonlines"
# As many as one call holds.
_ROWS = 1000


def main(model: str, rows: str, out: str, key: str) -> None:
    """Ask for every file of rows. Raises what the model's own code raises."""
    sys.path.insert(0, str(Path(model) / "code"))
    handlers = importlib.import_module("inference")
    loaded = handlers.model_fn(model)
    for path in sorted(Path(rows).iterdir()):
        target = Path(out) / f"{path.name}.out"
        with path.open(encoding="utf-8") as lines, target.open("w", encoding="utf-8") as joined:
            while asked := list(islice(lines, _ROWS)):
                predictions = handlers.predict_fn(handlers.input_fn("".join(asked), LINES), loaded)
                body, _ = handlers.output_fn(predictions, LINES)
                for row, answer in zip(asked, body.splitlines()):  # noqa: B905 - Python 3.9
                    joined.write(json.dumps({**json.loads(row), key: json.loads(answer)}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
