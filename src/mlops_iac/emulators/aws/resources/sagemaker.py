"""SageMaker: registry, pipeline, model, endpoint configuration, endpoint.

Names ≤ 63 characters, pipelines ≤ 256 (API model). Ids are names (pulumi-aws).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from mlops_iac.emulators.aws.api import Api
from mlops_iac.emulators.aws.resources.base import Handler
from mlops_iac.emulators.aws.serving import NOT_EMULATED
from mlops_iac.emulators.common.handler import changed
from mlops_iac.emulators.common.naming import NameRule
from mlops_iac.emulators.provider import ProviderError, ResourceState
from mlops_iac.values import Properties

_ARN = "arn:{partition}:sagemaker:{region}:{account}:"
# An environment is made before the first prediction, which may install gigabytes.
_WAIT_SECONDS = 45 * 60


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


class MlflowTrackingServer(Handler):
    """The MLflow server. moto has none: checked and recorded; runs on this machine keep a store of their own."""

    type = "aws:sagemaker/mlflowTrackingServer:MlflowTrackingServer"
    service = "sagemaker"
    create_op = "CreateMlflowTrackingServer"
    id = "{trackingServerName}"
    computed = {"arn": _ARN + "mlflow-tracking-server/{trackingServerName}"}
    tag_style = "sagemaker"
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


class EndpointConfiguration(Handler):
    """What an endpoint runs. Immutable but for its tags."""

    type = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
    service = "sagemaker"
    create_op, read_op = "CreateEndpointConfig", "DescribeEndpointConfig"
    delete_op = "DeleteEndpointConfig"
    key = {"EndpointConfigName": "name"}
    renames = {"name": "EndpointConfigName", "arn": "EndpointConfigArn", "kmsKeyArn": "KmsKeyId"}
    name = NameRule(limit=63, prefix="namePrefix")
    computed = {"arn": _ARN + "endpoint-config/{name}"}
    tag_style = "sagemaker"


class Endpoint(Handler):
    """A running endpoint: made, or updated, once it serves.

    The real provider takes an update for done that was rolled back (hashicorp/terraform-provider-aws,
    issue 48997); here it has failed.
    """

    type = "aws:sagemaker/endpoint:Endpoint"
    service = "sagemaker"
    create_op, read_op = "CreateEndpoint", "DescribeEndpoint"
    update_op, delete_op = "UpdateEndpoint", "DeleteEndpoint"
    key = {"EndpointName": "name"}
    renames = {"name": "EndpointName", "arn": "EndpointArn"}
    name = NameRule(limit=63)
    computed = {"arn": _ARN + "endpoint/{name}"}
    tag_style = "sagemaker"
    not_kept = frozenset({"deploymentConfig"})

    def settle(self, api: Api, id_: str, old: Properties | None, new: Properties) -> None:
        """Wait until it serves what was asked. Raises ProviderError where it does not."""
        asked, found = str(new["endpointConfigName"]), self._stands(api, id_)
        state = found.get("EndpointStatus")
        reason = str(found.get("FailureReason") or f"it is {state or 'gone'}")
        if reason.startswith(NOT_EMULATED):
            return  # there is nothing to mend, and `status` tells it
        if state != "InService" or found["EndpointConfigName"] != asked:
            back = state == "InService"
            does = "was rolled back from" if back else "does not serve"
            raise ProviderError(f"the endpoint {id_} {does} {asked}: {reason}")

    def _stands(self, api: Api, id_: str) -> Mapping[str, Any]:
        """How it is described once nothing goes on. Raises ProviderError where that takes too long."""
        pause, end = 0.02, time.monotonic() + _WAIT_SECONDS
        while True:
            found = api.look(self.service, self.read_op, EndpointName=id_) or {}
            state = found.get("EndpointStatus")
            if state not in ("Creating", "Updating"):
                return found
            if time.monotonic() > end:
                raise ProviderError(
                    f"the endpoint {id_} is {state} for {_WAIT_SECONDS // 60} minutes"
                )
            time.sleep(pause)
            pause = min(1.5 * pause, 1.0)

    def update(self, api: Api, id_: str, old: ResourceState, new: Properties) -> None:
        """UpdateEndpoint; one that never served is made again, as the service can only delete it."""
        asked = str(new["endpointConfigName"])
        # The rollout of an `up` that was interrupted goes on.
        stands = self._stands(api, id_)
        if stands.get("EndpointConfigName") != asked or changed(
            old.inputs, new, ("deploymentConfig",)
        ):
            answer = api.look(self.service, "DescribeEndpointConfig", EndpointConfigName=asked)
            if answer is None:
                # The old endpoint must not go for a configuration that does not exist.
                raise ProviderError(f"there is no endpoint configuration {asked}")
            self._require_unscaled(api, stands, answer)
        if stands.get("EndpointStatus") == "Failed":
            tags = self.read_tags(api, old.outputs)
            super().delete(api, id_, old)
            super().create(api, {**new, "tags": tags}, "")
            self.settle_tags(api, old, new)
        elif stands.get("EndpointConfigName") != asked:
            super().update(api, id_, old, new)
        else:
            self.settle_tags(api, old, new)

    def find(self, api: Api, inputs: Properties, token: str) -> str | None:
        """One that serves; what else an interrupted create left goes, and is made again."""
        id_ = super().find(api, inputs, token)
        if id_ is not None:
            try:
                self.settle(api, id_, None, inputs)
            except ProviderError:
                super().delete(api, id_, ResourceState(id_, inputs, inputs))
                return None
        return id_

    @staticmethod
    def _require_unscaled(api: Api, stands: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """SageMaker changes no instance type of a variant that scales; ours would.

        Source: SageMaker developer guide, "Update endpoints that use auto scaling".
        """
        name, runs = stands.get("EndpointName"), stands.get("EndpointConfigName", "")
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
    MlflowTrackingServer(),
    Pipeline(),
    Model(),
    EndpointConfiguration(),
    Endpoint(),
]
