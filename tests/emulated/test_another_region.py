"""What was made in one region while the blueprint names another: read back with boto3 in both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.emulators.aws import server
from mlops_iac.emulators.aws.provider import AwsProvider
from mlops_iac.emulators.provider import ProviderError
from mlops_iac.engine.embedded import EmbeddedEngine
from mlops_iac.engine.embedded.store import open_store
from mlops_iac.engine.protocol import StackTarget
from tests.engine_support.programs import make_target

GROUP = "aws:cloudwatch/logGroup:LogGroup"
OLD, NEW = "eu-west-1", "us-east-1"
PROGRAM = """
import json
import pulumi_aws as aws

aws.cloudwatch.LogGroup("log", name="/moved")
aws.s3.Bucket("store", force_destroy=True)
trust = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
]}
aws.iam.Role("who", assume_role_policy=json.dumps(trust))
"""


@pytest.fixture
def provider(moto: Any) -> Iterator[AwsProvider]:
    made = AwsProvider(moto.url)
    yield made


def at(target_folder: Path, region: str, body: str | None = None) -> StackTarget:
    return make_target(target_folder, body, config={"aws:region": region}, region=region)


def logs(moto: Any, region: str) -> list[str]:
    answer = server.client("logs", moto, region).describe_log_groups(logGroupNamePrefix="/moved")
    return [each["logGroupName"] for each in answer["logGroups"]]


def test_another_region_replaces_what_is_regional_and_deletes_it_where_it_was_made(
    tmp_path: Path, moto: Any, provider: AwsProvider
) -> None:
    engine = EmbeddedEngine({"aws": provider})
    assert engine.up(at(tmp_path, OLD, PROGRAM)).failures == {}
    there = at(tmp_path, NEW)
    planned = {
        step.name: (step.op, [(c.path, c.old, c.new, c.replaces) for c in step.changes])
        for step in engine.preview(there).steps
        if step.type.startswith("aws:") and step.op in ("replace", "update", "same")
    }
    forced = ("replace", [("region", OLD, NEW, True)])
    assert planned == {"log": forced, "store": forced, "who": ("same", [])}
    assert engine.up(there).failures == {}
    assert (logs(moto, OLD), logs(moto, NEW)) == ([], ["/moved"])
    assert all(step.op == "same" for step in engine.preview(there).steps)
    # Edited and not applied: it is looked for, and deleted, where it is.
    back = at(tmp_path, OLD)
    assert {step.op for step in engine.refresh(back).steps} == {"same"}
    assert engine.destroy(back).failures == {}
    assert logs(moto, NEW) == []


def test_an_interrupted_creation_is_looked_for_where_it_began(
    tmp_path: Path, moto: Any, provider: AwsProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = AwsProvider.create

    def killed(self: AwsProvider, urn: str, type_: str, *rest: Any) -> Any:
        create(self, urn, type_, *rest)
        raise KeyboardInterrupt

    engine = EmbeddedEngine({"aws": provider})
    body = 'import pulumi_aws as aws\naws.cloudwatch.LogGroup("log", name="/moved")\n'
    with monkeypatch.context() as patched, pytest.raises(BaseException):  # noqa: B017
        patched.setattr(AwsProvider, "create", killed)
        engine.up(at(tmp_path, OLD, body))
    with open_store(at(tmp_path, OLD), "test") as store:
        assert len(store.snapshot.pending) == 1
    assert engine.destroy(at(tmp_path, NEW)).failures == {}
    assert (logs(moto, OLD), logs(moto, NEW)) == ([], [])


@pytest.mark.parametrize("suspended", [False, True])
def test_what_others_put_and_removed_does_not_keep_a_bucket(
    moto: Any, provider: AwsProvider, suspended: bool
) -> None:
    s3 = server.client("s3", moto, OLD)
    provider.configure("local", {"region": OLD})
    type_ = "aws:s3/bucket:Bucket"
    made = provider.create("u", type_, {"bucket": "others-put", "forceDestroy": True}, "t")
    s3.put_object(Bucket=made.id, Key="before", Body=b"0")
    status = {"Bucket": made.id, "VersioningConfiguration": {"Status": "Enabled"}}
    s3.put_bucket_versioning(**status)
    for key in ("before", "data/a b+ü.csv"):
        s3.put_object(Bucket=made.id, Key=key, Body=b"1")
        s3.delete_object(Bucket=made.id, Key=key)
    if suspended:  # as a destroy leaves it before the bucket itself goes
        s3.put_bucket_versioning(**{**status, "VersioningConfiguration": {"Status": "Suspended"}})
    provider.delete(type_, made)
    assert made.id not in [each["Name"] for each in s3.list_buckets()["Buckets"]]


def test_a_locked_object_is_told_and_not_tried_for_ever(moto: Any, provider: AwsProvider) -> None:
    s3 = server.client("s3", moto, OLD)
    provider.configure("local", {"region": OLD})
    type_ = "aws:s3/bucket:Bucket"
    inputs = {"bucket": "locked-away", "forceDestroy": True, "objectLockEnabled": True}
    made = provider.create("u", type_, inputs, "t")
    hold = {"ObjectLockLegalHoldStatus": "ON", "ChecksumAlgorithm": "SHA256"}
    s3.put_object(Bucket=made.id, Key="kept", Body=b"1", **hold)
    with pytest.raises(ProviderError, match=r"cannot empty locked-away: kept: .*object lock"):
        provider.delete(type_, made)
    s3.put_object_legal_hold(Bucket=made.id, Key="kept", LegalHold={"Status": "OFF"})
    provider.delete(type_, made)


def test_a_deletion_that_deletes_nothing_ends(
    moto: Any, provider: AwsProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlops_iac.emulators.aws.api import Api

    s3 = server.client("s3", moto, OLD)
    provider.configure("local", {"region": OLD})
    type_ = "aws:s3/bucket:Bucket"
    made = provider.create("u", type_, {"bucket": "stays-full", "forceDestroy": True}, "t")
    s3.put_object(Bucket=made.id, Key="kept", Body=b"1")
    call, asked = Api.call, []

    def deaf(self: Api, service: str, operation: str, **rest: Any) -> Any:
        if operation != "DeleteObjects":
            return call(self, service, operation, **rest)
        asked.append(operation)
        assert len(asked) < 5, "it does not end"
        return {}

    with monkeypatch.context() as patched:
        patched.setattr(Api, "call", deaf)
        with pytest.raises(ProviderError, match="cannot empty stays-full: kept stays"):
            provider.delete(type_, made)
    provider.delete(type_, made)


def test_versions_go_with_their_registry(moto: Any, provider: AwsProvider) -> None:
    sagemaker = server.client("sagemaker", moto, OLD)
    provider.configure("local", {"region": OLD})
    type_ = "aws:sagemaker/modelPackageGroup:ModelPackageGroup"
    inputs = {"modelPackageGroupName": "old-versions"}
    made = provider.create("u", type_, inputs, "t")
    sagemaker.create_model_package(ModelPackageGroupName="old-versions")
    provider.delete(type_, made)
    provider.create("u", type_, inputs, "t")
    listed = sagemaker.list_model_packages(ModelPackageGroupName="old-versions")
    assert listed["ModelPackageSummaryList"] == []
    provider.delete(type_, made)
