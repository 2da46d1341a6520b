"""The local runner over a deployed definition: small scripts, a real (emulated) S3 and registry."""

from __future__ import annotations

import gzip
import io
import json
import re
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from mlops_iac.clouds.aws.runtime.seal import current
from mlops_iac.clouds.aws.sagemaker.definition.parts import SageMakerSettings
from mlops_iac.clouds.aws.sagemaker.definition.printer import definition, fill
from mlops_iac.clouds.aws.sagemaker.local import deployed
from mlops_iac.clouds.aws.sagemaker.registry import PackageGroups
from mlops_iac.errors import (
    Cancelled,
    MlopsError,
    ResourceFailed,
    ScriptFailed,
    TimedOut,
    UsageError,
)
from mlops_iac.pipeline import local
from mlops_iac.pipeline.executor import RunEvent
from mlops_iac.pipeline.local import RunResult
from mlops_iac.pipeline.run_record import last_record
from mlops_iac.pipeline.search import next_trial
from mlops_iac.pipeline.steps import (
    Dataset,
    Evaluate,
    Lifecycle,
    Limit,
    Prepare,
    Range,
    Register,
    Train,
    Try,
    Tune,
)
from mlops_iac.records import as_json, replace
from mlops_iac.runtime import contract
from mlops_iac.runtime.files import runtime_files
from mlops_iac.workload import environments

REGION = "eu-west-1"
STEPS = ("prepare", "train", "evaluate", "try", "serve")
ARGS = "import json, sys, time\nfrom pathlib import Path\na = dict(zip(sys.argv[1::2], sys.argv[2::2]))\n"
SCRIPTS = {
    "prepare.py": ARGS
    + 'rows = Path(a["--data"], "orders", "orders.csv").read_text()\n'
    + 'Path(a["--out"], "train.csv").write_text(rows)\nprint("prepared")\n',
    "train.py": ARGS
    + 'assert Path(a["--data"], "train.csv").exists()\n'
    + 'Path(a["--model"], "model.json").write_text(json.dumps(a))\n'
    + 'depth = int(a.get("--depth", 1))\n'
    + 'Path(a["--metrics"]).write_text(json.dumps({"accuracy": 0.6 + depth / 100}))\n',
    "evaluate.py": ARGS
    + 'model = json.loads(Path(a["--model"], "model.json").read_text())\n'
    + 'Path(a["--metrics"]).write_text(json.dumps({"accuracy": 0.6 + int(model.get("--depth", 1)) / 100}))\n'
    + 'Path(a["--metrics"]).with_name("picture.png").write_bytes(b"png")\n',
    "predict.py": "import json\nfrom pathlib import Path\n"
    'def load(folder): return int(json.loads(Path(folder, "model.json").read_text())["--depth"])\n'
    'def predict(model, rows): return [model * row["x"] for row in rows]\n',
    "requirements.txt": "",
}
LIFE = Lifecycle(
    model="churn",
    datasets=(Dataset("orders", "csv"),),
    metrics=("accuracy",),
    prepare=Prepare(script="prepare.py"),
    training=Train(script="train.py", hyperparameters={"depth": 5}),
    evaluate=Evaluate(script="evaluate.py"),
    gates=(Limit("accuracy", "at_least", 0.6),),
    register=Register(),
)

SERVED = replace(LIFE, tried=Try(rows=LIFE.datasets[0]))


class Cloud:
    """An emulated cloud with the uploaded code and data, and one project's work folder."""

    tracks = False

    def __init__(self, work: Path, client: Callable[[str], Any] | None = None) -> None:
        made = client or (lambda service: boto3.client(service, region_name=REGION))
        self.s3, self.sagemaker = made("s3"), made("sagemaker")
        self.work = work
        for bucket in ("artifacts", "data"):
            self.s3.create_bucket(
                Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
            )
        self.s3.put_object(Bucket="data", Key="orders/orders.csv", Body=b"x\n1\n")
        self.sagemaker.create_model_package_group(ModelPackageGroupName="churn")
        self.events: list[RunEvent] = []
        self.text = ""  # of the definition that is deployed

    def deployed(
        self, life: Lifecycle = LIFE, dataset: str = "s3://data/orders", **scripts: str
    ) -> tuple[Lifecycle, Any]:
        """What a run takes: the lifecycle of a deployed definition, and its backend."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            named = {f"{name}.py": text for name, text in scripts.items()}
            files = {name: text.encode() for name, text in {**SCRIPTS, **named}.items()}
            for name, content in {**files, **runtime_files()}.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
        packed = gzip.compress(buffer.getvalue(), mtime=0)  # the same again, as `up` packs it
        self.s3.put_object(Bucket="artifacts", Key="code/1/sourcedir.tar.gz", Body=packed)
        settings = SageMakerSettings(
            images={step: f"registry/{step}:1" for step in STEPS},
            instance_types=dict.fromkeys(STEPS, "ml.m5.large"),
            kms_key=None,
            volume_kms_key=None,
            tracks=self.tracks,
        )
        values = {
            "artifacts_bucket": "artifacts",
            "code_uri": "s3://artifacts/code/1/sourcedir.tar.gz",
            "dataset_uri_orders": dataset,
            "execution_role_arn": "arn:aws:iam::123456789012:role/x",
            "model_package_group_name": "churn",
            "tracking_server_arn": "arn:aws:sagemaker:eu-west-1:123456789012:mlflow-tracking-server/x",
            "region": REGION,
            "seal_function_arn": "arn:aws:lambda:eu-west-1:123456789012:function:seal",
        }
        self.text = text = fill(definition(life, settings)[0], values)
        found = deployed(as_json((life, settings)), text, self.client)
        assert found is not None
        return found

    def client(self, service: str) -> Any:
        return {"s3": self.s3, "sagemaker": self.sagemaker}[service]

    def run(
        self,
        life: Lifecycle = LIFE,
        from_step: str | None = None,
        python: Path | None = Path(sys.executable),
        given: Mapping[str, str] | None = None,
        cache: bool = False,
        **scripts: str,
    ) -> RunResult:
        return local.run(
            *self.deployed(life, **scripts),
            work=self.work,
            pipeline="churn",
            workload_python=python,
            from_step=from_step,
            given=given,
            cache=cache,
            on_event=self.events.append,
        )

    def stored(self) -> list[str]:
        listed = self.s3.list_objects_v2(Bucket="artifacts").get("Contents", [])
        return [item["Key"] for item in listed]

    def content(self, key: str) -> bytes:
        body: bytes = self.s3.get_object(Bucket="artifacts", Key=key)["Body"].read()
        return body

    def served(self, result: RunResult) -> str:
        """The key of what an endpoint of the registered version reads."""
        found = self.sagemaker.describe_model_package(ModelPackageName=result.registered)
        uri: str = found["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
        return uri.removeprefix("s3://artifacts/")

    def versions(self) -> list[dict[str, Any]]:
        listed = self.sagemaker.list_model_packages(ModelPackageGroupName="churn")
        found: list[dict[str, Any]] = listed["ModelPackageSummaryList"]
        return found

    def notes(self) -> list[str]:
        return [event.message for event in self.events if event.kind == "note"]


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        yield Cloud(tmp_path / "my project" / ".mlops-iac")


def test_a_version_that_passes_is_registered_and_waits_for_approval(cloud: Cloud) -> None:
    result = cloud.run()
    assert result.status == "registered"
    assert result.metrics == {"accuracy": 0.65}
    assert list(result.steps.values()) == ["succeeded"] * 7
    assert result.registered is not None
    found = cloud.sagemaker.describe_model_package(ModelPackageName=result.registered)
    assert found["ModelApprovalStatus"] == "PendingManualApproval" == result.approval
    report = found["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
    bucket, _, key = report.removeprefix("s3://").partition("/")
    stored = json.loads(cloud.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    assert stored == {"metrics": {"accuracy": 0.65}}
    container = found["InferenceSpecification"]["Containers"][0]
    assert container["Image"] == "registry/serve:1"
    assert container["ModelDataUrl"].removeprefix("s3://artifacts/") in cloud.stored()


def test_the_model_archive_holds_what_serves_it(cloud: Cloud) -> None:
    result = cloud.run()
    key = next(key for key in cloud.stored() if key.endswith("model.tar.gz"))
    assert re.fullmatch(f"models/churn/{result.id}/[0-9a-f-]+/model.tar.gz", key)
    body = cloud.s3.get_object(Bucket="artifacts", Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        names = tar.getnames()
    assert {"model.json", "code/inference.py", "code/mlops_runtime/inference.py"} <= set(names)


def test_what_a_version_answers_is_sealed_and_found_from_it(cloud: Cloud) -> None:
    result = cloud.run(SERVED)
    assert list(result.steps)[4:] == ["SealReport", "Try", "SealExamples", "Gate", "Register"]
    found = cloud.sagemaker.describe_model_package(ModelPackageName=result.registered)
    uri = found["CustomerMetadataProperties"]["examples"]
    assert re.fullmatch(f"s3://artifacts/models/churn/{result.id}/[0-9a-f-]+/examples.json", uri)
    kept = json.loads(cloud.content(uri.removeprefix("s3://artifacts/")))
    assert (kept["rows"], kept["predictions"]) == ([{"x": 1}], [5])
    registry = PackageGroups(SimpleNamespace(client=lambda name, *_: cloud.client(name)))  # type: ignore[arg-type]
    assert registry.examples(registry.describe(str(result.registered))) == kept
    assert (result.folder / "Try" / "report" / "examples.json").exists()


@pytest.mark.parametrize(
    ("predict", "reason"),
    [
        ("import nothing_like_it", "cannot be imported: ModuleNotFoundError"),
        ("def predict(m, r): ...\ndef load(folder): 1 / 0", "load failed: ZeroDivisionError"),
        (
            "def load(folder): ...\ndef predict(m, rows): return [r['age'] for r in rows]",
            "predict failed: KeyError: 'age'",
        ),
        (
            "def load(folder): ...\ndef predict(m, rows): return []",
            "predict returned 0 values for 1 rows",
        ),
        (
            "def load(folder): ...\ndef predict(m, rows): return [float('nan')]",
            "1 of 1 rows with NaN",
        ),
    ],
)
def test_a_version_that_cannot_predict_is_not_registered(
    cloud: Cloud, predict: str, reason: str
) -> None:
    with pytest.raises(ScriptFailed) as caught:
        cloud.run(SERVED, predict=predict)
    assert reason in caught.value.reason
    if "KeyError" in reason:
        assert "in predict\n" in caught.value.message
    assert cloud.versions() == []
    assert not [key for key in cloud.stored() if "examples" in key]
    assert last_record(cloud.work / "runs", "churn").steps["Try"].status == "failed"


def test_a_later_training_leaves_what_is_approved_as_it_is(cloud: Cloud) -> None:
    """It replaces all that jobs may replace; the served model and the report are not among it."""
    result = cloud.run()
    before = {key: cloud.content(key) for key in cloud.stored() if key.startswith("models/")}
    assert cloud.served(result) in before
    for key in cloud.stored():
        if key.startswith("pipelines/"):
            cloud.s3.put_object(Bucket="artifacts", Key=key, Body=b"another")
    cloud.run(replace(LIFE, training=Train(script="train.py", hyperparameters={"depth": 9})))
    assert {key: cloud.content(key) for key in before} == before


def test_a_repeated_training_of_one_run_is_measured_and_not_the_one_before(cloud: Cloud) -> None:
    with pytest.raises(ResourceFailed):
        cloud.run(evaluate="1 / 0")
    life = replace(LIFE, training=Train(script="train.py", hyperparameters={"depth": 9}))
    result = cloud.run(life, from_step="Train")
    assert result.metrics == pytest.approx({"accuracy": 0.69})
    with tarfile.open(fileobj=io.BytesIO(cloud.content(cloud.served(result)))) as tar:
        member = tar.extractfile("model.json")
        assert member is not None
        assert json.load(member)["--depth"] == "9"


def test_a_run_is_written_down_with_logs_and_pictures(cloud: Cloud) -> None:
    result = cloud.run()
    record = json.loads((result.folder / "run.json").read_text())
    assert (record["status"], record["registered"]) == ("registered", result.registered)
    assert (result.folder / "Prepare" / "log.txt").read_text() == "prepared\n"
    assert (result.folder / "Evaluate" / "report" / "picture.png").exists()
    assert not (result.folder / "Train" / "opt").exists()


def test_events_tell_start_lines_and_end_of_each_step(cloud: Cloud) -> None:
    cloud.run()
    prepare = [(e.kind, e.message) for e in cloud.events if e.step == "Prepare"]
    assert prepare == [("start", ""), ("line", "prepared"), ("done", "")]


def test_a_missed_gate_registers_nothing_and_says_which_number(cloud: Cloud) -> None:
    result = cloud.run(replace(LIFE, gates=(Limit("accuracy", "at_least", 0.9),)))
    assert result.status == "gate-failed"
    assert result.missed == ("accuracy is 0.65, must be at least 0.9",)
    assert result.registered is None
    assert cloud.versions() == []
    assert result.steps["GateFailed"] == "failed"


def test_a_version_must_be_no_worse_than_the_one_in_service_on_the_same_data(cloud: Cloud) -> None:
    def life(depth: int) -> Lifecycle:
        gates = (Limit("accuracy", "at_least", "current"),)
        train = Train(script="train.py", hyperparameters={"depth": depth})
        return replace(LIFE, training=train, gates=gates)

    first = cloud.run(life(5))
    assert first.status == "registered"
    assert "mlops-iac no version is in service yet: there is none to be worse than" in [
        event.message for event in cloud.events
    ]
    # One that waits for approval is not in service.
    assert cloud.run(life(4)).status == "registered"
    cloud.sagemaker.update_model_package(
        ModelPackageArn=first.registered, ModelApprovalStatus="Approved"
    )
    # It was registered with 0.65; what counts is what today's script finds on today's data.
    today = SCRIPTS["evaluate.py"].replace("0.6 +", "0.5 +")
    worse = cloud.run(life(4), evaluate=today)
    assert worse.missed == (
        "accuracy is 0.54, must be at least 0.55, which churn/1, in service, has on the same data",
    )
    page = (worse.folder / "report.html").read_text(encoding="utf-8")
    assert "at least 0.55, which churn/1 has on the same data" in page
    assert len(cloud.versions()) == 2


def test_the_version_in_service_is_the_pinned_or_the_newest_approved_one(cloud: Cloud) -> None:
    def found(version: str) -> dict[str, str]:
        return current(cloud.sagemaker, "churn", "churn", version, "s3://new")

    assert found("newest") == {"uri": "s3://new", "version": "none"}
    for status in ("Approved", "Approved", "Rejected", "PendingManualApproval"):
        cloud.sagemaker.create_model_package(
            ModelPackageGroupName="churn",
            ModelApprovalStatus=status,
            InferenceSpecification={
                "Containers": [{"Image": "x", "ModelDataUrl": f"s3://{len(cloud.versions())}"}],
                "SupportedContentTypes": ["application/json"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
        )
    assert found("newest") == {"uri": "s3://1", "version": "churn/2"}
    assert found("1") == {"uri": "s3://0", "version": "churn/1"}
    with pytest.raises(ValueError, match="churn has no version 9, which is pinned"):
        found("9")
    backend = cloud.deployed()[1]
    with pytest.raises(ResourceFailed, match="churn has no version 9"):
        backend.current("9", "s3://new")


def test_automatic_approval_registers_an_approved_version(cloud: Cloud) -> None:
    result = cloud.run(replace(LIFE, register=Register("automatic")))
    assert result.approval == "Approved"
    assert cloud.versions()[0]["ModelApprovalStatus"] == "Approved"


def test_without_prepare_and_evaluate_the_datasets_go_to_training(cloud: Cloud) -> None:
    life = replace(LIFE, prepare=None, evaluate=None, gates=())
    train = SCRIPTS["train.py"].replace('"train.csv"', '"orders", "orders.csv"')
    assert cloud.run(life, train=train).status == "registered"


def test_a_crash_shows_the_end_of_its_log_and_leaves_the_version_out(cloud: Cloud) -> None:
    with pytest.raises(ResourceFailed) as caught:
        cloud.run(train="print('reading')\nraise ValueError('no such column: age')\n")
    assert "Train failed" in caught.value.message
    assert "ValueError: no such column: age" in caught.value.message
    assert "log.txt" in caught.value.hint
    assert cloud.versions() == []


LINK = SCRIPTS["train.py"] + "import os; os.symlink('/etc', os.path.join(a['--model'], 'l'))\n"


@pytest.mark.parametrize(
    ("train", "reason"),
    [
        (f"{LINK}\nprint('so far so good')", "left in --model what is no file and no folder: 'l'"),
        ("print('begins')\nraise ValueError('no age')", "ValueError: no age"),
        ("raise SystemExit(7)", "train.py ended with exit code 7"),
        ("print('begins')\nimport os; os.kill(os.getpid(), 9)", "train.py was killed (signal 9)"),
        ("import os; os.kill(os.getppid(), 9)", "Train was killed (signal 9)"),
    ],
)
def test_the_record_says_why_a_step_failed(cloud: Cloud, train: str, reason: str) -> None:
    with pytest.raises(ResourceFailed, match=re.escape(reason)):
        cloud.run(train=train)
    assert any(reason in event.message for event in cloud.events if event.kind == "line")
    assert reason in last_record(cloud.work / "runs", "churn").steps["Train"].error


def test_packages_that_cannot_be_installed_are_a_failed_step(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        cause = ScriptFailed("pip", ["no nope"], "log", "no nope")
        raise ResourceFailed("the whole log") from cause

    monkeypatch.setattr(environments, "workload_python", fail)
    with pytest.raises(ResourceFailed):
        cloud.run(python=None)
    record = last_record(cloud.work / "runs", "churn")
    assert (record.status, record.steps["environment"].error) == ("failed", "no nope")


def test_a_failed_run_continues_at_the_step_with_the_repaired_script(cloud: Cloud) -> None:
    with pytest.raises(ResourceFailed):
        cloud.run(evaluate="1 / 0")
    first = sorted((cloud.work / "runs").iterdir())
    cloud.events.clear()
    result = cloud.run(from_step="Evaluate")
    assert sorted((cloud.work / "runs").iterdir()) == first
    assert result.steps == {
        "Prepare": "reused", "Train": "reused", "Seal": "reused", "Evaluate": "succeeded",
        "SealReport": "succeeded", "Gate": "succeeded", "Register": "succeeded",
    }  # fmt: skip
    assert not [e for e in cloud.events if e.step == "Train" and e.kind == "start"]
    assert len(cloud.versions()) == 1


def test_a_run_killed_after_registering_registers_once(cloud: Cloud) -> None:
    result = cloud.run()
    path = result.folder / "run.json"
    record = json.loads(path.read_text())
    record |= {"registered": None, "status": "running"}
    record["steps"]["Register"] |= {"status": "running", "properties": {}}
    path.write_text(json.dumps(record))
    again = cloud.run(from_step="Register")
    assert again.registered == result.registered
    assert len(cloud.versions()) == 1


@pytest.mark.parametrize(
    ("step", "sentence"), [("Evaluat", "no step 'Evaluat'"), ("Train", "has not been run here")]
)
def test_a_continuation_of_nothing_is_refused(cloud: Cloud, step: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        cloud.run(from_step=step)


def test_a_continuation_behind_an_unfinished_step_names_it(cloud: Cloud) -> None:
    with pytest.raises(ResourceFailed):
        cloud.run(train="1 / 0")
    with pytest.raises(UsageError, match="its step Train is not done"):
        cloud.run(from_step="Evaluate")


def test_a_torn_record_is_an_error_and_not_a_traceback(cloud: Cloud) -> None:
    result = cloud.run()
    (result.folder / "run.json").write_text('{"version"')
    with pytest.raises(UsageError, match="cannot be read"):
        cloud.run(from_step="Evaluate")


def test_a_step_that_takes_too_long_is_stopped(cloud: Cloud) -> None:
    life, backend = cloud.deployed(prepare="import time\ntime.sleep(60)\n")
    assert life.prepare is not None
    life = replace(life, prepare=replace(life.prepare, timeout_minutes=1 / 60))
    began = time.monotonic()
    with pytest.raises(TimedOut, match="Prepare ran longer than"):
        local.run(life, backend, work=cloud.work, workload_python=Path(sys.executable))
    assert time.monotonic() - began < 20


def test_an_interruption_ends_the_script_and_says_how_to_continue(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    import _thread

    def interrupt(event: RunEvent) -> None:
        if event.message == "up":
            threading.Timer(0.1, _thread.interrupt_main).start()

    prepare = "print('up', flush=True)\nimport time\ntime.sleep(60)\n"
    began = time.monotonic()
    with pytest.raises(Cancelled, match="interrupted"):
        local.run(
            *cloud.deployed(prepare=prepare),
            work=cloud.work,
            workload_python=Path(sys.executable),
            on_event=interrupt,
        )
    assert time.monotonic() - began < 20
    (folder,) = (cloud.work / "runs").iterdir()
    assert json.loads((folder / "run.json").read_text())["steps"]["Prepare"]["status"] == "stopped"


TUNE = Tune(
    train=Train(script="train.py"),
    strategy="grid",
    metric="accuracy",
    goal="maximize",
    trials=3,
    parallel=2,
    search={"depth": Range("values", values=("7", "3", "9"))},
)


def test_a_grid_is_tried_whole_and_the_best_is_registered(cloud: Cloud) -> None:
    result = cloud.run(replace(LIFE, training=TUNE))
    assert result.metrics == pytest.approx({"accuracy": 0.69})
    trials = [key for key in cloud.stored() if key.endswith("/output/model.tar.gz")]
    assert len(trials) == 3
    (best,) = [key for key in trials if f"/{result.id}-Tune003/" in key]
    assert cloud.content(cloud.served(result)) == cloud.content(best)


def test_minimizing_keeps_the_lowest(cloud: Cloud) -> None:
    result = cloud.run(replace(LIFE, training=replace(TUNE, goal="minimize")))
    assert result.metrics == pytest.approx({"accuracy": 0.63})


def test_a_bayesian_search_follows_from_the_definition_and_what_came_before(cloud: Cloud) -> None:
    search = {"depth": Range("integer", low="2", high="30")}
    tune = replace(TUNE, strategy="bayesian", parallel=1, search=search)
    cloud.run(replace(LIFE, training=tune))
    record = last_record(cloud.work / "runs", "churn")
    done = record.steps["Tune"].properties["trials"]
    trials, values = ([each[key] for each in done] for key in ("trial", "value"))
    for at, trial in enumerate(trials):
        assert trial == next_trial(tune, record.definition, trials[:at], values[:at])


def test_a_trial_that_fails_does_not_count(cloud: Cloud) -> None:
    train = SCRIPTS["train.py"] + "assert depth != 9\n"
    result = cloud.run(replace(LIFE, training=TUNE), train=train)
    assert result.metrics == pytest.approx({"accuracy": 0.67})
    assert any(note.startswith("trial 3 failed: depth=9") for note in cloud.notes())


def test_a_tuning_of_failures_fails(cloud: Cloud) -> None:
    with pytest.raises(ResourceFailed, match="all 3 trials failed"):
        cloud.run(replace(LIFE, training=TUNE), train="1 / 0")


def test_checkpoints_outlive_a_crash(cloud: Cloud) -> None:
    train = SCRIPTS["train.py"] + (
        'kept = Path(a["--checkpoints"], "epoch")\n'
        "if not kept.exists():\n    kept.write_text('1')\n    raise SystemExit('taken away')\n"
    )
    life = replace(LIFE, training=Train(script="train.py", checkpoints=True))
    with pytest.raises(ResourceFailed):
        cloud.run(life, train=train)
    assert cloud.run(life, from_step="Train", train=train).status == "registered"


def test_scripts_see_no_credentials(cloud: Cloud) -> None:
    prepare = SCRIPTS["prepare.py"] + (
        "import os\nassert not [n for n in os.environ if n.startswith(('AWS_', 'MLOPS_'))], os.environ\n"
    )
    assert cloud.run(prepare=prepare).status == "registered"


def test_two_processes_do_not_continue_the_same_run(cloud: Cloud) -> None:
    from filelock import FileLock

    with pytest.raises(ResourceFailed):
        cloud.run(train="1 / 0")
    (folder,) = (cloud.work / "runs").iterdir()
    with FileLock(folder / "lock"), pytest.raises(UsageError, match="by another process"):
        cloud.run(from_step="Train")
    assert cloud.run(from_step="Train").status == "registered"


def test_missing_data_are_named(cloud: Cloud) -> None:
    cloud.s3.delete_object(Bucket="data", Key="orders/orders.csv")
    with pytest.raises(UsageError, match="nothing at s3://data/orders"):
        cloud.run()


def test_a_missing_bucket_is_a_failed_resource(cloud: Cloud) -> None:
    with pytest.raises(ResourceFailed, match="reading s3://gone/orders"):
        local.run(
            *cloud.deployed(dataset="s3://gone/orders"),
            work=cloud.work,
            workload_python=Path(sys.executable),
        )


def test_a_work_folder_that_cannot_be_written_is_an_error(cloud: Cloud) -> None:
    cloud.work.parent.mkdir(parents=True, exist_ok=True)
    cloud.work.write_text("a file in the way")
    with pytest.raises(MlopsError, match="is a file; nothing was read or written"):
        cloud.run()


def test_a_cached_step_is_one_whose_code_data_and_settings_are_the_same(cloud: Cloud) -> None:
    first = cloud.run()

    def executed(**how: Any) -> list[str]:
        result = cloud.run(cache=True, **how)
        assert result.status == "registered"
        jobs = ("Prepare", "Train", "Evaluate")
        return [name for name in jobs if result.steps[name] == "succeeded"]

    assert executed() == []
    (told,) = (str(e) for e in cloud.events if e.step == "Prepare" and e.kind == "reused")
    assert told == f"Prepare: as run {first.id} left it"
    assert executed(given={"depth": "9"}) == ["Train", "Evaluate"]
    assert cloud.run(cache=True, given={"depth": "9"}).metrics == pytest.approx({"accuracy": 0.69})
    cloud.s3.put_object(Bucket="data", Key="orders/orders.csv", Body=b"x\n2\n")
    assert executed() == ["Prepare", "Train", "Evaluate"]
    newest = last_record(cloud.work / "runs", "churn").id
    for name in ("train.csv", contract.DATA_FILE):
        key = f"pipelines/churn/{newest}/prepared/{name}"
        cloud.s3.delete_object(Bucket="artifacts", Key=key)
    assert executed() == ["Prepare"]  # what it had left is lost


def test_hyperparameters_of_one_run_reach_the_script_the_record_and_the_version(
    cloud: Cloud,
) -> None:
    result = cloud.run(given={"depth": "9"})
    assert result.metrics == pytest.approx({"accuracy": 0.69})
    record = last_record(cloud.work / "runs", "churn")
    assert (record.given, record.hyperparameters) == ({"depth": "9"}, {"depth": 9})
    found = cloud.sagemaker.describe_model_package(ModelPackageName=result.registered)
    assert "depth=9" in found["ModelPackageDescription"]
    ordinary = cloud.sagemaker.describe_model_package(ModelPackageName=cloud.run().registered)
    assert "ModelPackageDescription" not in ordinary


def test_a_run_that_is_continued_keeps_its_hyperparameters(cloud: Cloud) -> None:
    with pytest.raises(ResourceFailed):
        cloud.run(given={"depth": "9"}, train="1 / 0")
    with pytest.raises(UsageError, match="keeps its hyperparameters"):
        cloud.run(given={"depth": "8"}, from_step="Train")
    assert cloud.run(from_step="Train").metrics == pytest.approx({"accuracy": 0.69})


def test_a_searched_hyperparameter_that_is_given_is_tried_alone(cloud: Cloud) -> None:
    result = cloud.run(replace(LIFE, training=TUNE), given={"depth": "7"})
    assert result.metrics == pytest.approx({"accuracy": 0.67})
    assert len([note for note in cloud.notes() if note.startswith("trial ")]) == 1


def test_what_a_step_took_is_told_and_written_down(cloud: Cloud) -> None:
    result = cloud.run()
    train = json.loads((result.folder / "run.json").read_text())["steps"]["Train"]
    assert 0 < train["cpu_seconds"] < 60
    assert 5_000_000 < train["peak_bytes"] < 2_000_000_000
    assert result.usage["Train"]["peak_bytes"] == train["peak_bytes"]
    (begun,) = (str(e) for e in cloud.events if e.step == "Train" and e.kind == "start")
    assert begun == "[2/7] Train …"
    (done,) = (str(e) for e in cloud.events if e.step == "Train" and e.kind == "done")
    assert re.search(r"s of processors, \d+ MB$", done)


def test_a_run_leaves_a_page_however_it_ends(cloud: Cloud) -> None:
    result = cloud.run()
    page = (result.folder / "report.html").read_text(encoding="utf-8")
    assert "data:image/png;base64,cG5n" in page  # the picture that evaluation leaves
    assert "<td>accuracy</td><td>0.65</td><td>at least 0.6</td>" in page
    assert "<td>python</td>" in page
    with pytest.raises(ResourceFailed):
        cloud.run(train="raise ValueError('no such <column>')\n")
    (failed,) = {*(cloud.work / "runs").iterdir()} - {result.folder}
    assert "no such &lt;column&gt;" in (failed / "report.html").read_text(encoding="utf-8")


def test_a_run_that_is_kept_in_mlflow_is_one_run_there(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.tracking import MlflowClient

    monkeypatch.setattr(cloud, "tracks", True)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    result = cloud.run()
    client = MlflowClient((cloud.work / "mlflow").as_uri())
    [run] = client.search_runs([client.get_experiment_by_name("churn").experiment_id])
    assert run.info.status == "FINISHED"
    assert run.data.tags["mlops_iac.run"] == result.id
    assert run.data.params == {"depth": "5"}
    assert run.data.metrics["accuracy"] == pytest.approx(result.metrics["accuracy"])
    kept = {each.path for each in client.list_artifacts(run.info.run_id)}
    assert kept == {"evaluate", "model", "train"}
