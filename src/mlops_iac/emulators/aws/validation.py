"""Checks a request against botocore's model, the rules that botocore itself leaves out included.

botocore enforces unknown members, types, required and minimum; its model also carries enumerations,
patterns and maximum lengths, which moto does not check either. Here all of them count.

A shape is botocore's, or anything with the same attributes. What is not known yet is not judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final, Literal

from mlops_iac.records import Record, replace

# Java's classes that Python's `re` does not know, written out as far as these patterns need.
_CLASSES = {
    # With digits and `_`, which stand beside it in every class of theirs; a range of all letters
    # would take milliseconds to compile.
    r"\p{L}": r"\w",
    r"\p{Z}": r"\s",
    r"\p{N}": r"0-9",
    r"\p{P}": r"!-/:-@\[-`{-~",
    r"\p{S}": r"$+<=>^`|~",
    r"\p{ASCII}": r"\x00-\x7f",
    r"\p{Alnum}": r"a-zA-Z0-9",
    r"\p{Graph}": r"!-~",
    r"\p{Print}": r" -~",
}


# Stands for a value that is not known yet.
ANYTHING: Final = object()
# Members, keys and positions that lead to a value.
Path = tuple[str | int, ...]


class Broken(Record):
    """One rule that a value breaks: where, what is wrong in words, which rule, what it allows."""

    path: Path
    words: str
    rule: Literal["member", "type", "required", "min", "max", "enum", "pattern"]
    allowed: Any = None


def problems(operation: Any, parameters: Mapping[str, Any]) -> list[str]:
    """What is wrong with the parameters of a botocore operation model, in sentences."""
    shape = operation.input_shape
    if shape is None:
        return [f"{operation.name} takes no parameters"] if parameters else []
    return [f"{written(each.path)}: {each.words}" for each in broken(shape, parameters)]


def written(path: Path) -> str:
    """`Tags[0].Key`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)[1:]


def broken(shape: Any, value: Any, path: Path = ()) -> Iterator[Broken]:
    """Every rule of the shape that the value breaks; `ANYTHING` breaks none."""
    if value is ANYTHING:
        return
    match shape.type_name:
        case "structure":
            yield from _structure(shape, value, path)
        case "list":
            if not isinstance(value, list | tuple):
                yield Broken(path, "a list is expected", "type")
                return
            yield from _size(shape, len(value), path, "entries")
            for index, item in enumerate(value):
                yield from broken(shape.member, item, (*path, index))
        case "map":
            yield from _map(shape, value, path)
        case "string":
            yield from _string(shape, value, path)
        case "integer" | "long" | "float" | "double":
            if isinstance(value, bool) or not isinstance(value, int | float):
                yield Broken(path, f"a number is expected, not {value!r}", "type")
                return
            yield from _size(shape, value, path, "")
        case "boolean":
            if not isinstance(value, bool):
                yield Broken(path, f"true or false is expected, not {value!r}", "type")


def _map(shape: Any, value: Any, path: Path) -> Iterator[Broken]:
    if not isinstance(value, Mapping):
        yield Broken(path, "a map is expected", "type")
        return
    yield from _size(shape, len(value), path, "entries")
    for key, item in value.items():
        for each in broken(shape.key, key, (*path, key)):
            yield replace(each, words=f"as a key: {each.words}")
        yield from broken(shape.value, item, (*path, key))


def _structure(shape: Any, value: Any, path: Path) -> Iterator[Broken]:
    if not isinstance(value, Mapping):
        yield Broken(path, f"an object ({shape.name}) is expected", "type")
        return
    for name in shape.required_members:
        own = shape.members[name].metadata.get("idempotencyToken")
        if value.get(name) is None and not own:  # botocore makes tokens itself
            yield Broken((*path, name), "required", "required")
    for name, item in value.items():
        if name not in shape.members:
            yield Broken((*path, name), f"{shape.name} has no such member", "member")
        elif item is not None:
            yield from broken(shape.members[name], item, (*path, name))


def _string(shape: Any, value: Any, path: Path) -> Iterator[Broken]:
    if not isinstance(value, str):
        yield Broken(path, f"text is expected, not {value!r}", "type")
        return
    if shape.enum and value not in shape.enum:
        allowed = list(shape.enum)
        shown = ", ".join(allowed[:12]) + (", …" if len(allowed) > 12 else "")
        yield Broken(path, f"{value!r} is not one of {shown}", "enum", allowed)
        return
    yield from _size(shape, len(value), path, "characters")
    pattern = shape.metadata.get("pattern")
    compiled = _compiled(pattern) if pattern else None
    if compiled is not None and compiled.fullmatch(value) is None:
        yield Broken(path, f"{value[:80]!r} does not match {pattern}", "pattern", pattern)


def _size(shape: Any, size: float, path: Path, unit: str) -> Iterator[Broken]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    label = f" {unit}" if unit else ""
    if low is not None and size < low:
        yield Broken(path, f"at least {low}{label}, not {size}", "min", low)
    if high is not None and size > high:
        yield Broken(path, f"at most {high}{label}, not {size}", "max", high)


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """The pattern for `re`, or None for one that it cannot express."""
    text = pattern
    for java, python in _CLASSES.items():
        if java in text and _outside_class(text, java):
            text = text.replace(java, f"[{python}]")
        text = text.replace(java, python)
    try:
        return re.compile(text.removesuffix("$").removeprefix("^"))
    except re.error:
        return None


def _outside_class(pattern: str, part: str) -> bool:
    """Whether `part` stands first outside of square brackets."""
    before = pattern[: pattern.index(part)].replace(r"\[", "").replace(r"\]", "")
    return before.count("[") <= before.count("]")
