"""Deployments of an endpoint by the API, with what is not planned yet let through; prints what happened.

    python serving_story.py FOLDER

A process of its own: `tests/azure/opened` on its path opens Azure ML.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlops_iac
from mlops_iac.api.deploy.deployments import Deployment
from mlops_iac.clouds.azure.ml import decisions
from mlops_iac.engine.protocol import StackTarget

LET_THROUGH = ("datasets", "models", "serving")
BLUEPRINT = """\
blueprint: 1
name: flowers
owner: botany@example.org
platform: azure-ml
region: westeurope
alerts: {oncall: {email: oncall@example.org}}
datasets: {measured: {source: data.csv, format: csv}}
models:
  iris:
    code: workload/
    runtime: {framework: scikit-learn, version: 1.9}
    datasets: [measured]
    metrics: {accuracy: maximize}
    train: {script: train.py}
serving:
  api:
    mode: real-time
    model: iris
    env: {A: b}
    scaling: {min: 1, max: 3, target: {cpu_percent: 60}}
    monitor: {limits: {latency_p99_ms: {at_most: 200}, error_rate_percent: {at_most: 1}}}
"""
REFUSED = """\
    variants:
      main: {model: iris, traffic_percent: 100}
      next: {model: iris, shadow_percent: 60}
    env: {A: {secret: token}}
    compute: {instance: Standard_D2as_v5}
    scaling: {min: 0, max: 60, target: {concurrency: 5}}
    rollout: {strategy: canary, percent: 10, wait_minutes: 5}
    capture: {percent: 10}
    callers: [somebody]
"""
version = ""


def main(folder: Path) -> None:
    """Deploy a first version, a second one, one that there is not; delete it all."""
    decisions._REFUSED = tuple(r for r in decisions._REFUSED if r.pattern not in LET_THROUGH)
    decisions._PLANNED = (*decisions._PLANNED, "models.**", "datasets.**")
    Deployment._with_versions = _chosen  # type: ignore[method-assign]
    (folder / "workload").mkdir()
    (folder / "workload" / "train.py").touch()
    (folder / "data.csv").write_text("a\n1\n")
    print(json.dumps(told(folder)))


def told(folder: Path) -> dict[str, Any]:
    path = folder / "blueprint.yaml"
    start = BLUEPRINT.partition("    model: iris")[0]
    path.write_text(start.replace("name: flowers", "name: flowers\nsecrets: {token: {}}") + REFUSED)
    problems = mlops_iac.load(path).platform_problems("local")
    found: dict[str, Any] = {"refused": {each.path: each.message for each in problems}}
    path.write_text(BLUEPRINT)
    project = mlops_iac.load(path)
    try:
        found["pending"] = up(project, "")
        with project.deployment("local") as deployment:
            workspace = deployment.outputs()["workspace_id"]
        session = project.emulated_cloud.session("local")
        for number in (1, 2):
            versions = f"{workspace}/models/iris/versions"
            body = {"properties": {"modelUri": "azureml://x"}}
            session.arm.call("PUT", f"{versions}/{number}", "2025-12-01", body)
        for number in ("1", "2", "3"):
            found[number] = up(project, number)
        with project.deployment("local") as deployment:
            found["left"] = list(deployment.destroy().failures)
    finally:
        project.emulated_cloud.stop()
    return found


def up(project: Any, number: str) -> dict[str, Any]:
    global version
    version = number
    with project.deployment("local") as deployment:
        result = deployment.up()
        return {
            "steps": [
                (step.op, step.type.rpartition(":")[2])
                for step in result.steps
                if ":Online" in step.type and step.op != "same"
            ],
            "failures": list(result.failures.values()),
            "live": json.loads(str(deployment.outputs()["api_live"])),
        }


def _chosen(_: Deployment, bare: StackTarget) -> StackTarget:
    """The version of this turn, which nobody approved."""
    said = {"flowers:models.iris.version": version} if version else {}
    return replace(bare, config={**bare.config, **said})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
