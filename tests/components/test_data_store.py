"""The data store: exact graph, encryption, policies, lifecycle, datasets."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_iac.clouds.aws.components.data_store import DataStore, DataStoreArgs
from mlops_iac.graph.model import Resource
from tests.components.capture import capture, names, of_type, one, policy, types

KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234"


def graph(**args: Any) -> list[Resource]:
    return capture(lambda: DataStore("store", DataStoreArgs(**args)))


def full() -> list[Resource]:
    return graph(
        key_arn=KEY,
        captures={"api": 30, "batch": 7},
        event_bridge=True,
        tags={"project": "x"},
    )


def test_exact_types_and_counts() -> None:
    assert types(full()) == {
        "mlops-iac:aws:DataStore": 1,
        "aws:s3/bucket:Bucket": 4,
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": 4,
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls": 4,
        "aws:s3/bucketVersioning:BucketVersioning": 4,
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": 4,
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": 4,
        "aws:s3/bucketPolicy:BucketPolicy": 4,
        "aws:s3/bucketLogging:BucketLogging": 3,
        "aws:s3/bucketNotification:BucketNotification": 1,
    }


def test_every_child_is_parented_and_named_after_the_component() -> None:
    everything = full()
    component = one(everything, "mlops-iac:aws:DataStore")
    for child in everything:
        if child is not component:
            assert child.parent == component.urn
            assert child.name.startswith("store-")


def test_buckets_are_protected_tagged_and_never_emptied_by_force() -> None:
    for bucket in of_type(full(), "aws:s3/bucket:Bucket"):
        assert bucket.protect
        assert bucket.inputs == {"forceDestroy": False, "tags": {"project": "x"}}


def test_without_protection_buckets_are_emptied_when_deleted() -> None:
    for bucket in of_type(graph(protect=False), "aws:s3/bucket:Bucket"):
        assert not bucket.protect
        assert bucket.inputs["forceDestroy"] is True


def test_the_audit_trail_has_a_bucket_that_admits_it_alone() -> None:
    found = graph(audit=True, audit_key_arn=KEY)
    assert len(of_type(found, "aws:s3/bucket:Bucket")) == 4
    rights = policy(
        one(found, "aws:s3/bucketPolicy:BucketPolicy", "store-audit-policy").inputs["policy"]
    )
    assert rights.keys() == {"TlsOnly", "TrailLooks", "TrailWrites"}
    for sid in ("TrailLooks", "TrailWrites"):
        assert rights[sid]["Principal"] == {"Service": "cloudtrail.amazonaws.com"}
        assert rights[sid]["Condition"] == {
            "StringEquals": {
                "aws:SourceArn": "arn:aws:cloudtrail:eu-west-1:123456789012:trail/project-stack-audit"
            }
        }
    assert rights["TrailWrites"]["Resource"].endswith("/AWSLogs/123456789012/*")
    logged = of_type(found, "aws:s3/bucketLogging:BucketLogging")
    assert "store-audit-logging" in {each.name for each in logged}
    encryption = one(
        found,
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        "store-audit-encryption",
    )
    (rule,) = encryption.inputs["rules"]
    assert rule["applyServerSideEncryptionByDefault"]["kmsMasterKeyId"] == KEY


def test_nothing_is_public_and_everything_versioned() -> None:
    for block in of_type(full(), "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"):
        flags = {key: value for key, value in block.inputs.items() if key != "bucket"}
        assert len(flags) == 4
        assert set(flags.values()) == {True}
    for versioning in of_type(full(), "aws:s3/bucketVersioning:BucketVersioning"):
        assert versioning.inputs["versioningConfiguration"] == {"status": "Enabled"}
    for controls in of_type(full(), "aws:s3/bucketOwnershipControls:BucketOwnershipControls"):
        assert controls.inputs["rule"] == {"objectOwnership": "BucketOwnerEnforced"}


def test_data_is_under_the_customer_key_and_logs_are_not() -> None:
    for name in ("data", "artifacts", "captures"):
        assert _encryption(full(), name) == {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": KEY}
    assert _encryption(full(), "logs") == {"sseAlgorithm": "AES256"}


def test_without_a_key_the_provider_encrypts() -> None:
    for name in ("data", "artifacts", "logs"):
        assert _encryption(graph(), name) == {"sseAlgorithm": "AES256"}


def test_plain_http_is_denied_on_bucket_and_objects_and_nothing_else_is() -> None:
    for attached in of_type(full(), "aws:s3/bucketPolicy:BucketPolicy"):
        statements = policy(attached.inputs["policy"])
        arn = f"arn:aws:s3:::{attached.inputs['bucket']}"
        assert [each for each in statements.values() if each["Effect"] == "Deny"] == [
            {
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": {"AWS": "*"},
                "Action": "s3:*",
                "Resource": [arn, f"{arn}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ]
        access = attached.name.removesuffix("policy") + "access"
        assert access in names(attached.dependencies)


def test_access_logs_are_admitted_from_the_stacks_own_buckets_only() -> None:
    attached = one(full(), "aws:s3/bucketPolicy:BucketPolicy", "store-logs-policy")
    assert policy(attached.inputs["policy"])["AccessLogs"] == {
        "Sid": "AccessLogs",
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::store-logs-1a2b3c4/*",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": "123456789012"},
            "ArnEquals": {
                "aws:SourceArn": [
                    f"arn:aws:s3:::store-{name}-1a2b3c4"
                    for name in ("data", "artifacts", "captures")
                ]
            },
        },
    }
    for logging in of_type(full(), "aws:s3/bucketLogging:BucketLogging"):
        assert logging.inputs["targetBucket"] == "store-logs-1a2b3c4"
        assert "store-logs-policy" in names(logging.dependencies)


def test_lifecycle_expires_captures_by_entry_and_never_a_registered_model() -> None:
    rules = _rules(full(), "captures")
    assert {rule["filter"]["prefix"]: rule["expiration"]["days"] for rule in rules[:2]} == {
        "api/": 30,
        "batch/": 7,
    }
    for name in ("data", "artifacts"):
        for rule in _rules(full(), name):
            assert "expiration" not in rule or rule["filter"]["prefix"] == "pipelines/"
    for rule in _rules(full(), "artifacts"):
        assert "noncurrentVersionExpiration" not in rule or rule["filter"]["prefix"] == "pipelines/"
    for name in ("data", "artifacts", "captures", "logs"):
        last = _rules(full(), name)[-1]
        assert last["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 7}


def test_lifecycle_waits_for_versioning() -> None:
    kind = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    for rules in of_type(full(), kind):
        assert rules.name.replace("lifecycle", "versioning") in names(rules.dependencies)


def test_a_section_left_out_makes_nothing() -> None:
    found = types(graph())
    assert found["aws:s3/bucket:Bucket"] == 3
    assert "aws:s3/bucketNotification:BucketNotification" not in found


def test_event_bridge_hears_of_the_data_bucket_only() -> None:
    notification = one(full(), "aws:s3/bucketNotification:BucketNotification")
    assert notification.inputs == {"bucket": "store-data-1a2b3c4", "eventbridge": True}


def test_readers_get_artifacts_and_nothing_else() -> None:
    attached = of_type(graph(reader_accounts=["111122223333"]), "aws:s3/bucketPolicy:BucketPolicy")
    reading = {each.name for each in attached if "Readers" in policy(each.inputs["policy"])}
    assert reading == {"store-artifacts-policy"}
    (statement,) = [
        policy(each.inputs["policy"])["Readers"]
        for each in attached
        if each.name == "store-artifacts-policy"
    ]
    assert statement["Resource"] == "arn:aws:s3:::store-artifacts-1a2b3c4/models/*"


def test_an_area_that_is_not_there_says_why() -> None:
    with pytest.raises(ValueError, match="captures"):
        capture(lambda: DataStore("store", DataStoreArgs()).captures)


def test_arns_follow_the_partition() -> None:
    china = {"aws:index/getPartition:getPartition": {"partition": "aws-cn", "dnsSuffix": "x.cn"}}
    store = lambda: DataStore("store", DataStoreArgs(reader_accounts=["111122223333"]))  # noqa: E731
    attached = one(
        capture(store, invokes=china), "aws:s3/bucketPolicy:BucketPolicy", "store-artifacts-policy"
    )
    principal = policy(attached.inputs["policy"])["Readers"]["Principal"]
    assert principal == {"AWS": ["arn:aws-cn:iam::111122223333:root"]}


def _encryption(found: list[Resource], name: str) -> dict[str, Any]:
    kind = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    (rule,) = one(found, kind, f"store-{name}-encryption").inputs["rules"]
    return dict(rule["applyServerSideEncryptionByDefault"])


def _rules(found: list[Resource], name: str) -> list[dict[str, Any]]:
    kind = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    return list(one(found, kind, f"store-{name}-lifecycle").inputs["rules"])
