"""How fast a fleet is: 1,000 environments and 1,000 blueprints, and its memory at 250 and 1,000.

    python benchmarks/fleet.py [--stacks N] [--kind service|example] [--shape environments|blueprints]

Stacks of ordinary size: `service` is a small real-time service as teams write it (60 resources:
data, training, registry, endpoint with scaling and alarms, customer-managed keys, budget),
`example` is examples/schedule-adherence (70). No two blueprints are alike: names, code, accounts
and sizes differ, so that nothing is found in a cache but what every fleet has in common. Each shape
is compiled from nothing, previewed against its own locks, and validated, in this order.

`environments` is the stacks in blueprints of three environments each (`local` is not counted),
`blueprints` one environment in each of as many blueprints. Seconds are of this run on this machine;
on a machine that others use, too, the processor seconds tell more. A fixed piece of work that is timed
all the while says by how much others slow a processor down; the seconds on two free cores are half
of the processor seconds at its best pace. Ratios are in processor seconds: against one cold process
per blueprint, measured in the same run, and against the aim. Nothing is deleted before the end: an
ext4 without a journal searches, for every new file, among those that were deleted lately.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.run import EXAMPLE, TOOL, timed
from mlops_iac.api.fleet import Compile, Job, Preview, Report, Validate, blueprints, run

SERVICE = """\
blueprint: 1
name: {name}
description: Scores what team {number} asks about
owner: team-{number}@acme.example
tags: {{cost-centre: {number}}}
platform: sagemaker
region: eu-west-1
timezone: Europe/Amsterdam
datasets:
  events: {{source: data/events.csv, format: csv, target: outcome}}
models:
  scorer:
    code: workload/
    runtime: {{framework: scikit-learn, version: 1.9}}
    datasets: [events]
    metrics: {{accuracy: maximize}}
    train: {{script: train.py, compute: {{size: medium}}, timeout_minutes: 60}}
    evaluate: {{script: evaluate.py, gates: {{accuracy: {{at_least: 0.75}}}}}}
    registry: {{approval: manual}}
serving:
  api:
    mode: real-time
    model: scorer
    compute: {{size: medium}}
    scaling: {{min: 1, max: {most}, target: {{requests_per_minute: 200}}}}
    monitor: {{limits: {{latency_p99_ms: {{at_most: 300}}, error_rate_percent: {{at_most: 1}}}}}}
security: {{keys: customer}}
alerts: {{oncall: {{email: team-{number}@acme.example}}}}
budget: {{monthly_usd: 300}}
"""
ENVIRONMENTS = ("dev", "staging", "prod")


def service(folder: Path, number: int, environments: Sequence[str]) -> None:
    """Write one small service."""
    (folder / "workload").mkdir(parents=True)
    (folder / "data").mkdir()
    for script in ("train.py", "evaluate.py"):
        source = (EXAMPLE / "workload" / script).read_text(encoding="utf-8")
        (folder / "workload" / script).write_text(f"# Team {number}.\n{source}", encoding="utf-8")
    (folder / "data" / "events.csv").write_text(f"x,outcome\n{number},1\n", encoding="utf-8")
    text = SERVICE.format(name=f"scores-{number}", number=number, most=2 + number % 7)
    text += "environments:\n"
    for place, name in enumerate(environments):
        account = 100_000_000_000 + number * 10 + place
        text += f'  {name}: {{account: "{account}", budget: {{monthly_usd: {100 + place}}}}}\n'
    (folder / "blueprint.yaml").write_text(text, encoding="utf-8")


def example(folder: Path, number: int, environments: Sequence[str]) -> None:
    """Write a copy of the example with a name and code of its own, and these environments."""
    ignore = shutil.ignore_patterns(".mlops-iac", "__pycache__", ".github", "blueprint-1.json")
    shutil.copytree(EXAMPLE, folder, ignore=ignore)
    script = folder / "workload" / "train.py"
    script.write_text(f"# Team {number}.\n{script.read_text(encoding='utf-8')}", encoding="utf-8")
    path = folder / "blueprint.yaml"
    text = path.read_text(encoding="utf-8")
    text = text.replace("name: schedule-adherence", f"name: schedules-{number}", 1)
    head, _, tail = text.partition("environments:\n")
    entries = re.split(r"^(?=  \w+:)", tail, flags=re.MULTILINE)
    kept = "".join(e for e in entries if e.strip().partition(":")[0] in environments)
    if len(environments) == 1:
        kept = kept.replace("{promote_from: staging}", "{}")
    path.write_text(f"{head}environments:\n{kept}", encoding="utf-8")


KINDS = {"service": service, "example": example}


def make(root: Path, kind: str, stacks: int, shape: str) -> None:
    """Write the blueprints of a fleet of so many stacks."""
    environments = ENVIRONMENTS if shape == "environments" else ENVIRONMENTS[-1:]
    for number in range(-(-stacks // len(environments))):
        KINDS[kind](root / f"team-{number:04}", number, environments)


def processor_seconds() -> float:
    """Of this process and all its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


class Pace:
    """How much slower a processor is than at its best: others use its caches and its cycles.

    A fixed piece of work, timed again and again while a fleet is worked on.
    """

    best = 1e9

    def __init__(self) -> None:
        self._samples: list[float] = []
        self._last = 0.0

    def __call__(self, *_: object) -> None:
        """Time it, at most three times a second."""
        if time.monotonic() - self._last < 0.3:
            return
        started = time.process_time()
        sum(number & 3 for number in range(200_000))
        spent = time.process_time() - started
        self._samples.append(spent)
        Pace.best = min(Pace.best, spent)
        self._last = time.monotonic()

    @property
    def factor(self) -> float:
        """The mean of a run, in times of the best there was."""
        return sum(self._samples) / len(self._samples) / Pace.best


def measured(root: Path, job: Job) -> tuple[Report, float, float]:
    """One job over a fleet: its report, processor seconds of all its processes, and the pace."""
    pace = Pace()
    pace()
    before = processor_seconds()
    report = run(blueprints(root), job, heard=pace)
    if report.exit_code:
        raise SystemExit(f"{report.diagnostics[:3]}")
    return report, processor_seconds() - before, pace.factor


def cold(arguments: Sequence[str], folder: Path) -> float:
    """Processor seconds of one command in a process of its own."""
    before = processor_seconds()
    timed([*TOOL, *arguments], folder)
    return processor_seconds() - before


def peak(report: Report) -> float:
    """The largest worker, in MB."""
    return max(outcome.peak_bytes for outcome in report.outcomes) / 2**20


def bench(folder: Path, kind: str, stacks: int, shape: str) -> None:
    """Measure one shape of fleet, and a quarter of it for its memory."""
    root, quarter = folder / "whole", folder / "quarter"
    make(root, kind, stacks, shape)
    make(quarter, kind, stacks // 4, shape)
    one = next(root.iterdir())
    alone = {
        "validate": cold(["validate"], one),
        "compile": cold(["compile"], one),
        "preview": cold(["preview", "-s", ENVIRONMENTS[-1]], one),
    }
    for path in (one / "stacks", one / ".mlops-iac"):
        path.rename(folder / path.name)
    spent: dict[str, tuple[float, float]] = {}
    for verb, job in (("compile", Compile()), ("preview", Preview()), ("validate", Validate())):
        small, _, _ = measured(quarter, job)
        report, processor, pace = measured(root, job)
        spent[verb] = (report.seconds, processor / pace)
        count = report.totals["stacks"]
        print(
            f"{verb:<9} {count} stacks in {len(report.outcomes):>4} blueprints  "
            f"{report.seconds:6.1f}s  {processor:6.1f}s processor at {pace:.2f}x its best  "
            f"{processor / pace / count * 1000:5.1f} ms a stack  "
            f"{alone[verb] * len(report.outcomes) / processor:5.1f}x less than one by one  "
            f"worker {peak(report):.0f} MB, {peak(report) / peak(small):.2f}x of a quarter"
        )
    for verbs, aim in ((("validate", "compile"), 30.0), (("preview",), 300.0)):
        aim *= stacks / 1000
        seconds = sum(spent[verb][0] for verb in verbs)
        two_cores = sum(spent[verb][1] for verb in verbs) / 2
        verdict = "ok" if two_cores <= aim else "over"
        print(
            f"{' + '.join(verbs):<18} {seconds:6.1f}s here, {two_cores:6.1f}s on two free cores  "
            f"aim {aim:5.1f}s  {two_cores / aim:5.2f}x of it  {verdict}"
        )


def main() -> None:
    """Run the chosen benches."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stacks", type=int, default=1000)
    parser.add_argument("--kind", choices=KINDS, action="append")
    parser.add_argument("--shape", choices=("environments", "blueprints"), action="append")
    options = parser.parse_args()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    print(f"{cores} processors, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        for kind in options.kind or KINDS:
            for shape in options.shape or ("environments", "blueprints"):
                started = time.perf_counter()
                print(f"-- {kind}, {options.stacks} {shape}")
                bench(Path(folder, kind, shape), kind, options.stacks, shape)
                print(f"   measured in {time.perf_counter() - started:.0f}s")


if __name__ == "__main__":
    main()
