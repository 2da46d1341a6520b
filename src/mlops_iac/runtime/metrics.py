"""The metrics that a script writes: read, announced in the log, required, reported."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import contract


def log(line: str) -> None:
    """Write one whole line to the job's log at once: tuning reads it line by line."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class StepFailed(Exception):
    """A script, or what it left, is not as the contract says. `lines` end its traceback, if it has one."""

    lines: tuple[str, ...] = ()


class MetricsFile:
    """FILE of the contract: JSON, numbers by name, rewritten as they come."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._announced: dict[str, float] = {}
        self._written = 0

    def announce(self) -> None:
        """Print the numbers that are new, for tuning and the job's metrics to find.

        Of a file that was written again, all: tuning counts how often a number is reported.
        """
        try:
            written = self.path.stat().st_mtime_ns
            values = self._read()
        except (OSError, StepFailed):
            return  # not there yet, or being written; `require` judges the final one
        for name, value in values.items():
            if written != self._written or self._announced.get(name) != value:
                self._announced[name] = value
                log(contract.metric_line(name, value))
        self._written = written

    def require(self, names: Sequence[str]) -> dict[str, float]:
        """The final numbers. Raises StepFailed where one of `names` is missing or none."""
        if not self.path.is_file():
            raise StepFailed("the script wrote no --metrics")
        values = self._read()
        missing = [name for name in names if name not in values]
        if missing:
            found = ", ".join(values) or "nothing"
            raise StepFailed(f"--metrics lacks {', '.join(missing)}; it has {found}")
        return values

    def _read(self) -> dict[str, float]:
        try:
            loaded = json.loads(self.path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise StepFailed(f"--metrics is not JSON: {error}") from error
        if not isinstance(loaded, dict):
            raise StepFailed("--metrics is not a JSON object")
        values: dict[str, float] = {}
        for name, value in loaded.items():
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise StepFailed(f"--metrics: {name} is {value!r}, not a number")
            if not math.isfinite(value):
                raise StepFailed(f"--metrics: {name} is {value!r}, which is no measurement")
            values[name] = float(value)
        return values


def write_report(
    path: Path, values: Mapping[str, float], current: Mapping[str, Any] | None = None
) -> None:
    """The report that the gate and the registry read: `{"metrics": {name: number}}`.

    `current` goes with it: the version in service as `{"version": name, "metrics": …}`.
    """
    report = {"metrics": dict(values), **({"current": current} if current else {})}
    path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def missed_gates(
    gates: Sequence[Mapping[str, Any]], values: Mapping[str, float], current: Mapping[str, Any] = {}
) -> list[str]:
    """Which number missed which limit, in sentences; `current` is that of a report."""
    missed = []
    for gate in gates:
        value, limit, whose = values[gate["metric"]], gate["value"], ""
        if limit == contract.IN_SERVICE:
            limit = current["metrics"][gate["metric"]]
            whose = f", which {current['version']}, in service, has on the same data"
        if value < limit if gate["bound"] == "at_least" else value > limit:
            words = gate["bound"].replace("_", " ")
            missed.append(f"{gate['metric']} is {value:g}, must be {words} {limit:g}{whose}")
    return missed
