"""What endpoints leave behind: log lines, metrics, captured requests.

They are kept here first, and written to moto in batches: every few seconds, and before somebody reads
logs, metrics or objects. So a request that is answered waits for nothing, and whoever looks finds it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, NamedTuple

from moto.cloudwatch.models import MetricAggregatedDatum, cloudwatch_backends
from moto.logs.models import logs_backends
from moto.s3.models import s3_backends
from moto.utilities.utils import get_partition

from mlops_iac.emulators.aws.in_order import IN_ORDER
from mlops_iac.emulators.aws.serving.captures import Capture, Event

_NAMESPACE = "AWS/SageMaker"
_SECONDS = 5.0
# A model that prints a gigabyte fills neither this process nor moto's.
_PENDING_LINES = 2_000
_KEPT_LINES = 20_000
_CAPTURED_BYTES = 8 * 2**20  # then they are written at once


class Where(NamedTuple):
    """An endpoint's account, region and name."""

    account: str
    region: str
    name: str

    @property
    def log_group(self) -> str:
        """Where its servers' lines go."""
        return f"/aws/sagemaker/Endpoints/{self.name}"


class _Sum:
    """Values of one metric in one minute."""

    def __init__(self, value: float) -> None:
        self.count, self.sum, self.min, self.max = 1, value, value, value

    def add(self, value: float) -> None:
        self.count += 1
        self.sum += value
        self.min, self.max = min(self.min, value), max(self.max, value)


class Records:
    """All that was not written yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._full = threading.Event()
        self._lines: dict[tuple[Where, str], deque[tuple[int, str]]] = {}
        self._dropped: dict[tuple[Where, str], int] = {}
        self._metrics: dict[tuple[Where, str, str, str, int], _Sum] = {}
        self._events: list[tuple[Where, Capture, Event]] = []
        self._bytes = 0
        threading.Thread(target=self._run, daemon=True).start()

    def line(self, where: Where, stream: str, text: str) -> None:
        """A line of a server's log. CloudWatch keeps no empty ones."""
        if not text:
            return
        key = (where, stream)
        with self._lock:
            lines = self._lines.setdefault(key, deque())
            if len(lines) == _PENDING_LINES:
                self._dropped[key] = self._dropped.get(key, 0) + 1
                return
            lines.append((int(time.time() * 1000), text))

    def measure(self, where: Where, variant: str, values: dict[str, tuple[float, str]]) -> None:
        """Metrics of one request: name → value and unit."""
        minute = int(time.time() // 60)
        with self._lock:
            for name, (value, unit) in values.items():
                key = (where, variant, name, unit, minute)
                if (found := self._metrics.get(key)) is None:
                    self._metrics[key] = _Sum(value)
                else:
                    found.add(value)

    def capture(self, where: Where, capture: Capture, event: Event) -> None:
        """A request that is to be captured."""
        with self._lock:
            self._events.append((where, capture, event))
            self._bytes += len(event.request.body) + len(event.answer.body)
            if self._bytes > _CAPTURED_BYTES:
                self._full.set()

    def flush(self) -> None:
        """Write everything to moto."""
        if not (self._lines or self._metrics or self._events):
            return
        # Whoever is first writes, and the next one waits until that is written.
        with IN_ORDER:
            with self._lock:
                lines, self._lines = self._lines, {}
                dropped, self._dropped = self._dropped, {}
                metrics, self._metrics = self._metrics, {}
                events, self._events = self._events, []
                self._bytes = 0
                self._full.clear()
            for key, measured in metrics.items():
                _write_metric(*key, measured)
            for (where, capture), found in groupby(
                sorted(events, key=lambda each: (each[0], id(each[1]))), key=lambda each: each[:2]
            ):
                self._write_events(where, capture, [each[2] for each in found])
            for (where, stream), waiting in lines.items():
                if missing := dropped.get((where, stream)):
                    waiting.append((waiting[-1][0], f"… {missing} more lines, which are not kept"))
                write_lines(where.account, where.region, where.log_group, stream, waiting)

    def _run(self) -> None:
        while True:
            self._full.wait(_SECONDS)
            self.flush()

    def _write_events(self, where: Where, capture: Capture, events: list[Event]) -> None:
        store = s3_backends[where.account][get_partition(where.region)]

        def file(event: Event) -> tuple[str, int]:
            return event.variant, int(event.at // 3600)

        for _, several in groupby(sorted(events, key=lambda each: (file(each), each.at)), file):
            batch = list(several)
            body = "".join(f"{capture.line(each)}\n" for each in batch).encode()
            kms = {"encryption": "aws:kms", "kms_key_id": capture.kms_key}
            try:
                store.put_object(
                    capture.bucket, capture.key(batch[0]), body, **(kms if capture.kms_key else {})
                )
            except Exception as error:  # moto's own, of a bucket that is not there
                text = (
                    f"{len(batch)} captured requests cannot be written to {capture.bucket}: {error}"
                )
                moment = (int(time.time() * 1000), text)
                stream = f"{batch[0].variant}/data-log"
                write_lines(where.account, where.region, where.log_group, stream, deque([moment]))


def _write_metric(
    where: Where, variant: str, name: str, unit: str, minute: int, measured: _Sum
) -> None:
    """Add to the datum of that minute, which CloudWatch has one of: there would be more each time."""
    backend: Any = cloudwatch_backends[where.account][where.region]
    at = datetime.fromtimestamp(minute * 60, UTC).replace(tzinfo=None)
    told = {"EndpointName": where.name, "VariantName": variant}
    for datum in reversed(backend.metric_data[-200:]):
        if (
            isinstance(datum, MetricAggregatedDatum)
            and (datum.namespace, datum.name, datum.timestamp) == (_NAMESPACE, name, at)
            and {each.name: each.value for each in datum.dimensions} == told
        ):
            datum.sum += measured.sum
            datum.sample_count += measured.count
            datum.min, datum.max = min(datum.min, measured.min), max(datum.max, measured.max)
            return
    backend.metric_data.append(
        MetricAggregatedDatum(
            namespace=_NAMESPACE,
            name=name,
            min_stat=measured.min,
            max_stat=measured.max,
            sample_count=measured.count,
            sum_stat=measured.sum,
            dimensions=[{"Name": key, "Value": value} for key, value in told.items()],
            timestamp=at,
            unit=unit,
        )
    )


def write_lines(
    account: str, region: str, group: str, stream: str, lines: deque[tuple[int, str]]
) -> None:
    """Add lines (milliseconds, text) to a stream, which keeps the last of them. In order."""
    backend: Any = logs_backends[account][region]
    if group not in backend.groups:
        backend.create_log_group(group, {})
    backend.ensure_log_stream(group, stream)
    events = [{"timestamp": at, "message": text} for at, text in lines]
    backend.put_log_events(group, stream, events)
    kept = backend.groups[group].streams[stream]
    del kept.events[:-_KEPT_LINES]
