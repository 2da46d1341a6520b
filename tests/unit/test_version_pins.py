"""`models.NAME.version`: a number that the registry gave, of a model that has a registry."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_iac.api import validate

BASE = """\
blueprint: 1
name: churn
platform: sagemaker
region: eu-west-1
datasets: {customers: {source: customers.csv, format: csv, target: churned}}
models:
  churn: {code: code, runtime: {framework: scikit-learn, version: 1.9}, train: {script: train.py}}
  brought: {source: s3://b/m/3/, runtime: {framework: onnx, version: 1.20}}
serving: {api: {mode: real-time, model: churn}}
environments:
  prod:
    models: {MODEL: {version: VERSION}}
"""


def problems(folder: Path, model: str, version: str) -> list[tuple[str, int, str]]:
    (folder / "code").mkdir()
    (folder / "code" / "train.py").write_text("")
    (folder / "customers.csv").write_text("a,churned\n")
    path = folder / "blueprint.yaml"
    path.write_text(BASE.replace("MODEL", model).replace("VERSION", version))
    found = [each for each in validate(path) if ".version" in each.path and each.line == 12]
    return [(each.code, each.line, each.message) for each in found]


@pytest.mark.parametrize("version", ["1", "3", "'12'", "999999999"])
def test_a_number(tmp_path: Path, version: str) -> None:
    assert problems(tmp_path, "churn", version) == []


@pytest.mark.parametrize("version", ["latest", "0", "1.20", "-1", "'3 '", "v3", "arn:aws:x"])
def test_anything_else(tmp_path: Path, version: str) -> None:
    ((code, line, message),) = problems(tmp_path, "churn", version)
    assert (code, line) == ("wrong-version", 12)
    assert "numbered from 1" in message


def test_a_model_that_is_brought_along(tmp_path: Path) -> None:
    ((code, _, message),) = problems(tmp_path, "brought", "3")
    assert code == "no-effect"
    assert "comes from its source" in message
