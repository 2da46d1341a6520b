"""What AWS's own models refuse of the requests that a stack sends, told at the blueprint's line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mlops_iac.blueprint import ResolvedBlueprint
from mlops_iac.blueprint.words import join, split, suggestion
from mlops_iac.clouds.aws.sagemaker.parts import Request
from mlops_iac.clouds.aws.sagemaker.requests import requests
from mlops_iac.clouds.aws.sagemaker.scope import Scope
from mlops_iac.clouds.aws.service_model import request as input_of
from mlops_iac.clouds.base import Setting
from mlops_iac.emulators.aws.validation import ANYTHING, Broken, Path, broken, written
from mlops_iac.errors import Diagnostic
from mlops_iac.runtime import contract

CODE = "service-limit"
_PLACEHOLDER = r"\$\{[A-Za-z_][A-Za-z0-9_]*\}"
# In the pattern of every service's tags.
_TAG = r"\p{L}\p{Z}\p{N}_.:/=+\-@"
# What calls an entry of a list by a name.
_NAMES = ("Key", "TagKey", "Name", "InputName", "ChannelName", "VariantName")
# Where an entry of the blueprint is not one entry of the request, by section and member.
_COUNTED = {
    (
        "serving",
        "Alarms",
    ): "there is one per variant and limit: limit less, or make a second serving entry",
    (
        "models",
        "Environment",
    ): "each dataset check, window and gate counts as one: move some into the script",
}


# Requests that break nothing, oldest first.
_SOUND: dict[tuple[str, str], None] = {}
_MOST_SOUND = 1000


def check_requests(scope: Scope) -> list[Diagnostic]:
    """Of one environment that can be planned. One problem a place and rule: the narrowest limit."""
    found: dict[tuple[str, str], tuple[float, Diagnostic]] = {}
    for request in requests(scope):
        settings: dict[Path, str] = {}
        value = _known(request.value, (), settings)
        if (sent := (request.operation, repr(value))) in _SOUND:
            continue  # environments request much the same
        problems = list(broken(input_of(request.operation), value))
        if not problems:
            _SOUND[sent] = None
        while len(_SOUND) > _MOST_SOUND:
            del _SOUND[next(iter(_SOUND))]
        for each in problems:
            at = _place(scope.resolved, request, value, settings, each.path)
            narrow = each.allowed if each.rule == "max" else 0
            if narrow < found.get((at, each.rule), (float("inf"),))[0]:
                told = _told(scope.resolved, at, request.operation, value, each)
                found[at, each.rule] = (narrow, told)
    return [told for _, told in found.values()]


def _known(value: Any, path: Path, settings: dict[Path, str]) -> Any:
    """The value as it is sent; `settings` collects the places of those that know theirs."""
    match value:
        case Setting():
            settings[path] = value.path
            return _known(value.value, path, settings)
        case str():
            return ANYTHING if "${" in value and re.search(_PLACEHOLDER, value) else value
        case Mapping():
            if "Get" in value or "Std:Join" in value:
                return ANYTHING
            return {key: _known(item, (*path, key), settings) for key, item in value.items()}
        case list() | tuple():
            return [_known(item, (*path, index), settings) for index, item in enumerate(value)]
        case None | bool() | int() | float():
            return value
        case _:
            return ANYTHING


def _place(
    resolved: ResolvedBlueprint,
    request: Request,
    value: Any,
    settings: Mapping[Path, str],
    path: Path,
) -> str:
    """The blueprint path that gave what stands at `path` of a request."""
    for length in range(len(path), 0, -1):
        if path[:length] in settings:
            return settings[path[:length]]
    for index, part in enumerate(path):
        if part in request.places:
            entry = _entry(value, path, index)
            bases = request.places[str(part)]
            if entry.startswith(contract.PREFIX):
                bases, entry = request.places.get(entry, bases), ""
            candidates = [join(base, entry) for base in bases] if entry else []
            candidates += bases
            return next((each for each in candidates if resolved.is_written(each)), request.path)
    return request.path


def _entry(value: Any, path: Path, index: int) -> str:
    """What the entry that `path` leads through is called, below the member at `index`."""
    if len(path) == index + 1:
        return ""
    for part in path[: index + 1]:
        value = value[part]
    name = path[index + 1]
    if isinstance(name, str):
        return name
    entry = value[name] if isinstance(value[name], Mapping) else {}
    return next((str(entry[each]) for each in _NAMES if each in entry), "")


def _told(
    resolved: ResolvedBlueprint, at: str, operation: str, value: Any, each: Broken
) -> Diagnostic:
    words, hint = each.words, ""
    for part in each.path:
        value = value.get(part) if isinstance(value, Mapping) else value[part]
    match each.rule:
        case "enum":
            hint = suggestion(value, each.allowed)
        case "pattern" if _TAG in each.allowed:
            hint = "letters, digits, spaces and _ . : / = + - @"
        case "max" if isinstance(value, list | dict):
            others = len(value) - _entries(resolved, at)
            hint = f"write {each.allowed - others} at most"
            member = at.partition(".")[0], str(each.path[-1])
            if others > 0 and (counted := _COUNTED.get(member)):
                hint = counted
            elif others > 0:
                words += f", {others} of them not written here"
        case "max":
            hint = "shorten it" if isinstance(value, str) else f"write {each.allowed} or less"
        case "min" if not isinstance(value, list | dict | str):
            hint = f"write {each.allowed} or more"
    said = f"{at}: {words} ({operation}: {written(each.path)})"
    return resolved.diagnostic(at, CODE, said, hint)


def _entries(resolved: ResolvedBlueprint, at: str) -> int:
    """How many entries the blueprint itself has there."""
    leaves, depth = resolved.leaves(), len(split(at))
    if isinstance(leaves.get(at), tuple):
        return len(leaves[at])
    return len({split(path)[depth] for path in leaves if path.startswith(f"{at}.")})
