"""Values that stand where somebody has still to write one.

They have the form of what is asked for, so that every other check takes them.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from functools import cache
from typing import Any, Final

from mlops_iac.blueprint.fields import FieldType, ListType, MapType, ScalarType, fields_of
from mlops_iac.blueprint.sections.base import Section, Text
from mlops_iac.clouds import registry

_FORMS: Final = (
    # RFC 2606, section 3: reserved for documentation.
    r"(^|[@./])example\.(com|net|org)\b",
    r"<[^<>]*>",
    r"^\W*(todo|tbd|fixme|xxx+)(\W*$|[:\s])",
    r"^\W*(change|replace|fill)[-_ ]?(me|this|in)\W*$",
    r"^\W*(placeholder|your[-_ ].*)$",
)
_NOTHING: Final = re.compile(
    r"^[\W_]*(n/?a|none|null|nil|unknown|undefined|[\W_])[\W_]*$", re.IGNORECASE
)


def is_placeholder(text: str) -> bool:
    """Whether a text is one of those that documentation and scaffolds put in a value's place."""
    return _placeholders().search(text) is not None


@cache
def _placeholders() -> re.Pattern[str]:
    accounts = [each.forms.placeholders for each in registry.clouds()]
    return re.compile("|".join((*_FORMS, *accounts)), re.IGNORECASE)


def is_nothing(text: str) -> bool:
    """Whether a text only says that there is none. Of a mode or a column that may be an answer."""
    return _NOTHING.search(text) is not None


def placeholder_in(value: Any, kind: FieldType, allowed: Container[Any] = ()) -> str | None:
    """The first placeholder of a value that holds nothing else; None where it holds anything.

    `kind` is the type of its field; `allowed` are texts that somebody named as an answer.
    """
    first = None
    for leaf, free in _leaves(value, kind):
        if not isinstance(leaf, str) or leaf in allowed:
            return None
        if not is_placeholder(leaf) and not (free and is_nothing(leaf)):
            return None
        first = first or leaf
    return first


def _leaves(value: Any, kind: FieldType) -> Iterator[tuple[Any, bool]]:
    """Each value in a value, and whether anything may be written there."""
    if isinstance(value, Section):
        for field in fields_of(type(value)).values():
            yield from _leaves(getattr(value, field.name), field.type)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item, kind.value if isinstance(kind, MapType) else kind)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item, kind.item if isinstance(kind, ListType) else kind)
    elif value is not None and value != "":
        yield value, _is_free(kind)


def _is_free(kind: FieldType) -> bool:
    if not isinstance(kind, ScalarType) or kind.types != (str,) or kind.allowed:
        return False
    return kind.marker is None or kind.marker == Text("prose")
