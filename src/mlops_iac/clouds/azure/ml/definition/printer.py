"""Prints a `Lifecycle` as Azure ML takes it, with named placeholders.

A command component for each task that runs, a pipeline component of them, and the job that runs that. A sealed
copy is what the task has left: outputs lie below the name of their run, under a prefix that does not expire.
A pipeline has no condition, so the registration itself judges the gates.

Sources: the bodies that azure-ai-ml 1.35 makes (`_to_rest_object` of components and pipeline jobs); its YAML
reference for modes of inputs and sweeps.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from mlops_iac.clouds.azure.ml.definition.search import search_space, set_from
from mlops_iac.clouds.scope import identifier
from mlops_iac.jsontext import indented
from mlops_iac.pipeline.steps import Lifecycle, Task, Tune
from mlops_iac.pipeline.tasks import (
    CHECKPOINTS,
    KEPT,
    WORK,
    Current,
    Gate,
    Job,
    Registration,
    Seal,
    Training,
    tasks,
)
from mlops_iac.records import Record
from mlops_iac.runtime import contract

Json = dict[str, Any]
# What is packed beside the step, and the datastore of what jobs leave.
JOB, VERSIONS = "mlops_azure_job.py", "mlops_azure_versions.py"
STORE = "artifacts"
REGISTER = "register"  # the cluster of what reads and writes the registry
_MOUNT, _DIRECT = "ReadOnlyMount", "Direct"
_CODE = f"{contract.ROOT}/{contract.CODE}"
_UNPACK = f"mkdir -p {_CODE} && tar -xzf {contract.CODE_FILE} -C {_CODE}"


class AzureMlSettings(Record):
    """What the platform adds to a lifecycle: `tags` of its runs, whose values may hold placeholders."""

    tags: Mapping[str, str] = {}


class _Node(Record):
    """A task as a component and as a node: `inputs` are (what, mode) by name, `outputs` places by name."""

    task: Task
    kind: str
    command: tuple[str, ...]
    inputs: Mapping[str, tuple[str, str]]
    outputs: Mapping[str, str]

    @property
    def name(self) -> str:
        """A node's name has small letters alone."""
        return self.task.name.lower()


def definition(life: Lifecycle, settings: AzureMlSettings) -> str:
    """`components`, `pipeline` and `job` as JSON text with `${placeholders}`.

    Those are `code_id`, `workspace_id`, `blobs` (the address of the artifacts' container), `pipeline_id`,
    `dataset_uri_<name>`, and for each kind of task `environment_<kind>` and `cluster_<kind>`, with its component's
    `component_<node>`; all ids are ARM's.
    """
    left: dict[str, str] = {}
    nodes: list[_Node] = []
    gates: tuple[str, ...] = ()
    for task in tasks(life):
        match task:
            case Seal():
                left[task.name] = left[task.source]
            case Gate():
                gates = tuple(
                    json.dumps(
                        {"metric": each.metric, "bound": each.bound, "value": each.value},
                        separators=(",", ":"),
                    )
                    for each in task.limits
                )
            case Job():
                nodes.append(_job(life, task, left))
                left[task.name] = f"${{{{parent.jobs.{nodes[-1].name}.outputs.{task.output}}}}}"
            case Current():
                nodes.append(_current(life, task, left))
                left[task.name] = f"${{{{parent.jobs.{nodes[-1].name}.outputs.current}}}}"
            case Registration():
                nodes.append(_register(life, task, left, gates))
    printed = {
        "components": {each.name: _component(life, each) for each in nodes},
        "pipeline": {
            "type": "pipeline",
            "name": identifier(life.model),
            "inputs": {
                _data(each.name): {"type": "uri_folder", "optional": False}
                for each in life.datasets
            },
            "jobs": {each.name: _node(each) for each in nodes},
        },
        "job": {
            "jobType": "Pipeline",
            "componentId": "${pipeline_id}",
            "experimentName": life.model,
            "identity": {"identityType": "Managed"},
            "inputs": {
                _data(each.name): {
                    "jobInputType": "uri_folder",
                    "uri": "${" + dataset_placeholder(each.name) + "}",
                }
                for each in life.datasets
            },
            # What failed has nothing to go on with.
            "settings": {"continue_on_step_failure": False, "force_rerun": False},
            "tags": dict(settings.tags),
        },
    }
    return indented(printed, 2) + "\n"


def dataset_placeholder(name: str) -> str:
    """The placeholder for where a dataset lies: `dataset_uri_open_projects`."""
    return f"dataset_uri_{identifier(name)}"


def _data(name: str) -> str:
    return f"data_{identifier(name)}"


def _component(life: Lifecycle, node: _Node) -> Json:
    own = {name: {"type": "string"} for name in _searched(node.task)}
    given = {name: {"type": "uri_folder"} for name in node.inputs}
    return {
        "type": "command",
        "name": f"{identifier(life.model)}_{node.name}",
        # Windows move and versions come, so that what ran once is no answer for today.
        "is_deterministic": False,
        "inputs": {**given, **own},
        **_unless_empty({name: {"type": "uri_folder"} for name in node.outputs}),
        "code": "azureml:${code_id}",
        "environment": f"azureml:${{environment_{_kind(node)}}}",
        "command": " ".join(node.command),
    }


def _kind(node: _Node) -> str:
    """What tells its environment; the registry is spoken to from where trainings run."""
    return "train" if node.kind == REGISTER else node.kind


def _node(node: _Node) -> Json:
    component = f"${{component_{node.name}}}"
    printed: Json = {
        "name": node.name,
        "computeId": f"${{cluster_{node.kind}}}",
        "inputs": {
            name: {"value": value, "job_input_type": "literal", "mode": mode}
            for name, (value, mode) in node.inputs.items()
        },
        **_unless_empty(
            {
                name: {
                    "uri": uri,
                    "mode": "ReadWriteMount" if name == CHECKPOINTS else "Upload",
                    "job_output_type": "uri_folder",
                }
                for name, uri in node.outputs.items()
            }
        ),
    }
    if isinstance(node.task, Training) and node.task.tune is not None:
        return printed | {"type": "sweep", "trial": {"componentId": component}} | _sweep(node.task)
    minutes = node.task.script.timeout_minutes if isinstance(node.task, Job) else 60
    return printed | {
        "type": "command",
        "componentId": component,
        "limits": {"job_limits_type": "Command", "timeout": f"PT{minutes}M"},
    }


def _unless_empty(outputs: Json) -> Json:
    return {"outputs": outputs} if outputs else {}


def _sweep(task: Training) -> Json:
    tune = task.tune
    assert tune is not None
    seconds = task.script.timeout_minutes * 60
    printed: Json = {
        "sampling_algorithm": tune.strategy,
        "objective": {"goal": tune.goal, "primary_metric": tune.metric},
        "limits": {
            "max_total_trials": tune.trials,
            "max_concurrent_trials": tune.parallel,
            "trial_timeout": seconds,
            "timeout": seconds * -(-tune.trials // tune.parallel),
        },
        "search_space": {f"set_{identifier(n)}": search_space(r) for n, r in tune.search.items()},
    }
    if tune.early_stopping:
        printed["early_termination"] = {
            "policy_type": "MedianStopping",
            "evaluation_interval": 1,
            "delay_evaluation": 5,
        }
    return printed


def _searched(task: Task) -> list[str]:
    tune = task.tune if isinstance(task, Training) else None
    return [f"set_{identifier(name)}" for name in tune.search] if isinstance(tune, Tune) else []


def _job(life: Lifecycle, job: Job, left: Mapping[str, str]) -> _Node:
    trains = isinstance(job, Training)
    below = contract.CHANNELS if trains else contract.PROCESSING_DATA
    inputs = {
        _data(name): (left[task] if task else f"${{{{parent.inputs.{_data(name)}}}}}", _MOUNT)
        for name, task in job.data.items()
    }
    outputs = {job.output: _place(KEPT if job.kind != "prepare" else WORK, life, job.output)}
    command = [*_start(JOB), *_flags("--env", _settings(job))]
    for name in job.data:
        command += ["--in", f"{below}/{name}", f"${{{{inputs.{_data(name)}}}}}"]
    if trains:
        command += ["--in", f"{below}/{contract.CODE_CHANNEL}", "."]
    if job.model:
        inputs["model"] = left[job.model], _MOUNT
        command += ["--in", contract.PROCESSING_MODEL, "${{inputs.model}}"]
    if job.current:
        inputs["current"] = left[job.current], _MOUNT
        command += ["--current", "${{inputs.current}}"]
    if isinstance(job, Training) and job.checkpoints:
        outputs[CHECKPOINTS] = _place(WORK, life, CHECKPOINTS)
        command += ["--in", contract.CHECKPOINTS, f"${{{{outputs.{CHECKPOINTS}}}}}"]
    search = job.tune.search if isinstance(job, Training) and job.tune else {}
    for name, value in job.arguments.items():
        if name not in search:
            command += ["--set", shlex.quote(f"{name}={value}"), "text"]
    for name, found in search.items():
        given = f'"{name}=${{{{inputs.set_{identifier(name)}}}}}"'
        command += ["--set", given, set_from(found)]
    folder = {"prepare": contract.PROCESSING_PREPARED, "train": contract.MODEL}.get(
        job.kind, contract.PROCESSING_REPORT
    )
    command += ["--pack" if trains else "--out", folder, f"${{{{outputs.{job.output}}}}}"]
    return _Node(job, job.kind, tuple(command), inputs, outputs)


def _settings(job: Job) -> list[str]:
    return [f"{name}={value}" for name, value in {**job.script.env, **job.env}.items()]


def _current(life: Lifecycle, task: Current, left: Mapping[str, str]) -> _Node:
    command = [*_start(VERSIONS), "current", "--workspace", "${workspace_id}"]
    command += ["--model", life.model, "--version", task.version, "--blobs", "${blobs}"]
    command += ["--otherwise", "${{inputs.model}}", "--out", "${{outputs.current}}"]
    inputs = {"model": (left[task.otherwise], _MOUNT)}
    outputs = {"current": _place(WORK, life, "current")}
    return _Node(task, REGISTER, tuple(command), inputs, outputs)


def _register(
    life: Lifecycle, task: Registration, left: Mapping[str, str], gates: tuple[str, ...]
) -> _Node:
    approval = "pending" if life.register.approval == "manual" else "approved"
    command = [*_start(VERSIONS), "register", "--workspace", "${workspace_id}"]
    command += ["--model", life.model, "--approval", approval, "--uri", '"${{inputs.model}}"']
    inputs = {"model": (left[task.model], _DIRECT)}
    if task.report:
        inputs["report"] = left[task.report], _MOUNT
        command += ["--report", "${{inputs.report}}"]
    if task.examples:
        inputs["examples"] = left[task.examples], _DIRECT
        command += ["--examples", '"${{inputs.examples}}"']
    return _Node(task, REGISTER, (*command, *_flags("--gate", gates)), inputs, {})


def _start(script: str) -> list[str]:
    return [_UNPACK, "&&", "python", f"{_CODE}/{script}"]


def _flags(flag: str, values: list[str] | tuple[str, ...]) -> list[str]:
    return [part for each in values for part in (flag, shlex.quote(each))]


def _place(folder: str, life: Lifecycle, leaf: str) -> str:
    """Where a job leaves something: below its own name, so that no other job writes there."""
    return f"azureml://datastores/{STORE}/paths/{folder}/{life.model}/${{{{name}}}}/{leaf}/"
