"""A batch prediction on this machine: a real (emulated) S3, registry and catalogue, small models."""

from __future__ import annotations

import io
import json
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from mlops_iac.clouds.aws.sagemaker.definition.parts import SageMakerSettings
from mlops_iac.clouds.aws.sagemaker.definition.printer import fill
from mlops_iac.clouds.aws.sagemaker.local import deployed
from mlops_iac.clouds.aws.sagemaker.modes.batch_definition import definition
from mlops_iac.errors import ResourceFailed, ScriptFailed, UsageError
from mlops_iac.pipeline import local_prediction
from mlops_iac.pipeline.executor import RunEvent
from mlops_iac.pipeline.local_prediction import PredictionResult
from mlops_iac.pipeline.prediction import Prediction
from mlops_iac.pipeline.steps import Check, Compute, Dataset
from mlops_iac.records import as_json, replace
from mlops_iac.runtime.files import runtime_files

REGION = "eu-west-1"
PREDICT = """
import json
from pathlib import Path

def load(folder):
    return json.loads(Path(folder, "factor.json").read_text())

def predict(model, rows):
    return [None if row["x"] is None else model * row["x"] for row in rows]
"""
WHAT = Prediction("nightly", Dataset("projects", "csv"), "json", Compute())
GROUP = "churn-dev-adherence"


def archive(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


class Cloud:
    """An emulated cloud with what a deployment makes, and one project's work folder."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.events: list[RunEvent] = []
        self.s3 = self.client("s3")
        for bucket in ("artifacts", "data"):
            place = {"LocationConstraint": REGION}
            self.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
        self.put("artifacts", "code/sourcedir.tar.gz", archive(runtime_files()))
        self.client("sagemaker").create_model_package_group(ModelPackageGroupName=GROUP)
        self.function = self._function()

    def client(self, service: str) -> Any:
        return boto3.client(service, region_name=REGION)

    def put(self, bucket: str, key: str, body: bytes) -> None:
        self.s3.put_object(Bucket=bucket, Key=key, Body=body)

    def rows(self, text: str, name: str = "a.csv") -> None:
        self.put("data", f"datasets/projects/base/{name}", text.encode())

    def register(self, factor: int, predict: str = PREDICT, status: str = "Approved") -> None:
        """A version whose archive is laid out as a training leaves it."""
        code = {f"code/{name}": content for name, content in runtime_files().items()}
        files = {**code, "code/predict.py": predict.encode(), "factor.json": str(factor).encode()}
        key = f"models/adherence/{factor}/model.tar.gz"
        self.put("artifacts", key, archive(files))
        self.client("sagemaker").create_model_package(
            ModelPackageGroupName=GROUP,
            ModelApprovalStatus=status,
            InferenceSpecification={
                "Containers": [{"Image": "image", "ModelDataUrl": f"s3://artifacts/{key}"}],
                "SupportedContentTypes": ["application/json"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
        )

    def _function(self, **changes: Any) -> str:
        settings = {
            "group": GROUP, "version": None, "models": "churn-dev-nightly-",
            "role": "arn:aws:iam::123456789012:role/jobs", "network": None, "isolated": False,
            "tags": {}, "input": "s3://data/datasets/projects/", "chained": False,
            "database": None, "table": None, "namespace": "MlopsIac/Batch",
            "entry": "churn-dev-nightly", "watched": [], "pipeline": "churn-dev-nightly", **changes,
        }  # fmt: skip
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as file:
            file.writestr("batch.py", "")
        trust = {"Version": "2012-10-17", "Statement": []}
        iam, name = self.client("iam"), f"batch-{len(changes)}"
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        made = self.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.13",
            Handler="batch.handler",
            Role=role["Role"]["Arn"],
            Code={"ZipFile": package.getvalue()},
            Environment={"Variables": {"SETTINGS": json.dumps(settings)}},
        )
        return str(made["FunctionArn"])

    def pin(self, version: str) -> None:
        self.function = self._function(version=version)

    def run(self, what: Prediction = WHAT, from_step: str | None = None) -> PredictionResult:
        settings = SageMakerSettings(
            images=dict.fromkeys(("check", "complete"), "registry/image:1"),
            instance_types=dict.fromkeys(("check", "complete", "transform"), "ml.m5.large"),
            kms_key=None,
            volume_kms_key=None,
        )
        values = {
            "artifacts_bucket": "artifacts",
            "code_uri": "s3://artifacts/code/sourcedir.tar.gz",
            "execution_role_arn": "arn:aws:iam::123456789012:role/jobs",
            "function_arn": self.function,
            "output_uri": "s3://data/datasets/forecasts/",
        }
        text = fill(definition(what, settings), values)
        found = deployed(json.loads(json.dumps(as_json((what, settings)))), text, self.client)
        assert found is not None
        assert isinstance(found[0], Prediction)
        return local_prediction.run(
            found[0],
            found[1],  # type: ignore[arg-type]
            work=self.work,
            pipeline="nightly",
            workload_python=Path(sys.executable),
            from_step=from_step,
            on_event=self.events.append,
        )

    def written(self, result: PredictionResult) -> dict[str, str]:
        """The files of a run by name."""
        prefix = result.output.removeprefix("s3://data/") + "/"
        listed = self.s3.list_objects_v2(Bucket="data", Prefix=prefix)["Contents"]
        return {
            item["Key"].removeprefix(prefix): self.s3.get_object(Bucket="data", Key=item["Key"])[
                "Body"
            ]
            .read()
            .decode()
            for item in listed
        }


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        yield Cloud(tmp_path / "my project" / ".mlops-iac")


@pytest.mark.parametrize("count", [1, 3])
def test_rows_come_out_with_their_predictions(cloud: Cloud, count: int) -> None:
    cloud.register(2)
    cloud.rows("x,name\n" + "".join(f"{n},row {n}\n" for n in range(count)))
    result = cloud.run()
    assert (result.rows, result.predicted, result.version) == (count, count, "1")
    assert list(result.run.steps.values()) == ["succeeded"] * 5
    files = cloud.written(result)
    rows = [json.loads(line) for line in files["part-00000.jsonl"].splitlines()]
    assert rows == [{"x": n, "name": f"row {n}", "prediction": 2 * n} for n in range(count)]
    manifest = json.loads(files["_SUCCESS"])
    assert (manifest["run"], manifest["version"], manifest["rows"]) == (result.run.id, "1", count)


def test_two_runs_share_no_key(cloud: Cloud) -> None:
    cloud.register(2)
    cloud.rows("x\n1\n")
    first, second = cloud.run(), cloud.run()
    assert first.output != second.output
    assert (
        set(cloud.written(first)) == set(cloud.written(second)) == {"_SUCCESS", "part-00000.jsonl"}
    )


def test_the_newest_approved_version_predicts_unless_one_is_pinned(cloud: Cloud) -> None:
    for factor, status in ((2, "Approved"), (3, "Approved"), (4, "PendingManualApproval")):
        cloud.register(factor, status=status)
    cloud.rows("x\n1\n")
    assert json.loads(cloud.written(cloud.run())["part-00000.jsonl"])["prediction"] == 3
    cloud.pin("1")
    assert cloud.run().version == "1"


def test_csv_is_written_where_the_dataset_says_so(cloud: Cloud) -> None:
    cloud.register(2)
    cloud.rows("x\n1\n2\n")
    files = cloud.written(cloud.run(replace(WHAT, format="csv")))
    assert files["part-00000.csv"] == "x,prediction\n1,2\n2,4\n"


def test_nothing_approved_says_what_to_approve(cloud: Cloud) -> None:
    cloud.register(2, status="PendingManualApproval")
    cloud.rows("x\n1\n")
    with pytest.raises(
        ResourceFailed, match=f"no version of {GROUP} is approved: approve one"
    ) as told:
        cloud.run()
    assert "models approve" in told.value.hint


def test_no_rows_are_no_prediction(cloud: Cloud) -> None:
    cloud.register(2)
    cloud.rows("x\n")
    with pytest.raises(ScriptFailed, match="projects has no rows"):
        cloud.run()
    with pytest.raises(UsageError, match="there is nothing at s3://data/datasets/projects/"):
        cloud.s3.delete_object(Bucket="data", Key="datasets/projects/base/a.csv")
        cloud.run()


def test_what_breaks_a_check_is_not_predicted(cloud: Cloud) -> None:
    cloud.register(2)
    cloud.rows('x\n1\n""\n')
    source = replace(WHAT.source, checks=(Check("projects", "x", {"not_null": True}),))
    with pytest.raises(ScriptFailed, match="must not be null"):
        cloud.run(replace(WHAT, source=source))
    assert "Predict" not in {event.step for event in cloud.events}


def test_rows_without_a_prediction_are_counted_and_limited(cloud: Cloud) -> None:
    cloud.register(2)
    cloud.rows("x,y\n1,1\n,1\n")
    result = cloud.run()
    assert (result.rows, result.predicted) == (2, 1)
    with pytest.raises(ScriptFailed, match="50 % of the rows have no prediction"):
        cloud.run(replace(WHAT, most_missing_percent=10.0))


def test_a_broken_model_fails_with_its_last_lines_and_the_run_goes_on_there(cloud: Cloud) -> None:
    cloud.register(
        2, "def load(folder): ...\ndef predict(model, rows): raise ValueError('no such column')\n"
    )
    cloud.rows("x\n1\n")
    with pytest.raises(ScriptFailed, match="no such column"):
        cloud.run()
    listed = cloud.s3.list_objects_v2(Bucket="data", Prefix="datasets/forecasts/")
    assert not listed.get("Contents")
    cloud.register(3)
    result = cloud.run(from_step="Resolve")
    assert (result.version, result.predicted) == ("2", 1)


def test_a_definition_of_something_else_is_not_run(cloud: Cloud) -> None:
    assert deployed(as_json((WHAT, None)), "{}", cloud.client) is None
