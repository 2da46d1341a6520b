"""Which line is to blame for a value that a template writes: its own, or that of a parameter.

A text with parameters in it, or a choice by one, stands in a line of the template that is the same
before and after. Where the template is the same too, a parameter makes the difference, and where
that is given is the line that somebody changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_iac.blueprint.source import Node

if TYPE_CHECKING:
    from mlops_iac.blueprint.loaded import LoadedBlueprint
    from mlops_iac.blueprint.templates.applied import AppliedTemplate


class Blame:
    """For the way from one reading of a blueprint to another."""

    def __init__(self, old: LoadedBlueprint, new: LoadedBlueprint) -> None:
        self._places: dict[str, Node] = {}
        before = {template.manifest.name: template for template in old.templates if not template.by}
        for template in new.templates:
            was = before.get(template.manifest.name)
            if was is None or template.by or was.content.digest != template.content.digest:
                continue
            names = [
                name
                for name, value in template.parameters.items()
                if was.parameters.get(name) != value
            ]
            place = _given(new, template, names) if names else None
            if place is not None:
                self._places[template.content.shown or template.label] = place

    def place(self, before: Node | None, after: Node | None) -> Node:
        """Where the difference between two values was written; one of them may not be there."""
        shown = after or before
        assert shown is not None
        if before is not None and after is not None:
            same = (before.source.file, before.line) == (after.source.file, after.line)
            if not same:
                return shown
        return self._places.get(shown.source.file.rpartition("/")[0], shown)


def _given(loaded: LoadedBlueprint, template: AppliedTemplate, names: list[str]) -> Node | None:
    """Where the parameters that differ are given: the only one, or the map of several."""
    root = loaded.tree(loaded.environments[0])
    entry = root.entries.get("extends")
    for item in entry.value.items if entry is not None else ():
        asked = item.entries.get("template")
        if asked is None or asked.value.text != template.asked:
            continue
        given = item.entries.get("parameters")
        if given is None:
            return asked.value
        one = given.value.entries.get(names[0]) if len(names) == 1 else None
        return one.value if one is not None else given.key
    return None
