"""SageMaker's Search, over what its describing operations say.

Source: SageMaker API reference, Search, SearchExpression, Filter. Moto searches what it keeps itself,
which is neither jobs nor executions.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from moto.sagemaker.exceptions import ValidationError

from mlops_iac.emulators.aws.answers import answer, page
from mlops_iac.emulators.aws.executions.jobs import TRAINING, TUNING
from mlops_iac.emulators.aws.lineage.mends import components

# Of the API reference: how many results a page has.
_MOST = 10
Described = Mapping[str, Any]
_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}


def install(executions: Callable[[Any], Iterator[Described]]) -> None:
    """Put it in moto's place. `executions` describes those of a backend. Once in a process, in order."""
    kept: Mapping[str, Callable[[Any], Iterator[Described]]] = {
        "PipelineExecution": executions,
        "ExperimentTrialComponent": components,
        "TrainingJob": lambda backend: map(_with_tags, getattr(backend, TRAINING.jobs).values()),
        "HyperParameterTuningJob": lambda backend: map(
            _with_tags, getattr(backend, TUNING.jobs).values()
        ),
        "Endpoint": lambda backend: map(_with_tags, backend.endpoints.values()),
        "Pipeline": lambda backend: map(_told, backend.pipelines.values()),
        "ModelPackage": lambda backend: map(_told, backend.model_packages.values()),
        "ModelPackageGroup": lambda backend: map(_told, backend.model_package_groups.values()),
        "Experiment": lambda backend: map(_told, backend.experiments.values()),
        "ExperimentTrial": lambda backend: map(_told, backend.trials.values()),
    }

    def search(backend: Any, asked: dict[str, Any]) -> dict[str, Any]:
        resource = asked["Resource"]
        if resource in ("Model", "ModelCard"):
            raise ValidationError(f"The emulated SageMaker does not search {resource}.")
        # Of the other kinds there is nothing here.
        described = kept.get(resource, lambda _: iter(()))(backend)
        expression = asked.get("SearchExpression") or {}
        found = [dict(each) for each in described if _matches(each, expression)]
        by = asked.get("SortBy") or "CreationTime"
        found.sort(key=lambda each: _sortable(next(_values(each, by), None)))
        if asked.get("SortOrder", "Descending") == "Descending":
            found.reverse()
        name = resource.removeprefix("Experiment") or resource
        paged = {"MaxResults": _MOST, **asked, "SortOrder": "Ascending"}
        return page("Results", [{name: each} for each in found], paged)

    answer("search", search)


def _with_tags(kept: Any) -> Described:
    return {**kept.response_object, "Tags": kept.tags}


def _told(kept: Any) -> Described:
    """What moto says of what it keeps, in the names of the API."""
    said = dict(kept.gen_response_object())
    kind = type(kept).__name__.removeprefix("Fake")
    return said | ({f"{kind}Arn": said.pop("Arn")} if "Arn" in said else {})


def _matches(described: Described, expression: Mapping[str, Any]) -> bool:
    if expression.get("NestedFilters"):
        raise ValidationError("The emulated SageMaker does not search by NestedFilters.")
    judged = [_keeps(described, each) for each in expression.get("Filters") or ()]
    judged += [_matches(described, each) for each in expression.get("SubExpressions") or ()]
    return not judged or (any if expression.get("Operator") == "Or" else all)(judged)


def _keeps(described: Described, asked: Mapping[str, str]) -> bool:
    found = list(_values(described, asked["Name"]))
    how, wanted = asked.get("Operator", "Equals"), asked.get("Value", "")
    match how:
        case "Exists" | "NotExists":
            return bool(found) == (how == "Exists")
        case "Equals" | "NotEquals":
            return (wanted in map(str, found)) == (how == "Equals")
        case "Contains":
            return any(wanted in str(each) for each in found)
        case "In":
            return any(str(each) in wanted.split(",") for each in found)
    return any(_COMPARED[how](_sortable(each), _sortable(_as(each, wanted))) for each in found)


def _values(described: Any, name: str) -> Iterator[Any]:
    """What stands at `InputDataConfig.DataSource`, in every member of a list, or below `Tags.owner`."""
    first, _, rest = name.partition(".")
    if isinstance(described, list):
        if described and "Key" in described[0]:
            yield from (each["Value"] for each in described if each["Key"] == name)
            return
        for each in described:
            yield from _values(each, name)
    elif isinstance(described, Mapping) and described.get(first) is not None:
        yield from _values(described[first], rest) if rest else [described[first]]


def _as(found: Any, wanted: str) -> Any:
    """The text of a filter as what it is compared with."""
    try:
        if isinstance(found, datetime):
            return datetime.fromisoformat(wanted).replace(tzinfo=None)
        return float(wanted) if isinstance(found, int | float) else wanted
    except ValueError as error:
        raise ValidationError(f"Invalid value {wanted} in the search expression: {error}") from None


def _sortable(value: Any) -> tuple[str, Any]:
    """What can be compared with whatever else stands there."""
    if isinstance(value, int | float):
        return "number", float(value)
    return type(value).__name__, "" if value is None else value
