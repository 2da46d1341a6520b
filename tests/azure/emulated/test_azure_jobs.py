"""The commands of a printed pipeline, run as jobs: inputs and outputs where the service says, and a real step."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.clouds.azure.ml.blocks.training import packed
from mlops_iac.clouds.azure.ml.definition.printer import AzureMlSettings, definition
from mlops_iac.clouds.azure.runtime import versions
from mlops_iac.emulators.azure.arm import ArmError
from mlops_iac.emulators.azure.store import ArmStore
from mlops_iac.pipeline.lifecycle import lifecycle
from tests.unit.test_run_and_definition import resolve

WORKLOAD = {
    "prepare.py": """
import pathlib, shutil
shutil.copytree(f"{given['data']}/customers", f"{given['out']}/all")
""",
    "train.py": """
import json, pathlib
pathlib.Path(given["model"], "weights").write_text(json.dumps(given))
assert pathlib.Path(given["data"], "all", "rows.csv").is_file()
pathlib.Path(given["metrics"]).write_text('{"accuracy": 0.9}')
""",
    "evaluate.py": """
import json, pathlib
known = json.loads(pathlib.Path(given["model"], "weights").read_text())
value = float(known["c"])
pathlib.Path(given["metrics"]).write_text(json.dumps({"accuracy": value, "loss": 0.1}))
""",
}
READS = "import sys\ngiven = dict(zip((x[2:] for x in sys.argv[1::2]), sys.argv[2::2]))\n"
CHANGE = """
datasets: [customers]
prepare: {script: prepare.py}
train: {hyperparameters: {folds: 5, fast: true, note: "a 'b' $c"}, env: {B: "x y"}}
evaluate: {gates: {loss: null, accuracy: {at_least: null, no_worse_than: current}}}
tune:
  strategy: random
  metric: accuracy
  trials: 2
  search:
    depth: {integer: [1, 9]}
    c: {continuous: [0.1, 10], scale: logarithmic}
    kind: {values: [a b, c]}
"""
WORKSPACE = (
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/work"
)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of what the jobs before the registration have left, each by its node's name."""
    folder = tmp_path_factory.mktemp("jobs")
    header = "platform: sagemaker\nregion: eu-west-1\n"
    resolved = resolve(folder, header, CHANGE)
    workload = folder / "workload"
    for name, text in WORKLOAD.items():
        (workload / name).write_text(READS + text)
    job = folder / "job"
    job.mkdir()
    with tarfile.open(job / "sourcedir.tar.gz", "w:gz") as archive:
        for name in WORKLOAD:
            archive.add(workload / name, name)
        for name, content in packed().items():
            path = folder / "packed" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            archive.add(path, name)
    (folder / "data").mkdir()
    (folder / "data" / "rows.csv").write_text("at,age,id\n2999-01-01,7,1\n")
    (folder / "current").mkdir()
    printed = json.loads(definition(lifecycle(resolved, "churn"), AzureMlSettings()))
    for node in ("prepare", "tune", "evaluate"):
        if node == "evaluate":
            _current(folder)
        _run(folder, printed, node)
    return folder


def _current(folder: Path) -> None:
    """The model in service is the one that was just made."""
    archive = folder / "tune" / "trained" / "model.tar.gz"
    (folder / "current" / "current").mkdir()
    (folder / "current" / "current" / "model.tar.gz").write_bytes(archive.read_bytes())
    (folder / "current" / "current" / "version").write_text("churn/3")


def _run(folder: Path, printed: Any, node: str) -> None:
    """As a node of a cluster: the command's inputs and outputs are folders of its own."""
    search = {"depth": "3.0", "c": "0.5", "kind": "a b"}
    command = printed["components"][node]["command"]

    def place(found: re.Match[str]) -> str:
        side, name = found[1], found[2]
        if name.startswith("set_"):
            return search[name.removeprefix("set_")]
        if name == "data_customers":
            return str(folder / "data")
        if side == "outputs":
            return str(folder / node / name)
        source = printed["pipeline"]["jobs"][node]["inputs"][name]["value"]
        above, output = re.findall(r"jobs\.(\w+)\.outputs\.(\w+)", source)[0]
        return str(folder / above / output)

    root = folder / f"{node}-root"
    command = re.sub(r"\$\{\{(\w+)\.(\w+)\}\}", place, command).replace("/opt/ml", str(root))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = {"PATH": path, "MLOPS_IAC_ROOT": str(root)}
    found = subprocess.run(
        ["bash", "-c", command], cwd=folder / "job", env=env, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stdout + found.stderr


def test_a_job_is_given_what_the_blueprint_says_and_leaves_what_the_next_one_reads(
    ran: Path,
) -> None:
    with tarfile.open(ran / "tune" / "trained" / "model.tar.gz") as archive:
        weights = archive.extractfile("./weights")
        assert weights is not None
        given = json.load(weights)
        assert "./code/train.py" in archive.getnames()
    assert given["note"] == "a 'b' $c"
    assert (given["depth"], given["kind"], given["folds"], given["fast"]) == ("3", "a b", "5", "true")  # fmt: skip
    assert float(given["c"]) == pytest.approx(1.6487, abs=1e-4)  # e ** 0.5
    report = json.loads((ran / "evaluate" / "report" / "report.json").read_text())
    assert report["metrics"]["accuracy"] == pytest.approx(1.6487, abs=1e-4)
    assert report["current"]["version"] == "churn/3"


class Azure:
    """The emulated workspace, as jobs reach it."""

    def __init__(self) -> None:
        self.store = ArmStore()
        group = "/subscriptions/s/resourceGroups/g"
        self._put(group, {"location": "westeurope"}, "2024-03-01")
        self._put(WORKSPACE, {"location": "westeurope", "properties": {}})
        self._put(f"{WORKSPACE}/models/churn", {"properties": {}})

    def _put(self, path: str, body: Any, version: str = "2025-12-01") -> None:
        answer = self.store.request("PUT", path, {"api-version": version}, body)
        assert answer.status in (200, 201), answer.body

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.store.request(method, path, {"api-version": "2025-12-01"}, body)
        if answer.status >= 400:
            raise ArmError(answer.status, "", str(answer.body))
        return answer.body


def given(report: Path, uri: str, **other: Any) -> Namespace:
    known = {"workspace": WORKSPACE, "model": "churn", "examples": None, "gate": []}
    return Namespace(**known, report=str(report), uri=uri, approval="pending", **other)


def test_what_was_measured_is_registered_once_and_waits_for_approval(
    ran: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    azure, report = Azure(), ran / "evaluate" / "report"
    for uri in ("azureml://a/paths/1/", "azureml://a/paths/2/", "azureml://a/paths/2/"):
        assert versions.register(azure, given(report, uri)) == 0
    found = azure("GET", f"{WORKSPACE}/models/churn/versions")["value"]
    assert {each["name"]: each["properties"]["modelUri"][-2:] for each in found} == {
        "1": "1/",
        "2": "2/",
    }
    tags = found[0]["properties"]["tags"]
    assert tags["approval"] == "pending"
    assert float(tags["metric.accuracy"]) == pytest.approx(1.6487, abs=1e-4)
    # None is approved, so none is in service; what is pinned and is not there is told.
    asked = Namespace(workspace=WORKSPACE, model="churn", version="newest", blobs="", out=str(tmp_path))  # fmt: skip
    asked.otherwise = str(ran / "tune" / "trained")
    versions.current(azure, asked)
    assert (tmp_path / "version").read_text() == "none"
    asked.version = "7"
    with pytest.raises(ValueError, match="churn has no version 7, which is pinned"):
        versions.current(azure, asked)


def test_what_misses_a_gate_is_not_registered(
    ran: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(ran / "packed")
    azure = Azure()
    asked = given(ran / "evaluate" / "report", "azureml://a/paths/1/")
    asked.gate = ['{"metric":"accuracy","bound":"at_least","value":2}']
    assert versions.register(azure, asked) == 1
    assert "accuracy is 1.64872, must be at least 2" in capsys.readouterr().out
    assert azure("GET", f"{WORKSPACE}/models/churn/versions")["value"] == []
