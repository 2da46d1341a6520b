"""Values of several environments compared, without a word about how they are printed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mlops_iac.clouds.base import Archive, Construct, Definition, Ref, Setting, UserFile
from mlops_iac.program.expressions import STACK, Code, Expression
from mlops_iac.values import mapped


def same(left: Any, right: Any) -> bool:
    """Equality that tells `True` from `1`."""
    if isinstance(left, bool) != isinstance(right, bool):
        return False
    match left:
        case dict():
            return (
                isinstance(right, dict)
                and left.keys() == right.keys()
                and all(same(left[k], right[k]) for k in left)
            )
        case list() | tuple():
            return (
                isinstance(right, list | tuple)
                and len(left) == len(right)
                and all(map(same, left, right))
            )
        case _:
            return bool(left == right)


def reader(values: Iterable[Any]) -> str | None:
    """The `Settings` method that reads all these values, None when no single one does."""
    kinds = {type(value) for value in values}
    if not kinds or kinds == {str}:
        return "text"
    if kinds == {bool}:
        return "flag"
    if kinds == {int}:
        return "integer"
    if kinds <= {int, float}:
        return "number"
    if kinds <= {list, tuple}:
        return "items"
    return "mapping" if kinds == {dict} else None


def from_stack_name(values: Mapping[str, Any]) -> Expression | None:
    """`stack`, or a text with `{stack}` in it, when only the environment's name differs."""
    if len(values) < 2 or not all(isinstance(value, str) for value in values.values()):
        return None
    if all(value == env for env, value in values.items()):
        return STACK
    first, text = next(iter(values.items()))
    parts = text.split(first)
    if len(parts) != 2 or any(env.join(parts) != value for env, value in values.items()):
        return None
    # The formatter leaves f-strings alone, so plain parts only: no quotes, braces or escapes.
    if any(character in '"\\{}' or not character.isprintable() for character in "".join(parts)):
        return None
    return Code('f"' + "{stack}".join(parts) + '"', STACK.imports)


def ordered_union(lists: Sequence[Sequence[str]]) -> list[str]:
    """All names, each after what comes before it in its own list."""
    merged: list[str] = []
    for names in lists:
        position = 0
        for name in names:
            if name in merged:
                position = max(position, merged.index(name) + 1)
            else:
                merged.insert(position, name)
                position += 1
    return merged


def kind_of(value: Any) -> str:
    """What an argument's value is: a class of `clouds.base`, or scalar, list, mapping."""
    match value:
        case Setting() | Ref() | Construct() | Definition() | Archive() | UserFile():
            return type(value).__name__
        case None | bool() | int() | float() | str():
            return "scalar"
        case list() | tuple():
            return "list"
        case Mapping():
            return "mapping"
        case _:
            raise TypeError(
                f"a platform handed over a {type(value).__name__}, which is no argument"
            )


def is_data(value: Any) -> bool:
    """Whether it is JSON-like through and through."""
    match value:
        case None | bool() | int() | float() | str():
            return True
        case list() | tuple():
            return all(is_data(item) for item in value)
        case Mapping():
            return all(isinstance(k, str) and is_data(item) for k, item in value.items())
        case _:
            return False


def stripped(value: Any) -> Any:
    """The value with every `Setting` replaced by what it holds."""
    return mapped(value, lambda leaf: leaf.value if isinstance(leaf, Setting) else leaf)


def common_path(paths: Sequence[str]) -> str:
    """The blueprint path that all `paths` share; the parent of a single one."""
    if not paths:
        return ""
    split = [path.split(".") for path in paths]
    shared: list[str] = []
    for column in zip(*split, strict=False):
        if len(set(column)) > 1:
            break
        shared.append(column[0])
    if any(len(parts) == len(shared) for parts in split):
        shared = shared[:-1]
    return ".".join(shared)


def all_same(values: Iterable[Any]) -> bool:
    """Whether all are the same; there is at least one."""
    first, *rest = values
    return all(same(first, other) for other in rest)
