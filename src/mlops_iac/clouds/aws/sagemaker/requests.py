"""The requests that a stack and its pipelines send, as far as they are known without running it.

A `Setting` knows its place in the blueprint. For what a pipeline definition and the components
make of values, `places` says it by the name of the member that holds them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mlops_iac.blueprint.sections.serving import RealTime
from mlops_iac.blueprint.torn import Unknown, judged
from mlops_iac.clouds.aws.components._cron import schedule_expression
from mlops_iac.clouds.aws.limits import request as input_of
from mlops_iac.clouds.aws.sagemaker.models import dataset_uris, pipeline_steps
from mlops_iac.clouds.aws.sagemaker.scope import ROLES, Scope
from mlops_iac.clouds.aws.sagemaker.serving import endpoint_alarms, plan_serving
from mlops_iac.clouds.base import Setting
from mlops_iac.emulators.aws.validation import ANYTHING
from mlops_iac.errors import UsageError
from mlops_iac.records import Record
from mlops_iac.runtime import contract

OBJECT = "s3.PutObjectTagging"
_TAGS = ("Tags", "tags", "TagsList", "ResourceTags", "TagSet")
# `tags.KEY`, or `owner`.
_OF_TAGS = ("tags", "")
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


def requests(scope: Scope) -> Iterator[Request]:
    """Every request of one environment that holds anything of the blueprint's."""
    return judged(
        _identities(scope),
        _budget(scope),
        _trainings(scope),
        _endpoints(scope),
        _all_tags(scope),
    )


def _trainings(scope: Scope) -> Iterator[Request]:
    for name in scope.trained:
        yield from judged(_training(scope, name), _retraining(scope, name), _jobs(scope, name))


def _endpoints(scope: Scope) -> Iterator[Request]:
    for name, entry in scope.endpoints.items():
        yield from judged(_endpoint(scope, name, entry))


def _all_tags(scope: Scope) -> Iterator[Request]:
    places = dict.fromkeys(_TAGS, _OF_TAGS)
    # Ours are made of names, which every service takes: so environments ask for the same.
    tags = {
        key: each if isinstance(each, Setting) else ANYTHING for key, each in scope.tags.items()
    }
    for operation in dict.fromkeys(_tagged(scope)):
        yield Request(operation, _tags(operation, tags), "tags", places)


def _tagged(scope: Scope) -> Iterator[str]:
    """What makes resources with tags; those of buckets and queues have no limit in the model."""
    blueprint = scope.blueprint
    yield from ("iam.CreateRole", "kms.CreateKey")
    if scope.trained:
        yield from (OBJECT, "lambda.CreateFunction", "logs.CreateLogGroup")
        yield from ("sagemaker.CreateModelPackageGroup", "sagemaker.CreatePipeline")
    if any(blueprint.models[name].retrain for name in scope.trained):
        yield from ("scheduler.CreateScheduleGroup", "events.PutRule")
    if scope.endpoints:
        yield from ("sagemaker.CreateEndpoint", "cloudwatch.PutMetricAlarm", "logs.CreateLogGroup")
    if blueprint.alerts:
        yield from ("sns.CreateTopic", "cloudwatch.PutMetricAlarm", "events.PutRule")
    if blueprint.budget:
        yield "budgets.CreateBudget"
    if blueprint.security.audit_log:
        yield "cloudtrail.CreateTrail"


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


def _training(scope: Scope, name: str) -> Iterator[Request]:
    model, path = scope.blueprint.models[name], f"models.{name}"
    yield Request(
        "sagemaker.CreatePipeline",
        {"PipelineDescription": Setting(model.description, f"{path}.description")},
        path,
    )


def _jobs(scope: Scope, name: str) -> Iterator[Request]:
    path = f"models.{name}"
    uris = dataset_uris(scope, name).items()
    known = {"${" + key + "}": uri for key, uri in uris if isinstance(uri, Setting)}
    try:
        printed = pipeline_steps(scope, name)
    except UsageError:  # no image, and not known either which of its parts is wrong
        raise Unknown from None
    for step in printed:
        if step["Type"] in _JOBS:
            kind = _STEPS.get(step["Name"], "train")
            arguments = _filled(step["Arguments"], known)
            at = path if step["Type"] == "RegisterModel" else f"{path}.{kind}"
            yield Request(_JOBS[step["Type"]], arguments, at, _of_job(path, kind, arguments))


def _retraining(scope: Scope, name: str) -> Iterator[Request]:
    model, path = scope.blueprint.models[name], f"models.{name}"
    if model.retrain and model.retrain.schedule:
        expression = schedule_expression(model.retrain.schedule)
        yield Request(
            "scheduler.CreateSchedule",
            {
                "ScheduleExpression": Setting(expression, f"{path}.retrain.schedule"),
                "ScheduleExpressionTimezone": Setting(scope.blueprint.timezone, "timezone"),
            },
            f"{path}.retrain",
        )


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
        "Tags": _OF_TAGS,
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


# -- serving


def _endpoint(scope: Scope, name: str, entry: RealTime) -> Iterator[Request]:
    path, args = f"serving.{name}", plan_serving(scope, name, entry)[0].args
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
    alarms = [{"AlarmName": each} for each in endpoint_alarms(scope, name, entry)]
    yield Request(
        "sagemaker.CreateEndpoint",
        {"DeploymentConfig": {"AutoRollbackConfiguration": {"Alarms": alarms}}},
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


def _identities(scope: Scope) -> Iterator[Request]:
    key, boundary = scope.existing("key"), scope.permissions_boundary
    yield Request("sagemaker.CreateEndpointConfig", {"KmsKeyId": key}, "existing.key")
    yield Request("iam.CreateRole", {"PermissionsBoundary": boundary}, "security")
    for plane in ROLES:
        role = scope.existing_role(plane)
        yield Request("sagemaker.CreateModel", {"ExecutionRoleArn": role}, "existing.roles")


def _budget(scope: Scope) -> Iterator[Request]:
    budget = scope.blueprint.budget
    if budget is not None:
        # The amount as the component writes it.
        amount = Setting(str(float(budget.monthly_usd)), "budget.monthly_usd")
        told: list[dict[str, Any]] = [
            *({"Notification": {"Threshold": percent}} for percent in budget.alert_percent),
            {"Notification": {"NotificationType": "FORECASTED"}},
        ]
        yield Request(
            "budgets.CreateBudget",
            {"Budget": {"BudgetLimit": {"Amount": amount}}, "NotificationsWithSubscribers": told},
            "budget",
            {"NotificationsWithSubscribers": ("budget.alert_percent",)},
        )
