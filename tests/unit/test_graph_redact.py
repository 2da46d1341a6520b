"""Nothing secret is shown."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mlops_iac.graph.redact import (
    BY_NAME,
    REDACTED,
    is_secret_name,
    redact,
    redact_properties,
    redact_text,
)
from mlops_iac.values import UNKNOWN, Secret


@pytest.mark.parametrize(
    "name",
    [
        "DB_PASSWORD",
        "HF_TOKEN",
        "API_KEY",
        "WANDB_API_KEY",
        "STRIPE_KEY",
        "CLIENT_SECRET",
        "SECRET_VALUE",
        "password",
        "masterPassword",
        "masterUserPassword",
        "secretString",
        "privateKey",
        "accessKey",
        "authToken",
        "dbCredentials",
        "api_key",
    ],
)
def test_names_that_hold_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "kmsKeyId",
        "kmsKeyArn",
        "kmsMasterKeyId",
        "KMS_KEY",
        "KMS_KEY_ID",
        "secretArn",
        "SECRET_ARN",
        "SECRET_NAME",
        "MAX_TOKENS",
        "partitionKey",
        "publicKey",
        "PASSWORD_FILE",
        "TOKENIZERS_PARALLELISM",
        "max_tokens",
        "KEY_COLUMN",
        "key",
        "Key",
        "keyId",
        "passwordPolicy",
        "PASSWORD_LENGTH",
        "tokenEndpoint",
        "aws:TokenIssueTime",
        "kms:EncryptionContext/secret",
        "keyword",
        "monkey",
        "secretary",
        "enableKeyRotation",
        "bucketKeyEnabled",
        "secretsManagerAccess",
        "tags",
        "",
    ],
)
def test_names_that_do_not(name: str) -> None:
    assert not is_secret_name(name)


def test_markers_names_documents_and_urls_are_redacted_at_any_depth() -> None:
    value = {
        "a": [Secret("s1"), {"HF_TOKEN": "s2", "LEVEL": "info"}],
        "env": [{"name": "DB_PASSWORD", "value": "s3"}, {"name": "MODE", "value": "x"}],
        "document": json.dumps({"Environment": {"API_KEY": "s4"}, "ok": 1}),
        "url": "postgres://user:s5@host/db",
        "CLIENT_SECRET": {"nested": "s6"},
        "unknown": UNKNOWN,
    }
    clean = redact(value)
    shown = str(clean)
    assert not any(f"s{n}" in shown for n in range(1, 7))
    assert clean["a"][0] == REDACTED
    assert clean["a"][1] == {"HF_TOKEN": BY_NAME, "LEVEL": "info"}
    assert clean["env"][1] == {"name": "MODE", "value": "x"}
    assert json.loads(clean["document"]) == {"Environment": {"API_KEY": BY_NAME}, "ok": 1}
    assert clean["url"] == f"postgres://user:{REDACTED}@host/db"
    assert clean["unknown"] is UNKNOWN


@pytest.mark.parametrize(
    "value",
    [
        "arn:aws:secretsmanager:eu-west-1:1:secret:x",
        "${secrets.Secret/x.arn}",
        "",
        None,
        True,
        "true",
    ],
)
def test_references_to_secrets_may_be_seen(value: Any) -> None:
    assert redact({"HF_TOKEN": value}) == {"HF_TOKEN": value}


def test_texts_without_secrets_stay_as_they_are_written() -> None:
    document = '{ "b": 1,  "a": 2 }'
    assert redact({"policy": document}) == {"policy": document}


def test_the_schema_and_the_program_name_further_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"aws:x/y:Z": {"options.user.pin", "list.pin"}}
    monkeypatch.setattr("mlops_iac.graph.redact._sensitive_paths", known.__getitem__)
    properties = {"options": {"user": {"pin": "1234"}}, "note": "hush", "list": [{"pin": "5678"}]}
    clean = redact_properties("aws:x/y:Z", properties, secret_outputs=["note"])
    assert clean == {
        "options": {"user": {"pin": REDACTED}},
        "note": REDACTED,
        "list": [{"pin": REDACTED}],
    }


def test_messages_lose_the_values_they_were_given() -> None:
    assert redact_text("bad value hunter22 at https://u:pw@h", ["hunter22"]) == (
        f"bad value {REDACTED} at https://u:{REDACTED}@h"
    )


def test_the_provider_of_a_dynamic_resource_is_its_class_or_hidden() -> None:
    shown = {"__provider": "shelf.things:Shelf"}
    assert redact(shown) == shown
    for carried in ("gASVIAAAAAAAAACMBXNoZWxm", Secret("shelf:Shelf"), {"a": 1}):
        assert redact({"__provider": carried}) == {"__provider": "[secret]"}
