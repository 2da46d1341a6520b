"""Serving entries as they stand: which version answers, since when, with which traffic; and alarms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_iac.api.deploy.rollbacks import difference, gone
from mlops_iac.api.deploy.running_versions import PACKAGE
from mlops_iac.api.models.registry import APPROVED, measured
from mlops_iac.policy.types import ALARM, ENDPOINT

if TYPE_CHECKING:
    from datetime import datetime

    from mlops_iac.api.deploy.clients import Questions
    from mlops_iac.graph.model import Resource

MISSING = "Missing"
"""The state of an endpoint that the stack made and the cloud does not have."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One variant behind an endpoint.

    `percent` is its part of the traffic, of a shadow that of the calls it gets a copy of.
    `instances` counts those that run now. `version` is empty for a model that is not registered.
    `approval` is its ModelApprovalStatus (Approved, Rejected, PendingManualApproval), empty where
    nobody answered; `approved` is when (ISO 8601, UTC). `run` is the run of the pipeline that
    registered it; `metrics` are those it was registered with.
    """

    name: str
    percent: float | None = None
    shadow: bool = False
    instances: int | None = None
    model: str = ""
    version: str = ""
    approval: str = ""
    approved: str = ""
    comment: str = ""
    run: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """One serving entry.

    `endpoint` is empty before there is one. `state` is SageMaker's EndpointStatus, `Missing` where
    somebody deleted it, empty where nobody answered. `since` is when the configuration that it runs
    was made (ISO 8601, UTC). `waits_for` are models without an approved version. `trouble` says
    what is not as it was asked for.
    """

    name: str
    endpoint: str = ""
    state: str = ""
    since: str = ""
    variants: Sequence[Variant] = ()
    waits_for: Sequence[str] = ()
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class AlarmState:
    """An alarm. `state` is CloudWatch's: OK, ALARM, INSUFFICIENT_DATA; empty where not known.

    `endpoint` is the one it watches, empty for the others. The emulated cloud evaluates none: its
    state is empty there until somebody sets it.
    """

    name: str
    endpoint: str
    state: str = ""
    since: str = ""
    reason: str = ""


def entries(
    names: Iterable[str],
    resources: Sequence[Resource],
    waiting: Mapping[str, Sequence[str]],
    questions: Questions | None,
    groups: Mapping[str, str],
) -> list[Entry]:
    """Return the entries of the blueprint, and those that stand without being in it any more.

    `waiting` maps entries to models without an approved version, `groups` package groups to models.
    `questions` is None where there is nobody to ask.
    """
    standing = {each.parent.split("::")[-1]: each for each in resources if each.type == ENDPOINT}
    found: list[Entry] = []
    for name in dict.fromkeys([*names, *standing]):
        if name in standing:
            found.append(_entry(name, standing[name], questions, groups))
        else:
            found.append(Entry(name, waits_for=tuple(waiting.get(name, ()))))
    return found


def _entry(
    name: str, endpoint: Resource, questions: Questions | None, groups: Mapping[str, str]
) -> Entry:
    called = str(endpoint.inputs.get("name") or endpoint.id)
    if questions is None:
        return Entry(name, called)
    client = _client(questions, "sagemaker")
    what = f"the endpoint {called}"
    answer = questions.ask(what, lambda: client().describe_endpoint(EndpointName=called), _GONE)
    if answer is _GONE and not endpoint.recorded:
        return Entry(name, called, MISSING, trouble=gone(called, questions.of))
    if not answer or answer is _GONE:
        return Entry(name, called)
    runs = answer["EndpointConfigName"]
    said = questions.ask(what, lambda: client().describe_endpoint_config(EndpointConfigName=runs))
    configuration = said or {}
    return Entry(
        name,
        called,
        state=answer["EndpointStatus"],
        since=when(configuration.get("CreationTime")),
        variants=tuple(_variants(answer, configuration, questions, groups)),
        trouble=str(answer.get("FailureReason") or _difference(endpoint, answer)),
    )


_GONE: dict[str, Any] = {"gone": True}


def _difference(endpoint: Resource, answer: Mapping[str, Any]) -> str:
    """What it runs instead of what was asked; of one that is recorded nobody knows."""
    return "" if endpoint.recorded else difference(endpoint, answer)


def _variants(
    answer: Mapping[str, Any],
    configuration: Mapping[str, Any],
    questions: Questions,
    groups: Mapping[str, str],
) -> Iterator[Variant]:
    for key, shadow in (("ProductionVariants", False), ("ShadowProductionVariants", True)):
        running = {each["VariantName"]: each for each in answer.get(key) or ()}
        said = {each["VariantName"]: each for each in configuration.get(key) or ()}
        weights = {
            name: running.get(name, {}).get("CurrentWeight", said.get(name, {}).get(_WEIGHT))
            for name in {**said, **running}
        }
        total = 100 if shadow else sum(weight or 0 for weight in weights.values())
        for name, weight in weights.items():
            model = _model(str(said.get(name, {}).get("ModelName") or ""), questions, groups)
            yield Variant(
                name,
                percent=round(100 * weight / total, 1) if total and weight is not None else None,
                shadow=shadow,
                instances=running.get(name, {}).get("CurrentInstanceCount"),
                **model,
            )


_WEIGHT = "InitialVariantWeight"


def _model(name: str, questions: Questions, groups: Mapping[str, str]) -> dict[str, Any]:
    """What is served: the fields of a `Variant` about its model and version."""
    if not name:
        return {}
    client = _client(questions, "sagemaker")
    what = f"the model {name}"
    answer = questions.ask(what, lambda: client().describe_model(ModelName=name)) or {}
    containers: list[Mapping[str, Any]] = [
        answer.get("PrimaryContainer") or {},
        *(answer.get("Containers") or ()),
    ]
    arn = next((str(each["ModelPackageName"]) for each in containers if _registered(each)), "")
    match = PACKAGE.fullmatch(arn)
    if match is None:
        return {}
    group, version = match.groups()
    what = f"the version {group}/{version}"
    _, _, _, *there, _ = arn.split(":")  # region and account of the registry
    client, s3 = (_client(questions, service, *there) for service in ("sagemaker", "s3"))
    said = questions.ask(what, lambda: client().describe_model_package(ModelPackageName=arn)) or {}
    approval = str(said.get("ModelApprovalStatus") or "")
    return {
        "model": groups.get(group, group),
        "version": version,
        "approved": when(said.get("LastModifiedTime") or said.get("CreationTime"))
        if approval == APPROVED
        else "",
        "approval": approval,
        "comment": str(said.get("ApprovalDescription") or ""),
        "run": run_of(said),
        "metrics": questions.ask(f"the metrics of {group}/{version}", lambda: measured(s3(), said))
        or {},
    }


def _registered(container: Mapping[str, Any]) -> bool:
    return bool(container.get("ModelPackageName"))


def run_of(answer: Mapping[str, Any]) -> str:
    """Return the run that registered a version: the sealed artifact lies below it.

    `answer` is DescribeModelPackage's (`pipeline/sagemaker.py`: models/MODEL/RUN/ETAG/…).
    """
    containers: Sequence[Any] = (answer.get("InferenceSpecification") or {}).get("Containers") or (
        {},
    )
    parts = str(containers[0].get("ModelDataUrl") or "").removeprefix("s3://").split("/")
    return parts[3] if len(parts) == 6 and parts[1] == "models" else ""


def alarms(resources: Sequence[Resource], questions: Questions | None) -> list[AlarmState]:
    """Return the stack's alarms, those in state ALARM first."""
    by_name = {
        each.id: str((each.inputs.get("dimensions") or {}).get("EndpointName") or "")
        for each in resources
        if each.type == ALARM and not each.recorded
    }
    if not by_name:
        return []
    said: dict[str, Mapping[str, Any]] = {}
    if questions is not None:
        client = _client(questions, "cloudwatch")
        names = sorted(by_name)

        def asked() -> list[Mapping[str, Any]]:
            pages = client().get_paginator("describe_alarms")
            # CloudWatch API reference, DescribeAlarms: at most 100 names.
            return [
                item
                for at in range(0, len(names), 100)
                for page in pages.paginate(AlarmNames=names[at : at + 100])
                for item in page["MetricAlarms"]
            ]

        said = {
            item["AlarmName"]: item
            for item in questions.ask("the alarms", asked) or ()
            if not str(item.get("StateReason")).startswith("Unchecked")  # moto's, never evaluated
        }
    found = [
        AlarmState(
            name,
            endpoint,
            state=str(said.get(name, {}).get("StateValue") or ""),
            since=when(said.get(name, {}).get("StateUpdatedTimestamp")),
            reason=str(said.get(name, {}).get("StateReason") or ""),
        )
        for name, endpoint in by_name.items()
    ]
    return sorted(found, key=lambda each: each.state != "ALARM")


def _client(questions: Questions, service: str, region: str = "", account: str = "") -> Any:
    """Make the client inside of a question: that, too, may go unanswered."""
    return lambda: questions.clients(service, region, account)


def when(time: datetime | None) -> str:
    """ISO 8601 in UTC, to the second; empty for none."""
    if time is None:
        return ""
    from datetime import UTC

    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
