"""A run as one HTML page: what was measured against what was demanded, and how it came about.

Everything in it may come from a script, and is escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import pages, quality

_GOOD = frozenset({"registered", "succeeded", "reused", "published", "measured"})
_TRIALS = 10  # shown, the best of them


@dataclass(frozen=True)
class Measure:
    """One number: the limit for it as a sentence, and whether it holds (None: there is none).

    `served` is the number of the version in service.
    """

    name: str
    value: float | None
    limit: str = ""
    holds: bool | None = None
    served: float | None = None


@dataclass(frozen=True)
class StepTaken:
    """One step, what it took (see `pipeline.run_record`), and why it failed."""

    name: str
    status: str
    seconds: float
    cpu_seconds: float = 0.0
    peak_bytes: int = 0
    error: str = ""
    log: Sequence[str] = ()


@dataclass(frozen=True)
class RunPage:
    """What the page shows. `serves` names the version in service, empty where there is none.

    `hyperparameters` are by name this run's value and that of the version in service, None where it is
    not known; `given` those of this run alone. `trials` are `{number, trial, value, uri}`, without a URI
    where they were ended early, `best` the number of the one that was kept. `checks` are what was
    demanded of data, with whether it held; `data` are profiles by dataset, and `judged` what was predicted
    (`run_facts`). `pictures` are captions and `data:` addresses. `card` is the model's, as its file has it.
    `data_served` and `versions_served` are those of the version in service.
    """

    model: str
    run: str
    status: str
    started: str
    version: str = ""
    approval: str = ""
    serves: str = ""
    measures: Sequence[Measure] = ()
    missed: Sequence[str] = ()
    hyperparameters: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    given: Sequence[str] = ()
    metric: str = ""
    trials: Sequence[Mapping[str, Any]] = ()
    best: int = 0
    checks: Sequence[tuple[str, bool | None]] = ()
    data: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    data_served: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    judged: Mapping[str, Any] = field(default_factory=dict)
    steps: Sequence[StepTaken] = ()
    pictures: Sequence[tuple[str, str]] = ()
    left_out: Sequence[str] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    versions_served: Mapping[str, str] = field(default_factory=dict)
    card: str = ""


def to_html(run: RunPage) -> str:
    """The page's text; `trials` have the best first."""
    body = "\n".join(_body(run))
    return pages.document(
        f"{pages.text(run.model)} · run {pages.text(run.run)}", body, [pages.TABLES]
    )


def _body(run: RunPage) -> Iterator[str]:
    yield f"<header><h1>{_t(run.model)} · run {_t(run.run)}</h1>"
    took = sum(each.seconds for each in run.steps)
    yield f'<p class="quiet">{_t(run.started)}{f" · {took:.1f} s" * bool(run.steps)}</p>'
    what = f" as {_t(run.version)}, {_t(run.approval)}" if run.version else ""
    yield f"<p>{pages.judged(run.status, run.status in _GOOD)}{what}</p></header>"
    for each in run.missed:
        yield f'<p class="bad">{_t(each)}</p>'
    yield from _failures(run)
    yield from _measures(run)
    yield from _predictions(run.judged)
    yield from _changes(run)
    yield from _hyperparameters(run)
    yield from _trials(run)
    yield from _data(run)
    yield from _pictures(run)
    if run.steps:
        yield "<section><h2>Steps</h2>"
        yield pages.table(["step", "", "seconds", "of processors", "largest process"], _steps(run))
        yield "</section>"
    yield from _known(run)


def _failures(run: RunPage) -> Iterator[str]:
    for step in run.steps:
        if step.log and step.status not in _GOOD:
            yield f"<section><h2>{_t(step.name)} failed</h2><p>{_t(step.error)}</p>"
            lines = "\n".join(pages.text(line, 300) for line in step.log)
            yield f"<pre>{lines}</pre></section>"


def _measures(run: RunPage) -> Iterator[str]:
    if not run.measures:
        return
    yield "<section><h2>Metrics</h2>"
    if not run.serves:
        yield '<p class="quiet">No version is in service to compare with.</p>'
    head = ["metric", "this run", "limit", ""]
    head += [f"{_t(run.serves)}, in service", "difference"] if run.serves else []
    yield pages.table(head, (_measure(each, bool(run.serves)) for each in run.measures))
    yield "</section>"


def _measure(each: Measure, compared: bool) -> list[str]:
    row = [_t(each.name), _number(each.value), _t(each.limit), _held(each.holds)]
    if compared:
        known = each.served is not None and each.value is not None
        change = f"{each.value - each.served:+.4g}" if known else "–"  # type: ignore[operator]
        row += [_number(each.served), change]
    return row


def _predictions(judged: Mapping[str, Any]) -> Iterator[str]:
    if not judged:
        return
    yield f"<section><h2>Predictions: {judged['rows']} rows</h2>"
    if classes := judged.get("classes"):
        rows = (
            [f"<strong>{_t(truth)}</strong>", *map(str, counts)]
            for truth, counts in zip(classes, judged["matrix"])  # noqa: B905 - Python 3.9
        )
        yield pages.table(["true, and predicted as", *map(_t, classes)], rows)
    for column, groups in judged.get("groups", {}).items():
        yield f"<h3>Fairness: {_t(column)}</h3>"
        if len(groups) < 2:
            yield f'<p class="quiet">No two groups have {quality.FEWEST_OF_GROUP} rows.</p>'
            continue
        yield pages.groups(groups, quality.RATES)
        values = ((name, quality.fairness(name, groups)) for name in quality.FAIRNESS)
        yield pages.table(["", ""], ([_t(name), _number(value)] for name, value in values))
    yield "</section>"


def _changes(run: RunPage) -> Iterator[str]:
    """What is not as it was when the version in service was trained."""
    lines = [*_data_changes(run), *_version_changes(run)]
    if lines:
        yield f"<section><h2>Changed since {_t(run.serves)}, in service</h2><ul>"
        yield from (f"<li>{_t(each)}</li>" for each in lines)
        yield "</ul></section>"


def _data_changes(run: RunPage) -> Iterator[str]:
    for name, then in run.data_served.items():
        now = run.data.get(name)
        if not now or not then:
            continue
        if now["rows"] != then["rows"]:
            yield f"{name}: {then['rows']} → {now['rows']} rows"
        was, has = then["columns"], now["columns"]
        yield from (f"{name}.{each} is new" for each in has if each not in was)
        yield from (f"{name}.{each} is gone" for each in was if each not in has)
        for each in (each for each in has if each in was):
            for what in ("kind", "missing"):
                if has[each][what] != was[each][what]:
                    yield f"{name}.{each}: {what} {was[each][what]} → {has[each][what]}"


def _version_changes(run: RunPage) -> Iterator[str]:
    then, now = run.versions_served, run.versions
    for name in dict.fromkeys((*then, *now)) if then and now else ():
        if then.get(name) != now.get(name):
            yield f"{name}: {then.get(name, 'none')} → {now.get(name, 'none')}"


def _data(run: RunPage) -> Iterator[str]:
    if not run.checks and not any(run.data.values()):
        return
    yield "<section><h2>Data</h2>"
    if run.checks:
        rows = ([_t(words), _held(holds)] for words, holds in run.checks)
        yield pages.table(["checked before any script ran", ""], rows)
    for name, profile in run.data.items():
        if profile:
            columns = profile["columns"]
            counted = f"{'' if profile['all'] else 'more than '}{profile['rows']} rows"
            yield f"<h3>{_t(name)}: {counted}, {len(columns)} columns</h3>"
            head = ["column", "kind", "missing", "lowest", "median", "highest"]
            yield pages.table(head, (_column(*each) for each in columns.items()))
    yield "</section>"


def _column(name: str, of: Mapping[str, Any]) -> list[str]:
    numbers = (_number(of[each]) if each in of else "" for each in ("low", "median", "high"))
    return [_t(name), _t(of["kind"]), f"{of['missing']:.1%}", *numbers]


def _hyperparameters(run: RunPage) -> Iterator[str]:
    if not run.hyperparameters:
        return
    yield "<section><h2>Hyperparameters</h2>"
    head = ["name", "this run", *([f"{_t(run.serves)}, in service"] if run.serves else []), ""]
    rows = []
    for name, (value, served) in run.hyperparameters.items():
        notes = ["of this run alone (--set)"] * (name in run.given)
        notes += ["changed"] * (served is not None and str(served) != str(value))
        then = ["–" if served is None else _t(served)] if run.serves else []
        rows.append([_t(name), _t(value), *then, ", ".join(notes)])
    yield pages.table(head, rows)
    yield "</section>"


def _trials(run: RunPage) -> Iterator[str]:
    if not run.trials:
        return
    names = list(run.trials[0]["trial"])
    shown = run.trials[:_TRIALS]
    yield f"<section><h2>Trials: the best {len(shown)} of {len(run.trials)}</h2>"
    rows = (
        [
            f"{each['number']}{_fate(each, run.best)}",
            _number(each["value"]),
            *(_t(each["trial"].get(name, "–")) for name in names),
        ]
        for each in shown
    )
    yield pages.table(["trial", _t(run.metric), *map(_t, names)], rows)
    yield "</section>"


def _fate(trial: Mapping[str, Any], best: int) -> str:
    if trial["number"] == best:
        return " <strong>kept</strong>"
    return " ended early" * (trial.get("uri") == "")


def _pictures(run: RunPage) -> Iterator[str]:
    if not run.pictures and not run.left_out:
        return
    yield "<section><h2>Pictures</h2>"
    for caption, address in run.pictures:
        shown, source = _t(caption), pages.text(address, len(address))
        yield f'<figure><img alt="{shown}" src="{source}"><figcaption>{shown}</figcaption></figure>'
    if run.left_out:
        yield f'<p class="quiet">Not shown: {_t(", ".join(run.left_out))}</p>'
    yield "</section>"


def _steps(run: RunPage) -> Iterator[list[str]]:
    for each in run.steps:
        yield [
            _t(each.name),
            pages.judged(each.status, each.status in _GOOD),
            f"{each.seconds:.1f}",
            f"{each.cpu_seconds:.1f}" if each.cpu_seconds else "–",
            f"{each.peak_bytes / 1e6:.0f} MB" if each.peak_bytes else "–",
        ]


def _known(run: RunPage) -> Iterator[str]:
    if run.card:
        yield '<details class="card"><summary>Model card</summary>'
        yield f"<pre>{pages.text(run.card, 60_000)}</pre></details>"
    if run.versions:
        yield '<details class="card"><summary>Versions it was trained with</summary>'
        yield pages.table(["", ""], ([_t(k), _t(v)] for k, v in run.versions.items()))
        yield "</details>"


def _held(holds: bool | None) -> str:
    return "" if holds is None else pages.judged("holds" if holds else "missed", holds)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.6g}"


def _t(value: object) -> str:
    return pages.text(value)
