"""What a blueprint can ask of a model's life that no step does, and what works instead."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlops_iac.blueprint.torn import judged
from mlops_iac.pipeline.reading import script_arguments, training_datasets
from mlops_iac.records import Record
from mlops_iac.runtime import contract

if TYPE_CHECKING:
    from mlops_iac.blueprint.resolved import ResolvedBlueprint
    from mlops_iac.blueprint.sections.datasets import Dataset as DatasetSection
    from mlops_iac.blueprint.sections.models import Model

# What the tool itself passes to scripts.
_ARGUMENTS = ("data", "out", "model", "metrics", "checkpoints")
_ROWS = ("csv", "json", "parquet")


class Refusal(Record):
    """Something of the blueprint that no step does, at a blueprint path, and what works instead."""

    path: str
    message: str
    hint: str


def refusals(resolved: ResolvedBlueprint, model_name: str) -> Iterator[Refusal]:
    """What the steps of this model cannot do of what the blueprint asks for."""
    model = resolved.blueprint.models[model_name]
    path = f"models.{model_name}"
    return judged(
        *(_refuse_env(model, path, kind) for kind in ("", "prepare", "train", "evaluate")),
        _refuse_features(model, path),
        _refuse_gates(model, path),
        _refuse_names(model, path),
        _refuse_datasets(resolved, model_name),
        _refuse_files(resolved, model, path),
    )


def _refuse_features(model: Model, path: str) -> Iterator[Refusal]:
    if model.features:
        yield Refusal(
            f"{path}.features",
            "features are not joined by the training steps yet",
            "join them in prepare, from a dataset",
        )


def _refuse_files(resolved: ResolvedBlueprint, model: Model, path: str) -> Iterator[Refusal]:
    if model.code:
        for name in (contract.ENTRY, contract.SERVING, contract.PACKAGE):
            if os.path.lexists(resolved.file(model.code) / name):
                yield Refusal(
                    f"{path}.code",
                    f"{model.code} has its own {name}, which is packed beside the scripts",
                    "rename it",
                )


def _refuse_env(model: Model, path: str, kind: str) -> Iterator[Refusal]:
    owner = getattr(model, kind) if kind else model
    for name, value in (owner.env if owner else {}).items():
        at = ".".join(part for part in (path, kind, "env", name) if part)
        if not isinstance(value, str):
            yield Refusal(
                at,
                "a job's environment is visible to everyone who may describe the job, so "
                "secrets are not put into it",
                "read the secret in the script",
            )
        elif name.startswith(contract.PREFIX):
            yield Refusal(at, f"{contract.PREFIX}… is reserved", "take another name")


def _refuse_gates(model: Model, path: str) -> Iterator[Refusal]:
    from mlops_iac.blueprint.sections.values import FAIRNESS_METRICS

    evaluate = model.evaluate
    if evaluate is None:
        return
    if evaluate.explain:
        yield Refusal(
            f"{path}.evaluate.explain",
            "no step explains predictions yet",
            "write what they depend on beside --metrics, in evaluate",
        )
    for metric in evaluate.gates:
        at = f"{path}.evaluate.gates.{metric}"
        if metric in FAIRNESS_METRICS and metric not in model.metrics:
            yield Refusal(
                at,
                f"no step measures {metric} yet",
                f"let evaluate report it, and name it in {path}.metrics",
            )


def _refuse_names(model: Model, path: str) -> Iterator[Refusal]:
    for place, name in script_arguments(model, path):
        if name in _ARGUMENTS:
            yield Refusal(
                f"{place}.{name}",
                f"the scripts already take --{name}: it is a folder or file of theirs",
                f"take another name, such as {name}_kind",
            )


def _refuse_datasets(resolved: ResolvedBlueprint, model_name: str) -> Iterator[Refusal]:
    for name, section in training_datasets(resolved, model_name):
        yield from judged(_refuse_dataset(section, f"datasets.{name}"))


def _refuse_dataset(section: DatasetSection, path: str) -> Iterator[Refusal]:
    if section.is_stream:
        yield Refusal(path, "a stream cannot be trained on", "train on where it is stored")
    if section.checks and section.format not in _ROWS:
        yield Refusal(
            f"{path}.checks",
            f"{section.format} has no columns to check",
            f"checks work on {', '.join(_ROWS)}",
        )
    if section.window_days is not None and (section.format != "csv" or section.time is None):
        yield Refusal(
            f"{path}.window_days",
            "a window is cut from csv by its `time` column only",
            "give format csv and time, or take the newest rows in prepare",
        )
