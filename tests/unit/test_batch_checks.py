"""What `validate` tells of batch entries: by the language, by SageMaker support, by the service's limits."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_iac import validate
from mlops_iac.blueprint import load as load_blueprint
from mlops_iac.blueprint.sections.serving import Batch
from mlops_iac.clouds.aws.sagemaker.modes.batch_calls import compiled
from mlops_iac.clouds.aws.sagemaker.scope import Scope
from mlops_iac.errors import Diagnostic
from tests.sagemaker_blueprints import write

BASE = """\
blueprint: 1
name: churn
platform: sagemaker
region: eu-west-1
datasets:
  projects: {source: data/customers.csv, format: csv}
  elsewhere: {source: "s3://lake/projects/", format: csv}
  forecasts: {format: json}
  later: {format: csv}
models:
  adherence:
    code: workload/
    runtime: {framework: scikit-learn, version: 1.9}
    datasets: [projects]
    train: {script: train.py}
serving:
  nightly:
    mode: batch
    input: projects
    output: forecasts
    schedule: "0 2 * * *"
"""


def found(folder: Path, text: str) -> list[Diagnostic]:
    """What `validate` tells of serving."""
    told = validate(write(folder, text))
    return [item for item in told if item.path.startswith("serving")]


def test_a_batch_entry_is_planned(tmp_path: Path) -> None:
    assert found(tmp_path, BASE) == []


# sentence: (what is replaced, by what, path, part of the message, part of the hint)
MISTAKES = {
    "the output is the input": ("output: forecasts", "output: projects", "serving.nightly.output", "has a source; predictions would be written into it", "without 'source'"),
    "an input that nobody writes": ("input: projects", "input: later", "serving.nightly.input", "nothing writes 'later'", "give it a source"),
    "what it writes starts it": ('schedule: "0 2 * * *"', "new_data: [forecasts]", "serving.nightly.new_data[0]", "would start itself", "name what it reads"),
    "a schedule and new data": ('schedule: "0 2 * * *"', 'schedule: "0 2 * * *"\n    new_data: [projects]', "serving.nightly.new_data", "takes one of schedule or new_data", ""),
    "an output within the input": ("input: projects\n    output: forecasts", "input: elsewhere\n    output: inside", "serving.nightly.output", "overlap", "in which nothing is read"),
    "a circle of entries": ('schedule: "0 2 * * *"', "new_data: [later]\n  second: {mode: batch, input: forecasts, output: later, new_data: [forecasts]}", "serving.nightly.new_data", "would start itself: what it writes starts", "a schedule"),
    "two entries, one output": ('schedule: "0 2 * * *"', "schedule: \"0 2 * * *\"\n  second: {mode: batch, input: projects, output: forecasts}", "serving.second.output", "serving.nightly writes 'forecasts' already", "of its own"),
    "images": ("format: csv}\n  elsewhere", "format: images}\n  elsewhere", "serving.nightly.input", "'projects' is images; a batch prediction reads rows, one a line", "`format: csv or json`"),
    "parquet out": ("forecasts: {format: json}", "forecasts: {format: parquet}", "serving.nightly.output", "'forecasts' is parquet; a batch prediction writes rows", "`format: csv or json`"),
    "spot": ("mode: batch", "mode: batch\n    compute: {spot: true}", "serving.nightly.compute.spot", "nothing that serves has spot capacity", "a smaller instance"),
    "drift": ("mode: batch", "mode: batch\n    monitor: {limits: {drift_psi: {at_most: 0.2}}}", "serving.nightly.monitor.limits.drift_psi", "drift_psi of batch predictions is not measured yet", "lag_seconds or error_rate_percent"),
    "latency": ("mode: batch", "mode: batch\n    monitor: {limits: {latency_p99_ms: {at_most: 9}}}", "serving.nightly.monitor.limits.latency_p99_ms", "nothing computes 'latency_p99_ms'", ""),
    "too patient": ("mode: batch", "mode: batch\n    monitor: {limits: {lag_seconds: {at_most: 900000}}}", "serving.nightly.monitor.limits.lag_seconds.at_most", "from a minute to seven days", "604800"),
    "an instance that transforms do not know": ("mode: batch", "mode: batch\n    compute: {instance: ml.t3.medium}", "serving.nightly.compute.instance", "'ml.t3.medium' is no instance type for transform", ""),
    "a secret": ("mode: batch", "mode: batch\n    env: {TOKEN: {secret: token}}", "serving.nightly.env.TOKEN", "", ""),
    "a placeholder": ("mode: batch", 'mode: batch\n    env: {WHERE: "$${region}"}', "serving.nightly.env.WHERE", "would be filled in", "without `${`"),
    "too many variables": ("mode: batch", "mode: batch\n    env: {" + ", ".join(f"V{n}: x" for n in range(11)) + "}", "serving.nightly.env", "takes 10 variables at most", ""),
    "a cron that AWS has not": ('"0 2 * * *"', '"0 2 1 * 1"', "serving.nightly.schedule", "day of month and day of week at once", "another cron"),
    "too many machines": ("mode: batch", "mode: batch\n    compute: {count: 0}", "serving.nightly.compute.count", "at least 1", ""),
    "a description that is too long": ("mode: batch", "mode: batch\n    description: " + "x" * 4000, "serving.nightly.description", "", ""),
}  # fmt: skip


@pytest.mark.parametrize("sentence", MISTAKES)
def test_a_mistake_is_told_where_it_is(tmp_path: Path, sentence: str) -> None:
    old, new, path, message, hint = MISTAKES[sentence]
    assert old in BASE
    text = BASE.replace(old, new, 1)
    if "inside" in text:
        text = text.replace(
            "  forecasts:",
            '  inside: {source: "s3://lake/projects/out/", format: json}\n  forecasts:',
        )
    problems = found(tmp_path, text)
    assert [
        item
        for item in problems
        if item.path == path and message in item.message and hint in item.hint
    ], problems


def test_a_stream_is_not_read(tmp_path: Path) -> None:
    text = BASE.replace("input: projects", "input: site").replace(
        "  forecasts:", "  site: {stream: {records_per_second: 5}}\n  forecasts:"
    )
    assert any("'site' is a stream" in item.message for item in found(tmp_path, text))


def test_defaults_are_what_there_is_one_of(tmp_path: Path) -> None:
    text = BASE.replace('  elsewhere: {source: "s3://lake/projects/", format: csv}\n', "")
    text = text.replace("  later: {format: csv}\n", "")
    text = text.replace("    input: projects\n    output: forecasts\n", "")
    assert found(tmp_path, text) == []
    entry = (
        load_blueprint(tmp_path / "blueprint.yaml").resolve("local").blueprint.serving["nightly"]
    )
    assert isinstance(entry, Batch)
    assert (entry.model, entry.input, entry.output) == ("adherence", "projects", "forecasts")


@pytest.mark.parametrize(
    "change",
    [
        ("input: projects", "input: elsewhere"),
        ('schedule: "0 2 * * *"', "new_data: [projects]"),
        ('schedule: "0 2 * * *"', 'schedule: "0 2 * * *"\n  second: {mode: batch, input: forecasts, output: later, new_data: [forecasts]}'),
        ("forecasts: {format: json}", 'forecasts: {format: json, source: "s3://lake/forecasts/"}'),
    ],
    ids=["in place", "on new data", "a chain", "to a place that exists"],
)  # fmt: skip
def test_what_works(tmp_path: Path, change: tuple[str, str]) -> None:
    problems = found(tmp_path, BASE.replace(*change))
    assert [item for item in problems if item.severity == "error"] == []


def test_a_promoted_model_is_refused_with_what_works(tmp_path: Path) -> None:
    text = BASE + (
        "environments:\n  dev: {account: 012345678901}\n"
        "  prod: {account: 112233445566, models: {adherence: {promote_from: dev}}}\n"
    )
    (problem,) = {item.message: item for item in found(tmp_path, text)}.values()
    assert "adherence is promoted from another environment" in problem.message
    assert "train it in this environment too" in problem.hint


def test_calls_at_once_are_as_many_as_there_are_cores(tmp_path: Path) -> None:
    text = BASE.replace("mode: batch", "mode: batch\n    compute: {size: large, count: 3}")
    resolved = load_blueprint(write(tmp_path, text)).resolve("local")
    entry = resolved.blueprint.serving["nightly"]
    assert isinstance(entry, Batch)
    prediction, settings = compiled(Scope(resolved), "nightly", entry)
    assert (prediction.calls, prediction.compute.count) == (8, 3)
    assert settings.instance_types["transform"] == "ml.m5.2xlarge"
