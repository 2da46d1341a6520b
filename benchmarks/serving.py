"""How long a prediction takes over HTTP: the example's model at 200 requests a second.

    python benchmarks/serving.py [--rate 200] [--seconds 15] [--connections 8] [--threads 1] [--model FOLDER]

The load is open: a request is sent when it is due, whether or not others are answered, and its time
counts from then, on a connection that is kept. Beside it stand the time of `predict` alone in the
same interpreter, which no server goes below, and processor milliseconds for each request. Wall clock
is this machine's: the share of a processor that others leave to a piece of work of known length is
printed with it. `--model` is what a training left with its code, else the example is trained.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.run import EXAMPLE
from mlops_iac.runtime import server
from mlops_iac.runtime.files import runtime_files

AIM_MILLISECONDS = 10.0
ROW = {
    "region": "south", "project_type": "renovation", "contract_value_keur": 1298,
    "planned_start": "2021-01-15", "actual_start": "2021-01-22", "planned_end": "2021-04-26",
    "planned_duration_days": 101, "reported_at": "2021-02-17", "progress": 0.194, "crew_size": 14,
    "subcontractors": 2, "weather_delay_days": 0, "material_delay_days": 1, "permits_pending": 0,
    "change_orders": 3, "safety_incidents": 0, "failed_inspections": 1,
}  # fmt: skip
BODY = json.dumps({"instances": [ROW]}).encode()
ALONE = f"""
import json, sys, time
sys.path.insert(0, sys.argv[1] + "/code")
import inference
model, row = inference.model_fn(sys.argv[1]), json.loads({json.dumps(ROW)!r})
times = []
for _ in range(600):
    began = time.perf_counter()
    model.predict([row])
    times.append(time.perf_counter() - began)
print(json.dumps(times[100:]))
"""


def trained(folder: Path) -> Path:
    """The example's model, with its code beside it as in a version's archive."""
    workload, model = EXAMPLE / "workload", folder / "model"
    source = folder / "in" / "schedules" / "base"
    source.mkdir(parents=True)
    shutil.copy(EXAMPLE / "data" / "schedule_management.csv", source)
    steps: Sequence[Sequence[object]] = (
        ("prepare.py", "--data", folder / "in", "--out", folder / "prepared"),
        (
            "train.py",
            "--data",
            folder / "prepared",
            "--model",
            model,
            "--metrics",
            folder / "m" / "m",
        ),
    )
    for step in steps:
        subprocess.run(
            [sys.executable, *map(str, step)], cwd=workload, check=True, capture_output=True
        )
    return model


def complete(model: Path) -> None:
    """Today's code beside a model."""
    shutil.copytree(EXAMPLE / "workload", model / "code", dirs_exist_ok=True)
    for name, content in runtime_files().items():
        (model / "code" / name).parent.mkdir(exist_ok=True)
        (model / "code" / name).write_bytes(content)


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
    """One request on a kept connection. Raises where it is not answered with 200."""
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
    body = await reader.readexactly(length)
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(body.decode())


async def load(port: int, rate: float, seconds: float, connections: int) -> list[float]:
    """Seconds of every request, from when it was due."""
    head = f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: {len(BODY)}\r\n\r\n"
    request, times = head.encode() + BODY, list[float]()
    due: asyncio.Queue[float | None] = asyncio.Queue()

    async def caller() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (moment := await due.get()) is not None:
            await ask(reader, writer, request)
            times.append(time.perf_counter() - moment)
        writer.close()

    callers = [asyncio.create_task(caller()) for _ in range(connections)]
    began = time.perf_counter()
    for count in range(int(rate * seconds)):
        moment = began + count / rate
        await asyncio.sleep(max(0.0, moment - time.perf_counter()))
        due.put_nowait(moment)
    for _ in callers:
        due.put_nowait(None)
    await asyncio.gather(*callers)
    return times


def processor_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def share() -> float:
    """How much of a processor a busy process gets now, of 1."""
    wall, own = time.perf_counter(), time.process_time()
    while time.process_time() - own < 0.3:
        pass
    return 0.3 / (time.perf_counter() - wall)


def told(name: str, times: Sequence[float], more: str = "") -> float:
    """One line about times; returns the 99th percentile in milliseconds."""
    ordered = sorted(times)
    at: Callable[[float], float] = lambda part: 1000 * ordered[int(part * (len(ordered) - 1))]  # noqa: E731
    print(f"{name:<28} p50 {at(0.5):6.2f}  p90 {at(0.9):6.2f}  p99 {at(0.99):6.2f} ms  {more}")
    return at(0.99)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve, load, tell."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--model", type=Path)
    given: Any = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        model = (given.model or trained(folder)).resolve()
        complete(model)
        alone = subprocess.run(
            [sys.executable, "-P", "-c", ALONE, str(model)],
            check=True,
            capture_output=True,
            text=True,
        )
        told("predict alone", json.loads(alone.stdout))
        ready = folder / "ready"
        command = [
            sys.executable,
            "-P",
            server.__file__,
            model,
            ready,
            "--threads",
            str(given.threads),
        ]
        process = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE)
        try:
            asyncio.run(served(process.pid, ready, given))
        finally:
            process.terminate()
            process.wait()


async def served(pid: int, ready: Path, given: Any) -> None:
    """Load the server that will be ready, and tell."""
    while not ready.exists():
        await asyncio.sleep(0.05)
    port = json.loads(ready.read_text())["port"]
    while True:  # until it is loaded
        try:
            await load(port, 20, 1, 1)
            break
        except RuntimeError:
            await asyncio.sleep(0.1)
    before, other = processor_seconds(pid), share()
    times = await load(port, given.rate, given.seconds, given.connections)
    spent = 1000 * (processor_seconds(pid) - before) / len(times)
    more = f"{spent:.2f} ms of a processor each; share left {other:.0%} before, {share():.0%} after"
    p99 = told(f"over HTTP, {given.rate:g} a second", times, more)
    print(
        f"p99 {p99:.2f} ms, aim {AIM_MILLISECONDS:g}: {'ok' if p99 <= AIM_MILLISECONDS else 'over'}"
    )


if __name__ == "__main__":
    main()
