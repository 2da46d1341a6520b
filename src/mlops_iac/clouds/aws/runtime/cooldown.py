"""Lambda handler: start a retraining, unless one started too recently.

Every event source that can ask for a retraining (new data, an alarm) goes through here, so that
neither a stream of uploads nor an alarm that the new model cannot quieten trains without end.

Environment: `PIPELINE_NAME`, and `COOLDOWN_HOURS`, a number from 0 on.
Imports only the standard library and boto3, which the Lambda runtime brings along.
"""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta, timezone
from functools import cache
from hashlib import sha256
from typing import Any

import boto3

# A running execution blocks whatever its age: two trainings at once only compete.
_UNFINISHED = ("Executing", "Stopping")


@cache
def _sagemaker() -> Any:
    return boto3.client("sagemaker")


def handler(event: dict[str, Any], context: object) -> dict[str, str]:  # noqa: ARG001
    """Start the pipeline named in the environment, or say why not.

    Returns `{"decision": "started" | "cooling down" | "running", "execution": ARN}`; the same
    goes to the log as one JSON line. Service errors are raised, so that Lambda tries again and
    the dead-letter queue keeps the event at last.
    """
    pipeline = os.environ["PIPELINE_NAME"]
    cooldown = timedelta(hours=float(os.environ["COOLDOWN_HOURS"]))
    latest = _latest_execution(pipeline)
    if latest and latest["PipelineExecutionStatus"] in _UNFINISHED:
        return _tell("running", latest["PipelineExecutionArn"], event)
    # Failed executions count too: what failed once must not be repeated with each event.
    if latest and _now() - latest["StartTime"] < cooldown:
        return _tell("cooling down", latest["PipelineExecutionArn"], event)
    started = _sagemaker().start_pipeline_execution(
        PipelineName=pipeline,
        PipelineExecutionDescription=f"Started by {event.get('detail-type', 'an event')}"[:3072],
        ClientRequestToken=_token(pipeline, latest),
    )
    return _tell("started", started["PipelineExecutionArn"], event)


def _latest_execution(pipeline: str) -> dict[str, Any] | None:
    page = _sagemaker().list_pipeline_executions(
        PipelineName=pipeline, SortBy="CreationTime", SortOrder="Descending", MaxResults=1
    )
    summaries = page["PipelineExecutionSummaries"]
    return summaries[0] if summaries else None


def _token(pipeline: str, latest: dict[str, Any] | None) -> str:
    """Two events at the same moment see the same latest execution, and so start one, not two."""
    after = latest["PipelineExecutionArn"] if latest else "none"
    return sha256(f"{pipeline}\0{after}".encode()).hexdigest()


def _now() -> datetime:
    return datetime.now(timezone.utc)  # noqa: UP017  (the runtime may be older than datetime.UTC)


def _tell(decision: str, execution: str, event: dict[str, Any]) -> dict[str, str]:
    answer = {"decision": decision, "execution": execution}
    cause = {"event": event.get("id", ""), "cause": event.get("detail-type", "")}
    print(json.dumps({**answer, **cause}))  # noqa: T201  (a Lambda logs by printing)
    return answer
