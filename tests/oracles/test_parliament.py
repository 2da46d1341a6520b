"""parliament over every IAM policy document: actions exist and fit their resources."""

from __future__ import annotations

import json
import re

import pytest

from mlops_iac.api import load
from mlops_iac.clouds.aws.sagemaker.scope import Scope
from tests.oracles.concrete import concrete, policy_documents
from tests.oracles.sample_graph import sample_graph, with_defect
from tests.sagemaker_blueprints import MAXIMAL, PRIVATE, write
from tools.deployer_rights import deployer
from tools.deployer_rights import statement as written

# What parliament says that is no fault here (issue, `resource path detail`) → why.
ACCEPTED = {
    ("RESOURCE_STAR", ""): "a key's policy means the key itself by `*`; statements of roles with a"
    " wildcard give their reason in code (components/_iam.py)",
    (
        "UNKNOWN_CONDITION_FOR_ACTION",
        "kms:EncryptionContext:aws:logs:arn for action kms:Describe",
    ): "the statement is CloudWatch Logs' own (user guide, Encrypt log data)",
    (
        "MISMATCHED_TYPE",
        "policy Type mismatch: ArnLike requires a value of type Arn but given String",
    ): "the encryption context of a log group is its ARN; the user guide compares it so",
    (
        "RESOURCE_MISMATCH",
        "group-policy resourcePolicy .*sagemaker:CreateModel",
    ): "the group's policy admits another account's CreateModel (SageMaker developer guide,"
    " Deploy a Model Version from a Different Account)",
}


def findings(graph):
    """`address path issue: detail` for every document; only identity policies have ARNs to fit."""
    from parliament import analyze_policy_string

    texts = []
    for resource, path, document in policy_documents(concrete(graph)):
        text = json.dumps(_as_identity_policy(document))
        texts += [
            f"{resource.name} {path} {finding.issue}: {finding.detail}"
            for finding in analyze_policy_string(text).findings
            if not _accepted(finding.issue, f"{resource.name} {path} {finding.detail}")
        ]
    return texts


def _accepted(issue, text):
    return any(issue == known and re.search(what, text) for known, what in ACCEPTED)


def _as_identity_policy(document):
    """Resource policies and trust policies too: their principals belong to other checks."""
    statements = []
    for statement in document["Statement"]:
        kept = {key: value for key, value in statement.items() if key != "Principal"}
        kept.setdefault("Resource", "*")
        statements.append(kept)
    return {**document, "Statement": statements}


def test_the_sample_has_documents_of_every_kind():
    kinds = {r.type.rpartition(":")[2] for r, _, _ in policy_documents(sample_graph())}
    assert kinds == {
        "BucketPolicy",
        "Key",
        "ModelPackageGroupPolicy",
        "Policy",
        "QueuePolicy",
        "Role",
        "RolePolicy",
        "TopicPolicy",
        "VpcEndpoint",
    }


# What parliament says of the deployer's statements that is no fault → why.
OF_THE_DEPLOYER = {
    (
        "RESOURCE_STAR",
        "",
    ): "what has no names: said with the reason (`sagemaker/deployer_policy.py`)",
    ("RESOURCE_MISMATCH", "Alias"): "an alias and its key are two resources of one action, and two"
    " statements",
    ("RESOURCE_MISMATCH", "sagemaker:CreateModel"): "another account's version (see above)",
    ("RESOURCE_POLICY_PRIVILEGE_ESCALATION", "s3:"): "a deployer writes its own buckets' policies",
    ("MISMATCHED_TYPE_BUT_USABLE", ""): "the boundary is one ARN (IAM user guide, Permissions"
    " boundaries for IAM entities)",
}


@pytest.mark.parametrize("text", [MAXIMAL, PRIVATE], ids=["open", "private"])
@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_deployers_rights_have_no_findings(tmp_path, text, stack):
    from parliament import analyze_policy_string

    project = load(write(tmp_path, text))
    statements = [
        written(each) for each in deployer(Scope(project.resolve(stack)), project.calls(stack))
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    assert [
        f"{finding.issue}: {finding.detail}"
        for finding in analyze_policy_string(document).findings
        if not any(
            finding.issue == issue and part in str(finding.detail)
            for issue, part in OF_THE_DEPLOYER
        )
    ] == []


def test_the_sample_has_no_findings():
    assert findings(sample_graph()) == []


def test_the_example_has_no_findings(example_graph):
    assert policy_documents(example_graph)
    assert findings(example_graph) == []


def _statement(change):
    def apply(inputs):
        key = next(k for k in ("policy", "assumeRolePolicy") if k in inputs)
        document = json.loads(inputs[key])
        change(document["Statement"][0])
        inputs[key] = json.dumps(document)

    return apply


@pytest.mark.parametrize(
    ("name", "change", "issue"),
    [
        ("role-policy", {"Action": "s3:GetObjects"}, "UNKNOWN_ACTION"),
        ("role-policy", {"Action": "sagemakr:CreateModel"}, "UNKNOWN_PREFIX"),
        ("role-policy", {"Resource": "arn:aws:s3:::bucket"}, "RESOURCE_MISMATCH"),
        ("policy", {"Resource": "arn:aws:sqs:eu-west-1:123456789012:q"}, "RESOURCE_MISMATCH"),
        ("role-policy", {"Effect": "Permit"}, "MALFORMED"),
        ("data-policy", {"Resource": "bucket"}, "INVALID_ARN"),
        (
            "alerts-policy",
            {"Condition": {"StringEqual": {"aws:SourceAccount": "1"}}},
            "UNKNOWN_OPERATOR",
        ),
        (
            "alerts-policy",
            {"Condition": {"Bool": {"aws:SecureTransport": "maybe"}}},
            "MISMATCHED_TYPE",
        ),
        ("undelivered-policy", {"Action": "sqs:Send"}, "UNKNOWN_ACTION"),
        ("role", {"Action": "sts:AssumeRoles"}, "UNKNOWN_ACTION"),
        ("identities", {"Action": "sts:WhoAmI"}, "UNKNOWN_ACTION"),
    ],
)
def test_rejected(name, change, issue):
    found = findings(with_defect(sample_graph(), name, _statement(lambda s: s.update(change))))
    assert any(issue in finding and finding.startswith(name) for finding in found), found
