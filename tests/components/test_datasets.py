"""Uploaded datasets: where they lie, under which key, and after what."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pulumi
import pulumi_aws as aws
import pytest

from mlops_iac.clouds.aws.components.datasets import Datasets, DatasetsArgs
from tests.components.capture import capture, names, one, types

OBJECT = "aws:s3/bucketObjectv2:BucketObjectv2"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/data"


def test_each_dataset_is_one_object_below_its_base(tmp_path: Path) -> None:
    source = tmp_path / "customers.csv"
    source.write_bytes(b"churned\n1\n")
    made: list[Datasets] = []

    def program() -> None:
        files = {"customers": pulumi.FileAsset(str(source)), "more": pulumi.StringAsset("x")}
        args = DatasetsArgs(bucket="data", files=files, key_arn=KEY, tags={"project": "p"})
        made.append(Datasets("datasets", args))

    graph = capture(program)
    assert types(graph) == {"mlops-iac:aws:Datasets": 1, OBJECT: 2}
    inputs = one(graph, OBJECT, "datasets-customers").inputs
    assert inputs["key"] == "datasets/customers/base/customers.csv"
    assert inputs["sourceHash"] == sha256(b"churned\n1\n").hexdigest()
    assert (inputs["serverSideEncryption"], inputs["kmsKeyId"]) == ("aws:kms", KEY)
    assert inputs["tags"] == {"project": "p"}
    assert "etag" not in inputs
    component = one(graph, "mlops-iac:aws:Datasets")
    assert component.outputs["uris"] == {
        "customers": "s3://data/datasets/customers/",
        "more": "s3://data/datasets/more/",
    }
    assert made[0].new_data_prefixes["customers"] == "datasets/customers/new/"


def test_files_wait_for_what_makes_the_bucket_safe() -> None:
    def program() -> None:
        encryption = aws.s3.BucketVersioning(
            "data-versioning",
            bucket="data",
            versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(
                status="Enabled"
            ),
        )
        Datasets(
            "datasets",
            DatasetsArgs(bucket="data", files={"a": pulumi.StringAsset("x")}),
            pulumi.ResourceOptions(depends_on=[encryption]),
        )

    made = one(capture(program), OBJECT)
    assert "data-versioning" in names(made.dependencies)
    assert "kmsKeyId" not in made.inputs


def test_a_folder_is_one_object_per_file_that_is_not_hidden(tmp_path: Path) -> None:
    for name in ("b/2.png", "a.png", ".DS_Store", ".git/x.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)

    def program() -> None:
        files = {"images": pulumi.FileAsset(str(tmp_path))}
        Datasets("datasets", DatasetsArgs(bucket="data", files=files, known_as={"images": "old"}))

    graph = capture(program)
    assert types(graph) == {"mlops-iac:aws:Datasets": 1, OBJECT: 2}
    for name in ("a.png", "b/2.png"):
        inputs = one(graph, OBJECT, f"datasets-images/{name}").inputs
        assert inputs["key"] == f"datasets/old/base/{name}"
        assert inputs["sourceHash"] == sha256(name.encode()).hexdigest()


def test_a_link_out_of_a_folder_is_not_uploaded(tmp_path: Path) -> None:
    (tmp_path / "secret").touch()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x").symlink_to("../secret")

    def program() -> None:
        files = {"rows": pulumi.FileAsset(str(tmp_path / "data"))}
        Datasets("datasets", DatasetsArgs(bucket="data", files=files))

    with pytest.raises(Exception, match="leads out of"):
        capture(program)
