"""The life of one model as typed steps: prepare, train or tune, evaluate, try, gate, register.

`lifecycle.lifecycle` makes a `Lifecycle` of a blueprint; `tasks.tasks` the sequence that printers turn
into an orchestrator's definition, and that the local runner executes.
Nothing here knows a cloud: what a platform adds (images, instance types, keys) is its settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from mlops_iac.records import Record
from mlops_iac.runtime import contract

MLFLOW = "mlflow"  # of the work folder: the store of runs on this machine that are kept in MLflow
Scalar = str | int | float | bool
Bound = Literal["at_least", "at_most"]
Strategy = Literal["bayesian", "random", "grid", "hyperband"]


class Task(Record):
    """One step of a run, under a name that is its own."""

    name: str

    @property
    def starts_at(self) -> str:
        """The task that a run starts with which is continued at this one."""
        return self.name


class Check(Record):
    """What must hold for every value of one field of a dataset, before any script runs."""

    dataset: str
    field: str
    rules: Mapping[str, object]  # `not_null: true`, `at_least: 0`, `at_most: 1`, …


class Dataset(Record):
    """One dataset as the steps see it: a folder of files in `format`; `target` is to be predicted."""

    name: str
    format: str
    time: str | None = None
    window_days: int | None = None
    checks: tuple[Check, ...] = ()
    target: str | None = None


class Compute(Record):
    """How many machines and how much disk. Which machine is the platform's to say."""

    count: int = 1
    disk_gb: int = 30
    spot: bool = False


class Script(Record):
    """One script of the workload and how it is run. Timeouts in minutes."""

    script: str
    hyperparameters: Mapping[str, Scalar] = {}
    env: Mapping[str, str] = {}
    compute: Compute = Compute()
    timeout_minutes: int = 60


class Prepare(Script):
    """Turns datasets into what training reads."""


class Train(Script):
    """One training. `spot_wait_minutes` is the wait on top of the timeout."""

    checkpoints: bool = False
    spot_wait_minutes: int = 60


class Range(Record):
    """What one hyperparameter may be: `values`, or from `low` to `high`, both included."""

    kind: Literal["values", "integer", "continuous"]
    values: tuple[str, ...] = ()
    low: str = ""
    high: str = ""
    scale: Literal["linear", "logarithmic", "reverse-logarithmic", "auto"] = "auto"


class Tune(Record):
    """Many trainings of `train` over `search`; the best by `metric` is kept.

    With `early_stopping` those are ended that are worse on their way than others were there.
    """

    train: Train
    strategy: Strategy
    metric: str
    goal: Literal["maximize", "minimize"]
    trials: int
    parallel: int
    search: Mapping[str, Range]
    early_stopping: bool = False


class Evaluate(Script):
    """Measures the model on data that it has not seen."""


class Try(Script):
    """Asks the sealed model for a few rows of the dataset `rows`, as what serves it will be asked.

    `rows` is None where no dataset has any: then the model is loaded, and no more.
    """

    script: str = contract.PREDICT
    rows: Dataset | None = None
    timeout_minutes: int = 30


class Limit(Record):
    """One number that a model must not miss: `value`, or what the version in service has."""

    metric: str
    bound: Bound
    value: float | Literal["current"]

    def words(self, current: str = "that of the version in service") -> str:
        """The limit as a person says it: `accuracy must be at least 0.75`."""
        value = current if self.value == contract.IN_SERVICE else f"{self.value:g}"
        return f"{self.metric} must be {self.bound.replace('_', ' ')} {value}"


class Register(Record):
    """A passing model becomes a version of the registry, approved by a person or at once."""

    approval: Literal["manual", "automatic"] = "manual"


class Lifecycle(Record):
    """Everything a printer needs to know of one model.

    `metrics` are the names the scripts report. `gates` is empty where nothing is demanded; a
    model that misses one ends the run as failed and is not registered. `tried` is None for a
    model that nothing serves by `predict.py`. `serves` is the version in service: `newest`, the newest
    approved one, or the number of one that is pinned.
    """

    model: str
    datasets: tuple[Dataset, ...]
    metrics: tuple[str, ...]
    prepare: Prepare | None
    training: Train | Tune
    evaluate: Evaluate | None
    gates: tuple[Limit, ...]
    register: Register
    tried: Try | None = None
    serves: str = contract.NEWEST

    @property
    def compares(self) -> bool:
        """Whether a gate asks for the version in service."""
        return any(each.value == contract.IN_SERVICE for each in self.gates)

    @property
    def train(self) -> Train:
        """The training itself, tuned or not."""
        return self.training.train if isinstance(self.training, Tune) else self.training
