"""SageMaker: registry, pipeline, model, endpoint configuration, endpoint.

Names ≤ 63 characters, pipelines ≤ 256 (API model). Ids are names (pulumi-aws).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_iac.emulators.aws.api import Api
from mlops_iac.emulators.aws.resources.base import Handler
from mlops_iac.emulators.common.handler import changed
from mlops_iac.emulators.common.naming import NameRule
from mlops_iac.emulators.provider import ProviderError, ResourceState
from mlops_iac.values import Properties

_ARN = "arn:{partition}:sagemaker:{region}:{account}:"


class ModelPackageGroup(Handler):
    """The registry."""

    type = "aws:sagemaker/modelPackageGroup:ModelPackageGroup"
    service = "sagemaker"
    create_op, read_op = "CreateModelPackageGroup", "DescribeModelPackageGroup"
    delete_op = "DeleteModelPackageGroup"
    key = {"ModelPackageGroupName": "modelPackageGroupName"}
    renames = {"arn": "ModelPackageGroupArn"}
    id = "{modelPackageGroupName}"
    computed = {"arn": _ARN + "model-package-group/{modelPackageGroupName}"}
    tag_style = "sagemaker"


class ModelPackageGroupPolicy(Handler):
    """Who else may use the registry. moto has none: checked and recorded."""

    type = "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy"
    service = "sagemaker"
    create_op = "PutModelPackageGroupPolicy"
    id = "{modelPackageGroupName}"
    recorded = True


class Pipeline(Handler):
    """A SageMaker pipeline. moto accepts invalid definitions; the compiler checks them."""

    type = "aws:sagemaker/pipeline:Pipeline"
    service = "sagemaker"
    create_op, read_op = "CreatePipeline", "DescribePipeline"
    update_op, delete_op = "UpdatePipeline", "DeletePipeline"
    key = {"PipelineName": "pipelineName"}
    renames = {"arn": "PipelineArn"}
    id = "{pipelineName}"
    computed = {"arn": _ARN + "pipeline/{pipelineName}"}
    tag_style = "sagemaker"
    not_kept = frozenset({"pipelineDefinitionS3Location"})


class Model(Handler):
    """A model: containers and the role they run with. Immutable but for its tags."""

    type = "aws:sagemaker/model:Model"
    service = "sagemaker"
    create_op, read_op, delete_op = "CreateModel", "DescribeModel", "DeleteModel"
    key = {"ModelName": "name"}
    renames = {"name": "ModelName", "arn": "ModelArn"}
    name = NameRule(limit=63)
    computed = {"arn": _ARN + "model/{name}"}
    tag_style = "sagemaker"
    not_kept = frozenset({"enableNetworkIsolation", "inferenceExecutionConfig"})


class EndpointConfiguration(Handler):
    """What an endpoint runs. Immutable but for its tags; moto drops shadow variants on read."""

    type = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
    service = "sagemaker"
    create_op, read_op = "CreateEndpointConfig", "DescribeEndpointConfig"
    delete_op = "DeleteEndpointConfig"
    key = {"EndpointConfigName": "name"}
    renames = {"name": "EndpointConfigName", "arn": "EndpointConfigArn", "kmsKeyArn": "KmsKeyId"}
    name = NameRule(limit=63, prefix="namePrefix")
    computed = {"arn": _ARN + "endpoint-config/{name}"}
    tag_style = "sagemaker"
    not_kept = frozenset({"shadowProductionVariants", "executionRoleArn"})


class Endpoint(Handler):
    """A running endpoint.

    moto has no UpdateEndpoint: an update checks that request against the API model, then deletes
    the endpoint and creates it again under its name, so that what describe says is the new
    configuration. The rollout itself (`deploymentConfig`) is checked and kept in the state, not
    emulated; an endpoint that was updated counts as recorded.
    """

    type = "aws:sagemaker/endpoint:Endpoint"
    service = "sagemaker"
    create_op, read_op, delete_op = "CreateEndpoint", "DescribeEndpoint", "DeleteEndpoint"
    key = {"EndpointName": "name"}
    renames = {"name": "EndpointName", "arn": "EndpointArn"}
    name = NameRule(limit=63)
    computed = {"arn": _ARN + "endpoint/{name}"}
    tag_style = "sagemaker"
    not_kept = frozenset({"deploymentConfig"})
    recorded_after_update = True

    def update(self, api: Api, id_: str, old: ResourceState, new: Properties) -> None:
        """Check UpdateEndpoint; put the endpoint up again with the new configuration."""
        if changed(old.inputs, new, ("endpointConfigName", "deploymentConfig")):
            sent = self.sent(new, "tags")
            request = api.params(self.service, "UpdateEndpoint", sent, self.renames)
            api.check(self.service, "UpdateEndpoint", request)
            config = str(new["endpointConfigName"])
            answer = api.look(self.service, "DescribeEndpointConfig", EndpointConfigName=config)
            if answer is None:
                # The old endpoint must not go for a configuration that does not exist.
                raise ProviderError(f"there is no endpoint configuration {config}")
            self._require_unscaled(api, id_, answer)
            tags = self.read_tags(api, old.outputs)
            super().delete(api, id_, old)
            super().create(api, {**new, "tags": tags}, "")
        self.settle_tags(api, old, new)

    @staticmethod
    def _require_unscaled(api: Api, name: str, new: Mapping[str, Any]) -> None:
        """SageMaker changes no instance type of a variant that scales; moto would.

        Source: SageMaker developer guide, "Update endpoints that use auto scaling".
        """
        runs = (api.look("sagemaker", "DescribeEndpoint", EndpointName=name) or {}).get(
            "EndpointConfigName", ""
        )
        before = api.look("sagemaker", "DescribeEndpointConfig", EndpointConfigName=runs) or {}
        types = {each["VariantName"]: each["InstanceType"] for each in _variants(before)}
        for each in _variants(new):
            if types.get(each["VariantName"], each["InstanceType"]) == each["InstanceType"]:
                continue
            scaled = api.look(
                "application-autoscaling",
                "DescribeScalableTargets",
                ServiceNamespace="sagemaker",
                ResourceIds=[f"endpoint/{name}/variant/{each['VariantName']}"],
            )
            if (scaled or {}).get("ScalableTargets"):
                raise ProviderError(
                    f"sagemaker:UpdateEndpoint: the variant {each['VariantName']} of {name} is"
                    " registered for automatic scaling; deregister it to change its instance type"
                )


def _variants(configuration: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The variants that have instances."""
    found = configuration.get("ProductionVariants") or []
    return [each for each in found if each.get("InstanceType")]


HANDLERS: list[Handler] = [
    ModelPackageGroup(),
    ModelPackageGroupPolicy(),
    Pipeline(),
    Model(),
    EndpointConfiguration(),
    Endpoint(),
]
