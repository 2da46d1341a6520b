"""What SageMaker's jobs do not do of a model's life, and what works instead."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.blueprint.sections.models import Model
from mlops_iac.blueprint.torn import judged, whole
from mlops_iac.pipeline.reading import script_arguments, search_values
from mlops_iac.pipeline.refusals import Refusal

# Where hyperband finds the most a trial may use (API: HyperbandStrategyConfig.MaxResource).
_EPOCHS = ("epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs")
# API: CategoricalParameterRange.Values.
_VALUES = 30


def refusals(model: Model, path: str) -> Iterator[Refusal]:
    """What the jobs of the model at `path` cannot do of what the blueprint asks for."""
    return judged(
        *(_refuse_processing(model, path, kind) for kind in ("prepare", "evaluate")),
        _refuse_names(model, path),
        _refuse_search(model, path),
    )


def _refuse_processing(model: Model, path: str, kind: str) -> Iterator[Refusal]:
    step = getattr(model, kind)
    if step is None:
        return
    if step.compute.spot:
        yield Refusal(
            f"{path}.{kind}.compute.spot",
            f"{kind} runs as a processing job, for which there is no spot capacity",
            "leave it out; `train` can use spot",
        )
    if step.compute.count > 1:
        yield Refusal(
            f"{path}.{kind}.compute.count",
            f"{kind} runs on one instance: every further one would do the same again",
            "take a larger size",
        )


def _refuse_names(model: Model, path: str) -> Iterator[Refusal]:
    for place, name in script_arguments(model, path):
        if name.startswith(("sagemaker_", "_tuning_")):
            yield Refusal(f"{place}.{name}", "names of this form are SageMaker's own", "rename it")


def _refuse_search(model: Model, path: str) -> Iterator[Refusal]:
    if model.train and model.tune and model.tune.strategy == "hyperband":
        static = set(whole(model.train.hyperparameters)) - set(whole(model.tune.search))
        if not static & set(_EPOCHS):
            yield Refusal(
                f"{path}.tune.strategy",
                "hyperband does not know how long a trial may train",
                f"set one of {', '.join(_EPOCHS)} in {path}.train.hyperparameters",
            )
        if model.tune.early_stopping is True:
            yield Refusal(
                f"{path}.tune.early_stopping",
                "hyperband ends trials by a rule of its own (API: TrainingJobEarlyStoppingType)",
                "leave it out",
            )
    if model.tune:
        for name, item in model.tune.search.items():
            if len(search_values(item, model.tune.strategy)) > _VALUES:
                yield Refusal(
                    f"{path}.tune.search.{name}", f"more than {_VALUES} values", "list fewer values"
                )
