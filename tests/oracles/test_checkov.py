"""checkov's security policies over the stack, and what they must reject."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from tests.oracles import checkov_env
from tests.oracles.concrete import concrete
from tests.oracles.conftest import STACKS, capture_example, closed
from tests.oracles.sample_graph import sample_graph, with_defect
from tests.oracles.to_cloudformation import cfn_types, logical_id, to_cloudformation

# One process checks everything, so all of it goes to one worker.
# (check, resources by CloudFormation type and logical id) → why its finding does not count.
ACCEPTED = {
    ("CKV_AWS_18", r"Bucket\.\w*Logs"): "the bucket that takes the access logs logs nobody's",
    ("CKV_AWS_27", r"Queue\."): "encrypted by SQS itself; the check knows customer keys alone",
    ("CKV_AWS_115", r"Function\."): "one caller, and the cooldown or the pipeline limits it",
    (
        "CKV_AWS_116",
        r"Function\.\w*(Sealing|Monitoring)",
    ): "its caller waits and fails with it; nothing is lost",
    ("CKV_AWS_117", r"Function\."): "it calls SageMaker or S3 alone and needs no network of ours",
    ("CKV_AWS_173", r"Function\."): "its variables are a name and a number, no secrets",
    ("CKV_AWS_370", r"Model\."): "isolation would cut the container off from its own metrics",
}


# Types that checkov has rules for (asserted below); what it does not know it does not accept.
JUDGED = {
    "aws:cloudtrail/trail:Trail",
    "aws:cloudwatch/logGroup:LogGroup",
    "aws:ec2/securityGroup:SecurityGroup",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    "aws:iam/role:Role",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:kms/key:Key",
    "aws:lambda/function:Function",
    "aws:lambda/permission:Permission",
    "aws:s3/bucket:Bucket",
    "aws:sagemaker/model:Model",
    "aws:sns/topic:Topic",
    "aws:sqs/queue:Queue",
}


def run(folder, **templates):
    """Failed checks of each template, (check, resource), and the types that any check judged.

    Skips where there is no checkov.
    """
    checkov = checkov_env.find()
    if checkov is None:
        pytest.skip(
            f"no checkov: run `python tests/oracles/checkov_env.py` or set {checkov_env.VARIABLE}"
        )
    arguments = [checkov, "--framework", "cloudformation", "--skip-download", "-o", "json"]
    for name, template in templates.items():
        (folder / f"{name}.json").write_text(json.dumps(template, indent=1), "utf-8")
        arguments += ["-f", str(folder / f"{name}.json")]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    report = json.loads(done.stdout)
    assert report["summary"]["parsing_errors"] == 0, report
    assert report["summary"]["passed"] > 0, "checkov checked nothing"
    failed = {name: set() for name in templates}
    for check in report["results"]["failed_checks"]:
        name = check["file_path"].rpartition("/")[2].removesuffix(".json")
        failed[name].add((check["check_id"], check["resource"]))
    results = report["results"]["passed_checks"] + report["results"]["failed_checks"]
    return failed, {check["resource"].partition(".")[0] for check in results}


def not_accepted(failed):
    """Findings without a reason to accept them."""
    return sorted(
        (check, resource)
        for check, resource in failed
        if not any(check == c and re.search(where, resource) for c, where in ACCEPTED)
    )


def _policy(**change):
    def apply(inputs):
        document = json.loads(inputs["policy"])
        document["Statement"][0].update(change)
        inputs["policy"] = json.dumps(document)

    return apply


DEFECTS = {
    "a bucket that ACLs can make public": (
        "data-public",
        lambda i: i.update(blockPublicAcls=False),
        "CKV_AWS_53",
    ),
    "a bucket that a policy can make public": (
        "data-public",
        lambda i: i.update(restrictPublicBuckets=False),
        "CKV_AWS_56",
    ),
    "a bucket without versions": (
        "data-versioning",
        lambda i: i["versioningConfiguration"].update(status="Suspended"),
        "CKV_AWS_21",
    ),
    "a key that never rotates": ("key", lambda i: i.pop("enableKeyRotation"), "CKV_AWS_7"),
    "a topic in clear": ("alerts", lambda i: i.pop("kmsMasterKeyId"), "CKV_AWS_26"),
    "a rule that says nothing": ("objects-out", lambda i: i.pop("description"), "CKV_AWS_23"),
    "a door to the world": (
        "members-in",
        lambda i: (
            i.pop("referencedSecurityGroupId"),
            i.update(ipProtocol="tcp", fromPort=22, toPort=22, cidrIpv4="0.0.0.0/0"),
        ),
        "CKV_AWS_24",
    ),
    "a trail in clear": ("audit", lambda i: i.pop("kmsKeyId"), "CKV_AWS_35"),
    "a trail that anybody can rewrite": (
        "audit",
        lambda i: i.update(enableLogFileValidation=False),
        "CKV_AWS_36",
    ),
    "a log in clear": ("log", lambda i: i.pop("kmsKeyId"), "CKV_AWS_158"),
    "a log that is kept forever": ("log", lambda i: i.pop("retentionInDays"), "CKV_AWS_66"),
    "a policy that allows everything": (
        "role-policy",
        _policy(Action="*", Resource="*"),
        "CKV_AWS_62",
    ),
    "a role that everybody may take": (
        "role",
        lambda i: i.update(
            assumeRolePolicy=json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
                    ],
                }
            )
        ),
        "CKV_AWS_60",
    ),
    "a function that loses events": (
        "cooldown",
        lambda i: i.pop("deadLetterConfig"),
        "CKV_AWS_116",
    ),
}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    graph = sample_graph()
    bad = graph
    for name, change, _ in DEFECTS.values():
        bad = with_defect(bad, name, change)
    return run(
        tmp_path_factory.mktemp("checkov"),
        clean=to_cloudformation(concrete(graph)),
        bad=to_cloudformation(concrete(bad)),
        closed=to_cloudformation(concrete(closed("dev"))),
        **{stack: to_cloudformation(concrete(capture_example(stack))) for stack in STACKS},
    )


@pytest.fixture(scope="module")
def failed(report):
    return report[0]


def test_the_types_it_judges_are_those_that_the_coverage_claims(report):
    assert report[1] == {cfn_types()[type_] for type_ in JUDGED}


def test_the_sample_has_no_findings(failed):
    assert not_accepted(failed["clean"]) == []


@pytest.mark.parametrize("stack", STACKS)
def test_the_example_has_no_findings(stack, failed):
    assert not_accepted(failed[stack]) == []


def test_a_closed_stack_has_no_findings(failed):
    assert not_accepted(failed["closed"]) == []
    # There the containers are cut off.
    assert not any(check == "CKV_AWS_370" for check, _ in failed["closed"])


def test_every_acceptance_is_needed(failed):
    found = failed["clean"] | failed["dev"]
    for check, where in ACCEPTED:
        assert any(check == c and re.search(where, r) for c, r in found), check


@pytest.mark.parametrize("title", DEFECTS)
def test_rejected(title, failed):
    name, _, check = DEFECTS[title]
    (resource,) = (r for r in sample_graph() if r.name == name)
    # A part of a bucket is judged as its bucket.
    where = "BucketXData" if name.startswith("data-") else logical_id(resource)
    found = failed["bad"] - failed["clean"]
    assert any(c == check and r.endswith(f".{where}") for c, r in found), found
