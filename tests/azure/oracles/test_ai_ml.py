"""What is printed of a lifecycle is what Microsoft's own client reads, and would send again.

The client is in `.venv-azure` beside the checkout (`tools/azure_facts/clients.txt`), or in the environment whose
Python MLOPS_IAC_AI_ML names; tests say so where it is absent.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.clouds.azure.ml.definition.printer import AzureMlSettings, definition
from mlops_iac.pipeline.lifecycle import lifecycle
from tests.unit.test_run_and_definition import VARIANTS, resolve

ROOT = Path(__file__).resolve().parents[3]
PYTHON = Path(os.environ.get("MLOPS_IAC_AI_ML") or ROOT / ".venv-azure/bin/python")
WORKSPACE = (
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
)
SHOWN = ("whole", "no worse than current", "a grid", "a sample", "checkpoints", "train alone")


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    return [_printed(tmp_path_factory.mktemp("one"), VARIANTS[each]) for each in SHOWN]


def _printed(folder: Path, change: str) -> dict[str, Any]:
    resolved = resolve(folder, "platform: sagemaker\nregion: eu-west-1\n", change)
    text = definition(lifecycle(resolved, "churn"), AzureMlSettings({"stack": "${stack}"}))
    found: dict[str, Any] = json.loads(re.sub(r"\$\{([a-z][a-z0-9_]*)\}", _value, text))
    return found


def _value(found: re.Match[str]) -> str:
    name = found[1]
    kinds = {
        "code": "codes/c/versions/1",
        "environment": "environments/e/versions/1",
        "cluster": "computes/train",
        "component": f"components/{name}/versions/1",
        "pipeline": "components/p/versions/1",
    }
    if name == "workspace_id":
        return WORKSPACE
    if name.startswith("dataset"):
        return f"azureml://datastores/d/paths/{name}/"
    kind = kinds.get(name.partition("_")[0])
    return f"{WORKSPACE}/{kind}" if kind else name


def _ask(definitions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if not PYTHON.exists():
        pytest.skip(f"there is no azure-ai-ml: {PYTHON}")
    answer = subprocess.run(
        [PYTHON, Path(__file__).with_name("ai_ml.py")],
        input=json.dumps(definitions),
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    found: list[dict[str, Any]] = json.loads(answer.stdout)
    return found


def _plain(value: Any, key: str = "") -> Any:
    """Without what says the same in other words, and whence the client has it."""
    if isinstance(value, dict):
        return {k: _plain(v, k) for k, v in value.items() if k not in ("_source", "sourceJobId")}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if key == "computeId":
        return value.rpartition("/")[2]
    if key == "timeout" and isinstance(value, str):
        units = {"D": 24 * 60, "H": 60, "M": 1}
        return sum(int(n) * units[unit] for n, unit in re.findall(r"(\d+)([DHM])", value))
    return value


# Of "a sample": what the client must not take.
DEFECTS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "no such strategy": lambda it: it["pipeline"]["jobs"]["tune"].update(sampling_algorithm="hyperband"),
    "no such distribution": lambda it: it["pipeline"]["jobs"]["tune"]["search_space"].update(
        set_depth={"type": "between"}
    ),
    "an input that is not there": lambda it: it["components"]["evaluate"]["inputs"].pop("model"),
    "a name with capitals": lambda it: it["components"]["evaluate"].update(name="Churn-Evaluate"),
    "no command": lambda it: it["components"]["evaluate"].pop("command"),
    "another kind of input": lambda it: it["job"]["inputs"]["data_shops"].update(jobInputType="x"),
}  # fmt: skip


def test_the_client_reads_what_is_printed_and_sends_it_again(printed: list[dict[str, Any]]) -> None:
    wrong = []
    for change in DEFECTS.values():
        wrong.append(json.loads(json.dumps(printed[SHOWN.index("a sample")])))
        change(wrong[-1])
    answers = _ask([*printed, *wrong])
    for ours, told in zip(printed, answers, strict=False):
        assert told["problems"] == []
        assert _plain(told["job"]["jobs"]) == _plain(ours["pipeline"]["jobs"])
        for name, spec in {**ours["components"], "pipeline": ours["pipeline"]}.items():
            sent = _plain(told["components"][name])
            assert {key: sent[key] for key in spec} == _plain(spec)
        for key in ("inputs", "identity", "jobType", "experimentName", "tags"):
            assert told["job"][key] == ours["job"][key]
    refused = dict(zip(DEFECTS, answers[len(printed) :], strict=True))
    assert [what for what, told in refused.items() if not told["problems"]] == []
