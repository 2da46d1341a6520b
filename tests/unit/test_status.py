"""What serves in a real stack, as SageMaker, CloudWatch and S3 answer; and what is not answered."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from mlops_iac.api.status.models import ModelState, _registry
from mlops_iac.api.status.next_commands import next_commands
from mlops_iac.api.status.status import Status
from mlops_iac.cli._session import Session
from mlops_iac.cli.status import _standing
from mlops_iac.clouds.aws.access import AwsAccess
from mlops_iac.clouds.aws.alarms import alarms
from mlops_iac.clouds.aws.sagemaker import SAGEMAKER
from mlops_iac.clouds.aws.sagemaker.endpoints import entry as entry_of
from mlops_iac.clouds.aws.sagemaker.runs import last_run
from mlops_iac.clouds.aws.types import ALARM, ENDPOINT
from mlops_iac.clouds.operations import Entry
from mlops_iac.clouds.questions import Questions
from mlops_iac.graph.model import Resource

NOW = datetime(2026, 11, 21, 6, 11, 30, tzinfo=UTC)
GROUP = "churn-prod-churn"
PACKAGE = f"arn:aws:sagemaker:eu-west-1:210987654321:model-package/{GROUP}"
COMPONENT = "urn:pulumi:prod::churn::mlops-iac:aws:RealTimeEndpoint::api"
KEYS = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "eu-west-1"}


def made(type_: str, called: str, **inputs: Any) -> Resource:
    urn = f"{COMPONENT}${type_}::{called}"
    return Resource(urn, type_, called, custom=True, parent=COMPONENT, inputs=inputs, id=called)


ENDPOINT_MADE = made(ENDPOINT, "api-endpoint", name="churn-prod-api", endpointConfigName="api-2")


class Cloud:
    """boto3's own clients, whose answers are given and held against the service's model."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        services = ("sagemaker", "cloudwatch", "s3")
        self.clients = {name: boto3.client(name, **KEYS) for name in services}  # type: ignore[call-overload]
        self.stubs = {name: Stubber(each) for name, each in self.clients.items()}
        for stub in self.stubs.values():
            stub.activate()

    def client(self, service: str, region: str = "", account: str = "") -> Any:
        self.asked.append((region, account))
        return self.clients[service]

    def says(self, operation: str, answer: dict[str, Any], service: str = "sagemaker") -> None:
        self.stubs[service].add_response(operation, answer)

    def refuses(self, operation: str, code: str, service: str = "sagemaker") -> None:
        self.stubs[service].add_client_error(operation, code, "no")


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def asked(cloud: Cloud) -> Questions:
    return Questions(AwsAccess(), cloud, "prod", " -s prod")


def serving(
    cloud: Cloud, *, configuration: str = "api-2", state: str = "InService", **more: Any
) -> None:
    cloud.says(
        "describe_endpoint",
        {
            "EndpointName": "churn-prod-api",
            "EndpointArn": "arn:aws:sagemaker:eu-west-1:210987654321:endpoint/churn-prod-api",
            "EndpointConfigName": configuration,
            "EndpointStatus": state,
            "CreationTime": NOW,
            "LastModifiedTime": NOW,
            "ProductionVariants": [
                {"VariantName": "a", "CurrentWeight": 3.0, "CurrentInstanceCount": 2},
                {"VariantName": "b", "CurrentWeight": 1.0, "CurrentInstanceCount": 1},
            ],
            **more,
        },
    )
    configured(cloud, configuration, a="one", b="two")


def configured(cloud: Cloud, configuration: str, **models: str) -> None:
    cloud.says(
        "describe_endpoint_config",
        {
            "EndpointConfigName": configuration,
            "EndpointConfigArn": "arn:aws:sagemaker:eu-west-1:210987654321:endpoint-config/x",
            "CreationTime": NOW,
            "ProductionVariants": [
                {"VariantName": name, "ModelName": model} for name, model in models.items()
            ],
        },
    )


def model(cloud: Cloud, container: dict[str, Any]) -> None:
    cloud.says(
        "describe_model",
        {
            "ModelName": "one",
            "PrimaryContainer": container,
            "CreationTime": NOW,
            "ModelArn": "arn:aws:sagemaker:eu-west-1:210987654321:model/one",
        },
    )


def package(cloud: Cloud, number: int, status: str = "Approved") -> None:
    cloud.says(
        "describe_model_package",
        {
            "ModelPackageName": GROUP,
            "ModelPackageArn": f"{PACKAGE}/{number}",
            "CreationTime": NOW,
            "LastModifiedTime": NOW,
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": []},
            "ModelApprovalStatus": status,
            "ApprovalDescription": "looks right",
            "InferenceSpecification": {
                "Containers": [{"Image": "i", "ModelDataUrl": "s3://b/models/churn/k3v1/e/m.tgz"}]
            },
        },
    )


def told(cloud_entries: list[Entry], **rest: Any) -> str:
    report = Status("churn", "prod", [object()], [], [], entries=cloud_entries, **rest)  # type: ignore[list-item]
    return "\n".join(_standing(Session(color="never", stack="prod"), report))


def test_which_version_serves_since_when_and_with_which_traffic(
    cloud: Cloud, asked: Questions
) -> None:
    serving(cloud)
    model(cloud, {"ModelPackageName": f"{PACKAGE}/3"})
    package(cloud, 3)
    model(cloud, {"Image": "i"})  # not from the registry
    entry = entry_of("api", ENDPOINT_MADE, asked, {GROUP: "churn"})
    one, two = entry.variants
    assert (entry.state, entry.since, entry.trouble) == ("InService", "2026-11-21T06:11:30Z", "")
    assert (one.percent, one.instances, two.percent) == (75.0, 2, 25.0)
    assert (one.model, one.version, one.run, one.comment) == ("churn", "3", "k3v1", "looks right")
    assert one.approved == "2026-11-21T06:11:30Z"
    assert (two.model, two.version, two.approved) == ("", "", "")
    assert asked.notes == []
    assert told([entry]).splitlines() == [
        "api  InService since 2026-11-21 06:11 UTC  churn-prod-api",
        "  a 75 %  churn/3  approved 2026-11-21 06:11 UTC  run k3v1  2 instances",
        "  b 25 %  1 instance",
    ]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("Rejected", "rejected"),
        ("PendingManualApproval", "not approved"),
        ("", "approval not known"),  # who asks may not
    ],
)
def test_of_a_version_its_own_registry_is_asked_whether_it_is_approved(
    cloud: Cloud, asked: Questions, status: str, words: str
) -> None:
    serving(cloud)
    model(cloud, {"ModelPackageName": f"{PACKAGE.replace('eu-west-1', 'eu-west-3')}/3"})
    if status:
        package(cloud, 3, status)
    else:
        cloud.refuses("describe_model_package", "AccessDeniedException")
    model(cloud, {"Image": "i"})
    entry = entry_of("api", ENDPOINT_MADE, asked, {})
    assert ("eu-west-3", "210987654321") in cloud.asked
    assert entry.variants[0].approval == status
    assert told([entry]).splitlines()[1].split("  ")[2] == f"{GROUP}/3"
    assert told([entry]).splitlines()[1].split("  ")[3] == words


def test_a_rollout_that_was_rolled_back_says_from_what_when_and_by_which_alarm(
    cloud: Cloud, asked: Questions
) -> None:
    """SageMaker may give no reason (terraform-provider-aws, issue 48997): the alarm has one."""
    alarms = {"Alarms": [{"AlarmName": "errors"}]}
    last = {"LastDeploymentConfig": {"AutoRollbackConfiguration": alarms}}
    serving(cloud, configuration="api-1", **last)
    model(cloud, {"Image": "i"})
    model(cloud, {"Image": "i"})

    def item(state: str, reason: str, minute: int) -> dict[str, Any]:
        new = {"newState": {"stateValue": state, "stateReason": reason}}
        return {"HistoryData": json.dumps(new), "Timestamp": NOW.replace(minute=minute)}

    items = [item("OK", "calm", 9), item("ALARM", "Threshold Crossed: …", 8), item("ALARM", "", 1)]
    cloud.says("describe_alarm_history", {"AlarmHistoryItems": items}, "cloudwatch")
    configured(cloud, "api-2", a="three")
    model(cloud, {"ModelPackageName": f"{PACKAGE}/4"})
    entry = entry_of("api", ENDPOINT_MADE, asked, {GROUP: "churn"})
    assert "churn-prod-api runs api-1, not api-2" in entry.trouble
    assert told([entry]).splitlines()[-1] == (
        "  rolled back from churn/4 2026-11-21 06:11 UTC: ALARM errors: Threshold Crossed: …"
    )


def test_a_rollout_that_goes_on_says_how_far_it_is(cloud: Cloud, asked: Questions) -> None:
    baking = {"Status": "Baking", "StatusMessage": "Baking for 600 seconds.", "StartTime": NOW}
    pending = {
        "EndpointConfigName": "api-2",
        "StartTime": NOW,
        "ProductionVariants": [{"VariantName": "a", "VariantStatus": [baking]}],
    }
    serving(cloud, configuration="api-1", state="Updating", PendingDeploymentSummary=pending)
    model(cloud, {"Image": "i"})
    model(cloud, {"Image": "i"})
    configured(cloud, "api-2", a="three")
    model(cloud, {"ModelPackageName": f"{PACKAGE}/4"})
    entry = entry_of("api", ENDPOINT_MADE, asked, {GROUP: "churn"})
    assert told([entry]).splitlines()[-1] == (
        "  rollout of churn/4 since 2026-11-21 06:11 UTC: Baking for 600 seconds."
    )


def test_an_endpoint_that_somebody_deleted_is_missing(cloud: Cloud, asked: Questions) -> None:
    cloud.refuses("describe_endpoint", "ValidationException")
    entry = entry_of("api", ENDPOINT_MADE, asked, {})
    assert entry.state == "Missing"
    assert "mlops-iac refresh" in entry.trouble


def test_one_thing_that_is_refused_is_said_and_the_rest_is_asked(
    cloud: Cloud, asked: Questions
) -> None:
    serving(cloud)
    cloud.refuses("describe_model", "AccessDeniedException")
    model(cloud, {"Image": "i"})
    entry = entry_of("api", ENDPOINT_MADE, asked, {})
    assert entry.state == "InService"
    [note] = asked.notes
    assert note.startswith("not known: the model one: ")


@pytest.mark.parametrize("how", ["ExpiredToken", "network"])
def test_where_nobody_answers_that_is_said_once_and_nothing_more_is_asked(
    cloud: Cloud, asked: Questions, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if how == "network":

        def silent(**_: object) -> None:
            raise EndpointConnectionError(endpoint_url="https://x")

        monkeypatch.setattr(cloud.clients["sagemaker"], "describe_endpoint", silent)
    else:
        cloud.refuses("describe_endpoint", how)
    entry = entry_of("api", ENDPOINT_MADE, asked, {})
    watched = alarms([made(ALARM, "a", dimensions={"EndpointName": "churn-prod-api"})], asked)
    assert last_run("p", asked) is None
    assert (entry.endpoint, entry.state, entry.variants) == ("churn-prod-api", "", ())
    assert [each.state for each in watched] == [""]
    [note] = asked.notes
    assert note.startswith("prod was not asked: ")
    assert "state not known" in told([entry], alarms=watched)
    assert "1 not known" in told([entry], alarms=watched)


def test_a_bug_of_ours_is_no_answer_of_the_cloud(asked: Questions) -> None:
    with pytest.raises(KeyError):
        asked.ask("x", lambda: {}["x"])


def test_alarms_are_told_with_why_and_those_that_nobody_judged_as_not_known(
    cloud: Cloud, asked: Questions
) -> None:
    def alarm(name: str, state: str, reason: str) -> dict[str, Any]:
        return {"AlarmName": name, "StateValue": state, "StateReason": reason,
                "StateUpdatedTimestamp": NOW}  # fmt: skip

    given = [
        alarm("calm", "OK", "fine"),
        alarm("loud", "ALARM", "too slow"),
        alarm("moto", "OK", "Unchecked: Initial alarm creation"),
    ]
    cloud.says("describe_alarms", {"MetricAlarms": given}, "cloudwatch")
    watched = alarms([made(ALARM, name, dimensions={}) for name in ("calm", "loud", "moto")], asked)
    assert [(each.name, each.state) for each in watched] == [
        ("loud", "ALARM"), ("calm", "OK"), ("moto", ""),
    ]  # fmt: skip
    assert told([], alarms=watched).splitlines() == [
        "ALARM loud since 2026-11-21 06:11 UTC: too slow",
        "alarms: 1 in order, 1 not known",
    ]


def execution(cloud: Cloud, status: str) -> None:
    arn = "arn:aws:sagemaker:eu-west-1:210987654321:pipeline/p/execution/k3v1x8q0fsd2"
    summary = {"PipelineExecutionArn": arn, "StartTime": NOW, "PipelineExecutionStatus": status,
               "PipelineExecutionFailureReason": "Step failure"}  # fmt: skip
    cloud.says("list_pipeline_executions", {"PipelineExecutionSummaries": [summary]})


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (
            {"StepName": "Train", "Metadata": {"TrainingJob": {}}, "FailureReason": "no memory"},
            ("failed", "Train", "no memory"),
        ),
        (
            {"StepName": "Train", "StepStatus": "Stopped", "FailureReason": "by hand"},
            ("stopped", "Train", "by hand"),
        ),
        (
            {"StepName": "GateFailed", "Metadata": {"Fail": {}}, "FailureReason": "accuracy 0.7"},
            ("gate-failed", "", "accuracy 0.7"),
        ),
    ],
)
def test_the_last_run_says_what_failed(
    cloud: Cloud, asked: Questions, step: dict[str, Any], expected: tuple[str, ...]
) -> None:
    step = {"StepStatus": "Failed", **step}
    execution(cloud, step["StepStatus"])
    steps = [{"StepName": "Prepare", "StepStatus": "Succeeded"}, step]
    cloud.says("list_pipeline_execution_steps", {"PipelineExecutionSteps": steps})
    run = last_run("p", asked)
    assert run is not None
    assert (run.id, run.started) == ("k3v1x8q0fsd2", "2026-11-21T06:11:30Z")
    assert (run.status, run.step, run.reason) == expected


def test_a_run_that_goes_on_and_a_pipeline_that_never_ran(cloud: Cloud, asked: Questions) -> None:
    execution(cloud, "Executing")
    run = last_run("p", asked)
    assert run is not None
    assert run.status == "running"
    cloud.says("list_pipeline_executions", {"PipelineExecutionSummaries": []})
    assert last_run("p", asked) is None


def test_what_waits_for_an_approval_is_told_newest_first(cloud: Cloud, asked: Questions) -> None:
    def summary(number: int, status: str) -> dict[str, Any]:
        return {"ModelPackageArn": f"{PACKAGE}/{number}", "ModelPackageVersion": number,
                "ModelPackageName": GROUP, "CreationTime": NOW, "ModelPackageStatus": "Completed",
                "ModelApprovalStatus": status}  # fmt: skip

    given = [summary(2, "Approved"), summary(3, "PendingManualApproval"),
             summary(10, "PendingManualApproval")]  # fmt: skip
    for _ in range(2):  # the emulator filters none
        cloud.says("list_model_packages", {"ModelPackageSummaryList": given})
    package(cloud, 10, "PendingManualApproval")
    package(cloud, 3, "PendingManualApproval")
    project: Any = SimpleNamespace(operations=SAGEMAKER.operations)
    approved, waits = _registry(project, "churn", GROUP, asked)
    assert approved == "2"
    assert [each.version for each in waits] == ["10", "3"]


def test_what_comes_next_can_be_typed(make: Callable[..., Any]) -> None:
    project = make()

    def then(*entries: Entry, **said: Any) -> list[str]:
        model = ModelState("churn", **said)
        return next_commands(project, "local", deployed=True, entries=entries, models=[model])

    from mlops_iac.api.status.models import Waiting
    from mlops_iac.clouds.operations import LastRun, Variant

    none = next_commands(project, "prod", deployed=False, entries=[], models=[])
    assert none == ["mlops-iac up -s prod"]
    half = next_commands(project, "prod", deployed=True, half_made=True, entries=[], models=[])
    assert half == ["mlops-iac up -s prod"]
    gone = Entry("api", "e", "Missing")
    assert then(gone) == then(gone, approved="3") == ["mlops-iac refresh", "mlops-iac up"]
    waits = Entry("api", waits_for=("churn",))
    assert then(waits) == ["mlops-iac run"]
    assert then(waits, waiting=[Waiting("4", "")]) == ["mlops-iac models approve churn 4"]
    assert then(waits, approved="4") == ["mlops-iac up"]
    serves = Entry("api", "e", "InService", variants=[Variant("main", model="churn", version="3")])
    assert then(serves, approved="3") == []
    assert then(serves, approved="3", waiting=[Waiting("2", "")]) == []  # older than what serves
    assert then(serves, approved="4") == ["mlops-iac up"]
    failed = LastRun("r", "failed", "")
    assert then(serves, approved="3", last_run=failed) == ["mlops-iac run"]
    for ended in ("failed", "stopped"):
        last = LastRun("r", ended, "", "Train")
        assert then(waits, last_run=last) == ["mlops-iac run --from Train"]
    assert then(waits, last_run=LastRun("r", "gate-failed", "", "")) == ["mlops-iac run"]


@pytest.fixture
def make(tmp_path: Any) -> Callable[..., Any]:
    """A project whose one model is trained and not pinned."""

    def project() -> Any:
        from mlops_iac.api import load

        path = tmp_path / "blueprint.yaml"
        path.write_text(
            "blueprint: 1\nname: churn\nplatform: sagemaker\nregion: eu-west-1\n"
            "datasets: {calls: {source: data.csv, format: csv, target: left}}\n"
            "models: {churn: {code: workload/, runtime: {framework: scikit-learn, version: 1.9},"
            " train: {script: train.py}}}\nenvironments: {prod: {}}\n"
        )
        (tmp_path / "data.csv").write_text("left\n")
        (tmp_path / "workload").mkdir()
        (tmp_path / "workload" / "train.py").touch()
        return load(path)

    return project
