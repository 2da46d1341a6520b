"""What the official pipeline schema accepts and the service refuses: a graph that does not hold.

Source: the schema accepts dangling DependsOn and duplicate names (tried); CreatePipeline and
StartPipelineExecution refuse them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_STEP = re.compile(r"^Steps\.([A-Za-z0-9_-]+)\.(.+)$")
_PARAMETER = re.compile(r"^Parameters\.(.+)$")
_EXECUTION = frozenset(
    {"StartDateTime", "CurrentDateTime", "PipelineName", "PipelineArn"}
    | {"PipelineExecutionId", "PipelineExecutionArn", "TrainingJobName", "ProcessingJobName"}
)
# What each kind of step offers to others, by first part; Describe…Response of its job.
_OFFERS: Mapping[str, frozenset[str]] = {
    "Processing": frozenset(
        {"ProcessingJobName", "ProcessingJobArn", "ProcessingInputs", "ProcessingOutputConfig"}
        | {"ProcessingJobStatus", "ExitMessage"}
    ),
    "Training": frozenset(
        {"TrainingJobName", "TrainingJobArn", "ModelArtifacts", "OutputDataConfig"}
        | {"FinalMetricDataList", "CheckpointConfig", "TrainingJobStatus"}
    ),
    "Tuning": frozenset(
        {"BestTrainingJob", "OverallBestTrainingJob", "HyperParameterTuningJobName"}
        | {"HyperParameterTuningJobArn", "TrainingJobSummaries", "TrainingJobStatusCounters"}
    ),
    "Transform": frozenset({"TransformJobName", "TransformJobArn", "TransformOutput"}),
    "RegisterModel": frozenset({"ModelPackageArn", "ModelPackageGroupName", "ModelApprovalStatus"}),
    "Lambda": frozenset({"OutputParameters"}),
    "Condition": frozenset({"Outcome"}),
    "Fail": frozenset(),
}
Steps = list[Mapping[str, Any]]


def all_steps(definition: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], str | None]]:
    """Every step with the name of the condition that holds it, conditions before their branches."""
    return list(_walk(definition.get("Steps", []), None))


def _walk(steps: Steps, holder: str | None) -> Iterator[tuple[Mapping[str, Any], str | None]]:
    for step in steps:
        yield step, holder
        if step.get("Type") == "Condition":
            arguments = step.get("Arguments", {})
            yield from _walk(arguments.get("IfSteps", []), step["Name"])
            yield from _walk(arguments.get("ElseSteps", []), step["Name"])


def references(value: Any) -> Iterator[str]:
    """Every `Get` in a step, without those of the steps a condition holds."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key == "Get" and isinstance(item, str):
                yield item
            elif key not in ("IfSteps", "ElseSteps"):
                yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def problems(definition: Mapping[str, Any]) -> list[str]:
    """Everything wrong with the graph, in sentences; empty when it holds."""
    steps = all_steps(definition)
    by_name: dict[str, Mapping[str, Any]] = {}
    found: list[str] = []
    for step, _ in steps:
        if step["Name"] in by_name:
            found.append(f"two steps are called {step['Name']}")
        by_name[step["Name"]] = step
    parameters = {parameter["Name"] for parameter in definition.get("Parameters", [])}
    edges: dict[str, set[str]] = {name: set() for name in by_name}
    for step, holder in steps:
        name = step["Name"]
        if holder:
            edges[name].add(holder)
        for target in step.get("DependsOn", []):
            if target not in by_name:
                found.append(f"{name} depends on {target}, which does not exist")
            edges[name].add(target)
        for reference in references(step):
            problem, target = _check_reference(reference, by_name, parameters)
            if problem:
                found.append(f"{name} reads {reference}: {problem}")
            if target:
                edges[name].add(target)
    cycle = _cycle({name: targets & set(by_name) for name, targets in edges.items()})
    if cycle:
        found.append("steps wait for each other: " + " → ".join(cycle))
    return found


def _check_reference(
    reference: str, by_name: Mapping[str, Mapping[str, Any]], parameters: set[str]
) -> tuple[str, str | None]:
    """(what is wrong or "", the step it reads or None)."""
    if step := _STEP.match(reference):
        target, rest = by_name.get(step[1]), step[2]
        if target is None:
            return f"there is no step {step[1]}", None
        return _check_property(target, rest), step[1]
    if parameter := _PARAMETER.match(reference):
        return ("" if parameter[1] in parameters else "there is no such parameter"), None
    if reference.startswith("Execution."):
        known = reference.removeprefix("Execution.") in _EXECUTION
        return ("" if known else "there is no such execution variable"), None
    return "neither Steps, Parameters nor Execution", None


def _check_property(step: Mapping[str, Any], path: str) -> str:
    kind = step["Type"]
    head = re.split(r"[.\[]", path)[0]
    if head == "PropertyFiles":
        name = path.removeprefix("PropertyFiles.")
        files = {file["PropertyFileName"] for file in step.get("PropertyFiles", [])}
        return "" if name in files else f"{step['Name']} has no property file {name}"
    if head not in _OFFERS.get(kind, frozenset({head})):
        return f"a {kind} step has no {head}"
    output = re.match(r"ProcessingOutputConfig\.Outputs\['(.+?)'\]", path)
    if output:
        config = step["Arguments"].get("ProcessingOutputConfig", {})
        names = {item["OutputName"] for item in config.get("Outputs", [])}
        return "" if output[1] in names else f"{step['Name']} has no output {output[1]}"
    if answer := re.match(r"OutputParameters\['(.+?)'\]", path):
        names = {item["OutputName"] for item in step.get("OutputParameters", [])}
        return "" if answer[1] in names else f"{step['Name']} has no output {answer[1]}"
    return ""


def _cycle(edges: Mapping[str, set[str]]) -> list[str]:
    """One cycle as a path that ends where it begins, or nothing."""
    state: dict[str, int] = {}
    path: list[str] = []

    def visit(name: str) -> list[str]:
        state[name] = 1
        path.append(name)
        for target in sorted(edges[name]):
            if state.get(target) == 1:
                return [*path[path.index(target) :], target]
            if target not in state and (cycle := visit(target)):
                return cycle
        path.pop()
        state[name] = 2
        return []

    for name in sorted(edges):
        if name not in state and (cycle := visit(name)):
            return cycle
    return []
