"""Endpoints as they stand: which versions answer, since when, with which traffic, in which images.

SageMaker goes on with the previous configuration where an alarm took a rollout back, and the
provider's wait reads that as success (hashicorp/terraform-provider-aws, issue 48997). So the
endpoint itself is asked. Source: SageMaker API reference, DescribeEndpoint, DescribeEndpointConfig,
DescribeModel; CloudWatch API reference, DescribeAlarmHistory.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from mlops_iac.clouds.aws.errors import failure
from mlops_iac.clouds.aws.sagemaker.registry import PACKAGE, PackageGroups
from mlops_iac.clouds.aws.session import AwsSession
from mlops_iac.clouds.aws.types import ENDPOINT, MODEL
from mlops_iac.clouds.operations import (
    APPROVED,
    GOES_ON,
    MISSING,
    ROLLED_BACK,
    Entry,
    Rollout,
    Served,
    Variant,
    utc,
)
from mlops_iac.clouds.questions import Questions
from mlops_iac.graph.model import Resource

_GONE: dict[str, Any] = {"gone": True}
_WEIGHT = "InitialVariantWeight"
# In which the configuration before, or a mix with it, answers. Source: DescribeEndpoint, EndpointStatus.
_SERVING = ("InService", "Updating", "SystemUpdating", "RollingBack", "UpdateRollbackFailed")


def served(resources: Iterable[Resource]) -> Iterator[Served]:
    """The registered versions that the models of a stack are."""
    for each in resources:
        container = each.inputs.get("primaryContainer") if each.type == MODEL else None
        name = container.get("modelPackageName") if isinstance(container, Mapping) else None
        if isinstance(name, str) and (match := PACKAGE.fullmatch(name)):
            yield Served(match[3], match[4], name)


def endpoints(resources: Iterable[Resource]) -> dict[str, Resource]:
    """The endpoints of a stack, by the components that stand for serving entries."""
    return {each.parent.split("::")[-1]: each for each in resources if each.type == ENDPOINT}


def entry(
    name: str, endpoint: Resource, questions: Questions | None, groups: Mapping[str, str]
) -> Entry:
    """A serving entry as its endpoint stands."""
    called = _called(endpoint)
    if questions is None:
        return Entry(name, called)
    client = _sagemaker(questions)
    what = f"the endpoint {called}"
    answer = questions.ask(what, lambda: client().describe_endpoint(EndpointName=called), _GONE)
    if answer is _GONE and not endpoint.recorded:
        return Entry(name, called, MISSING, trouble=_gone(called, questions.of))
    if not answer or answer is _GONE:
        return Entry(name, called)
    runs = answer["EndpointConfigName"]
    said = questions.ask(what, lambda: client().describe_endpoint_config(EndpointConfigName=runs))
    configuration = said or {}
    # Of one that is recorded nobody knows what it runs.
    differs = "" if endpoint.recorded else _difference(endpoint, answer)
    return Entry(
        name,
        called,
        state=answer["EndpointStatus"],
        serves=answer["EndpointStatus"] in _SERVING,
        since=utc(configuration.get("CreationTime")),
        variants=tuple(_variants(answer, configuration, questions, groups)),
        trouble=str(answer.get("FailureReason") or differs),
        rollout=_rollout(endpoint, answer, questions, groups),
    )


def _rollout(
    endpoint: Resource, answer: Mapping[str, Any], questions: Questions, groups: Mapping[str, str]
) -> Rollout | None:
    """One that goes on; or the last one, where the endpoint runs the configuration before."""
    if pending := answer.get("PendingDeploymentSummary"):
        said = [
            str(each.get("StatusMessage") or each["Status"])
            for variant in pending.get("ProductionVariants") or ()
            for each in variant.get("VariantStatus") or ()
        ]
        versions = _versions(pending["EndpointConfigName"], questions, groups)
        why = " ".join(dict.fromkeys(said))
        return Rollout(GOES_ON, versions, utc(pending.get("StartTime")), why)
    asked = str(endpoint.inputs["endpointConfigName"])
    if (
        endpoint.recorded
        or answer["EndpointStatus"] != "InService"
        or answer["EndpointConfigName"] == asked
    ):
        return None
    why = str(answer.get("FailureReason") or _sounded(answer, questions))
    changed = utc(answer.get("LastModifiedTime"))
    return Rollout(ROLLED_BACK, _versions(asked, questions, groups), changed, why)


def _versions(
    configuration: str, questions: Questions, groups: Mapping[str, str]
) -> tuple[str, ...]:
    """The registered versions in a configuration, as `model/number`."""
    client = _sagemaker(questions)
    what = f"the configuration {configuration}"
    said = questions.ask(
        what, lambda: client().describe_endpoint_config(EndpointConfigName=configuration)
    )
    found = [
        _package(str(each.get("ModelName") or ""), questions)
        for each in (said or {}).get("ProductionVariants") or ()
    ]
    matches = [match.groups() for match in found if match is not None]
    return tuple(f"{groups.get(group, group)}/{number}" for *_, group, number in matches)


def _sounded(answer: Mapping[str, Any], questions: Questions) -> str:
    """Which of an endpoint's rollback alarms went off last, and why: the service may not say."""
    last = answer.get("LastDeploymentConfig") or {}
    names = [
        each["AlarmName"]
        for each in (last.get("AutoRollbackConfiguration") or {}).get("Alarms") or ()
    ]
    found: list[tuple[Any, str]] = []
    for name in names:
        said = questions.ask(
            f"the history of {name}",
            lambda name=name: questions.session.client("cloudwatch").describe_alarm_history(  # type: ignore[misc]
                AlarmName=name, HistoryItemType="StateUpdate"
            ),
        )
        for each in (said or {}).get("AlarmHistoryItems") or ():
            new = json.loads(each.get("HistoryData") or "{}").get("newState") or {}
            if new.get("stateValue") == "ALARM":
                found.append((each["Timestamp"], f"ALARM {name}: {new.get('stateReason', '')}"))
    return max(found)[1] if found else "by an alarm, or it failed"


def differing(endpoints: Iterable[Resource], session: AwsSession, of: str = "") -> Iterator[str]:
    """A line for each endpoint that is gone or runs another configuration than was asked for."""
    client = session.client("sagemaker")
    for each in endpoints:
        name = _called(each)
        try:
            answer = client.describe_endpoint(EndpointName=name)
        except Exception as error:
            if failure(error) != "gone":
                raise
            yield f"{each.address}: {_gone(name, of)}"
            continue
        if words := _difference(each, answer):
            yield words


def images(endpoints: Iterable[Resource], session: AwsSession) -> dict[str, str]:
    """Image as it was named → the same with the digest that endpoints run.

    Source: SageMaker API reference, ProductionVariantSummary, DeployedImage (`SpecifiedImage`,
    `ResolvedImage`).
    """
    client = session.client("sagemaker")
    return {
        str(image.get("SpecifiedImage")): str(image["ResolvedImage"])
        for each in endpoints
        for variant in client.describe_endpoint(EndpointName=_called(each)).get(
            "ProductionVariants", ()
        )
        for image in variant.get("DeployedImages") or ()
        if "@" in str(image.get("ResolvedImage"))
    }


def _called(endpoint: Resource) -> str:
    return str(endpoint.inputs.get("name") or endpoint.id)


def _gone(name: str, of: str) -> str:
    """How an endpoint comes back that somebody deleted; `of` names the stack to a command."""
    return f"{name} is gone, somebody deleted it: `mlops-iac refresh{of}`, then `mlops-iac up{of}`"


def _difference(endpoint: Resource, answer: Mapping[str, Any]) -> str:
    """What it runs instead of what was asked; empty where it runs that."""
    name, asked = _called(endpoint), endpoint.inputs["endpointConfigName"]
    runs = answer["EndpointConfigName"]
    if runs == asked:
        return ""
    address = endpoint.address
    if answer["EndpointStatus"] in ("Updating", "RollingBack", "SystemUpdating"):
        return f"{address}: {name} still runs {runs}; the rollout of {asked} goes on"
    return (
        f"{address}: {name} runs {runs}, not {asked}: its rollout was taken back by an alarm"
        " or failed; pin the version that runs (`models.NAME.version`) and run `up`, or mend"
        " the new version"
    )


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


def _model(name: str, questions: Questions, groups: Mapping[str, str]) -> dict[str, Any]:
    """What is served: the fields of a `Variant` about its model and version."""
    if (match := _package(name, questions)) is None:
        return {}
    arn, (*_, group, number) = match[0], match.groups()
    found = {"model": groups.get(group, group), "version": number}
    registry = PackageGroups(questions.session)
    version = questions.ask(f"the version {group}/{number}", lambda: registry.describe(arn))
    if version is None:
        return found
    metrics = questions.ask(f"the metrics of {group}/{number}", lambda: registry.metrics(version))
    return {
        **found,
        "approved": utc(version.changed) if version.status == APPROVED else "",
        "approval": version.status,
        "by": version.by,
        "comment": version.comment,
        "run": version.run,
        "metrics": metrics or {},
    }


def _package(name: str, questions: Questions) -> re.Match[str] | None:
    """The ARN of the registered version that a model is; None for one that is none."""
    if not name:
        return None
    client = _sagemaker(questions)
    answer = (
        questions.ask(f"the model {name}", lambda: client().describe_model(ModelName=name)) or {}
    )
    containers: list[Mapping[str, Any]] = [
        answer.get("PrimaryContainer") or {},
        *(answer.get("Containers") or ()),
    ]
    arn = next((str(it) for each in containers if (it := each.get("ModelPackageName"))), "")
    return PACKAGE.fullmatch(arn)


def _sagemaker(questions: Questions) -> Callable[[], Any]:
    """Make the client inside of a question: that, too, may go unanswered."""
    return lambda: questions.session.client("sagemaker")
