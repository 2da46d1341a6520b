"""Keeps what a step found in MLflow, by a process of its own: a run goes on where that is not there.

    python -m PACKAGE.tracking ASKED

`ASKED` is a JSON file of what `keep` was given. The client is MLflow's own, of the workload's packages; a
job in a cloud that has none brings it along for itself, beside what the workload imports.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import contract
from .metrics import log

CLIENT = "mlflow-skinny>=2.16,<4"
_INSTALL_SECONDS, _KEEP_SECONDS = 300, 900
_AT_ONCE = 100  # MLflow REST API, LogBatch: parameters of one request
_LONGEST = 500  # characters of a parameter that every server of MLflow takes
_SETTINGS = {
    # A local store: its newer kinds want the whole of MLflow, and a database.
    "MLFLOW_ALLOW_FILE_STORE": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "GIT_PYTHON_REFRESH": "quiet",
}


class _NotKept(Exception):
    """Why not, in a sentence."""


def keep(
    code: Path, work: Path, settings: Mapping[str, str], env: Mapping[str, str], **found: Any
) -> str:
    """Put into MLflow what a step has `found`; the MLflow run's id, empty where there is none.

    `found`: `run`, an id to go on with or empty; `params`, `metrics`; `folders` by their path in the run.
    `settings` say where and of what (`contract.TRACKING`), `env` is the workload's. Never raises.
    """
    uri = settings.get(contract.TRACKING)
    if not uri:
        return ""
    kept = work / "mlflow.id"
    asked = {
        **found,
        "uri": uri,
        "experiment": settings.get(contract.MODEL_NAME, ""),
        "name": settings.get(contract.RUN, ""),
        "folders": {path: str(folder) for path, folder in found["folders"].items()},
        "kept": str(kept),
    }
    file = work / "mlflow.json"
    try:
        if kept.exists():
            kept.unlink()
        file.write_text(json.dumps(asked), encoding="utf-8")
        paths = filter(None, [_client(settings, work), env.get("PYTHONPATH")])
        env = {**env, **_SETTINGS, "PYTHONPATH": os.pathsep.join(paths)}
        command = [sys.executable, "-m", f"{contract.PACKAGE}.tracking", str(file)]
        _run(command, _KEEP_SECONDS, cwd=code, env=env)
    except (OSError, _NotKept) as error:
        log(f"mlops-iac not kept in MLflow: {error}")
    return kept.read_text(encoding="utf-8") if kept.is_file() else ""


def _client(settings: Mapping[str, str], work: Path) -> str:
    """The folder that the client was installed to; empty where the workload has one."""
    plugin = settings.get(contract.TRACKING_PLUGIN, "")
    modules = ["mlflow", *re.findall(r"^[\w-]+", plugin.replace("-", "_"))]
    if all(importlib.util.find_spec(each) for each in modules):
        return ""
    if contract.ROOT_SETTING in settings:
        raise _NotKept(f"{sys.executable} has no mlflow: `pip install '{CLIENT}'`")
    folder = work / "client"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--target", str(folder), CLIENT]
    _run([*pip, *filter(None, [plugin])], _INSTALL_SECONDS)
    return str(folder)


def _run(command: list[str], seconds: float, **more: Any) -> None:
    """Run it. Raises _NotKept with the last line that it said, where it fails or takes too long."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=seconds, **more
        )
    except subprocess.TimeoutExpired:
        raise _NotKept(f"it takes longer than {seconds:g} seconds") from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"{contract.ENDED} {done.returncode}"]
        raise _NotKept(lines[-1])


def main(file: str) -> None:
    """Do what `file` asks. Raises what MLflow raises."""
    from mlflow.entities import Metric, Param
    from mlflow.tracking import MlflowClient, set_tracking_uri

    asked = json.loads(Path(file).read_text(encoding="utf-8"))
    # For the process: plugins know no client's own address.
    set_tracking_uri(asked["uri"])
    client = MlflowClient()
    run = asked["run"] or _begun(client, asked["experiment"], asked["name"])
    # What follows may fail: the next step goes on with this run nevertheless.
    Path(asked["kept"]).write_text(run, encoding="utf-8")
    at = int(time.time() * 1000)
    params = [Param(name, str(value)[:_LONGEST]) for name, value in asked["params"].items()]
    for start in range(0, len(params), _AT_ONCE):
        client.log_batch(run, params=params[start : start + _AT_ONCE])
    metrics = [Metric(name, value, at, 0) for name, value in asked["metrics"].items()]
    client.log_batch(run, metrics=metrics)
    for path, folder in asked["folders"].items():
        client.log_artifacts(run, folder, path)
    client.set_terminated(run)


def _begun(client: Any, experiment: str, name: str) -> str:
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(experiment)
    if found is None:
        try:
            identity = client.create_experiment(experiment)
        except MlflowException:  # by another trial, just now
            identity = client.get_experiment_by_name(experiment).experiment_id
    else:
        identity = found.experiment_id
    tags = {"mlflow.runName": name, "mlops_iac.run": name}
    return str(client.create_run(identity, tags=tags).info.run_id)


if __name__ == "__main__":
    main(sys.argv[1])
