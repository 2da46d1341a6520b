"""A run of the monitoring as a page: one file, no script, readable on a phone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

_STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:0 auto;padding:1rem}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.3rem .5rem;border-bottom:1px solid #8884;overflow-wrap:anywhere}
.n{text-align:right;white-space:nowrap}.broken{color:#c0262d}.kept{color:#1a7f37}
summary{cursor:pointer}small{opacity:.75}
""".strip()
_TOP = 30  # columns of a page, the most moved first; the others are in the JSON


def page(report: Mapping[str, Any]) -> str:
    """The page of `monitor.json`."""
    state = report["state"]
    body = "\n".join(_body(report))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Monitoring: {escape(state)}</title><style>{_STYLE}</style></head><body>\n"
        f"{body}\n</body></html>\n"
    )


def _body(report: Mapping[str, Any]) -> Iterator[str]:
    yield _heading(1, "Monitoring", report["state"])
    yield f"<p><small>{escape(report['since'])} to {escape(report['until'])}</small></p>"
    for name, found in report["variants"].items():
        yield _heading(2, name, found["state"])
        yield (
            f"<p>{found['calls']} calls, {found['rows']} rows; {found['unreadable']} calls could not be"
            f" read; {found['joined']} outcomes.</p>"
        )
        if found["broken"]:
            items = "".join(f"<li>{escape(each)}</li>" for each in found["broken"])
            yield f'<ul class="broken">{items}</ul>'
        yield from _metrics(report, found)
        for title, of in (("Columns", "columns"), ("Predictions", "predictions")):
            yield from _columns(title, found.get(of) or {})
        for column, groups in (found.get("groups") or {}).items():
            yield from _groups(column, groups)
    method = report["drift"]
    yield (
        f"<p><small>{escape(method['method'])}: {escape(method['bins'])}; at most {method['sample']} rows,"
        f" seed {method['seed']}, at least {method['fewest_rows']}.</small></p>"
    )


def _metrics(report: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    bounds: dict[str, list[str]] = {}
    for each in report["limits"]:
        words = f"{each['bound'].replace('_', ' ')} {each['value']:g}"
        bounds.setdefault(each["metric"], []).append(words)
    rows = [
        (name, f"{value:.4g}", ", ".join(bounds.get(name, ())))
        for name, value in found["metrics"].items()
    ]
    rows += [(name, "no data", why) for name, why in found["missing"].items()]
    yield from _table(("Metric", "Value", "Limit"), rows)


def _columns(title: str, columns: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    if not columns:
        return
    ordered = sorted(columns.items(), key=lambda each: -each[1]["psi"])[:_TOP]
    yield f"<h3>{title}</h3>"
    yield from _table(
        ("Column", "PSI", "Missing: was, is"),
        [
            (
                name if each["state"] == "compared" else f"{name} ({each['state']})",
                f"{each['psi']:.3f}",
                " ".join(f"{share:.1%}" for share in each["nulls"]),
            )
            for name, each in ordered
        ],
    )
    for name, each in ordered[:3]:
        yield f"<details><summary>{escape(name)}</summary>"
        yield from _table(
            ("Bin", "Was", "Is"),
            [(bin_, f"{was:.1%}", f"{now:.1%}") for bin_, (was, now) in each["bins"].items()],
        )
        yield "</details>"


def _groups(column: str, groups: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    yield f"<h3>{escape(column)}</h3>"
    yield from _table(
        ("Group", "Rows", "Selected"),
        [(name, f"{each['rows']:g}", f"{each['selected']:.1%}") for name, each in groups.items()],
    )


def _table(head: tuple[str, ...], rows: list[tuple[str, str, str]]) -> Iterator[str]:
    yield f"<table><tr>{''.join(f'<th>{each}</th>' for each in head)}</tr>"
    for first, *others in rows:
        cells = "".join(f'<td class="n">{escape(each)}</td>' for each in others)
        yield f"<tr><td>{escape(first)}</td>{cells}</tr>"
    yield "</table>"


def _heading(level: int, title: str, state: str) -> str:
    kind = state if state in ("broken", "kept") else ""
    return f'<h{level}>{escape(title)}: <span class="{kind}">{escape(state)}</span></h{level}>'
