"""Pipelines as they are deployed: the last run, the definition, and the files that a run reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from mlops_iac.clouds.aws.session import AwsSession
from mlops_iac.clouds.aws.types import BUCKET_OBJECT, PIPELINE
from mlops_iac.clouds.operations import LastRun, Page, utc
from mlops_iac.clouds.questions import Questions
from mlops_iac.graph.plan import Step
from mlops_iac.values import Asset

# SageMaker API reference, PipelineExecutionSummary.
_STATES = {
    "Executing": "running",
    "Stopping": "running",
    "Stopped": "stopped",
    "Failed": "failed",
    "Succeeded": "registered",
}
_RUNS = 50  # that are looked at for a page: what older ones have left has expired
_URI = re.compile(r"s3://[^/\"\\]+/([^\"\\]+)")


def last_run(pipeline: str, questions: Questions) -> LastRun | None:
    """The last execution of a pipeline.

    Source: SageMaker API reference, ListPipelineExecutions, ListPipelineExecutionSteps.
    """

    def client() -> Any:
        return questions.session.client("sagemaker")

    def asked() -> Sequence[Mapping[str, Any]]:
        answer = client().list_pipeline_executions(
            PipelineName=pipeline, SortBy="CreationTime", SortOrder="Descending", MaxResults=1
        )
        found: Sequence[Mapping[str, Any]] = answer["PipelineExecutionSummaries"]
        return found

    what = f"the runs of {pipeline}"
    runs = questions.ask(what, asked)
    if not runs:
        return None
    arn = str(runs[0]["PipelineExecutionArn"])
    status = _STATES.get(str(runs[0]["PipelineExecutionStatus"]), "failed")
    last = LastRun(arn.rsplit("/", 1)[-1], status, utc(runs[0].get("StartTime")))
    if status not in ("failed", "stopped"):
        return last

    def ended() -> Sequence[Mapping[str, Any]]:
        pages = client().get_paginator("list_pipeline_execution_steps")
        return [
            step
            for page in pages.paginate(PipelineExecutionArn=arn)
            for step in page["PipelineExecutionSteps"]
            if step["StepStatus"] in ("Failed", "Stopped")
        ]

    told = str(runs[0].get("PipelineExecutionFailureReason") or "")
    for step in questions.ask(what, ended) or ():
        reason = str(step.get("FailureReason") or told)
        if "Fail" in (step.get("Metadata") or {}):  # the step that a missed gate leads to
            return LastRun(last.id, "gate-failed", last.started, "", reason)
        return LastRun(last.id, status, last.started, str(step["StepName"]), reason)
    return LastRun(last.id, status, last.started, "", told)


def page(pipeline: str, session: AwsSession, file: str, run: str) -> Page | None:
    """The newest page of the pipeline's runs whose id begins with `run`, of the last `_RUNS`.

    Source: SageMaker API reference, ListPipelineExecutions, ListPipelineExecutionSteps,
    DescribeProcessingJob.
    """
    client, s3 = session.client("sagemaker"), session.client("s3")
    listed = client.get_paginator("list_pipeline_executions").paginate(
        PipelineName=pipeline,
        SortBy="CreationTime",
        SortOrder="Descending",
        PaginationConfig={"MaxItems": _RUNS},
    )
    for execution in [each for part in listed for each in part["PipelineExecutionSummaries"]]:
        arn = str(execution["PipelineExecutionArn"])
        if not arn.rpartition("/")[2].startswith(run):
            continue
        for uri in _reports(client, arn):
            bucket, _, key = f"{uri.rstrip('/')}/{file}".removeprefix("s3://").partition("/")
            try:
                content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            except s3.exceptions.NoSuchKey:
                continue
            return Page(arn.rpartition("/")[2], f"s3://{bucket}/{key}", content)
    return None


def _reports(client: Any, execution: str) -> Iterator[str]:
    """Where the processing jobs of an execution leave reports."""
    pages = client.get_paginator("list_pipeline_execution_steps")
    for part in pages.paginate(PipelineExecutionArn=execution):
        for step in part["PipelineExecutionSteps"]:
            arn = (step.get("Metadata") or {}).get("ProcessingJob", {}).get("Arn", "")
            if arn:
                job = client.describe_processing_job(ProcessingJobName=arn.rpartition("/")[2])
                for each in job.get("ProcessingOutputConfig", {}).get("Outputs", ()):
                    if each["OutputName"] == "report":
                        yield str(each["S3Output"]["S3Uri"])


def definition(pipeline: str, session: AwsSession) -> str | None:
    """A pipeline's definition as it is deployed; None where it is gone."""
    client = session.client("sagemaker")
    try:
        return str(client.describe_pipeline(PipelineName=pipeline)["PipelineDefinition"])
    except client.exceptions.ClientError:
        return None


def read_by_run(steps: Iterable[Step], pipeline: str, definition: str) -> list[Step]:
    """Steps on the pipeline, and on the objects that it reads as it is or as it would be."""
    changed = list(steps)
    own = [
        step
        for step in changed
        if step.type == PIPELINE
        and pipeline in (step.old_inputs.get("pipelineName"), step.new_inputs.get("pipelineName"))
    ]
    texts = [definition, *(str(step.new_inputs.get("pipelineDefinition")) for step in own)]
    read = {key for text in texts for key in _URI.findall(text)}
    by_urn = {step.urn: step for step in own}
    for step in changed:
        if step.type == BUCKET_OBJECT and any(
            key == known or (known.endswith("/") and key.startswith(known))
            for inputs in (step.old_inputs, step.new_inputs)
            for known in read
            if (key := str(inputs.get("key")))
        ):
            # Of a replacement both halves are told, too; one of them is enough.
            by_urn.setdefault(step.urn, step)
    return list(by_urn.values())


def upload(step: Step) -> str:
    """The path of the file that a step uploads; empty for a step that uploads none."""
    source = step.new_inputs.get("source")
    if step.type != BUCKET_OBJECT or step.op == "delete" or not isinstance(source, Asset):
        return ""
    return source.path or ""


def uploaded(step: Step, session: AwsSession) -> bytes | None:
    """What lies where a step uploads a file; None where nothing does, or somebody deleted it."""
    was = {"Bucket": step.old_inputs.get("bucket"), "Key": step.old_inputs.get("key")}
    if not all(isinstance(each, str) for each in was.values()):
        return None
    s3 = session.client("s3")
    try:
        content: bytes = s3.get_object(**was)["Body"].read()
    except s3.exceptions.ClientError:
        return None
    return content
