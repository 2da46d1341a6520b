"""A run of the monitoring as a page (see `pages`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from . import pages

_TOP = 30  # columns of a page, the most moved first; the others are in the JSON


def page(report: Mapping[str, Any]) -> str:
    """The page of `monitor.json`."""
    title = f"Monitoring: {pages.text(report['state'])}"
    return pages.document(title, "\n".join(_body(report)), [pages.TABLES])


def _body(report: Mapping[str, Any]) -> Iterator[str]:
    yield _heading(1, "Monitoring", report["state"])
    yield f'<p class="quiet">{_t(report["since"])} to {_t(report["until"])}</p>'
    for name, found in report["variants"].items():
        yield _heading(2, name, found["state"])
        yield (
            f"<p>{found['calls']} calls, {found['rows']} rows; {found['unreadable']} calls could not be"
            f" read; {found['joined']} outcomes.</p>"
        )
        if found["broken"]:
            items = "".join(f"<li>{_t(each)}</li>" for each in found["broken"])
            yield f'<ul class="bad">{items}</ul>'
        yield pages.table(("metric", "value", "limit"), _metrics(report, found))
        for title, of in (("Columns", "columns"), ("Predictions", "predictions")):
            yield from _columns(title, found.get(of) or {})
        for column, groups in (found.get("groups") or {}).items():
            yield f"<h3>{_t(column)}</h3>"
            yield pages.groups(groups, ("selected",))
    method = report["drift"]
    yield (
        f'<p class="quiet">{_t(method["method"])}: {_t(method["bins"])}; at most {method["sample"]} rows,'
        f" seed {method['seed']}, at least {method['fewest_rows']}.</p>"
    )


def _metrics(report: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    bounds: dict[str, list[str]] = {}
    for each in report["limits"]:
        words = f"{each['bound'].replace('_', ' ')} {each['value']:g}"
        bounds.setdefault(each["metric"], []).append(words)
    for name, value in found["metrics"].items():
        yield _t(name), f"{value:.4g}", _t(", ".join(bounds.get(name, ())))
    for name, why in found["missing"].items():
        yield _t(name), "no data", _t(why)


def _columns(title: str, columns: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    if not columns:
        return
    ordered = sorted(columns.items(), key=lambda each: -each[1]["psi"])[:_TOP]
    yield f"<h3>{title}</h3>"
    yield pages.table(
        ("column", "PSI", "missing: was, is"),
        (
            (
                _t(name if each["state"] == "compared" else f"{name} ({each['state']})"),
                f"{each['psi']:.3f}",
                " ".join(f"{share:.1%}" for share in each["nulls"]),
            )
            for name, each in ordered
        ),
    )
    for name, each in ordered[:3]:
        yield f"<details><summary>{_t(name)}</summary>"
        yield pages.table(
            ("bin", "was", "is"),
            ((_t(bin_), f"{was:.1%}", f"{now:.1%}") for bin_, (was, now) in each["bins"].items()),
        )
        yield "</details>"


def _heading(level: int, title: str, state: str) -> str:
    shown = pages.judged(state, state == "kept") if state in ("broken", "kept") else _t(state)
    return f"<h{level}>{_t(title)}: {shown}</h{level}>"


def _t(value: object) -> str:
    return pages.text(value)
