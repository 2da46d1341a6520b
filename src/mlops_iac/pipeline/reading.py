"""What checks and steps alike read off a model of the blueprint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_iac.blueprint.sections.serving import Batch, RealTime, ServingEntry

if TYPE_CHECKING:
    from mlops_iac.blueprint.resolved import ResolvedBlueprint
    from mlops_iac.blueprint.sections.datasets import Dataset as DatasetSection
    from mlops_iac.blueprint.sections.models import Model
    from mlops_iac.blueprint.sections.models import Search as SearchSection


def training_datasets(
    resolved: ResolvedBlueprint, model_name: str
) -> list[tuple[str, DatasetSection]]:
    """The datasets a model learns from; all there are, where it names none and there is one."""
    blueprint = resolved.blueprint
    names = blueprint.models[model_name].datasets
    if not names:
        names = tuple(name for name, item in blueprint.datasets.items() if not item.is_made)
    return [(name, blueprint.datasets[name]) for name in names]


def models_of(entry: ServingEntry) -> list[str]:
    """The models that an entry serves."""
    variants = getattr(entry, "variants", None) or {}
    found = [variant.model for variant in variants.values()] or [getattr(entry, "model", None)]
    return [name for name in found if name is not None]


def serving_entry(
    resolved: ResolvedBlueprint, model_name: str
) -> tuple[str, RealTime | Batch] | None:
    """The first entry, here or in another environment, that serves a model by its `predict.py`.

    Not where an image of one's own serves: it does so in whatever way it likes.
    """
    for each in (resolved, *resolved.siblings.values()):
        model = each.blueprint.models.get(model_name)
        if model is None or model.runtime is None or model.runtime.framework is None:
            continue
        for name, entry in each.blueprint.serving.items():
            if isinstance(entry, RealTime | Batch) and model_name in models_of(entry):
                return name, entry
    return None


def script_arguments(model: Model, path: str) -> list[tuple[str, str]]:
    """The names under which training is given values, each with the path that it stands below."""
    given = model.train.hyperparameters if model.train else ()
    searched = model.tune.search if model.tune else ()
    return [
        *((f"{path}.train.hyperparameters", name) for name in given),
        *((f"{path}.tune.search", name) for name in searched),
    ]


def search_values(item: SearchSection, strategy: str) -> tuple[str, ...]:
    """The values to try, as text; empty for a range."""
    if item.values is not None:
        return tuple(as_text(value) for value in item.values)
    if item.integer is not None and strategy == "grid":
        # Grid search takes categories only.
        return tuple(str(number) for number in range(item.integer[0], item.integer[1] + 1))
    return ()


def as_text(value: bool | float | str) -> str:
    """A value as a script is given it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
