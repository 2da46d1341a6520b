"""No stack has one of the faults that generators make, and each check finds its fault put in."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.blueprint import load
from mlops_iac.clouds.registry import platform
from mlops_iac.graph.model import Resource
from tests.components import traps_graph
from tests.components.planned import captured
from tests.components.traps import CHECKS
from tests.components.traps_graph import Graph, listed
from tests.sagemaker_blueprints import MAXIMAL, loaded

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "schedule-adherence" / "blueprint.yaml"
VERSION = {"models.adherence.version": "approved"}
GRAPHS = ("example local", "example dev", "example staging", "example prod",
          "maximal dev", "maximal prod")  # fmt: skip

Inputs = dict[str, Any]


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Graph]:
    maximal = loaded(tmp_path_factory.mktemp("maximal"), MAXIMAL)
    blueprints = {"example": load(EXAMPLE), "maximal": maximal}
    made = {}
    for name in GRAPHS:
        which, environment = name.split()
        resolved = blueprints[which].resolve(environment)
        calls = platform("sagemaker").plan(resolved)
        resources = captured(calls, stack=environment, project=resolved.name, settings=VERSION)
        made[name] = Graph(name, resources)
    return made


def broken(graph: Graph, name: str, change: Callable[[Inputs], Any]) -> Graph:
    """The graph with one resource's inputs changed. A change that changes nothing is an error."""
    found = graph.named(name)
    assert found is not None, f"{graph.name} has no {name}"
    inputs = copy.deepcopy(dict(found.inputs))
    change(inputs)
    assert inputs != found.inputs, f"the defect in {name} changes nothing"
    changed = replace(found, inputs=inputs)
    return Graph(graph.name, [changed if each is found else each for each in graph.resources])


def statement(sid: str, change: Callable[[dict[str, Any]], Any]) -> Callable[[Inputs], None]:
    """A change of one statement of whatever policy the resource has."""

    def apply(inputs: Inputs) -> None:
        key = next(each for each in ("policy", "assumeRolePolicy") if each in inputs)
        document = json.loads(inputs[key])
        (found,) = [each for each in document["Statement"] if each["Sid"] == sid]
        change(found)
        inputs[key] = json.dumps(document)

    return apply


def without(sid: str) -> Callable[[Inputs], None]:
    def apply(inputs: Inputs) -> None:
        document = json.loads(inputs["policy"])
        document["Statement"] = [each for each in document["Statement"] if each["Sid"] != sid]
        inputs["policy"] = json.dumps(document)

    return apply


def no_longer(sid: str, action: str) -> Callable[[Inputs], None]:
    return statement(
        sid,
        lambda each: each.update(
            Action=[item for item in listed(each["Action"]) if item != action]
        ),
    )


def also(sid: str, action: str) -> Callable[[Inputs], None]:
    return statement(sid, lambda each: each.update(Action=[*listed(each["Action"]), action]))


def step(name: str, change: Callable[[dict[str, Any]], Any]) -> Callable[[Inputs], None]:
    """A change of one step of the pipeline."""

    def apply(inputs: Inputs) -> None:
        definition = json.loads(inputs["pipelineDefinition"])
        outer = definition["Steps"]
        inner = [item for each in outer for item in each["Arguments"].get("IfSteps", ())]
        (found,) = [each for each in (*outer, *inner) if each["Name"] == name]
        change(found)
        inputs["pipelineDefinition"] = json.dumps(definition)

    return apply


def job(name: str, change: Callable[[dict[str, Any]], Any]) -> Callable[[Inputs], None]:
    return step(
        name,
        lambda each: change(each["Arguments"].get("TrainingJobDefinition", each["Arguments"])),
    )


def rename(old: str, new: str) -> Callable[[Inputs], None]:
    return lambda inputs: inputs.update(
        pipelineDefinition=inputs["pipelineDefinition"].replace(old, new)
    )


PIPELINE, CONFIGURATION, ENDPOINT = (
    "adherence-training-pipeline",
    "api-configuration",
    "api-endpoint",
)
PIPELINE_ROLE, STEP_ROLE, ENDPOINT_ROLE = (
    "identity-pipeline-policy",
    "identity-execution-policy",
    "identity-endpoint-policy",
)
ALARM = "api-champion-rollback-error-rate"
LATENCY = "api-champion-rollback-latency-p99"


def _routing(inputs: Inputs) -> dict[str, Any]:
    found = inputs["deploymentConfig"]["blueGreenUpdatePolicy"]["trafficRoutingConfiguration"]
    return dict(found) if not isinstance(found, dict) else found


def _rules(inputs: Inputs, name: str) -> dict[str, Any]:
    (found,) = [each for each in inputs["rules"] if each["id"] == name]
    return found  # type: ignore[no-any-return]


def _default(inputs: Inputs) -> dict[str, Any]:
    return inputs["rules"][0]["applyServerSideEncryptionByDefault"]


NONE_OF_IT = lambda key: lambda inputs: inputs.pop(key)  # noqa: E731

# Trap, what is wrong, where, and how.
DEFECTS: list[tuple[int, str, str, Callable[[Inputs], Any]]] = [
    (1, "a step without a role", PIPELINE, job("Evaluate", NONE_OF_IT("RoleArn"))),
    (1, "a step with the pipeline's role", PIPELINE, rename("identity-execution", "identity-pipeline")),
    (1, "any account", "identity-endpoint", statement("Assume", lambda each: each.pop("Condition"))),
    (1, "the schedule as source", "adherence-retrain-scheduler-role", statement(
        "Assume", lambda each: each["Condition"].update(ArnEquals={"aws:SourceArn": "arn:x"}))),
    (1, "steps pass roles", STEP_ROLE, also("UseKey", "iam:PassRole")),
    (1, "to any service", PIPELINE_ROLE, statement("PassStepRoles", lambda each: each.pop("Condition"))),
    (2, "alarms out of sight", ENDPOINT_ROLE, without("WatchRollbackAlarms")),
    (2, "captures not written", ENDPOINT_ROLE, no_longer("WriteCaptures", "s3:PutObject")),
    (2, "captures not encrypted", ENDPOINT_ROLE, no_longer("UseKey", "kms:GenerateDataKey")),
    (3, "report unread", PIPELINE_ROLE, without("ReadReports")),
    (3, "report encrypted", PIPELINE_ROLE, without("Decrypt")),
    (3, "jobs untagged", PIPELINE_ROLE, no_longer("StartTuningJobs", "sagemaker:AddTags")),
    (3, "jobs of another stack", PIPELINE_ROLE, statement("StartTuningJobs", lambda each: each[
        "Condition"]["StringEquals"].update({"aws:RequestTag/stack": "adherence-other"}))),
    (3, "any stack's jobs", PIPELINE_ROLE, statement(
        "FollowTuningJobs", lambda each: each.pop("Condition"))),
    (4, "no rollback", ENDPOINT, lambda i: i["deploymentConfig"].pop("autoRollbackConfiguration")),
    (4, "a description that moves", "adherence-registry-group",
     lambda i: i.update(modelPackageGroupDescription="Version 3")),
    (5, "no variant name", CONFIGURATION, lambda i: i["productionVariants"][0].pop("variantName")),
    (5, "a fixed name", CONFIGURATION, lambda i: i.update(name="api")),
    (5, "a long prefix", CONFIGURATION, lambda i: i.update(namePrefix="p" * 38)),
    (5, "a version and an image", "api-champion-model",
     lambda i: i["primaryContainer"].update(image="x")),
    (5, "the group, no version", "api-champion-model",
     lambda i: i["primaryContainer"].update(modelPackageName="arn:aws:sagemaker:a:1:model-package/g")),
    (6, "another endpoint", ALARM, lambda i: i["dimensions"].update(EndpointName="api")),
    (6, "too slow", ALARM, lambda i: i.update(period=300)),
    (6, "an alarm nobody made", ENDPOINT, lambda i: i["deploymentConfig"][
        "autoRollbackConfiguration"]["alarms"][0].update(alarmName="other")),
    (7, "milliseconds", LATENCY, lambda i: i.update(threshold=500)),
    (7, "average latency", LATENCY, lambda i: i.pop("extendedStatistic")),
    (7, "a unit", LATENCY, lambda i: i.update(unit="Milliseconds")),
    (7, "percent", ALARM, lambda i: i.update(threshold=1)),
    (7, "a sum", ALARM, lambda i: i.update(statistic="Sum")),
    (7, "silence breaches", ALARM, lambda i: i.update(treatMissingData="missing")),
    (7, "the other namespace", "api-champion-cpu-percent", lambda i: i[
        "targetTrackingScalingPolicyConfiguration"]["customizedMetricSpecification"].update(
            namespace="AWS/SageMaker")),
    (8, "another count", CONFIGURATION, lambda i: i["productionVariants"][0].update(initialInstanceCount=1)),
    (8, "t2", CONFIGURATION, lambda i: i["productionVariants"][0].update(instanceType="ml.t2.medium")),
    (9, "most of it", ENDPOINT, lambda i: _routing(i)["linearStepSize"].update(value=60)),
    (9, "the only instance", CONFIGURATION, lambda i: i["productionVariants"][0].update(initialInstanceCount=1)),
    (9, "hours", ENDPOINT, lambda i: _routing(i).update(waitIntervalInSeconds=7200)),
    (9, "both policies", ENDPOINT, lambda i: i["deploymentConfig"].update(rollingUpdatePolicy={})),
    (10, "switched off", CONFIGURATION, lambda i: i["dataCaptureConfig"].update(enableCapture=False)),
    (10, "answers only", CONFIGURATION, lambda i: i["dataCaptureConfig"]["captureOptions"].pop(0)),
    (10, "base64", CONFIGURATION, lambda i: i["dataCaptureConfig"].pop("captureContentTypeHeader")),
    (10, "an alias", CONFIGURATION, lambda i: i["dataCaptureConfig"].update(kmsKeyId="alias/data")),
    (11, "no key", "alerts-topic", NONE_OF_IT("kmsMasterKeyId")),
    (11, "alarms cannot encrypt", "keys-operations", without("CloudwatchPublishes")),
    (11, "budgets cannot encrypt", "keys-operations", without("BudgetsPublishes")),
    (11, "budgets cannot publish", "alerts-topic-policy", without("BudgetsPublishes")),
    (11, "nobody's topic", "alerts-topic-policy", without("Owner")),
    (11, "any account publishes", "alerts-topic-policy",
     statement("CloudwatchPublishes", lambda each: each.pop("Condition"))),
    (11, "events with a source", "alerts-topic-policy",
     statement("EventsPublishes", lambda each: each.update(Condition={"StringEquals": {"aws:SourceAccount": "123456789012"}}))),
    (11, "events cannot encrypt", "keys-operations", without("EventsPublishes")),
    (11, "one key for all", "data-data-encryption",
     lambda i: _default(i).update(kmsMasterKeyId="arn:aws:kms:eu-west-1:123456789012:key/keys-operations-uuid")),
    (12, "outputs under the default key", PIPELINE, job("Prepare", lambda j: j["ProcessingOutputConfig"].pop("KmsKeyId"))),
    (12, "a volume key on NVMe", PIPELINE, job("Tune", lambda j: j["ResourceConfig"].update(InstanceType="ml.g5.xlarge"))),
    (12, "an endpoint's key on NVMe", CONFIGURATION, lambda i: i["productionVariants"][0].update(instanceType="ml.m5d.xlarge")),
    (12, "an alias", PIPELINE, job("Tune", lambda j: j["OutputDataConfig"].update(KmsKeyId="alias/data"))),
    (12, "grants for anybody", STEP_ROLE, statement("GrantKey", lambda each: each.pop("Condition"))),
    (13, "Sunday", "adherence-retrain-schedule", lambda i: i.update(scheduleExpression="cron(0 3 ? * 1 *)")),
    (13, "UTC", "adherence-retrain-schedule", NONE_OF_IT("scheduleExpressionTimezone")),
    (13, "the clock's letters are lost", "adherence-retrain-scheduler-policy", without("KeepUndelivered")),
    (13, "the rules' letters are refused", "adherence-retrain-undelivered-policy", without("RulesSend")),
    (13, "a day late", "adherence-retrain-alarms-target",
     lambda i: i["retryPolicy"].update(maximumEventAgeInSeconds=86400)),
    (13, "a role on a function", "adherence-retrain-alarms-target", lambda i: i.update(roleArn="arn:x")),
    (14, "any alarm", "adherence-retrain-alarms", lambda i: i.update(eventPattern=json.dumps(
        {key: value for key, value in json.loads(i["eventPattern"]).items() if key != "resources"}))),
    (14, "its own upload", "adherence-retrain-new-schedules",
     lambda i: i.update(eventPattern=i["eventPattern"].replace("/new/", "/"))),
    (14, "past the cooldown", "adherence-retrain-alarms-target",
     lambda i: i.update(arn="arn:aws:sagemaker:eu-west-1:123456789012:pipeline/x")),
    (14, "no cooldown", "adherence-retrain-cooldown",
     lambda i: i["environment"]["variables"].update(COOLDOWN_HOURS="0")),
    (14, "approves itself", PIPELINE_ROLE, also("FollowVersions", "sagemaker:UpdateModelPackage")),
    (15, "cached", PIPELINE, step("Tune", lambda s: s.update(CacheConfig={"Enabled": True}))),
    (15, "code at a fixed place", PIPELINE, lambda i: i.update(
        pipelineDefinition=re.sub(r"/[0-9a-f]{32}/", "/latest/", i["pipelineDefinition"]))),
    (15, "an etag", "datasets-schedules", lambda i: i.update(etag=i.pop("sourceHash"))),
    (16, "artifacts it has not", PIPELINE, rename(
        "Steps.Tune.BestTrainingJob.TrainingJobName", "Steps.Tune.ModelArtifacts.S3ModelArtifacts")),
    (16, "another print", PIPELINE, rename("mlops-iac metric accuracy=", "accuracy: ")),
    (16, "numbers", PIPELINE, step("Tune", lambda s: s["Arguments"]["HyperParameterTuningJobConfig"][
        "ParameterRanges"]["IntegerParameterRanges"][0].update(MinValue=2))),
    (16, "a grid of numbers", PIPELINE, step("Tune", lambda s: s["Arguments"][
        "HyperParameterTuningJobConfig"].update(Strategy="Grid"))),
    (16, "no time to wait", PIPELINE, job("Tune", lambda j: j["StoppingCondition"].update(MaxWaitTimeInSeconds=60))),
    (16, "no checkpoints", PIPELINE, job("Tune", NONE_OF_IT("CheckpointConfig"))),
    (16, "runs for ever", PIPELINE, job("Prepare", NONE_OF_IT("StoppingCondition"))),
    (17, "the training image", PIPELINE, step("Register", lambda s: s["Arguments"][
        "InferenceSpecification"]["Containers"][0].update(Image="1.dkr.ecr.x/pytorch-training:2"))),
    (17, "no instance types", PIPELINE, step("Register", lambda s: s["Arguments"][
        "InferenceSpecification"].pop("SupportedRealtimeInferenceInstanceTypes"))),
    (17, "no report", PIPELINE, step("Register", lambda s: s["Arguments"].pop("ModelMetrics"))),
    (18, "untagged jobs", PIPELINE, step("Tune", lambda s: s["Arguments"].pop("Tags"))),
    (18, "another alphabet", PIPELINE, step("Tune", lambda s: s["Arguments"]["Tags"][0].update(Value="a#b"))),
    (18, "counts another tag", "budget-monthly",
     lambda i: i["costFilters"][0].update(values=["user:project$x"])),
    (18, "starts today", "budget-monthly", lambda i: i.update(timePeriodStart="2026-11-21_00:00")),
    (19, "a role that rolls out", PIPELINE_ROLE, also("FollowVersions", "sagemaker:UpdateEndpoint")),
    (20, "any image", STEP_ROLE, statement("PullImages", lambda each: each.update(Resource="*"))),
    (20, "another account's", ENDPOINT_ROLE, statement("PullImages", lambda each: each.update(
        Resource="arn:aws:ecr:us-east-1:1:repository/x"))),
    (20, "not the image that runs", STEP_ROLE, without("PullImages")),
    (21, "logs under a key", "data-logs-encryption", lambda i: _default(i).update(sseAlgorithm="aws:kms")),
    (21, "objects in the clear", "data-data-policy", statement(
        "TlsOnly", lambda each: each.update(Resource=each["Resource"][0]))),
    (21, "another denial", "data-captures-policy", statement("TlsOnly", lambda each: each.update(
        Condition={"Null": {"s3:x-amz-server-side-encryption": "true"}}))),
    (21, "models expire", "data-artifacts-lifecycle", lambda i: _rules(i, "work")["filter"].update(prefix="")),
    (21, "work stays", "data-artifacts-lifecycle", lambda i: _rules(i, "work")["filter"].update(prefix="work/")),
]  # fmt: skip


@pytest.mark.parametrize("number", CHECKS)
@pytest.mark.parametrize("name", GRAPHS)
def test_no_stack_has_the_fault(graphs: dict[str, Graph], name: str, number: int) -> None:
    assert [*CHECKS[number](graphs[name])] == []


@pytest.mark.parametrize(
    ("number", "where", "change"),
    [pytest.param(n, where, change, id=f"{n}: {title}") for n, title, where, change in DEFECTS],
)
def test_the_fault_is_found(
    graphs: dict[str, Graph], number: int, where: str, change: Callable[[Inputs], Any]
) -> None:
    assert [*CHECKS[number](broken(graphs["maximal dev"], where, change))]


def test_every_trap_has_a_check_and_every_check_a_fault() -> None:
    assert set(CHECKS) == set(range(1, 22))
    assert {number for number, *_ in DEFECTS} == set(CHECKS)


def _with(graph: Graph, name: str, **options: Any) -> Graph:
    found = graph.named(name)
    assert found is not None
    changed = replace(found, **options)
    return Graph(graph.name, [changed if each is found else each for each in graph.resources])


@pytest.mark.parametrize(
    ("number", "graph", "where", "options"),
    [
        (4, "maximal dev", "adherence-registry-group", None),
        (5, "maximal dev", CONFIGURATION, {"delete_before_replace": True}),
        (6, "maximal dev", ENDPOINT, {"dependencies": ()}),
        (8, "maximal dev", "api-champion-scaling", {"dependencies": ()}),
        (8, "maximal dev", CONFIGURATION, {"ignore_changes": ("production_variants[0].x",)}),
        (19, "maximal dev", ENDPOINT, {"ignore_changes": ("endpointConfigName",)}),
        (19, "example prod", CONFIGURATION, {"retain_on_delete": False}),
        (19, "example prod", "api-main-model", {"retain_on_delete": False}),
    ],
)
def test_a_fault_in_the_options_is_found(
    graphs: dict[str, Graph],
    number: int,
    graph: str,
    where: str,
    options: dict[str, Any] | None,
) -> None:
    if options is None:
        # Ignoring its changes is the other way out, so no fault.
        moved = broken(graphs[graph], where, lambda i: i.update(modelPackageGroupDescription="3"))
        ignored = _with(moved, where, ignore_changes=("modelPackageGroupDescription",))
        assert [*CHECKS[number](ignored)] == []
        return
    assert [*CHECKS[number](_with(graphs[graph], where, **options))]


def test_17_what_a_person_approves_waits_for_it(graphs: dict[str, Graph]) -> None:
    change = step("Register", lambda s: s["Arguments"].update(ModelApprovalStatus="Approved"))
    assert [*CHECKS[17](broken(graphs["example dev"], PIPELINE, change))] == ["approved by nobody"]


def test_19_before_the_first_version_nothing_serves() -> None:
    resolved = load(EXAMPLE).resolve("dev")
    made = captured(platform("sagemaker").plan(resolved), stack="dev", project=resolved.name)
    serving = {
        "aws:sagemaker/model:Model",
        "aws:sagemaker/endpointConfiguration:EndpointConfiguration",
        "aws:sagemaker/endpoint:Endpoint",
        "aws:appautoscaling/target:Target",
    }
    assert not [each for each in made if each.type in serving]


def test_22_the_program_tells_the_deployer_s_and_the_approver_s_rights() -> None:
    text = (ROOT / "stacks" / "schedule-adherence" / "README.md").read_text(encoding="utf-8")
    _, _, rights = text.partition("## Who needs which rights")
    deployer, _, approver = rights.partition("**The approver**")
    assert "`sagemaker:CreateEndpoint`" in deployer
    assert "UpdateModelPackage" not in deployer
    assert "`sagemaker:UpdateModelPackage`" in approver
    assert "another person" in re.sub(r"\s+", " ", approver)


def test_the_graphs_have_what_the_checks_look_at(graphs: dict[str, Graph]) -> None:
    """A check over nothing finds nothing."""
    full: list[Resource] = graphs["maximal dev"].resources
    kinds = {each.type for each in full}
    wanted = {value for key, value in vars(traps_graph).items() if key.isupper() and
              isinstance(value, str) and value.startswith("aws:")}  # fmt: skip
    assert wanted <= kinds
    assert len(graphs["maximal dev"].jobs) == 9
