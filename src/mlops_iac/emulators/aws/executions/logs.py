"""What jobs print and measure, in the log groups and the namespaces of the service.

Source of the namespace and its dimension: the SageMaker SDK, `analytics.TrainingJobAnalytics`.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends

from mlops_iac.emulators.aws.executions.jobs import Place, Shown
from mlops_iac.emulators.aws.executions.records import epoch
from mlops_iac.emulators.aws.serving.records import write_lines

# A job that prints a gigabyte fills neither this process nor moto's state: the end is what counts.
_MOST = 4 * 2**20
# CloudWatch Logs quotas: an event's size.
_LINE = 256 * 1024

_read: dict[tuple[Path, str], int] = {}
_measured: set[tuple[str, str, float]] = set()


def write(place: Place, job: Shown) -> None:
    """Write the whole lines that have come since the last time."""
    key = (job.log, job.stream)
    try:
        found = job.log.stat()
        start = _read.get(key, 0)
        if found.st_size <= start:
            return
        start = max(start, found.st_size - _MOST)
        with job.log.open("rb") as file:
            file.seek(start)
            content = file.read(_MOST)
    except OSError:  # none yet
        return
    running = "InProgress" in job.response_object.values()
    whole = content[: content.rfind(b"\n") + 1] if running else content
    _read[key] = start + len(whole)
    at = int(found.st_mtime * 1000)
    lines: Any = deque(
        (at, text[:_LINE]) for text in whole.decode(errors="replace").splitlines() if text.strip()
    )
    if lines:
        write_lines(place.account, place.region, job.kind.group, job.stream, lines)


def measure(place: Place, job: Shown) -> None:
    """Put the metrics of a training that has come to its end."""
    backend: Any = cloudwatch_backends[place.account][place.region]
    for each in job.response_object.get("FinalMetricDataList", ()):
        key = (job.arn, each["MetricName"], epoch(each["Timestamp"]))
        if key in _measured:
            continue
        _measured.add(key)
        dimensions = [{"Name": "TrainingJobName", "Value": job.name}]
        datum = {**each, "Unit": "None", "Dimensions": dimensions}
        backend.put_metric_data(f"/aws/sagemaker/{job.kind.noun}s", [datum])
