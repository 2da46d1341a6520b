"""One environment of a blueprint: merged, defaults filled in, every value traceable to its line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from mlops_iac.blueprint.fields import Field, fields_of
from mlops_iac.blueprint.fill import DEFAULT
from mlops_iac.blueprint.notes import Written
from mlops_iac.blueprint.reach import Reach
from mlops_iac.blueprint.sections.base import Section
from mlops_iac.blueprint.sections.root import Blueprint
from mlops_iac.blueprint.source import Node, problem
from mlops_iac.blueprint.words import join, parent, split
from mlops_iac.errors import Diagnostic, Severity
from mlops_iac.records import Record

_WORD = r"\w+"


class Origin(Record):
    """Where a value comes from.

    `layer` is `blueprint`, `environment NAME`, `command line` or `default`; `text` is the source
    line. A default stands where its nearest written ancestor stands.
    """

    file: str
    line: int
    column: int
    layer: str
    text: str


class ResolvedBlueprint(Record):
    """A checked blueprint of one environment. `root` is the absolute folder of the blueprint.

    `reach` is where its paths may lead; `file` says where one does.

    `siblings` are all environments of the blueprint by name, this one included: what is promoted
    comes from another one's account.
    """

    environment: str
    root: Path
    blueprint: Blueprint
    _written: Mapping[str, Written]
    reach: Reach
    siblings: Mapping[str, ResolvedBlueprint] = {}
    # Paths at which something is wrong: reading them in `blueprint` raises `torn.Unknown`.
    wrong: frozenset[str] = frozenset()

    def _values(self) -> tuple[Any, ...]:
        """What is compared and shown: siblings contain each other."""
        return self.environment, self.root, self.blueprint

    @property
    def name(self) -> str:
        """The blueprint's name."""
        return self.blueprint.name

    def file(self, text: str, folder: str = "") -> Path:
        """Where the path `text` leads, which is relative to `folder`, and that to the blueprint.

        It is what is read: a link in it is not followed a second time. Raises Outside.
        """
        return self.reach.inside(self.root / folder / text, text)

    @cached_property
    def _filled(self) -> list[tuple[Mapping[str, Any], Blueprint]]:
        """What `torn` made of `blueprint`, with what it filled the holes with."""
        return []

    def leaves(self) -> dict[str, Any]:
        """Every value that is set, by path: plain values, lists (tuples), and empty mappings."""
        return dict(self._leaves)

    @cached_property
    def _leaves(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        self._walk(self.blueprint, "", found)
        return found

    def _walk(self, value: Any, path: str, found: dict[str, Any]) -> None:
        """Add the leaves of a value. Every value of every environment is met here."""
        match value:
            case Section():
                known = vars(value)
                inner = [
                    (item.key, known.get(item.name)) for item in fields_of(type(value)).values()
                ]
            case dict():
                inner = list(value.items())
            case None:
                return
            case _:
                if value not in ((), "") or path in self._written:
                    found[path] = value
                return
        before = len(found)
        for key, child in inner:
            if child is not None:
                self._walk(child, join(path, key), found)
        if len(found) == before and path in self._written:
            found[path] = {}

    def is_written(self, path: str) -> bool:
        """Whether `path` was written in some layer, rather than filled in by default."""
        found = self._written.get(path)
        return found is not None and found.layer != DEFAULT

    def is_default(self, path: str) -> bool:
        """Whether the value there is what it would be if it were left out."""
        value: Any = self.blueprint
        item: Field | None = None
        for key in split(path):
            if isinstance(value, Section):
                item = fields_of(type(value)).get(key)
                value = vars(value).get(item.name) if item is not None else None
            else:
                item, value = None, value.get(key) if isinstance(value, dict) else None
        return item is not None and not item.required and value == item.default()

    def said_below(self, path: str) -> Iterator[tuple[Node, str]]:
        """The keys that make up a value, and those removed from it by `null`, with their layers.

        A key that only holds others is not among them.
        """
        inside = [each for each in self._written if each.startswith((f"{path}.", f"{path}["))]
        for each in inside or [path]:
            if self.is_written(each):
                yield self._written[each].key, self._written[each].layer
        for each in (path, *inside):
            if each in self._written:
                for entry in self._written[each].value.removed.values():
                    yield entry.key, entry.layer or ""

    def origin(self, path: str) -> Origin:
        """Where the value at `path` comes from; `path` need not be written."""
        found, at = self._nearest(path)
        layer = found.layer if at == path else DEFAULT
        place = found.value if at == path and found.value.kind == "scalar" else found.key
        return Origin(
            place.source.file, place.line, place.column, layer, place.source.line(place.line)
        )

    def _nearest(self, path: str) -> tuple[Written, str]:
        at = path
        while at and not self.is_written(at):
            at = parent(at)
        return self._written[at], at

    def diagnostic(
        self,
        path: str,
        code: str,
        message: str,
        hint: str = "",
        severity: Severity = "error",
        *,
        at_key: bool = False,
    ) -> Diagnostic:
        """A diagnostic at the value of `path`, or at the nearest written thing it stands in.

        `at_key` points to the key instead of the value.
        """
        found, at = self._nearest(path)
        use_value = at == path and not at_key and found.value.kind != "map"
        place = found.value if use_value else found.key
        if code == "missing" and at == path:  # what an overlay took away is missing because of it
            place = found.value.removal(re.findall(_WORD, message), place)
        if code == "locked" and at != path:  # so is what a limit requires
            place = found.value.removal(split(path)[len(split(at)) :][:1], place)
        return problem(place, code, message, path=path, hint=hint, severity=severity)
