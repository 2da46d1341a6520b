"""From blueprints to steps, and what is refused because no step does it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from mlops_iac.blueprint import ResolvedBlueprint, load
from mlops_iac.clouds.aws.sagemaker.definition.refusals import refusals as jobs_refusals
from mlops_iac.pipeline.lifecycle import lifecycle
from mlops_iac.pipeline.refusals import refusals
from mlops_iac.pipeline.steps import Check, Limit, Range, Tune

EXAMPLE = Path(__file__).parents[2] / "examples" / "schedule-adherence" / "blueprint.yaml"
BASE = """
blueprint: 1
name: churn
platform: sagemaker
region: eu-west-1
datasets:
  customers:
    source: data.csv
    format: csv
    time: at
    checks: {age: {at_least: 0}, id: {not_null: true}}
models:
  churn:
    code: workload/
    runtime: {framework: scikit-learn, version: 1.9}
    metrics: {accuracy: maximize, loss: minimize}
    env: {A: model, B: model}
    prepare: {script: prepare.py}
    train: {script: train.py, hyperparameters: {folds: 5}, env: {B: step}}
    evaluate: {script: evaluate.py, gates: {loss: {at_most: 0.5}, accuracy: {at_least: 0}}}
"""


def resolve(folder: Path, change: str = "") -> ResolvedBlueprint:
    """BASE with `change` merged into it, a YAML mapping."""

    def merge(below: dict, above: dict) -> dict:  # type: ignore[type-arg]
        for key, value in above.items():
            inner = below.get(key)
            below[key] = (
                merge(inner, value)
                if isinstance(inner, dict) and isinstance(value, dict)
                else value
            )
        return below

    merged = merge(yaml.safe_load(BASE), yaml.safe_load(change) or {})
    (folder / "workload").mkdir(exist_ok=True)
    for name in ("prepare.py", "train.py", "evaluate.py"):
        (folder / "workload" / name).touch()
    (folder / "data.csv").write_text("at,age,id\n2026-01-01,7,1\n")
    path = folder / "blueprint.yaml"
    path.write_text(yaml.safe_dump(merged, sort_keys=False), encoding="utf-8")
    return load(path).resolve("local")


def refused(resolved: ResolvedBlueprint) -> dict[str, str]:
    model = resolved.blueprint.models["churn"]
    found = [*refusals(resolved, "churn"), *jobs_refusals(model, "models.churn")]
    return {item.path: item.message for item in found}


def test_the_example_is_all_supported() -> None:
    resolved = load(EXAMPLE).resolve("local")
    assert not list(refusals(resolved, "adherence"))
    life = lifecycle(resolved, "adherence")
    assert life.gates == (Limit("accuracy", "at_least", 0.75),)
    assert life.train.compute.spot is True
    assert dict(life.train.hyperparameters) == {"cv_folds": 5, "search": "random"}


def test_the_only_dataset_need_not_be_named(tmp_path: Path) -> None:
    life = lifecycle(resolve(tmp_path), "churn")
    (dataset,) = life.datasets
    # A bound of 0 is a bound.
    assert dataset.checks == (
        Check("customers", "age", {"at_least": 0}), Check("customers", "id", {"not_null": True}),
    )  # fmt: skip
    assert refused(resolve(tmp_path)) == {}


def test_a_steps_environment_comes_over_the_models(tmp_path: Path) -> None:
    life = lifecycle(resolve(tmp_path), "churn")
    assert life.train.env == {"A": "model", "B": "step"}
    assert life.prepare is not None
    assert life.prepare.env == {"A": "model", "B": "model"}


def test_gates_keep_both_directions_and_zero(tmp_path: Path) -> None:
    assert lifecycle(resolve(tmp_path), "churn").gates == (
        Limit("loss", "at_most", 0.5), Limit("accuracy", "at_least", 0),
    )  # fmt: skip


def test_what_is_no_worse_follows_from_which_way_is_better(tmp_path: Path) -> None:
    gates = "{loss: {no_worse_than: current}, accuracy: {no_worse_than: current}}"
    change = f"models: {{churn: {{evaluate: {{gates: {gates}}}}}}}"
    assert lifecycle(resolve(tmp_path, change), "churn").gates == (
        Limit("loss", "at_most", 0.5), Limit("loss", "at_most", "current"),
        Limit("accuracy", "at_least", 0), Limit("accuracy", "at_least", "current"),
    )  # fmt: skip


def test_a_grid_has_as_many_trials_as_combinations(tmp_path: Path) -> None:
    change = """
    models: {churn: {tune: {strategy: grid, metric: loss, parallel: 20,
      search: {kind: {values: [forest, tree]}, depth: {integer: [2, 4]}, fast: {values: [true]}}}}}
    """
    tune = lifecycle(resolve(tmp_path, change), "churn").training
    assert isinstance(tune, Tune)
    assert (tune.trials, tune.parallel, tune.goal) == (6, 6, "minimize")
    assert tune.search["depth"] == Range("values", values=("2", "3", "4"))
    assert tune.search["fast"] == Range("values", values=("true",))


def test_ranges_keep_their_scale(tmp_path: Path) -> None:
    change = """
    models: {churn: {tune: {strategy: random, metric: accuracy, trials: 3,
      search: {c: {continuous: [0.001, 100], scale: logarithmic}, depth: {integer: [0, 4]}}}}}
    """
    tune = lifecycle(resolve(tmp_path, change), "churn").training
    assert isinstance(tune, Tune)
    assert tune.search["c"] == Range("continuous", low="0.001", high="100", scale="logarithmic")
    assert tune.search["depth"] == Range("integer", low="0", high="4", scale="linear")


def test_a_model_that_is_not_trained_here_has_no_steps(tmp_path: Path) -> None:
    change = (
        "models: {given: {source: 's3://models/3/', runtime: {framework: onnx, version: '1.20'}}}"
    )
    with pytest.raises(ValueError, match="not trained here"):
        lifecycle(resolve(tmp_path, change), "given")


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ("models: {churn: {prepare: {compute: {spot: true}}}}", "models.churn.prepare.compute.spot"),
        ("models: {churn: {evaluate: {compute: {count: 2}}}}", "models.churn.evaluate.compute.count"),
        ("models: {churn: {evaluate: {explain: true}}}", "models.churn.evaluate.explain"),
        ("models: {churn: {train: {hyperparameters: {model: forest}}}}", "models.churn.train.hyperparameters.model"),
        (
            "models: {churn: {tune: {strategy: random, metric: loss, trials: 2, search: {data: {values: [a, b]}}}}}",
            "models.churn.tune.search.data",
        ),
        (
            "models: {churn: {tune: {strategy: hyperband, metric: loss, trials: 2, search: {x: {values: [a, b]}}}}}",
            "models.churn.tune.strategy",
        ),
        (
            "models: {churn: {train: {hyperparameters: {epochs: 9}}, tune: {strategy: hyperband, metric: loss, trials: 2, early_stopping: true, search: {x: {values: [a, b]}}}}}",
            "models.churn.tune.early_stopping",
        ),
        (
            "{secrets: {token: {}}, models: {churn: {train: {env: {TOKEN: {secret: token}}}}}}",
            "models.churn.train.env.TOKEN",
        ),
        ("models: {churn: {env: {MLOPS_IAC_STEP: x}}}", "models.churn.env.MLOPS_IAC_STEP"),
        ('datasets: {customers: {source: "s3://c/d/", format: parquet, window_days: 3}}', "datasets.customers.window_days"),
    ],
)  # fmt: skip
def test_what_no_step_does_is_refused_at_its_path(tmp_path: Path, change: str, path: str) -> None:
    found = refused(resolve(tmp_path, change))
    assert list(found) == [path]
    assert found[path]


def test_a_file_of_the_users_that_would_be_replaced_is_refused(tmp_path: Path) -> None:
    resolved = resolve(tmp_path)
    (tmp_path / "workload" / "inference.py").touch()
    assert list(refused(resolved)) == ["models.churn.code"]
