"""What SageMaker answers about lineage, in the place of moto's answers.

Source: SageMaker API reference, of each operation. Entities of somebody's own cannot be made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from moto.sagemaker.exceptions import ResourceNotFound
from moto.sagemaker.models import SageMakerModelBackend

from mlops_iac.emulators.aws.answers import Answer, answer, between, page
from mlops_iac.emulators.aws.executions.jobs import Shown
from mlops_iac.emulators.aws.lineage.graph import Entity, Graph
from mlops_iac.emulators.aws.user import user

_COMPONENT = "TrialComponent"
# QueryLineage's own defaults, from the API reference.
_DEPTH, _VERTICES = 10, 50


def install() -> None:
    """Put them in moto's place. Once in a process, in order."""
    for lineage in ("Artifact", "Action", "Context"):
        answer(f"list_{lineage.lower()}s", _list_of(lineage))
        answer(f"describe_{lineage.lower()}", _description_of(lineage))
    answer("list_associations", _list_associations)
    answer("query_lineage", _query)
    answer("list_trial_components", _list_components)
    answer("describe_trial_component", _describe_component)


def _list_of(lineage: str) -> Answer:
    def listed(backend: Any, asked: dict[str, Any]) -> dict[str, Any]:
        found = [
            _summary(each)
            for each in Graph(backend).entities.values()
            if each.lineage == lineage
            and asked.get("SourceUri", each.source) == each.source
            and asked.get(f"{lineage}Type", each.type) == each.type
        ]
        by = f"{lineage}Name" if asked.get("SortBy") == "Name" else "CreationTime"
        return page(f"{lineage}Summaries", _created(found, asked), asked, by)

    return listed


def _description_of(lineage: str) -> Answer:
    member = "ArtifactArn" if lineage == "Artifact" else f"{lineage}Name"

    def described(backend: Any, asked: dict[str, Any]) -> dict[str, Any]:
        found = Graph(backend).named(lineage, asked[member])
        if found is None:
            raise ResourceNotFound(f"{lineage} '{asked[member]}' does not exist.")
        by = user(found.arn)
        return {
            **_summary(found),
            "Properties": found.properties,
            **({"CreatedBy": by, "LastModifiedBy": by} if by else {}),
        }

    return described


def _summary(entity: Entity) -> dict[str, Any]:
    kind = entity.lineage
    source = {"SourceUri": entity.source}
    found = {
        f"{kind}Arn": entity.arn,
        f"{kind}Type": entity.type,
        "CreationTime": entity.at,
        "LastModifiedTime": entity.at,
        "Source": source if kind == "Artifact" else {**source, "SourceType": "ARN"},
    }
    if entity.name:
        found[f"{kind}Name"] = entity.name
    return {**found, "Status": "Completed"} if kind == "Action" else found


def _list_associations(backend: Any, asked: dict[str, Any]) -> dict[str, Any]:
    graph = Graph(backend)
    found = []
    for each in graph.associations:
        summary: dict[str, Any] = {"AssociationType": each.type, "CreationTime": each.at}
        ends = {
            "Source": graph.entities[each.source],
            "Destination": graph.entities[each.destination],
        }
        for end, entity in ends.items():
            summary |= {f"{end}Arn": entity.arn, f"{end}Type": entity.type}
            if entity.name:
                summary[f"{end}Name"] = entity.name
        if (
            all(
                asked.get(f"{end}Arn", entity.arn) == entity.arn
                # The SDK asks for both: what the entity is, and what it is of.
                and asked.get(f"{end}Type", entity.type) in (entity.type, entity.lineage)
                for end, entity in ends.items()
            )
            and asked.get("AssociationType", each.type) == each.type
        ):
            found.append(summary)
    by = asked.get("SortBy", "CreationTime")
    return page("AssociationSummaries", _created(found, asked), asked, by)


def _query(backend: Any, asked: dict[str, Any]) -> dict[str, Any]:
    graph, starts = Graph(backend), asked.get("StartArns") or list(Graph(backend).entities)
    if unknown := [each for each in starts if each not in graph.entities]:
        raise ResourceNotFound(f"Lineage entity '{unknown[0]}' does not exist.")
    depth = asked.get("MaxDepth") or _DEPTH
    found, edges = graph.around(starts, asked.get("Direction", "Both"), depth)
    kept = [each for each in found if _wanted(each, asked.get("Filters") or {})]
    vertices = [{"Arn": each.arn, "Type": each.type, "LineageType": each.lineage} for each in kept]
    asked = {"MaxResults": _VERTICES, **asked, "SortOrder": "Ascending"}
    shown = [
        {"SourceArn": each.source, "DestinationArn": each.destination, "AssociationType": each.type}
        for each in edges
    ]
    return {
        "Edges": shown if asked.get("IncludeEdges", True) else [],
        **page("Vertices", vertices, asked),
    }


def _wanted(entity: Entity, filters: Mapping[str, Any]) -> bool:
    times = [{"at": entity.at}]
    return (
        entity.type in (filters.get("Types") or [entity.type])
        and entity.lineage in (filters.get("LineageTypes") or [entity.lineage])
        and bool(between(times, "at", filters.get("CreatedAfter"), filters.get("CreatedBefore")))
        and bool(between(times, "at", filters.get("ModifiedAfter"), filters.get("ModifiedBefore")))
        and (filters.get("Properties") or {}).items() <= entity.properties.items()
    )


def _list_components(backend: Any, asked: dict[str, Any]) -> dict[str, Any]:
    named = asked.get("TrialName")
    described = [
        each
        for each in components(backend)
        if named is None or named in [trial["TrialName"] for trial in each.get("Parents", ())]
    ]
    kept = (
        f"{_COMPONENT}Name", f"{_COMPONENT}Arn", "DisplayName", "Status", "StartTime", "EndTime",
        "CreationTime", "LastModifiedTime",
    )  # fmt: skip
    found = [
        {key: each[key] for key in kept if key in each}
        | ({f"{_COMPONENT}Source": each["Source"]} if "Source" in each else {})
        for each in described
        if asked.get("SourceArn") in (None, each.get("Source", {}).get("SourceArn"))
    ]
    by = f"{_COMPONENT}Name" if asked.get("SortBy") == "Name" else "CreationTime"
    return page(f"{_COMPONENT}Summaries", _created(found, asked), asked, by)


def components(backend: Any) -> Iterator[dict[str, Any]]:
    """Those of jobs, and those that somebody has made, as they are described."""
    yield from map(_component, Graph(backend).jobs.items())
    for each in backend.trial_components.values():
        trials = [{"TrialName": each.trial_name}] if each.trial_name else []
        yield {**_filled(each.response_object), "Parents": trials}


def _filled(described: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in described.items() if value not in (None, {}, [])}


def _describe_component(backend: Any, asked: dict[str, Any]) -> dict[str, Any]:
    name, graph = asked[f"{_COMPONENT}Name"], Graph(backend)
    if (found := graph.named(_COMPONENT, name)) is not None:
        return _component((found.arn, graph.jobs[found.arn]))
    made: dict[str, Any] = SageMakerModelBackend.describe_trial_component(
        backend, name.rpartition("/")[2]
    )  # which says where there is none
    return _filled(made)


def _component(item: tuple[str, Shown]) -> dict[str, Any]:
    """The trial component of a job, as it is described."""
    arn, job = item
    said, noun = job.response_object, job.kind.noun
    name = arn.rpartition("/")[2]
    found = {
        f"{_COMPONENT}Name": name,
        f"{_COMPONENT}Arn": arn,
        "DisplayName": name,
        "Source": {"SourceArn": job.arn, "SourceType": f"SageMaker{noun}"},
        "Status": {
            "PrimaryStatus": said[f"{noun}Status"],
            "Message": said.get("FailureReason") or f"Status: {said[f'{noun}Status']}",
        },
        "StartTime": said[job.kind.began],
        "EndTime": said.get(job.kind.ended),
        "CreationTime": said["CreationTime"],
        "LastModifiedTime": said.get("LastModifiedTime", said["CreationTime"]),
        "Parameters": {key: _value(x) for key, x in said.get("HyperParameters", {}).items()},
        "Metrics": [
            {"MetricName": each["MetricName"], "SourceArn": job.arn, "TimeStamp": each["Timestamp"]}
            | dict.fromkeys(("Max", "Min", "Last", "Avg"), each["Value"])
            | {"Count": 1, "StdDev": 0.0}
            for each in said.get("FinalMetricDataList", ())
        ],
    }
    return _filled(found)


def _value(text: str) -> dict[str, Any]:
    with suppress(ValueError):
        return {"NumberValue": float(text)}
    return {"StringValue": text}


def _created(found: list[dict[str, Any]], asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    return between(found, "CreationTime", asked.get("CreatedAfter"), asked.get("CreatedBefore"))
