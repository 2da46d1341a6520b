"""What stands on SageMaker: `clouds.operations.Operations`, function by function."""

from mlops_iac.clouds.aws.alarms import alarms
from mlops_iac.clouds.aws.sagemaker.contents import delete_versions, holdings
from mlops_iac.clouds.aws.sagemaker.endpoints import differing, endpoints, entry, images, served
from mlops_iac.clouds.aws.sagemaker.invocations import invoke, largest_body
from mlops_iac.clouds.aws.sagemaker.monitoring_run import run_monitoring
from mlops_iac.clouds.aws.sagemaker.registry import registry
from mlops_iac.clouds.aws.sagemaker.runs import (
    definition,
    last_run,
    page,
    read_by_run,
    upload,
    uploaded,
)

__all__ = [
    "alarms",
    "definition",
    "delete_versions",
    "differing",
    "endpoints",
    "entry",
    "holdings",
    "images",
    "invoke",
    "largest_body",
    "last_run",
    "page",
    "read_by_run",
    "registry",
    "registry_output",
    "run_monitoring",
    "served",
    "upload",
    "uploaded",
]

registry_output = "model_package_group"
