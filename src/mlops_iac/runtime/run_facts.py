"""What the steps of a run find out for its page: of the data, of what was predicted, of the training.

Everything here reads what a workload has left, and so expects anything: what is not as it must be is
left out, for no page is worth a run.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from itertools import islice
from pathlib import Path
from typing import Any

from . import contract, data, quality
from .kinds import kind_of, kind_of_text, whole
from .metrics import log, missed_gates
from .rows import is_null, number
from .run_page import Measure, RunPage, to_html
from .sample import MOST_ROWS, Sample

_MOST_READ = 1_000_000  # rows that are counted
_MOST_JUDGED = 100_000  # predictions that are looked at
_CLASSES = 12  # of a confusion matrix that a phone can show
_PICTURES = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".svg": "svg+xml"}
_ONE, _ALL = 2_000_000, 12_000_000  # bytes of a picture, and of all of them


def profile(folder: Path) -> dict[str, Any]:
    """Of the rows of a dataset: how many `rows`, whether those are `all`, and its `columns`.

    Of each its `kind` and the share that is `missing`; of numbers `low`, `median` and `high`, of a sample.
    Empty for what has no rows, and for parquet, which nothing reads in parts without another package.
    """
    for format_ in ("csv", "json"):
        # Another format, or rows that nobody can read: the script's own error says more.
        with suppress(data.DataError):
            drawn = Sample[Mapping[str, Any]](MOST_ROWS)
            for _, row in islice(data.rows(folder, format_), _MOST_READ):
                drawn.add(row)
            names = dict.fromkeys(name for row in drawn.taken for name in row)
            kind = kind_of_text if format_ == "csv" else kind_of
            columns = {
                str(name): _column([row.get(name) for row in drawn.taken], kind) for name in names
            }
            return {"rows": drawn.seen, "all": drawn.seen < _MOST_READ, "columns": columns}
    return {}


def _column(values: Sequence[Any], kind: Any) -> dict[str, Any]:
    there = [each for each in values if not is_null(each)]
    found: dict[str, Any] = {
        "kind": whole({kind(each) for each in there} or {"null"}),
        "missing": round(1 - len(there) / len(values), 6),
    }
    if found["kind"] in ("integer", "number"):
        numbers = sorted(each for each in map(number, there) if each is not None)
        found |= {"low": numbers[0], "median": numbers[len(numbers) // 2], "high": numbers[-1]}
    return found


def check_words(field: str, rules: Mapping[str, Any]) -> str:
    """What is demanded of a field: `orders.age: not null, at least 0`."""
    told = (
        name.replace("_", " ") + ("" if value is True else f" {value}")
        for name, value in rules.items()
    )
    return f"{field}: {', '.join(told)}"


def judged(folder: Path) -> dict[str, Any]:
    """What an evaluation has left of its predictions (`contract.PREDICTIONS_FILE`).

    `rows` counts them; `classes` and `matrix` (true classes down, predicted ones across) are there where
    both are classes, `groups` by column as `quality.by_column` has them where the classes are two.
    Empty without the file.
    """
    file = folder / contract.PREDICTIONS_FILE
    if not file.is_file():
        return {}
    rows = Sample[tuple[Mapping[str, Any], Any, Any]](_MOST_JUDGED)
    columns: dict[str, None] = {}
    try:
        for _, row in data.rows_of(file, "json"):
            others = {name: row[name] for name in row if name not in ("truth", "prediction")}
            columns.update(dict.fromkeys(others))
            rows.add((others, row["truth"], row["prediction"]))
    except (data.DataError, KeyError) as error:
        log(
            f"mlops-iac {file.name} is not shown: {error}; each line is an object with truth and"
            " prediction, and with the columns whose groups are compared"
        )
        return {}
    pairs = quality.pairs((truth, said) for _, truth, said in rows.taken)
    classes = sorted({each for pair in pairs for each in pair}, key=str)
    found: dict[str, Any] = {"rows": rows.seen}
    if classes and len(classes) <= _CLASSES and not any(isinstance(x, float) for x in classes):
        counted = Counter(pairs)
        found["classes"] = classes
        found["matrix"] = [[counted[truth, said] for said in classes] for truth in classes]
    if set(classes) <= {0, 1}:
        found["groups"] = quality.by_column(rows.taken, columns)
    return found


def known(file: Path) -> dict[str, Any]:
    """What a training has left with its model (`contract.VERSIONS_FILE`); nothing where it has not.

    `python`, `packages`; of newer ones `hyperparameters`, `data` by dataset (`profile`) and `checks`.
    """
    with suppress(OSError, ValueError):
        found = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(found, dict) and isinstance(found.get("packages"), dict):
            return found
    return {}


def versions(trained: Mapping[str, Any]) -> dict[str, str]:
    """Python and packages of what is `known` of a training."""
    return {"python": str(trained["python"]), **trained["packages"]} if trained else {}


def pictures(folder: Path) -> tuple[list[tuple[str, str]], list[str]]:
    """Captions and addresses of what scripts drew, and the names of what is too large for a page."""
    found: list[tuple[str, str]] = []
    left_out: list[str] = []
    room = _ALL
    for file in sorted(folder.rglob("*")):
        kind = _PICTURES.get(file.suffix.lower())
        parts = file.relative_to(folder).parts
        if kind is None or "opt" in parts or not file.is_file():
            continue
        name = "/".join(parts)
        size = file.stat().st_size
        if size > min(_ONE, room):
            left_out.append(f"{name} ({size / 1e6:.1f} MB)")
            continue
        room -= size
        content = base64.b64encode(file.read_bytes()).decode()
        found.append((name, f"data:image/{kind};base64,{content}"))
    return found, left_out


def measure(
    name: str, value: float, gates: Sequence[Mapping[str, Any]], current: Mapping[str, Any]
) -> Measure:
    """A metric with its limits, which are `{"metric", "bound", "value"}`.

    A number may have several: the sentences of all, and whether it keeps them all. `current` is that of a
    report; empty where it is not known.
    """
    own = [each for each in gates if each["metric"] == name]
    words = "; ".join(_limit(each, current) for each in own)
    known = current or all(each["value"] != contract.IN_SERVICE for each in own)
    holds = not missed_gates(own, {name: value}, current) if own and known else None
    return Measure(name, value, words, holds, _in_service(current).get(name))


def _in_service(current: Mapping[str, Any]) -> Mapping[str, float]:
    """What the version in service has on the same data; nothing before the first."""
    there = current.get("version", contract.NONE) != contract.NONE
    found: Mapping[str, float] = current["metrics"] if there else {}
    return found


def _limit(gate: Mapping[str, Any], current: Mapping[str, Any]) -> str:
    bound, value = gate["bound"].replace("_", " "), gate["value"]
    if value != contract.IN_SERVICE:
        return f"{bound} {value:g}"
    found = _in_service(current)
    if not found:
        return f"{bound} that of the version in service, and there is none yet"
    return f"{bound} {found[gate['metric']]:g}, which {current['version']} has on the same data"


def page(
    report: Path,
    code: Path,
    model: str,
    run: str,
    trained: Mapping[str, Any],
    then: Mapping[str, Any],
    gates: Sequence[Mapping[str, Any]],
    values: Mapping[str, float],
    current: Mapping[str, Any],
) -> str:
    """The page of a run as its evaluation knows it, which has left `report`, a folder.

    `code` is that of the workload, `values` are the metrics and `current` those of the version in service,
    as a report has them; `trained` and `then` are what is `known` of the trainings of both.
    """
    missed = missed_gates(gates, values, current)
    shown, left_out = pictures(report)
    card = code / contract.CARD_FILE
    given = then.get("hyperparameters", {})
    return to_html(
        RunPage(
            model=model,
            run=run,
            status="gate missed" if missed else "measured",
            started=datetime.now(timezone.utc).isoformat(timespec="seconds"),  # noqa: UP017 - 3.9
            serves=current["version"] if _in_service(current) else "",
            measures=[measure(name, value, gates, current) for name, value in values.items()],
            missed=missed,
            hyperparameters={
                name: (value, given.get(name))
                for name, value in trained.get("hyperparameters", {}).items()
            },
            # The training has had the data, so they have held.
            checks=[(each, True) for each in trained.get("checks", ())],
            data=trained.get("data", {}),
            data_served=then.get("data", {}),
            judged=judged(report),
            pictures=shown,
            left_out=left_out,
            versions=versions(trained),
            versions_served=versions(then),
            card=card.read_text(encoding="utf-8") if card.is_file() else "",
        )
    )
