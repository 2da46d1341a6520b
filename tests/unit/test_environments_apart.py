"""Two environments never share a name, a bucket or a state; ids fit the account they stand in."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_iac import validate
from mlops_iac.errors import Diagnostic

HEAD = """\
blueprint: 1
name: churn
platform: sagemaker
region: eu-west-1
"""
# Two environments in one account, as many lines down as HEAD is long.
ONE_ACCOUNT = """\
environments:
  dev: {account: "111111111111"}
  prod: {account: "111111111111"}
"""
MODEL = """\
datasets: {rows: {source: "s3://acme/rows/", format: csv, target: y}}
models:
  NAME: {code: workload/, runtime: {framework: scikit-learn, version: 1.9}, train: {script: t.py}}
"""


def said(tmp_path: Path, text: str) -> list[Diagnostic]:
    (tmp_path / "workload").mkdir(exist_ok=True)
    for name in ("t.py", "requirements.txt"):
        (tmp_path / "workload" / name).touch()
    path = tmp_path / "blueprint.yaml"
    path.write_text(text, encoding="utf-8")
    return validate(path)


def only(found: list[Diagnostic], code: str) -> Diagnostic:
    (item,) = [each for each in found if each.code == code]
    return item


def told_apart(tmp_path: Path, text: str) -> bool:
    return not [each for each in said(tmp_path, text) if each.code in CODES]


CODES = ("not-apart", "other-account", "other-region", "other-partition")


def test_two_environments_of_one_account_are_fine(tmp_path: Path) -> None:
    assert said(tmp_path, HEAD + ONE_ACCOUNT) == []


# -- buckets and outputs ---------------------------------------------------------------------------


def test_storage_is_not_shared(tmp_path: Path) -> None:
    text = (
        HEAD
        + "environments:\n  dev: {existing: {storage: acme}}\n  prod:\n    existing: {storage: acme}\n"
    )
    item = only(said(tmp_path, text), "not-apart")
    assert "dev and prod would share the storage 'acme'" in item.message
    assert ":6 and " in item.message
    assert item.message.endswith(":8)")
    assert item.line == 8
    assert told_apart(
        tmp_path, text.replace("{existing: {storage: acme}}", "{existing: {storage: b}}")
    )


def test_storage_of_the_base_is_told_once_and_the_variable_tells_apart(tmp_path: Path) -> None:
    text = HEAD + "existing: {storage: acme}\n" + ONE_ACCOUNT
    item = only(said(tmp_path, text), "not-apart")
    assert item.line == 5
    assert "${environment}" in item.hint
    assert told_apart(tmp_path, text.replace("storage: acme", 'storage: "acme-${environment}"'))


def test_an_environment_alone_shares_nothing_with_local(tmp_path: Path) -> None:
    assert told_apart(tmp_path, HEAD + "existing: {storage: acme}\nenvironments: {dev: {}}\n")


OUTPUT = """\
datasets:
  rows: {source: "s3://acme/rows/", format: csv, target: y}
  scored: {source: "s3://acme/scored/", format: csv}
serving:
  nightly: {mode: batch, model: m, input: rows, output: scored, schedule: "0 2 * * *"}
models:
  m: {code: workload/, runtime: {framework: scikit-learn, version: 1.9}, datasets: [rows], train: {script: t.py}}
"""


def test_outputs_are_not_shared_and_inputs_may_be(tmp_path: Path) -> None:
    item = only(said(tmp_path, HEAD + OUTPUT + ONE_ACCOUNT), "not-apart")
    assert item.path == "datasets.scored.source"
    assert "dev and prod would share the output 's3://acme/scored/'" in item.message
    apart = OUTPUT.replace("s3://acme/scored/", "s3://acme-${environment}/scored/")
    assert told_apart(tmp_path, HEAD + apart + ONE_ACCOUNT)


# -- names ------------------------------------------------------------------------------------------

FIXED = 'overrides: {"s3.Bucket/data-data": {bucket: acme-data}}\n'


@pytest.mark.parametrize(
    ("accounts", "override", "severity"),
    [
        (("1" * 12, "1" * 12), FIXED, "error"),
        # A bucket's name is taken in the whole world.
        (("1" * 12, "2" * 12), FIXED, "error"),
        (("1" * 12, "1" * 12), 'overrides: {"iam.Role/x": {name: acme}}\n', "error"),
        (("1" * 12, "1" * 12), 'overrides: {"sns.Topic/x": {name: acme}}\n', "error"),
        (("1" * 12, None), 'overrides: {"sns.Topic/x": {name: acme}}\n', "warning"),
        ((None, None), 'overrides: {"sns.Topic/x": {name: acme}}\n', "error"),
        (("1" * 12, "2" * 12), 'overrides: {"sns.Topic/x": {name: acme}}\n', None),
        # Named within its role, which is the stack's own.
        (("1" * 12, "1" * 12), 'overrides: {"iam.RolePolicy/x": {name: acme}}\n', None),
        (("1" * 12, "1" * 12), 'overrides: {"sns.Topic/x": {displayName: acme}}\n', None),
        (
            ("1" * 12, "1" * 12),
            'overrides: {"sns.Topic/x": {name: "acme-${environment}"}}\n',
            None,
        ),
    ],
)
def test_fixed_names(
    tmp_path: Path, accounts: tuple[str | None, str | None], override: str, severity: str | None
) -> None:
    overlays = [f'{{account: "{each}"}}' if each else "{}" for each in accounts]
    text = f"{HEAD}{override}environments:\n  dev: {overlays[0]}\n  prod: {overlays[1]}\n"
    found = [each for each in said(tmp_path, text) if each.code == "not-apart"]
    if severity is None:
        assert found == []
        return
    (item,) = found
    assert item.severity == severity
    assert item.line == 5
    assert "prod and dev would share the" in item.message
    assert item.message.count("blueprint.yaml:5") == 1


def test_a_name_that_many_have_is_told_once_for_each(tmp_path: Path) -> None:
    names = ("dev", "test", "qa", "prod")
    places = "".join(f'  {name}: {{account: "111111111111"}}\n' for name in names)
    text = f'{HEAD}overrides: {{"s3.Bucket/data-data": {{bucket: acme}}}}\nenvironments:\n{places}'
    found = [each.message for each in said(tmp_path, text) if each.code == "not-apart"]
    assert len(found) == 3
    assert all("and dev would share" in message for message in found)


def test_regions_tell_what_is_regional_apart(tmp_path: Path) -> None:
    places = "environments:\n  dev: {}\n  prod: {region: eu-central-1}\n"
    topic = HEAD + 'overrides: {"sns.Topic/x": {name: acme}}\n' + places
    role = HEAD + 'overrides: {"iam.Role/x": {name: acme}}\n' + places
    assert told_apart(tmp_path, topic)
    assert not told_apart(tmp_path, role)


def test_names_that_run_into_each_other(tmp_path: Path) -> None:
    """`dev` + `eu-churn` and `dev-eu` + `churn` are one name."""
    head = HEAD + MODEL.replace("NAME", "eu-churn")
    overlay = MODEL.splitlines()[2].replace("NAME", "churn").strip()
    text = (
        f'{head}environments:\n  dev: {{account: "111111111111"}}\n  dev-eu:\n'
        f'    account: "111111111111"\n    models:\n      eu-churn: null\n      {overlay}\n'
    )
    item = only(said(tmp_path, text), "not-apart")
    assert "would both be called 'churn-dev-eu-churn'" in item.message
    assert ":7)" in item.message
    assert item.line == 14
    other = text.replace('    account: "111111111111"', '    account: "222222222222"')
    assert told_apart(tmp_path, other)


# -- ids --------------------------------------------------------------------------------------------

KEY = "arn:aws:kms:{region}:{account}:key/1234"
ROLE = "arn:aws:iam::{account}:role/x"


@pytest.mark.parametrize(
    ("written", "code", "severity"),
    [
        (f'deploy_as: "{ROLE.format(account="2" * 12)}"', "other-account", "error"),
        (f'deploy_as: "{ROLE.format(account="1" * 12)}"', None, ""),
        ('deploy_as: "arn:aws:iam::${account}:role/x"', None, ""),
        ('deploy_as: "arn:aws-cn:iam::${account}:role/x"', "other-partition", "error"),
        (
            f'existing: {{roles: {{train: "{ROLE.format(account="2" * 12)}"}}}}',
            "other-account",
            "error",
        ),
        (
            f'existing: {{key: "{KEY.format(region="eu-west-1", account="2" * 12)}"}}',
            "other-account",
            "warning",
        ),
        (
            f'existing: {{key: "{KEY.format(region="us-east-1", account="1" * 12)}"}}',
            "other-region",
            "error",
        ),
        (f'existing: {{key: "{KEY.format(region="eu-west-1", account="1" * 12)}"}}', None, ""),
        (
            'options: {sagemaker: {permissions_boundary: "arn:aws:iam::222222222222:policy/b"}}',
            "other-account",
            "error",
        ),
        ('options: {sagemaker: {permissions_boundary: "arn:aws:iam::aws:policy/b"}}', None, ""),
    ],
)
def test_ids_of_another_place(
    tmp_path: Path, written: str, code: str | None, severity: str
) -> None:
    text = f'{HEAD}environments:\n  dev:\n    account: "111111111111"\n    {written}\n'
    found = [each for each in said(tmp_path, text) if each.code in CODES]
    assert [each.code for each in found] == ([code] if code else [])
    if code:
        (item,) = found
        assert item.severity == severity
        assert item.line == 8
        line = {"other-account": 7}.get(code, 4)
        assert f"blueprint.yaml:{line})" in item.message


@pytest.mark.parametrize(
    "name", ["Dev_1", "pr/123", "organization/x", "x" * 21, "-dev", "de--v", "1"]
)
def test_names_that_no_stack_can_have(tmp_path: Path, name: str) -> None:
    text = f"{HEAD}environments:\n  {name}: {{}}\n"
    item = said(tmp_path, text)[0]
    assert item.code in ("illegal-name", "name-too-long")
    assert item.line == 6
