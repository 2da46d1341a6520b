"""Answers of SageMaker in the place of moto's, and the pages of those that list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from moto.core.responses import ActionResult
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.responses import SageMakerResponse

_MOST = 100
Answer = Callable[[Any, dict[str, Any]], dict[str, Any]]


def answer(name: str, give: Answer) -> None:
    """Let an operation (`list_models`) be answered by `give`: moto's backend, the request → the answer."""

    def respond(self: Any) -> Any:
        return ActionResult(give(self.sagemaker_backend, self._get_params()))

    setattr(SageMakerResponse, name, respond)


def between(found: list[dict[str, Any]], by: str, after: Any, before: Any) -> list[dict[str, Any]]:
    """Those whose time `by` lies between two, of which each may be missing."""
    after, before = (each and each.replace(tzinfo=None) for each in (after, before))
    return [
        each
        for each in found
        if by not in each or ((not after or each[by] > after) and (not before or each[by] < before))
    ]


def page(
    name: str, found: Iterable[dict[str, Any]], asked: Mapping[str, Any], by: str = ""
) -> dict[str, Any]:
    """One page, newest first unless somebody wants it otherwise."""
    listed = sorted(found, key=lambda each: each[by]) if by else list(found)
    if asked.get("SortOrder", "Descending") == "Descending":
        listed.reverse()
    start = str(asked.get("NextToken") or 0)
    if not start.isdigit():
        raise ValidationError("Invalid pagination token")
    first, count = int(start), int(asked.get("MaxResults") or _MOST)
    rest = len(listed) > first + count
    shown = [
        {key: value for key, value in each.items() if value is not None}
        for each in listed[first : first + count]
    ]
    return {name: shown, "NextToken": str(first + count) if rest else None}
