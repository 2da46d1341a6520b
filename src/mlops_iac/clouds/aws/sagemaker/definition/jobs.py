"""The arguments of each job of a SageMaker pipeline.

The folders of `runtime.contract` are SageMaker's own (source: the SageMaker developer guide, "How
Amazon SageMaker runs your training image" and "processing container image"; `sagemaker-training` for
`code`), and so is where a job leaves why it failed ("How Amazon SageMaker processes training output").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlops_iac.clouds.aws.sagemaker.definition.parts import (
    EXECUTION,
    SERVING_ENVIRONMENT,
    Json,
    SageMakerSettings,
    StepKind,
    answer,
    channel,
    dataset_placeholder,
    encrypted,
    job_network,
    job_tags,
    join,
    output_uri,
    parameter_ranges,
    resources,
    role,
    s3_input,
    s3_output,
    tracked,
)
from mlops_iac.pipeline.steps import Lifecycle, Script, Tune
from mlops_iac.pipeline.tasks import (
    CHECKPOINTS,
    KEPT,
    TRAINED,
    WORK,
    Current,
    Job,
    Seal,
    Training,
)
from mlops_iac.runtime import contract

# What a version says about where its examples lie. Its `SamplePayloadUrl` takes archives alone.
EXAMPLES = "examples"


def left(task: str, life: Lifecycle) -> str | Json:
    """The S3 URI of what a task has left."""
    match task:
        case "Prepare" | "Evaluate" | "Try":
            name = {"Prepare": contract.PREPARED, "Evaluate": "report", "Try": "examples"}[task]
            return output_uri(task, name)
        case "Train":
            return {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}
        case "Tune":
            # A tuning step has no ModelArtifacts; the best job writes below the common output path.
            best = {"Get": "Steps.Tune.BestTrainingJob.TrainingJobName"}
            return _work(life, TRAINED, best, "output", contract.MODEL_FILE)
        case _:
            return answer(task, "uri")


def seal(life: Lifecycle, task: Seal) -> Json:
    """What the sealing function is told."""
    source = left(task.source, life)
    return {
        "source": join("/", source, task.file) if task.file else source,
        "target": _below(KEPT, life),
    }


def current(life: Lifecycle, task: Current) -> Json:
    """What the same function is told to find the version in service."""
    return {
        "group": "${model_package_group_name}",
        "model": life.model,
        "version": task.version,
        "otherwise": left(task.otherwise, life),
    }


def version_of(task: str) -> Json:
    """The name of the version that a task has found."""
    return answer(task, "version")


def processing(life: Lifecycle, job: Job, settings: SageMakerSettings) -> Json:
    """CreateProcessingJob: data, and the model to measure or try, in; what it leaves out."""
    inputs = [
        s3_input(name, f"{contract.PROCESSING_DATA}/{name}", _source(name, task, life))
        for name, task in job.data.items()
    ]
    if job.model:
        inputs.append(s3_input("model", contract.PROCESSING_MODEL, left(job.model, life)))
    prepares = job.kind == "prepare"
    output = s3_output(
        job.output,
        contract.PROCESSING_PREPARED if prepares else contract.PROCESSING_REPORT,
        _work(life, job.output),
    )
    env: Json = {**job.script.env, **job.env}
    if job.kind == "evaluate":
        env |= {contract.RUN: EXECUTION, **tracked(settings)}
    if job.current:
        inputs.append(s3_input("current", contract.PROCESSING_CURRENT, left(job.current, life)))
        env[contract.CURRENT] = version_of(job.current)
    return processing_job(job.kind, job.script, settings, inputs, [output], env, job.arguments)


def processing_job(
    kind: StepKind,
    script: Script,
    settings: SageMakerSettings,
    inputs: Sequence[Json],
    outputs: Sequence[Json],
    env: Mapping[str, str | Json],
    arguments: Mapping[str, str] = {},
) -> Json:
    """CreateProcessingJob of our entry point, which `env` tells what to do; the code is its last input."""
    code = f"{contract.ROOT}/{contract.CODE}"
    archive = f"{contract.ROOT}/{contract.PROCESSING_CODE}/{contract.CODE_FILE}"
    run = f"mkdir -p {code} && tar -xzf {archive} -C {code} && exec python3 {code}/{contract.ENTRY}"
    application: Json = {
        "ImageUri": settings.images[kind],
        # bash takes what follows its script as $0, $1, …: the container's arguments.
        "ContainerEntrypoint": ["/bin/bash", "-c", f'{run} "$@"', contract.ENTRY],
    }
    if arguments:
        application["ContainerArguments"] = [
            part for name, value in arguments.items() for part in (f"--{name}", value)
        ]
    printed: Json = {
        "AppSpecification": application,
        "Environment": {**settings.environment, **env},
        "ProcessingInputs": [*inputs, s3_input("code", contract.PROCESSING_CODE, "${code_uri}")],
        "ProcessingOutputConfig": encrypted(settings, {"Outputs": list(outputs)}),
        "ProcessingResources": {"ClusterConfig": resources(kind, script, settings)},
        "RoleArn": role(kind, settings),
        "StoppingCondition": {"MaxRuntimeInSeconds": script.timeout_minutes * 60},
        "Tags": job_tags(settings),
    }
    if network := job_network(settings):
        printed["NetworkConfig"] = network
    return printed


def train(life: Lifecycle, job: Training, settings: SageMakerSettings) -> Json:
    """CreateTrainingJob."""
    return {
        **_training(life, job, settings),
        "HyperParameters": _hyperparameters(job),
        "Tags": job_tags(settings),
    }


def tune(life: Lifecycle, job: Training, step: Tune, settings: SageMakerSettings) -> Json:
    """CreateHyperParameterTuningJob around one training's definition."""
    static = {
        name: value for name, value in _hyperparameters(job).items() if name not in step.search
    }
    return {
        "HyperParameterTuningJobConfig": {
            "Strategy": step.strategy.capitalize(),
            "HyperParameterTuningJobObjective": {
                "Type": step.goal.capitalize(),
                "MetricName": step.metric,
            },
            "ResourceLimits": {
                "MaxNumberOfTrainingJobs": step.trials,
                "MaxParallelTrainingJobs": step.parallel,
            },
            "ParameterRanges": parameter_ranges(step.search),
            # Developer guide, "Stop Training Jobs Early": the median of running averages, as in
            # `pipeline.tuning.Reports`.
            "TrainingJobEarlyStoppingType": "Auto" if step.early_stopping else "Off",
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": static,
            **_training(life, job, settings),
            # The step's policy cannot start a single trial again.
            "RetryStrategy": {"MaximumRetryAttempts": 3},
        },
        "Tags": job_tags(settings),
    }


def register(
    life: Lifecycle,
    settings: SageMakerSettings,
    model: str | Json,
    report: str | Json | None,
    examples: str | Json | None,
) -> Json:
    """CreateModelPackage: what serves the `model`, the `report` on it, `examples`, who approves it."""
    manual = life.register.approval == "manual"
    arguments: Json = {
        "ModelPackageGroupName": "${model_package_group_name}",
        "ModelApprovalStatus": "PendingManualApproval" if manual else "Approved",
        "InferenceSpecification": {
            "Containers": [
                {
                    "Image": settings.images["serve"],
                    "ModelDataUrl": model,
                    "Environment": {
                        **settings.environment,
                        **SERVING_ENVIRONMENT,
                        "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
                        "SAGEMAKER_REGION": "${region}",
                    },
                }
            ],
            "SupportedContentTypes": ["application/json"],
            "SupportedResponseMIMETypes": ["application/json"],
            "SupportedRealtimeInferenceInstanceTypes": [settings.instance_types["serve"]],
        },
    }
    if transform := settings.instance_types.get("transform"):
        arguments["InferenceSpecification"]["SupportedTransformInstanceTypes"] = [transform]
    if report:
        arguments["ModelMetrics"] = {
            "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": report}}
        }
    if examples:
        arguments["CustomerMetadataProperties"] = {EXAMPLES: examples}
    return arguments


def _training(life: Lifecycle, job: Training, settings: SageMakerSettings) -> Json:
    """What one training has in common, run alone or as a trial."""
    step = job.script
    seconds = step.timeout_minutes * 60
    stopping = {"MaxRuntimeInSeconds": seconds}
    channels = [channel(name, _source(name, task, life)) for name, task in job.data.items()]
    printed: Json = {
        "AlgorithmSpecification": {
            "TrainingImage": settings.images["train"],
            "TrainingInputMode": "File",
            "MetricDefinitions": [
                {"Name": name, "Regex": contract.metric_regex(name)} for name in job.metrics
            ],
        },
        "Environment": {**settings.environment, **step.env, **job.env, **tracked(settings)},
        "InputDataConfig": [*channels, channel(contract.CODE_CHANNEL, "${code_uri}")],
        "OutputDataConfig": encrypted(settings, {"S3OutputPath": _work(life, job.output)}),
        "ResourceConfig": resources("train", step, settings),
        "RoleArn": role("train", settings),
        "StoppingCondition": stopping,
        **job_network(settings),
    }
    if step.compute.spot:
        stopping["MaxWaitTimeInSeconds"] = seconds + step.spot_wait_minutes * 60
        printed["EnableManagedSpotTraining"] = True
    if job.checkpoints:
        printed["CheckpointConfig"] = {
            "S3Uri": _work(life, CHECKPOINTS),
            "LocalPath": f"{contract.ROOT}/{contract.CHECKPOINTS}",
        }
    return printed


def _hyperparameters(job: Training) -> dict[str, str]:
    """The user's, and what makes the framework containers start our entry point."""
    channel = f"{contract.ROOT}/{contract.CHANNELS}/{contract.CODE_CHANNEL}"
    return {
        **job.arguments,
        "sagemaker_program": contract.ENTRY,
        "sagemaker_region": "${region}",
        "sagemaker_submit_directory": f"{channel}/{contract.CODE_FILE}",
    }


def _source(name: str, task: str, life: Lifecycle) -> str | Json:
    return left(task, life) if task else "${" + dataset_placeholder(name) + "}"


def _work(life: Lifecycle, *leaf: str | Json) -> Json:
    return _below(WORK, life, *leaf)


def _below(folder: str, life: Lifecycle, *leaf: str | Json) -> Json:
    """Where jobs write, or what is kept, of one execution."""
    return join("/", f"s3://${{artifacts_bucket}}/{folder}/{life.model}", EXECUTION, *leaf)
