"""Node tree → typed models, with every problem of keys, types and values found in one walk."""

from __future__ import annotations

from typing import Any

from mlops_iac.blueprint.fields import (
    AnyType,
    ChoiceType,
    EitherType,
    FieldType,
    ListType,
    MapType,
    ScalarType,
    SectionType,
    construct,
    fields_of,
    is_prose,
    mapping_of,
)
from mlops_iac.blueprint.notes import Notes, Written
from mlops_iac.blueprint.scalars import NOTHING, TYPE_NAMES, core, proposed, typed
from mlops_iac.blueprint.sections.base import EntryName, Section, Text
from mlops_iac.blueprint.source import Entry, Node
from mlops_iac.blueprint.words import (
    join,
    listed,
    nearest,
    suggestion,
)

__all__ = ["KINDS", "Decoder", "Written"]


class Decoder(Notes):
    """Walks one merged blueprint. Without `variables`, `${…}` stays as it is written."""

    def root(
        self, section: type[Section], node: Node, layer: str, *, blueprint: bool = False
    ) -> Any:
        """The model for `node`; what cannot be made of it is left out and listed as broken.

        Of a `blueprint`, a section is made although something that it needs is not there (None), so
        that the rest of it is judged, and no name may have what nobody sees.
        """
        self._whole = blueprint
        here = Written(node, node, layer)
        self.found.written[""] = here
        return self._section(section, here, "", None)

    def part(self, section: type[Section], here: Written, path: str) -> Any:
        """The model for a part of a file, or NOTHING; problems are in `found`."""
        return self._section(section, here, path, None)

    def value(self, kind: FieldType, here: Written, path: str) -> Any:
        """What is written, as a field of this type has it, or NOTHING."""
        return self._value(kind, here, path)

    def _value(self, kind: FieldType, here: Written, path: str, entry: Entry | None = None) -> Any:
        node = here.value
        self.found.written[path] = here
        if node.is_null and not isinstance(kind, AnyType):
            place = node if node.text else here.key
            return self.problem(
                place,
                "null",
                f"{path} has no value",
                path,
                "write one, or leave the key out"
                if not isinstance(kind, SectionType | MapType)
                else "write `{}`, or leave the key out",
            )
        match kind:
            case ScalarType():
                return self._scalar(kind, here, path)
            case ListType():
                return self._list(kind, here, path)
            case MapType():
                return self._map(kind, here, path)
            case SectionType():
                return self._section(kind.section, here, path, entry)
            case ChoiceType():
                return self._choice(kind, here, path, entry)
            case EitherType():
                if node.kind == "map":
                    return self._section(kind.section.section, here, path, entry)
                return self._scalar(kind.scalar, here, path)
            case AnyType():
                return self._any(here, path)

    def _scalar(self, kind: ScalarType, here: Written, path: str) -> Any:
        node = here.value
        if node.kind != "scalar":
            wanted = (
                "one of " + listed(kind.allowed, "or")
                if kind.allowed
                else TYPE_NAMES[kind.types[0]]
            )
            if len(kind.types) > 1:
                wanted = "one plain value"
            return self.problem(
                node, "wrong-type", f"{path} takes {wanted}, not a {KINDS[node.kind]}", path
            )
        value, code, message, hint = typed(kind, node, path)
        if value is NOTHING:
            return self.problem(node, code, message, path, hint)
        if isinstance(value, str) and not kind.allowed:
            value = self._text(value, node, path, prose=is_prose(kind))
            most = kind.bounds.max_length
            if most is not None and value is not NOTHING and len(value) > most:
                message = f"{path} has {len(value)} characters"
                value = self.problem(node, "too-long", message, path, f"at most {most}")
            if value is not NOTHING and kind.marker is not None:
                self.found.marked.append((path, kind.marker, value))
        return value

    def _list(self, kind: ListType, here: Written, path: str) -> Any:
        node = here.value
        if node.kind != "list":
            part = kind.item.section if isinstance(kind.item, SectionType) else None
            meant = mapping_of(part, node.text) if part is not None else node.text
            hint = f"write `[{meant}]`" if node.kind == "scalar" and meant else ""
            if node.kind == "map" and part is not None:
                hint = "write `- ` before its first key, or `[` and `]` around it"
            return self.problem(
                node, "wrong-type", f"{path} takes a list, not a {KINDS[node.kind]}", path, hint
            )
        values = []
        seen: dict[Any, Node] = {}
        for index, item in enumerate(node.items):
            inner = f"{path}[{index}]"
            value = self._value(kind.item, Written(item, item, here.layer), inner)
            if isinstance(value, str) and not value.strip():
                value = self.problem(item, "empty", f"{inner} cannot be empty", inner)
            if value is NOTHING:
                continue
            if isinstance(value, str) and seen.setdefault(value, item) is not item:
                self.problem(
                    item, "duplicate-value", f"'{value}' is in {path} twice", inner, "remove one"
                )
                continue
            values.append(value)
        if self._length_is_wrong(kind.bounds.min_length, kind.bounds.max_length, here, path):
            return NOTHING
        if len(values) < len(node.items) and kind.bounds.min_length:
            return NOTHING
        return tuple(values)

    def _map(self, kind: MapType, here: Written, path: str) -> Any:
        node = here.value
        if node.kind != "map":
            return self.problem(
                node, "wrong-type", f"{path} takes a mapping, not a {KINDS[node.kind]}", path
            )
        values: dict[str, Any] = {}
        for key, entry in node.entries.items():
            inner = join(path, key)
            layer = entry.layer or here.layer
            if not key.strip():
                self.problem(entry.key, "empty", f"a name in {path} cannot be empty", inner)
                continue
            prose = isinstance(kind.key, Text) and kind.key.kind == "column"
            if not self._seen(key, entry.key, inner, prose=prose):
                continue
            if kind.longest_key is not None and len(key) > kind.longest_key:
                message = f"a name in {path} has {len(key)} characters"
                self.problem(entry.key, "too-long", message, inner, f"at most {kind.longest_key}")
                continue
            if kind.key is not None:
                self.found.marked.append((inner, kind.key, key))
            before = len(self.found.problems)
            value = self._value(kind.value, Written(entry.key, entry.value, layer), inner, entry)
            if entry.added is not None and isinstance(kind.key, EntryName):
                self._explain_typo(before, key, entry, inner)
            if value is not NOTHING:
                values[key] = value
        if self._length_is_wrong(kind.bounds.min_length, None, here, path):
            return NOTHING
        return values

    def _explain_typo(self, before: int, key: str, entry: Entry, path: str) -> None:
        """An overlay's new entry that is not complete was probably meant for another."""
        new = self.found.problems[before:]
        lacking = [item for item in new if item.code == "missing"]
        if not lacking or entry.added is None:
            return
        del self.found.problems[before:]
        self.found.problems += [item for item in new if item not in lacking]
        what = ", ".join(item.message for item in lacking)
        meant = nearest(key, entry.added)
        there = suggestion(key, entry.added) or "nothing of that name is inherited"
        self.problem(
            entry.key,
            "unknown-entry",
            f"there is no {path} to change, and as a new entry it is not complete: {what}",
            path,
            there if meant else f"{there}; a new entry must be complete",
        )

    def _choice(self, kind: ChoiceType, here: Written, path: str, entry: Entry | None) -> Any:
        node = here.value
        sections = kind.by_name()
        if node.kind != "map":
            return self.problem(
                node, "wrong-type", f"{path} takes a mapping, not a {KINDS[node.kind]}", path
            )
        chosen = node.entries.get(kind.field)
        if chosen is None:
            return self.problem(
                node.removal([kind.field], here.key),
                "missing",
                f"{path} needs '{kind.field}'",
                path,
                f"write `{kind.field}: {listed(proposed(kind.field, sections), 'or')}`",
            )
        value = chosen.value
        meant = kind.meant(value.text) if value.kind == "scalar" else ""
        if meant != value.text:
            if meant not in proposed(kind.field, sections):
                meant = ""
            layer = chosen.layer or here.layer
            allowed = ScalarType((str,), tuple(sections))
            self._scalar(allowed, Written(chosen.key, value, layer), join(path, kind.field))
        if not meant:
            self.found.broken.add(path)
            return NOTHING
        if meant != value.text:
            # Read on as if it had been written, so that one pass finds everything.
            corrected = Entry(chosen.key, value.scalar_like(meant), chosen.layer)
            node = node.with_entries({**node.entries, kind.field: corrected})
            here = Written(here.key, node, here.layer)
        return self._section(sections[meant], here, path, entry)

    def _section(
        self,
        section: type[Section],
        here: Written,
        path: str,
        entry: Entry | None,
    ) -> Any:
        node = here.value
        if node.kind != "map":
            meant = mapping_of(section, node.text)
            hint = f"write `{meant}`" if meant else ""
            return self.problem(
                node, "wrong-type", f"{path} takes a mapping, not a {KINDS[node.kind]}", path, hint
            )
        known = fields_of(section)
        values: dict[str, Any] = {}
        complete = True
        for key, item in node.entries.items():
            found = known.get(key)
            if found is None:
                self._unknown_key(section, key, item, path)
                continue
            inner = join(path, key)
            layer = item.layer or here.layer
            value = self._value(found.type, Written(item.key, item.value, layer), inner)
            if isinstance(value, str) and not value.strip() and key not in _MAY_BE_EMPTY:
                value = self.problem(item.value, "empty", f"{inner} cannot be empty", inner)
            if value is not NOTHING:
                values[found.name] = value
            elif found.required:
                complete = False
        complete &= self._required(section, known, here, path)
        if not complete and path and not self._whole:
            self.found.broken.add(path)
            return NOTHING
        return construct(section, values)

    def _any(self, here: Written, path: str) -> Any:
        node = here.value
        match node.kind:
            case "list":
                values = [
                    self._any(Written(item, item, here.layer), f"{path}[{index}]")
                    for index, item in enumerate(node.items)
                ]
                return [value for value in values if value is not NOTHING]
            case "map":
                made = {}
                for key, entry in node.entries.items():
                    inner = join(path, key)
                    if not self._seen(key, entry.key, inner, prose=True):
                        continue
                    there = Written(entry.key, entry.value, entry.layer or here.layer)
                    self.found.written[inner] = there
                    made[key] = self._any(there, inner)
                return {key: value for key, value in made.items() if value is not NOTHING}
            case _:
                value = core(node)
                return self._text(value, node, path) if isinstance(value, str) else value


_MAY_BE_EMPTY = ("description", "owner")
KINDS = {"scalar": "plain value", "list": "list", "map": "mapping"}
