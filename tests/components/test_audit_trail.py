"""The audit trail: what it watches, and that it can be trusted."""

from __future__ import annotations

from typing import Any

from mlops_iac.clouds.aws.components.audit_trail import AuditTrail, AuditTrailArgs
from mlops_iac.graph.model import Resource
from tests.components.capture import capture, one, types

KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234"
TRAIL = "aws:cloudtrail/trail:Trail"


def graph(**args: Any) -> list[Resource]:
    given = {"bucket": "audit-log", "bucket_arns": ["arn:aws:s3:::data", "arn:aws:s3:::models"]}
    return capture(lambda: AuditTrail("audit", AuditTrailArgs(**{**given, **args})))


def test_exact_types_and_counts() -> None:
    assert types(graph()) == {"mlops-iac:aws:AuditTrail": 1, "aws:cloudtrail/trail:Trail": 1}


def test_its_name_is_the_one_that_the_bucket_admits() -> None:
    trail = one(graph(tags={"a": "b"}), TRAIL)
    assert trail.name == "audit-trail"
    assert trail.inputs["name"] == "project-stack-audit"
    assert trail.inputs["s3BucketName"] == "audit-log"
    assert trail.inputs["tags"] == {"a": "b"}


def test_it_is_validated_whole_and_encrypted() -> None:
    inputs = one(graph(key_arn=KEY), TRAIL).inputs
    assert inputs["enableLogFileValidation"] is True
    assert inputs["isMultiRegionTrail"] is True
    assert inputs["includeGlobalServiceEvents"] is True
    assert inputs["kmsKeyId"] == KEY
    assert "kmsKeyId" not in one(graph(), TRAIL).inputs


def test_it_watches_management_and_the_stacks_objects() -> None:
    management, objects = one(graph(), TRAIL).inputs["advancedEventSelectors"]
    assert management["fieldSelectors"] == [{"field": "eventCategory", "equals": ["Management"]}]
    fields = {each["field"]: each for each in objects["fieldSelectors"]}
    assert fields["eventCategory"]["equals"] == ["Data"]
    assert fields["resources.type"]["equals"] == ["AWS::S3::Object"]
    # The slash: other buckets may begin with the name of one of these.
    assert fields["resources.ARN"]["startsWiths"] == ["arn:aws:s3:::data/", "arn:aws:s3:::models/"]


def test_captures_are_watched_where_there_are_any() -> None:
    _, objects = one(graph(captures_bucket_arn="arn:aws:s3:::captures"), TRAIL).inputs[
        "advancedEventSelectors"
    ]
    (watched,) = [each for each in objects["fieldSelectors"] if "startsWiths" in each]
    assert watched["startsWiths"][-1] == "arn:aws:s3:::captures/"
