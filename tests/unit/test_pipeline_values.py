"""References of a definition, the trials of a tuning, the requirements of a workload."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.errors import ResourceFailed, UsageError
from mlops_iac.pipeline._local_store import split_uri, unpack
from mlops_iac.pipeline._local_tuning import note, trials
from mlops_iac.pipeline._local_values import Values
from mlops_iac.pipeline.workload_env import OVERRIDE, requirements, workload_python


@pytest.fixture
def values() -> Values:
    found = Values({"PipelineExecutionId": "run1"}, {"Days": 7})
    found.steps["Evaluate"] = {
        "Outputs": {"report": {"S3Uri": "s3://b/k"}},
        "PropertyFiles": {"Report": {"metrics": {"accuracy": 0.7, "loss": 2}}},
        "List": ["first"],
    }
    return found


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ({"Get": "Execution.PipelineExecutionId"}, "run1"),
        ({"Get": "Parameters.Days"}, 7),
        ({"Get": "Steps.Evaluate.Outputs['report'].S3Uri"}, "s3://b/k"),
        ({"Get": "Steps.Evaluate.List[0]"}, "first"),
        ({"Std:Join": {"On": "/", "Values": ["a", {"Get": "Execution.PipelineExecutionId"}, 3]}}, "a/run1/3"),
        ({"a": [{"Get": "Parameters.Days"}], "b": 1}, {"a": [7], "b": 1}),
        ({"Get": "Parameters.Days", "other": 1}, {"Get": "Parameters.Days", "other": 1}),
    ],
)  # fmt: skip
def test_references_are_resolved_wherever_they_stand(
    values: Values, written: Any, value: Any
) -> None:
    assert values.resolve(written) == value


@pytest.mark.parametrize(
    "reference",
    ["Steps.Train.ModelArtifacts", "Steps.Evaluate.Outputs['other'].S3Uri", "Parameters.Hours",
     "Execution.PipelineArn", "Steps.Evaluate.List[3]"],
)  # fmt: skip
def test_a_reference_to_nothing_is_an_error(values: Values, reference: str) -> None:
    with pytest.raises(UsageError, match="has no value for"):
        values.resolve({"Get": reference})


def condition(kind: str, metric: str, limit: float) -> dict[str, Any]:
    file = {"Get": "Steps.Evaluate.PropertyFiles.Report"}
    left = {"Std:JsonGet": {"PropertyFile": file, "Path": f"metrics.{metric}"}}
    return {"Type": kind, "LeftValue": left, "RightValue": limit}


@pytest.mark.parametrize(
    ("kind", "metric", "limit", "sentence"),
    [
        ("GreaterThanOrEqualTo", "accuracy", 0.7, None),
        ("GreaterThanOrEqualTo", "accuracy", 0.71, "accuracy is 0.7, must be at least 0.71"),
        ("LessThanOrEqualTo", "loss", 2, None),
        ("LessThanOrEqualTo", "loss", 1.5, "loss is 2, must be at most 1.5"),
        ("GreaterThan", "loss", 2, "loss is 2, must be above 2"),
        ("LessThan", "loss", 2, "loss is 2, must be below 2"),
        ("Equals", "loss", 2, None),
    ],
)
def test_a_condition_says_which_number_missed_which_limit(
    values: Values, kind: str, metric: str, limit: float, sentence: str | None
) -> None:
    assert values.missed(condition(kind, metric, limit)) == sentence


def test_a_metric_that_the_report_lacks_is_named(values: Values) -> None:
    with pytest.raises(ResourceFailed, match="the report has no f1"):
        values.missed(condition("Equals", "f1", 1))


def test_an_unknown_comparison_is_refused(values: Values) -> None:
    with pytest.raises(UsageError, match="does not know the condition In"):
        values.missed(condition("In", "loss", 1))


def tuning(strategy: str, count: int, **ranges: Any) -> dict[str, Any]:
    return {
        "Strategy": strategy,
        "ResourceLimits": {"MaxNumberOfTrainingJobs": count, "MaxParallelTrainingJobs": 1},
        "ParameterRanges": ranges,
    }


KINDS = [{"Name": "kind", "Values": ["a", "b"]}, {"Name": "fast", "Values": ["true", "false"]}]
DEPTHS = [{"Name": "depth", "MinValue": "2", "MaxValue": "12", "ScalingType": "Auto"}]
RATES = [{"Name": "rate", "MinValue": "0.0001", "MaxValue": "1", "ScalingType": "Logarithmic"}]


def test_a_grid_is_every_combination_once() -> None:
    found = trials(tuning("Grid", 4, CategoricalParameterRanges=KINDS), "seed")
    assert len({tuple(trial.items()) for trial in found}) == 4


def test_a_sample_is_the_same_for_the_same_seed_and_within_its_ranges() -> None:
    config = tuning(
        "Bayesian", 40, CategoricalParameterRanges=KINDS,
        IntegerParameterRanges=DEPTHS, ContinuousParameterRanges=RATES,
    )  # fmt: skip
    found = trials(config, "seed")
    assert found == trials(config, "seed")
    assert found != trials(config, "other")
    assert len(found) == 40
    assert all(2 <= int(trial["depth"]) <= 12 for trial in found)
    assert all(0.0001 <= float(trial["rate"]) <= 1 for trial in found)
    # A logarithmic range spends as much on each order of magnitude.
    assert sum(float(trial["rate"]) < 0.01 for trial in found) > 10


def test_a_small_space_is_not_tried_twice() -> None:
    found = trials(tuning("Random", 50, CategoricalParameterRanges=KINDS), "seed")
    assert len(found) == 4


@pytest.mark.parametrize(
    ("strategy", "noted"),
    [("Grid", False), ("Random", False), ("Bayesian", True), ("Hyperband", True)],
)
def test_what_is_not_run_as_asked_is_said(strategy: str, noted: bool) -> None:
    assert bool(note(tuning(strategy, 1))) is noted


@pytest.mark.parametrize("uri", ["/data/x", "https://bucket/key", "s3://"])
def test_only_s3_uris_are_read(uri: str) -> None:
    with pytest.raises(UsageError, match="not an s3"):
        split_uri(uri)


def test_an_archive_cannot_write_outside_its_folder(tmp_path: Path) -> None:
    archive = tmp_path / "a.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        entry = tarfile.TarInfo("../outside.txt")
        entry.size = 1
        tar.addfile(entry, io.BytesIO(b"x"))
    with pytest.raises(UsageError, match="cannot be unpacked"):
        unpack(archive, tmp_path / "inside")
    assert not (tmp_path / "outside.txt").exists()


@pytest.mark.parametrize(
    ("text", "image", "wanted"),
    [
        ("pandas\n", "1.dkr.ecr.x/sagemaker-scikit-learn:1.9-0", "pandas\nscikit-learn==1.9.*\n"),
        ("scikit-learn==1.9.1\n", "1.dkr.ecr.x/sagemaker-scikit-learn:1.9-0", "scikit-learn==1.9.1\n"),
        ("# nothing\n", "1.dkr.ecr.x/sagemaker-xgboost:3.2-0", "xgboost==3.2.*\n"),
        ("numpy\n", "my/own:latest", "numpy\n"),
    ],
)  # fmt: skip
def test_an_images_framework_is_installed_here_too(text: str, image: str, wanted: str) -> None:
    assert requirements(text, image) == wanted


class Recorder:
    """Stands for subprocesses: makes what they would make, or fails at the one that is named."""

    def __init__(self, fails: str = "") -> None:
        self.commands: list[list[str]] = []
        self.fails = fails

    def run(self, what: str, command: list[str], **_: Any) -> None:
        self.commands.append(command)
        if self.fails and self.fails in command:
            raise ResourceFailed(f"{what} failed; its log ends with\n  No matching distribution")
        if "venv" in command:
            python = Path(command[-1]) / "bin" / "python"
            python.parent.mkdir(parents=True)
            python.touch()


def make(recorder: Recorder, work: Path, wanted: str = "pandas\n") -> Path:
    return workload_python(wanted, work, recorder, lambda _: None)  # type: ignore[arg-type]


def test_an_environment_is_made_once_per_requirements(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(OVERRIDE, raising=False)
    recorder = Recorder()
    first = make(recorder, tmp_path)
    made = len(recorder.commands)
    assert made == 2
    assert make(recorder, tmp_path) == first
    assert [command[1:] for command in recorder.commands[made:]] == [["-P", "-c", ""]]
    assert make(recorder, tmp_path, "numpy\n") != first


def test_a_half_made_environment_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(OVERRIDE, raising=False)
    python = make(Recorder(), tmp_path)
    (python.parents[1] / ".complete").unlink()
    (python.parents[1] / "stray").touch()
    recorder = Recorder()
    make(recorder, tmp_path)
    assert len(recorder.commands) == 2
    assert not (python.parents[1] / "stray").exists()


def test_pips_failure_is_told_and_leaves_nothing_usable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(OVERRIDE, raising=False)
    with pytest.raises(ResourceFailed, match="No matching distribution") as caught:
        make(Recorder(fails="pip"), tmp_path)
    assert OVERRIDE in caught.value.hint
    recorder = Recorder()
    make(recorder, tmp_path)
    assert len(recorder.commands) == 2


def test_an_override_is_used_as_it_is_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder()
    python = tmp_path / "python"
    monkeypatch.setenv(OVERRIDE, str(python))
    with pytest.raises(UsageError, match="which is no program"):
        make(recorder, tmp_path)
    python.touch(mode=0o755)
    assert make(recorder, tmp_path) == python
    assert recorder.commands == []
