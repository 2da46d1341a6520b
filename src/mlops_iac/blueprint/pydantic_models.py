"""The sections as pydantic models, for whom wants them: the JSON Schema, other tools, tests.

The reader does without: importing pydantic's models costs more than a whole check.
"""

from __future__ import annotations

import types
from functools import reduce
from operator import or_
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, StringConstraints, create_model
from pydantic import Field as PydanticField

from mlops_iac.blueprint.sections.base import (
    NAME,
    PATTERNS,
    EntryName,
    FieldSpec,
    Section,
    Text,
    declarations,
)
from mlops_iac.blueprint.sections.root import Blueprint

_CONFIG = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
_PASSED_ON = ("alias", "description", "discriminator", "ge", "gt", "le", "max_length", "min_length")


_MADE: dict[type[Section], type[BaseModel]] = {}


def pydantic_model(section: type[Section] = Blueprint) -> type[BaseModel]:
    """The pydantic model of a section: same fields, defaults, bounds; unknown keys are errors.

    It checks one merged document on its own. What holds between sections, and what a text must
    be, only the reader checks.
    """
    if section in _MADE:
        return _MADE[section]
    fields: dict[str, Any] = {}
    for name, (annotation, spec) in declarations(section):
        fields[name] = (_translated(annotation), _field(spec))
    made: type[BaseModel] = create_model(
        section.__name__,
        __config__=_CONFIG,
        __doc__=section.__doc__,
        __module__=section.__module__,
        **fields,
    )
    return _MADE.setdefault(section, made)


def _field(spec: FieldSpec) -> Any:
    given: dict[str, Any] = {
        name: value for name in _PASSED_ON if (value := getattr(spec, name)) not in (None, "")
    }
    factory = spec.default_factory
    if factory is not None:
        if isinstance(factory, type) and issubclass(factory, Section):
            factory = pydantic_model(factory)
        given["default_factory"] = factory
    elif not spec.required:
        given["default"] = spec.default
    return PydanticField(**given)


def _translated(annotation: Any) -> Any:
    """The annotation with models in place of sections and pydantic's fields in place of ours."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner = _translated(annotation.__origin__)
        for item in annotation.__metadata__:
            # Pydantic does not know what most markers mean.
            if isinstance(item, FieldSpec):
                inner = Annotated[inner, _field(item)]
            elif (found := _form(item)) is not None:
                inner = Annotated[inner, found]
        return inner
    if origin in (Union, types.UnionType):
        return reduce(or_, (_translated(item) for item in get_args(annotation)))
    if origin in (tuple, dict):
        return origin[tuple(_translated(item) for item in get_args(annotation))]
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return pydantic_model(annotation)
    return annotation


def _form(marker: Any) -> Any:
    """How long a text may be, and of which form, for those that one pattern tells."""
    if isinstance(marker, EntryName):
        return StringConstraints(max_length=marker.longest, pattern=NAME)
    if isinstance(marker, Text) and marker.kind in PATTERNS:
        return StringConstraints(pattern=f"^{PATTERNS[marker.kind]}$")
    return None
