"""What watches a real-time entry: what it runs with, its pipeline, and the clock that starts that.

Sources of the definition: as `modes.batch_definition`; S3DataSource of a processing job in botocore 1.44
(`ManifestFile`: a JSON list, a prefix and then keys).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mlops_iac.blueprint.sections.serving import Monitor, RealTime
from mlops_iac.blueprint.sections.values import FAIRNESS_METRICS
from mlops_iac.clouds.aws import catalogue
from mlops_iac.clouds.aws.sagemaker import machines
from mlops_iac.clouds.aws.sagemaker.blocks.training_calls import STACK_TAGS, job_settings
from mlops_iac.clouds.aws.sagemaker.definition.jobs import processing_job
from mlops_iac.clouds.aws.sagemaker.definition.parts import (
    EXECUTION,
    Json,
    SageMakerSettings,
    answer,
    join,
    lambda_step,
    output_uri,
    s3_input,
    s3_output,
)
from mlops_iac.clouds.aws.sagemaker.definition.printer import retried
from mlops_iac.clouds.aws.sagemaker.modes.batch_calls import place
from mlops_iac.clouds.aws.sagemaker.modes.endpoint_calls import variants
from mlops_iac.clouds.aws.sagemaker.modes.endpoint_checks import SERVICE_LIMITS
from mlops_iac.clouds.aws.sagemaker.scope import (
    NETWORK,
    STACK_TAG,
    Home,
    Scope,
    call,
    construct,
    function,
    identifier,
)
from mlops_iac.clouds.base import Archive, ComponentCall, Definition, Ref, Setting
from mlops_iac.jsontext import indented
from mlops_iac.pipeline.reading import training_datasets
from mlops_iac.pipeline.steps import Compute, Script
from mlops_iac.pipeline.tasks import WORK
from mlops_iac.runtime import contract, quality
from mlops_iac.runtime.files import monitoring_files

DRIFT = "drift_psi"
COMPUTED = (DRIFT, *quality.METRICS, *FAIRNESS_METRICS)
# Settings that stand in no blueprint, below an entry's monitor.
MODELS, PROMOTED = "models", "promoted"
PROMOTES, ORIGINS, STACKS = "reads_other_accounts", "origin_accounts", "origin_stacks"
_MINUTES = 4 * 60


def watched(scope: Scope) -> dict[str, RealTime]:
    """The entries of which more is computed than the service measures itself."""
    return {
        name: entry
        for name, entry in scope.entries(RealTime).items()
        if entry.monitor is not None and entry.capture is not None and computes(entry.monitor)
    }


def computes(monitor: Monitor) -> bool:
    """Whether captured calls are read at all."""
    return monitor.outcomes is not None or any(
        metric not in SERVICE_LIMITS for metric in monitor.limits
    )


def watched_variants(scope: Scope, entry: RealTime) -> dict[str, str]:
    """Variants that answer, and the model of each: one that is trained keeps what it was made of."""
    return {
        name: variant.model
        for name, variant in variants(entry).items()
        if variant.shadow_percent is None
        and variant.model is not None
        and scope.blueprint.models[variant.model].train is not None
    }


def variables(name: str) -> tuple[str, str, str, str]:
    """The program's variables for an entry's monitoring, its pipeline, what starts that, and a promotion."""
    stem = f"{identifier(name)}_monitoring"
    return stem, f"{stem}_pipeline", f"{stem}_starts", f"{stem}_promotion"


def plan_monitoring(scope: Scope, name: str, entry: RealTime) -> list[ComponentCall]:
    """The calls of one entry."""
    return [
        _monitoring(scope, name, entry),
        *_promotion(scope, name, entry),
        _pipeline(scope, name, entry),
        _starts(scope, name, entry),
    ]


def _promotion(scope: Scope, name: str, entry: RealTime) -> Iterator[ComponentCall]:
    """What lets the function read what versions keep that another account trained."""
    homes = _homes(scope, entry)
    if not homes:
        return
    at = f"serving.{name}.monitor"
    encrypted = (scope.resolved.siblings[each.environment] for each in homes)
    yield call(
        variables(name)[3],
        "promotion:Promotion",
        {
            "role_arn": Ref(variables(name)[0], "function_role_arn"),
            "accounts": Setting(sorted({each.account or "" for each in homes}), f"{at}.{ORIGINS}"),
            "stacks": Setting(sorted({each.stem for each in homes}), f"{at}.{STACKS}"),
            "encrypted": any(Scope(each).customer_key for each in encrypted),
        },
        path=at,
        flag=f"{at}.{PROMOTES}",
    )


def _homes(scope: Scope, entry: RealTime) -> list[Home]:
    """Where the versions are approved that another environment trains."""
    models = dict.fromkeys(watched_variants(scope, entry).values())
    return [scope.home(each) for each in models if scope.promotes(each)]


def _named(scope: Scope, name: str, ending: str) -> tuple[str, tuple[str, ...], str | None]:
    """A component's name, its former ones, and what it is known as in the cloud."""
    former = scope.moved_from("serving", name)
    was = f"{former}-{ending}" if former else None
    return f"{name}-{ending}", (was,) if was else (), was


def _known(scope: Scope, name: str) -> str:
    """Where its code and runs lie."""
    return f"{scope.known_as('serving', name)}-monitoring"


def _monitoring(scope: Scope, name: str, entry: RealTime) -> ComponentCall:
    assert entry.monitor is not None and entry.capture is not None
    path, outcomes = f"serving.{name}.monitor", entry.monitor.outcomes
    named, aliases, former = _named(scope, name, "monitoring")
    served = watched_variants(scope, entry)
    known = scope.known_as("serving", name)
    return call(
        variables(name)[0],
        "monitoring:Monitoring",
        {
            "endpoint_name": Ref(identifier(name), "endpoint_name"),
            "variants": list(served),
            "models": Setting(
                sorted(
                    {
                        scope.known_as("models", model)
                        for model in served.values()
                        if not scope.promotes(model)
                    }
                ),
                f"{path}.{MODELS}",
            ),
            "promoted": Setting(
                sorted({f"{each.account}/{each.group}" for each in _homes(scope, entry)}),
                f"{path}.{PROMOTED}",
            ),
            "captures_bucket": Ref("data", "captures.bucket"),
            "captures_bucket_arn": Ref("data", "captures.arn"),
            "captures_prefix": known,
            "data_bucket": Ref("data", "data.bucket"),
            "data_bucket_arn": Ref("data", "data.arn"),
            "artifacts_bucket": Ref("data", "artifacts.bucket"),
            "artifacts_bucket_arn": Ref("data", "artifacts.arn"),
            "handler": function("monitor"),
            "limits": {
                metric: construct(
                    "monitoring:Bound",
                    {
                        bound: Setting(value, f"{path}.limits.{metric}.{bound}")
                        for bound in ("at_least", "at_most")
                        if (value := getattr(limit, bound)) is not None
                    },
                )
                for metric, limit in entry.monitor.limits.items()
                if metric not in SERVICE_LIMITS
            },
            "outcomes": place(scope, outcomes.dataset or "") if outcomes else None,
            "outcome_days": (
                Setting(
                    min(outcomes.within_days, entry.capture.retention_days),
                    f"{path}.outcomes.within_days",
                )
                if outcomes
                else None
            ),
            "images": Setting(machines.ecr([_image(scope, entry)]), f"{path}.images"),
            "job_tags": {STACK_TAG: scope.tags[STACK_TAG]},
            "topic_arn": scope.topic,
            "key_arn": scope.data_key,
            "log_key_arn": scope.log_key,
            "subnets": scope.placed("subnets"),
            "security_groups": scope.placed("security_groups"),
            "permissions_boundary": scope.permissions_boundary,
            "known_as": former,
            "tags": scope.tags,
        },
        path=path,
        name=named,
        depends_on=("data", *((NETWORK,) if scope.places else ())),
        aliases=aliases,
    )


def _pipeline(scope: Scope, name: str, entry: RealTime) -> ComponentCall:
    assert entry.monitor is not None
    named, aliases, _ = _named(scope, name, "monitoring-runs")
    monitoring, variable, _, _ = variables(name)
    values: dict[str, Any] = {
        "execution_role_arn": Ref(monitoring, "job_role_arn"),
        "function_arn": Ref(monitoring, "function_arn"),
        **{tag: scope.tags[tag] for tag in STACK_TAGS},
    }
    if entry.monitor.outcomes:
        values["outcomes_uri"] = Ref(monitoring, "outcomes_uri")
    printed = {"Version": "2020-12-01", "Parameters": [], "Steps": _steps(scope, name, entry)}
    return call(
        variable,
        "training_pipeline:TrainingPipeline",
        {
            "role_arn": Ref(monitoring, "pipeline_role_arn"),
            "bucket": Ref("data", "artifacts.bucket"),
            "key_arn": scope.data_key,
            "definition": Definition(
                f"pipelines/{name}-monitoring.json", indented(printed, 2) + "\n"
            ),
            "code": Archive("code/monitoring.tar.gz", "", monitoring_files()),
            "values": values,
            "subnets": scope.placed("subnets") if scope.places else None,
            "security_groups": scope.placed("security_groups") if scope.places else None,
            "known_as": _known(scope, name),
            "told": scope.told,
            "without": "its limits were not judged by it",
            "tags": scope.tags,
        },
        path=f"serving.{name}.monitor",
        name=named,
        depends_on=("data", *((NETWORK,) if scope.places else ())),
        exports={f"{monitoring}_pipeline": "pipeline_name"},
        aliases=aliases,
    )


def _starts(scope: Scope, name: str, entry: RealTime) -> ComponentCall:
    assert entry.monitor is not None
    path = f"serving.{name}.monitor"
    named, aliases, former = _named(scope, name, "monitoring-starts")
    _, pipeline, variable, _ = variables(name)
    return call(
        variable,
        "retrain_triggers:RetrainTriggers",
        {
            "pipeline_name": Ref(pipeline, "pipeline_name"),
            "pipeline_arn": Ref(pipeline, "pipeline_arn"),
            "starts": "monitoring",
            "schedule": Setting(entry.monitor.schedule, f"{path}.schedule"),
            "timezone": Setting(scope.blueprint.timezone, "timezone"),
            "topic_arn": scope.topic,
            "permissions_boundary": scope.permissions_boundary,
            "known_as": former,
            "tags": scope.tags,
        },
        path=path,
        name=named,
        aliases=aliases,
    )


def monitoring_job(scope: Scope, name: str, entry: RealTime) -> Json:
    """The arguments of the job that measures."""
    assert entry.monitor is not None
    outcomes = entry.monitor.outcomes
    captured = s3_input("captures", contract.PROCESSING_CAPTURES, answer("Resolve", "captures"))
    captured["S3Input"]["S3DataType"] = "ManifestFile"
    inputs = [s3_input("known", contract.PROCESSING_KNOWN, answer("Resolve", "known")), captured]
    if outcomes:
        folder = f"{contract.PROCESSING_DATA}/{outcomes.dataset}"
        inputs.append(s3_input("outcomes", folder, "${outcomes_uri}"))
    work = join(
        "/", f"s3://${{artifacts_bucket}}/{WORK}/{_known(scope, name)}", EXECUTION, "report"
    )
    output = s3_output("report", contract.PROCESSING_REPORT, work)
    script = Script("", compute=Compute(), timeout_minutes=_MINUTES)
    settings, env = _settings(scope, entry), dict(_environment(scope, entry))
    return processing_job("monitor", script, settings, inputs, [output], env)


def _steps(scope: Scope, name: str, entry: RealTime) -> list[Json]:
    """Resolve; where somebody has called, Measure and Publish."""
    measure = {
        "Name": "Measure",
        "Type": "Processing",
        "Arguments": monitoring_job(scope, name, entry),
        **retried("Processing"),
    }
    said = {"do": "publish", "report": output_uri("Measure", "report")}
    publish = lambda_step("${function_arn}", said, "page", "state")
    said = {"do": "resolve", "run": EXECUTION}
    resolve = lambda_step("${function_arn}", said, "captures", "known", "files")
    nobody = {"Type": "Equals", "LeftValue": answer("Resolve", "files"), "RightValue": "0"}
    return [
        {"Name": "Resolve", **resolve},
        {
            "Name": "Called",
            "Type": "Condition",
            "Arguments": {
                "Conditions": [nobody],
                "IfSteps": [],
                "ElseSteps": [measure, {"Name": "Publish", **publish}],
            },
        },
    ]


def _settings(scope: Scope, entry: RealTime) -> SageMakerSettings:
    small = catalogue.instance_type("small", "processing")
    return job_settings(scope, {"monitor": _image(scope, entry)}, {"monitor": small})


def _image(scope: Scope, entry: RealTime) -> str:
    """That of a training: it has the Python that the step needs, and reads parquet."""
    model = scope.blueprint.models[next(iter(watched_variants(scope, entry).values()))]
    assert model.runtime is not None
    return machines.image(model.runtime, "training", scope.blueprint.region, gpu=False)


def _environment(scope: Scope, entry: RealTime) -> Iterator[tuple[str, str]]:
    """What the step is told: limits, metrics, outcomes, and which columns are of which kind."""
    monitor, compact = entry.monitor, (",", ":")
    assert monitor is not None
    limits = [
        {"metric": metric, "bound": bound, "value": value}
        for metric, limit in monitor.limits.items()
        if metric not in SERVICE_LIMITS
        for bound in ("at_least", "at_most")
        if (value := getattr(limit, bound)) is not None
    ]
    for place_, limit in enumerate(limits):
        yield f"{contract.GATE}{place_:02}", json.dumps(limit, separators=compact)
    blueprint, models = scope.blueprint, [*watched_variants(scope, entry).values()]
    sections = [each for model in models for _, each in training_datasets(scope.resolved, model)]
    ignored = [each.time for each in sections if each.time]
    if monitor.outcomes:
        section = blueprint.datasets[monitor.outcomes.dataset or ""]
        told = {
            "dataset": monitor.outcomes.dataset,
            "format": section.format,
            "key": monitor.outcomes.key,
            "target": section.target,
        }
        yield contract.OUTCOMES, json.dumps(told, separators=compact)
        ignored.append(monitor.outcomes.key)
        reported = [each for model in models for each in blueprint.models[model].metrics]
        known = [each for each in dict.fromkeys(reported) if each in quality.METRICS]
        if known:
            yield contract.METRICS, ",".join(known)
    if ignored:
        yield contract.IGNORED, ",".join(dict.fromkeys(ignored))
    if sensitive := [column for each in sections for column in each.sensitive]:
        yield contract.SENSITIVE, ",".join(dict.fromkeys(sensitive))
