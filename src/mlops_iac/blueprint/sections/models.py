"""`models`: trained, tuned, evaluated, registered."""

from typing import Annotated, ClassVar, Literal

from mlops_iac.blueprint.sections.base import Field, Section, Text
from mlops_iac.blueprint.sections.compute import Runtime, Step
from mlops_iac.blueprint.sections.options import EntryOptions
from mlops_iac.blueprint.sections.values import (
    Cron,
    DatasetName,
    EnvironmentName,
    EnvVariables,
    FeatureName,
    Gate,
    MetricName,
    Prose,
    Scalar,
)

Direction = Literal["maximize", "minimize"]
Parameter = Annotated[str, Text("parameter")]


class Prepare(Step):
    """Makes training data from datasets: `prepare --data IN --out DIR`."""


class Train(Step):
    """Trains: `train --data DIR --model M --metrics FILE [--checkpoints C]`."""

    checkpoints: bool = Field(
        default=False, description="The script saves and resumes its progress."
    )
    spot_wait_minutes: int | None = Field(
        default=None,
        ge=1,
        description="With `compute.spot`: how long to wait for capacity at most.",
    )
    hyperparameters: dict[Parameter, Scalar] = Field(
        default_factory=dict, description="Passed to the script as `--name value`."
    )


class Search(Section):
    """The values that tuning may choose for one hyperparameter."""

    ALTERNATIVES: ClassVar = (("values", "integer", "continuous"),)
    ONE_OF: ClassVar = (("values", "integer", "continuous"),)

    values: tuple[Scalar, ...] | None = Field(default=None, description="One of these.")
    integer: tuple[int, ...] | None = Field(
        default=None,
        min_length=2,
        max_length=2,
        description="A whole number from the first to the second.",
    )
    continuous: tuple[float, ...] | None = Field(
        default=None,
        min_length=2,
        max_length=2,
        description="A number from the first to the second.",
    )
    scale: Literal["linear", "logarithmic"] = Field(
        default="linear", description="How `integer` and `continuous` ranges are explored."
    )


class Tune(Section):
    """Trains many times, with other hyperparameters, and keeps the best."""

    strategy: Literal["bayesian", "random", "grid", "hyperband"] = Field(
        default="bayesian", description="How the next trial is chosen; `grid` tries everything."
    )
    metric: MetricName | None = Field(
        default=None, description="What is best; may be left out where the model has one metric."
    )
    trials: int | None = Field(
        default=None,
        ge=1,
        description="How many trials at most; needed unless the strategy is `grid`.",
    )
    parallel: int = Field(default=1, ge=1, description="How many trials at the same time.")
    early_stopping: bool = Field(
        default=False,
        description="End a trial that is worse on its way than half of the others were there.",
    )
    search: dict[Parameter, Search] = Field(
        min_length=1, description="What to try, by hyperparameter."
    )


class Evaluate(Step):
    """Judges a trained model: `evaluate --data DIR --model M --metrics FILE`."""

    gates: dict[MetricName, Gate] = Field(
        default_factory=dict, description="What a version must reach to be registered, by metric."
    )
    explain: bool = Field(
        default=False, description="Also report what the predictions depend on (SHAP)."
    )


class Registry(Section):
    """Where versions wait for approval and are kept."""

    approval: Literal["manual", "automatic"] = Field(
        default="manual", description="Who approves a version that passed its gates."
    )
    keep_versions: int | None = Field(
        default=None,
        ge=1,
        description="Older versions go, never one in service; all stay if left out.",
    )
    card: Annotated[str, Text("file")] | None = Field(
        default=None, description="The model card, a Markdown file beside the blueprint."
    )


class Retrain(Section):
    """What starts the training again."""

    SOME_OF: ClassVar = (("schedule", "new_data", "limits"),)

    schedule: Cron | None = Field(
        default=None, description="Cron: minute hour day month weekday, in `timezone`."
    )
    new_data: tuple[DatasetName, ...] = Field(
        default=(), description="Datasets whose new files start a training."
    )
    limits: tuple[MetricName, ...] = Field(
        default=(), description="Monitored limits whose breach starts a training."
    )
    cooldown_hours: int = Field(
        default=24, ge=0, description="No second start by data or limits within this time."
    )


class Model(Section):
    """A model: trained here (`train`), or brought along (`source`)."""

    ALTERNATIVES: ClassVar = (("train", "source"),)
    ONE_OF: ClassVar = (("train", "source"),)

    description: Prose = Field(default="", max_length=3072, description="For people.")
    code: Annotated[str, Text("folder")] | None = Field(
        default=None,
        description="Folder with the scripts and `requirements.txt`; needed to train. What git ignores"
        " and files that hold credentials are not packed.",
    )
    runtime: Runtime | None = Field(
        default=None, description="What the code runs in; needed to train."
    )
    datasets: tuple[DatasetName, ...] = Field(
        default=(), description="What it learns from; may be left out where there is only one."
    )
    features: tuple[FeatureName, ...] = Field(
        default=(), description="Joined as of each row's time; looked up when serving."
    )
    metrics: dict[MetricName, Direction] = Field(
        default_factory=dict, description="What the scripts report, and which way is better."
    )
    prepare: Prepare | None = Field(default=None, description="Makes training data from datasets.")
    train: Train | None = Field(default=None, description="Trains the model.")
    tune: Tune | None = Field(default=None, description="Searches for the best hyperparameters.")
    evaluate: Evaluate | None = Field(
        default=None, description="Judges a version before it is registered."
    )
    registry: Registry = Field(
        default_factory=Registry, description="Where versions wait for approval and are kept."
    )
    retrain: Retrain | None = Field(default=None, description="What starts the training again.")
    source: Annotated[str, Text("model-source")] | None = Field(
        default=None,
        description="A model from elsewhere: a path or URI, `hf://org/name@revision`, `hosted://id`.",
    )
    promote_from: EnvironmentName | None = Field(
        default=None,
        description="Serve versions approved in that environment; nothing is trained here.",
    )
    version: str | None = Field(
        default=None,
        description="Serve this registered version; the newest approved one if left out.",
    )
    env: EnvVariables = Field(
        default_factory=dict, description="Environment variables of all its steps."
    )
    options: EntryOptions = Field(
        default_factory=EntryOptions, description="What one platform alone knows."
    )
