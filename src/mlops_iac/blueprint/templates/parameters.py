"""A template's parameters: what a team gave, held against what the template takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops_iac.blueprint.decode import KINDS
from mlops_iac.blueprint.fields import ScalarType
from mlops_iac.blueprint.scalars import NOTHING, TYPE_NAMES, core, typed
from mlops_iac.blueprint.source import Entry, Node, problem
from mlops_iac.blueprint.templates.manifest import UNSET, Manifest, Parameter
from mlops_iac.blueprint.templates.patterns import TooSlow, matches
from mlops_iac.blueprint.words import a, join, listed, nearest, one_line, suggestion
from mlops_iac.errors import Diagnostic

TYPES: dict[str, type] = {"text": str, "integer": int, "number": float, "boolean": bool}


class Values:
    """The nodes that parameters stand for; None where one is left out."""

    def __init__(self, manifest: Manifest, nodes: Mapping[str, Node | None]) -> None:
        self.manifest = manifest
        self._nodes = nodes

    def __contains__(self, name: str) -> bool:
        return name in self._nodes

    def names(self) -> list[str]:
        """Those that the template declares."""
        return list(self.manifest.parameters)

    def node(self, name: str) -> Node | None:
        """What it stands for."""
        return self._nodes[name]

    def plain(self) -> dict[str, object]:
        """The values as data."""
        return {name: None if node is None else _plain(node) for name, node in self._nodes.items()}


def fill_in(
    manifest: Manifest, declared: Node | None, given: Mapping[str, Entry], place: Node, path: str
) -> tuple[Values, list[Diagnostic]]:
    """The value of each parameter, and what is wrong with what was given.

    `declared` is the `parameters` map of template.yaml, `place` where a missing one is told, `path`
    that of the `extends` entry.
    """
    label = manifest.label
    nodes: dict[str, Node | None] = {}
    found: list[Diagnostic] = []
    for name, entry in given.items():
        if name not in manifest.parameters:
            known = list(manifest.parameters)
            found.append(
                problem(
                    entry.key,
                    "unknown-parameter",
                    f"'{name}' is not a parameter of {label}",
                    path=join(f"{path}.parameters", name),
                    hint=suggestion(name, known) or "it takes none",
                )
            )
    for name, parameter in manifest.parameters.items():
        here = join(f"{path}.parameters", name)
        if name in given:
            value = given[name].value
            wrong = list(wrong_value(parameter, value, here, label))
            found += wrong
            nodes[name] = None if wrong or value.is_null else _as_typed(parameter, value)
        elif parameter.default is UNSET:
            found.append(
                problem(
                    place,
                    "missing-parameter",
                    f"{label} needs the parameter '{name}'",
                    path=path,
                    hint=f"{one_line(parameter.description)} ({takes(parameter)})",
                )
            )
            nodes[name] = None
        else:
            nodes[name] = _default(parameter, declared, name)
    return Values(manifest, nodes), found


def takes(parameter: Parameter) -> str:
    """`a whole number, at least 1 and at most 20`."""
    if parameter.choices:
        return one_line(f"one of {listed(map(_shown, parameter.choices), 'or')}")
    words = "a list of texts" if parameter.type == "list" else TYPE_NAMES[TYPES[parameter.type]]
    bounds = [
        f"{word} {bound:g}"
        for word, bound in (("at least", parameter.at_least), ("at most", parameter.at_most))
        if bound is not None
    ]
    if parameter.type == "list":
        bounds = [f"{bound} {'item' if bound.endswith(' 1') else 'items'}" for bound in bounds]
    if parameter.pattern:
        bounds.append(f"of the form {parameter.pattern}")
    return one_line(", ".join([words, " and ".join(bounds)]) if bounds else words)


def wrong_value(parameter: Parameter, node: Node, path: str, label: str) -> Iterator[Diagnostic]:
    """What is wrong with one value."""
    if node.is_null:
        if parameter.default is not None:
            message = f"{path} has no value"
            hint = f"write {takes(parameter)}, or leave the key out"
            yield problem(node, "null", message, path=path, hint=hint)
        return
    if parameter.type == "list":
        yield from _wrong_list(parameter, node, path, label)
        return
    if node.kind != "scalar":
        message = f"{path} takes {takes(parameter)}, not {a(KINDS[node.kind])}"
        yield problem(node, "wrong-type", message, path=path)
        return
    value, code, message, hint = typed(ScalarType((TYPES[parameter.type],)), node, path)
    if value is NOTHING:
        yield problem(node, code, message, path=path, hint=hint)
    elif wrong := _wrong(parameter, value):
        near = nearest(str(value), map(_shown, parameter.choices))
        yield problem(
            node,
            "wrong-parameter",
            f"{path} is {_quoted(value)}; {label} takes {wrong}",
            path=path,
            hint=f"did you mean '{near}'?" if near else one_line(parameter.description),
        )


def _wrong_list(parameter: Parameter, node: Node, path: str, label: str) -> Iterator[Diagnostic]:
    if node.kind != "list" or any(item.kind != "scalar" or item.is_null for item in node.items):
        hint = f"write `[{node.text}]`" if node.kind == "scalar" else ""
        yield problem(node, "wrong-type", f"{path} takes a list of texts", path=path, hint=hint)
        return
    count = len(node.items)
    least, most = parameter.at_least, parameter.at_most
    if (least is not None and count < least) or (most is not None and count > most):
        items = "item" if count == 1 else "items"
        message = f"{path} has {count} {items}; {label} takes {takes(parameter)}"
        yield problem(node, "wrong-length", message, path=path)
    for item in node.items:
        if wrong := _wrong(parameter, item.text, bounded=False):
            message = f"'{item.text}' in {path}: {label} takes {wrong}"
            near = nearest(item.text, map(_shown, parameter.choices))
            hint = f"did you mean '{near}'?" if near else one_line(parameter.description)
            yield problem(item, "wrong-parameter", message, path=path, hint=hint)


def _wrong(parameter: Parameter, value: object, *, bounded: bool = True) -> str:
    """What it takes instead; empty where the value fits."""
    if parameter.choices:
        fits = _shown(value) in map(_shown, parameter.choices)
    elif isinstance(value, str):
        try:
            fits = parameter.pattern is None or matches(parameter.pattern, value)
        except TooSlow:
            return f"{takes(parameter)}, and that takes too long to tell: its template must mend it"
    elif bounded and isinstance(value, int | float) and not isinstance(value, bool):
        least, most = parameter.at_least, parameter.at_most
        fits = (least is None or value >= least) and (most is None or value <= most)
    else:
        fits = True
    return "" if fits else takes(parameter)


def _default(parameter: Parameter, declared: Node | None, name: str) -> Node | None:
    """The default as it stands in template.yaml; its problems are the template's own."""
    if parameter.default is None or declared is None:
        return None
    node = declared.entries[name].value.entries["default"].value
    return _as_typed(parameter, node)


def _as_typed(parameter: Parameter, node: Node) -> Node:
    """A text stays one also where it looks like a number."""
    if parameter.type == "list":
        items = [_text(item) for item in node.items]
        return Node("list", node.source, node.line, node.column, node.length, items=items)
    return _text(node) if parameter.type == "text" else node


def _text(node: Node) -> Node:
    copy = node.scalar_like(node.text)
    copy.plain = False
    return copy


def _plain(node: Node) -> object:
    return [item.text for item in node.items] if node.kind == "list" else core(node)


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _quoted(value: object) -> str:
    return f"'{value}'" if isinstance(value, str) else _shown(value)
