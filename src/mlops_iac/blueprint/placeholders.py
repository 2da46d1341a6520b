"""Values that stand where somebody has still to write one.

They have the form of what is asked for, so that every other check takes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from mlops_iac.blueprint.fields import fields_of
from mlops_iac.blueprint.sections.base import Section

_FORMS: Final = (
    # RFC 2606, section 3: reserved for documentation.
    r"(^|[@./])example\.(com|net|org)\b",
    # Account ids of the AWS documentation (AWS account identifiers; IAM user guide), and one digit.
    r"(?<!\d)(123456789012|111122223333|444455556666|(?P<digit>\d)(?P=digit){11})(?!\d)",
    r"<[^<>]*>",
    r"^\W*(todo|tbd|fixme|xxx+)(\W*$|[:\s])",
    r"^\W*(change|replace|fill)[-_ ]?(me|this|in)\W*$",
    r"^\W*(placeholder|your[-_ ].*)$",
)
_PLACEHOLDER: Final = re.compile("|".join(_FORMS), re.IGNORECASE)


def is_placeholder(text: str) -> bool:
    """Whether a text is one of those that documentation and scaffolds put in a value's place."""
    return _PLACEHOLDER.search(text) is not None


def placeholder_in(value: Any) -> str | None:
    """The first placeholder of a value that holds nothing else; None where it holds anything."""
    first = None
    for leaf in _leaves(value):
        if not isinstance(leaf, str) or not is_placeholder(leaf):
            return None
        first = first or leaf
    return first


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, Section):
        for field in fields_of(type(value)).values():
            yield from _leaves(getattr(value, field.name))
    elif isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    elif value is not None and value != "":
        yield value
