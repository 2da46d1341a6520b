"""`preview --json` has the keys of `pulumi preview --json`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.engine.preview_json import to_pulumi_json
from mlops_iac.engine.protocol import Plan, PropertyChange, Step
from mlops_iac.values import UNKNOWN, Secret

ORACLES = Path(os.environ.get("MLOPS_IAC_ORACLES", Path(__file__).parents[2] / "../shared/oracles"))
SAMPLE = ORACLES / "../fixtures/pulumi-preview.json"
URN = "urn:pulumi:dev::probe::aws:s3/bucket:Bucket::b"
STEPS = [
    Step(
        op="update",
        urn=URN,
        type="aws:s3/bucket:Bucket",
        name="b",
        old_inputs={"tags": {"a": "b"}, "s": Secret("hush")},
        new_inputs={"tags": {"a": "c"}, "s": Secret("loud"), "env": {"API_TOKEN": "t0k"}},
        old_outputs={"arn": "x", "s": Secret("hush")},
        id="b-1",
        provider="p",
        protect=True,
        changes=(PropertyChange("tags.a", "update", "b", "c", True),),
        replace_keys=("tags",),
    ),
    Step(op="create", urn=URN + "2", type="t:m:T", name="c", new_inputs={"u": UNKNOWN}),
    Step(op="delete", urn=URN + "3", type="t:m:T", name="d", old_inputs={"a": 1}),
]


def document() -> dict[str, Any]:
    plan = Plan("dev", "probe", "embedded", "state", STEPS, {}, ("warning: hm", "aha"), 0.5)
    return json.loads(json.dumps(to_pulumi_json(plan, {"p:api_password": "pw", "p:n": 1})))


def test_the_document() -> None:
    data = document()
    assert list(data) == ["config", "steps", "diagnostics", "duration", "changeSummary"]
    assert data["duration"] == 500_000_000
    assert data["changeSummary"] == {"create": 1, "delete": 1, "update": 1}
    assert data["diagnostics"] == [
        {"message": "hm", "severity": "warning"},
        {"message": "aha", "severity": "info"},
    ]
    update, create, delete = data["steps"]
    assert update["diffReasons"] == ["tags"]
    assert update["replaceReasons"] == ["tags"]
    assert update["detailedDiff"] == {"tags.a": {"kind": "update-replace", "inputDiff": True}}
    assert update["newState"]["inputs"]["tags"] == {"a": "c"}
    assert "oldState" not in create
    assert create["newState"]["inputs"] == {"u": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}
    assert "newState" not in delete


def test_nothing_secret_is_in_it() -> None:
    text = json.dumps(document())
    for secret in ("hush", "loud", "t0k", "pw"):
        assert secret not in text.replace("api_password", "")
    assert (text.count("[secret]"), text.count("[looks secret]")) == (3, 2)


@pytest.mark.skipif(not SAMPLE.is_file(), reason=f"the sample is not there: {SAMPLE}")
def test_the_keys_are_those_of_the_sample() -> None:
    theirs = json.loads(SAMPLE.read_text())
    ours = document()
    assert set(ours) - {"config"} == set(theirs)
    known = {key for step in theirs["steps"] for key in step} | {"replaceReasons"}
    assert {key for step in ours["steps"] for key in step} <= known
    states = [s[k] for s in theirs["steps"] for k in ("oldState", "newState") if k in s]
    known = {key for state in states for key in state} | {"dependencies"}
    ours_states = [s[k] for s in ours["steps"] for k in ("oldState", "newState") if k in s]
    assert {key for state in ours_states for key in state} <= known
