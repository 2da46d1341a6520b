"""`serving`: models in service, in one of four modes."""

from typing import Annotated, ClassVar, Literal

from mlops_iac.blueprint.sections.base import EntryName, Field, Section
from mlops_iac.blueprint.sections.compute import Compute, EndpointCompute, Runtime
from mlops_iac.blueprint.sections.options import EntryOptions
from mlops_iac.blueprint.sections.values import (
    Column,
    Cron,
    DatasetName,
    EnvVariables,
    Identifier,
    Limit,
    MetricName,
    ModelName,
    Prose,
    WholePercent,
)

SERVICE_METRICS: dict[str, tuple[str, ...]] = {
    "real-time": ("latency_p99_ms", "error_rate_percent", "drift_psi"),
    "batch": ("lag_seconds", "error_rate_percent", "drift_psi"),
    "streaming": ("latency_p99_ms", "error_rate_percent", "lag_seconds", "drift_psi"),
    "edge": ("latency_p99_ms", "error_rate_percent", "drift_psi"),
}
"""What the platform itself measures of an entry, by mode; units are in the names."""
ROLLOUT_METRICS = ("latency_p99_ms", "error_rate_percent")
"""What is measured fast enough to stop a rollout."""

# Fields that several modes have.
_MODEL = Field(
    default=None, description="What it serves; may be left out where there is only one model."
)
_OUTPUT = Field(
    default=None,
    description="What is made; may be left out where there is only one without a source.",
)
_ROLLOUT = Field(
    default=None,
    description="How a new version takes over; at once, without a way back, if left out.",
)


class Variant(Section):
    """One of several models behind an entry."""

    ALTERNATIVES: ClassVar = (("traffic_percent", "shadow_percent"),)

    model: ModelName | None = _MODEL
    traffic_percent: WholePercent | None = Field(
        default=None,
        description="Its share of the calls; all shares sum to 100. With 0 it answers only callers that name it.",
    )
    shadow_percent: WholePercent | None = Field(
        default=None, description="Gets copies of this share of the calls and answers nobody."
    )


class ScalingTarget(Section):
    """What each instance should be kept at."""

    ALTERNATIVES: ClassVar = (("requests_per_minute", "concurrency", "cpu_percent", "gpu_percent"),)
    ONE_OF: ClassVar = (("requests_per_minute", "concurrency", "cpu_percent", "gpu_percent"),)

    requests_per_minute: float | None = Field(default=None, gt=0, description="Calls per minute.")
    concurrency: float | None = Field(default=None, gt=0, description="Calls at the same time.")
    cpu_percent: float | None = Field(default=None, gt=0, le=100, description="CPU in use.")
    gpu_percent: float | None = Field(default=None, gt=0, le=100, description="GPU in use.")


class Scaling(Section):
    """How many instances, by load."""

    min: int = Field(default=1, ge=0, description="Never fewer; `0` scales to zero.")
    max: int = Field(ge=1, description="Never more.")
    target: ScalingTarget | None = Field(
        default=None,
        description="What each instance is kept at; needed where `max` is above `min`.",
    )


class Rollout(Section):
    """How a new version takes over, and what takes it back."""

    strategy: Literal["all-at-once", "canary", "linear", "blue-green"] = Field(
        default="all-at-once", description="How calls move to the new version."
    )
    percent: int | None = Field(
        default=None,
        ge=1,
        le=99,
        description="Share of the first (canary) or of each (linear) step.",
    )
    wait_minutes: int | None = Field(
        default=None, ge=1, description="How long each step is watched before the next."
    )
    limits: dict[MetricName, Limit] = Field(
        default_factory=dict, description="A breach while rolling out takes the version back."
    )


class Capture(Section):
    """Keeps what was asked and answered, for monitoring."""

    percent: WholePercent = Field(default=100, description="Share of the calls that is kept.")
    retention_days: int = Field(default=30, ge=1, description="Deleted after this time.")


class Outcomes(Section):
    """The truth, which arrives later."""

    dataset: DatasetName | None = Field(
        default=None, description="Where it arrives; may be left out where there is only one."
    )
    key: Column = Field(description="The column by which predictions and outcomes are joined.")
    within_days: int = Field(
        default=30,
        ge=1,
        description="How long a call waits for its outcome; each run reads the calls of so many days,"
        " as far as they are kept.",
    )


class Monitor(Section):
    """Watches an entry and alerts when a limit is broken."""

    schedule: Cron = Field(
        default="0 6 * * *",
        description="When drift and outcomes are computed: cron, in `timezone`.",
    )
    outcomes: Outcomes | None = Field(default=None, description="The truth, which arrives later.")
    limits: dict[MetricName, Limit] = Field(
        default_factory=dict, description="What must hold, by metric."
    )


class ServingEntry(Section):
    """What all modes share."""

    description: Prose = Field(default="", description="For people.")
    runtime: Runtime | None = Field(default=None, description="Another runtime than the model's.")
    env: EnvVariables = Field(default_factory=dict, description="Environment variables.")
    monitor: Monitor | None = Field(
        default=None, description="Watches it; nothing is watched if left out."
    )
    options: EntryOptions = Field(
        default_factory=EntryOptions, description="What one platform alone knows."
    )


class RealTime(ServingEntry):
    """Answers calls at once, behind one endpoint."""

    ALTERNATIVES: ClassVar = (("model", "variants"),)
    ONE_OF: ClassVar = (("model", "variants"),)

    mode: Literal["real-time"] = Field(description="Answers calls at once.")
    model: ModelName | None = _MODEL
    variants: dict[Annotated[str, EntryName("variant")], Variant] | None = Field(
        default=None, min_length=1, description="Several models behind one endpoint."
    )
    compute: EndpointCompute = Field(
        default_factory=EndpointCompute, description="What each instance runs on."
    )
    scaling: Scaling | None = Field(default=None, description="One instance if left out.")
    rollout: Rollout | None = _ROLLOUT
    capture: Capture | None = Field(
        default=None, description="Keeps calls; none are kept if left out."
    )
    callers: tuple[Identifier, ...] = Field(
        default=(), description="Identities that may call it, beside those of the stack."
    )


class Batch(ServingEntry):
    """Predicts for a whole dataset at a time."""

    ALTERNATIVES: ClassVar = (("schedule", "new_data"),)

    mode: Literal["batch"] = Field(description="Predicts for a whole dataset at a time.")
    model: ModelName | None = _MODEL
    input: DatasetName | None = Field(
        default=None,
        description="What is read; may be left out where there is only one with a source.",
    )
    output: DatasetName | None = _OUTPUT
    schedule: Cron | None = Field(default=None, description="When it runs: cron, in `timezone`.")
    new_data: tuple[DatasetName, ...] = Field(
        default=(), description="Datasets whose new files start a run."
    )
    compute: Compute = Field(default_factory=Compute, description="What a run uses.")


class Streaming(ServingEntry):
    """Predicts for each record of a stream."""

    ALTERNATIVES: ClassVar = (("model", "variants"),)
    ONE_OF: ClassVar = (("model", "variants"),)

    mode: Literal["streaming"] = Field(description="Predicts for each record of a stream.")
    model: ModelName | None = _MODEL
    variants: dict[Annotated[str, EntryName("variant")], Variant] | None = Field(
        default=None, min_length=1, description="Several models behind one stream."
    )
    input: DatasetName | None = Field(
        default=None, description="The stream; may be left out where there is only one."
    )
    output: DatasetName | None = _OUTPUT
    compute: EndpointCompute = Field(
        default_factory=EndpointCompute, description="What each instance runs on."
    )
    scaling: Scaling | None = Field(default=None, description="One instance if left out.")
    rollout: Rollout | None = _ROLLOUT
    capture: Capture | None = Field(
        default=None, description="Keeps calls; none are kept if left out."
    )


class Fleet(Section):
    """Devices that are there already."""

    existing: Identifier = Field(description="Id of an existing fleet: used, never changed.")


class Device(Section):
    """What the devices are."""

    architecture: Literal["arm64", "amd64", "armv7"] = Field(description="Their processor.")
    export: Literal["onnx", "native"] = Field(
        default="onnx", description="The form in which the model is sent to them."
    )
    accelerator: str | None = Field(default=None, description="An accelerator that they have.")


class Edge(ServingEntry):
    """Predicts on devices."""

    mode: Literal["edge"] = Field(description="Predicts on devices.")
    model: ModelName | None = _MODEL
    device: Device = Field(description="What the devices are.")
    fleet: Annotated[str, EntryName("fleet")] | Fleet = Field(
        description="Name of a fleet to be made, or `{existing: ID}`."
    )
    rollout: Rollout | None = _ROLLOUT


Serving = Annotated[RealTime | Batch | Streaming | Edge, Field(discriminator="mode")]
