"""The terminal's plan shows no secret, whatever tells that it is one."""

from __future__ import annotations

import pytest

from mlops_iac.cli._plan import step_lines
from mlops_iac.graph.plan import PropertyChange, Step

SECRET = "hunter2-hunter2"


def plain(text: str, **_: object) -> str:
    return text


@pytest.mark.parametrize(
    ("path", "inputs"),
    [
        ("environment.DB_PASSWORD", {"environment": {"DB_PASSWORD": SECRET}}),
        (
            "containers[0].environment[0].value",
            {"containers": [{"environment": [{"name": "API_TOKEN", "value": SECRET}]}]},
        ),
        ("secrets.API_TOKEN.text", {"secrets": {"API_TOKEN": {"text": SECRET}}}),
    ],
)
def test_a_secret_that_its_name_tells_is_not_shown(path: str, inputs: dict) -> None:
    change = PropertyChange(path, "update", "old-" + SECRET, SECRET, False, "")
    step = Step(
        op="update",
        urn="urn:pulumi:prod::p::aws:ecs/taskDefinition:TaskDefinition::t",
        type="aws:ecs/taskDefinition:TaskDefinition",
        name="t",
        old_inputs=inputs,
        new_inputs=inputs,
        changes=(change,),
    )
    shown = "\n".join(step_lines(step, plain, detail=True))
    assert path.split(".")[0] in shown
    assert SECRET not in shown
