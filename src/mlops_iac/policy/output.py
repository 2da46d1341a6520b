"""Findings as text, JSON, SARIF for code scanners, and GitHub's annotations."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from mlops_iac.blueprint.render import Style, as_github, as_text
from mlops_iac.blueprint.words import listed
from mlops_iac.errors import Diagnostic
from mlops_iac.errors import Severity as Level
from mlops_iac.policy.model import Finding, Rule, placed

Format = Literal["text", "json", "sarif", "github"]
_URL = re.compile(r"https://\S+")


@dataclass(frozen=True, slots=True)
class Found:
    """A finding and the stacks that have it."""

    finding: Finding
    stacks: tuple[str, ...]


def together(by_stack: Mapping[str, Sequence[Finding]]) -> list[Found]:
    """What several stacks break at the same line of the blueprint, once."""
    found: dict[tuple[Any, ...], tuple[Finding, list[str]]] = {}
    for stack, findings in by_stack.items():
        for each in findings:
            key = (
                each.rule, each.severity, each.message, each.address, each.path, each.file,
                each.line, each.suppressed_by,
            )  # fmt: skip
            found.setdefault(key, (each, []))[1].append(stack)
    merged = [Found(finding, tuple(stacks)) for finding, stacks in found.values()]
    return sorted(merged, key=lambda each: (not each.finding.counts, each.finding.line))


def counts(found: Iterable[Found]) -> dict[str, int]:
    """How many are mandatory, advisory and suppressed."""
    totals = {"mandatory": 0, "advisory": 0, "suppressed": 0}
    for each in found:
        kind = "suppressed" if each.finding.suppressed_by else each.finding.severity
        totals[kind] += 1
    return totals


def diagnostic(each: Found, *, of: int = 1) -> Diagnostic:
    """A finding in the form that problems of the blueprint have; `of` stacks were looked at."""
    finding = each.finding
    level: Level = "error" if finding.severity == "mandatory" else "warning"
    where = f" (in {listed(each.stacks)})" if len(each.stacks) < of else ""
    subject = f"{finding.address}: " if finding.address else ""
    message = f"{subject}{finding.message}{where}"
    if finding.suppressed_by:
        level, message = "note", f"{message}; let pass by {finding.suppressed_by}"
    return Diagnostic(
        code=finding.rule,
        message=message,
        path=finding.path,
        hint="" if finding.suppressed_by else finding.remediation,
        severity=level,
        **placed(finding),
    )


def text(found: Sequence[Found], *, of: int = 1, style: Style | None = None) -> str:
    """For a person: the line, the place, and what to do."""
    return "\n".join(as_text(diagnostic(each, of=of), style=style) for each in found)


def github(found: Sequence[Found], *, of: int = 1) -> str:
    """Workflow commands that GitHub shows at the lines of a pull request; suppressed ones not."""
    return "\n".join(
        as_github(diagnostic(each, of=of)) for each in found if not each.finding.suppressed_by
    )


def as_json(found: Sequence[Found], stacks: Sequence[str]) -> dict[str, Any]:
    """`{"stacks": […], "findings": […], "mandatory": N, "advisory": N, "suppressed": N}`."""
    return {
        "stacks": list(stacks),
        "findings": [{**asdict(each.finding), "stacks": list(each.stacks)} for each in found],
        **counts(found),
    }


def sarif(found: Sequence[Found], rules: Sequence[Rule], version: str) -> str:
    """SARIF 2.1.0 (OASIS). Suppressed findings are in it, as suppressed."""
    described = {rule.id: rule for rule in rules}
    ids = sorted({each.finding.rule for each in found} | set(described))
    results = [_result(each, ids.index(each.finding.rule)) for each in found]
    driver = {
        "name": "mlops-iac",
        "semanticVersion": version,
        "informationUri": "https://github.com/mlops-iac/mlops-iac",
        "rules": [_descriptor(id_, described.get(id_)) for id_ in ids],
    }
    content = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
        ],
    }
    return json.dumps(content, indent=2, ensure_ascii=False)


def _descriptor(id_: str, rule: Rule | None) -> dict[str, Any]:
    if rule is None:
        return {"id": id_}
    described: dict[str, Any] = {
        "id": id_,
        "name": "".join(word.capitalize() for word in id_.split("-")),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": f"{rule.remediation}. Source: {rule.source}"},
        "defaultConfiguration": {"level": _level(rule.severity)},
        "properties": {"tags": ["policy", rule.severity]},
    }
    if url := _URL.search(rule.source):
        described["helpUri"] = url[0]
    return described


def _result(each: Found, index: int) -> dict[str, Any]:
    finding = each.finding
    subject = f"{finding.address}: " if finding.address else ""
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _level(finding.severity),
        "message": {
            "text": f"{subject}{finding.message} (in {listed(each.stacks)}). {finding.remediation}"
        },
        # What makes it the same finding after lines moved.
        "partialFingerprints": {
            "policy/v1": "|".join((finding.rule, finding.path, finding.address, finding.message))
        },
        "properties": {"stacks": list(each.stacks), "path": finding.path},
    }
    location: dict[str, Any] = {}
    if finding.file:
        physical: dict[str, Any] = {"artifactLocation": {"uri": finding.file.replace("\\", "/")}}
        if finding.line:
            column = max(1, finding.column)
            physical["region"] = {
                "startLine": finding.line,
                "startColumn": column,
                "endColumn": column + finding.length,
            }
        location["physicalLocation"] = physical
    if finding.address:
        logical = {"fullyQualifiedName": finding.address, "kind": "resource"}
        location["logicalLocations"] = [logical]
    if location:
        result["locations"] = [location]
    if finding.suppressed_by:
        result["suppressions"] = [
            {"kind": "inSource", "status": "accepted", "justification": finding.suppressed_by}
        ]
    return result


def _level(severity: str) -> str:
    return "error" if severity == "mandatory" else "warning"
