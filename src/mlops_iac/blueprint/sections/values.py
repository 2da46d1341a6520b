"""Plain values that many sections use: names, references, limits, environment variables."""

from typing import Annotated, ClassVar, Literal

from mlops_iac.blueprint.sections.base import EntryName, Field, Reference, Section, Text

Cron = Annotated[str, Text("cron")]
Identifier = Annotated[str, Text("id")]
DatasetName = Annotated[str, Reference("datasets")]
FeatureName = Annotated[str, Reference("features")]
ModelName = Annotated[str, Reference("models")]
SecretName = Annotated[str, Reference("secrets")]
EnvironmentName = Annotated[str, Reference("environments")]
MetricName = Annotated[str, Text("metric")]
Name = Annotated[str, EntryName("name")]
Percent = Annotated[float, Field(ge=0, le=100)]
WholePercent = Annotated[int, Field(ge=0, le=100)]
Prose = Annotated[str, Text("prose")]
Column = Annotated[str, Text("column")]
Scalar = bool | int | float | str

FAIRNESS_METRICS: tuple[str, ...] = (
    "demographic_parity_difference",
    "demographic_parity_ratio",
    "equal_opportunity_difference",
    "equal_opportunity_ratio",
    "equalized_odds_difference",
    "equalized_odds_ratio",
)
"""Measured over a dataset's `sensitive` columns; the names are fairlearn's (`fairlearn.metrics`)."""


class Limit(Section):
    """A bound on one metric."""

    ALTERNATIVES: ClassVar = (("at_least", "at_most"),)
    ONE_OF: ClassVar = (("at_least", "at_most"),)

    at_least: float | None = Field(default=None, description="The metric must not fall below this.")
    at_most: float | None = Field(default=None, description="The metric must not rise above this.")


class Gate(Section):
    """What a new version must reach on one metric before it is registered."""

    ALTERNATIVES: ClassVar = (("at_least", "at_most"),)
    SOME_OF: ClassVar = (("at_least", "at_most", "no_worse_than"),)

    at_least: float | None = Field(default=None, description="The metric must not be below this.")
    at_most: float | None = Field(default=None, description="The metric must not be above this.")
    no_worse_than: Literal["current"] | None = Field(
        default=None,
        description="`current`: not worse than the version in service (pinned, or newest approved), "
        "which `evaluate` measures on the same data. The first passes.",
    )


class SecretReference(Section):
    """A value that is read from a secret where it is used."""

    secret: SecretName = Field(description="A name of `secrets`.")


EnvValue = Prose | SecretReference
EnvVariables = dict[Annotated[str, Text("environment-variable")], EnvValue]
