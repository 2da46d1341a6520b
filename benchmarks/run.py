"""How fast the commands are, as ratios measured in one run on this machine.

    python benchmarks/run.py [validate] [preview] [up] [terraform] [growth] [review] [--repeat N]

Floors are what no tool of this kind can go below: the imports it stands on. Every number is the
best of N cold processes; the ratio is what counts, the seconds are this machine's.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "schedule-adherence"
TOOL = [sys.executable, "-m", "mlops_iac"]
ENVIRONMENT = {**os.environ, "NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": ""}


def timed(command: Sequence[str], cwd: Path, *, check: bool = True) -> float:
    """Seconds of one process, output discarded."""
    started = time.perf_counter()
    subprocess.run(command, cwd=cwd, env=ENVIRONMENT, check=check, capture_output=True)
    return time.perf_counter() - started


def best(command: Sequence[str], cwd: Path, repeat: int) -> float:
    """The best of several cold processes."""
    return min(timed(command, cwd) for _ in range(repeat))


def report(name: str, seconds: float, floor: float, aim: float, more: str = "") -> None:
    """One row: the ratio against the floor, and what it should be."""
    ratio = seconds / floor
    verdict = "ok" if ratio <= aim else "over"
    print(f"{name:<34} {ratio:6.2f}x  aim {aim:4.1f}x  {verdict:<5} {seconds:7.3f}s  {more}")


def copy_example(folder: Path) -> Path:
    """The example's sources in a folder of their own."""
    ignore = shutil.ignore_patterns(".mlops-iac", "__pycache__")
    return Path(shutil.copytree(EXAMPLE, folder / "project", ignore=ignore))


def import_floor(project: Path) -> list[str]:
    """A process that imports pulumi and touches one class of each AWS service of the prod stack."""
    answer = subprocess.run(
        [*TOOL, "graph", "-s", "prod", "--json"],
        cwd=project,
        env=ENVIRONMENT,
        check=True,
        capture_output=True,
        text=True,
    )
    classes: dict[str, str] = {}
    for item in json.loads(answer.stdout):
        _, module, name = item["type"].split(":")
        service = {"lambda": "lambda_"}.get(module.split("/")[0], module.split("/")[0])
        classes.setdefault(service, name)
    touches = "; ".join(f"aws.{service}.{name}" for service, name in sorted(classes.items()))
    return [sys.executable, "-c", f"import pulumi, pulumi_aws as aws; {touches}"]


def memory(command: Sequence[str], cwd: Path) -> float:
    """Peak resident memory of a process in MB."""
    code = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], capture_output=True);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code, *command],
        cwd=cwd,
        env=ENVIRONMENT,
        check=True,
        capture_output=True,
        text=True,
    )
    return int(answer.stdout) / 1024


def bench_validate(project: Path, repeat: int) -> None:
    """`validate`, cold, against the imports it cannot do without."""
    floor = best([sys.executable, "-c", "import pydantic, yaml, click"], project, repeat)
    report("validate", best([*TOOL, "validate"], project, repeat), floor, 1.5)


def bench_preview(project: Path, repeat: int) -> None:
    """`preview -s prod`, cold, credential-free, against the import floor."""
    command = [*TOOL, "preview", "-s", "prod"]
    floor = best(import_floor(project), project, repeat)
    seconds = best(command, project, repeat)
    peak = memory(command, project)
    report("preview -s prod", seconds, floor, 1.6, f"{peak:.0f} MB (aim 200), floor {floor:.3f}s")


def bench_up(project: Path, repeat: int) -> None:
    """`up -s local` with the emulator running, every write durable; then without changes."""
    floor = best(import_floor(project), project, repeat)
    first, second = [], []
    for _ in range(max(2, repeat // 2)):
        subprocess.run([*TOOL, "local", "start"], cwd=project, check=True, capture_output=True)
        first.append(timed([*TOOL, "up", "--yes"], project))
        second.append(timed([*TOOL, "up", "--yes"], project))
        timed([*TOOL, "destroy", "--yes"], project)
        subprocess.run([*TOOL, "local", "stop"], cwd=project, check=True, capture_output=True)
    report("up -s local, everything new", min(first), floor, 4.0)
    report("up -s local, no changes", min(second), floor, 2.5)


def bench_terraform(project: Path, repeat: int) -> None:
    """The same resources by the real AWS provider on the same emulator."""
    script = ROOT / "benchmarks" / "terraform_apply.py"
    answer = subprocess.run(
        [sys.executable, str(script), str(project)],
        cwd=project,
        env={**ENVIRONMENT, "PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
    )
    print(answer.stdout.strip() or f"terraform: {answer.stderr.strip().splitlines()[-1]}")


def bench_growth(project: Path, repeat: int) -> None:
    """1, 10 and 50 serving entries: time and memory against the number of resources."""
    text = (project / "blueprint.yaml").read_text(encoding="utf-8")
    start = text.index("  api:\n    mode: real-time")
    end = text.index("security:")
    entry = text[start:end].rstrip() + "\n"
    rows: dict[str, list[tuple[int, float, float]]] = {}
    for count in (1, 10, 50):
        entries = "".join(entry.replace("  api:", f"  api-{n}:", 1) for n in range(count))
        grown = text[:start] + entries + "\n" + text[end:]
        grown = grown.replace("      api:\n", "      api-0:\n")
        (project / "blueprint.yaml").write_text(grown, encoding="utf-8")
        listed = subprocess.run(
            [*TOOL, "graph", "-s", "prod", "--json"],
            cwd=project, env=ENVIRONMENT, check=True, capture_output=True, text=True,
        )  # fmt: skip
        resources = len(json.loads(listed.stdout))
        for verb in (["validate"], ["compile"], ["preview", "-s", "prod"]):
            command = [*TOOL, *verb]
            rows.setdefault(verb[0], []).append(
                (resources, best(command, project, min(repeat, 3)), memory(command, project))
            )
    (project / "blueprint.yaml").write_text(text, encoding="utf-8")
    for verb_name, points in rows.items():
        (r1, s1, m1), *_, (r2, s2, m2) = points
        shown = ", ".join(f"{r} resources {s:.2f}s {m:.0f} MB" for r, s, m in points)
        print(
            f"growth of {verb_name:<10} resources x{r2 / r1:.1f}, time x{s2 / s1:.1f}, "
            f"memory x{m2 / m1:.1f}   ({shown})"
        )


def bench_review(project: Path, repeat: int) -> None:
    """A preview against a git ref, of one stack and of all, beside a plain one; 5,000 resources."""
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@acme.example"]
    (project / ".gitignore").write_text(".mlops-iac\n", encoding="utf-8")
    subprocess.run(
        [*TOOL, "compile"], cwd=project, env=ENVIRONMENT, check=True, capture_output=True
    )
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "one"]):
        subprocess.run(["git", *identity, *words], cwd=project, check=True, capture_output=True)
    path = project / "blueprint.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("compute: {size: medium}\n", "compute: {size: large}\n"))
    plain = best([*TOOL, "preview", "-s", "prod"], project, repeat)
    one = best([*TOOL, "preview", "-s", "prod", "--against", "HEAD"], project, repeat)
    report("preview --against REF", one, plain, 1.8, f"plain {plain:.3f}s")
    every = best([*TOOL, "preview", "--all", "--against", "HEAD"], project, repeat)
    report("preview --all --against REF", every, plain, 2.5, f"plain {plain:.3f}s")
    path.write_text(text, encoding="utf-8")
    seconds, changed = min(_big_review() for _ in range(repeat))
    print(f"review of 5,000 resources, {changed} changed: {seconds:.3f}s  aim 1.000s")


def _big_review() -> tuple[float, int]:
    from mlops_iac.clouds.registry import replaces
    from mlops_iac.graph.diff import diff
    from mlops_iac.review.semantics import all_risks, plan_hash, reviewed

    old, new = _big_graph(changed=False), _big_graph(changed=True)
    replaces("aws:s3/bucket:Bucket", "bucket")  # reads the facts
    started = time.process_time()
    steps = diff(old, new, replaces)
    shown = reviewed(steps, {})
    all_risks(shown)
    plan_hash(shown)
    return time.process_time() - started, sum(1 for step in steps if step.op != "same")


def _big_graph(*, changed: bool) -> Any:
    """Buckets, policies of ten statements, configurations and endpoints; a third of them changed."""
    from mlops_iac.graph.canonical import CanonicalGraph, CanonicalResource

    resources = []
    for number in range(5000):
        other = changed and number % 3 == 0
        statements = [
            {
                "Sid": f"S{index}",
                "Effect": "Allow",
                "Action": ["s3:*"] if other and index == 3 else ["s3:GetObject", "s3:PutObject"],
                "Resource": f"${{s3.Bucket/r{number - 1}.arn}}/*",
            }
            for index in range(10)
        ]
        variant = {"variantName": "main", "instanceType": f"ml.m5.{'2' if other else ''}xlarge"}
        type_, inputs = (
            ("aws:s3/bucket:Bucket", {"forceDestroy": other, "tags": {"a": str(other)}}),
            (
                "aws:iam/rolePolicy:RolePolicy",
                {"policy": {"$json": {"Version": "2012-10-17", "Statement": statements}}},
            ),
            (
                "aws:sagemaker/endpointConfiguration:EndpointConfiguration",
                {"productionVariants": [variant]},
            ),
            (
                "aws:sagemaker/endpoint:Endpoint",
                {
                    "endpointConfigName": f"${{sagemaker.EndpointConfiguration/r{number - 1}.name}}",
                    "name": f"r{number}{other}",
                },
            ),
        )[number % 4]
        needs = (f"urn:r{number - 1}",) if number % 4 else ()
        resources.append(
            CanonicalResource(f"urn:r{number}", type_, f"r{number}", True, "", inputs, needs)
        )
    return CanonicalGraph("big", "prod", tuple(resources))


BENCHES: dict[str, Callable[[Path, int], None]] = {
    "validate": bench_validate,
    "preview": bench_preview,
    "up": bench_up,
    "terraform": bench_terraform,
    "growth": bench_growth,
    "review": bench_review,
}


def main() -> None:
    """Run the chosen benches on a copy of the example."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bench", nargs="*", help=f"of {', '.join(BENCHES)}; all if none is named")
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        project = copy_example(Path(folder))
        for name in options.bench or BENCHES:
            BENCHES[name](project, options.repeat)


if __name__ == "__main__":
    main()
