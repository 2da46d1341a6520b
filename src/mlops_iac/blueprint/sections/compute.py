"""What things run on: sizes, runtimes, steps."""

from typing import Annotated, ClassVar, Literal

from mlops_iac.blueprint.sections.base import Field, Section, Text
from mlops_iac.blueprint.sections.options import EntryOptions
from mlops_iac.blueprint.sections.values import EnvVariables

Size = Literal["small", "medium", "large", "xlarge", "gpu-small", "gpu-large", "gpu-xlarge"]
SIZES: dict[Size, tuple[int, int, int, int]] = {
    "small": (2, 8, 0, 0),
    "medium": (4, 16, 0, 0),
    "large": (8, 32, 0, 0),
    "xlarge": (16, 64, 0, 0),
    "gpu-small": (1, 1, 1, 16),
    "gpu-large": (1, 1, 1, 40),
    "gpu-xlarge": (1, 1, 8, 40),
}
"""Guaranteed minimum by size: vCPU, memory in GB, GPUs, memory of each GPU in GB."""

Framework = Literal["scikit-learn", "xgboost", "pytorch", "tensorflow", "huggingface", "onnx"]
PACKAGES = {"pytorch": "torch"}
"""What a framework is called on package indexes, where that is another name."""


class EndpointCompute(Section):
    """The machine that each serving instance runs on."""

    ALTERNATIVES: ClassVar = (("size", "instance"),)

    size: Size | None = Field(
        default=None,
        description="A guaranteed minimum on every platform; `small` unless `instance` is given.",
    )
    instance: str | None = Field(default=None, description="The platform's own instance type.")
    disk_gb: int | None = Field(default=None, gt=0, description="Disk of each instance, in GB.")


class Compute(Section):
    """The machines that a step or a batch run uses."""

    ALTERNATIVES: ClassVar = (("size", "instance"),)

    size: Size | None = Field(
        default=None,
        description="A guaranteed minimum on every platform; `small` unless `instance` is given.",
    )
    instance: str | None = Field(default=None, description="The platform's own instance type.")
    count: int = Field(default=1, ge=1, description="How many instances.")
    disk_gb: int | None = Field(default=None, gt=0, description="Disk of each instance, in GB.")
    spot: bool = Field(default=False, description="Use cheaper capacity that can be taken away.")


class Runtime(Section):
    """What the code runs in: a framework's image, an image, or an image built from a Dockerfile."""

    ALTERNATIVES: ClassVar = (("framework", "image", "dockerfile"),)
    ONE_OF: ClassVar = (("framework", "image", "dockerfile"),)

    framework: Framework | None = Field(
        default=None, description="A framework with a maintained image."
    )
    version: str | None = Field(
        default=None, description="The framework's version, as written: `1.20` is not `1.2`."
    )
    image: str | None = Field(default=None, description="A container image.")
    dockerfile: Annotated[str, Text("file")] | None = Field(
        default=None, description="A Dockerfile, relative to the blueprint."
    )


class Step(Section):
    """One script of a model's life, run as a job."""

    script: Annotated[str, Text("script")] = Field(
        description="The script, in the model's `code` folder: `.py`, `.R` or `.sh`."
    )
    runtime: Runtime | None = Field(default=None, description="Another runtime than the model's.")
    compute: Compute = Field(default_factory=Compute, description="What it runs on.")
    timeout_minutes: int = Field(
        default=24 * 60, ge=1, le=7 * 24 * 60, description="Stopped after this time."
    )
    env: EnvVariables = Field(default_factory=dict, description="Environment variables.")
    options: EntryOptions = Field(
        default_factory=EntryOptions, description="What one platform alone knows."
    )
