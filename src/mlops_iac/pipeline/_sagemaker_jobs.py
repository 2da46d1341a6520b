"""The arguments of each job of a SageMaker pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlops_iac.pipeline._sagemaker_parts import (
    SERVING_ENVIRONMENT,
    Json,
    SageMakerSettings,
    StepKind,
    as_text,
    channel,
    dataset_placeholder,
    encrypted,
    job_network,
    job_tags,
    join,
    numbered,
    parameter_ranges,
    resources,
    s3_input,
    s3_output,
)
from mlops_iac.pipeline.steps import (
    Dataset,
    Evaluate,
    Lifecycle,
    Prepare,
    Script,
    Train,
    Tune,
)
from mlops_iac.runtime import contract

EXECUTION = {"Get": "Execution.PipelineExecutionId"}
_STRATEGIES = {
    "bayesian": "Bayesian",
    "random": "Random",
    "grid": "Grid",
    "hyperband": "Hyperband",
}


SEAL, SEAL_REPORT = "Seal", "SealReport"


def seal(life: Lifecycle) -> Json:
    """What the sealing function is told of the trained model."""
    return {"source": _trained_uri(life), "target": _models(life)}


def seal_report(life: Lifecycle) -> Json:
    """What the sealing function is told of the evaluation's report."""
    prefix = {"Get": "Steps.Evaluate.ProcessingOutputConfig.Outputs['report'].S3Output.S3Uri"}
    return {"source": join("/", prefix, contract.REPORT_FILE), "target": _models(life)}


def sealed(step: str) -> Json:
    """The S3 URI of what a sealing step left."""
    return {"Get": f"Steps.{step}.OutputParameters['uri']"}


def prepare(life: Lifecycle, step: Prepare, settings: SageMakerSettings) -> Json:
    """CreateProcessingJob: datasets in, prepared data out."""
    output = s3_output("prepared", contract.PROCESSING_PREPARED, _work(life, "prepared"))
    env = {contract.DATASETS: ",".join(dataset.name for dataset in life.datasets)}
    env |= data_settings(life.datasets, checks=True)
    return processing("prepare", step, settings, [*_dataset_inputs(life)], [output], env)


def evaluate(life: Lifecycle, step: Evaluate, settings: SageMakerSettings) -> Json:
    """CreateProcessingJob: data and model in, the report that the gate reads out."""
    model = s3_input("model", contract.PROCESSING_MODEL, sealed(SEAL))
    env = {contract.METRICS: ",".join(_reported(life))}
    if life.prepare:
        data = [
            s3_input("prepared", f"{contract.PROCESSING_DATA}/{contract.PREPARED}", _prepared())
        ]
        env[contract.DATASETS] = ""
    else:
        data = list(_dataset_inputs(life))
        env[contract.DATASETS] = ",".join(dataset.name for dataset in life.datasets)
        env |= data_settings(life.datasets, checks=False)
    env |= numbered(
        contract.GATE,
        [{"metric": g.metric, "bound": g.bound, "value": g.value} for g in life.gates],
    )
    report = s3_output("report", contract.PROCESSING_REPORT, _work(life, "report"))
    return processing("evaluate", step, settings, [*data, model], [report], env)


def train(life: Lifecycle, step: Train, settings: SageMakerSettings) -> Json:
    """CreateTrainingJob."""
    return {
        **_training(life, step, settings),
        "HyperParameters": _hyperparameters(step),
        "Tags": job_tags(settings),
    }


def tune(life: Lifecycle, step: Tune, settings: SageMakerSettings) -> Json:
    """CreateHyperParameterTuningJob around one training's definition."""
    static = {
        name: value
        for name, value in _hyperparameters(step.train).items()
        if name not in step.search
    }
    return {
        "HyperParameterTuningJobConfig": {
            "Strategy": _STRATEGIES[step.strategy],
            "HyperParameterTuningJobObjective": {
                "Type": step.goal.capitalize(),
                "MetricName": step.metric,
            },
            "ResourceLimits": {
                "MaxNumberOfTrainingJobs": step.trials,
                "MaxParallelTrainingJobs": step.parallel,
            },
            "ParameterRanges": parameter_ranges(step.search),
            "TrainingJobEarlyStoppingType": "Off",
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": static,
            **_training(life, step.train, settings),
            # The step's policy cannot start a single trial again.
            "RetryStrategy": {"MaximumRetryAttempts": 3},
        },
        "Tags": job_tags(settings),
    }


def register(life: Lifecycle, settings: SageMakerSettings) -> Json:
    """CreateModelPackage: what serves the model, what it measured, who approves it."""
    manual = life.register.approval == "manual"
    arguments: Json = {
        "ModelPackageGroupName": "${model_package_group_name}",
        "ModelApprovalStatus": "PendingManualApproval" if manual else "Approved",
        "InferenceSpecification": {
            "Containers": [
                {
                    "Image": settings.images["serve"],
                    "ModelDataUrl": sealed(SEAL),
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
    if life.evaluate:
        arguments["ModelMetrics"] = {
            "ModelQuality": {
                "Statistics": {"ContentType": "application/json", "S3Uri": sealed(SEAL_REPORT)}
            }
        }
    return arguments


def _trained_uri(life: Lifecycle) -> Json:
    """The S3 URI of the archive that the training left."""
    if not isinstance(life.training, Tune):
        return {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}
    # A tuning step has no ModelArtifacts; the best job writes below the common output path.
    best = {"Get": "Steps.Tune.BestTrainingJob.TrainingJobName"}
    return _work(life, "trained", best, "output", contract.MODEL_FILE)


def _training(life: Lifecycle, step: Train, settings: SageMakerSettings) -> Json:
    """What one training has in common, run alone or as a trial."""
    seconds = step.timeout_minutes * 60
    stopping = {"MaxRuntimeInSeconds": seconds}
    env = {contract.STEP: "train", contract.SCRIPT: step.script}
    env[contract.METRICS] = ",".join(_required_of_train(life))
    if life.prepare:
        channels = [channel(contract.PREPARED, _prepared())]
        env[contract.DATASETS] = ""
    else:
        channels = [channel(d.name, _dataset_uri(d.name)) for d in life.datasets]
        env[contract.DATASETS] = ",".join(dataset.name for dataset in life.datasets)
        env |= data_settings(life.datasets, checks=True)
    if step.checkpoints:
        env[contract.KEEP_CHECKPOINTS] = "true"
    job: Json = {
        "AlgorithmSpecification": {
            "TrainingImage": settings.images["train"],
            "TrainingInputMode": "File",
            "MetricDefinitions": [
                {"Name": name, "Regex": contract.metric_regex(name)} for name in _reported(life)
            ],
        },
        "Environment": {**settings.environment, **step.env, **env},
        "InputDataConfig": [*channels, channel(contract.CODE_CHANNEL, "${code_uri}")],
        "OutputDataConfig": encrypted(settings, {"S3OutputPath": _work(life, "trained")}),
        "ResourceConfig": resources("train", step, settings),
        "RoleArn": "${execution_role_arn}",
        "StoppingCondition": stopping,
        **job_network(settings),
    }
    if step.compute.spot:
        stopping["MaxWaitTimeInSeconds"] = seconds + step.spot_wait_minutes * 60
        job["EnableManagedSpotTraining"] = True
    if step.compute.spot or step.checkpoints:
        job["CheckpointConfig"] = {
            "S3Uri": _work(life, "checkpoints"),
            "LocalPath": f"{contract.ROOT}/{contract.CHECKPOINTS}",
        }
    return job


def processing(
    kind: StepKind,
    step: Script,
    settings: SageMakerSettings,
    inputs: Sequence[Json],
    outputs: Sequence[Json],
    env: Mapping[str, str],
) -> Json:
    """CreateProcessingJob: our entry point, which runs the script if the step has one."""
    arguments = [
        part for name, value in _user_hyperparameters(step).items() for part in (f"--{name}", value)
    ]
    code = f"{contract.ROOT}/{contract.CODE}"
    archive = f"{contract.ROOT}/{contract.PROCESSING_CODE}/{contract.CODE_FILE}"
    run = f"mkdir -p {code} && tar -xzf {archive} -C {code} && exec python3 {code}/{contract.ENTRY}"
    application: Json = {
        "ImageUri": settings.images[kind],
        # bash takes what follows its script as $0, $1, …: the container's arguments.
        "ContainerEntrypoint": ["/bin/bash", "-c", f'{run} "$@"', contract.ENTRY],
    }
    if arguments:
        application["ContainerArguments"] = arguments
    script = {contract.SCRIPT: step.script} if step.script else {}
    settings_env = {contract.STEP: kind, **script, **env}
    job: Json = {
        "AppSpecification": application,
        "Environment": {**settings.environment, **step.env, **settings_env},
        "ProcessingInputs": [*inputs, s3_input("code", contract.PROCESSING_CODE, "${code_uri}")],
        "ProcessingOutputConfig": encrypted(settings, {"Outputs": list(outputs)}),
        "ProcessingResources": {"ClusterConfig": resources(kind, step, settings)},
        "RoleArn": "${execution_role_arn}",
        "StoppingCondition": {"MaxRuntimeInSeconds": step.timeout_minutes * 60},
        "Tags": job_tags(settings),
    }
    network = job_network(settings)
    if network:
        job["NetworkConfig"] = network
    return job


def _user_hyperparameters(step: Script) -> dict[str, str]:
    return {name: as_text(value) for name, value in step.hyperparameters.items()}


def _hyperparameters(step: Train) -> dict[str, str]:
    """The user's, and what makes the framework containers start our entry point."""
    channel = f"{contract.ROOT}/{contract.CHANNELS}/{contract.CODE_CHANNEL}"
    return {
        **_user_hyperparameters(step),
        "sagemaker_program": contract.ENTRY,
        "sagemaker_region": "${region}",
        "sagemaker_submit_directory": f"{channel}/{contract.CODE_FILE}",
    }


def data_settings(datasets: Sequence[Dataset], *, checks: bool) -> dict[str, str]:
    """What is asked of the rows of datasets before anything sees them."""
    windows = [
        {"dataset": d.name, "time": d.time, "days": d.window_days}
        for d in datasets
        if d.window_days is not None
    ]
    env = numbered(contract.WINDOW, windows)
    if checks:
        rules = [
            {
                "dataset": c.dataset,
                "format": d.format,
                "field": c.field,
                "rules": dict(c.rules),
            }
            for d in datasets
            for c in d.checks
        ]
        env |= numbered(contract.CHECK, rules)
    return env


def _required_of_train(life: Lifecycle) -> list[str]:
    """What training must report: what tuning goes by, and all where nothing evaluates."""
    if life.evaluate is None:
        return _reported(life)
    return [life.training.metric] if isinstance(life.training, Tune) else []


def _reported(life: Lifecycle) -> list[str]:
    names = list(life.metrics)
    names += [gate.metric for gate in life.gates if gate.metric not in names]
    if isinstance(life.training, Tune) and life.training.metric not in names:
        names.append(life.training.metric)
    return list(dict.fromkeys(names))


def _dataset_inputs(life: Lifecycle) -> list[Json]:
    return [
        s3_input(d.name, f"{contract.PROCESSING_DATA}/{d.name}", _dataset_uri(d.name))
        for d in life.datasets
    ]


def _dataset_uri(name: str) -> str:
    return "${" + dataset_placeholder(name) + "}"


def _prepared() -> Json:
    return {"Get": "Steps.Prepare.ProcessingOutputConfig.Outputs['prepared'].S3Output.S3Uri"}


def _work(life: Lifecycle, *leaf: str | Json) -> Json:
    """Where jobs write; it expires."""
    return join("/", f"s3://${{artifacts_bucket}}/pipelines/{life.model}", EXECUTION, *leaf)


def _models(life: Lifecycle) -> Json:
    """Where the sealing function alone writes, and what is kept."""
    return join("/", f"s3://${{artifacts_bucket}}/models/{life.model}", EXECUTION)
