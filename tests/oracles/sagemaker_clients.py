"""What the SageMaker SDK and the AWS CLI see, run by the Python that has them (`packages_env.py`).

    python sagemaker_clients.py TRAINING MONITORING ENDPOINT COMMANDS FILE

The names of two pipelines and an endpoint; where they are, is in the environment. COMMANDS of the CLI are a
JSON list. FILE gets a JSON object of what was seen. Whatever the SDK cannot read ends it.
"""

from __future__ import annotations

import inspect
import io
import json
import logging
import shlex
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import sagemaker
import sagemaker_core.main.resources as core
from awscli.clidriver import create_clidriver
from botocore.exceptions import ClientError
from sagemaker.analytics import TrainingJobAnalytics
from sagemaker.deserializers import JSONDeserializer
from sagemaker.estimator import Estimator
from sagemaker.lineage.lineage_trial_component import LineageTrialComponent
from sagemaker.lineage.query import (
    LineageEntityEnum,
    LineageFilter,
    LineageQuery,
    LineageQueryDirectionEnum,
)
from sagemaker.lineage.visualizer import LineageTableVisualizer
from sagemaker.predictor import Predictor
from sagemaker.serializers import JSONSerializer
from sagemaker.workflow.pipeline import Pipeline, _PipelineExecution

ROW = {"instances": [{"project_id": "P1"}]}
# The SDK lists versions without what it requires of each: aws/sagemaker-python-sdk, issue 5606.
_MISREAD = {"ModelPackage"}


def resources() -> dict[str, int]:
    """Every resource that the strict models of sagemaker-core list, each read again by itself."""
    found = {}
    for name, kind in vars(core).items():
        if not hasattr(kind, "get_all") or name in _MISREAD:
            continue
        given = inspect.signature(kind.get_all).parameters.values()
        if any(each.default is each.empty for each in given):
            continue  # of some other resource
        try:
            listed = list(kind.get_all())
        except ClientError as error:
            assert error.response["Error"]["Code"] == "UnknownOperationException", error
            continue
        for each in listed:
            if hasattr(each, "refresh"):
                each.refresh()
        found[name] = len(listed)
    return found


def seen(training: str, monitoring: str, endpoint: str) -> dict[str, Any]:
    """What the SageMaker SDK sees of the newest training that succeeded; a monitoring is started by it."""
    quiet = {"SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}
    # It would ask for the account where AWS is.
    session = sagemaker.Session(
        default_bucket="none", sagemaker_config={"SchemaVersion": "1.0", **quiet}
    )
    client = session.sagemaker_client
    predictor = Predictor(endpoint, session, JSONSerializer(), JSONDeserializer())
    predicted = predictor.predict(ROW)
    execution = Pipeline(monitoring, sagemaker_session=session).start()
    execution.wait(delay=1, max_attempts=120)
    listed = Pipeline(training, sagemaker_session=session).list_executions()
    arn = next(
        each["PipelineExecutionArn"]
        for each in listed["PipelineExecutionSummaries"]
        if each["PipelineExecutionStatus"] == "Succeeded"
    )
    steps = {each["StepName"]: each for each in _PipelineExecution(arn, session).list_steps()}
    job_arn = steps["Train"]["Metadata"]["TrainingJob"]["Arn"]
    job = job_arn.rpartition("/")[2]
    (component,) = client.list_trial_components(SourceArn=job_arn)["TrialComponentSummaries"]
    table = LineageTableVisualizer(session)
    where = session.describe_endpoint(endpoint)["EndpointArn"]
    (context,) = client.list_contexts(SourceUri=where)["ContextSummaries"]
    artifacts = LineageQuery(session).query(
        start_arns=[context["ContextArn"]],
        direction=LineageQueryDirectionEnum.ASCENDANTS,
        query_filter=LineageFilter(entities=[LineageEntityEnum.ARTIFACT]),
    )
    metrics = TrainingJobAnalytics(job, sagemaker_session=session).dataframe()
    return {
        "resources": resources(),
        "runs": {
            each.pipeline_execution_arn: each.refresh().pipeline_execution_status
            for name in (training, monitoring)
            for each in core.PipelineExecution.get_all(pipeline_name=name)
        },
        "monitored": {each["StepName"]: each["StepStatus"] for each in execution.list_steps()},
        "run": arn,
        "version": steps["Register"]["Metadata"]["RegisterModel"]["Arn"],
        "model": Estimator.attach(job, sagemaker_session=session).model_data,
        "metrics": metrics[["metric_name", "value"]].values.tolist(),
        "logs": printed(session.logs_for_job, job),
        "predicted": predicted,
        "lineage": {
            name: table.show(pipeline_execution_step=steps[name]).values.tolist()
            for name in ("Train", "Register")
        },
        "run_of_component": LineageTrialComponent.load(
            component["TrialComponentName"], sagemaker_session=session
        ).pipeline_execution_arn(),
        "served": [each.to_lineage_object().source.source_uri for each in artifacts.vertices],
    }


def printed(does: Callable[..., Any], *given: Any) -> str:
    """What it prints."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with redirect_stdout(out), redirect_stderr(out):
        does(*given)
    out.flush()
    return out.buffer.getvalue().decode()


def commands(lines: list[str]) -> list[Any]:
    """What the AWS CLI says to each, which is JSON, or words."""
    driver = create_clidriver()
    found: list[Any] = []
    for line in lines:
        said = printed(driver.main, shlex.split(line))
        try:
            found.append(json.loads(said))
        except ValueError:
            found.append(said.strip())
    return found


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    *names, lines, file = sys.argv[1:]
    answer = {**seen(*names), "commands": commands(json.loads(lines))}
    Path(file).write_text(json.dumps(answer, default=str))
