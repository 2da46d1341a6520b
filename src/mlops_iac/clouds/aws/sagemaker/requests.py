"""The requests that a plan leads to, as far as it knows them, and where their values come from.

A `Setting` knows its place in the blueprint. For what a pipeline definition and the components
make of values, `places` says it by the name of the member that holds them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlops_iac.clouds.aws.components._cron import schedule_expression
from mlops_iac.clouds.aws.limits import request as input_of
from mlops_iac.clouds.aws.sagemaker.scope import STACK_TAG, Scope
from mlops_iac.clouds.aws.sagemaker.stack import endpoint_alarms
from mlops_iac.clouds.base import ComponentCall, Setting
from mlops_iac.pipeline.graph_checks import all_steps
from mlops_iac.records import Record
from mlops_iac.runtime import contract

OBJECT = "s3.PutObjectTagging"
# Whose tags each component's resources carry; buckets and queues have no limit in the model.
_TAGGED: Mapping[str, tuple[str, ...]] = {
    "Alerts": ("sns.CreateTopic",),
    "AuditTrail": ("cloudtrail.CreateTrail",),
    "Budget": ("budgets.CreateBudget",),
    "Datasets": (OBJECT,),
    "Identity": ("iam.CreateRole",),
    "Keys": ("kms.CreateKey",),
    "RealTimeEndpoint": ("sagemaker.CreateEndpoint", "cloudwatch.PutMetricAlarm"),
    "Registry": ("sagemaker.CreateModelPackageGroup",),
    "RetrainTriggers": ("scheduler.CreateScheduleGroup", "events.PutRule", "iam.CreateRole"),
    "Sealing": (OBJECT, "lambda.CreateFunction", "logs.CreateLogGroup", "iam.CreateRole"),
    "ServiceMonitor": ("cloudwatch.PutMetricAlarm",),
    "TrainingPipeline": (OBJECT, "sagemaker.CreatePipeline"),
}
_TAGS = ("Tags", "tags", "TagsList", "ResourceTags", "TagSet")
_JOBS = {
    "Processing": "sagemaker.CreateProcessingJob",
    "Training": "sagemaker.CreateTrainingJob",
    "Tuning": "sagemaker.CreateHyperParameterTuningJob",
    "RegisterModel": "sagemaker.CreateModelPackage",
}
_STEPS = {"Prepare": "prepare", "Evaluate": "evaluate"}
Places = Mapping[str, tuple[str, ...]]


class Request(Record):
    """What is sent to `operation` (`sagemaker.CreateModel`), settings and placeholders included.

    `places`: a member's name → the blueprint paths that it or its entries may stand at, first those
    that win. What has no place stands at `path`.
    """

    operation: str
    value: Mapping[str, Any]
    path: str
    places: Mapping[str, tuple[str, ...]] = {}


def requests(scope: Scope, calls: Sequence[ComponentCall]) -> Iterator[Request]:
    """Every request of one environment's calls that holds anything of the blueprint's."""
    tagging: dict[str, None] = {}
    for call in calls:
        component = call.component.partition(":")[2]
        tagging.update(dict.fromkeys(_TAGGED.get(component, ())))
        if component in _MADE:
            yield from _MADE[component](scope, call)
    places = dict.fromkeys(_TAGS, ("tags",))
    for operation in tagging:
        yield Request(operation, _tags(operation, scope.tags), "tags", places)


def _tags(operation: str, tags: Mapping[str, Any]) -> dict[str, Any]:
    """Tags as the operation takes them: by the members of its own model."""
    if operation == OBJECT:
        return {"Tagging": {"TagSet": [{"Key": k, "Value": v} for k, v in tags.items()]}}
    members = input_of(operation).members
    name = next(each for each in _TAGS if each in members)
    if members[name].type_name == "map":
        return {name: tags}
    key, value = list(members[name].member.members)
    return {name: [{key: k, value: v} for k, v in tags.items()]}


# -- training


def _pipeline(_scope: Scope, call: ComponentCall) -> Iterator[Request]:
    path, args = call.path, call.args
    yield Request(
        "sagemaker.CreatePipeline",
        {"PipelineDescription": args.get("description")},
        path,
        {"PipelineDescription": (f"{path}.description",)},
    )
    known = {"${" + k + "}": v for k, v in args["values"].items() if isinstance(v, Setting)}
    for step, _ in all_steps(json.loads(args["definition"].content)):
        if step["Type"] in _JOBS:
            kind = _STEPS.get(step["Name"], "train")
            arguments = _filled(step["Arguments"], known)
            at = path if step["Type"] == "RegisterModel" else f"{path}.{kind}"
            yield Request(_JOBS[step["Type"]], arguments, at, _of_job(path, kind, arguments))


def _filled(value: Any, known: Mapping[str, Setting]) -> Any:
    match value:
        case str():
            return known.get(value, value)
        case dict():
            return {key: _filled(item, known) for key, item in value.items()}
        case list():
            return [_filled(item, known) for item in value]
        case _:
            return value


def _of_job(model: str, kind: str, arguments: Mapping[str, Any]) -> Places:
    step, tune = f"{model}.{kind}", f"{model}.tune"
    parameters = (f"{step}.hyperparameters",)
    data = (f"{model}.datasets", "datasets")
    image = (f"{step}.runtime.image", f"{model}.runtime.image", f"{model}.runtime")
    search = (f"{tune}.search",)
    places = {
        "CategoricalParameterRanges": search,
        "ContainerArguments": parameters,
        "Containers": (f"{model}.runtime.image", f"{model}.runtime"),
        "ContinuousParameterRanges": search,
        "Environment": (f"{step}.env", f"{model}.env"),
        "HyperParameters": parameters,
        "ImageUri": image,
        "InputDataConfig": data,
        "InstanceCount": (f"{step}.compute.count",),
        "InstanceType": (f"{step}.compute.instance", f"{step}.compute.size"),
        "IntegerParameterRanges": search,
        "MaxNumberOfTrainingJobs": (f"{tune}.trials", *search),
        "MaxParallelTrainingJobs": (f"{tune}.parallel",),
        "MaxRuntimeInSeconds": (f"{step}.timeout_minutes",),
        "MaxWaitTimeInSeconds": (f"{step}.spot_wait_minutes", f"{step}.timeout_minutes"),
        "MetricDefinitions": (f"{model}.metrics",),
        "ProcessingInputs": data,
        "SecurityGroupIds": ("existing.security_groups",),
        "StaticHyperParameters": parameters,
        "Subnets": ("existing.subnets",),
        "Tags": ("tags",),
        "TrainingImage": image,
        "VolumeSizeInGB": (f"{step}.compute.disk_gb",),
        contract.DATASETS: data,
        contract.METRICS: (f"{model}.metrics",),
        contract.SCRIPT: (f"{step}.script",),
    }
    job = arguments.get("TrainingJobDefinition", arguments)
    for name, value in job.get("Environment", {}).items():
        if name.startswith((contract.CHECK, contract.WINDOW)):
            places[name] = (f"datasets.{json.loads(value)['dataset']}",)
        elif name.startswith(contract.GATE):
            places[name] = (f"{model}.evaluate.gates",)
    return places


def _triggers(_scope: Scope, call: ComponentCall) -> Iterator[Request]:
    schedule = call.args.get("schedule")
    if schedule is not None:
        yield Request(
            "scheduler.CreateSchedule",
            {
                "ScheduleExpression": Setting(schedule_expression(schedule.value), schedule.path),
                "ScheduleExpressionTimezone": call.args["timezone"],
            },
            call.path,
        )


# -- serving


def _endpoint(scope: Scope, call: ComponentCall) -> Iterator[Request]:
    path, args = call.path, call.args
    variants = [variant.args for variant in args["variants"]]
    for variant in variants:
        yield Request(
            "sagemaker.CreateModel", _model(args, variant), path, {"Environment": (f"{path}.env",)}
        )
    scaling, capture = args.get("scaling"), args.get("capture")
    instances = scaling.args["min"] if scaling else 1
    of_variants = (f"{path}.variants",)
    answering = [_variant(each, instances) for each in variants if "shadow_percent" not in each]
    shadows = [_variant(each, instances) for each in variants if "shadow_percent" in each]
    yield Request(
        "sagemaker.CreateEndpointConfig",
        {
            "ProductionVariants": answering,
            "ShadowProductionVariants": shadows or None,
            "DataCaptureConfig": (
                {"InitialSamplingPercentage": capture.args["percent"]} if capture else None
            ),
        },
        path,
        {"ProductionVariants": of_variants, "ShadowProductionVariants": of_variants},
    )
    entry = scope.endpoints[path.partition(".")[2]]
    names = endpoint_alarms(scope, path.partition(".")[2], entry)
    yield Request(
        "sagemaker.CreateEndpoint",
        {
            "DeploymentConfig": {
                "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in names]}
            }
        },
        path,
        {"Alarms": (f"{path}.rollout.limits", *of_variants)},
    )


def _model(args: Mapping[str, Any], variant: Mapping[str, Any]) -> dict[str, Any]:
    data = variant.get("model_data")
    return {
        "PrimaryContainer": {
            "Environment": variant.get("environment"),
            "Image": variant.get("image"),
            "ModelDataSource": {"S3DataSource": {"S3Uri": data}} if data else None,
        },
        "VpcConfig": {
            "Subnets": args.get("subnets"),
            "SecurityGroupIds": args.get("security_groups"),
        },
    }


def _variant(variant: Mapping[str, Any], instances: Any) -> dict[str, Any]:
    return {
        "VariantName": variant["name"],
        "InstanceType": variant["instance_type"],
        "InitialInstanceCount": instances,
        "InitialVariantWeight": variant.get("shadow_percent", variant.get("traffic_percent")),
        "VolumeSizeInGB": variant.get("disk_gb"),
    }


# -- what all share


def _keys(_scope: Scope, call: ComponentCall) -> Iterator[Request]:
    key = call.args.get("existing_key_arn")
    yield Request("sagemaker.CreateEndpointConfig", {"KmsKeyId": key}, "existing.key")


def _identity(_scope: Scope, call: ComponentCall) -> Iterator[Request]:
    boundary = call.args.get("permissions_boundary")
    yield Request("iam.CreateRole", {"PermissionsBoundary": boundary}, "security")
    for role in call.args.get("existing_roles", {}).values():
        yield Request("sagemaker.CreateModel", {"ExecutionRoleArn": role}, "existing.roles")


def _budget(scope: Scope, call: ComponentCall) -> Iterator[Request]:
    amount, percentages = call.args["monthly_usd"], call.args["alert_percent"]
    yield Request(
        "budgets.CreateBudget",
        {
            # As the component writes it.
            "Budget": {
                "BudgetLimit": {"Amount": Setting(str(float(amount.value)), amount.path)},
                "CostFilters": {"TagKeyValue": [f"user:{STACK_TAG}${scope.tags[STACK_TAG]}"]},
            },
            "NotificationsWithSubscribers": [
                {"Notification": {"Threshold": percent}} for percent in percentages.value
            ],
        },
        call.path,
        {"NotificationsWithSubscribers": (percentages.path,)},
    )


_MADE = {
    "Budget": _budget,
    "Identity": _identity,
    "Keys": _keys,
    "RealTimeEndpoint": _endpoint,
    "RetrainTriggers": _triggers,
    "TrainingPipeline": _pipeline,
}
