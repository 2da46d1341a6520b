"""What the local runner does, beside what each platform's printed definition says.

A new platform adds its reader to `definition_readers`.
"""

from __future__ import annotations

import json
import re
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from mlops_iac.blueprint import ResolvedBlueprint, load
from mlops_iac.clouds import registry
from mlops_iac.clouds.base import Definition
from mlops_iac.pipeline import local
from mlops_iac.pipeline.steps import Lifecycle, Limit
from mlops_iac.workload.processes import Processes, clean_environment
from tests.unit.definition_readers import ETAG, IN_SERVICE, READERS, RUN, Done

BASE = """
datasets:
  customers:
    source: data.csv
    format: csv
    time: at
    window_days: 30
    checks: {age: {at_least: 0}, id: {not_null: true}}
  shops: {source: "s3://elsewhere/shops/", format: parquet}
models:
  churn:
    code: workload/
    runtime: {framework: scikit-learn, version: 1.9}
    datasets: [customers, shops]
    metrics: {accuracy: maximize, loss: minimize}
    env: {A: model, B: model}
    prepare: {script: prepare.py, timeout_minutes: 7}
    train: {script: train.py, hyperparameters: {folds: 5, fast: true}, env: {B: step}}
    evaluate: {script: evaluate.py, gates: {loss: {at_most: 0.5}, accuracy: {at_least: 0}}}
serving: {api: {mode: real-time, model: churn, env: {B: served}}}
"""
GRID = "{strategy: grid, metric: loss, parallel: 2, search: {kind: {values: [a, b]}, depth: {integer: [2, 4]}}}"
SAMPLE = "{strategy: bayesian, metric: accuracy, trials: 3, search: {depth: {integer: [2, 40]}, c: {continuous: [0.1, 9]}}}"
VARIANTS = {
    "whole": "{}",
    "one dataset": "{datasets: [shops]}",
    "no prepare": "{prepare: null}",
    "no gates": "{evaluate: {gates: null}}",
    "no worse than current": "{evaluate: {gates: {accuracy: {at_least: null, no_worse_than: current}}}}",
    "no worse than a pin": "{version: '3', evaluate: {gates: {loss: {at_most: null, no_worse_than: current}}}}",
    "no evaluate": "{evaluate: null}",
    "train alone": "{prepare: null, evaluate: null}",
    "a grid": f"{{tune: {GRID}}}",
    "a sample": f"{{tune: {SAMPLE}, prepare: null}}",
    "a sample, not evaluated": f"{{tune: {SAMPLE}, evaluate: null}}",
    "checkpoints": "{train: {checkpoints: true}}",
    "spot": "{train: {compute: {spot: true}}}",
    "rows of the second dataset": "{datasets: [shops, customers]}",
    "served by an image": "{runtime: {image: 1.dkr.ecr.eu-west-1.amazonaws.com/x, framework: null, version: null}}",
    "approved at once": "{registry: {approval: automatic}}",
}


def resolve(folder: Path, header: str, change: str) -> ResolvedBlueprint:
    """BASE with `change` merged into its model, a YAML mapping."""

    def merge(below: Any, above: Mapping[str, Any]) -> Any:
        for key, value in above.items():
            inner = below.get(key)
            below[key] = merge(inner, value) if isinstance(inner, dict) and value else value
        return {key: value for key, value in below.items() if value is not None}

    merged = yaml.safe_load(f"blueprint: 1\nname: churn\n{header}{BASE}")
    merged["models"]["churn"] = merge(merged["models"]["churn"], yaml.safe_load(change))
    (folder / "workload").mkdir()
    for name in ("prepare.py", "train.py", "evaluate.py"):
        (folder / "workload" / name).touch()
    (folder / "data.csv").write_text("at,age,id\n2026-01-01,7,1\n")
    path = folder / "blueprint.yaml"
    path.write_text(yaml.safe_dump(merged, sort_keys=False), encoding="utf-8")
    return load(path).resolve("local")


class Recorder:
    """A backend, and the processes of a run, that write down what is asked of them."""

    def __init__(self, backend: Any, life: Lifecycle, misses: Limit | None) -> None:
        self._backend = backend
        self._life = life
        self._misses = misses
        self.done: list[Done] = []
        self.store = self
        self._inputs: dict[str, str] = {}
        self._outputs: dict[str, str] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    # The store ----------------------------------------------------------------------------------

    def exists(self, _: str) -> bool:
        return False

    def digest(self, uri: str) -> str:
        return uri

    def download(self, uri: str, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if "/opt/ml/" in folder.as_posix():  # and not to be compared with that of an earlier run
            self._inputs[_inside(folder)] = uri
        if uri == self._backend.code:
            with tarfile.open(folder / "sourcedir.tar.gz", "w:gz"):
                pass

    def upload(self, path: Path, uri: str) -> None:
        if re.search(r"-Tune(?!001)\d+/", uri):
            return  # trials are alike; the first one tells
        packed = {"model.tar.gz": "/opt/ml/model", "output.tar.gz": "/opt/ml/output/data"}
        self._outputs[packed.get(path.name) or _inside(path)] = uri

    def seal(self, source: str, target: str) -> str:
        self.done[-1].sealed = (source, target)
        return f"{target}/{ETAG}/{source.rsplit('/', 1)[-1]}"

    def current(self, version: str, otherwise: str) -> Mapping[str, str]:
        self.done[-1].sealed = (version, otherwise)
        return {"uri": otherwise, "version": IN_SERVICE}

    # The processes ------------------------------------------------------------------------------

    def run(
        self, what: str, command: list[str], *, env: Mapping[str, str], log: Path, seconds: float,
        **_: Any,
    ) -> None:  # fmt: skip
        done, root = self.done[-1], Path(env["MLOPS_IAC_ROOT"])
        set_here = (*clean_environment(), "PATH", "MLOPS_IAC_ROOT")
        done.environment = {key: value for key, value in env.items() if key not in set_here}
        done.seconds = seconds
        given = root / "input" / "config" / "hyperparameters.json"
        pairs = iter(command[2:])
        arguments = (
            json.loads(given.read_text())
            if given.exists()
            else {each.removeprefix("--"): next(pairs) for each in pairs}
        )
        number = int(log.parent.name) if log.parent.name.isdigit() else 0
        if number:
            done.trials = max(done.trials, number)
            tune: Any = self._life.training
            value = 1 / number if tune.goal == "maximize" else number
            log.parent.mkdir(parents=True, exist_ok=True)
            log.write_text(f"mlops-iac metric {tune.metric}={value}\n")
            done.searched = frozenset(tune.search)
            arguments = {key: arguments[key] for key in arguments.keys() - done.searched}
        done.arguments = arguments
        for name in ("model", "output/data", "checkpoints"):
            (root / name).mkdir(parents=True, exist_ok=True)
            (root / name / "file").touch()
        report = root / "processing" / "output" / "report"
        if report.is_dir():
            self._report(report / "report.json")

    def _report(self, file: Path) -> None:
        limits = {
            limit.metric: 0.0 if limit.value == "current" else limit.value
            for limit in self._life.gates
        }
        report = {"metrics": {**limits}, "current": {"version": IN_SERVICE, "metrics": limits}}
        if self._misses:
            by = {"at_least": -1, "at_most": 1}[self._misses.bound]
            report["metrics"][self._misses.metric] += by
        file.write_text(json.dumps(report))

    # The events ---------------------------------------------------------------------------------

    def hear(self, event: Any) -> None:
        if event.kind == "start":
            self.done.append(Done(event.step))
            self._inputs, self._outputs = {}, {}
        elif event.kind == "done":
            self.done[-1].inputs, self.done[-1].outputs = self._inputs, self._outputs


def _inside(folder: Path) -> str:
    parts = folder.as_posix().partition("/opt/ml/")
    return f"/opt/ml/{parts[2]}"


def definition_of(platform: Any, resolved: ResolvedBlueprint) -> str:
    (text,) = [
        value.content
        for call in platform.plan(resolved)
        for value in call.args.values()
        if isinstance(value, Definition) and "pipelines/" in value.path
    ]
    return text


def run(
    platform: str, resolved: ResolvedBlueprint, work: Path, monkeypatch: pytest.MonkeyPatch
) -> list[Done]:
    """What the runner does, and what it says of each limit that a report misses."""
    found = registry.platform(platform)
    kept = json.loads(json.dumps(found.lifecycles(resolved)["churn"]))
    calls: list[Any] = []
    # Filled with themselves, placeholders stay what they are.
    text = definition_of(found, resolved)
    deployed = found.deployed(kept, text, SimpleNamespace(client=READERS[platform].client(calls)))
    assert deployed is not None
    life, backend = deployed

    def once(misses: Limit | None) -> tuple[Recorder, local.RunResult]:
        recorder = Recorder(backend, life, misses)
        monkeypatch.setattr(
            Processes, "run", lambda _, *given, **named: recorder.run(*given, **named)
        )
        result = local.run(
            life, recorder, work=work, workload_python=Path(sys.executable), on_event=recorder.hear
        )  # fmt: skip
        return recorder, result

    recorder, result = once(None)
    assert result.status == "registered"
    steps = {done.name: done for done in recorder.done}
    steps["Register"].registered = calls.pop()
    for limit in life.gates:
        _, missed = once(limit)
        assert not calls
        steps["Gate"].missed += missed.missed
    written = json.dumps([asdict(each) for each in recorder.done], default=sorted)
    return [Done(**each) for each in json.loads(written.replace(result.id, RUN))]


def read(platform: str, text: str) -> list[Done]:
    found = READERS[platform].read(text)
    return [
        Done(**each) for each in json.loads(json.dumps(list(map(asdict, found)), default=sorted))
    ]


@pytest.mark.parametrize("platform", registry.names())
@pytest.mark.parametrize("change", VARIANTS.values(), ids=VARIANTS)
def test_a_run_does_what_the_definition_says(
    platform: str, change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolved = resolve(tmp_path, READERS[platform].header, change)
    said = read(platform, definition_of(registry.platform(platform), resolved))
    assert run(platform, resolved, tmp_path / ".mlops-iac", monkeypatch) == said


@pytest.mark.parametrize("platform", registry.names())
def test_a_difference_between_them_is_seen(
    platform: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolved = resolve(tmp_path, READERS[platform].header, "{}")
    done = run(platform, resolved, tmp_path / ".mlops-iac", monkeypatch)
    text = definition_of(registry.platform(platform), resolved)
    assert done == read(platform, text)
    changed = READERS[platform].changed(text)
    unseen = [what for what, other in changed.items() if done == read(platform, other)]
    assert len(changed) >= 5
    assert not unseen


@pytest.mark.parametrize("platform", registry.names())
@pytest.mark.parametrize("kept", [None, {}, [], ["x", "y"], [{"": "Lifecycle"}, {"": "System"}]])
def test_what_was_kept_in_another_shape_is_nothing(
    platform: str, kept: object, tmp_path: Path
) -> None:
    resolved = resolve(tmp_path, READERS[platform].header, "{}")
    found = registry.platform(platform)
    session = SimpleNamespace(client=READERS[platform].client([]))
    assert found.deployed(kept, definition_of(found, resolved), session) is None


@pytest.mark.parametrize("platform", registry.names())
def test_another_definition_is_not_run_for_the_one_that_was_kept(
    platform: str, tmp_path: Path
) -> None:
    resolved = resolve(tmp_path, READERS[platform].header, "{}")
    found = registry.platform(platform)
    kept = found.lifecycles(resolved)["churn"]
    session = SimpleNamespace(client=READERS[platform].client([]))
    for other in READERS[platform].changed(definition_of(found, resolved)).values():
        assert found.deployed(kept, other, session) is None
