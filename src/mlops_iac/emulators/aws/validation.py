"""Checks a request against botocore's model, the rules that botocore itself leaves out included.

botocore enforces unknown members, types, required and minimum; its model also carries enumerations,
patterns and maximum lengths, which moto does not check either. Here all of them count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

# Java's classes that Python's `re` does not know, written out as far as these patterns need.
_CLASSES = {
    r"\p{L}": r"a-zA-ZÀ-￿",
    r"\p{Z}": r"\s",
    r"\p{N}": r"0-9",
    r"\p{P}": r"!-/:-@\[-`{-~",
    r"\p{S}": r"$+<=>^`|~",
    r"\p{ASCII}": r"\x00-\x7f",
    r"\p{Alnum}": r"a-zA-Z0-9",
    r"\p{Graph}": r"!-~",
    r"\p{Print}": r" -~",
}


def problems(operation: Any, parameters: Mapping[str, Any]) -> list[str]:
    """What is wrong with the parameters of a botocore operation model, in sentences."""
    shape = operation.input_shape
    if shape is None:
        return [f"{operation.name} takes no parameters"] if parameters else []
    return list(_check(shape, parameters, ""))


def _check(shape: Any, value: Any, path: str) -> Iterator[str]:
    match shape.type_name:
        case "structure":
            yield from _structure(shape, value, path)
        case "list":
            if not isinstance(value, list | tuple):
                yield f"{path}: a list is expected"
                return
            yield from _length(shape, len(value), path, "entries")
            for index, item in enumerate(value):
                yield from _check(shape.member, item, f"{path}[{index}]")
        case "map":
            if not isinstance(value, Mapping):
                yield f"{path}: a map is expected"
                return
            yield from _length(shape, len(value), path, "entries")
            for key, item in value.items():
                yield from _check(shape.key, key, f"{path} (key)")
                yield from _check(shape.value, item, f"{path}.{key}")
        case "string":
            yield from _string(shape, value, path)
        case "integer" | "long" | "float" | "double":
            if isinstance(value, bool) or not isinstance(value, int | float):
                yield f"{path}: a number is expected, not {value!r}"
                return
            yield from _length(shape, value, path, "")
        case "boolean":
            if not isinstance(value, bool):
                yield f"{path}: true or false is expected, not {value!r}"


def _structure(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{path}: an object ({shape.name}) is expected"
        return
    for name in shape.required_members:
        own = shape.members[name].metadata.get("idempotencyToken")
        if value.get(name) is None and not own:  # botocore makes tokens itself
            yield f"{path + '.' if path else ''}{name}: required"
    for name, item in value.items():
        here = f"{path}.{name}" if path else name
        if name not in shape.members:
            yield f"{here}: {shape.name} has no such member"
        elif item is not None:
            yield from _check(shape.members[name], item, here)


def _string(shape: Any, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"{path}: text is expected, not {value!r}"
        return
    if shape.enum and value not in shape.enum:
        allowed = list(shape.enum)
        shown = ", ".join(allowed[:12]) + (", …" if len(allowed) > 12 else "")
        yield f"{path}: {value!r} is not one of {shown}"
        return
    yield from _length(shape, len(value), path, "characters")
    pattern = shape.metadata.get("pattern")
    compiled = _compiled(pattern) if pattern else None
    if compiled is not None and compiled.fullmatch(value) is None:
        yield f"{path}: {value[:80]!r} does not match {pattern}"


def _length(shape: Any, size: float, path: str, unit: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    label = f" {unit}" if unit else ""
    if low is not None and size < low:
        yield f"{path}: at least {low}{label}, not {size}"
    if high is not None and size > high:
        yield f"{path}: at most {high}{label}, not {size}"


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
