"""What `validate` says of several environments: each problem once, with the environments it is in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mlops_iac import validate

TEXT = """\
blueprint: 1
name: churn
platform: sagemaker
region: eu-west-1
tags: {team: risk}
environments:
  dev: {account: 012345678901}
  prod: {account: 210987654321}
"""


def said(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "blueprint.yaml"
    path.write_text(text, encoding="utf-8")
    return [item.message for item in validate(path)]


def test_what_the_platform_refuses_everywhere_is_said_once(tmp_path: Path) -> None:
    assert said(tmp_path, TEXT) == []
    (message,) = said(tmp_path, TEXT.replace("team: risk", "'aws:team': risk"))
    assert message == "tags.aws:team: the tag 'aws:team' is not yours to set"


def test_what_the_platform_refuses_in_some_environments_names_them(tmp_path: Path) -> None:
    (message,) = said(tmp_path, TEXT.replace("012345678901", "42"))
    assert message == "account: '42' is no AWS account (in dev)"
    text = TEXT.replace("{account: 012345678901}", "&a {account: '42'}")
    (message,) = said(tmp_path, text.replace("{account: 210987654321}", "*a"))
    assert message == "account: '42' is no AWS account (in dev and prod)"


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("backend: s3://states", None),
        ("backend: file://./kept", None),
        ("backend: 'https://api.pulumi.com'", None),
        ("backend: states", "'states' is no backend of Pulumi"),
        ("backend: 's3:/states'", "'s3:/states' is no backend of Pulumi"),
        ("backend: 's3://'", "'s3://' is no backend of Pulumi"),
        ("backend: 'ftp://states'", "'ftp://states' is no backend of Pulumi"),
        ("secrets_provider: passphrase", None),
        ("secrets_provider: 'awskms://alias/x?region=eu-west-1'", None),
        ("secrets_provider: kms", "'kms' is no secrets provider of Pulumi"),
    ],
)
def test_where_a_state_cannot_be_kept(tmp_path: Path, state: str, message: str | None) -> None:
    text = TEXT.replace("{account: 210987654321}", f"{{account: 210987654321, state: {{{state}}}}}")
    assert said(tmp_path, text) == ([f"{message} (in prod)"] if message else [])


def test_problems_stand_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = TEXT.replace("012345678901", "42").replace("team: risk", "'aws:team': risk")
    assert [message.split(":")[0] for message in said(tmp_path, text)] == ["tags.aws", "account"]


PROBE = """
import sys
before = set(sys.modules)
from mlops_iac import validate
assert validate(sys.argv[1]) == []
print(*sorted({name.split(".")[0] for name in sys.modules.keys() - before}))
"""


def test_checking_imports_no_more_than_it_needs(tmp_path: Path) -> None:
    path = tmp_path / "blueprint.yaml"
    path.write_text(TEXT, encoding="utf-8")
    made = subprocess.run(
        [sys.executable, "-c", PROBE, str(path)], capture_output=True, text=True, check=True
    )
    slow = {"pydantic", "pulumi", "pulumi_aws", "boto3", "botocore", "networkx", "jinja2", "rich"}
    slow |= {"click", "difflib", "hashlib", "jsonschema", "random", "tempfile", "zipfile"}
    assert slow & set(made.stdout.split()) == set()
