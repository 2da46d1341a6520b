"""Endpoints that serve in the place of moto's: what create, update, delete and describe do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from moto.core.responses import ActionResult
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import FakeEndpoint, SageMakerModelBackend
from moto.sagemaker.responses import SageMakerResponse

from mlops_iac.emulators.aws.alarms import mends as alarms
from mlops_iac.emulators.aws.serving.endpoints import Deployment, Endpoint
from mlops_iac.emulators.aws.serving.records import Records
from mlops_iac.emulators.aws.serving.runtime import Runtime
from mlops_iac.emulators.common.inference import Pool

# Members of a request that are no part of what describe says.
_TAGS = "Tags"


def install(folder: Path) -> tuple[Runtime, Pool]:
    """Put them in moto's place; models are unpacked in `folder`. Once in a process, in order."""
    pool, records = Pool(folder), Records()
    alarms.install()
    _mend_models()
    _mend_configurations()
    _mend_endpoints(pool, records)
    return Runtime(records), pool


def _mend_models() -> None:
    """Say of a model what was asked for: moto says `{}` of its network, and no of its isolation."""
    create = SageMakerResponse.create_model

    def create_model(self: Any) -> Any:
        answer = create(self)
        asked = self._get_params()
        self.sagemaker_backend._models[asked["ModelName"]].asked = _without_tags(asked)
        return answer

    def describe_model(self: Any) -> Any:
        model = self.sagemaker_backend.describe_model(self._get_param("ModelName"))
        about = {"ModelArn": model.arn, "CreationTime": model.creation_time}
        return ActionResult({**model.asked, **about})

    SageMakerResponse.create_model = create_model
    SageMakerResponse.describe_model = describe_model


def _mend_configurations() -> None:
    """Keep a configuration as it was asked for: moto drops shadows, and more, and says `{}`."""
    create = SageMakerResponse.create_endpoint_config

    def create_endpoint_config(self: Any) -> Any:
        answer = create(self)
        asked = _without_tags(self._get_params())
        found = self.sagemaker_backend.endpoint_configs[asked["EndpointConfigName"]]
        for each in asked.get("ShadowProductionVariants") or ():
            self.sagemaker_backend.validate_production_variants([each])
        found.asked = asked
        return answer

    def describe_endpoint_config(self: Any, endpoint_config_name: str) -> dict[str, Any]:
        found = self.endpoint_configs.get(endpoint_config_name)
        if found is None:
            return describe(self, endpoint_config_name)  # type: ignore[no-any-return]
        about = {
            "EndpointConfigArn": found.endpoint_config_arn,
            "CreationTime": found.creation_time,
        }
        return {**found.asked, **about}

    describe = SageMakerModelBackend.describe_endpoint_config
    SageMakerResponse.create_endpoint_config = create_endpoint_config
    SageMakerModelBackend.describe_endpoint_config = describe_endpoint_config


def _without_tags(asked: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in asked.items() if key != _TAGS}


def _mend_endpoints(pool: Pool, records: Records) -> None:
    delete = SageMakerModelBackend.delete_endpoint
    create = SageMakerResponse.create_endpoint

    def created(self: Any) -> Any:
        answer, asked = create(self), self._get_params()
        # It is for the updates that retain it, and does nothing itself.
        found = self.sagemaker_backend.endpoints[asked["EndpointName"]]
        found.rollout = asked.get("DeploymentConfig") or {}
        return answer

    def create_endpoint(
        self: Any, endpoint_name: str, endpoint_config_name: str, tags: list[dict[str, str]]
    ) -> Endpoint:
        config = self.describe_endpoint_config(endpoint_config_name)
        if (found := self.endpoints.get(endpoint_name)) is not None:
            raise ValidationError(f'Cannot create already existing endpoint "{found.arn}".')
        endpoint = Endpoint(self, endpoint_name, tags, pool, records)
        endpoint.deploy(config)
        self.endpoints[endpoint_name] = endpoint
        return endpoint

    def update_endpoint(self: Any) -> Any:
        asked = self._get_params()
        backend = self.sagemaker_backend
        endpoint = _changeable(backend, asked["EndpointName"])
        config = backend.describe_endpoint_config(asked["EndpointConfigName"])
        current = endpoint.current

        def change(deployment: Deployment) -> None:
            if asked.get("RetainAllVariantProperties") and current is not None:
                _retain(current, deployment, asked.get("ExcludeRetainedVariantProperties") or ())

        retained = endpoint.rollout if asked.get("RetainDeploymentConfig") else None
        endpoint.deploy(config, change, asked.get("DeploymentConfig") or retained)
        return ActionResult({"EndpointArn": endpoint.arn})

    def delete_endpoint(self: Any, endpoint_name: str) -> None:
        endpoint = self.endpoints.get(endpoint_name)
        delete(self, endpoint_name)  # which says where there is none
        endpoint.remove()

    def update_endpoint_weights_and_capacities(
        self: Any, endpoint_name: str, desired_weights_and_capacities: list[dict[str, Any]]
    ) -> str:
        endpoint = _changeable(self, endpoint_name)
        _weigh(endpoint, desired_weights_and_capacities)
        return str(endpoint.arn)

    SageMakerResponse.create_endpoint = created
    SageMakerResponse.update_endpoint = update_endpoint
    backend = SageMakerModelBackend
    backend.create_endpoint = create_endpoint
    backend.delete_endpoint = delete_endpoint
    backend.update_endpoint_weights_and_capacities = update_endpoint_weights_and_capacities


def _changeable(backend: Any, name: str) -> Endpoint:
    """The endpoint, where it is in service. Raises ValidationError as the service does."""
    endpoint = backend.endpoints.get(name)
    arn = FakeEndpoint.arn_formatter(name, backend.account_id, backend.region_name)
    if endpoint is None:
        raise ValidationError(f'Could not find endpoint "{arn}".')
    if endpoint.endpoint_status == "Failed":
        raise ValidationError(f'Cannot update failed endpoint "{arn}"; delete it.')
    if endpoint.pending is not None:
        raise ValidationError(f'Cannot update in-progress endpoint "{arn}".')
    found: Endpoint = endpoint
    return found


def _retain(current: Deployment, deployment: Deployment, but: Iterable[Mapping[str, str]]) -> None:
    """Weights and counts as they are, and not as the new configuration says."""
    excluded = {each["VariantPropertyType"] for each in but}
    for each in deployment.variants:
        if (old := current.variant(each.name)) is None:
            continue
        if "DesiredWeight" not in excluded:
            each.weight = old.weight
        if "DesiredInstanceCount" not in excluded:
            each.count = old.count


def _weigh(endpoint: Endpoint, wanted: list[dict[str, Any]]) -> None:
    deployment = endpoint.current
    assert deployment is not None
    names = [each["VariantName"] for each in wanted]
    for name in names:
        if names.count(name) > 1:
            raise ValidationError(f'The variant name "{name}" was non-unique within the request.')
        if deployment.variant(name) is None:
            raise ValidationError(
                f'The variant name(s) "{name}" is/are not present within endpoint configuration'
                f' "{deployment.config}".'
            )
    for each in wanted:
        variant = deployment.variant(each["VariantName"])
        assert variant is not None
        variant.weight = float(each.get("DesiredWeight", variant.weight))
        variant.count = each.get("DesiredInstanceCount", variant.count)
