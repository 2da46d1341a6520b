"""Runs one script of the workload inside a job, by the blueprint's script contract.

    prepare  --data IN --out DIR
    train    --data DIR --model M --metrics FILE [--checkpoints C]
    evaluate --data DIR --model M --metrics FILE

`try` serves a few rows with `predict.py` (`examples`). The steps around a batch prediction, `check` and
`complete`, run no script (`prediction`).
Hyperparameters follow as `--name value`. Which script, and what is demanded of data and metrics,
is in the environment (`contract`). The same file runs in a container and under the local runner.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from . import (
    contract,
    data,
    examples,
    left_behind,
    model_files,
    prediction,
    run_facts,
    tracking,
    versions,
)
from .metrics import MetricsFile, StepFailed, log, missed_gates, write_report

_INTERPRETERS = {".py": [sys.executable, "-u"], ".sh": ["/bin/bash"], ".R": ["Rscript"]}
_POLL_SECONDS = 0.5


class Step:
    """One step: its settings and its folders."""

    def __init__(self, code: Path, env: Mapping[str, str], arguments: Sequence[str]) -> None:
        self.code = code
        self.env = env
        self.arguments = list(arguments)
        self.root = Path(env.get(contract.ROOT_SETTING, contract.ROOT))
        self.kind = env[contract.STEP]
        self.script = env.get(contract.SCRIPT, "")

    def run(self) -> None:
        """Run it. Raises StepFailed or DataError, whose message is for the user."""
        kinds = {
            "prepare": self._prepare,
            "train": self._train,
            "evaluate": self._evaluate,
            "try": self._try,
            "check": self._check_input,
            "complete": self._complete,
        }
        if self.kind not in kinds:
            raise StepFailed(f"{contract.STEP} is {self.kind!r}: {', '.join(kinds)}")
        with left_behind.nothing():
            kinds[self.kind]()

    def _prepare(self) -> None:
        self._install()
        source = self._datasets(self.root / contract.PROCESSING_DATA)
        out = self._folder(contract.PROCESSING_PREPARED)
        self._execute(["--data", source, "--out", out, *self.arguments])
        if not any(out.iterdir()):
            raise StepFailed(f"{self.script} wrote nothing to --out")
        about = json.dumps(self._about(source))
        (out / contract.DATA_FILE).write_text(about, encoding="utf-8")

    def _train(self) -> None:
        # The service passes hyperparameters as text, in a file; the command line's are for
        # scripts that read them there, and are the same.
        given = json.loads((self.root / contract.HYPERPARAMETERS).read_text(encoding="utf-8"))
        own = {k: v for k, v in given.items() if not k.startswith(("sagemaker_", "_tuning_"))}
        model = self._folder(contract.MODEL)
        metrics = MetricsFile(self._folder(contract.OUTPUT) / contract.METRICS_FILE)
        source, about = self._data(contract.CHANNELS)
        command = ["--data", source, "--model", model, "--metrics", metrics.path]
        if self.env.get(contract.KEEP_CHECKPOINTS) == "true":
            command += ["--checkpoints", self._folder(self._checkpoints(given))]
        for name, value in sorted(own.items()):
            command += [f"--{name}", value]
        self._execute(command, metrics)
        values = metrics.require(self._names())
        model_files.require_packable(model, self.script)
        # What serves the model travels with it: the files that were packed, and not the folder
        # they were unpacked to, where a container that installs them leaves what that made.
        archive = self.root / contract.CHANNELS / contract.CODE_CHANNEL / contract.CODE_FILE
        model_files.extract(archive, model / contract.CODE, "the code")
        about = about or self._about(source)
        about["mlflow"] = self._keep(
            params=own,
            metrics={f"train/{name}": value for name, value in values.items()},
            folders={"model": model, "train": metrics.path.parent},
        )
        versions.record(
            model / contract.CODE / contract.VERSIONS_FILE, hyperparameters=own, **about
        )

    def _checkpoints(self, given: Mapping[str, Any]) -> str:
        """Where checkpoints are: the trials of a tuning share one address, and go on where themselves were.

        The service tells a trial what it is judged by in a hyperparameter, and the name of its job, which
        is the same after a spot interruption, in TRAINING_JOB_NAME (`params.py` of its containers' toolkit).
        """
        if not any(name.startswith("_tuning_") for name in given):
            return contract.CHECKPOINTS
        name = self.env.get("TRAINING_JOB_NAME")
        if not name:
            raise StepFailed("no TRAINING_JOB_NAME: trials would go on where others were")
        return f"{contract.CHECKPOINTS}/{name}"

    def _evaluate(self) -> None:
        self._install()
        report = self._folder(contract.PROCESSING_REPORT)
        metrics = MetricsFile(report / contract.METRICS_FILE)
        source, _ = self._data(contract.PROCESSING_DATA)
        self._execute(self._measuring(contract.PROCESSING_MODEL, source, metrics), metrics)
        values = metrics.require(self._names())
        trained = self._trained()
        current = self._current(source, values)
        # What is in service has been unpacked since, where it was measured.
        then = self._trained() if current.get("version", contract.NONE) != contract.NONE else {}
        write_report(report / contract.REPORT_FILE, values, current)
        gates = self._numbered(contract.GATE)
        for sentence in missed_gates(gates, values, current):
            # Not an error here: the pipeline's condition decides, this says why.
            log(f"mlops-iac gate missed: {sentence}")
        self._page(report, [trained, then], gates, values, current)
        self._keep(trained.get("mlflow", ""), metrics=values, folders={"evaluate": report})

    def _keep(self, run: str = "", **found: Any) -> str:
        """Put what was found into MLflow, where that is asked for: into the run that the training began."""
        work = self._folder("work")
        found = {"params": {}, **found}
        return tracking.keep(self.code, work, self.env, self._own_env(), run=run, **found)

    def _trained(self) -> dict[str, Any]:
        """What the training of the model that was unpacked last has left."""
        code = self.root / "work" / "model" / contract.CODE
        return run_facts.known(code / contract.VERSIONS_FILE)

    def _page(self, report: Path, trained: list[Any], *found: Any) -> None:
        model, run = (self.env.get(each, "") for each in (contract.MODEL_NAME, contract.RUN))
        try:
            text = run_facts.page(report, self.code, model, run, *trained, *found)
            (report / contract.PAGE_FILE).write_text(text, encoding="utf-8")
        except Exception as error:  # whatever a workload has left: no page is worth a run
            log(f"mlops-iac there is no page of this run: {type(error).__name__}: {error}")

    def _measuring(self, delivered: str, source: Path, metrics: MetricsFile) -> list[Any]:
        """The arguments that measure the model of an archive."""
        model = self.root / "work" / "model"
        model_files.extract(self.root / delivered / contract.MODEL_FILE, model, "the model")
        given = ["--data", source, "--model", model, "--metrics", metrics.path]
        return [*given, *self.arguments]

    def _current(self, source: Path, values: Mapping[str, float]) -> dict[str, Any]:
        """The version in service, measured like the new one, which stands in for it before the first."""
        version = self.env.get(contract.CURRENT)
        if version is None:
            return {}
        if version == contract.NONE:
            log("mlops-iac no version is in service yet: there is none to be worse than")
            return {"version": version, "metrics": values}
        metrics = MetricsFile(self._folder("work/current") / contract.METRICS_FILE)
        try:
            self._execute(self._measuring(contract.PROCESSING_CURRENT, source, metrics))
            found = metrics.require(self._names())
        except StepFailed as error:
            raise StepFailed(
                f"{version}, in service, cannot be measured on today's data: {error}; where it"
                " cannot read them any more, leave `no_worse_than` out until another one is in service"
            ) from error
        log(f"mlops-iac {version}, in service: {json.dumps(found)}")
        return {"version": version, "metrics": found}

    def _try(self) -> None:
        """The model as it will be served, asked for a few rows; what it answers is kept."""
        self._install()
        model = self.root / contract.MODEL
        archive = self.root / contract.PROCESSING_MODEL / contract.MODEL_FILE
        model_files.extract(archive, model, "the model")
        rows, columns, reference = self._examples(model)
        found = examples.tried(model, rows, self._folder("work"), self._own_env(), reference)
        report = examples.report(found, rows, columns, reference)
        answered = [each for each in report["predictions"] if each is not None]
        if rows:
            said = f"{len(answered)} of {len(rows)} rows have a prediction"
            log(f"mlops-iac {contract.PREDICT}: {said}")
        if not report["repeatable"]:
            log(
                "mlops-iac the same row was not answered alike each time, or alone and among others"
            )
        out = self._folder(contract.PROCESSING_REPORT) / contract.EXAMPLES_FILE
        # Not indented: the reference has many rows.
        out.write_text(json.dumps(report), encoding="utf-8")

    def _examples(self, model: Path) -> tuple[list[Any], Mapping[str, str], list[Any]]:
        """The rows to try, the kinds of their columns, and a sample; none where nobody can read any."""
        own = examples.own_rows(model)
        if own is not None or not self.env[contract.DATASETS]:
            own = own or []
            return own[: examples.MOST_ROWS], {}, own
        try:
            source = self._datasets(self.root / contract.PROCESSING_DATA)
            return examples.dataset_rows(
                source / self.env[contract.DATASETS],
                self.env[contract.FORMAT],
                self.env[contract.TARGET],
            )
        except data.DataError as error:
            # The workload reads it in its own way, or trained on none of it.
            log(f"mlops-iac {contract.PREDICT} is loaded, and asked for no rows: {error}")
            return [], {}, []

    def _check_input(self) -> None:
        """The rows of a batch prediction, held to the dataset's checks before any is predicted."""
        name = self.env[contract.DATASETS]
        source = self._datasets(self.root / contract.PROCESSING_DATA) / name
        checked = prediction.write_rows(
            source,
            self.env[contract.FORMAT],
            self._folder(contract.PROCESSING_ROWS),
            parts=int(self.env[contract.PARTS]),
        )
        prediction.save(checked, self._folder(contract.PROCESSING_REPORT) / contract.ROWS_FILE)
        log(f"mlops-iac {name}: {checked['rows']} rows")

    def _complete(self) -> None:
        """What was predicted, row by row with what was asked; short of a row it fails."""
        checked = prediction.load(self.root / contract.PROCESSING_CHECKED / contract.ROWS_FILE)
        limit = self.env.get(contract.ERROR_PERCENT)
        written = prediction.join(
            self.root / contract.PROCESSING_PREDICTED,
            checked,
            self._folder(contract.PROCESSING_OUTPUT),
            answer=self.env[contract.ANSWER],
            format_=self.env[contract.FORMAT],
            most_missing_percent=None if limit is None else float(limit),
        )
        prediction.save(written, self._folder(contract.PROCESSING_REPORT) / contract.ROWS_FILE)
        log(f"mlops-iac {written['predicted']} of {written['rows']} rows have a prediction")

    def _names(self) -> list[str]:
        return [name for name in self.env.get(contract.METRICS, "").split(",") if name]

    def _data(self, base: str) -> tuple[Path, dict[str, Any]]:
        """What `--data` is: what prepare wrote, with what it was made of, or the folder of the datasets."""
        if self.env.get(contract.DATASETS):
            return self._datasets(self.root / base), {}
        folder = self.root / base / contract.PREPARED
        file, about = folder / contract.DATA_FILE, {}
        with suppress(OSError, ValueError):  # a read-only disk; another version's
            about = json.loads(file.read_text(encoding="utf-8"))
            file.unlink()  # scripts see what scripts have written
        return folder, about

    def _about(self, source: Path) -> dict[str, Any]:
        """What is known of the datasets: `data` are profiles by name, `checks` what was demanded."""
        names = filter(None, self.env[contract.DATASETS].split(","))
        return {
            "data": {name: run_facts.profile(source / name) for name in names},
            "checks": [
                run_facts.check_words(f"{each['dataset']}.{each['field']}", each["rules"])
                for each in self._numbered(contract.CHECK)
            ],
        }

    def _datasets(self, base: Path) -> Path:
        """A folder with one folder per dataset, windowed and checked."""
        folder = self.root / "work" / "data"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        windows = {item["dataset"]: item for item in self._numbered(contract.WINDOW)}
        for name in self.env[contract.DATASETS].split(","):
            source = base / name
            if not source.is_dir():
                raise StepFailed(f"the dataset {name} was not delivered")
            if name in windows:
                limit = windows[name]
                kept, count = data.window(source, folder / name, limit["time"], limit["days"])
                log(f"mlops-iac {name}: {kept} of {count} rows, {limit['days']} days")
            else:
                (folder / name).symlink_to(source, target_is_directory=True)
        self._check(folder)
        return folder

    def _check(self, folder: Path) -> None:
        checks: dict[str, list[Mapping[str, Any]]] = {}
        for item in self._numbered(contract.CHECK):
            checks.setdefault(item["dataset"], []).append(item)
        broken = [
            sentence
            for name, items in checks.items()
            for sentence in data.check(folder / name, items)
        ]
        if broken:
            raise data.DataError("; ".join(broken))

    def _numbered(self, prefix: str) -> list[Any]:
        return [json.loads(self.env[name]) for name in sorted(self.env) if name.startswith(prefix)]

    def _folder(self, below: str) -> Path:
        folder = self.root / below
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _install(self) -> None:
        """Requirements in a processing container; training containers install them themselves."""
        requirements = self.code / "requirements.txt"
        if contract.ROOT_SETTING in self.env or not requirements.exists():
            return
        command = [sys.executable, "-m", "pip", "install", "-q", "-r", str(requirements)]
        if subprocess.run(command, check=False).returncode:
            raise StepFailed("the packages of requirements.txt could not be installed")

    def _execute(self, arguments: Sequence[Any], metrics: MetricsFile | None = None) -> None:
        path = self.code / self.script
        interpreter = _INTERPRETERS.get(path.suffix)
        if interpreter is None or not path.is_file():
            known = ", ".join(_INTERPRETERS)
            raise StepFailed(f"{self.script}: no such script in the code folder ({known})")
        command = [*interpreter, str(path), *map(str, arguments)]
        process = subprocess.Popen(command, cwd=self.code, env=self._own_env())
        code = self._wait(process, metrics)
        if metrics:
            metrics.announce()
        if code < 0:
            raise StepFailed(f"{self.script} {contract.killed(-code)}")
        if code:
            raise StepFailed(f"{self.script} {contract.ENDED} {code}")

    def _wait(self, process: subprocess.Popen[bytes], metrics: MetricsFile | None) -> int:
        """The exit code of the script; it is ended with us, and with what has started us."""
        parent = os.getppid()
        previous = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        try:
            while True:
                try:
                    return process.wait(timeout=_POLL_SECONDS)
                except subprocess.TimeoutExpired:
                    if metrics:
                        metrics.announce()
                    if os.getppid() != parent:
                        raise StepFailed(f"{self.script}: what had started it is gone") from None
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            signal.signal(signal.SIGTERM, previous)

    def _own_env(self) -> dict[str, str]:
        """What the workload sees: a script that printed its environment would show the machinery."""
        env = {k: v for k, v in self.env.items() if not k.startswith(contract.PREFIX)}
        env.setdefault("MPLBACKEND", "Agg")  # no display in a container
        return env


def main(code: Path, arguments: Sequence[str], env: Mapping[str, str] | None = None) -> int:
    """Run the step that the environment describes. Returns the exit code."""
    step = Step(code, os.environ if env is None else env, arguments)
    try:
        step.run()
    except (StepFailed, data.DataError) as error:
        message = f"{step.kind}: {error}"
        log(f"{contract.VERDICT}{message}")
        # Where the service looks for the reason: `failure` of a training, `message` of a
        # processing job.
        name = "failure" if step.kind == "train" else "message"
        lines = getattr(error, "lines", ())
        text = "\n".join([message, *lines])[:1024]
        (step._folder("output") / name).write_text(text, encoding="utf-8")
        return 1
    return 0
