"""The real AWS provider validates and plans the stack, and says which change replaces."""

from __future__ import annotations

import json
import re

import pytest

from mlops_iac.emulators.aws.facts import FACTS
from tests.oracles.concrete import concrete
from tests.oracles.sample_graph import sample_graph, with_defect
from tests.oracles.terraform_cli import Terraform, TerraformMissing
from tests.oracles.to_terraform import Untranslated, to_terraform

pytestmark = pytest.mark.terraform


@pytest.fixture(scope="module")
def terraform(tmp_path_factory):
    try:
        return Terraform(tmp_path_factory.mktemp("terraform"))
    except TerraformMissing as missing:
        pytest.skip(str(missing))


def test_the_provider_plans_the_sample(terraform):
    graph = sample_graph()
    terraform.write(to_terraform(concrete(graph), references=False))
    assert terraform.problems() == []
    planned = terraform.plan()["resource_changes"]
    assert len(planned) == len(graph.resources)
    assert {tuple(change["change"]["actions"]) for change in planned} == {("create",)}


def test_the_provider_plans_the_example(terraform, example_graph):
    terraform.write(to_terraform(concrete(example_graph), references=False))
    planned = terraform.plan()["resource_changes"]
    made = [r for r in example_graph if r.custom and not r.type.startswith("pulumi:")]
    assert len(planned) == len(made)


def test_the_examples_references_are_attributes_that_exist(terraform, example_graph):
    terraform.write(to_terraform(example_graph))
    assert terraform.problems() == []


def test_its_references_are_attributes_that_exist(terraform):
    terraform.write(to_terraform(sample_graph()))
    assert terraform.problems() == []


def _set(**values):
    return lambda inputs: inputs.update(values)


DEFECTS = {
    "an instance type that does not exist": (
        "configuration",
        lambda i: i["productionVariants"][0].update(instanceType="ml.m5.gigantic"),
    ),
    "a name with an underscore": ("endpoint", _set(name="sample_endpoint")),
    "a name that is too long": ("endpoint", _set(name="e" * 64)),
    "a role that is no ARN": ("pipeline", _set(roleArn="role")),
    "a trust policy that is no JSON": ("role", _set(assumeRolePolicy="{")),
    "an operator that no alarm has": ("alarm", _set(comparisonOperator="Greater")),
    "a retention that CloudWatch does not offer": ("log", _set(retentionInDays=31)),
    "an encryption that S3 does not know": (
        "data-encryption",
        lambda i: i["rules"][0]["applyServerSideEncryptionByDefault"].update(sseAlgorithm="rot13"),
    ),
    "a memory size under the least": ("cooldown", _set(memorySize=1)),
    "an alias without its prefix": ("alias", _set(name="sample")),
    "a protocol that SNS does not speak": ("oncall", _set(protocol="pigeon")),
    "a trail with too short a name": ("audit", _set(name="ab")),
    "addresses that are none": ("private", _set(cidrBlock="10.0.0.0/40")),
    "an endpoint of an unknown kind": ("identities", _set(vpcEndpointType="Tunnel")),
    "a log of half of the traffic": ("traffic", _set(trafficType="HALF")),
    "a port beyond the last": ("objects-out", _set(toPort=65536)),
    "an endpoint's policy that is no JSON": ("objects", _set(policy="{")),
    "a capture of more than everything": (
        "configuration",
        lambda i: i["dataCaptureConfig"].update(initialSamplingPercentage=200),
    ),
}


@pytest.fixture(scope="module")
def rejected(terraform):
    """Defects that the provider finds, each in a copy of its resource in one configuration."""
    configuration = to_terraform(concrete(sample_graph()), references=False)
    configuration["resource"] = {}
    for number, (name, change) in enumerate(DEFECTS.values()):
        bad = to_terraform(concrete(with_defect(sample_graph(), name, change)), references=False)[
            "resource"
        ]
        for type_, resources in bad.items():
            if name.replace("-", "_") in resources:
                place = configuration["resource"].setdefault(type_, {})
                place[f"defect{number}"] = resources[name.replace("-", "_")]
    terraform.write(configuration)
    problems = terraform.problems()
    return {
        title
        for number, title in enumerate(DEFECTS)
        if any(re.search(rf"\.defect{number}\b", problem) for problem in problems)
    }


@pytest.mark.parametrize("title", DEFECTS)
def test_rejected(title, rejected):
    assert title in rejected


def test_a_property_that_the_provider_lacks_is_an_error():
    bad = with_defect(sample_graph(), "endpoint", _set(endpointConfigurationName="x"))
    with pytest.raises(Untranslated, match="no endpointConfigurationName"):
        to_terraform(bad)


def test_the_facts_agree_with_terraform_planning_from_a_crafted_state(terraform):
    """A second way to the facts: terraform's own plan from a state in which everything differs."""
    type_ = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
    graph = concrete(sample_graph())
    configuration = to_terraform(graph, references=False)
    for name in list(configuration["resource"]):
        if name != "aws_sagemaker_endpoint_configuration":
            del configuration["resource"][name]
    configuration["resource"]["aws_sagemaker_endpoint_configuration"]["configuration"] |= {
        "tags": {"now": "b"}
    }
    state = {
        "version": 4,
        "terraform_version": "1.11.4",
        "serial": 1,
        "lineage": "crafted",
        "outputs": {},
        "resources": [
            {
                "mode": "managed",
                "type": "aws_sagemaker_endpoint_configuration",
                "name": "configuration",
                "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
                "instances": [
                    {
                        "schema_version": 0,
                        "attributes": {
                            "id": "x",
                            "name": "x",
                            "name_prefix": "x",
                            "kms_key_arn": "x",
                            "tags": {"then": "a"},
                            "tags_all": {"then": "a"},
                            "production_variants": [
                                {
                                    "variant_name": "x",
                                    "model_name": "x",
                                    "instance_type": "x",
                                    "initial_instance_count": 9,
                                    "initial_variant_weight": 9,
                                }
                            ],
                            "data_capture_config": [
                                {
                                    "enable_capture": False,
                                    "initial_sampling_percentage": 1,
                                    "destination_s3_uri": "x",
                                    "kms_key_id": "x",
                                }
                            ],
                        },
                    }
                ],
            }
        ],
    }
    terraform.write(configuration)
    (terraform.folder / "terraform.tfstate").write_text(json.dumps(state), "utf-8")
    try:
        (change,) = terraform.plan()["resource_changes"]
    finally:
        (terraform.folder / "terraform.tfstate").unlink()
    said = {
        ".".join(p for p in path if isinstance(p, str))
        for path in change["change"]["replace_paths"]
    }
    facts = {f.tf_path: f for f in FACTS.properties(type_).values() if f.tf_path}
    assert {"production_variants.instance_type", "kms_key_arn"} <= said
    for path in said - {"id"}:
        assert facts[path].replaces or facts[path].replaces_on_add, path
    assert not facts["tags"].replaces
    assert "tags" not in said
