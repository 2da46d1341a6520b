"""What references in a definition stand for once the steps that they read have run."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from mlops_iac.errors import ResourceFailed, UsageError

_TOKEN = re.compile(r"\.?([A-Za-z_][A-Za-z0-9_-]*)|\['([^']+)'\]|\[(\d+)\]")
_COMPARISONS: Mapping[str, tuple[Callable[[Any, Any], bool], str]] = {
    "GreaterThanOrEqualTo": (operator.ge, "at least"),
    "LessThanOrEqualTo": (operator.le, "at most"),
    "GreaterThan": (operator.gt, "above"),
    "LessThan": (operator.lt, "below"),
    "Equals": (operator.eq, "equal to"),
}


class Values:
    """Execution variables, parameters and the properties of the steps that have run."""

    def __init__(self, execution: Mapping[str, str], parameters: Mapping[str, Any]) -> None:
        self._execution = execution
        self._parameters = parameters
        self.steps: dict[str, Mapping[str, Any]] = {}

    def resolve(self, value: Any) -> Any:
        """`value` with every reference and function replaced by what it stands for."""
        if isinstance(value, Mapping):
            match dict(value):
                case {"Get": str(reference), **rest} if not rest:
                    return self._get(reference)
                case {"Std:Join": {"On": str(on), "Values": list(parts)}, **rest} if not rest:
                    return on.join(str(self.resolve(part)) for part in parts)
                case {"Std:JsonGet": {"PropertyFile": file, "Path": str(path)}, **rest} if not rest:
                    return self._json(file, path)
            return {key: self.resolve(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        return value

    def missed(self, condition: Mapping[str, Any]) -> str | None:
        """Why a condition does not hold, as a sentence, or None where it does."""
        comparison = _COMPARISONS.get(condition["Type"])
        if comparison is None:
            raise UsageError(
                f"a local run does not know the condition {condition['Type']}",
                hint=f"known: {', '.join(_COMPARISONS)}",
            )
        holds, words = comparison
        left, right = self.resolve(condition["LeftValue"]), self.resolve(condition["RightValue"])
        if holds(left, right):
            return None
        return (
            f"{_name(condition['LeftValue'])} is {_number(left)}, must be {words} {_number(right)}"
        )

    def _get(self, reference: str) -> Any:
        kind, _, rest = reference.partition(".")
        if kind == "Execution" and rest in self._execution:
            return self._execution[rest]
        if kind == "Parameters" and rest in self._parameters:
            return self._parameters[rest]
        step, _, path = rest.partition(".")
        if kind == "Steps" and step in self.steps:
            return _walk(self.steps[step], path, reference)
        raise UsageError(f"a local run has no value for {reference}")

    def _json(self, file: Any, path: str) -> Any:
        reference = file["Get"] if isinstance(file, Mapping) else file
        content = self._get(reference)
        try:
            return _walk(content, path, reference)
        except UsageError:
            raise ResourceFailed(f"the report has no {path.removeprefix('metrics.')}") from None


def _walk(value: Any, path: str, reference: str) -> Any:
    for match in _TOKEN.finditer(path):
        key: Any = match[1] or match[2] or int(match[3])
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            raise UsageError(f"a local run has no value for {reference}: no {key}") from None
    return value


def _name(left: Any) -> str:
    match left:
        case {"Std:JsonGet": {"Path": str(path)}}:
            return path.removeprefix("metrics.")
        case {"Get": str(reference)}:
            return reference
        case _:
            return str(left)


def _number(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
