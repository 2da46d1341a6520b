"""Python expressions and their text, formatted as `ruff format` leaves it.

What fits stands on one line; what does not is opened with one item per line and a trailing comma,
which the formatter then keeps. So one rule is enough, and ruff is not needed to compile.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from unicodedata import east_asian_width

# The formatter's own default: the program lies in the user's repository, not in ours.
WIDTH = 88
INDENT = "    "


@dataclass(frozen=True, slots=True)
class Code:
    """Python that is never broken over lines. `imports` are `module:name`, or a bare module."""

    text: str
    imports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """`function(positional, …, keyword=…)`."""

    function: str
    positional: Sequence[Expression] = ()
    keywords: Mapping[str, Expression] = field(default_factory=dict)
    imports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Array:
    """A list display."""

    items: Sequence[Expression]


@dataclass(frozen=True, slots=True)
class Table:
    """A dict display with text keys."""

    items: Mapping[str, Expression]


@dataclass(frozen=True, slots=True)
class Choose:
    """`then if condition else otherwise`."""

    then: Expression
    condition: Expression
    otherwise: Expression


@dataclass(frozen=True, slots=True)
class All:
    """`first and second and …`, as the condition of an `if`."""

    items: Sequence[Expression]


Expression: TypeAlias = Code | Call | Array | Table | Choose | All

NONE = Code("None")
STACK = Code("stack")


def quote(text: str) -> str:
    """A text literal, in double quotes unless single ones need fewer escapes."""
    body = repr(text)
    delimiter, inner = body[0], body[1:-1]
    if delimiter == '"':  # repr chose it: there are single quotes and no double ones
        return body
    plain = inner.replace("\\'", "'")
    if plain.count('"') > inner.count("\\'"):
        return body
    return '"' + plain.replace('"', '\\"') + '"'


def literal(value: Any) -> Expression:
    """JSON-like data as an expression. Raises TypeError for anything else."""
    match value:
        case None | bool():
            return Code(repr(value))
        case str():
            return Code(quote(value))
        case int() | float():
            return Code(repr(value))
        case Mapping():
            return Table({str(key): literal(item) for key, item in value.items()})
        case list() | tuple():
            return Array([literal(item) for item in value])
        case _:
            raise TypeError(f"{type(value).__name__} is no literal")


def parts(expression: Expression) -> Iterator[Expression]:
    """The expression and everything in it."""
    yield expression
    inner: Sequence[Expression]
    match expression:
        case Code():
            inner = ()
        case Call():
            inner = (*expression.positional, *expression.keywords.values())
        case Array() | All():
            inner = expression.items
        case Table():
            inner = tuple(expression.items.values())
        case Choose():
            inner = (expression.then, expression.condition, expression.otherwise)
    for item in inner:
        yield from parts(item)


def imports_of(expression: Expression) -> set[str]:
    """Every import (`module:name`) that the expression needs."""
    return {
        name for part in parts(expression) if isinstance(part, Code | Call) for name in part.imports
    }


def flat(expression: Expression) -> str:
    """The expression on one line."""
    match expression:
        case Code():
            return expression.text
        case Call():
            parts = [flat(item) for item in expression.positional]
            parts += [f"{name}={flat(item)}" for name, item in expression.keywords.items()]
            return f"{expression.function}({', '.join(parts)})"
        case Array():
            return f"[{', '.join(flat(item) for item in expression.items)}]"
        case Table():
            inner = ", ".join(f"{quote(k)}: {flat(item)}" for k, item in expression.items.items())
            return f"{{{inner}}}"
        case Choose():
            return (
                f"{flat(expression.then)} if {flat(expression.condition)}"
                f" else {flat(expression.otherwise)}"
            )
        case All():
            return " and ".join(flat(item) for item in expression.items)


def render(expression: Expression, prefix: str = "", depth: int = 0, suffix: str = "") -> list[str]:
    """The lines of `prefix + expression + suffix`, indented by `depth` levels."""
    margin = INDENT * depth
    line = f"{margin}{prefix}{flat(expression)}{suffix}"
    if _width(line) <= WIDTH or isinstance(expression, Code) or _empty(expression):
        return [line]
    match expression:
        case Call():
            lines = [f"{margin}{prefix}{expression.function}("]
            for item in expression.positional:
                lines += render(item, "", depth + 1, ",")
            for name, item in expression.keywords.items():
                lines += render(item, f"{name}=", depth + 1, ",")
            return [*lines, f"{margin}){suffix}"]
        case Array():
            lines = [f"{margin}{prefix}["]
            for item in expression.items:
                lines += render(item, "", depth + 1, ",")
            return [*lines, f"{margin}]{suffix}"]
        case Table():
            lines = [f"{margin}{prefix}{{"]
            for key, item in expression.items.items():
                lines += render(item, f"{quote(key)}: ", depth + 1, ",")
            return [*lines, f"{margin}}}{suffix}"]
        case Choose():
            inner = f"{margin}{INDENT}{flat(expression)}"
            lines = (
                [inner]
                if _width(inner) <= WIDTH
                else [
                    *render(expression.then, "", depth + 1),
                    *render(expression.condition, "if ", depth + 1),
                    *render(expression.otherwise, "else ", depth + 1),
                ]
            )
            return [f"{margin}{prefix}(", *lines, f"{margin}){suffix}"]
        case All():
            lines = [f"{margin}{prefix}("]
            for index, item in enumerate(expression.items):
                lines += render(item, "and " if index else "", depth + 1)
            return [*lines, f"{margin}){suffix}"]


def _width(line: str) -> int:
    """Columns, as the formatter counts them: East Asian wide characters take two."""
    if line.isascii():
        return len(line)
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in line)


def _empty(expression: Expression) -> bool:
    match expression:
        case Call():
            return not expression.positional and not expression.keywords
        case Array() | Table():
            return not expression.items
        case _:
            return False
