"""What one platform alone knows, typed: `options.<platform>`, at the top or in an entry.

A platform's section here has only what that platform reads; a key that nothing reads is an error.
"""

from typing import Annotated

from mlops_iac.blueprint.sections.base import Field, Section, Text


class SagemakerOptions(Section):
    """SageMaker, for the whole stack."""

    permissions_boundary: Annotated[str, Text("id")] | None = Field(
        default=None, description="ARN of the IAM permissions boundary that every role gets."
    )


class SagemakerEntryOptions(Section):
    """SageMaker, for one step or entry: nothing yet."""


class OtherPlatformOptions(Section):
    """A platform that is not supported yet: it has no options."""


class Options(Section):
    """Options of the stack, by platform."""

    sagemaker: SagemakerOptions = Field(
        default_factory=SagemakerOptions, description="For `platform: sagemaker`."
    )
    azure_ml: OtherPlatformOptions | None = Field(
        default=None, alias="azure-ml", description="For `platform: azure-ml`: none yet."
    )
    vertex: OtherPlatformOptions | None = Field(
        default=None, description="For `platform: vertex`: none yet."
    )
    mlflow_aws: OtherPlatformOptions | None = Field(
        default=None, alias="mlflow-aws", description="For `platform: mlflow-aws`: none yet."
    )
    kubeflow_azure: OtherPlatformOptions | None = Field(
        default=None,
        alias="kubeflow-azure",
        description="For `platform: kubeflow-azure`: none yet.",
    )


class EntryOptions(Section):
    """Options of one entry, by platform."""

    sagemaker: SagemakerEntryOptions = Field(
        default_factory=SagemakerEntryOptions, description="For `platform: sagemaker`."
    )
    azure_ml: OtherPlatformOptions | None = Field(
        default=None, alias="azure-ml", description="For `platform: azure-ml`: none yet."
    )
    vertex: OtherPlatformOptions | None = Field(
        default=None, description="For `platform: vertex`: none yet."
    )
    mlflow_aws: OtherPlatformOptions | None = Field(
        default=None, alias="mlflow-aws", description="For `platform: mlflow-aws`: none yet."
    )
    kubeflow_azure: OtherPlatformOptions | None = Field(
        default=None,
        alias="kubeflow-azure",
        description="For `platform: kubeflow-azure`: none yet.",
    )
