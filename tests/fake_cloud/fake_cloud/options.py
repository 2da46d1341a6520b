"""What the platform alone knows: `options.fake`."""

from mlops_iac.blueprint.sections.base import Field, Section


class FakeOptions(Section):
    """For the whole stack."""

    replicas: int | None = Field(default=None, ge=1, description="Copies of every object.")


class FakeEntryOptions(Section):
    """For one step or entry: nothing yet."""
