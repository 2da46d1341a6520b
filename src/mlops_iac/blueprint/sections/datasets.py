"""`datasets`: tables, files or streams."""

from typing import Annotated, ClassVar, Literal

from mlops_iac.blueprint.sections.base import Field, Section, Text
from mlops_iac.blueprint.sections.options import EntryOptions
from mlops_iac.blueprint.sections.values import Column, Prose

Format = Literal["csv", "parquet", "json", "images", "text"]


class ColumnCheck(Section):
    """What must hold for one column, or the data is refused before anything is trained on it."""

    SOME_OF: ClassVar = (("not_null", "at_least", "at_most"),)

    not_null: bool = Field(default=False, description="Every row has a value.")
    at_least: float | None = Field(default=None, description="No value is below this.")
    at_most: float | None = Field(default=None, description="No value is above this.")


class Stream(Section):
    """Records that arrive one by one; the numbers size the stream."""

    records_per_second: float = Field(gt=0, description="Expected peak rate, records per second.")
    record_kb: float = Field(default=1, gt=0, description="Size of one record, in kB.")


class Dataset(Section):
    """A table, a set of files, or a stream. Without `source` and `stream` it is made by serving."""

    ALTERNATIVES: ClassVar = (("source", "stream"),)

    description: Prose = Field(default="", description="For people.")
    source: Annotated[str, Text("source")] | None = Field(
        default=None,
        description=(
            "A file or folder to upload (500 files, none hidden), or in place: `s3://`, `gs://`, "
            "`abfss://`, `bigquery://`, `glue://`, `kafka://`."
        ),
    )
    stream: Stream | None = Field(default=None, description="A stream to be created.")
    format: Format | None = Field(
        default=None, description="The form of its files; needed unless it is a table or a stream."
    )
    target: Column | None = Field(default=None, description="The column to predict.")
    time: Column | None = Field(
        default=None, description="The column that says when a row became known."
    )
    window_days: int | None = Field(
        default=None, ge=1, description="Only the newest rows, by `time` or `partition`."
    )
    partition: Column | None = Field(
        default=None, description="The partition key of the stored files."
    )
    sensitive: tuple[Column, ...] = Field(
        default=(), description="Columns over which bias is measured."
    )
    checks: dict[Column, ColumnCheck] = Field(
        default_factory=dict,
        description="What must hold, by column, of values as pandas reads them by default.",
    )
    retention_days: int | None = Field(default=None, ge=1, description="Deleted after this time.")
    options: EntryOptions = Field(
        default_factory=EntryOptions, description="What one platform alone knows."
    )

    @property
    def is_made(self) -> bool:
        """Whether serving makes it: it has neither a source nor a stream."""
        return self.source is None and self.stream is None

    @property
    def is_local(self) -> bool:
        """Whether its source is a path beside the blueprint."""
        return self.source is not None and "://" not in self.source

    @property
    def is_stream(self) -> bool:
        """Whether records arrive one by one."""
        return self.stream is not None or (self.source or "").startswith("kafka://")
