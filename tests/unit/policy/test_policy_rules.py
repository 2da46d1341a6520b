"""Every guard rail against rows that are sentences, with seeded defects and clean passes."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from mlops_iac.clouds.aws import types
from mlops_iac.clouds.registry import clouds
from mlops_iac.emulators.aws.facts import FACTS
from mlops_iac.policy.rules import ids, modules, rules
from tests.unit.policy import rows_access, rows_data, rows_serving, rows_stack
from tests.unit.policy.stacks import found

RULES = {rule.id: rule for rule in rules()}
ROWS = rows_data.ROWS | rows_access.ROWS | rows_serving.ROWS | rows_stack.ROWS
CASES = [
    pytest.param(rule, *row, id=f"{rule}: {sentence}")
    for rule, rows in ROWS.items()
    for sentence, row in rows.items()
]


@pytest.mark.parametrize(("rule", "expected", "resources", "given"), CASES)
def test_rule(rule, expected, resources, given) -> None:
    told = [each.message for each in found(RULES[rule], resources, **given)]
    assert len(told) == len(expected), told
    for message, part in zip(told, expected, strict=True):
        assert part in message


@pytest.mark.parametrize("rule", ids())
def test_every_rule_has_a_seeded_defect_and_a_clean_pass(rule: str) -> None:
    rows = ROWS[rule].values()
    assert any(expected for expected, _, _ in rows)
    assert any(not expected and resources for expected, resources, _ in rows)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.id)
def test_every_rule_says_what_people_need(rule) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.id)
    assert rule.title and rule.why.endswith(".") and rule.remediation
    assert not rule.remediation.endswith(".")
    assert "https://" in rule.source
    assert all(each.description for each in rule.parameters.values())
    if rule.production and not any(
        given.get("production") is False for _, _, given in ROWS[rule.id].values()
    ):
        pytest.fail("no row shows that other stacks are left alone")


def test_every_module_of_rules_is_listed() -> None:
    from importlib.resources import files

    packages = [
        "mlops_iac.policy.rules",
        *(f"mlops_iac.clouds.{each.name}.rules" for each in clouds()),
    ]
    found = {
        f"{package}.{path.name.removesuffix('.py')}"
        for package in packages
        for path in files(package).iterdir()
        if path.name.endswith(".py") and not path.name.startswith("_")
    }
    assert found == set(modules())
    assert [rule.id for rule in rules()] == list(ids())


def test_types_that_are_asked_for_tags_take_them() -> None:
    """And every type of ours that takes tags is asked, but for a few that cost nothing."""
    with_tags = {each for each in FACTS.types() if "tags" in FACTS.properties(each)}
    tagged = {token for token, facts in types.TYPES.items() if facts.tagged}
    assert tagged & set(FACTS.types()) <= with_tags
    assert with_tags - tagged <= FREE


FREE = {
    "aws:cloudwatch/compositeAlarm:CompositeAlarm",
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
    "aws:ec2/routeTable:RouteTable",
    "aws:ec2/securityGroup:SecurityGroup",
    "aws:ec2/subnet:Subnet",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    "aws:iam/policy:Policy",
    "aws:lambda/eventSourceMapping:EventSourceMapping",
    "aws:s3/bucketObjectv2:BucketObjectv2",
}


def test_five_thousand_resources_take_little_time() -> None:
    from time import process_time

    from mlops_iac.graph.model import ResourceGraph
    from mlops_iac.policy.checking import check
    from mlops_iac.policy.config import Configuration
    from mlops_iac.policy.context import Context
    from tests.unit.policy.rows_access import allowed
    from tests.unit.policy.rows_data import DENY, encrypted, logging, policy
    from tests.unit.policy.stacks import made

    resources = []
    for number in range(500):
        bucket = made(types.BUCKET, f"b{number}", protect=True)
        endpoint = made(types.ENDPOINT, f"e{number}", {"name": f"e{number}"}, protect=True)
        parts = [
            encrypted(bucket), logging(bucket, bucket), policy(DENY, bucket=bucket),
            made(types.BUCKET_PUBLIC_ACCESS, "access", {}, bucket=bucket),
            made(types.BUCKET_VERSIONING, "v", {"versioningConfiguration": {"status": "Enabled"}}, bucket=bucket),
            made(types.ALARM, "a", {"dimensions": {"EndpointName": f"e{number}"}, "alarmActions": ["x"]}),
            allowed("s3:GetObject", "arn:aws:s3:::x/*"),
            made(types.QUEUE, "q", {"sqsManagedSseEnabled": True}),
        ]  # fmt: skip
        parts = [replace(each, urn=f"{each.urn}{number}") for each in parts]
        resources += [bucket, endpoint, *parts]
    assert len(resources) == 5000
    context = Context(ResourceGraph("shop", "prod", tuple(resources)), production=True)
    begun = process_time()
    told = check(context, rules(), Configuration())
    assert process_time() - begun < 3
    assert {each.rule for each in told} == {
        "public-bucket", "tls-only", "endpoint-rollback", "log-retention", "missing-budget",
    }  # fmt: skip
