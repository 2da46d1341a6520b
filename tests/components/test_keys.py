"""Keys: who may use which, exactly."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_iac.clouds.aws.components.keys import Keys, KeysArgs
from mlops_iac.graph.model import Resource
from tests.components.capture import capture, of_type, one, policy, types

KEY = "aws:kms/key:Key"


def graph(**args: Any) -> list[Resource]:
    return capture(lambda: Keys("keys", KeysArgs(**args)))


def test_customer_keys_are_two_with_aliases_rotated_and_protected() -> None:
    found = graph(customer=True, alert_publishers=["cloudwatch"], tags={"a": "b"})
    assert types(found) == {"mlops-iac:aws:Keys": 1, KEY: 2, "aws:kms/alias:Alias": 2}
    component = one(found, "mlops-iac:aws:Keys")
    for key in of_type(found, KEY):
        assert key.inputs["enableKeyRotation"] is True
        assert key.inputs["deletionWindowInDays"] == 30
        assert key.inputs["tags"] == {"a": "b"}
        assert key.protect
        assert key.parent == component.urn
    assert one(found, "aws:kms/alias:Alias", "keys-data-alias").inputs == {
        "name": "alias/project-stack-keys-data",
        "targetKeyId": "keys-data-uuid",
    }


def test_provider_keys_still_give_alerts_a_customer_key() -> None:
    assert [key.name for key in of_type(graph(alert_publishers=["cloudwatch"]), KEY)] == [
        "keys-operations"
    ]


def test_nothing_asked_for_makes_nothing() -> None:
    assert types(graph()) == {"mlops-iac:aws:Keys": 1}


def test_the_data_key_admits_the_owner_and_nobody_else() -> None:
    statements = _statements(graph(customer=True), "keys-data")
    assert list(statements) == ["Owner"]
    assert statements["Owner"]["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}


def test_the_operations_key_admits_exactly_its_publishers_for_this_account() -> None:
    found = graph(customer=True, alert_publishers=["cloudwatch", "budgets", "events"])
    statements = _statements(found, "keys-operations")
    assert set(statements) == {
        "Owner",
        "CloudwatchPublishes",
        "BudgetsPublishes",
        "EventsPublishes",
    }
    assert statements["CloudwatchPublishes"] == {
        "Sid": "CloudwatchPublishes",
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}},
    }
    # EventBridge sends no source to encrypted topics: with a condition, what it tells would vanish.
    assert "Condition" not in statements["EventsPublishes"]
    assert set(_statements(found, "keys-data")) == {"Owner"}


def test_logs_use_the_operations_key_for_groups_of_this_account() -> None:
    found = graph(customer=True, log_services=["logs"])
    assert list(_statements(found, "keys-data")) == ["Owner"]
    statement = _statements(found, "keys-operations")["LogsEncrypts"]
    assert statement["Principal"] == {"Service": "logs.eu-west-1.amazonaws.com"}
    assert statement["Condition"] == {
        "ArnLike": {
            "kms:EncryptionContext:aws:logs:arn": (
                "arn:aws:logs:eu-west-1:123456789012:log-group:*"
            )
        }
    }


def test_the_audit_trail_uses_the_operations_key_for_trails_of_this_account() -> None:
    found = graph(customer=True, log_services=["cloudtrail"])
    assert list(_statements(found, "keys-data")) == ["Owner"]
    statement = _statements(found, "keys-operations")["CloudtrailEncrypts"]
    assert statement["Principal"] == {"Service": "cloudtrail.amazonaws.com"}
    assert {"kms:GenerateDataKey*", "kms:DescribeKey"} <= set(statement["Action"])
    assert statement["Condition"] == {
        "ArnLike": {"aws:SourceArn": "arn:aws:cloudtrail:eu-west-1:123456789012:trail/*"}
    }


def test_only_the_principal_of_logs_follows_the_partition() -> None:
    suffix = {"partition": "aws-cn", "dnsSuffix": "amazonaws.com.cn"}
    found = capture(
        lambda: Keys(
            "keys", KeysArgs(customer=True, alert_publishers=["events"], log_services=["logs"])
        ),
        invokes={"aws:index/getPartition:getPartition": suffix},
    )
    users = _statements(found, "keys-operations")
    assert users["LogsEncrypts"]["Principal"]["Service"] == "logs.eu-west-1.amazonaws.com.cn"
    assert users["EventsPublishes"]["Principal"]["Service"] == "events.amazonaws.com"
    assert users["Owner"]["Principal"]["AWS"] == "arn:aws-cn:iam::123456789012:root"


def test_reader_accounts_decrypt_and_no_more() -> None:
    readers = _statements(graph(customer=True, reader_accounts=["111122223333"]), "keys-data")[
        "Readers"
    ]
    assert readers["Action"] == "kms:Decrypt"
    assert readers["Condition"] == {
        "StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}
    }
    assert readers["Principal"] == {"AWS": ["arn:aws:iam::111122223333:root"]}


def test_an_existing_key_is_used_and_none_is_made() -> None:
    arn = "arn:aws:kms:eu-west-1:123456789012:key/1"
    found = graph(customer=True, existing_key_arn=arn)
    assert types(found) == {"mlops-iac:aws:Keys": 1}
    assert one(found, "mlops-iac:aws:Keys").outputs["dataKeyArn"] == arn


@pytest.mark.parametrize("key", ["1234-abcd", "alias/mine", "arn:aws:kms:eu-west-1:1:alias/mine"])
def test_ids_and_aliases_are_refused(key: str) -> None:
    with pytest.raises(ValueError, match="ARN"):
        graph(existing_key_arn=key)


def _statements(found: list[Resource], name: str) -> dict[str, dict[str, Any]]:
    return policy(one(found, KEY, name).inputs["policy"])
