"""The monitoring of an endpoint: a job that reads what was asked and answered, and says what moved.

    processing/input/known/settings.json           {"since", "until", "variants": [name]}
    processing/input/known/VARIANT/examples.json   what its version keeps (`examples.report`), `reference` of it
    processing/input/captures/VARIANT/…            captured calls (`captures`)
    processing/input/data/DATASET/                 outcomes, where there are any
    processing/output/report/monitor.json, monitor.html

Settings are in its environment (`contract`): limits as gates, `METRICS`, `OUTCOMES`, `SENSITIVE`, `IGNORED`. For each
variant it measures `drift_psi` (`drift`; the largest of all columns and of what was predicted), the
metrics and the fairness of limits (`quality`). What cannot be measured is `no data`: a third state, in
which no metric is written. A broken limit is no error: alarms judge the metrics, the report says why.
"""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from . import captures, contract, data, drift, monitor_page, quality
from .kinds import kind_of_text, typed, whole
from .metrics import log, missed_gates
from .rows import DataError
from .sample import MOST_ROWS, SEED, Sample

FEWEST_ROWS = 200  # below, chance alone moves the index by more than 0.05: older calls are added
FEWEST_OUTCOMES = 30
NO_DATA, KEPT, BROKEN = "no data", "kept", "broken"


class Monitoring:
    """One run: its settings and its folders."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._root = Path(env.get(contract.ROOT_SETTING, contract.ROOT))
        self._limits = [
            json.loads(env[name]) for name in sorted(env) if name.startswith(contract.GATE)
        ]
        self._metrics = [each for each in env.get(contract.METRICS, "").split(",") if each]
        self._outcomes = json.loads(env.get(contract.OUTCOMES) or "null")
        self._sensitive = [each for each in env.get(contract.SENSITIVE, "").split(",") if each]
        self._ignored = [each for each in env.get(contract.IGNORED, "").split(",") if each]

    def run(self) -> dict[str, Any]:
        """Measure, and write the report. Raises DataError for outcomes that cannot be read."""
        known = self._root / contract.PROCESSING_KNOWN
        settings = json.loads((known / contract.SETTINGS_FILE).read_text(encoding="utf-8"))
        truth = self._truth()
        variants = {
            name: self._variant(name, known / name, settings["since"], truth)
            for name in settings["variants"]
        }
        states = [each["state"] for each in variants.values()]
        state = next((each for each in (BROKEN, KEPT) if each in states), NO_DATA)
        report = {
            "state": state,
            "since": settings["since"],
            "until": settings["until"],
            "limits": self._limits,
            "drift": {
                **drift.METHOD,
                "sample": MOST_ROWS,
                "fewest_rows": FEWEST_ROWS,
                "seed": SEED,
                "ignored": self._ignored,
            },
            "variants": variants,
        }
        out = self._root / contract.PROCESSING_REPORT
        out.mkdir(parents=True, exist_ok=True)
        text = json.dumps(report, indent=2, allow_nan=False) + "\n"
        (out / contract.MONITOR_FILE).write_text(text, encoding="utf-8")
        (out / contract.MONITOR_PAGE).write_text(monitor_page.page(report), encoding="utf-8")
        for name, found in variants.items():
            log(
                f"mlops-iac {name}: {found['state']}: {found['calls']} calls since {report['since']}"
            )
            for sentence in found["broken"]:
                log(f"mlops-iac limit broken: {name}: {sentence}")
        return report

    def _truth(self) -> dict[str, Any] | None:
        """The outcome of each key; None where none are to be had."""
        if not self._outcomes:
            return None
        return outcomes(self._root / contract.PROCESSING_DATA, **self._outcomes)

    def _variant(
        self, name: str, known: Path, since: str, truth: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        window = _Window(since)
        judged: list[tuple[dict[str, Any], Any, Any]] = []
        for call in captures.calls(self._root / contract.PROCESSING_CAPTURES / name):
            window.take(call)
            for row, said in zip(call.rows, call.predictions) if call else ():  # noqa: B905 - Python 3.9
                columns = drift.flat(row, "value")
                outcome = (
                    self._outcome(columns, call, truth) if truth is not None and call else None
                )
                if outcome is not None:
                    # Of a month of calls no more than what is reckoned with.
                    groups = {each: columns[each] for each in self._sensitive if each in columns}
                    judged.append((groups, outcome, said))
        found: dict[str, Any] = {
            "calls": window.calls,
            "unreadable": window.unreadable,
            "rows": window.rows,
            "joined": len(judged),
            "metrics": {},
            "missing": {},
        }
        self._drift(found, window.sample(), _reference(known / contract.EXAMPLES_FILE))
        self._quality(found, judged, window.sample())
        measured = found["metrics"]
        limits = [each for each in self._limits if each["metric"] in measured]
        found["broken"] = [
            sentence + (_largest(found) if sentence.startswith("drift_psi ") else "")
            for sentence in missed_gates(limits, measured)
        ]
        found["state"] = BROKEN if found["broken"] else KEPT if measured else NO_DATA
        return found

    def _outcome(
        self, row: Mapping[str, Any], call: captures.Call, truth: Mapping[str, Any]
    ) -> Any:
        """The truth about a row: by its key, or by the id of the call that asked for it alone."""
        key = row.get(self._outcomes["key"], call.id if len(call.rows) == 1 else None)
        return truth.get(_key(key))

    def _drift(
        self,
        found: dict[str, Any],
        now: Sequence[tuple[dict[str, Any], Any]],
        was: Sequence[tuple[dict[str, Any], Any]],
    ) -> None:
        if not was:
            found["missing"]["drift_psi"] = "the version has no reference rows"
            return
        if len(now) < FEWEST_ROWS:
            found["missing"]["drift_psi"] = f"{len(now)} rows, fewer than {FEWEST_ROWS}"
            return
        found["columns"] = drift.compare(*(self._columns(rows) for rows in (was, now)))
        said = [[drift.flat(each, contract.PREDICTION) for _, each in rows] for rows in (was, now)]
        # A reference that the model was too slow for has none.
        answered = any(value is not None for each in said[0] for value in each.values())
        found["predictions"] = drift.compare(*said) if answered else {}
        both = [*found["columns"].values(), *found["predictions"].values()]
        if both:
            found["metrics"]["drift_psi"] = max(each["psi"] for each in both)
        else:
            found["missing"]["drift_psi"] = "rows have no columns that can be compared"

    def _columns(self, rows: Sequence[tuple[dict[str, Any], Any]]) -> list[dict[str, Any]]:
        return [
            {name: value for name, value in row.items() if name not in self._ignored}
            for row, _ in rows
        ]

    def _quality(
        self,
        found: dict[str, Any],
        judged: Sequence[tuple[dict[str, Any], Any, Any]],
        now: Sequence[tuple[dict[str, Any], Any]],
    ) -> None:
        wanted = dict.fromkeys([*self._metrics, *(each["metric"] for each in self._limits)])
        pairs = quality.pairs((truth, said) for _, truth, said in judged)
        for name in (each for each in wanted if each != "drift_psi"):
            value = None
            if quality.needs_truth(name) and len(pairs) < FEWEST_OUTCOMES:
                why = f"{len(pairs)} outcomes, fewer than {FEWEST_OUTCOMES}"
            elif name in quality.METRICS:
                value, why = quality.measured(name, pairs), "it has no value for these predictions"
            else:
                rows = judged if quality.needs_truth(name) else [(row, None, s) for row, s in now]
                found["groups"] = quality.by_column(rows, self._sensitive)
                values = [quality.fairness(name, each) for each in found["groups"].values()]
                there = [each for each in values if each is not None]
                worst = min if name.endswith("_ratio") else max
                value = worst(there) if there else None
                why = f"no two groups of {quality.FEWEST_OF_GROUP} rows in {self._sensitive}"
            if value is None:
                found["missing"][name] = why
            else:
                found["metrics"][name] = round(value, 9)


class _Window:
    """A sample of the rows since a time, with older ones where they are too few."""

    def __init__(self, since: str) -> None:
        self._since = since
        self._since_then = Sample[tuple[dict[str, Any], Any]](MOST_ROWS)
        self._before: deque[tuple[dict[str, Any], Any]] = deque(maxlen=FEWEST_ROWS)
        self.calls = self.unreadable = 0

    @property
    def rows(self) -> int:
        return self._since_then.seen

    def take(self, call: captures.Call | None) -> None:
        if call is None:
            self.unreadable += 1
            return
        rows = [
            (drift.flat(row, "value"), said)
            for row, said in zip(call.rows, call.predictions)  # noqa: B905 - Python 3.9
        ]
        if call.at < self._since:
            self._before.extend(rows)
            return
        self.calls += 1
        for each in rows:
            self._since_then.add(each)

    def sample(self) -> list[tuple[dict[str, Any], Any]]:
        """Nothing where nobody has called since."""
        taken = self._since_then.taken
        if not taken:
            return []
        short = max(0, FEWEST_ROWS - len(taken))
        return [*list(self._before)[max(0, len(self._before) - short) :], *taken]


def outcomes(base: Path, dataset: str, format: str, key: str, target: str) -> dict[str, Any]:  # noqa: A002
    """The target of each key of a dataset; of several the last. Raises DataError."""
    folder, found = base / dataset, []
    for (name, line), row in data.rows(folder, format) if folder.is_dir() else ():
        if key not in row or target not in row:
            raise DataError(
                f"{dataset}: {name}, line {line} has no {key!r} or no {target!r}; "
                f"it has {', '.join(map(str, row))}"
            )
        found.append({"key": row[key], "target": row[target]})
    if format == "csv":
        kinds = {
            each: whole({kind_of_text(row[each]) for row in found}) for each in ("key", "target")
        }
        found = [typed(row, kinds) for row in found]
    return {_key(row["key"]): row["target"] for row in found if row["target"] is not None}


def _key(value: Any) -> str:
    return str(quality.label(value))


def _reference(path: Path) -> list[tuple[dict[str, Any], Any]]:
    if not path.is_file():
        return []
    kept = json.loads(path.read_text(encoding="utf-8")).get("reference") or {}
    both = zip(kept.get("rows", ()), kept.get("predictions", ()))  # noqa: B905 - Python 3.9
    return [(drift.flat(row, "value"), said) for row, said in both]


def _largest(found: Mapping[str, Any]) -> str:
    """Which columns a broken limit is about."""

    def told() -> Iterator[tuple[float, str]]:
        for of in ("columns", "predictions"):
            for name, each in found[of].items():
                said = "" if each["state"] == "compared" else f" ({each['state']})"
                yield each["psi"], f"{name}{said}"

    top = sorted(told(), key=lambda each: -each[0])[:3]
    return f": {', '.join(f'{name} {psi:g}' for psi, name in top)}"


def main(env: Mapping[str, str] | None = None) -> int:
    """Run what the environment describes. Returns the exit code."""
    try:
        Monitoring(os.environ if env is None else env).run()
    except DataError as error:
        log(f"{contract.VERDICT}monitor: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
