"""What checks and steps alike read off a model of the blueprint."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
