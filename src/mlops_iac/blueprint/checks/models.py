"""Models: what training needs, tuning, retraining, promotion between environments."""

from __future__ import annotations

from collections.abc import Sequence

from mlops_iac.blueprint.checks.base import Check
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.blueprint.sections.compute import Runtime
from mlops_iac.blueprint.sections.models import Model, Search, Tune
from mlops_iac.blueprint.words import listed
from mlops_iac.errors import Diagnostic


def check_models(check: Check) -> None:
    """Each model on its own."""
    for name, model in check.blueprint.models.items():
        path = f"models.{name}"
        check_runtime(check, f"{path}.runtime", model.runtime)
        if model.train is not None:
            _trained(check, path, model)
        elif model.source is not None:
            _brought(check, path, model)
        if model.promote_from == LOCAL:
            check.report(
                f"{path}.promote_from",
                "promotion-gap",
                "nothing can be promoted from 'local': it is emulated",
                "name an environment of the blueprint",
            )
        if model.retrain is not None:
            for index, dataset in enumerate(model.retrain.new_data):
                check_new_data(check, f"{path}.retrain.new_data[{index}]", dataset)
        if model.tune is not None:
            _tune(check, path, model, model.tune)


def check_runtime(check: Check, path: str, runtime: Runtime | None) -> None:
    """A framework has a version, nothing else has."""
    if runtime is None:
        return
    if runtime.framework is not None and runtime.version is None:
        message = f"{path} needs the 'version' of {runtime.framework}"
        check.report(path, "missing", message, lacks=("version",))
    if (
        runtime.framework is None
        and runtime.version is not None
        and not check.is_broken(f"{path}.framework")
    ):
        check.report(
            f"{path}.version",
            "no-effect",
            "a version belongs to a framework",
            "remove it",
            at_key=True,
        )


def check_new_data(check: Check, path: str, name: str) -> None:
    """New files start something only where there are files from elsewhere."""
    dataset = check.blueprint.datasets.get(name)
    if dataset is not None and (dataset.is_stream or dataset.is_made):
        what = "a stream" if dataset.is_stream else "made by this blueprint"
        check.report(
            path,
            "not-a-source",
            f"'{name}' is {what}; new files of it start nothing",
            "name a dataset with a source",
        )


def _trained(check: Check, path: str, model: Model) -> None:
    for key in ("code", "runtime"):
        if getattr(model, key) is None:
            check.missing(path, key, why="to be trained")
    if not model.datasets:
        known = list(check.names("datasets"))
        hint = f"there is: {listed(known)}" if known else "add one to 'datasets'"
        if check.resolved.is_written(at := f"{path}.datasets"):
            check.report(at, "missing", f"{path} needs 'datasets' to be trained", hint)
        else:
            check.missing(path, "datasets", hint, why="to be trained")
    for index, name in enumerate(model.datasets):
        dataset = check.blueprint.datasets.get(name)
        if dataset is not None and dataset.is_stream:
            check.report(
                f"{path}.datasets[{index}]",
                "not-a-source",
                f"'{name}' is a stream; training needs files or a table",
                "name the dataset that the stream is kept in",
            )
    for name in ("prepare", "train", "evaluate"):
        step = getattr(model, name)
        if step is None:
            continue
        check_runtime(check, f"{path}.{name}.runtime", step.runtime)
    train = model.train
    if (
        train is not None
        and train.spot_wait_minutes is not None
        and not train.compute.spot
        and not check.is_broken(f"{path}.train.compute")
    ):
        check.report(
            f"{path}.train.spot_wait_minutes",
            "needs-field",
            f"{path}.train.spot_wait_minutes is for spot capacity",
            "add `compute: {spot: true}`, or remove it",
            at_key=True,
        )


def _brought(check: Check, path: str, model: Model) -> None:
    for name in ("prepare", "tune", "evaluate", "retrain"):
        if getattr(model, name) is not None:
            check.report(
                f"{path}.{name}",
                "not-trained",
                f"{path} comes from its source; '{name}' is for a model that is trained here",
                "remove it, or write 'train' instead of 'source'",
            )
    if model.version is not None:
        check.report(
            f"{path}.version",
            "no-effect",
            f"{path} comes from its source; a version is for a model that is trained and registered",
            "remove it, and write the version into 'source'",
            at_key=True,
        )
    source = model.source or ""
    if model.runtime is None and not source.startswith(("hosted://", "hf://")):
        hint = "e.g. {framework: onnx, version: 1.20}"
        check.missing(path, "runtime", hint, why="to be served")


def _tune(check: Check, path: str, model: Model, tune: Tune) -> None:
    where = f"{path}.tune"
    if model.train is None:
        return
    if tune.metric is None:
        hint = "the model has several metrics" if model.metrics else "the model reports no metrics"
        check.missing(where, "metric", hint)
    if tune.strategy != "grid" and tune.trials is None:
        check.missing(where, "trials", "or `strategy: grid`")
    if tune.trials is not None and tune.parallel > tune.trials:
        check.report(
            f"{where}.parallel",
            "out-of-range",
            f"{tune.parallel} trials cannot run in parallel when there are {tune.trials}",
        )
    for name, search in tune.search.items():
        inner = f"{where}.search.{name}"
        if search.continuous is not None and tune.strategy == "grid":
            check.report(
                f"{inner}.continuous",
                "grid-over-continuous",
                f"grid tries every value, but '{name}' is continuous",
                "list 'values', or use strategy random or bayesian",
                at_key=True,
            )
        _range(check, inner, name, search)
        if name in model.train.hyperparameters:
            check.report(
                inner,
                "given-twice",
                f"'{name}' is searched and also fixed in {path}.train.hyperparameters",
                "remove one",
            )


def _range(check: Check, path: str, name: str, search: Search) -> None:
    key = "integer" if search.integer is not None else "continuous"
    bounds = search.integer or search.continuous
    if bounds is not None and bounds[0] >= bounds[1]:
        check.report(
            f"{path}.{key}",
            "contradiction",
            f"the range of '{name}' runs from {bounds[0]} to {bounds[1]}",
            "the smaller one comes first",
        )
    if search.scale == "logarithmic":
        if bounds is None:
            check.report(
                f"{path}.scale",
                "no-effect",
                f"'{name}' has values; they have no scale",
                "remove it",
            )
        elif bounds[0] <= 0:
            check.report(
                f"{path}.{key}",
                "out-of-range",
                f"a logarithmic range starts above 0, not at {bounds[0]}",
            )
    if search.values is not None and not search.values:
        check.report(
            f"{path}.values", "wrong-length", f"{path}.values is empty", "name at least one"
        )


def check_promotion(checks: Sequence[Check]) -> list[Diagnostic]:
    """`promote_from` must lead to an environment that trains."""
    by_name = {check.resolved.environment: check for check in checks}
    found: list[Diagnostic] = []
    for check in checks:
        for name in check.blueprint.models:
            seen = [check.resolved.environment]
            at: Check | None = check
            while at is not None:
                model = at.blueprint.models.get(name)
                if model is None or model.promote_from is None:
                    break
                if model.promote_from in seen:
                    path = f"models.{name}.promote_from"
                    cycle = " → ".join([*seen, model.promote_from])
                    if model.promote_from == seen[0]:
                        found.append(
                            check.resolved.diagnostic(
                                path,
                                "promotion-cycle",
                                f"'{name}' is trained nowhere: {cycle}",
                                "one environment trains it and has no 'promote_from'",
                            )
                        )
                    break
                seen.append(model.promote_from)
                at = by_name.get(model.promote_from)
                if (
                    at is not None
                    and name not in at.blueprint.models
                    and not at.is_broken(f"models.{name}")
                ):
                    found.append(
                        check.resolved.diagnostic(
                            f"models.{name}.promote_from",
                            "promotion-gap",
                            f"there is no model '{name}' in '{at.resolved.environment}'",
                        )
                    )
    return found
