"""What Azure ML alone knows: `options.azure-ml`, at the top or in an entry."""

from mlops_iac.blueprint.sections.base import Field, Section


class AzureMlOptions(Section):
    """Azure ML, for the whole stack."""

    replication: str | None = Field(
        default=None, description="Copies of what is stored: `LRS` in one place, `ZRS` in three."
    )


class AzureMlEntryOptions(Section):
    """Azure ML, for one step or entry: nothing yet."""
