"""What jobs print, in the log groups of the service."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any

from mlops_iac.emulators.aws.executions.jobs import Place, Shown
from mlops_iac.emulators.aws.serving.records import write_lines

# A job that prints a gigabyte fills neither this process nor moto's state: the end is what counts.
_MOST = 4 * 2**20
# CloudWatch Logs quotas: an event's size.
_LINE = 256 * 1024

_read: dict[tuple[Path, str], int] = {}


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
