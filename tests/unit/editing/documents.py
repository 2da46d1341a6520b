"""Random blueprint texts: every style of YAML that people write, with comments everywhere."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml
from hypothesis import strategies as st

KEYS = ["a", "b", "c", "max", "min-x", "über", "e_f", "4711", "a.b", "x y"]
WORDS = ["1", "1.20", "0123", "true", "plain", "two words", "s3://b/k", "it's", 'say "x"', "a: b",
         "#no", "x # y", "${name}", "", "null", "yes", "ünï", "[z]", "- d", "back\\slash"]  # fmt: skip
PLAIN = re.compile(r"[\w./$-]+(?:[ \w./-]*[\w./])?|s3://b/k|it's")


@dataclass
class Text:
    """Lines as they are written, and the comments among them, each one of a kind."""

    lines: list[str] = field(default_factory=list)
    comments: int = 0
    in_block_text: bool = False

    def comment(self) -> str:
        self.comments += 1
        return f"# note {self.comments}, [not] a: key"


def key_text(name: str) -> str:
    return f'"{name}"' if not re.fullmatch(r"[\w-]+", name) else name


def scalar_text(draw: Any, word: str, flow: bool) -> str:
    styles = ["double", "single"]
    if PLAIN.fullmatch(word) and not word.startswith("- "):
        styles.append("plain")
    match draw(st.sampled_from(styles)):
        case "plain":
            return word
        case "single":
            return "'" + word.replace("'", "''") + "'"
        case _:
            return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def flow_text(draw: Any, value: Any) -> str:
    if isinstance(value, str):
        return scalar_text(draw, value, True)
    space = draw(st.sampled_from(["", " "]))
    comma = draw(st.sampled_from([", ", ",", " , "]))
    if isinstance(value, list):
        return "[" + space + comma.join(flow_text(draw, item) for item in value) + space + "]"
    inner = comma.join(f"{key_text(k)}: {flow_text(draw, v)}" for k, v in value.items())
    return "{" + space + inner + space + "}"


def noise(draw: Any, text: Text, indent: int) -> None:
    for kind in draw(st.lists(st.sampled_from(["blank", "note", "deep"]), max_size=2)):
        if kind == "blank":
            text.lines.append(draw(st.sampled_from(["", "  "])))
        else:
            deep = kind == "deep" and not text.in_block_text  # it would be part of that
            text.lines.append(" " * (indent + (3 if deep else 0)) + text.comment())


def tail(draw: Any, text: Text) -> str:
    return draw(st.sampled_from(["", "", "  "])) + text.comment() if draw(st.booleans()) else ""


def entry_lines(draw: Any, text: Text, head: str, value: Any, indent: int) -> None:
    """`head` ends with a colon or a dash; what follows belongs to it."""
    step = draw(st.sampled_from([2, 4]))
    text.in_block_text = False
    if isinstance(value, str):
        style = draw(st.sampled_from(["inline", "inline", "inline", "block"]))
        if style == "block" and value and value == value.strip() and not value.startswith("#"):
            sign = draw(st.sampled_from(["|-", ">-", "|2-" if step == 2 else "|-"]))
            text.lines.append(
                f"{head} {sign}" + (f" {text.comment()}" if draw(st.booleans()) else "")
            )
            text.lines.append(" " * (indent + step) + value)
            text.in_block_text = True
            return
        after = tail(draw, text)
        text.lines.append(
            f"{head} {scalar_text(draw, value, False)}" + (f" {after}" if after else "")
        )
        return
    style = draw(st.sampled_from(["flow", "block", "block", "tall"])) if value else "flow"
    if style == "flow":
        after = tail(draw, text)
        text.lines.append(f"{head} {flow_text(draw, value)}" + (f" {after}" if after else ""))
    elif style == "tall":
        brackets = "[]" if isinstance(value, list) else "{}"
        text.lines.append(f"{head} {brackets[0]}")
        items = value if isinstance(value, list) else value.items()
        for number, item in enumerate(items):
            shown = (
                flow_text(draw, item)
                if isinstance(value, list)
                else f"{key_text(item[0])}: {flow_text(draw, item[1])}"
            )
            comma = "," if number + 1 < len(value) or draw(st.booleans()) else ""
            after = tail(draw, text)
            text.lines.append(
                " " * (indent + step) + shown + comma + (f" {after}" if after else "")
            )
        text.lines.append(" " * (indent + 1) + brackets[1])
    elif isinstance(value, list):
        text.lines.append(head + (f" {text.comment()}" if draw(st.booleans()) else ""))
        for item in value:
            noise(draw, text, indent + step)
            list_item(draw, text, item, indent + step)
    else:
        text.lines.append(head + (f" {text.comment()}" if draw(st.booleans()) else ""))
        block_map(draw, text, value, indent + step)


def list_item(draw: Any, text: Text, item: Any, indent: int) -> None:
    margin = " " * indent
    if isinstance(item, dict) and item and draw(st.booleans()):
        before = len(text.lines)
        block_map(draw, text, item, indent + 2, compact=True)
        first = text.lines[before]
        text.lines[before] = margin + "- " + first[indent + 2 :]
    else:
        entry_lines(draw, text, margin + "-", item, indent)


def block_map(
    draw: Any, text: Text, value: dict[str, Any], indent: int, compact: bool = False
) -> None:
    for number, (name, item) in enumerate(value.items()):
        if number or not compact:
            noise(draw, text, indent)
        entry_lines(draw, text, " " * indent + key_text(name) + ":", item, indent)
    noise(draw, text, indent)


values = st.recursive(
    st.sampled_from(WORDS),
    lambda inner: st.one_of(
        st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
        st.lists(inner, max_size=3),
    ),
    max_leaves=12,
)


@st.composite
def documents(draw: Any) -> tuple[dict[str, Any], str]:
    """What is said, with all scalars as texts, and a text that says it."""
    value = draw(st.dictionaries(st.sampled_from(KEYS), values, min_size=1, max_size=4))
    text = Text()
    if draw(st.booleans()):
        text.lines.append("---")
    block_map(draw, text, value, 0)
    newline = draw(st.sampled_from(["\n", "\n", "\r\n", "\r"]))
    written = newline.join(text.lines) + draw(st.sampled_from(["", newline, newline * 2]))
    return value, written


def said(text: str) -> Any:
    """What another reader makes of it: everything a text, nothing resolved."""
    return yaml.load(text, yaml.BaseLoader)


def comments(text: str) -> list[str]:
    """The comments that `documents` wrote, which are found nowhere else."""
    return sorted(re.findall(r"# note \d+, \[not\] a: key", text))


def paths(value: Any, *, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The keys of everything below."""
    found = []
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, item in items:
        found += [(*at, key), *paths(item, at=(*at, key))]
    return found
