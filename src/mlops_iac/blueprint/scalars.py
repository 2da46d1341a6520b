"""What a scalar means in YAML 1.2's core schema, or to a field that knows its type.

Only `true` and `false` are booleans; `1e-5` is a number; there are no octal numbers, dates or
sexagesimals. A text field takes what is written.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from mlops_iac.blueprint.fields import Bounds, ScalarType
from mlops_iac.blueprint.source import Node
from mlops_iac.blueprint.words import listed, nearest
from mlops_iac.clouds import registry

_WHOLE = re.compile(r"[-+]?[0-9]+")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LONGEST_NUMBER = 40
_BOOLEANS = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_NOT_BOOLEAN = {
    "yes": "true",
    "on": "true",
    "y": "true",
    "no": "false",
    "off": "false",
    "n": "false",
}
# By YAML 1.1 or 1.2 something else than a text: quoted where a text is meant.
NO_TEXT = frozenset({"true", "false", "null", *_NOT_BOOLEAN})
NOTHING = object()
"""No value could be made; the problem says why."""


def whole(node: Node) -> Any:
    """The int that is written, or NOTHING."""
    if node.plain and len(node.text) <= _LONGEST_NUMBER and _WHOLE.fullmatch(node.text):
        return int(node.text)
    return NOTHING


def number(node: Node) -> Any:
    """The int or finite float that is written, or NOTHING."""
    if (value := whole(node)) is not NOTHING:
        return value
    if node.plain and len(node.text) <= _LONGEST_NUMBER and _NUMBER.fullmatch(node.text):
        value = float(node.text)
        return value if math.isfinite(value) else NOTHING
    return NOTHING


def boolean(node: Node) -> Any:
    """The bool that is written, or NOTHING."""
    return _BOOLEANS.get(node.text, NOTHING) if node.plain else NOTHING


def core(node: Node) -> Any:
    """By YAML 1.2's core schema: None, bool, int, float or str."""
    if node.is_null:
        return None
    if (value := boolean(node)) is not NOTHING:
        return value
    if (value := number(node)) is not NOTHING:
        return value
    return node.text


def typed(kind: ScalarType, node: Node, path: str) -> tuple[Any, str, str, str]:
    """The value of `node` for a field of this type, or (NOTHING, code, what is wrong, hint)."""
    if kind.allowed:
        return _allowed(kind, node, path)
    if kind.types == (str,):
        return node.text, "", "", ""
    if len(kind.types) > 1:
        return core(node), "", "", ""
    (wanted,) = kind.types
    value = {bool: boolean, int: whole, float: number}[wanted](node)
    if value is NOTHING:
        return (
            NOTHING,
            "wrong-type",
            f"{path} takes {TYPE_NAMES[wanted]}, not '{node.text}'",
            _type_hint(wanted, node),
        )
    if wanted is bool:
        return value, "", "", ""
    return _bounded(path, value, kind.bounds)


TYPE_NAMES: dict[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
}


def _type_hint(wanted: type, node: Node) -> str:
    bare = Node("scalar", node.source, node.line, node.column, text=node.text)
    if wanted is bool:
        meant = _NOT_BOOLEAN.get(node.text.lower())
        if not node.plain and boolean(bare) is not NOTHING:
            return "write it without quotes"
        return f"did you mean {meant}?" if meant else "write true or false"
    if not node.plain and number(bare) is not NOTHING:
        return "write it without quotes"
    if wanted is int and number(node) is not NOTHING:
        return "write it without a fraction or exponent"
    if re.search(r"(?i)\.inf|\.nan", node.text) or _NUMBER.fullmatch(node.text):
        return "it must be finite"
    return ""


NOT_YET: Mapping[str, tuple[str, ...]] = {
    "platform": registry.not_yet(),
    "mode": ("streaming", "edge"),
}
"""Values of the language by key that no platform supports yet: they are not proposed."""


def proposed(key: str, allowed: Iterable[str]) -> list[str]:
    """What of `allowed` may be proposed to who wrote something else at `key`."""
    return [each for each in allowed if each not in NOT_YET.get(key, ())]


def _allowed(kind: ScalarType, node: Node, path: str) -> tuple[Any, str, str, str]:
    if kind.types == (int,):
        if (value := whole(node)) in kind.allowed:
            return value, "", "", ""
    elif node.text in kind.allowed:
        return node.text, "", "", ""
    names = proposed(path.rpartition(".")[2], map(str, kind.allowed))
    meant = nearest(node.text, names)
    hint = f"did you mean '{meant}'? " if meant else ""
    only = f"allowed: {listed(names, 'or')}"
    return NOTHING, "unknown-value", f"'{node.text}' is not a value of {path}", hint + only


def _bounded(path: str, value: Any, bounds: Bounds) -> tuple[Any, str, str, str]:
    wrong = ""
    if bounds.ge is not None and value < bounds.ge:
        wrong = f"at least {bounds.ge:g}"
    elif bounds.gt is not None and value <= bounds.gt:
        wrong = f"more than {bounds.gt:g}"
    elif bounds.le is not None and value > bounds.le:
        wrong = f"at most {bounds.le:g}"
    if wrong:
        return NOTHING, "out-of-range", f"{path} must be {wrong}, not {value}", ""
    return value, "", "", ""
