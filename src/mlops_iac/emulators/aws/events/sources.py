"""Events of SageMaker: a version is registered, approved or rejected; an execution goes on or ends.

Source: SageMaker developer guide, "Events that Amazon SageMaker AI sends to Amazon EventBridge", for
names and fields.
"""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from moto.core.utils import iso_8601_datetime_without_milliseconds as written
from moto.events.models import events_backends
from moto.sagemaker.models import SageMakerModelBackend

from mlops_iac.emulators.aws.executions.executions import Execution

_VERSION = "SageMaker Model Package State Change"
_EXECUTION = "SageMaker Model Building Pipeline Execution Status Change"


def install() -> None:
    """Let moto tell of versions. Once in a process, in order."""
    for name in ("create_model_package", "update_model_package"):
        setattr(SageMakerModelBackend, name, _telling(getattr(SageMakerModelBackend, name)))


def tell_of(executions: Iterable[Execution]) -> None:
    """Publish what has become of executions since they were told of. In order."""
    for each in executions:
        before, each.told = each.told, each.status
        if each.told != before:
            ended = None if each.unfinished else written(each.changed)
            detail = {
                "pipelineExecutionDescription": each.asked.get("PipelineExecutionDescription"),
                "pipelineExecutionDisplayName": each.asked.get("PipelineExecutionDisplayName"),
                "currentPipelineExecutionStatus": each.told,
                "previousPipelineExecutionStatus": before or None,
                "executionStartTime": written(each.began),
                "executionEndTime": ended,
                "pipelineArn": each.pipeline.arn,
                "pipelineExecutionArn": each.arn,
            }
            place = each.place
            _publish(place.account, place.region, _EXECUTION, each.pipeline.arn, detail)


def _telling(change: Callable[..., str]) -> Callable[..., str]:
    # Whoever mends the same operation finds its mark again.
    @functools.wraps(change)
    def changed(self: Any, **named: Any) -> str:
        before = _status(self, named.get("model_package_arn", ""))
        arn = change(self, **named)
        if _status(self, arn) != before:
            _publish(self.account_id, self.region_name, _VERSION, arn, _version(self, arn))
        return arn

    return changed


def _status(backend: Any, arn: str) -> str | None:
    known = backend.model_packages.get(backend.model_package_name_mapping.get(arn, arn))
    return known and known.model_approval_status  # type: ignore[no-any-return]


def _version(backend: Any, arn: str) -> dict[str, Any]:
    found = backend.model_packages[backend.model_package_name_mapping.get(arn, arn)]
    return {
        "ModelPackageGroupName": found.model_package_group_name,
        "ModelPackageVersion": found.model_package_version,
        "ModelPackageArn": found.arn,
        "ModelPackageDescription": found.model_package_description,
        "CreationTime": written(found.creation_time),
        "InferenceSpecification": found.inference_specification,
        "ModelPackageStatus": found.model_package_status,
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        "ModelApprovalStatus": found.model_approval_status,
        "ModelMetrics": found.model_metrics,
        "CustomerMetadataProperties": found.customer_metadata_properties,
    }


def _publish(account: str, region: str, kind: str, resource: str, detail: dict[str, Any]) -> None:
    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": kind,
        "source": "aws.sagemaker",
        "account": account,
        "time": written(datetime.now(UTC)),
        "region": region,
        "resources": [resource],
        "detail": {key: value for key, value in detail.items() if value is not None},
    }
    for rule in list(events_backends[account][region].event_buses["default"].rules.values()):
        rule.send_to_targets(event)
