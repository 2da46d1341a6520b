"""What moto says yes to and nobody does, the emulated SageMaker refuses: nothing is invented.

Moto keeps a notebook as it was asked for and says that it is in service. What is asked for is held to
the service's own model before, as the service does. Sources: botocore's model of SageMaker; "Common
errors" of its API reference.
"""

from __future__ import annotations

from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores, get_service_model
from moto.sagemaker.exceptions import ResourceNotFound, ValidationError
from moto.sagemaker.models import SageMakerModelBackend
from moto.sagemaker.responses import SageMakerResponse

from mlops_iac.emulators.aws.validation import problems

_JOBS = ("HyperParameterTuningJob", "ProcessingJob", "TrainingJob", "TransformJob")
# What would run, or hold data, and does neither.
_OTHERS = (
    "AutoMLJobV2", "Cluster", "CompilationJob", "DataQualityJobDefinition", "Domain", "FeatureGroup",
    "ModelBiasJobDefinition", "ModelExplainabilityJobDefinition", "ModelQualityJobDefinition",
    "NotebookInstance", "NotebookInstanceLifecycleConfig",
)  # fmt: skip
_REFUSED = {
    f"Create{noun}": f"The emulated SageMaker has no {noun}{words}"
    for nouns, words in (
        (
            _JOBS,
            " but those of pipelines, which run on this machine; nothing was started.",
        ),
        (_OTHERS, "; nothing was made."),
    )
    for noun in nouns
}


def install() -> None:
    """Put them before moto's answers. Once in a process, in order."""
    plain = SageMakerResponse.call_action

    def call_action(self: Any) -> Any:
        try:
            return _answered(self, plain)
        except ServiceException as error:
            status, headers, body = self.serialized(ActionResult(error))
            return status, {**headers, "status": str(status)}, body

    SageMakerResponse.call_action = call_action
    _mend_tags()
    _mend_trials()


def _answered(response: Any, plain: Any) -> Any:
    name = response._get_action()
    if hasattr(response, camelcase_to_underscores(name)):
        operation = get_service_model("sagemaker").operation_model(name)
        if wrong := problems(operation, response._get_params()):
            errors = f"{len(wrong)} validation error{'s' * (len(wrong) > 1)} detected"
            raise ValidationError(f"{errors}: {'; '.join(wrong)}")
        if name in _REFUSED:
            raise ValidationError(_REFUSED[name])
    return plain(response)


def _mend_tags() -> None:
    """Find what has tags; moto knows no versions, and fails where there is nothing of the ARN."""
    plain = SageMakerModelBackend._get_resource_from_arn

    def _get_resource_from_arn(self: Any, arn: str) -> Any:
        found = self.model_packages.get(arn)
        if found is None and arn.count("/") == 1:
            try:
                found = plain(self, arn)
            except AttributeError:  # of a kind that it knows nothing of
                found = None
        if found is None:
            raise ValidationError(f"Could not find a resource with the ARN {arn}.")
        found.tags = found.tags or []
        return found

    SageMakerModelBackend._get_resource_from_arn = _get_resource_from_arn


def _mend_trials() -> None:
    """Take a component out of a trial where there are both; moto says so of any."""
    plain = SageMakerModelBackend.disassociate_trial_component

    def disassociate_trial_component(self: Any, trial_name: str, trial_component_name: str) -> Any:
        for name, there in (
            (trial_name, self.trials),
            (trial_component_name, self.trial_components),
        ):
            if name not in there:
                raise ResourceNotFound(f"{name} does not exist.")
        return plain(self, trial_name, trial_component_name)

    SageMakerModelBackend.disassociate_trial_component = disassociate_trial_component
