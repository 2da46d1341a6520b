"""Parameters put into a template's tree, as values: what they hold is never read as YAML."""

from __future__ import annotations

import re

from mlops_iac.blueprint.source import Entry, Node, problem
from mlops_iac.blueprint.templates.parameters import Values
from mlops_iac.blueprint.words import listed, suggestion
from mlops_iac.errors import Diagnostic

CHOOSE = "$choose"
ELSE = "$else"
# A parameter in a text; an escape matches without a group.
PARAMETER = re.compile(r"\$\$\{|\$\{\s*parameters\.([^${}]*?)\s*\}")


class Filler:
    """Fills one tree. `problems` are those of the template."""

    def __init__(self, values: Values) -> None:
        self.problems: list[Diagnostic] = []
        self._values = values

    def fill(self, node: Node) -> Node | None:
        """The tree with its parameters; None where all of it is left out."""
        match node.kind:
            case "map" if CHOOSE in node.entries:
                return self._choose(node)
            case "map":
                return self._map(node)
            case "list":
                items = [filled for item in node.items if (filled := self.fill(item)) is not None]
                return Node("list", node.source, node.line, node.column, node.length, items=items)
            case _:
                return self._scalar(node)

    def _map(self, node: Node) -> Node:
        entries: dict[str, Entry] = {}
        for key, entry in node.entries.items():
            value = self.fill(entry.value)
            name = self._key(entry.key) if "${" in key else entry.key
            if value is None or name is None:
                continue
            if name.text in entries:
                self._say(entry.key, "duplicate-key", f"two keys of this map are '{name.text}'")
            entries[name.text] = Entry(name, value)
        return Node("map", node.source, node.line, node.column, node.length, entries=entries)

    def _key(self, node: Node) -> Node | None:
        filled = self._scalar(node)
        if filled is not None and filled.kind != "scalar":
            self._say(node, "wrong-type", f"'{node.text}' as a key takes a text, not a list")
            return None
        return filled

    def check_paths(self, paths: Node, label: str) -> bool:
        """Refuse what a parameter does to a path: in it, a parameter stands for one key."""
        before = len(self.problems)
        for key in paths.entries:
            for match in PARAMETER.finditer(key):
                value = self._values.node(match[1]) if match[1] in self._values else None
                if value is None or value.kind != "scalar":
                    continue
                quoted = key[: match.start()].endswith('"') and key[match.end() :].startswith('"')
                parts = set('"' if quoted else '".[]') & set(value.text)
                if parts or value.text.strip() in ("", "*"):
                    message = (
                        f"'{value.text}' cannot be the parameter '{match[1]}': in {label} it"
                        f" is one key in the path of a limit, {key}"
                    )
                    self._say(value, "wrong-parameter", message, "leave out `.`, `*` and quotes")
        return len(self.problems) == before

    def _choose(self, node: Node) -> Node | None:
        chosen = node.entries[CHOOSE].value
        known = chosen.kind == "scalar" and chosen.text in self._values
        if not known:
            hint = suggestion(chosen.text, self._values.names()) or "the template has no parameters"
            self._say(chosen, "unknown-parameter", f"{CHOOSE} takes the name of a parameter", hint)
            return None
        value = self._values.node(chosen.text)
        case = "null" if value is None else value.text
        if value is not None and value.kind == "list":
            self._say(chosen, "wrong-type", f"{CHOOSE} cannot choose by a list")
            return None
        entry = node.entries.get(case) or node.entries.get(ELSE)
        if entry is None:
            cases = [key for key in node.entries if key != CHOOSE]
            message = f"there is no case for {chosen.text} '{case}'"
            hint = f"there is: {listed(cases)}; `{ELSE}` is for all others"
            self._say(chosen, "no-case", message, hint)
            return None
        return None if entry.value.is_null else self.fill(entry.value)

    def _scalar(self, node: Node) -> Node | None:
        if "${" not in node.text:
            return node
        whole = PARAMETER.fullmatch(node.text)
        if whole is not None and whole[1] is not None:
            return self._named(whole[1], node)
        parts: list[str] = []
        end = 0
        for match in PARAMETER.finditer(node.text):
            if match[1] is None:
                continue  # an escape, for the blueprint's own substitution
            parts.append(node.text[end : match.start()])
            end = match.end()
            value = self._named(match[1], node)
            if value is None or value.kind != "scalar":
                if match[1] in self._values:
                    what = "left out" if value is None else "a list"
                    message = f"the parameter '{match[1]}' is {what} and cannot stand in a text"
                    self._say(node, "no-value", message, f"choose with {CHOOSE}")
                return None
            parts.append(value.text)
        if not end:
            return node
        filled = node.scalar_like("".join([*parts, node.text[end:]]))
        filled.plain = False
        return filled

    def _named(self, name: str, node: Node) -> Node | None:
        if name not in self._values:
            hint = suggestion(name, self._values.names()) or "the template has no parameters"
            self._say(node, "unknown-parameter", f"there is no parameter '{name}'", hint)
            return None
        return self._values.node(name)

    def _say(self, node: Node, code: str, message: str, hint: str = "") -> None:
        self.problems.append(problem(node, code, message, hint=hint))
