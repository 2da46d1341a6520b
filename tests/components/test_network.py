"""The private network: exact graph, no way out, every policy, and an existing one left alone."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_iac.clouds.aws.components.network import Network, NetworkArgs
from mlops_iac.graph.model import Resource
from tests.components.capture import capture, names, of_type, one, policy, types

KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234"
BUCKETS = ["arn:aws:s3:::data", "arn:aws:s3:::artifacts"]
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
RUNTIME = "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/project-stack-api"
EXISTING = {"subnets": ["subnet-1", "subnet-2"], "security_groups": ["sg-1"]}


def graph(**args: Any) -> list[Resource]:
    return capture(lambda: Network("network", NetworkArgs(**args)))


def full(**args: Any) -> list[Resource]:
    return graph(
        **{
            "endpoints": ["api"],
            "bucket_arns": BUCKETS,
            "uris": ["s3://acme/history/"],
            "origin_accounts": ["012345678901"],
            "origin_stacks": ["churn-dev"],
            "images": ["141502667606/sagemaker-scikit-learn"],
            "key_arn": KEY,
            "log_key_arn": KEY,
            "tags": {"project": "x"},
            **args,
        }
    )


@pytest.fixture(scope="module")
def network() -> list[Resource]:
    return full()


def test_exact_types_and_counts(network: list[Resource]) -> None:
    assert types(network) == {
        "mlops-iac:aws:Network": 1,
        "aws:ec2/vpc:Vpc": 1,
        "aws:ec2/subnet:Subnet": 2,
        "aws:ec2/routeTable:RouteTable": 1,
        "aws:ec2/routeTableAssociation:RouteTableAssociation": 2,
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": 1,
        "aws:ec2/securityGroup:SecurityGroup": 3,
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": 3,
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": 4,
        "aws:ec2/vpcEndpoint:VpcEndpoint": 9,
        "aws:ec2/flowLog:FlowLog": 1,
        "aws:cloudwatch/logGroup:LogGroup": 1,
        "aws:iam/role:Role": 1,
        "aws:iam/rolePolicy:RolePolicy": 1,
        "aws:iam/policy:Policy": 1,
    }


def test_every_child_is_parented_named_and_tagged(network: list[Resource]) -> None:
    component = one(network, "mlops-iac:aws:Network")
    untagged = {"aws:ec2/routeTableAssociation:RouteTableAssociation"}
    untagged.add("aws:iam/rolePolicy:RolePolicy")
    for child in network:
        if child is component:
            continue
        assert child.parent == component.urn
        assert child.name.startswith("network-")
        if child.type not in untagged:
            assert child.inputs["tags"]["project"] == "x", child.urn


def test_there_is_no_way_out(network: list[Resource]) -> None:
    """No gateway, no address of the world's in any rule, no public address on any machine."""
    assert not [each for each in network if "Gateway:" in each.type]
    for rule in (*of_type(network, INGRESS), *of_type(network, EGRESS)):
        assert not {"cidrIpv4", "cidrIpv6"} & rule.inputs.keys()
        everything = rule.inputs["ipProtocol"] == "-1"
        own = rule.inputs["securityGroupId"] == rule.inputs.get("referencedSecurityGroupId")
        assert everything is own
        if not own:
            assert rule.inputs["ipProtocol"] == "tcp"
            assert (rule.inputs["fromPort"], rule.inputs["toPort"]) == (443, 443)
    for subnet in of_type(network, "aws:ec2/subnet:Subnet"):
        assert subnet.inputs["mapPublicIpOnLaunch"] is False
    assert "routes" not in one(network, "aws:ec2/routeTable:RouteTable").inputs


def test_who_reaches_whom(network: list[Resource]) -> None:
    def reached(type_: str) -> set[tuple[str, str]]:
        return {
            (
                each.inputs["securityGroupId"],
                each.inputs.get("referencedSecurityGroupId") or each.inputs["prefixListId"],
            )
            for each in of_type(network, type_)
        }

    workload, callers, services = (
        f"sg-network-{name}" for name in ("workload", "callers", "services")
    )
    assert reached(INGRESS) == {
        (workload, workload),
        (services, workload),
        (services, callers),
    }
    assert reached(EGRESS) == {
        (workload, workload),
        (workload, services),
        (workload, "pl-s3"),
        (callers, services),
    }


def test_the_default_security_group_is_closed(network: list[Resource]) -> None:
    group = one(network, "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup")
    assert group.inputs.keys() == {"vpcId", "tags"}


def test_subnets_lie_in_two_zones_that_never_move(network: list[Resource]) -> None:
    subnets = of_type(network, "aws:ec2/subnet:Subnet")
    assert {each.inputs["availabilityZone"] for each in subnets} == {"eu-west-1a", "eu-west-1b"}
    assert {each.inputs["cidrBlock"] for each in subnets} == {"10.0.0.0/20", "10.0.16.0/20"}
    assert {each.ignore_changes for each in subnets} == {("availabilityZone",)}
    routed = {
        each.inputs["subnetId"]
        for each in of_type(network, "aws:ec2/routeTableAssociation:RouteTableAssociation")
    }
    assert routed == {each.id for each in subnets}


def test_addresses_can_be_others() -> None:
    subnets = of_type(graph(cidr="172.20.0.0/20"), "aws:ec2/subnet:Subnet")
    assert {each.inputs["cidrBlock"] for each in subnets} == {"172.20.0.0/24", "172.20.1.0/24"}


def test_services_and_how_they_are_reached(network: list[Resource]) -> None:
    made = {each.inputs["serviceName"]: each.inputs for each in of_type(network, ENDPOINT)}
    prefix = "com.amazonaws.eu-west-1."
    assert {name.removeprefix(prefix) for name in made} == {
        "s3",
        "sagemaker.api",
        "sagemaker.runtime",
        "ecr.api",
        "ecr.dkr",
        "logs",
        "monitoring",
        "kms",
        "sts",
    }
    gateway = made.pop(prefix + "s3")
    assert gateway["vpcEndpointType"] == "Gateway"
    assert gateway["routeTableIds"] == ["rtb-network-routes"]
    for each in made.values():
        assert each["vpcEndpointType"] == "Interface"
        assert each["privateDnsEnabled"] is True
        assert len(each["subnetIds"]) == 2
        assert each["securityGroupIds"] == ["sg-network-services"]


def test_endpoints_serve_identities_of_this_account_alone(network: list[Resource]) -> None:
    for endpoint in of_type(network, ENDPOINT):
        for sid, each in policy(endpoint.inputs["policy"]).items():
            assert each["Effect"] == "Allow"
            condition = each["Condition"]["StringEquals"]
            if sid == "ImageLayers":
                assert condition == {"aws:SourceVpc": "vpc-network-vpc"}
            else:
                assert condition["aws:PrincipalAccount"] == "123456789012", (endpoint.name, sid)


def test_objects_reach_the_buckets_of_the_stack_and_no_others(network: list[Resource]) -> None:
    (gateway,) = [each for each in of_type(network, ENDPOINT) if each.name == "network-s3"]
    rights = policy(gateway.inputs["policy"])
    assert {sid: each["Resource"] for sid, each in rights.items()} == {
        "OwnBuckets": [text for arn in BUCKETS for text in (arn, f"{arn}/*")],
        "ReadSources": "arn:aws:s3:::acme/history/*",
        "ListSources": "arn:aws:s3:::acme",
        "Promoted": "arn:aws:s3:::churn-dev-data-artifacts-*/models/*",
        "ImageLayers": "arn:aws:s3:::prod-eu-west-1-starport-layer-bucket/*",
    }
    assert rights["Promoted"]["Condition"]["StringEquals"]["aws:ResourceAccount"] == [
        "012345678901"
    ]
    writing = [sid for sid, each in rights.items() if "s3:PutObject" in each["Action"]]
    assert writing == ["OwnBuckets"]


def test_the_runtime_reaches_the_endpoints_of_the_stack_and_no_others(
    network: list[Resource],
) -> None:
    (runtime,) = [
        each for each in of_type(network, ENDPOINT) if each.name == "network-sagemaker-runtime"
    ]
    (only,) = policy(runtime.inputs["policy"]).values()
    assert only["Resource"] == RUNTIME
    assert all(action.startswith("sagemaker:InvokeEndpoint") for action in only["Action"])


def test_callers_call_from_the_network_only(network: list[Resource]) -> None:
    rights = policy(one(network, "aws:iam/policy:Policy").inputs["policy"])
    inside, outside = rights["Invoke"], rights["NotFromElsewhere"]
    assert (inside["Effect"], outside["Effect"]) == ("Allow", "Deny")
    assert inside["Action"] == outside["Action"]
    assert inside["Resource"] == outside["Resource"] == RUNTIME
    assert inside["Condition"] == {"StringEquals": {"aws:SourceVpc": "vpc-network-vpc"}}
    assert outside["Condition"] == {"StringNotEquals": {"aws:SourceVpc": "vpc-network-vpc"}}


def test_all_traffic_is_written_down_under_the_key(network: list[Resource]) -> None:
    log = one(network, "aws:cloudwatch/logGroup:LogGroup")
    assert log.inputs["kmsKeyId"] == KEY
    assert log.inputs["retentionInDays"] == 365
    flow = one(network, "aws:ec2/flowLog:FlowLog")
    assert flow.inputs["trafficType"] == "ALL"
    assert flow.inputs["logDestination"] == log.outputs["arn"]
    assert "network-traffic-policy" in names(flow.dependencies)
    trusted = policy(one(network, "aws:iam/role:Role").inputs["assumeRolePolicy"])["Assume"]
    assert trusted["Principal"] == {"Service": "vpc-flow-logs.amazonaws.com"}
    assert trusted["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"},
        "ArnEquals": {"aws:SourceArn": "arn:aws:ec2:eu-west-1:123456789012:vpc-flow-log/*"},
    }


def test_without_endpoints_nothing_is_called() -> None:
    bare = graph(bucket_arns=BUCKETS)
    assert "network-sagemaker-runtime" not in {each.name for each in bare}
    assert not of_type(bare, "aws:iam/policy:Policy")


def test_an_existing_network_is_used_and_nothing_of_it_made() -> None:
    found: list[Network] = []
    made = capture(
        lambda: found.append(
            Network("network", NetworkArgs(vpc_id="vpc-1", endpoints=["api"], **EXISTING))
        )
    )
    assert types(made) == {"mlops-iac:aws:Network": 1, "aws:iam/policy:Policy": 1}
    rights = policy(one(made, "aws:iam/policy:Policy").inputs["policy"])
    assert rights["Invoke"]["Condition"] == {"StringEquals": {"aws:SourceVpc": "vpc-1"}}
    (network,) = found
    assert network.subnet_ids == ["subnet-1", "subnet-2"]
    assert network.security_group_ids == ["sg-1"]
    assert network.callers_group_id is None


def test_where_callers_come_from_anywhere_nothing_is_made() -> None:
    assert types(graph(endpoints=["api"], **EXISTING)) == {"mlops-iac:aws:Network": 1}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"vpc_id": "vpc-1"}, "takes its subnets"),
        ({"security_groups": ["sg-1"]}, "takes its subnets"),
        ({"subnets": ["subnet-1"]}, "takes its subnets"),
    ],
)
def test_half_a_network_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        graph(**given)
