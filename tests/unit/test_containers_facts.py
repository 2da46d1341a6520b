"""What is known of the prebuilt containers, and what cannot serve is refused by it."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from mlops_iac.clouds.aws import catalogue, containers
from mlops_iac.clouds.registry import platform
from mlops_iac.runtime.files import runtime_files
from tests.oracles import packages_env
from tests.sagemaker_blueprints import MINIMAL, loaded

SAGEMAKER = platform("sagemaker")
FRAMEWORKS = tuple(catalogue._facts()["frameworks"])
OLD = [found for name in ("3.8", "3.9", "3.10") if (found := shutil.which(f"python{name}"))]


def test_every_framework_with_images_is_known() -> None:
    assert set(containers.facts()["frameworks"]) == set(FRAMEWORKS)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_images_from_the_oldest_on_have_a_python_that_runs_the_steps(framework: str) -> None:
    oldest = containers.oldest(framework)
    versions = catalogue.framework_versions(framework, "training")
    assert oldest in versions
    for version in versions:
        image = catalogue.framework_image(framework, version, "training", "eu-west-1")
        python = re.search(r"-py(\d)(\d+)$", image.tag)  # of some tags it says no more than py3
        if python and not catalogue.is_older(version, oldest):
            assert (int(python[1]), int(python[2])) >= (3, 8), version


@pytest.mark.parametrize(("framework", "version"), [("scikit-learn", "1.9"), ("xgboost", "3.2")])
def test_a_published_list_is_of_the_image_and_can_install_a_folder(
    framework: str, version: str
) -> None:
    """Without isolation the image's own setuptools builds it, from 70.1 on without wheel."""
    packages = containers.packages(framework, version)
    assert packages is not None
    assert packages[framework].startswith(version)
    assert int(packages["setuptools"].split(".")[0]) > 70
    assert containers.packages(framework, "1.0" if framework == "scikit-learn" else "1.7") is None


@pytest.mark.parametrize(
    "name", ["flask", "gunicorn", "pip", "sagemaker-containers", "sagemaker-training", "setuptools"]
)
def test_what_is_tried_is_what_the_newest_image_has(name: str) -> None:
    tried = dict(
        line.split("==") for line in packages_env.packages("containers").read_text().split()
    )
    packages = containers.packages("scikit-learn", "1.9")
    assert packages is not None
    assert tried[name] == packages[name]


@pytest.mark.parametrize("name", runtime_files())
def test_what_is_packed_is_written_for_the_oldest_python(name: str) -> None:
    version = tuple(int(part) for part in containers.PYTHON.split("."))
    tree = ast.parse(runtime_files()[name], feature_version=version)
    # What is evaluated when a module is imported, and was no subscript or no name then.
    assert "UTC" not in {each.name for each in ast.walk(tree) if isinstance(each, ast.alias)}
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Subscript):
            raise AssertionError(f"{name}, line {statement.lineno}: an alias of a generic type")


@pytest.mark.parametrize("python", OLD)
def test_what_is_packed_is_imported_by_an_old_python(tmp_path: Path, python: str) -> None:
    if subprocess.run([python, "--version"], capture_output=True, check=False).returncode:
        pytest.skip(f"{python} does not start")
    for name, content in runtime_files().items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    run = [python, "-S", "-c", "import mlops_step, inference"]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


SERVES = "def load(folder): ...\ndef predict(model, rows): ...\n"
PREDICT = {
    SERVES: "",
    "from scoring import load, predict": "",
    "from scoring import *": "",
    "import scoring\nload = scoring.load\npredict: object = print": "",
    "load, predict = print, '\\d'": "",
    "try:\n    from fast import load, predict\nexcept ImportError:\n    pass": "",
    "def load(folder): ...": "predict.py has no predict",
    "def model_fn(folder): ...": "predict.py has no load and no predict",
    "def load(folder:": "predict.py, line 1: ",
    "(" * 5000 + ")" * 5000: "predict.py",
    "\0": "predict.py",
    "missing": "there is no predict.py in it",
}


@pytest.mark.parametrize("text", PREDICT)
def test_code_that_cannot_serve_is_told_where_the_code_is_named(tmp_path: Path, text: str) -> None:
    blueprint = loaded(tmp_path)
    script = tmp_path / "workload" / "predict.py"
    script.write_text(text)
    if text == "missing":
        script.unlink()
    found = SAGEMAKER.check(blueprint.resolve("local"))
    if not PREDICT[text]:
        assert found == []
        return
    (item,) = found
    assert (item.code, item.path, item.severity) == ("cannot-serve", "models.churn.code", "error")
    assert PREDICT[text] in item.message
    assert item.line > 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("serving: {api: {mode: real-time}}\n", ""),  # nobody asks it
        ("{framework: scikit-learn, version: 1.9}", "{image: 111122223333.dkr.ecr.eu-west-1.amazonaws.com/a:1}"),
    ],
)  # fmt: skip
def test_code_that_no_prebuilt_container_serves_needs_no_predict(
    tmp_path: Path, old: str, new: str
) -> None:
    blueprint = loaded(tmp_path, MINIMAL.replace(old, new))
    (tmp_path / "workload" / "predict.py").unlink()
    assert SAGEMAKER.check(blueprint.resolve("local")) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            "runtime: {framework: scikit-learn, version: 1.9}\n    train: {script: train.py}",
            (
                "runtime: {image: 111122223333.dkr.ecr.eu-west-1.amazonaws.com/a:1}\n"
                "    train: {script: train.py, runtime: {framework: tensorflow, version: 2.19}}"
            ),
        ),
        (
            (
                "code: workload/\n    runtime: {framework: scikit-learn, version: 1.9}\n"
                "    train: {script: train.py}"
            ),
            (
                "source: s3://acme-models/saved-model/\n"
                "    runtime: {framework: tensorflow, version: 2.19}"
            ),
        ),
    ],
)
def test_tensorflow_trains_and_serves_what_is_its_own(tmp_path: Path, old: str, new: str) -> None:
    """What its refusal advises, and a SavedModel that somebody brings along."""
    blueprint = loaded(tmp_path, MINIMAL.replace(old, new))
    assert [
        item.message
        for item in SAGEMAKER.check(blueprint.resolve("local"))
        if item.severity == "error"
    ] == []
