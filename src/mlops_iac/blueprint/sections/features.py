"""`features`: values by entity and time, joined for training and looked up when serving."""

from typing import ClassVar, Literal

from mlops_iac.blueprint.sections.base import Field, Section
from mlops_iac.blueprint.sections.options import EntryOptions
from mlops_iac.blueprint.sections.values import Column, DatasetName, Identifier, Prose

FieldType = Literal["float", "integer", "text"]


class Feature(Section):
    """A feature group: made from a dataset, or an existing one."""

    ALTERNATIVES: ClassVar = (("dataset", "existing"),)

    description: Prose = Field(default="", description="For people.")
    dataset: DatasetName | None = Field(
        default=None,
        description="Where the values come from; may be left out where there is only one.",
    )
    entity: Column | None = Field(default=None, description="The column that identifies a row.")
    time: Column | None = Field(
        default=None, description="The column that says since when a value holds."
    )
    fields: dict[Column, FieldType] = Field(
        default_factory=dict, description="Type by column: `float`, `integer` or `text`."
    )
    online: bool = Field(
        default=False, description="Also looked up, one entity at a time, when serving."
    )
    ttl_hours: int | None = Field(
        default=None, ge=1, description="Online values expire after this time."
    )
    existing: Identifier | None = Field(
        default=None, description="Id of an existing feature group: used, never changed."
    )
    options: EntryOptions = Field(
        default_factory=EntryOptions, description="What one platform alone knows."
    )
