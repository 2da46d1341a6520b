"""What Azure ML support refuses of models, each with what works instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_iac.clouds.azure.ml.blocks.model_checks import check_models
from mlops_iac.clouds.azure.ml.scope import Scope
from tests.unit.test_run_and_definition import SAMPLE, VARIANTS, resolve

# Change of the model → place, words of the message, words of the hint.
ROWS = [
    ("{train: {compute: {count: 2}}}", "train.compute.count", "runs on one machine", "larger size"),
    (
        "{train: {compute: {instance: ml.m5.large}}}",
        "train.compute.instance",
        "'ml.m5.large' is no VM size",
        "Standard_D2ds_v4",
    ),
    (
        "{evaluate: {compute: {size: small, disk_gb: 100}}}",
        "evaluate.compute.disk_gb",
        "Standard_D2ds_v4 has a disk of 75 GB",
        "one of Standard_D4ds_v4",
    ),
    ("{runtime: {framework: huggingface}}", "runtime.framework", "no package", "`pytorch`"),
    ("{version: v3}", "version", "'v3' is no registered version", "models ls"),
    ("{env: {A: 'x $${y}'}}", "env.A", "`${` begins a placeholder", "leave it out"),
    (
        f"{{tune: {SAMPLE.replace('trials: 3', 'trials: 3, early_stopping: true')}}}",
        "tune.early_stopping",
        "end no trial early",
        "strategy: random",
    ),
    (
        f"{{tune: {SAMPLE.replace('bayesian', 'hyperband')}}}",
        "tune.strategy",
        "no hyperband",
        "`random`",
    ),
    (
        f"{{tune: {SAMPLE.replace('{depth:', '{a-b: {values: [x]}, a_b: {values: [y]}, depth:')}}}",
        "tune.search.a_b",
        "'a_b' and 'a-b' are one input",
        "rename",
    ),
]


@pytest.mark.parametrize(("change", "place", "words", "hint"), ROWS)
def test_what_no_job_does_is_told_at_its_place(
    change: str, place: str, words: str, hint: str, tmp_path: Path
) -> None:
    resolved = resolve(tmp_path, "platform: sagemaker\nregion: eu-west-1\n", change)
    (found,) = check_models(Scope(resolved))
    assert found.path == f"models.churn.{place}"
    assert words in found.message
    assert hint in str(found.hint)


@pytest.mark.parametrize("change", VARIANTS.values(), ids=VARIANTS)
def test_what_jobs_do_is_not_refused(change: str, tmp_path: Path) -> None:
    resolved = resolve(tmp_path, "platform: sagemaker\nregion: eu-west-1\n", change)
    assert list(check_models(Scope(resolved))) == []


def test_a_size_that_is_not_known_here_is_not_refused(tmp_path: Path) -> None:
    change = "{train: {compute: {instance: Standard_M8ms}}}"
    resolved = resolve(tmp_path, "platform: sagemaker\nregion: eu-west-1\n", change)
    (found,) = check_models(Scope(resolved))
    assert (found.severity, found.code) == ("warning", "unknown-instance")


def test_what_is_packed_beside_the_scripts_is_not_overwritten(tmp_path: Path) -> None:
    resolved = resolve(tmp_path, "platform: sagemaker\nregion: eu-west-1\n", "{}")
    (tmp_path / "workload" / "mlops_azure_job.py").touch()
    (found,) = check_models(Scope(resolved))
    assert "has its own mlops_azure_job.py" in found.message
