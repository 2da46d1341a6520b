"""What an edit did, and how it is refused."""

from __future__ import annotations

from typing import Any, Literal

from mlops_iac.blueprint.source import Node, Source, problem
from mlops_iac.errors import BlueprintInvalid
from mlops_iac.records import Record

What = Literal["added", "set", "renamed", "moved", "copied", "removed"]


class Change(Record):
    """What was done at one place.

    `line` is the line of the text that the editor was given, 0 for what was not in it. `to` is
    where it is now, for what was renamed or moved; `old` the plain value that was there before.
    """

    what: What
    path: str
    line: int
    to: str = ""
    old: Any = None


class EditRefused(BlueprintInvalid):
    """The text was not changed: the one diagnostic says where and why."""


def refused(source: Source, line: int, message: str, hint: str = "") -> EditRefused:
    """The refusal, at a whole line."""
    text = source.line(line)
    column = len(text) - len(text.lstrip()) + 1
    node = Node("scalar", source, line, column, max(1, len(text.strip())))
    return EditRefused([problem(node, "edit", message, hint=hint)])
