"""MLflow's own client: what it asks of a server is what jobs may ask, and a run goes on without one."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.clouds.aws.components._context import Context
from mlops_iac.clouds.aws.components._identity_statements import Grants
from mlops_iac.clouds.aws.sagemaker.definition.parts import SageMakerSettings, tracked
from mlops_iac.runtime import contract, tracking
from mlops_iac.runtime.files import runtime_files

ARN = "arn:aws:sagemaker:eu-west-1:123456789012:mlflow-tracking-server/churn-dev-tracking"
SETTINGS = SageMakerSettings({}, {}, tracks=True)
# MLflow REST API → what SageMaker's server calls it: AWS service authorization reference, Amazon
# SageMaker with MLflow.
ACTIONS = {
    "experiments/get-by-name": "GetExperimentByName",
    "experiments/create": "CreateExperiment",
    "runs/create": "CreateRun",
    "runs/log-batch": "LogBatch",
    "runs/get": "GetRun",
    "runs/update": "UpdateRun",
}


class Server(ThreadingHTTPServer):
    """Answers as MLflow's REST API does, keeping one run, and what was asked."""

    def __init__(self, artifacts: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.headers: list[dict[str, str]] = []
        self.run = {
            "info": {
                "run_id": "r1",
                "run_uuid": "r1",
                "experiment_id": "1",
                "status": "RUNNING",
                "artifact_uri": artifacts.as_uri(),
                "lifecycle_stage": "active",
            },
            "data": {},
        }

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answers(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.endswith("experiments/get-by-name"):
            return self._answer(path, {"error_code": "RESOURCE_DOES_NOT_EXIST"}, 404)
        return self._answer(path, {"run": self.server.run})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        path = self.path
        found = {"runs/create": {"run": self.server.run}, "experiments/create": {"experiment_id": "1"},
                 "runs/update": {"run_info": self.server.run["info"]}}  # fmt: skip
        answer = next((each for name, each in found.items() if path.endswith(name)), {})
        self._answer(path, answer, 200, body)

    def _answer(
        self, path: str, found: object, status: int = 200, body: dict[str, Any] | None = None
    ) -> None:
        self.server.asked.append((path.partition("/mlflow/")[2] or path, body or {}))
        content = json.dumps(found).encode()
        self.server.headers.append(dict(self.headers))
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    found = Server(tmp_path / "artifacts")
    threading.Thread(target=found.serve_forever, daemon=True).start()
    yield found
    found.shutdown()
    found.server_close()


def keep(tmp_path: Path, uri: str, run: str = "", **found: Any) -> str:
    code = tmp_path / "code"
    for name, content in runtime_files().items():
        (code / name).parent.mkdir(parents=True, exist_ok=True)
        (code / name).write_bytes(content)
    settings = {
        contract.TRACKING: uri,
        contract.TRACKING_PLUGIN: str(tracked(SETTINGS)[contract.TRACKING_PLUGIN]),
        contract.MODEL_NAME: "churn",
        contract.RUN: "20260101",
        contract.ROOT_SETTING: str(tmp_path),
    }
    return tracking.keep(code, tmp_path, settings, dict(os.environ), run=run, **found)


def test_the_client_asks_for_no_more_than_jobs_may(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT", server.uri)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.bin").write_text("it")
    params = {f"p{number}": "x" * 600 for number in range(101)}
    kept = keep(
        tmp_path, ARN,
        params=params, metrics={"train/accuracy": 0.8}, folders={"model": tmp_path / "model"},
    )  # fmt: skip
    assert kept == "r1"
    assert keep(tmp_path, ARN, kept, params={}, metrics={"f1": 0.7}, folders={}) == "r1"
    asked = [name for name, _ in server.asked]
    assert asked.count("runs/create") == 1
    granted = Grants(Context(None), None).track("arn:server").actions  # type: ignore[arg-type]
    assert {f"sagemaker-mlflow:{ACTIONS[each]}" for each in asked} <= set(granted)
    # Signed for SageMaker's service, and sent on to this stack's server.
    assert {each["x-mlflow-sm-tracking-server-arn"] for each in server.headers} == {ARN}
    assert all("/eu-west-1/sagemaker-mlflow/" in each["Authorization"] for each in server.headers)
    bodies = [body for name, body in server.asked if name == "runs/log-batch"]
    sent = [param for body in bodies for param in body.get("params", ())]
    assert {each["key"] for each in sent} == set(params)
    metrics = [(each["key"], each["value"]) for body in bodies for each in body.get("metrics", ())]
    assert metrics == [("train/accuracy", 0.8), ("f1", 0.7)]
    assert (tmp_path / "artifacts" / "model" / "model.bin").read_text() == "it"


def test_a_server_that_is_not_there_is_said_and_no_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert keep(tmp_path, "http://127.0.0.1:9", params={}, metrics={"f1": 0.7}, folders={}) == ""
    assert "mlops-iac not kept in MLflow: " in capsys.readouterr().out
