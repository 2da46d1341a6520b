"""Each built-in service, from `init` to an endpoint that a person approved, read back with boto3."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_iac import scaffold
from tests.cli.harness import Answer, Cli, environment, teach_nothing

Service = Callable[..., Cli]
# No profile, no instance metadata: whoever asked for credentials would fail.
NOBODY = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null"}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Start a project from a template; its emulated cloud stops with the test."""
    made: list[Cli] = []

    def start(template: str, **data: str) -> Cli:
        words = [word for key, value in data.items() for word in ("--data", f"{key}={value}")]
        own = environment() | NOBODY
        own["MLOPS_IAC_CACHE"] = str(tmp_path / "cache")
        Cli(tmp_path, own)("init", template, "svc", "--data", "owner=ann@acme.example", *words)
        made.append(Cli(tmp_path / "svc", own))
        return made[0]

    yield start
    for each in made:
        each("local", "stop", expect=None)


def same_workload(cli: Cli) -> None:
    """Its scripts are those that a quickstart trains with; here nothing is learned again."""
    ours = Path(scaffold.__file__).parent / "template" / "workload"
    scripts = {path.name: path.read_bytes() for path in ours.glob("*.py")}
    assert {p.name: p.read_bytes() for p in (cli.folder / "workload").glob("*.py")} == scripts
    teach_nothing(cli.folder)


def deploy(cli: Cli, *models: str) -> dict[str, Any]:
    """Up, run, approve, up; the outputs."""
    assert "waits for a first approved version: api" in cli("up", "--yes").err
    for model in models:
        assert cli("run", model, "--json").json["status"] == "registered"
        cli("models", "approve", model, "1", "--comment", "looks right")
    cli("up", "--yes")
    report = cli("status", "--json").json
    assert report["pending"] == []
    assert "aws:sagemaker/endpoint:Endpoint" in {row["type"] for row in report["resources"]}
    cli("preview", "--expect-no-changes")
    outputs: dict[str, Any] = cli("outputs", "--json").json
    return outputs


def client(cli: Cli, name: str) -> Any:
    import boto3

    return boto3.client(
        name,
        endpoint_url=cli("local", "status", "--json").json["endpoint"],
        region_name="eu-west-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


def configuration(cli: Cli, outputs: dict[str, Any]) -> dict[str, Any]:
    sagemaker = client(cli, "sagemaker")
    endpoint = sagemaker.describe_endpoint(EndpointName=outputs["api_endpoint"])
    assert endpoint["EndpointStatus"] == "InService"
    name = endpoint["EndpointConfigName"]
    return dict(sagemaker.describe_endpoint_config(EndpointConfigName=name))


def created(answer: Answer) -> list[str]:
    """The types that a preview creates; it creates and nothing else."""
    steps = [step for step in answer.json["steps"] if "pulumi:pulumi:Stack" not in step["urn"]]
    assert {step["op"] for step in steps} == {"create"}
    return [step["urn"].split("::")[-2].split("$")[-1] for step in steps]


def test_the_smallest_service(service: Service) -> None:
    cli = service("realtime")
    same_workload(cli)
    outputs = deploy(cli, "predictor")
    [variant] = configuration(cli, outputs)["ProductionVariants"]
    assert (variant["InstanceType"], variant["InitialInstanceCount"]) == ("ml.m5.large", 1)
    [target] = client(cli, "application-autoscaling").describe_scalable_targets(
        ServiceNamespace="sagemaker"
    )["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 2)


def test_the_governed_service(service: Service) -> None:
    cli = service(
        "governed-realtime",
        dev_account="012345678901",
        staging_account="112233445566",
        prod_account="210987654321",
        oncall="oncall@acme.example",
        approvers="ml-leads",
        cost_centre="4711",
        gate="0.7",
    )
    same_workload(cli)
    assert "[no-" not in cli("validate", "--strict").err
    assert cli("policy", "check", "--json").json["findings"] == []
    outputs = deploy(cli, "predictor")
    config = configuration(cli, outputs)
    assert config["KmsKeyId"]
    assert config["DataCaptureConfig"]["InitialSamplingPercentage"] == 100
    alarms = client(cli, "cloudwatch").describe_alarms()["MetricAlarms"]
    assert {"error-rate", "latency-p99"} <= {
        kind
        for kind in ("error-rate", "latency-p99")
        for each in alarms
        if kind in each["AlarmName"]
    }
    [trail] = client(cli, "cloudtrail").describe_trails()["trailList"]
    assert trail["KmsKeyId"]
    [topic] = client(cli, "sns").list_topics()["Topics"]
    assert topic["TopicArn"] == outputs["alerts_topic"]
    # Without credentials and without a cloud: what each environment would have.
    dev = created(cli("preview", "-s", "dev", "--json"))
    prod = created(cli("preview", "-s", "prod", "--json"))
    assert dev.count("aws:sagemaker/pipeline:Pipeline") == 1
    assert "aws:sagemaker/pipeline:Pipeline" not in prod
    for types in (dev, prod):
        assert "aws:kms/key:Key" in types
        assert "aws:ec2/vpcEndpoint:VpcEndpoint" in types
        assert "aws:budgets/budget:Budget" in types
        assert "aws:cloudtrail/trail:Trail" in types
    assert '"canary"' in cli("explain", "serving.api.rollout.strategy", "-s", "prod").out


def test_the_champion_and_its_challenger(service: Service) -> None:
    cli = service("champion-challenger", oncall="oncall@acme.example")
    same_workload(cli)
    outputs = deploy(cli, "champion", "challenger")
    config = configuration(cli, outputs)
    [champion] = config["ProductionVariants"]
    assert champion["VariantName"] == "champion"
    sagemaker = client(cli, "sagemaker")
    names = {each["ModelName"] for each in sagemaker.list_models()["Models"]}
    assert len(names) == 2
    prod = created(cli("preview", "-s", "prod", "--json"))
    assert prod.count("aws:sagemaker/pipeline:Pipeline") == 2
    # The emulator keeps no shadows; what is deployed is in the state.
    state = "".join(
        path.read_text(encoding="utf-8") for path in (cli.folder / ".mlops-iac" / "state").glob("*")
        if path.is_file()
    )  # fmt: skip
    assert "shadowProductionVariants" in state
