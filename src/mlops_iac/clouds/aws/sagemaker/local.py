"""The lifecycle of a deployed SageMaker pipeline, as a run on this machine meets it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mlops_iac.blueprint.sections.compute import PACKAGES
from mlops_iac.clouds.aws import catalogue
from mlops_iac.clouds.aws.runtime import batch
from mlops_iac.clouds.aws.runtime.seal import current
from mlops_iac.clouds.aws.sagemaker.definition import jobs
from mlops_iac.clouds.aws.sagemaker.definition.parts import SageMakerSettings, dataset_placeholder
from mlops_iac.clouds.aws.sagemaker.definition.printer import definition, fill, filled_with
from mlops_iac.clouds.aws.sagemaker.modes import batch_definition
from mlops_iac.clouds.aws.sagemaker.registry import listed
from mlops_iac.clouds.aws.sagemaker.scope import Scope
from mlops_iac.clouds.aws.sagemaker.stack import PARTS
from mlops_iac.clouds.aws.store import S3Store, cloud_errors
from mlops_iac.errors import ResourceFailed
from mlops_iac.pipeline import steps
from mlops_iac.pipeline.backend import Store, Version
from mlops_iac.pipeline.local_prediction import Resolved
from mlops_iac.pipeline.prediction import Prediction
from mlops_iac.pipeline.steps import Lifecycle
from mlops_iac.records import as_json, from_json

if TYPE_CHECKING:
    from mlops_iac.clouds.base import Runnable

_DESCRIPTION = 1024  # characters of ModelPackageDescription: SageMaker API, EntityDescription


class _Backend:
    """What a training and a prediction have in common, over clients of the emulator.

    `values` fills the placeholders of what is printed; `client` makes a boto3 client.
    """

    def __init__(
        self,
        settings: SageMakerSettings,
        values: Mapping[str, str],
        client: Callable[[str], Any],
    ) -> None:
        self._settings = settings
        self._values = values
        self._client = client
        self._sagemaker = client("sagemaker")
        self.store: Store = S3Store(client("s3"), values.get("kms_key_arn"))
        self.artifacts = f"s3://{values['artifacts_bucket']}"
        self.code = values["code_uri"]
        self.environment = settings.environment
        self.tracks = settings.tracks
        images = settings.images
        self.framework = _framework(images.get("train") or images["check"])


class SageMakerBackend(_Backend):
    """`pipeline.backend.Backend` of a training."""

    def __init__(
        self,
        life: Lifecycle,
        settings: SageMakerSettings,
        values: Mapping[str, str],
        client: Callable[[str], Any],
    ) -> None:
        super().__init__(settings, values, client)
        self._life = life
        self.datasets: Mapping[str, str] = {
            each.name: values[dataset_placeholder(each.name)] for each in life.datasets
        }

    def current(self, version: str, otherwise: str) -> Mapping[str, str]:
        """What the pipeline's function says in the cloud."""
        group = self._values["model_package_group_name"]
        with cloud_errors(f"looking for the version of {self._life.model} in service"):
            try:
                return current(self._sagemaker, group, self._life.model, version, otherwise)
            except ValueError as error:
                raise ResourceFailed(
                    str(error), hint="`mlops-iac models ls` lists versions"
                ) from None

    def register(
        self, model: str, report: str | None, examples: str | None, given: Mapping[str, str]
    ) -> Version:
        """Register a model package as the pipeline does; its description says what was `given`."""
        printed = jobs.register(self._life, self._settings, model, report, examples)
        arguments = json.loads(fill(json.dumps(printed), self._values))
        if given:
            own = ", ".join(f"{name}={value}" for name, value in given.items())
            said = f"Trained with {own}, given to this run alone (run --set)."
            arguments["ModelPackageDescription"] = said[:_DESCRIPTION]
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


class SageMakerPrediction(_Backend):
    """`pipeline.local_prediction.PredictionBackend`: the deployed function says what it says there."""

    @property
    def output(self) -> str:
        """The folder of all runs."""
        return self._values["output_uri"]

    @cached_property
    def _run(self) -> batch.Run:
        function = self._client("lambda").get_function_configuration(
            FunctionName=self._values["function_arn"]
        )
        settings = json.loads(function["Environment"]["Variables"]["SETTINGS"])
        return batch.Run(settings, self._client)

    def resolve(self) -> Resolved:
        """Ask the function's code, and the model that it makes for its archive."""
        try:
            with cloud_errors("looking for the version that predicts"):
                found = self._run.resolve(datetime.now(UTC))
                archive = self._archive(found["model"])
        except batch.NotReady as error:
            hint = "`mlops-iac models ls` lists versions, `mlops-iac models approve` approves one"
            raise ResourceFailed(str(error), hint=hint) from None
        return Resolved(found["version"], archive, found["input"], found["began"], found["model"])

    def _archive(self, model: str) -> str:
        container = self._sagemaker.describe_model(ModelName=model)["PrimaryContainer"]
        if package := container.get("ModelPackageName"):
            found = self._sagemaker.describe_model_package(ModelPackageName=package)
            return str(found["InferenceSpecification"]["Containers"][0]["ModelDataUrl"])
        return str(container["ModelDataSource"]["S3DataSource"]["S3Uri"])

    def publish(self, run: str, resolved: Resolved, output: str, rows: str) -> str:
        """Let the function's code tell that the output is complete."""
        with cloud_errors(f"publishing {output}"):
            told = self._run.publish(run, resolved.version, resolved.began, f"{output}/", rows)
        return told["success"]


def _framework(image: str) -> str:
    """What a prebuilt image brings, as a requirement; nothing for another image."""
    repository, _, tag = image.rsplit("/", 1)[-1].partition(":")
    found, version = catalogue.framework_of(repository), re.match(r"\d+\.\d+", tag)
    return f"{PACKAGES.get(found, found)}=={version[0]}.*" if found and version else ""


def lifecycles(scope: Scope) -> dict[str, Any]:
    """What each pipeline's definition is printed of, by model or batch entry, as JSON has it."""
    return {name: as_json(each) for part in PARTS for name, each in part.compiled(scope)}


def deployed(kept: Any, text: str, client: Callable[[str], Any]) -> Runnable | None:
    """What the definition `text` was printed of, if it is what `lifecycles` kept; and where it runs."""
    known = {**vars(steps), Prediction.__name__: Prediction}
    known[SageMakerSettings.__name__] = SageMakerSettings
    try:
        what, settings = from_json(kept, known)
        predicts = isinstance(what, Prediction)
        printed = (
            batch_definition.definition(what, settings)
            if predicts
            else definition(what, settings)[0]
        )
        values = filled_with(printed, text)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None  # written in another shape, by another version
    if values is None:
        return None
    if predicts:
        return what, SageMakerPrediction(settings, values, client)
    return what, SageMakerBackend(what, settings, values, client)
