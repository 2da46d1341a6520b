"""The step entry point: the script contract, in folders laid out as SageMaker lays them out."""

from __future__ import annotations

import json
import os
import re
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.pipeline.steps import Limit
from mlops_iac.runtime import contract, step
from mlops_iac.runtime.metrics import MetricsFile, missed_gates
from mlops_iac.runtime.step import main

SHOW = """
import json, os, sys
from pathlib import Path
args = dict(zip(sys.argv[1::2], sys.argv[2::2]))
Path("seen.json").write_text(json.dumps({"args": sys.argv[1:], "env": dict(os.environ)}))
"""
PREPARE = (
    SHOW
    + 'Path(args["--out"], "data.txt").write_text("|".join(sorted(os.listdir(args["--data"]))))'
)
TRAIN = (
    SHOW
    + """
Path(args["--model"], "model.txt").write_text(args.get("--depth", ""))
Path(args["--metrics"]).write_text(json.dumps({"accuracy": 0.75, "loss": 2}))
"""
)
EVALUATE = (
    SHOW
    + """
assert Path(args["--model"], "model.txt").exists()
Path(args["--metrics"]).write_text(json.dumps({"accuracy": 0.5}))
"""
)


class Container:
    """`/opt/ml` in a temporary folder."""

    def __init__(self, root: Path, kind: str, script: str) -> None:
        self.root = root / "opt ml"
        self.code = self.root / "code"
        self.code.mkdir(parents=True)
        (self.code / f"{kind}.py").write_text(script)
        self.env = {
            "PATH": "/usr/bin:/bin",
            contract.ROOT_SETTING: str(self.root),
            contract.STEP: kind,
            contract.SCRIPT: f"{kind}.py",
            contract.DATASETS: "",
        }

    def put(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def deliver_code(self) -> None:
        """The code archive, as the channel that only training has."""
        archive = self.root / contract.CHANNELS / contract.CODE_CHANNEL / contract.CODE_FILE
        archive.parent.mkdir(parents=True)
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(self.code, ".")

    def run(self, *arguments: str) -> int:
        return main(self.code, arguments, self.env)

    def seen(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((self.code / "seen.json").read_text())
        return loaded

    def reason(self, name: str = "message") -> str:
        return (self.root / "output" / name).read_text()


@pytest.fixture
def prepare(tmp_path: Path) -> Container:
    container = Container(tmp_path, "prepare", PREPARE)
    container.env[contract.DATASETS] = "orders,stores"
    container.put("processing/input/data/orders/a.csv", "at,x\n2026-01-01,1\n2026-03-01,2\n")
    container.put("processing/input/data/stores/b.csv", "y\n1\n")
    return container


@pytest.fixture
def train(tmp_path: Path) -> Container:
    container = Container(tmp_path, "train", TRAIN)
    container.put("input/data/prepared/train.csv", "x\n1\n")
    given = {"depth": "4", "sagemaker_program": "x", "_tuning_objective_metric": "accuracy"}
    container.put(contract.HYPERPARAMETERS, json.dumps(given))
    container.deliver_code()
    return container


@pytest.fixture
def evaluate(tmp_path: Path) -> Container:
    container = Container(tmp_path, "evaluate", EVALUATE)
    container.put("processing/input/data/prepared/test.csv", "x\n1\n")
    container.put("trained/model.txt", "")
    archive = container.root / "processing/input/model/model.tar.gz"
    archive.parent.mkdir(parents=True)
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(container.root / "trained/model.txt", "model.txt")
    return container


def test_prepare_gets_a_folder_per_dataset_and_its_hyperparameters(prepare: Container) -> None:
    assert prepare.run("--share", "0.2") == 0
    data, out = prepare.root / "work/data", prepare.root / "processing/output/prepared"
    assert prepare.seen()["args"] == ["--data", str(data), "--out", str(out), "--share", "0.2"]
    assert (out / "data.txt").read_text() == "orders|stores"


def test_a_script_sees_none_of_the_machinerys_settings(prepare: Container) -> None:
    prepare.env["LOG_LEVEL"] = "info"
    assert prepare.run() == 0
    seen = prepare.seen()["env"]
    assert seen["LOG_LEVEL"] == "info"
    assert not [name for name in seen if name.startswith("MLOPS_IAC_")]


def test_a_broken_check_stops_before_the_script(prepare: Container) -> None:
    item = {"dataset": "orders", "format": "csv", "field": "x", "rules": {"at_most": 1}}
    prepare.env[contract.CHECK + "00"] = json.dumps(item)
    assert prepare.run() == 1
    assert "prepare: orders.x: must be at most 1, but 1 of 2 rows break it" in prepare.reason()
    assert not (prepare.code / "seen.json").exists()


def test_a_window_is_cut_before_checks_and_script(prepare: Container) -> None:
    window = {"dataset": "orders", "time": "at", "days": 30}
    item = {"dataset": "orders", "format": "csv", "field": "x", "rules": {"at_least": 2}}
    prepare.env |= {
        contract.WINDOW + "00": json.dumps(window),
        contract.CHECK + "00": json.dumps(item),
    }
    assert prepare.run() == 0
    assert (prepare.root / "work/data/orders/a.csv").read_text() == "at,x\n2026-03-01,2\n"
    original = prepare.root / "processing/input/data/orders/a.csv"
    assert original.read_text().count("\n") == 3


def test_a_dataset_that_was_not_delivered_is_named(prepare: Container) -> None:
    prepare.env[contract.DATASETS] = "orders,elsewhere"
    assert prepare.run() == 1
    assert "the dataset elsewhere was not delivered" in prepare.reason()


def test_preparing_nothing_is_a_failure(prepare: Container) -> None:
    (prepare.code / "prepare.py").write_text("")
    assert prepare.run() == 1
    assert "wrote nothing to --out" in prepare.reason()


def test_train_gets_the_contract_and_only_the_users_hyperparameters(train: Container) -> None:
    assert train.run("--ignored", "x") == 0
    root = train.root
    assert train.seen()["args"] == [
        "--data", str(root / "input/data/prepared"),
        "--model", str(root / "model"),
        "--metrics", str(root / "output/data/metrics.json"),
        "--depth", "4",
    ]  # fmt: skip


def test_without_prepare_train_gets_a_folder_per_dataset_and_no_code_channel(
    tmp_path: Path,
) -> None:
    container = Container(tmp_path, "train", TRAIN)
    container.env[contract.DATASETS] = "orders"
    container.put("input/data/orders/a.csv", "x\n1\n")
    container.deliver_code()
    container.put(contract.HYPERPARAMETERS, "{}")
    assert container.run() == 0
    data = Path(container.seen()["args"][1])
    assert [path.name for path in data.iterdir()] == ["orders"]
    assert (data / "orders" / "a.csv").exists()


def test_the_model_carries_the_code_that_was_packed_and_its_versions(train: Container) -> None:
    # A container that installs the folder leaves this in it.
    (train.code / "build").mkdir()
    assert train.run() == 0
    found = {path.name for path in (train.root / "model/code").iterdir()}
    assert found == {"train.py", contract.VERSIONS_FILE}


def test_what_prepare_read_travels_with_the_model_and_no_script_sees_it(
    train: Container, tmp_path: Path
) -> None:
    prepare = Container(tmp_path / "prepare", "prepare", PREPARE)
    prepare.env[contract.DATASETS] = "orders,stores"
    prepare.put("processing/input/data/orders/a.csv", "x\n1\n2\n")
    prepare.put("processing/input/data/stores/b.csv", "y\n1\n")
    item = {"dataset": "orders", "format": "csv", "field": "x", "rules": {"at_least": 0}}
    prepare.env[contract.CHECK + "00"] = json.dumps(item)
    assert prepare.run() == 0
    prepared = prepare.root / "processing/output/prepared" / contract.DATA_FILE
    train.put(f"input/data/prepared/{contract.DATA_FILE}", prepared.read_text())
    (train.code / "train.py").write_text(TRAIN + 'assert len(os.listdir(args["--data"])) == 1')
    assert train.run() == 0
    known = json.loads((train.root / "model/code" / contract.VERSIONS_FILE).read_text())
    assert known["hyperparameters"] == {"depth": "4"}
    assert known["checks"] == ["orders.x: at least 0"]
    assert known["data"]["orders"]["rows"] == 2
    assert set(known["data"]) == {"orders", "stores"}


@pytest.mark.parametrize(
    ("left", "sentence"),
    [
        ('Path(model, "best").symlink_to("model.txt")', "'best' (a link)"),
        ('Path(model, "last").symlink_to("/nowhere")', "'last' (a link)"),
        ('Path(model, "a").mkdir(); Path(model, "a/b").symlink_to(model)', "'a/b' (a link)"),
        ('os.mkfifo(Path(model, "queue"))', "'queue' (a device, pipe or socket)"),
        ('Path(os.fsdecode(os.fsencode(model) + b"/\\xff")).symlink_to("x")', r"'\udcff' (a link)"),
        ('Path(model, "code").write_text("")', "left code in --model"),
    ],
)
def test_what_no_archive_carries_is_told_at_training(
    train: Container, left: str, sentence: str
) -> None:
    (train.code / "train.py").write_text(TRAIN + f'model = args["--model"]\n{left}\n')
    assert train.run() == 1
    assert sentence in train.reason("failure")
    assert not (train.root / "model/code/train.py").exists()


@pytest.mark.parametrize(("tuned", "below"), [(False, ""), (True, "/trial-7")])
def test_trials_keep_their_checkpoints_apart(train: Container, tuned: bool, below: str) -> None:
    given = {"_tuning_objective_metric": "accuracy"} if tuned else {}
    train.put(contract.HYPERPARAMETERS, json.dumps(given))
    train.env |= {contract.KEEP_CHECKPOINTS: "true", "TRAINING_JOB_NAME": "trial-7"}
    assert train.run() == 0
    folder = f"{train.root / 'checkpoints'}{below}"
    assert train.seen()["args"][-2:] == ["--checkpoints", folder]
    assert Path(folder).is_dir()


def test_metrics_are_printed_so_that_tuning_finds_them(
    train: Container, capfd: pytest.CaptureFixture[str]
) -> None:
    assert train.run() == 0
    log = capfd.readouterr().out
    found = re.findall(contract.metric_regex("accuracy"), log)
    assert found == ["0.75"]
    assert re.findall(contract.metric_regex("loss"), log) == ["2.0"]


def test_metrics_that_are_rewritten_are_printed_each_time(
    train: Container, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    announce = MetricsFile.announce

    def announced(self: MetricsFile) -> None:
        announce(self)
        for name, value in self._announced.items():
            (train.code / f"announced-{name}-{value}").touch()

    monkeypatch.setattr(MetricsFile, "announce", announced)
    monkeypatch.setattr(step, "_POLL_SECONDS", 0.02)
    waiting = TRAIN + (
        "import time\n"
        "for value in (0.1, 0.2):\n"
        '    Path(args["--metrics"]).write_text(json.dumps({"accuracy": value}))\n'
        '    while not Path(f"announced-accuracy-{value}").exists():\n'
        "        time.sleep(0.01)\n"
    )
    (train.code / "train.py").write_text(waiting)
    assert train.run() == 0
    found = re.findall(contract.metric_regex("accuracy"), capfd.readouterr().out)
    assert found[-2:] == ["0.1", "0.2"]


def test_a_number_is_printed_again_where_it_is_reported_again(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = MetricsFile(tmp_path / "metrics.json")
    file.path.write_text('{"accuracy": 0.7}')
    for written in (1, 1, 2):
        os.utime(file.path, (written, written))
        file.announce()
    assert re.findall(contract.metric_regex("accuracy"), capfd.readouterr().out) == ["0.7", "0.7"]


def test_one_metrics_name_does_not_find_anothers_value() -> None:
    line = contract.metric_line("accuracy_forest", 0.9)
    assert not re.search(contract.metric_regex("accuracy"), line)
    assert (
        re.search(contract.metric_regex("f1-score"), contract.metric_line("f1-score", 1e-05))[1]
        == "1e-05"
    )  # type: ignore[index]


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ('{"loss": 1}', "--metrics lacks accuracy; it has loss"),
        ('{"accuracy": NaN}', "accuracy is nan, which is no measurement"),
        ('{"accuracy": "high"}', "accuracy is 'high', not a number"),
        ('{"accuracy": true}', "accuracy is True, not a number"),
        ("[]", "--metrics is not a JSON object"),
        ("{", "--metrics is not JSON"),
    ],
)
def test_metrics_that_say_nothing_fail_the_step(
    train: Container, written: str, sentence: str
) -> None:
    train.env[contract.METRICS] = "accuracy"
    (train.code / "train.py").write_text(
        TRAIN + f'Path(args["--metrics"]).write_text({written!r})\n'
    )
    assert train.run() == 1
    assert sentence in train.reason("failure")


def test_a_script_without_metrics_fails(train: Container) -> None:
    (train.code / "train.py").write_text("")
    assert train.run() == 1
    assert "the script wrote no --metrics" in train.reason("failure")


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("raise SystemExit(7)", "ended with exit code 7"),
        ("import os; os.kill(os.getpid(), 9)", "was killed (signal 9), often by too little memory"),
    ],
)
def test_a_script_that_crashes_fails_the_step_with_how_it_ended(
    train: Container, script: str, reason: str
) -> None:
    (train.code / "train.py").write_text(script)
    assert train.run() == 1
    assert train.reason("failure") == f"train: train.py {reason}"


def test_evaluate_unpacks_the_model_and_writes_the_report(evaluate: Container) -> None:
    evaluate.env[contract.METRICS] = "accuracy"
    assert evaluate.run() == 0
    report = json.loads((evaluate.root / "processing/output/report/report.json").read_text())
    assert report == {"metrics": {"accuracy": 0.5}}


def test_a_missed_gate_is_said_on_the_page_and_left_to_the_pipeline(
    evaluate: Container, capfd: pytest.CaptureFixture[str]
) -> None:
    evaluate.env |= {contract.METRICS: "accuracy", contract.MODEL_NAME: "churn", contract.RUN: "r7"}
    evaluate.env[contract.GATE + "00"] = json.dumps(
        {"metric": "accuracy", "bound": "at_least", "value": 0.8}
    )
    assert evaluate.run() == 0
    assert "gate missed: accuracy is 0.5, must be at least 0.8" in capfd.readouterr().out
    page = (evaluate.root / "processing/output/report/report.html").read_text()
    assert "<h1>churn · run r7</h1>" in page
    assert "accuracy is 0.5, must be at least 0.8" in page


def test_a_version_in_service_that_cannot_be_measured_fails_the_step_and_says_what_to_do(
    evaluate: Container,
) -> None:
    evaluate.env |= {contract.METRICS: "accuracy", contract.CURRENT: "churn/3"}
    archive = evaluate.root / contract.PROCESSING_CURRENT / contract.MODEL_FILE
    archive.parent.mkdir(parents=True)
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(evaluate.code / "evaluate.py", "another.txt")
    assert evaluate.run() == 1
    assert evaluate.reason().startswith(
        "evaluate: churn/3, in service, cannot be measured on today's data: evaluate.py ended with"
        " exit code 1; where it cannot read them any more, leave `no_worse_than` out until"
    )


@pytest.mark.parametrize(
    ("bound", "value", "limit", "missed"),
    [
        ("at_least", 0.8, 0.8, False),
        ("at_least", 0.79, 0.8, True),
        ("at_most", 2, 2, False),
        ("at_most", 2.1, 2, True),
    ],
)
def test_gates_include_their_limit(bound: Any, value: float, limit: float, missed: bool) -> None:
    gate = Limit("loss", bound, limit)
    found = missed_gates([{"metric": gate.metric, "bound": bound, "value": limit}], {"loss": value})
    assert bool(found) is missed


@pytest.mark.parametrize(("name", "kind"), [("missing.py", "prepare"), ("prepare.exe", "prepare")])
def test_a_script_that_cannot_be_run_is_named(prepare: Container, name: str, kind: str) -> None:
    prepare.env[contract.SCRIPT] = name
    assert prepare.run() == 1
    assert f"{name}: no such script" in prepare.reason()


def test_a_shell_script_is_run_by_bash(prepare: Container) -> None:
    (prepare.code / "prepare.sh").write_text('echo "$1" > "$4/out.txt"\n')
    prepare.env[contract.SCRIPT] = "prepare.sh"
    assert prepare.run() == 0
    assert (prepare.root / "processing/output/prepared/out.txt").read_text() == "--data\n"


@pytest.mark.parametrize("package", ["mlops_iac.runtime", "mlops_iac.clouds.aws.runtime"])
def test_the_runtime_reads_as_the_python_of_older_containers(package: str) -> None:
    import ast
    from importlib.resources import files

    for path in Path(str(files(package))).glob("*.py"):
        ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))
    assert sys.version_info >= (3, 11)
