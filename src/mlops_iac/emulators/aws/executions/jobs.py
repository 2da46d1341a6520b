"""The jobs behind the steps of an execution, as SageMaker describes them.

Source: SageMaker API reference, DescribeProcessingJob, DescribeTrainingJob, DescribeTransformJob,
DescribeHyperParameterTuningJob; "Log groups and streams that SageMaker AI sends to CloudWatch".
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from moto.core.utils import camelcase_to_underscores
from moto.sagemaker.utils import arn_formatter

from mlops_iac.emulators.aws.executions.records import epoch, moment

STATUSES = {
    "running": "InProgress",
    "succeeded": "Completed",
    "reused": "Completed",
    "failed": "Failed",
    "stopped": "Stopped",
}
# Where the runner gives a script its hyperparameters: in `opt` while it runs, or where it failed.
_GIVEN = "opt/ml/input/config/hyperparameters.json"


class Kind(NamedTuple):
    """What the service calls the jobs of one kind, and where moto keeps them."""

    noun: str
    arn: str
    jobs: str
    began: str
    ended: str

    @property
    def group(self) -> str:
        """Their log group."""
        return f"/aws/sagemaker/{self.noun}s"


PROCESSING = Kind(
    "ProcessingJob",
    "processing-job",
    "processing_jobs",
    "ProcessingStartTime",
    "ProcessingEndTime",
)
TRAINING = Kind(
    "TrainingJob", "training-job", "training_jobs", "TrainingStartTime", "TrainingEndTime"
)
TRANSFORM = Kind(
    "TransformJob", "transform-job", "transform_jobs", "TransformStartTime", "TransformEndTime"
)
TUNING = Kind(
    "HyperParameterTuningJob",
    "hyper-parameter-tuning-job",
    "hyper_parameter_tuning_jobs",
    "",
    "HyperParameterTuningEndTime",
)
KINDS = {
    "Processing": PROCESSING,
    "Training": TRAINING,
    "Transform": TRANSFORM,
    "Tuning": TUNING,
}


class Place(NamedTuple):
    """An account and a region."""

    account: str
    region: str


class Shown:
    """A job in the place of moto's. `log` is the file of its lines; `tuning` the job that it is of."""

    def __init__(
        self, kind: Kind, described: dict[str, Any], tags: Any, log: Path, tuning: str = ""
    ) -> None:
        self.kind, self.log, self.tuning = kind, log, tuning
        self.tags: list[dict[str, str]] = list(tags or ())
        self.response_object = {key: x for key, x in described.items() if x not in (None, "")}
        self.arn: str = described[f"{kind.noun}Arn"]
        self.name: str = described[f"{kind.noun}Name"]
        self.stream = f"{self.name}/algo-1-{int(epoch(described['CreationTime']))}"
        for key, value in self.response_object.items():  # what moto's own lists read
            setattr(self, camelcase_to_underscores(key), value)

    def describe(self) -> dict[str, Any]:
        """What the service says of it."""
        return self.response_object

    def summary(self) -> dict[str, Any]:
        """What a list of tunings says of it."""
        found = dict(self.response_object)
        config = found["HyperParameterTuningJobConfig"]
        return {**found, "Strategy": config["Strategy"], "ResourceLimits": config["ResourceLimits"]}


class Step(NamedTuple):
    """A step that was begun: what is written of it, its arguments, and the folder of its logs."""

    run: str
    name: str
    status: str
    written: Mapping[str, Any]
    arguments: Mapping[str, Any]
    folder: Path
    error: str = ""

    @property
    def times(self) -> tuple[datetime, datetime | None]:
        """When it began and ended."""
        ended = self.written.get("ended_at")
        return moment(self.written["started_at"]), moment(ended) if ended else None


def jobs(kind: Kind, step: Step, place: Place) -> list[Shown]:
    """The job of a step; of a tuning, its trainings besides."""
    log = step.folder / "log.txt"
    arguments = dict(step.arguments)
    tags = arguments.pop("Tags", ())
    described = {**arguments, **_common(kind, step.name, step, place, step.times, step.status)}
    match kind.noun:
        case "TrainingJob":
            left = step.written["properties"].get("uri")
            described |= _trained(described, step.name, step, step.times, left, log)
        case "ProcessingJob" if step.error:
            described["ExitMessage"] = step.error
        case "HyperParameterTuningJob":
            trainings = list(_trainings(step, described, tags, place))
            described |= _tuned(step, described, trainings)
            return [Shown(kind, described, tags, log), *trainings]
    return [Shown(kind, described, tags, log)]


def name_of(run: str, step: str) -> str:
    """What a job is called; the runner writes below this name, too."""
    return f"{run}-{step}"


def _common(
    kind: Kind,
    name: str,
    step: Step,
    place: Place,
    times: tuple[datetime, datetime | None],
    status: str,
) -> dict[str, Any]:
    began, ended = times
    full = name_of(step.run, name)
    found = {
        f"{kind.noun}Name": full,
        f"{kind.noun}Arn": arn_formatter(kind.arn, full, place.account, place.region),
        f"{kind.noun}Status": STATUSES[status],
        "CreationTime": began,
        "LastModifiedTime": ended or began,
        kind.ended: ended,
        "FailureReason": f"AlgorithmError: {step.error}" if status == "failed" else None,
    }
    if kind.noun == "TransformJob":
        del found["LastModifiedTime"]
    return found | ({kind.began: began} if kind.began else {})


def _trained(
    described: Mapping[str, Any],
    name: str,
    step: Step,
    times: tuple[datetime, datetime | None],
    left: str | None,
    log: Path,
) -> dict[str, Any]:
    began, ended = times
    status = described["TrainingJobStatus"]
    now = "Training" if status == "InProgress" else status
    output = described["OutputDataConfig"]["S3OutputPath"]
    transitions = [
        {
            "Status": "Training",
            "StartTime": began,
            "StatusMessage": "Training image download completed. Training in progress.",
            **({"EndTime": ended} if ended else {}),
        }
    ]
    if ended:
        message = described["FailureReason"] or f"Training job {status.lower()}"
        transitions.append(
            {"Status": status, "StartTime": ended, "EndTime": ended, "StatusMessage": message}
        )
    seconds = max(1, round((ended - began).total_seconds())) if ended else None
    archive = left or f"{output}/{name_of(step.run, name)}/output/model.tar.gz"
    return {
        "ModelArtifacts": {"S3ModelArtifacts": archive},
        "SecondaryStatus": now,
        "SecondaryStatusTransitions": transitions,
        "FinalMetricDataList": list(_metrics(described, log, ended)) or None,
        "TrainingTimeInSeconds": seconds,
        "BillableTimeInSeconds": seconds,
    }


def _metrics(
    described: Mapping[str, Any], log: Path, ended: datetime | None
) -> Iterator[dict[str, Any]]:
    """The last value of each metric that its definition finds in the log of a job that has ended."""
    if ended is None:
        return
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for each in described["AlgorithmSpecification"].get("MetricDefinitions") or ():
        if found := re.findall(each["Regex"], text):
            with suppress(ValueError):
                yield {"MetricName": each["Name"], "Value": float(found[-1]), "Timestamp": ended}


def _trainings(step: Step, tuning: Mapping[str, Any], tags: Any, place: Place) -> Iterator[Shown]:
    """The trainings of a tuning that were begun."""
    definition = dict(step.arguments["TrainingJobDefinition"])
    static = definition.pop("StaticHyperParameters", {})
    done = {each["number"]: each for each in step.written["properties"].get("trials", ())}
    for folder in sorted(each for each in step.folder.glob("[0-9]*") if each.is_dir()):
        number = int(folder.name)
        name = f"{step.name}{number:03}"
        outcome = done.get(number)
        log = folder / "log.txt"
        began, ended = step.times
        if outcome is not None:
            status = "succeeded" if outcome["uri"] else "stopped"  # early
            given = {**static, **outcome["trial"]}
            began, ended = moment(outcome["began"]), moment(outcome["ended"])
        else:
            status = "failed" if step.status in ("succeeded", "reused") else step.status
            given = static | _given(folder)
        described = {
            **definition,
            **_common(TRAINING, name, step, place, (began, ended), status),
            "HyperParameters": given,
            "TuningJobArn": tuning["HyperParameterTuningJobArn"],
        }
        left = outcome["uri"] if outcome else None
        described |= _trained(described, name, step, (began, ended), left, log)
        yield Shown(TRAINING, described, tags, log, tuning["HyperParameterTuningJobName"])


def _given(folder: Path) -> dict[str, str]:
    with suppress(OSError, ValueError):
        found: dict[str, str] = json.loads((folder / _GIVEN).read_bytes())
        return found
    return {}


def _tuned(step: Step, described: Mapping[str, Any], trainings: list[Shown]) -> dict[str, Any]:
    counted = Counter(each.response_object["TrainingJobStatus"] for each in trainings)
    done, waiting = counted["Completed"], counted["InProgress"]
    config = described["HyperParameterTuningJobConfig"]
    best = [
        each
        for each in trainings
        if each.response_object["ModelArtifacts"]["S3ModelArtifacts"]
        == step.written["properties"].get("uri")
    ]
    return {
        "TrainingJobStatusCounters": {
            "Completed": done,
            "InProgress": waiting,
            "RetryableError": 0,
            "NonRetryableError": counted["Failed"],
            "Stopped": counted["Stopped"],
        },
        "ObjectiveStatusCounters": {
            "Succeeded": done,
            "Pending": waiting,
            "Failed": counted["Failed"] + counted["Stopped"],
        },
        "BestTrainingJob": training_of(best[0], config) if best else None,
    }


def training_of(job: Shown, config: Mapping[str, Any]) -> dict[str, Any]:
    """What a tuning with this configuration says of one of its trainings."""
    described = job.response_object
    objective = config["HyperParameterTuningJobObjective"]
    ranges = config["ParameterRanges"].values()
    searched = {each["Name"] for several in ranges for each in several}
    kept = (
        "TrainingJobName",
        "TrainingJobArn",
        "CreationTime",
        "TrainingStartTime",
        "TrainingEndTime",
        "TrainingJobStatus",
        "FailureReason",
    )
    found = {key: described[key] for key in kept if key in described}
    given = described["HyperParameters"]
    found["TunedHyperParameters"] = {key: x for key, x in given.items() if key in searched}
    for each in described.get("FinalMetricDataList", ()):
        if each["MetricName"] == objective["MetricName"]:
            found["FinalHyperParameterTuningJobObjectiveMetric"] = {
                **objective,
                "Value": each["Value"],
            }
    states = {"Completed": "Succeeded", "InProgress": "Pending"}
    found["ObjectiveStatus"] = states.get(described["TrainingJobStatus"], "Failed")
    return found
