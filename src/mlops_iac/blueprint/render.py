"""Diagnostics as text for people, JSON for programs, SARIF for code scanners, GitHub annotations.

Text is the form that compilers have taught everybody to read:

    blueprint.yaml:41:5: error[unknown-key]: 'instanse' is not a field of serving.api.compute
       41 |     instanse: big-machine-1
          |     ^^^^^^^^ did you mean 'instance'?
"""

from __future__ import annotations

import dataclasses
import json
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal
from urllib.parse import quote

from mlops_iac.blueprint.words import THERE_IS, obeyed, one_line, parent
from mlops_iac.errors import Diagnostic, Severity

Format = Literal["text", "json", "sarif", "github"]
Role = Literal["place", "error", "warning", "note", "gutter", "caret", "hint"]
Style = Callable[[str, Role], str]
"""Given a piece of text and what it is, the text with colour."""

_WIDEST = 160
"""Longer lines are cut around the place, so that a minified file does not fill the screen."""
_MOST = 100
"""Nobody reads more at once, and a log of megabytes hides what came before it."""
_RANKS: tuple[Severity, ...] = ("error", "warning", "note")


def render(
    diagnostics: Sequence[Diagnostic], form: Format = "text", *, style: Style | None = None
) -> str:
    """All of them in one of the forms, without a final line break; for people only so many."""
    match form:
        case "text":
            shown, more = cut(diagnostics)
            told = [as_text(item, style=style) for item in shown]
            return "\n".join([*told, more] if more else told)
        case "json":
            return as_json(diagnostics)
        case "sarif":
            return as_sarif(diagnostics)
        case "github":
            shown, more = cut(diagnostics)
            told = [as_github(item) for item in shown]
            return "\n".join([*told, f"::notice::{_data(more)}"] if more else told)


def cut(diagnostics: Sequence[Diagnostic]) -> tuple[list[Diagnostic], str]:
    """What people are shown of them, in their order, and the sentence about the others.

    Errors are kept before warnings. What a mapping takes is said at the first of its unknown keys.
    """
    ranked = sorted(diagnostics, key=lambda item: _RANKS.index(item.severity))
    left = {id(item) for item in ranked[_MOST:]}
    shown = _once(item for item in diagnostics if id(item) not in left)
    return list(shown), f"and {len(left):,} more (`--json` has all)" if left else ""


def _once(diagnostics: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    told: set[tuple[str, str, str]] = set()
    for item in diagnostics:
        said = (item.file, parent(item.path), item.hint)
        if item.hint.startswith(THERE_IS):
            yield dataclasses.replace(item, hint="") if said in told else item
            told.add(said)
        else:
            yield item


def _plain(text: str, _: Role) -> str:
    return text


def as_text(item: Diagnostic, *, style: Style | None = None) -> str:
    """One diagnostic with its line, a caret under the place, and the hint."""
    paint = style or _plain
    label = f"{item.severity}[{item.code}]"
    place = ":".join(str(part) for part in (item.file, item.line, item.column) if part)
    head = f"{paint(one_line(f'{place}:'), 'place')} " if place else ""
    lines = [f"{head}{paint(label, item.severity)}: {one_line(item.message)}"]
    if item.snippet and item.line:
        snippet, column = _window(item.snippet, item.column)
        number = f"{item.line:>5}"
        lines.append(f"{paint(f'{number} |', 'gutter')} {_visible(snippet)}")
        before = " " * _width(snippet[: column - 1])
        under = "^" * max(1, min(_width(snippet[column - 1 :][: item.length]), _WIDEST))
        hint = f" {paint(one_line(item.hint), 'hint')}" if item.hint else ""
        lines.append(f"{paint('      |', 'gutter')} {before}{paint(under, 'caret')}{hint}")
    elif item.hint:
        lines.append(f"      {paint(one_line(item.hint), 'hint')}")
    return "\n".join(lines)


def _window(line: str, column: int) -> tuple[str, int]:
    if len(line) <= _WIDEST:
        return line, column
    start = max(0, column - 1 - _WIDEST // 2)
    cut = line[start : start + _WIDEST]
    return (f"…{cut}" if start else cut), column - start + (1 if start else 0)


def _visible(text: str) -> str:
    """One column per width unit: tabs become a space, as they are counted by the parser."""
    return "".join(" " if obeyed(item) or item == "\t" else item for item in text)


def _width(text: str) -> int:
    """Columns that a terminal uses for `text`."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(item) else 2 if unicodedata.east_asian_width(item) in "WF" else 1
        for item in text
    )


def as_dict(item: Diagnostic) -> dict[str, Any]:
    """The fields of a diagnostic, for JSON."""
    return {
        "code": item.code,
        "severity": item.severity,
        "message": item.message,
        "hint": item.hint,
        "file": item.file,
        "line": item.line,
        "column": item.column,
        "length": item.length,
        "path": item.path,
        "snippet": item.snippet,
    }


def as_json(diagnostics: Sequence[Diagnostic]) -> str:
    """`{"diagnostics": […], "errors": N, "warnings": N}`."""
    content = {
        "diagnostics": [as_dict(item) for item in diagnostics],
        "errors": sum(item.severity == "error" for item in diagnostics),
        "warnings": sum(item.severity == "warning" for item in diagnostics),
    }
    return json.dumps(content, indent=2, ensure_ascii=False)


def as_sarif(diagnostics: Sequence[Diagnostic]) -> str:
    """SARIF 2.1.0 (OASIS), as GitHub code scanning and editors read it."""
    rules = sorted({item.code for item in diagnostics})
    results = []
    for item in diagnostics:
        result: dict[str, Any] = {
            "ruleId": item.code,
            "ruleIndex": rules.index(item.code),
            "level": item.severity,
            "message": {"text": f"{item.message}. {item.hint}" if item.hint else item.message},
        }
        if item.file:
            region = {
                "startLine": item.line,
                "startColumn": max(1, item.column),
                "endColumn": max(1, item.column) + item.length,
            }
            physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(item.file)}}
            if item.line:
                physical["region"] = region
            result["locations"] = [{"physicalLocation": physical}]
        results.append(result)
    driver = {"name": "mlops-iac", "rules": [{"id": code} for code in rules]}
    content = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        # Columns count characters, as YAML's do.
        "runs": [
            {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
        ],
    }
    return json.dumps(content, indent=2, ensure_ascii=False)


def _uri(file: str) -> str:
    """A path as a URI reference. One that is no UTF-8 stands in Python's text as surrogates."""
    path = file.replace("\\", "/").encode("utf-8", "surrogateescape")
    return quote(path, safe="/:@+~!$&'()*,;=")


def as_github(item: Diagnostic) -> str:
    """A workflow command that GitHub Actions shows at the line of a pull request."""
    level = "notice" if item.severity == "note" else item.severity
    message = f"{item.message}\n{item.hint}" if item.hint else item.message
    properties = {"file": item.file, "title": item.code}
    if item.line:
        properties |= {
            "line": str(item.line),
            "col": str(item.column),
            "endColumn": str(item.column + item.length),
        }
    shown = ",".join(f"{key}={_property(value)}" for key, value in properties.items() if value)
    return f"::{level} {shown}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
