"""cfn-lint over the stack as a CloudFormation template, and what it must reject."""

from __future__ import annotations

import json

import pytest

from tests.oracles.concrete import concrete
from tests.oracles.sample_graph import sample_graph, with_defect
from tests.oracles.to_cloudformation import Untranslated, logical_id, to_cloudformation

# The rules load once, so all of it goes to one worker.
REGION = "eu-west-1"
# rule → why its findings do not count. Nothing here hides an error in what is deployed.
IGNORED = {
    "W3010": "zones come from the account, and a capture holds what it answered",
}


def lint(template):
    """Findings of cfn-lint: logical id and text. A rule that crashed fails the test instead."""
    from cfnlint.api import lint as run
    from cfnlint.config import ManualArgs

    matches = run(json.dumps(template), config=ManualArgs(regions=[REGION]))
    crashed = [m for m in matches if m.rule.id in ("E0000", "E0001", "E0002")]
    assert not crashed, crashed
    return [
        (str(m.path[1]) if len(m.path) > 1 else "", f"{m.rule.id} {m.path}: {m.message}")
        for m in matches
        if m.rule.id not in IGNORED
    ]


def test_the_sample_has_no_findings():
    assert lint(to_cloudformation(concrete(sample_graph()))) == []


def test_the_example_has_no_findings(example_graph):
    assert lint(to_cloudformation(concrete(example_graph))) == []


def _policy_with(change):
    def apply(inputs):
        key = next(k for k in ("policy", "assumeRolePolicy") if k in inputs)
        document = json.loads(inputs[key])
        change(document["Statement"][0])
        inputs[key] = json.dumps(document)

    return apply


DEFECTS = [
    (
        "an instance type that does not exist",
        "configuration",
        lambda i: i["productionVariants"][0].update(instanceType="ml.m5.gigantic"),
    ),
    (
        "an IAM action without a service",
        "role-policy",
        _policy_with(lambda s: s.update(Action=["GetObject"])),
    ),
    (
        "an IAM action that no service has",
        "role-policy",
        _policy_with(lambda s: s.update(Action=["s3:GetObjects"])),
    ),
    (
        "an unknown key in a statement",
        "role-policy",
        _policy_with(lambda s: s.update(Actions=["s3:GetObject"])),
    ),
    (
        "an effect that is neither",
        "role-policy",
        _policy_with(lambda s: s.update(Effect="Permit")),
    ),
    (
        "a principal that is no ARN",
        "role",
        _policy_with(lambda s: s.update(Principal={"AWS": "somebody"})),
    ),
    (
        "a trust policy without a principal",
        "role",
        _policy_with(lambda s: s.pop("Principal")),
    ),
    (
        "an operator that no alarm has",
        "alarm",
        lambda i: i.update(comparisonOperator="GreaterThan"),
    ),
    (
        "a capture mode that does not exist",
        "configuration",
        lambda i: i["dataCaptureConfig"]["captureOptions"][0].update(captureMode="Both"),
    ),
    (
        "an endpoint without a configuration",
        "endpoint",
        lambda i: i.pop("endpointConfigName"),
    ),
    (
        "a name with characters that SageMaker refuses",
        "endpoint",
        lambda i: i.update(name="sample_endpoint"),
    ),
    (
        "a name that is too long",
        "pipeline",
        lambda i: i.update(pipelineName="p" * 257),
    ),
    (
        "text where a number goes",
        "alarm",
        lambda i: i.update(evaluationPeriods="many"),
    ),
    (
        "a lambda runtime that does not exist",
        "cooldown",
        lambda i: i.update(runtime="python3.99"),
    ),
    (
        "a memory size under the least",
        "cooldown",
        lambda i: i.update(memorySize=1),
    ),
    (
        "a retention that CloudWatch does not offer",
        "log",
        lambda i: i.update(retentionInDays=31),
    ),
    (
        "a rollout of an unknown kind",
        "endpoint",
        lambda i: i["deploymentConfig"]["blueGreenUpdatePolicy"][
            "trafficRoutingConfiguration"
        ].update(type="SLOWLY"),
    ),
    (
        "a trail without a bucket",
        "audit",
        lambda i: i.pop("s3BucketName"),
    ),
    (
        "addresses that are none",
        "private",
        lambda i: i.update(cidrBlock="10.0.0.0/40"),
    ),
    (
        "a security group without a description",
        "jobs",
        lambda i: i.pop("description"),
    ),
    (
        "a log of half of the traffic",
        "traffic",
        lambda i: i.update(trafficType="HALF"),
    ),
    (
        "a lifecycle rule with an unknown status",
        "data-lifecycle",
        lambda i: i["rules"][0].update(status="On"),
    ),
]


@pytest.fixture(scope="module")
def rejected():
    """Defects that cfn-lint finds something in: one template holds a bad copy of each resource."""
    clean = to_cloudformation(concrete(sample_graph()))
    bad = {**clean, "Resources": {}}
    for number, (_, name, change) in enumerate(DEFECTS):
        template = to_cloudformation(concrete(with_defect(sample_graph(), name, change)))
        changed = {
            key: resource
            for key, resource in template["Resources"].items()
            if resource != clean["Resources"].get(key)
        }
        assert changed, f"the defect in {name} changes nothing in the template"
        # A renamed resource changes those that refer to it too; a part changes its parent.
        (resource,) = (r for r in sample_graph() if r.name == name)
        key = logical_id(resource)
        bad["Resources"][f"Defect{number}"] = changed.get(key) or next(iter(changed.values()))
    found = {where for where, text in lint(bad) if text.startswith(("E", "W"))}
    return {title for number, (title, *_) in enumerate(DEFECTS) if f"Defect{number}" in found}


@pytest.mark.parametrize("title", [defect[0] for defect in DEFECTS])
def test_rejected(title, rejected):
    assert title in rejected


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("endpoint", lambda i: i.update(endpointConfigurationName="x")),
        ("configuration", lambda i: i["productionVariants"][0].update(instanceKind="x")),
        ("data-lifecycle", lambda i: i["rules"][0].update(expires={"days": 1})),
        ("data-public", lambda i: i.update(blockEverything=True)),
        ("budget", lambda i: i.update(limit="1")),
    ],
)
def test_a_property_that_has_no_place_is_an_error(name, change):
    with pytest.raises(Untranslated, match="no place for"):
        to_cloudformation(concrete(with_defect(sample_graph(), name, change)))
