"""What every section shares, and the markers that give a text field its meaning.

Markers stand in `Annotated` metadata. Pydantic passes over them; the reader (`decode.py`) and
the checks act on them, so that a field's meaning is said once, where it is declared.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A mapping with known keys. Frozen; unknown keys are errors.

    `ALTERNATIVES` names groups of fields of which one at most is given; in an overlay the upper
    layer's choice drops the lower's. `ONE_OF` groups must have exactly one. `SOME_OF` groups need at
    least one.
    """

    # Schemas are built on first use: the reader constructs from checked values and needs none.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, populate_by_name=True)

    ALTERNATIVES: ClassVar[tuple[tuple[str, ...], ...]] = ()
    ONE_OF: ClassVar[tuple[tuple[str, ...], ...]] = ()
    SOME_OF: ClassVar[tuple[tuple[str, ...], ...]] = ()


TextKind = Literal[
    "cron",
    "timezone",
    "email",
    "date",
    "source",
    "model-source",
    "folder",
    "file",
    "script",
    "id",
    "environment-variable",
    "parameter",
    "metric",
]


@dataclass(frozen=True, slots=True)
class Text:
    """The text has this form; `file`, `folder` and `script` must exist beside the blueprint."""

    kind: TextKind


@dataclass(frozen=True, slots=True)
class Reference:
    """The text is the name of an entry of this section (`datasets`, `models`, `features` …)."""

    section: str


@dataclass(frozen=True, slots=True)
class EntryName:
    """The key is a portable name: lowercase letters, digits, hyphens; starts with a letter."""

    what: str
    longest: int = 40


Json = Any
"""Any JSON value: what is written, read by YAML 1.2 core rules."""

Marker = Text | Reference | EntryName
