"""The real AWS provider validates and plans the stack, and says which change replaces."""

from __future__ import annotations

import json
import re
from functools import partial

import pytest

from mlops_iac.emulators.aws.facts import FACTS
from tests.oracles.concrete import concrete
from tests.oracles.conftest import STACKS, capture_example
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


GRAPHS = {"sample": sample_graph, **{name: partial(capture_example, name) for name in STACKS}}


def defects():
    """A bad copy of a resource for each defect."""
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
    return configuration


@pytest.fixture(scope="module")
def problems(terraform):
    """What the provider finds in each graph with its references, and in the defects."""
    terraform.write_modules(
        {name: to_terraform(graph()) for name, graph in GRAPHS.items()} | {"defects": defects()}
    )
    return terraform.problems()


@pytest.mark.parametrize("name", GRAPHS)
def test_references_are_attributes_that_exist(name, problems):
    assert problems.keys() <= {*GRAPHS, "defects"}
    assert problems.get(name, []) == []


@pytest.mark.parametrize("title", DEFECTS)
def test_rejected(title, problems):
    number = [*DEFECTS].index(title)
    assert any(re.search(rf"\.defect{number}\b", problem) for problem in problems["defects"])


def test_a_property_that_the_provider_lacks_is_an_error():
    bad = with_defect(sample_graph(), "endpoint", _set(endpointConfigurationName="x"))
    with pytest.raises(Untranslated, match="no endpointConfigurationName"):
        to_terraform(bad)


CRAFTED = "aws_sagemaker_endpoint_configuration"
# A state in which everything differs.
STATE = {
    "version": 4,
    "terraform_version": "1.11.4",
    "serial": 1,
    "lineage": "crafted",
    "outputs": {},
    "resources": [
        {
            "module": "module.crafted",
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


def crafted():
    configuration = to_terraform(concrete(sample_graph()), references=False)
    body = configuration["resource"][CRAFTED]["configuration"]
    changed = {CRAFTED: {"configuration": body | {"tags": {"now": "b"}}}}
    return configuration | {"resource": changed}


@pytest.fixture(scope="module")
def planned(terraform):
    """Planned changes by module."""
    configurations = {
        name: to_terraform(concrete(graph()), references=False) for name, graph in GRAPHS.items()
    }
    terraform.write_modules(configurations | {"crafted": crafted()})
    (terraform.folder / "terraform.tfstate").write_text(json.dumps(STATE), "utf-8")
    found = {}
    for change in terraform.plan()["resource_changes"]:
        found.setdefault(change["module_address"].removeprefix("module."), []).append(change)
    return found


@pytest.mark.parametrize("name", GRAPHS)
def test_the_provider_plans_it(name, planned):
    made = [r for r in GRAPHS[name]() if r.custom and not r.type.startswith("pulumi:")]
    assert len(planned[name]) == len(made)
    assert {tuple(change["change"]["actions"]) for change in planned[name]} == {("create",)}


def test_the_facts_agree_with_terraform_planning_from_a_crafted_state(planned):
    """A second way to the facts: terraform's own plan from a state in which everything differs."""
    type_ = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
    (change,) = planned["crafted"]
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
