"""What stands at a path of a blueprint, and what is wrong with its keys and texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlops_iac.blueprint.fields import Field, fields_of
from mlops_iac.blueprint.scalars import NOTHING
from mlops_iac.blueprint.sections.base import Marker, Section
from mlops_iac.blueprint.source import Entry, Node, problem
from mlops_iac.blueprint.substitute import substitute
from mlops_iac.blueprint.words import join, listed, obeyed, suggestion, unseen
from mlops_iac.errors import Diagnostic


class Written:
    """What stands at a path: the key (or list item), the value, and the layer it comes from."""

    __slots__ = ("key", "layer", "value")

    def __init__(self, key: Node, value: Node, layer: str) -> None:
        self.key = key
        self.value = value
        self.layer = layer


class Decoded:
    """The outcome of one walk."""

    def __init__(self) -> None:
        self.problems: list[Diagnostic] = []
        self.written: dict[str, Written] = {}
        self.marked: list[tuple[str, Marker, str]] = []  # path, meaning, text
        self.broken: set[str] = set()


class Notes:
    """What a walk has found. Without `variables`, `${…}` stays as it is written."""

    def __init__(self, variables: Mapping[str, str | None] | None) -> None:
        self.found = Decoded()
        self._whole = False
        self._variables = variables

    def problem(
        self,
        node: Node,
        code: str,
        message: str,
        path: str,
        hint: str = "",
        *,
        offset: int = 0,
        length: int | None = None,
        broken: Sequence[str] = (),
    ) -> Any:
        """Note a problem at `path`; `broken` are fields in it, where the rest of it is not."""
        self.found.broken.update([join(path, key) for key in broken] or [path])
        self.found.problems.append(
            problem(node, code, message, path=path, hint=hint, offset=offset, length=length)
        )
        return NOTHING

    def _seen(self, text: str, node: Node, path: str, *, prose: bool) -> bool:
        """Whether all of a text can be seen; in prose, whether none of it is obeyed."""
        if text.isprintable():
            return True
        character = obeyed(text)
        what = "control character" if character else "invisible character"
        if not prose and self._whole:  # a template's own words are for people
            character = character or unseen(text)
        if character:
            shown = "".join(i if i.isprintable() else f"\\u{ord(i):04x}" for i in path)
            message = f"{shown} has the {what} U+{ord(character):04X}"
            self.problem(node, "control-character", message, path, "remove it")
        return not character

    def _text(self, text: str, node: Node, path: str, *, prose: bool = True) -> Any:
        if not self._seen(text, node, path, prose=prose):
            return NOTHING
        if "${" not in text or self._variables is None:
            return text
        value, at, length, message, hint = substitute(text, self._variables)
        if not message:
            return value
        # The offset into the text is that into the line only if the value stands on one line.
        quote = 0 if node.plain else 1
        fits = at + length + quote <= node.length
        place: dict[str, Any] = {"offset": at + quote, "length": length} if fits else {}
        return self.problem(node, "substitution", f"{message} in {path}", path, hint, **place)

    def _length_is_wrong(
        self, least: int | None, most: int | None, here: Written, path: str
    ) -> bool:
        count = len(here.value.items or here.value.entries)
        if least is not None and least == most and count != least:
            self.problem(
                here.value, "wrong-length", f"{path} has {count} values; it takes {least}", path
            )
            return True
        if least is not None and count < least:
            self.problem(here.value, "wrong-length", f"{path} is empty", path, "name at least one")
            return True
        return False

    def _unknown_key(self, section: type[Section], key: str, entry: Entry, path: str) -> None:
        known = list(fields_of(section))
        what = f"a field of {path}" if path else "a section of a blueprint"
        self.problem(
            entry.key,
            "unknown-key",
            f"'{key}' is not {what}",
            join(path, key),
            suggestion(key, known) or "it has no fields",
        )

    def _required(
        self, section: type[Section], known: Mapping[str, Field], here: Written, path: str
    ) -> bool:
        node, fine = here.value, True
        shown = path or "a blueprint"
        place = here.key if path else node
        for key, item in known.items():
            if item.required and key not in node.entries:
                fine = False
                hint = f"{item.info.description}" if item.info.description else ""
                blamed = node.removal([key], place)
                message = f"{shown} needs '{key}'"
                self.problem(blamed, "missing", message, path, hint, broken=(key,))
        for group in section.ALTERNATIVES:
            given = [key for key in group if key in node.entries and not _is_empty(node, key)]
            if len(given) > 1:
                fine = False
                self.problem(
                    node.entries[given[1]].key,
                    "alternatives",
                    f"{shown} takes one of {listed(group, 'or')}, not {listed(given)}",
                    join(path, given[1]),
                    f"remove {listed(given[1:])}",
                )
                self.found.broken.update(join(path, key) for key in given)
        for groups in (section.ONE_OF, section.SOME_OF):
            for group in groups:
                given = [key for key in group if key in node.entries]
                if groups is section.SOME_OF and self._whole:
                    given = [key for key in given if not _is_empty(node, key)]
                if not given:
                    fine = False
                    one = "one of " if len(group) > 1 else ""
                    blamed = node.removal(group, place)
                    message = f"{shown} needs {one}{listed(group, 'or')}"
                    self.problem(blamed, "missing", message, path, broken=group)
        return fine


def _is_empty(node: Node, key: str) -> bool:
    """Whether nothing is given: an empty list is what there is without it."""
    value = node.entries[key].value
    return value.kind == "list" and not value.items
