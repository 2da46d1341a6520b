"""Values as YAML text that every parser reads the same way."""

from __future__ import annotations

import json
import re

from mlops_iac.blueprint.editing.trees import Scalar, Tree, special

# What YAML 1.1 parsers (editors, other tools) would not take for a text.
# Source: yaml.org/type, bool, float, int, merge, null, timestamp and value.
_OLD_WORDS = re.compile(
    r"(?i)yes|no|on|off|true|false|null|~|<<|=|0[xob][0-9a-f_]+|[-+]?\.(inf|nan)"
    r"|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])*(\.[0-9_]*)?|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*"
)
_SAFE = re.compile(r"[\w./(+$^;~](?:[\w./()+$~^=;<>@%&*!?|\\'\" -]|:(?=\S)|(?<=\S)#)*")
_SAFE_IN_BLOCK = re.compile(
    r"[\w./(+$^;~](?:[\w./()+$~^=;<>@%&*!?|\\'\",\[\]{} -]|:(?=\S)|(?<=\S)#)*"
)
_PRINTABLE_LINE = re.compile("[^\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]*")


def scalar(value: Scalar, *, flow: bool, style: str = "") -> str:
    """One value on one line. `style` is the quote that it had before, kept where it may be."""
    text, quoted = value
    if not quoted and special(text):
        return text
    if style == "'" and _PRINTABLE_LINE.fullmatch(text):
        return "'" + text.replace("'", "''") + "'"
    safe = (_SAFE if flow else _SAFE_IN_BLOCK).fullmatch(text) and text == text.strip()
    if (
        quoted
        or style
        or not safe
        or _OLD_WORDS.fullmatch(text)
        or not _PRINTABLE_LINE.fullmatch(text)
    ):
        return _quoted(text)
    return text


def inline(tree: Tree, *, flow: bool = False) -> str:
    """A value on one line; collections in brackets."""
    match tree:
        case Scalar():
            return scalar(tree, flow=flow)
        case dict():
            inner = (f"{key(name)}: {inline(item, flow=True)}" for name, item in tree.items())
            return "{" + ", ".join(inner) + "}"
        case _:
            return "[" + ", ".join(inline(item, flow=True) for item in tree) + "]"


def key(name: str, *, style: str = "") -> str:
    """A key of a mapping, safe between brackets too."""
    return scalar(Scalar(name, special(name)), flow=True, style=style)


def block(name: str, tree: Tree, margin: int, step: int) -> list[str]:
    """The lines of an entry in a block mapping that is indented by `margin`."""
    head = " " * margin + key(name) + ":"
    if isinstance(tree, dict) and tree:
        lines = [head]
        for inner, item in tree.items():
            lines += block(inner, item, margin + step, step)
        return lines
    return [f"{head} {inline(tree)}"]


def _quoted(text: str) -> str:
    """In double quotes: JSON's escapes are YAML's, and the rest is escaped too."""
    shown = json.dumps(text, ensure_ascii=False)
    return re.sub(
        "[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]", lambda m: f"\\u{ord(m.group()):04x}", shown
    )
