"""A closed stack from nothing to an endpoint and back: network, jobs and models inside it.

The tests of this module build on each other and run in the order they stand in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.harness import Cli, copy_example, environment, teach_nothing

OPEN = "security: {keys: customer}"
CLOSED = (
    "security: {network: private, egress: none, keys: customer, audit_log: true,"
    " access: {approvers: [ml-leads]}}"
)


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    folder = teach_nothing(copy_example(tmp_path_factory.mktemp("private") / "project"))
    path = folder / "blueprint.yaml"
    text = path.read_text(encoding="utf-8")
    assert text.count(OPEN) == 1
    path.write_text(text.replace(OPEN, CLOSED), encoding="utf-8")
    command = Cli(folder, environment())
    yield command
    command("local", "stop", expect=None)


@pytest.fixture(scope="module")
def aws(walk: Cli) -> Any:
    """boto3, as a user would point it at the emulated cloud."""
    import boto3

    endpoint = walk("local", "status", "--json").json["endpoint"]

    def client(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=endpoint,
            region_name="eu-west-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )

    return client


def mine(outputs: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"Name": "vpc-id", "Values": [outputs["network"]]}]


def test_it_is_valid_without_what_cannot_be_fetched(walk: Cli) -> None:
    answer = walk("validate", expect=2)
    assert "error[requirements-offline]" in answer.err
    assert "the image of scikit-learn 1.9 has no matplotlib" in answer.err
    wanted = walk.folder / "workload" / "requirements.txt"
    wanted.write_text(wanted.read_text().replace("matplotlib>=3.9,<4\n", ""))
    walk("validate")


def test_up_deploys_it(walk: Cli) -> None:
    walk("up", "--yes")


def test_the_network_is_closed(walk: Cli, aws: Any) -> None:
    outputs = walk("outputs", "--json").json
    ec2 = aws("ec2")
    subnets = ec2.describe_subnets(Filters=mine(outputs))["Subnets"]
    assert len({each["AvailabilityZone"] for each in subnets}) == 2
    # The main route table and the stack's own: local routes, and the way to S3.
    tables = ec2.describe_route_tables(Filters=mine(outputs))["RouteTables"]
    routes = [route for table in tables for route in table["Routes"]]
    assert {route.get("DestinationCidrBlock") for route in routes} <= {"10.0.0.0/16", None}
    groups = ec2.describe_security_groups(Filters=mine(outputs))["SecurityGroups"]
    for group in groups:
        rules = group["IpPermissions"] + group["IpPermissionsEgress"]
        assert not any(rule["IpRanges"] or rule["Ipv6Ranges"] for rule in rules)
    (default,) = [group for group in groups if group["GroupName"] == "default"]
    assert not default["IpPermissions"] + default["IpPermissionsEgress"]
    assert len(ec2.describe_vpc_endpoints(Filters=mine(outputs))["VpcEndpoints"]) == 9


def test_every_job_of_the_pipeline_is_in_it(walk: Cli, aws: Any) -> None:
    outputs = walk("outputs", "--json").json
    subnets = aws("ec2").describe_subnets(Filters=mine(outputs))["Subnets"]
    pipeline = aws("sagemaker").describe_pipeline(PipelineName=outputs["adherence_pipeline"])
    steps = {each["Name"]: each for each in json.loads(pipeline["PipelineDefinition"])["Steps"]}
    for name in ("Prepare", "Train", "Evaluate"):
        job = steps[name]["Arguments"]
        settings = job.get("NetworkConfig", job)
        assert {*settings["VpcConfig"]["Subnets"]} == {each["SubnetId"] for each in subnets}
        assert settings["EnableNetworkIsolation"] is True
        assert settings["EnableInterContainerTrafficEncryption"] is True


def test_who_did_what_is_written_down(walk: Cli, aws: Any) -> None:
    outputs = walk("outputs", "--json").json
    trail = aws("cloudtrail")
    found = trail.get_trail(Name=outputs["audit_trail"])["Trail"]
    assert found["S3BucketName"] == outputs["audit_bucket"]
    assert found["LogFileValidationEnabled"] is True
    assert found["KmsKeyId"].startswith("arn:aws:kms:")
    assert trail.get_trail_status(Name=outputs["audit_trail"])["IsLogging"] is True
    selectors = trail.get_event_selectors(TrailName=outputs["audit_trail"])
    watched = json.dumps(selectors["AdvancedEventSelectors"])
    for area in ("data", "artifacts", "captures"):
        assert f"arn:aws:s3:::{outputs[area + '_bucket']}/" in watched


def test_a_second_up_changes_nothing(walk: Cli) -> None:
    assert set(walk("up", "--yes", "--json").json["summary"]) <= {"same"}
    walk("preview", "--expect-no-changes")
    walk("refresh", "--yes")
    walk("preview", "--expect-no-changes")


def test_a_model_is_trained_approved_and_served_inside_it(walk: Cli, aws: Any) -> None:
    assert walk("run", "--json").json["status"] == "registered"
    walk("models", "approve", "adherence", "1")
    walk("up", "--yes")
    outputs = walk("outputs", "--json").json
    (model,) = aws("sagemaker").list_models()["Models"]
    described = aws("sagemaker").describe_model(ModelName=model["ModelName"])
    groups = described["VpcConfig"]["SecurityGroupIds"]
    named = aws("ec2").describe_security_groups(GroupIds=groups)["SecurityGroups"]
    assert [each["Description"] for each in named] == ["Jobs and serving containers"]
    policy = aws("iam").get_policy(PolicyArn=outputs["callers_policy"])["Policy"]
    document = aws("iam").get_policy_version(
        PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"]
    )["PolicyVersion"]["Document"]
    assert {each["Effect"] for each in document["Statement"]} == {"Allow", "Deny"}
    assert outputs["network"] in json.dumps(document)
    walk("preview", "--expect-no-changes")


def test_what_somebody_opened_is_seen_and_closed_again(walk: Cli, aws: Any) -> None:
    outputs = walk("outputs", "--json").json
    (subnet, _) = aws("ec2").describe_subnets(Filters=mine(outputs))["Subnets"]
    aws("ec2").modify_subnet_attribute(
        SubnetId=subnet["SubnetId"], MapPublicIpOnLaunch={"Value": True}
    )
    walk("refresh", "--yes")
    walk("preview", "--expect-no-changes", expect=7)
    walk("up", "--yes")
    found = aws("ec2").describe_subnets(SubnetIds=[subnet["SubnetId"]])["Subnets"]
    assert found[0]["MapPublicIpOnLaunch"] is False


def test_its_guard_rails_find_nothing(walk: Cli) -> None:
    walk("policy", "check")


def test_destroy_leaves_nothing_of_it(walk: Cli, aws: Any) -> None:
    outputs = walk("outputs", "--json").json
    walk("destroy", "--yes")
    ec2 = aws("ec2")
    assert ec2.describe_subnets(Filters=mine(outputs))["Subnets"] == []
    known = {each["VpcId"] for each in ec2.describe_vpcs()["Vpcs"]}
    assert outputs["network"] not in known
