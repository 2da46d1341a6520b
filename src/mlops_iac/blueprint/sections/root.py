"""The blueprint as a whole."""

from typing import TYPE_CHECKING, Annotated, Literal

from mlops_iac.blueprint.sections.base import EntryName, Field, Json, Section, Text
from mlops_iac.blueprint.sections.datasets import Dataset
from mlops_iac.blueprint.sections.features import Feature
from mlops_iac.blueprint.sections.models import Model
from mlops_iac.blueprint.sections.options import Options
from mlops_iac.blueprint.sections.platform import (
    Alert,
    Budget,
    Delivery,
    Existing,
    Overrides,
    PolicyException,
    SecretEntry,
    Security,
    State,
    TemplateUse,
)
from mlops_iac.blueprint.sections.serving import Serving
from mlops_iac.blueprint.sections.values import Identifier, Prose
from mlops_iac.clouds import registry

if TYPE_CHECKING:
    PlatformName = str
else:
    PlatformName = Literal[registry.LANGUAGE]


class Blueprint(Section):
    """What a machine learning system needs, from data to monitored predictions.

    A resolved blueprint has its environment merged in, and `environments` holds nothing then.
    """

    blueprint: Literal[1] = Field(description="Version of this language.")
    name: Annotated[str, EntryName("blueprint", 32)] = Field(
        description="Name of the project; what is made is named after it."
    )
    description: Prose = Field(default="", description="For people.")
    owner: str = Field(
        default="", max_length=256, description="Who answers for it; a tag on everything."
    )
    tags: dict[Annotated[str, Field(max_length=128)], Annotated[str, Field(max_length=256)]] = (
        Field(default_factory=dict, description="Tags on everything.")
    )
    extends: tuple[TemplateUse, ...] = Field(default=(), description="Templates, lowest first.")
    platform: PlatformName = Field(description="Where it is deployed.")
    region: str = Field(description="The cloud's region.")
    timezone: Annotated[str, Text("timezone")] = Field(
        default="UTC", description="Of all schedules, e.g. `Europe/Amsterdam`."
    )

    datasets: dict[Annotated[str, EntryName("dataset")], Dataset] = Field(
        default_factory=dict, description="Tables, files or streams."
    )
    features: dict[Annotated[str, EntryName("feature")], Feature] = Field(
        default_factory=dict, description="Values by entity and time."
    )
    models: dict[Annotated[str, EntryName("model")], Model] = Field(
        default_factory=dict, description="Trained, evaluated, registered."
    )
    serving: dict[Annotated[str, EntryName("serving entry")], Serving] = Field(
        default_factory=dict, description="Models in service."
    )

    tracking: Literal["mlflow", "native"] = Field(
        default="native",
        description="Where experiments are tracked; `native` is the platform's own.",
    )
    orchestration: Literal["native", "airflow"] = Field(
        default="native", description="What runs the steps; `native` is the platform's own."
    )
    delivery: Delivery | None = Field(default=None, description="Deploys when something changed.")
    state: State = Field(default_factory=State, description="Where Pulumi keeps its state.")
    security: Security = Field(default_factory=Security, description="How closed the stack is.")
    alerts: dict[Annotated[str, EntryName("alert")], Alert] = Field(
        default_factory=dict, description="Whom to tell."
    )
    secrets: dict[Annotated[str, EntryName("secret")], SecretEntry] = Field(
        default_factory=dict, description="Secrets, by name; their values are never in here."
    )
    budget: Budget | None = Field(
        default=None, description="What a month may cost, per environment."
    )
    options: Options = Field(default_factory=Options, description="What one platform alone knows.")
    overrides: Overrides = Field(
        default_factory=dict, description="Properties of resources, by the address `graph` prints."
    )
    moved: dict[str, str] = Field(
        default_factory=dict, description="Renamed entries, new path: old path."
    )
    exceptions: dict[str, PolicyException] = Field(
        default_factory=dict, description="Policies that do not apply, by rule."
    )

    account: Identifier | None = Field(
        default=None,
        description="AWS account, Azure subscription or GCP project of the environment.",
    )
    deploy_as: Identifier | None = Field(
        default=None, description="The identity that deploys the environment."
    )
    protect: bool = Field(
        default=True,
        description="Refuse to delete what holds data; `false` in `local` unless said.",
    )
    approval: Literal["manual", "none"] = Field(
        default="none",
        description="`manual`: every deployment of the environment is approved by a person.",
    )
    existing: Existing = Field(
        default_factory=Existing, description="What is there already: used, never changed."
    )

    environments: dict[Annotated[str, EntryName("environment", 20)], Json] = Field(
        default_factory=dict,
        description="Partial blueprints by environment; each becomes a stack.",
    )
