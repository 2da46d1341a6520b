"""Seeded defects that the official schema accepts, and the graph that holds."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.oracles.pipeline_graph import problems

GOOD: dict[str, Any] = {
    "Version": "2020-12-01",
    "Parameters": [{"Name": "Days", "Type": "Integer"}],
    "Steps": [
        {
            "Name": "Evaluate",
            "Type": "Processing",
            "PropertyFiles": [
                {"PropertyFileName": "Report", "OutputName": "report", "FilePath": "r"}
            ],
            "Arguments": {
                "In": {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"},
                "ProcessingOutputConfig": {"Outputs": [{"OutputName": "report"}]},
            },
        },
        {
            "Name": "Train",
            "Type": "Training",
            "Arguments": {"Id": {"Get": "Execution.PipelineExecutionId"}},
        },
        {
            "Name": "Gate",
            "Type": "Condition",
            "Arguments": {
                "Conditions": [{"Left": {"Get": "Steps.Evaluate.PropertyFiles.Report"}}],
                "IfSteps": [
                    {
                        "Name": "Register",
                        "Type": "RegisterModel",
                        "Arguments": {
                            "Days": {"Get": "Parameters.Days"},
                            "Uri": {
                                "Get": "Steps.Evaluate.ProcessingOutputConfig.Outputs['report'].S3Output.S3Uri"
                            },
                        },
                    }
                ],
                "ElseSteps": [{"Name": "Fail", "Type": "Fail", "Arguments": {}}],
            },
        },
    ],
}


def broken(change: Any) -> dict[str, Any]:
    found = copy.deepcopy(GOOD)
    change(found["Steps"])
    return found


def test_a_graph_that_holds_has_no_problems() -> None:
    assert problems(GOOD) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda s: s[1].update(DependsOn=["Nowhere"]), "Train depends on Nowhere, which does not exist"),
        (lambda s: s[1].update(Name="Evaluate"), "two steps are called Evaluate"),
        (
            lambda s: s[2]["Arguments"]["IfSteps"][0].update(Name="Train"),
            "two steps are called Train",
        ),
        (lambda s: s[1].update(DependsOn=["Evaluate"]), "steps wait for each other: Evaluate → Train → Evaluate"),
        (lambda s: s[1].update(DependsOn=["Train"]), "steps wait for each other: Train → Train"),
        (lambda s: s.pop(1), "Evaluate reads Steps.Train.ModelArtifacts.S3ModelArtifacts: there is no step Train"),
        (lambda s: s[1].update(Type="Tuning"), "a Tuning step has no ModelArtifacts"),
        (lambda s: s[0].update(PropertyFiles=[]), "Evaluate has no property file Report"),
        (
            lambda s: s[0]["Arguments"]["ProcessingOutputConfig"].update(Outputs=[]),
            "Evaluate has no output report",
        ),
        (lambda s: s[1]["Arguments"].update(Id={"Get": "Execution.Nothing"}), "no such execution variable"),
        (lambda s: s[1]["Arguments"].update(Id={"Get": "Parameters.Hours"}), "no such parameter"),
        (lambda s: s[1]["Arguments"].update(Id={"Get": "Elsewhere"}), "neither Steps, Parameters nor Execution"),
    ],
)  # fmt: skip
def test_a_defect_is_named(change: Any, sentence: str) -> None:
    definition = broken(change)
    assert any(sentence in problem for problem in problems(definition)), problems(definition)
