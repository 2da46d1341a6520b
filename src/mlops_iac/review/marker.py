"""The first line of a comment: which preview it is, invisible where it is rendered.

Only this line tells that a comment is ours to rewrite, so no value of a blueprint may forge it: it
is read from the first line alone, and everything in it that could end it is escaped.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from mlops_iac.review.escape import Platform, attribute_json

VERSION: Final = 1
_HTML = re.compile(r"<!-- (mlops-iac|mlops-iac-duplicate) (\{.*\}) -->")
# Bitbucket shows HTML comments; a link that is defined and never used is invisible there.
_DEFINITION = re.compile(r"\[//\]: # \((mlops-iac|mlops-iac-duplicate) (\{.*\})\)")
_LONGEST_NAME: Final = 120


@dataclass(frozen=True, slots=True)
class Marker:
    """What a comment is about. One comment per `project` and `stack`.

    `run` is the CI run's number, rising over time (0: unknown), so that a late run does not put an
    older preview over a newer one. `duplicate` marks a comment that a race left over.
    """

    project: str
    stack: str
    plan_hash: str = ""
    sha: str = ""
    truncated: bool = False
    run: int = 0
    duplicate: bool = False
    v: int = VERSION

    def same_subject(self, other: Marker) -> bool:
        """Whether both are about the same stack of the same project."""
        mine, its = self._short(), other._short()
        return (mine.project, mine.stack) == (its.project, its.stack)

    def line(self, platform: Platform) -> str:
        """The marker as a line of Markdown that renders as nothing."""
        short = self._short()
        data = asdict(short)
        word = "mlops-iac-duplicate" if data.pop("duplicate") else "mlops-iac"
        if not data["run"]:
            del data["run"]
        text = attribute_json({"v": data.pop("v"), **data})
        if platform == "bitbucket":
            return f"[//]: # ({word} {text})"
        return f"<!-- {word} {text} -->"

    def _short(self) -> Marker:
        return replace(
            self,
            project=_bounded(self.project),
            stack=_bounded(self.stack),
            plan_hash=self.plan_hash[:_LONGEST_NAME],
            sha=self.sha[:_LONGEST_NAME],
        )


def read_marker(body: str) -> Marker | None:
    """The marker in a comment's first line; None where it has none."""
    first = body.lstrip("\ufeff").split("\n", 1)[0].rstrip("\r ")
    match = _HTML.fullmatch(first) or _DEFINITION.fullmatch(first)
    if match is None:
        return None
    try:
        data: Any = json.loads(match[2])
        marker = Marker(
            project=data["project"],
            stack=data["stack"],
            plan_hash=data.get("plan_hash", ""),
            sha=data.get("sha", ""),
            truncated=data.get("truncated") is True,
            run=data.get("run", 0),
            duplicate=match[1] == "mlops-iac-duplicate",
            v=data["v"],
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    texts = (marker.project, marker.stack, marker.plan_hash, marker.sha)
    whole = type(marker.run) is int and type(marker.v) is int and marker.v >= VERSION
    return marker if whole and all(isinstance(text, str) for text in texts) else None


def _bounded(name: str) -> str:
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[:40]}…{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()}"
