"""A version takes over from another one on the emulated Azure, in runs that the service takes."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.cli.harness import ROOT, environment

pytestmark = pytest.mark.skipif(
    find_spec("pulumi_azure_native") is None, reason="needs mlops-iac[azure]"
)
STORY = Path(__file__).with_name("serving_story.py")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("serving")
    opened = {"PYTHONPATH": str(ROOT / "tests" / "azure" / "opened")}
    done = subprocess.run(
        [sys.executable, STORY, folder],
        env=environment() | opened,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_a_version_takes_over_when_it_is_there(told: dict[str, Any]) -> None:
    assert told["pending"]["steps"] == [["create", "OnlineEndpoint"]]
    assert told["1"]["steps"] == [["create", "OnlineDeployment"], ["update", "OnlineEndpoint"]]
    assert told["2"]["steps"] == [
        ["create", "OnlineDeployment"],
        ["update", "OnlineEndpoint"],
        ["delete", "OnlineDeployment"],
    ]
    (name,) = told["2"]["live"]["slots"]
    assert told["2"]["live"]["traffic"] == {name: 100}
    assert told["2"]["live"]["slots"][name]["model"] == "iris:2"
    assert told["left"] == []


def test_a_version_that_does_not_come_up_gets_no_calls(told: dict[str, Any]) -> None:
    (failure,) = told["3"]["failures"]
    assert "ResourceNotFound: model" in failure
    assert told["3"]["steps"] == []
    assert told["3"]["live"] == told["2"]["live"]


def test_what_managed_endpoints_do_not_do_is_refused_at_its_place(told: dict[str, Any]) -> None:
    at = "serving.api."
    for path, words in (
        ("variants.next.shadow_percent", "copies 50 % of the calls at most"),
        ("env.A", "endpoints take no secrets yet"),
        ("compute.instance", "'Standard_D2as_v5' is no machine of managed endpoints"),
        ("scaling.min", "does not scale to zero"),
        ("scaling.max", "50 instances at most"),
        ("scaling.target.concurrency", "at the same time"),
        ("rollout.strategy", "calls go to a new version at once"),
        ("rollout.percent", "no step is watched yet"),
        ("capture", "calls are not kept yet"),
        ("callers", "grant no one yet"),
    ):
        assert words in told["refused"][at + path], (path, told["refused"])
