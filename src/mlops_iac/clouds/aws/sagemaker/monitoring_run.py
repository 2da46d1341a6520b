"""A run of a deployed monitoring on this machine: its function's code, its job, its alarms, their events.

What the emulated cloud does not do by itself is done here as the services do it: the job is run, and the
rules that wait for an alarm that goes off call their function's code.
Sources: the definition that is deployed; CloudWatch user guide, "Alarm events and EventBridge".
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlops_iac import python_child
from mlops_iac.clouds.aws.runtime import monitor
from mlops_iac.clouds.aws.session import AwsSession
from mlops_iac.clouds.aws.store import S3Store, cloud_errors
from mlops_iac.clouds.operations import Monitored
from mlops_iac.errors import ResourceFailed
from mlops_iac.pipeline.run_record import recorded
from mlops_iac.runtime import contract

Client = Callable[[str], Any]
_CALL = (
    "import json, sys; from mlops_iac.clouds.aws.runtime.cooldown import handler;"
    " handler(json.load(sys.stdin), None)"
)


def run_monitoring(
    pipeline: str, session: AwsSession, runs: Path, identity: str = "", *, cooldown: bool = True
) -> Monitored:
    """Run it once and write that down below `runs`, as `identity` where it has one; its window ends now.

    Raises ResourceFailed where the job fails, and what the SDK raises.
    """
    client: Client = session.client
    with recorded(runs, pipeline, identity, "monitored") as run:
        with run.step("Resolve", "Call") as found:
            steps = _steps(client, pipeline)
            function = _function(client, steps["Resolve"]["FunctionArn"])
            watch = monitor.Watch(json.loads(function["SETTINGS"]), client)
            # Here calls are written as soon as they are answered.
            found |= watch.resolve(run.record.id, datetime.now(UTC), late_seconds=0)
        with run.step("Called", "Choice"):
            if found["files"] == "0":
                return Monitored(state="no data")
        with run.step("Measure", "Script"):
            job = steps["Measure"]["Arguments"]
            report = _measure(client("s3"), job, found, run.folder / "Measure")
            uri = f"{found['known'].removesuffix('known/')}report"
            S3Store(client("s3"), None).upload(report, uri)
        quiet = {each["AlarmName"] for each in _alarms(client) if each["StateValue"] != "ALARM"}
        with run.step("Publish", "Call") as published:
            published |= watch.publish(uri)
        page = published["page"]
    said = json.loads((report / contract.MONITOR_FILE).read_text(encoding="utf-8"))
    namespace = json.loads(function["SETTINGS"])["namespace"]
    sounding = [
        each
        for each in _alarms(client)
        if (each.get("Namespace"), each["StateValue"]) == (namespace, "ALARM")
        and each["AlarmName"] in quiet
    ]
    changed = {} if cooldown else {"COOLDOWN_HOURS": "0"}
    started = [each for alarm in sounding for each in _events(client, alarm, changed)]
    return Monitored(
        state=said["state"],
        page=page,
        file=str(report / contract.MONITOR_PAGE),
        report=said,
        alarms=tuple(each["AlarmName"] for each in sounding),
        started=tuple(started),
    )


def _steps(client: Client, pipeline: str) -> dict[str, Any]:
    """The steps of the deployed definition, those behind the condition too."""
    text = client("sagemaker").describe_pipeline(PipelineName=pipeline)["PipelineDefinition"]
    found = {}
    waiting = list(json.loads(text)["Steps"])
    for step in waiting:
        found[step["Name"]] = step
        waiting += step["Arguments"].get("ElseSteps", ()) if step["Type"] == "Condition" else ()
    return found


def _function(client: Client, arn: str) -> dict[str, str]:
    """The environment of a deployed function."""
    found = client("lambda").get_function_configuration(FunctionName=arn)
    variables: dict[str, str] = found.get("Environment", {}).get("Variables", {})
    return variables


def _measure(s3: Any, job: Mapping[str, Any], found: Mapping[str, str], folder: Path) -> Path:
    """Deliver the inputs, run the job, and return the folder of its report."""
    folder.mkdir()
    store = S3Store(s3, None)
    for each in job["ProcessingInputs"]:
        name, there = each["InputName"], each["S3Input"]
        if name == "code":
            continue  # the same, as it lies here
        to = folder / str(there["LocalPath"]).removeprefix(f"{contract.ROOT}/")
        uri = found.get(name, there["S3Uri"])
        with cloud_errors(f"reading {uri}"):
            if there["S3DataType"] == "ManifestFile":
                _deliver(s3, uri, to)
            elif store.exists(uri):
                store.download(uri, to)
    env = {**python_child.environment(), **job["Environment"], contract.ROOT_SETTING: str(folder)}
    command = python_child.command("-m", "mlops_iac.runtime.monitoring")
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    (folder / "log.txt").write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines() or ["it said nothing"]
        raise ResourceFailed(
            f"the monitoring failed: {lines[-1].removeprefix(contract.VERDICT)}",
            hint=f"its log: {folder / 'log.txt'}",
        )
    return folder / contract.PROCESSING_REPORT


def _deliver(s3: Any, uri: str, to: Path) -> None:
    """What a manifest lists."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    first, *names = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    bucket, _, prefix = str(first["prefix"]).removeprefix("s3://").partition("/")
    for name in names:
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(bucket, prefix + name, str(to / name))


def _alarms(client: Client) -> list[dict[str, Any]]:
    """All of them as they are now."""
    pages = client("cloudwatch").get_paginator("describe_alarms").paginate()
    return [each for page in pages for each in page["MetricAlarms"]]


def _events(client: Client, alarm: Mapping[str, Any], changed: Mapping[str, str]) -> Iterator[str]:
    """What the functions did that rules call when an alarm goes off: `started ARN`, say."""
    events = client("events")
    pages = events.get_paginator("list_rules").paginate()
    for rule in [each for page in pages for each in page["Rules"]]:
        pattern = json.loads(rule.get("EventPattern") or "{}")
        if alarm["AlarmArn"] not in pattern.get("resources", ()):
            continue
        for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
            if ":function:" in target["Arn"]:
                yield _cooldown(client, target["Arn"], alarm, changed)


def _cooldown(
    client: Client, function: str, alarm: Mapping[str, Any], changed: Mapping[str, str]
) -> str:
    """Run the cooldown function's code in a process of its own, as its service does."""
    event = {"id": alarm["AlarmName"], "detail-type": "CloudWatch Alarm State Change"}
    made = client("sagemaker").meta
    ours = python_child.environment().items()
    env = {
        # Nothing that leads to the user's own account.
        **{name: value for name, value in ours if not name.startswith("AWS_")},
        **_function(client, function),
        **changed,
        "AWS_ENDPOINT_URL": made.endpoint_url,
        "AWS_DEFAULT_REGION": made.region_name,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }
    done = subprocess.run(
        python_child.command("-c", _CALL),
        env=env,
        input=json.dumps(event),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ResourceFailed(
            f"the cooldown function failed: {done.stderr.strip().splitlines()[-1]}"
        )
    answer = json.loads(done.stdout.strip().splitlines()[-1])
    return f"{answer['decision']}: {answer['execution']}"
