"""Runs on this machine, read from the emulated SageMaker as from the real one."""

from __future__ import annotations

import io
import json
import secrets
import shutil
import time
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from mlops_iac.clouds.aws.sagemaker.runs import page
from mlops_iac.clouds.aws.session import AwsSession
from mlops_iac.emulators.aws import server
from mlops_iac.emulators.aws.clients import service_model
from mlops_iac.emulators.aws.validation import broken, written
from mlops_iac.errors import ScriptFailed
from mlops_iac.pipeline.local import RunResult
from mlops_iac.pipeline.steps import Lifecycle, Limit
from mlops_iac.records import replace
from mlops_iac.runtime import contract
from tests.emulated.test_pipeline_local import ARGS, LIFE, REGION, SCRIPTS, SERVED, TUNE, Cloud

ROLE = "arn:aws:iam::123456789012:role/pipeline"
FAILS = 'raise SystemExit("the disk is full")\n'


class Deployed(Cloud):
    """A cloud in a process of its own, where the pipeline `churn` is what ran last."""

    def __init__(self, work: Path) -> None:
        info = server.AwsServer(work).ensure()
        super().__init__(work, lambda service: server.client(service, info, REGION))
        self.of = lambda service: server.client(service, info, REGION)
        self.logs = self.of("logs")
        self.iam = server.client("iam", info, REGION)

    def deployed(self, life: Lifecycle = LIFE, **scripts: str) -> tuple[Lifecycle, Any]:  # type: ignore[override]
        found = super().deployed(life, **scripts)
        given = {"PipelineName": "churn", "PipelineDefinition": self.text, "RoleArn": ROLE}
        if self.sagemaker.list_pipelines()["PipelineSummaries"]:
            self.sagemaker.update_pipeline(**given)
        else:
            self.sagemaker.create_pipeline(**given)
        return found

    def ask(self, operation: str, **asked: Any) -> dict[str, Any]:
        """An answer that is what SageMaker's own model says of it, to the last member."""
        answer: dict[str, Any] = getattr(self.sagemaker, operation)(**asked)
        answer.pop("ResponseMetadata")
        name = self.sagemaker.meta.method_to_api_mapping[operation]
        shape = service_model("sagemaker").operation_model(name).output_shape
        wrong = [f"{written(each.path)}: {each.words}" for each in broken(shape, answer)]
        assert wrong == []
        return answer

    def execution(self) -> dict[str, Any]:
        """The newest one."""
        listed = self.ask("list_pipeline_executions", PipelineName="churn")
        found: dict[str, Any] = listed["PipelineExecutionSummaries"][0]
        return found

    def steps(self) -> dict[str, dict[str, Any]]:
        """Those of the newest execution, in their order."""
        arn = self.execution()["PipelineExecutionArn"]
        listed = self.ask(
            "list_pipeline_execution_steps", PipelineExecutionArn=arn, SortOrder="Ascending"
        )
        return {each["StepName"]: each for each in listed["PipelineExecutionSteps"]}

    def lines(self, kind: str, job: str) -> list[str]:
        group = f"/aws/sagemaker/{kind}s"
        streams = self.logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/")
        (stream,) = [each["logStreamName"] for each in streams["logStreams"]]
        events = self.logs.get_log_events(logGroupName=group, logStreamName=stream)["events"]
        return [each["message"] for each in events]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    work = tmp_path_factory.mktemp("executions") / ".mlops-iac"
    yield Deployed(work)
    server.AwsServer(work).stop()


@pytest.fixture(scope="module")
def ran(cloud: Deployed) -> RunResult:
    # Which is compared with the version in service, of which there is none yet.
    return cloud.run(replace(SERVED, gates=(Limit("accuracy", "at_least", "current"),)))


def name_of(step: dict[str, Any]) -> str:
    (told,) = step["Metadata"].values()
    name: str = told["Arn"].rpartition("/")[2]
    return name


def test_a_run_is_an_execution_with_its_steps(cloud: Deployed, ran: RunResult) -> None:
    found = cloud.execution()
    arn = found["PipelineExecutionArn"]
    assert arn.endswith(f":pipeline/churn/execution/{ran.id}")
    assert found["PipelineExecutionStatus"] == "Succeeded"
    described = cloud.ask("describe_pipeline_execution", PipelineExecutionArn=arn)
    assert described["PipelineExecutionStatus"] == "Succeeded"
    assert described["CreationTime"] <= described["LastModifiedTime"]
    definition = cloud.ask("describe_pipeline_definition_for_execution", PipelineExecutionArn=arn)
    assert definition["PipelineDefinition"] == cloud.text
    named = cloud.ask("list_pipeline_parameters_for_execution", PipelineExecutionArn=arn)
    assert named["PipelineParameters"] == []
    steps = cloud.steps()
    assert list(steps) == list(ran.steps)
    found = steps["Current"]["Metadata"]["Lambda"]["OutputParameters"]
    assert {"Name": "version", "Value": "none"} in found
    job = cloud.ask("describe_processing_job", ProcessingJobName=f"{ran.id}-Evaluate")
    assert job["Environment"]["MLOPS_IAC_CURRENT"] == "none"
    assert {each["StepStatus"] for each in steps.values()} == {"Succeeded"}
    times = [(each["StartTime"], each["EndTime"]) for each in steps.values()]
    assert times == sorted(times) and all(began <= ended for began, ended in times)
    assert steps["Gate"]["Metadata"] == {"Condition": {"Outcome": "True"}}
    assert steps["Register"]["Metadata"] == {"RegisterModel": {"Arn": ran.registered}}
    (sealed,) = steps["Seal"]["Metadata"]["Lambda"]["OutputParameters"]
    assert sealed["Value"].removeprefix("s3://artifacts/") == cloud.served(ran)


def test_the_page_of_a_run_is_found_where_its_pipeline_wrote_it(
    cloud: Deployed, ran: RunResult
) -> None:
    there = cast("AwsSession", SimpleNamespace(client=cloud.client))
    found = page("churn", there, contract.PAGE_FILE, ran.id[:6])
    assert found is not None
    assert (found.run, found.place) == (
        ran.id,
        f"s3://artifacts/pipelines/churn/{ran.id}/report/report.html",
    )
    text = found.content.decode()
    assert f"<h1>churn · run {ran.id}</h1>" in text
    none_yet = "at least that of the version in service, and there is none yet"
    assert f"<td>accuracy</td><td>0.65</td><td>{none_yet}</td>" in text
    assert page("churn", there, contract.PAGE_FILE, "none") is None


def test_the_jobs_have_the_arguments_of_the_definition(cloud: Deployed, ran: RunResult) -> None:
    steps = cloud.steps()
    job = name_of(steps["Train"])
    training = cloud.ask("describe_training_job", TrainingJobName=job)
    printed = next(x for x in json.loads(cloud.text)["Steps"] if x["Name"] == "Train")["Arguments"]
    for member in ("HyperParameters", "AlgorithmSpecification", "ResourceConfig", "Environment"):
        assert training[member] == printed[member]
    assert (training["TrainingJobStatus"], training["SecondaryStatus"]) == ("Completed",) * 2
    (metric,) = training["FinalMetricDataList"]
    assert (metric["MetricName"], metric["Value"]) == ("accuracy", pytest.approx(0.65))
    archive = training["ModelArtifacts"]["S3ModelArtifacts"]
    assert archive.startswith(f"{training['OutputDataConfig']['S3OutputPath']}/{job}/")
    assert archive.removeprefix("s3://artifacts/") in cloud.stored()
    for step in ("Prepare", "Evaluate", "Try"):
        found = cloud.ask("describe_processing_job", ProcessingJobName=name_of(steps[step]))
        assert found["ProcessingJobStatus"] == "Completed"
        (output,) = found["ProcessingOutputConfig"]["Outputs"]
        folder = output["S3Output"]["S3Uri"].removeprefix("s3://artifacts/")
        assert any(key.startswith(f"{folder}/") for key in cloud.stored()), step
    assert "mlops-iac metric accuracy=0.65" in cloud.lines("TrainingJob", job)
    assert "prepared" in cloud.lines("ProcessingJob", name_of(steps["Prepare"]))
    listed = cloud.ask("list_training_jobs", NameContains=ran.id)["TrainingJobSummaries"]
    assert [each["TrainingJobName"] for each in listed] == [job]
    pages = cloud.sagemaker.get_paginator("list_processing_jobs").paginate(MaxResults=1)
    counted = [len(page["ProcessingJobSummaries"]) for page in pages]
    assert counted[:3] == [1, 1, 1]


def test_a_tuning_has_its_trainings_and_the_best_of_them(cloud: Deployed) -> None:
    """One of them is ended early: it would go on for a minute, and others were better at once."""
    on_its_way = (
        "for part in range(300 if depth == 3 else 0):\n"
        '    Path(a["--metrics"]).write_text(json.dumps({"accuracy": part / 1000}))\n'
        "    time.sleep(0.2)\n"
    )
    early = replace(TUNE, early_stopping=True, parallel=1)
    result = cloud.run(replace(LIFE, training=early), train=SCRIPTS["train.py"] + on_its_way)
    assert result.metrics == pytest.approx({"accuracy": 0.69})
    tuning = name_of(cloud.steps()["Tune"])
    found = cloud.ask("describe_hyper_parameter_tuning_job", HyperParameterTuningJobName=tuning)
    assert found["HyperParameterTuningJobStatus"] == "Completed"
    assert found["TrainingJobStatusCounters"]["Completed"] == 2
    assert found["TrainingJobStatusCounters"]["Stopped"] == 1
    best = found["BestTrainingJob"]
    assert best["TunedHyperParameters"] == {"depth": "9"}
    listed = cloud.ask(
        "list_training_jobs_for_hyper_parameter_tuning_job",
        HyperParameterTuningJobName=tuning,
        SortBy="FinalObjectiveMetricValue",
        SortOrder="Descending",
    )["TrainingJobSummaries"]
    assert [each["TunedHyperParameters"]["depth"] for each in listed] == ["9", "7", "3"]
    assert [each["TrainingJobStatus"] for each in listed] == ["Completed", "Completed", "Stopped"]
    assert listed[0] == best
    training = cloud.ask("describe_training_job", TrainingJobName=best["TrainingJobName"])
    assert training["TuningJobArn"] == found["HyperParameterTuningJobArn"]
    assert training["HyperParameters"]["sagemaker_program"] == "mlops_step.py"
    summaries = cloud.ask("list_hyper_parameter_tuning_jobs")["HyperParameterTuningJobSummaries"]
    assert tuning in [each["HyperParameterTuningJobName"] for each in summaries]


def test_a_cached_step_names_the_execution_that_had_its_job(
    cloud: Deployed, ran: RunResult
) -> None:
    result = cloud.run(SERVED, cache=True)
    steps = cloud.steps()
    arn = steps["Prepare"]["CacheHitResult"]["SourcePipelineExecutionArn"]
    assert arn.endswith(f"/execution/{ran.id}")
    assert name_of(steps["Train"]) == f"{ran.id}-Train"
    assert cloud.ask("describe_training_job", TrainingJobName=name_of(steps["Train"]))
    assert "CacheHitResult" not in steps["Seal"]
    assert (result.folder / "Train" / "log.txt").exists()
    names = [
        each["TrainingJobName"] for each in cloud.ask("list_training_jobs")["TrainingJobSummaries"]
    ]
    assert f"{result.id}-Train" not in names


def test_hyperparameters_of_one_run_are_those_of_its_job(cloud: Deployed) -> None:
    cloud.run(SERVED, given={"depth": "8"})
    training = cloud.ask("describe_training_job", TrainingJobName=name_of(cloud.steps()["Train"]))
    assert training["HyperParameters"]["depth"] == "8"
    assert '"depth": "5"' in cloud.text


def test_a_missed_gate_ends_an_execution_as_it_does_in_the_service(cloud: Deployed) -> None:
    cloud.run(replace(LIFE, gates=(Limit("accuracy", "at_least", 0.9),)))
    steps = cloud.steps()
    assert cloud.execution()["PipelineExecutionStatus"] == "Failed"
    assert steps["Gate"]["Metadata"] == {"Condition": {"Outcome": "False"}}
    message = steps["GateFailed"]["Metadata"]["Fail"]["ErrorMessage"]
    assert steps["GateFailed"]["FailureReason"] == "accuracy is 0.65, must be at least 0.9"
    assert message.startswith("Not registered: accuracy must be at least 0.9. Measured: s3://")
    assert "Register" not in steps


def test_a_script_that_fails_is_told_and_continued_under_the_same_arn(cloud: Deployed) -> None:
    with pytest.raises(ScriptFailed):
        cloud.run(train=ARGS + FAILS)
    failed, step = cloud.execution(), cloud.steps()["Train"]
    assert failed["PipelineExecutionStatus"] == "Failed"
    assert "One or multiple steps failed" in failed["PipelineExecutionFailureReason"]
    assert (step["StepStatus"], step["FailureReason"]) == ("Failed", "the disk is full")
    training = cloud.ask("describe_training_job", TrainingJobName=name_of(step))
    assert training["FailureReason"] == "AlgorithmError: the disk is full"
    assert "FinalMetricDataList" not in training
    cloud.run(from_step="Train")
    after = cloud.execution()
    assert after["PipelineExecutionArn"] == failed["PipelineExecutionArn"]
    assert after["PipelineExecutionStatus"] == "Succeeded"
    assert cloud.steps()["Train"]["StepStatus"] == "Succeeded"


def killed(cloud: Deployed, ran: RunResult) -> Path:
    """The folder of a run that a kill leaves: nobody holds its lock."""
    left = cloud.work / "runs" / f"29991231235959{secrets.token_hex(3)}"
    shutil.copytree(ran.folder, left)
    record = json.loads((left / "run.json").read_text())
    record |= {"id": left.name, "status": "running", "started_at": "2999-12-31T23:59:59+00:00"}
    record["steps"] = {"Train": {**record["steps"]["Train"], "status": "running", "ended_at": ""}}
    (left / "run.json").write_text(json.dumps(record))
    return left


def test_a_run_whose_process_was_killed_does_not_execute_for_ever(
    cloud: Deployed, ran: RunResult
) -> None:
    left = killed(cloud, ran)
    assert cloud.execution()["PipelineExecutionStatus"] == "Failed"
    assert "ended without a word" in cloud.execution()["PipelineExecutionFailureReason"]
    assert cloud.steps()["Train"]["StepStatus"] == "Failed"
    shutil.rmtree(left)


FUNCTION = """
import boto3, json, os
def handler(event, context):
    print("asked for", event["detail"]["ModelPackageVersion"])
    found = boto3.client("sagemaker").describe_model_package(ModelPackageName=event["resources"][0])
    boto3.client("sqs").send_message(QueueUrl=os.environ["QUEUE"], MessageBody=found["ModelApprovalStatus"])
"""


def test_an_event_reaches_the_targets_that_it_reaches_in_the_cloud(
    cloud: Deployed, ran: RunResult
) -> None:
    """A queue, a topic, a function; what is not delivered here is kept with the reason."""
    sqs, events = cloud.of("sqs"), cloud.of("events")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}
    trust["Action"] = "sts:AssumeRole"
    role = cloud.iam.create_role(
        RoleName="calls", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]})
    )["Role"]["Arn"]
    queues = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("told", "kept")}
    arns = {name: f"arn:aws:sqs:{REGION}:123456789012:{name}" for name in queues}
    topic = cloud.of("sns").create_topic(Name="people")["TopicArn"]
    raw = {"RawMessageDelivery": "true"}
    cloud.of("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arns["told"], Attributes=raw)
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("approved.py", FUNCTION)
    function = cloud.of("lambda").create_function(
        FunctionName="approved", Runtime="python3.13", Handler="approved.handler", Role=role,
        Code={"ZipFile": package.getvalue()}, Timeout=60,
        Environment={"Variables": {"QUEUE": queues["told"]}},
    )["FunctionArn"]  # fmt: skip
    pattern = {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Package State Change"],
        "detail": {"ModelPackageGroupName": ["churn"], "ModelApprovalStatus": ["Approved"]},
    }
    words = {"InputPathsMap": {"version": "$.detail.ModelPackageVersion"}}
    elsewhere = f"arn:aws:codebuild:{REGION}:123456789012:project/deploy"
    pipeline = f"arn:aws:sagemaker:{REGION}:123456789012:pipeline/churn"  # which no `up` deployed
    kept = {"DeadLetterConfig": {"Arn": arns["kept"]}}
    targets = [
        {
            "Arn": topic,
            "InputTransformer": {**words, "InputTemplate": '"Version <version> serves"'},
        },
        {"Arn": arns["told"], "InputTransformer": {**words, "InputTemplate": '{"is": <version>}'}},
        {"Arn": function},
        {"Arn": elsewhere, **kept},
        {"Arn": pipeline, "RoleArn": ROLE, **kept},
    ]
    events.put_rule(Name="approvals", EventPattern=json.dumps(pattern))
    given = [{"Id": str(number), **each} for number, each in enumerate(targets)]
    events.put_targets(Rule="approvals", Targets=given)

    def arrived(name: str, count: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while len(found) < count:
            asked = {"MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"]}
            found += sqs.receive_message(QueueUrl=queues[name], **asked).get("Messages", ())
            time.sleep(0.05)
        return found

    for status in ("Rejected", "Approved", "Approved"):
        cloud.sagemaker.update_model_package(
            ModelPackageArn=ran.registered, ModelApprovalStatus=status
        )
    version = str(ran.registered).rpartition("/")[2]
    assert {each["Body"] for each in arrived("told", 3)} == {
        f'"Version {version} serves"', f'{{"is": {version}}}', "Approved",
    }  # fmt: skip
    undelivered = {
        each["MessageAttributes"]["TARGET_ARN"]["StringValue"]:
        each["MessageAttributes"]["ERROR_MESSAGE"]["StringValue"]
        for each in arrived("kept", 2)
    }  # fmt: skip
    assert undelivered[elsewhere] == "the emulated AWS delivers no events to codebuild"
    assert "nothing was started" in undelivered[pipeline]
    group = "/aws/lambda/approved"  # written when it ends
    while not cloud.logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
        time.sleep(0.05)
    (stream,) = cloud.logs.describe_log_streams(logGroupName=group)["logStreams"]
    (line,) = cloud.logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])[
        "events"
    ]
    assert line["message"] == f"asked for {version}"


def test_people_are_told_of_a_run_that_failed_once(cloud: Deployed, ran: RunResult) -> None:
    url = cloud.of("sqs").create_queue(QueueName="runs")["QueueUrl"]
    pattern = {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Building Pipeline Execution Status Change"],
        "detail": {"currentPipelineExecutionStatus": ["Failed", "Stopped"]},
    }
    cloud.of("events").put_rule(Name="runs", EventPattern=json.dumps(pattern))
    target = {"Id": "1", "Arn": f"arn:aws:sqs:{REGION}:123456789012:runs"}
    cloud.of("events").put_targets(Rule="runs", Targets=[target])
    left = killed(cloud, ran)
    receive = partial(cloud.of("sqs").receive_message, QueueUrl=url, MaxNumberOfMessages=10)
    (told,) = [json.loads(each["Body"])["detail"] for each in receive()["Messages"]]
    assert told["pipelineExecutionArn"].rpartition("/")[2] == left.name
    assert "executionEndTime" in told
    assert "Messages" not in receive()
    shutil.rmtree(left)


def refused(call: Any, **asked: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**asked)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_what_is_not_done_is_an_error_of_the_service_and_no_success(
    cloud: Deployed, ran: RunResult
) -> None:
    start = cloud.sagemaker.start_pipeline_execution
    assert refused(start, PipelineName="nix")[0] == "ResourceNotFound"
    parameters = [{"Name": "depth", "Value": "1"}]
    code, words = refused(start, PipelineName="churn", PipelineParameters=parameters)
    assert (code, "[depth]" in words) == ("ValidationException", True)
    code, words = refused(start, PipelineName="churn")  # which no `up` has deployed
    assert (code, "nothing was started" in words) == ("ValidationException", True)
    arn = cloud.execution()["PipelineExecutionArn"]
    stop = cloud.sagemaker.stop_pipeline_execution
    assert refused(stop, PipelineExecutionArn=arn)[0] == "ConflictException"
    assert refused(cloud.sagemaker.list_hubs) == (
        "UnknownOperationException",
        "The emulated sagemaker does not do ListHubs.",
    )
    tags = cloud.iam.list_mfa_device_tags
    assert refused(tags, SerialNumber="123456789")[0] == "InvalidAction"
    job = cloud.ask("describe_processing_job", ProcessingJobName=f"{ran.id}-Prepare")
    kept = ("AppSpecification", "ProcessingResources", "RoleArn")
    code, words = refused(
        cloud.sagemaker.create_processing_job,
        ProcessingJobName="mine",
        **{key: job[key] for key in kept},
    )
    assert (code, "nothing was started" in words) == ("ValidationException", True)


def test_a_search_finds_what_is_described(cloud: Deployed, ran: RunResult) -> None:
    def found(resource: str, **filters: str) -> list[dict[str, Any]]:
        expression = {
            "Filters": [
                {
                    "Name": name.replace("_", "."),
                    "Operator": each.split()[0],
                    "Value": each.split()[1],
                }
                for name, each in filters.items()
            ]
        }
        answer = cloud.ask("search", Resource=resource, SearchExpression=expression, MaxResults=100)
        return [each[resource.removeprefix("Experiment")] for each in answer["Results"]]

    (run,) = found("PipelineExecution", PipelineExecutionArn=f"Contains {ran.id}")
    assert run["PipelineExecutionStatus"] == "Succeeded"
    (job,) = found(
        "TrainingJob", TrainingJobName=f"Equals {ran.id}-Train", HyperParameters_depth="In 4,5"
    )
    assert found("TrainingJob", CreationTime="GreaterThan 2999-01-01T00:00:00Z") == []
    (component,) = found(
        "ExperimentTrialComponent", Source_SourceArn=f"Equals {job['TrainingJobArn']}"
    )
    assert component["Metrics"][0]["Last"] == pytest.approx(0.65)
    versions = found("ModelPackage", ModelPackageArn=f"Equals {ran.registered}")
    assert [each["ModelPackageArn"] for each in versions] == [ran.registered]
    assert len(found("Pipeline", PipelineName="NotEquals nix")) == 1
    assert found("Endpoint", EndpointName="Contains a") == []
    assert refused(cloud.sagemaker.search, Resource="ModelCard")[0] == "ValidationException"
