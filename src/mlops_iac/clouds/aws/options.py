"""What SageMaker alone knows: `options.sagemaker`, at the top or in an entry."""

from typing import Annotated, Literal

from mlops_iac.blueprint.sections.base import Field, Section, Text


class SagemakerOptions(Section):
    """SageMaker, for the whole stack."""

    permissions_boundary: Annotated[str, Text("id")] | None = Field(
        default=None, description="ARN of the IAM permissions boundary that every role gets."
    )
    tracking_size: Literal["small", "medium", "large"] = Field(
        default="small",
        description="Size of the server of `tracking: mlflow`: for up to 25, 50 or 100 people.",
    )


class SagemakerEntryOptions(Section):
    """SageMaker, for one step or entry: nothing yet."""
