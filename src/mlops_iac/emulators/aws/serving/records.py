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

from moto.cloudwatch.models import cloudwatch_backends
from moto.logs.models import logs_backends
from moto.s3.models import s3_backends
from moto.utilities.utils import get_partition

from mlops_iac.emulators.aws.alarms.judging import Values
from mlops_iac.emulators.aws.alarms.mends import ENDPOINTS, Measured, judge
from mlops_iac.emulators.aws.in_order import IN_ORDER
from mlops_iac.emulators.aws.serving.captures import Capture, Event

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


class Records:
    """All that was not written yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._full = threading.Event()
        self._lines: dict[tuple[Where, str], deque[tuple[int, str]]] = {}
        self._dropped: dict[tuple[Where, str], int] = {}
        self._metrics: dict[tuple[Where, str, str, str, int], Values] = {}
        self._watched: dict[Where, dict[tuple[str, str], dict[int, Values]]] = {}
        self._asked: dict[Where, list[float]] = {}
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

    def asked(self, where: Where) -> None:
        """A request begins, which `measure` ends."""
        with self._lock:
            self._asked.setdefault(where, [0, 0])[0] += 1

    def is_asked(self, where: Where, seconds: float) -> bool:
        """Whether somebody waits for an answer, or got one that short a time ago."""
        waiting, last = self._asked.get(where, (0, 0))
        return bool(waiting) or time.monotonic() - last < seconds

    def measure(self, where: Where, variant: str, values: dict[str, tuple[float, str]]) -> None:
        """Metrics of one request, which ends: name → value and unit."""
        second = int(time.time())
        with self._lock:
            asked = self._asked[where]
            asked[:] = asked[0] - 1, time.monotonic()
            watched = self._watched.get(where)
            for name, (value, unit) in values.items():
                key = (where, variant, name, unit, second // 60)
                self._metrics.setdefault(key, Values()).add(value)
                if watched is not None:
                    seconds = watched.setdefault((variant, name), {})
                    seconds.setdefault(second, Values()).add(value)

    def watch(self, where: Where, *, on: bool) -> None:
        """Keep what is measured of an endpoint by the second from now on, or no longer."""
        with self._lock:
            self._watched.pop(where, None)
            if on:
                self._watched[where] = {}

    def watched(self, where: Where, variant: str, name: str) -> list[tuple[float, Values]]:
        """A metric by the second since it is watched."""
        with self._lock:
            found: list[tuple[float, Values]] = []
            for at, each in self._watched.get(where, {}).get((variant, name), {}).items():
                found.append((at, Values()))
                found[-1][1].take(each)  # the second that goes on is written to
            return found

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
            for account, region in {(each[0].account, each[0].region) for each in metrics}:
                backend = cloudwatch_backends[account][region]
                judge(backend, backend.alarms.values())
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
    where: Where, variant: str, name: str, unit: str, minute: int, measured: Values
) -> None:
    """Add to the datum of that minute, which CloudWatch has one of: there would be more each time."""
    backend: Any = cloudwatch_backends[where.account][where.region]
    at = datetime.fromtimestamp(minute * 60, UTC).replace(tzinfo=None)
    told = {"EndpointName": where.name, "VariantName": variant}
    for datum in reversed(backend.metric_data[-200:]):
        if (
            isinstance(datum, Measured)
            and (datum.namespace, datum.name, datum.timestamp) == (ENDPOINTS, name, at)
            and {each.name: each.value for each in datum.dimensions} == told
        ):
            datum.take(measured)
            return
    backend.metric_data.append(
        Measured(
            measured,
            namespace=ENDPOINTS,
            name=name,
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
