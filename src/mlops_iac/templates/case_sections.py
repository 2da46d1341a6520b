"""What stands in a case of a template's tests."""

from mlops_iac.blueprint.sections.base import Field, Json, Section
from mlops_iac.blueprint.sections.root import PlatformName


class Expectations(Section):
    """What a case says of its result, beside the golden files."""

    resolved: dict[str, Json] = Field(default_factory=dict, description="Values by path.")
    resources: dict[str, Json] = Field(default_factory=dict, description="Counts by type.")
    errors: tuple[str, ...] = Field(default=(), description="Regular expressions.")
    findings: tuple[str, ...] | None = Field(
        default=None, description="Regular expressions of what breaks the template's guard rails."
    )


class CaseSection(Section):
    """The file of a case."""

    description: str = Field(default="", description="What it shows.")
    platform: PlatformName | None = Field(default=None, description="Where it is deployed.")
    parameters: dict[str, Json] = Field(default_factory=dict, description="What a team gives.")
    blueprint: Json = Field(default=None, description="A team's own lines.")
    files: dict[str, str] = Field(default_factory=dict, description="What these name.")
    golden: tuple[str, ...] = Field(
        default=(), description="Environments whose whole result is kept beside the case."
    )
    expect: Expectations = Field(default_factory=Expectations, description="What comes of it.")
