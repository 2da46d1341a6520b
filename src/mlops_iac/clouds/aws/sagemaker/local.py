"""The lifecycle of a deployed SageMaker pipeline, as a run on this machine meets it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from mlops_iac.blueprint.sections.compute import PACKAGES
from mlops_iac.clouds.aws import catalogue
from mlops_iac.clouds.aws.sagemaker.blocks.training_calls import compiled
from mlops_iac.clouds.aws.sagemaker.definition import jobs
from mlops_iac.clouds.aws.sagemaker.definition.parts import SageMakerSettings, dataset_placeholder
from mlops_iac.clouds.aws.sagemaker.definition.printer import definition, fill, filled_with
from mlops_iac.clouds.aws.sagemaker.registry import listed
from mlops_iac.clouds.aws.sagemaker.scope import Scope
from mlops_iac.clouds.aws.store import S3Store, cloud_errors
from mlops_iac.pipeline import steps
from mlops_iac.pipeline.backend import Store, Version
from mlops_iac.pipeline.steps import Lifecycle
from mlops_iac.records import as_json, from_json


class SageMakerBackend:
    """`pipeline.backend.Backend` over clients of the emulator.

    `values` fills the placeholders of what is printed; `client` makes a boto3 client.
    """

    def __init__(
        self,
        life: Lifecycle,
        settings: SageMakerSettings,
        values: Mapping[str, str],
        client: Callable[[str], Any],
    ) -> None:
        self._life = life
        self._settings = settings
        self._values = values
        self._sagemaker = client("sagemaker")
        self.store: Store = S3Store(client("s3"), values.get("kms_key_arn"))
        self.artifacts = f"s3://{values['artifacts_bucket']}"
        self.code = values["code_uri"]
        self.datasets: Mapping[str, str] = {
            each.name: values[dataset_placeholder(each.name)] for each in life.datasets
        }
        self.environment = settings.environment
        self.framework = _framework(settings.images["train"])

    def register(self, model: str, report: str | None) -> Version:
        """Register a model package as the pipeline does."""
        printed = jobs.register(self._life, self._settings, model, report)
        arguments = json.loads(fill(json.dumps(printed), self._values))
        group, approval = arguments["ModelPackageGroupName"], arguments["ModelApprovalStatus"]
        with cloud_errors(f"registering a version in {group}"):
            # A run that was killed between registering and writing it down registers once.
            arn = (
                self._registered(group, model)
                or self._sagemaker.create_model_package(**arguments)["ModelPackageArn"]
            )
        return Version(arn, approval)

    def _registered(self, group: str, model: str) -> str | None:
        for summary in listed(self._sagemaker, group):
            arn: str = summary["ModelPackageArn"]
            found = self._sagemaker.describe_model_package(ModelPackageName=arn)
            containers = found.get("InferenceSpecification", {}).get("Containers", [{}])
            if containers[0].get("ModelDataUrl") == model:
                return arn
        return None


def _framework(image: str) -> str:
    """What a prebuilt image brings, as a requirement; nothing for another image."""
    repository, _, tag = image.rsplit("/", 1)[-1].partition(":")
    found, version = catalogue.framework_of(repository), re.match(r"\d+\.\d+", tag)
    return f"{PACKAGES.get(found, found)}=={version[0]}.*" if found and version else ""


def lifecycles(scope: Scope) -> dict[str, Any]:
    """What the definition of each pipeline is printed of, by model, as JSON has it."""
    return {name: as_json(compiled(scope, name)) for name in scope.trained}


def deployed(
    kept: Any, text: str, client: Callable[[str], Any]
) -> tuple[Lifecycle, SageMakerBackend] | None:
    """The lifecycle that the definition `text` was printed of, if it is that of `lifecycles`."""
    known = {**vars(steps), SageMakerSettings.__name__: SageMakerSettings}
    try:
        life, settings = from_json(kept, known)
        values = filled_with(definition(life, settings)[0], text)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None  # written in another shape, by another version
    return None if values is None else (life, SageMakerBackend(life, settings, values, client))
