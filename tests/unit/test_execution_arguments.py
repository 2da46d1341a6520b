"""References in a pipeline's definition, as an execution resolves them."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_iac.emulators.aws.executions.arguments import Unresolved, resolved, steps

KNOWN = {
    "Execution": {"PipelineExecutionId": "abc"},
    "Steps": {
        "Prepare": {
            "ProcessingOutputConfig": {
                "Outputs": [
                    {"OutputName": "a", "S3Output": {"S3Uri": "s3://a"}},
                    {"OutputName": "b.c", "S3Output": {"S3Uri": "s3://b"}},
                ]
            }
        },
        "Seal": {"OutputParameters": {"uri": "s3://sealed"}},
    },
}
OUTPUTS = "Steps.Prepare.ProcessingOutputConfig.Outputs"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Get": "Execution.PipelineExecutionId"}, "abc"),
        ({"Get": f"{OUTPUTS}['b.c'].S3Output.S3Uri"}, "s3://b"),
        ({"Get": f"{OUTPUTS}[0].S3Output.S3Uri"}, "s3://a"),
        ({"Get": "Steps.Seal.OutputParameters['uri']"}, "s3://sealed"),
        (
            {"Std:Join": {"On": "/", "Values": ["s3:/", {"Get": "Execution.PipelineExecutionId"}]}},
            "s3://abc",
        ),
        ([{"x": {"Get": "Execution.PipelineExecutionId"}, "y": 1}], [{"x": "abc", "y": 1}]),
    ],
)
def test_references_become_what_they_lead_to(value: Any, expected: Any) -> None:
    assert resolved(value, KNOWN) == expected


@pytest.mark.parametrize("path", ["Steps.Train.X", f"{OUTPUTS}['z'].S3Output", "Parameters.x"])
def test_a_reference_that_leads_nowhere_is_no_value(path: str) -> None:
    with pytest.raises(Unresolved):
        resolved({"Get": path}, KNOWN)


def test_steps_behind_conditions_are_steps() -> None:
    inner = {"Name": "Register", "Type": "RegisterModel"}
    fail = {"Name": "GateFailed", "Type": "Fail"}
    gate = {
        "Name": "Gate",
        "Type": "Condition",
        "Arguments": {"IfSteps": [inner], "ElseSteps": [fail]},
    }
    assert list(steps({"Steps": [gate]})) == [gate, inner, fail]
