"""What costs more after a step: more machines, larger ones, higher limits. No prices: those vary."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from mlops_iac.graph.plan import Step

_MACHINE = ("instanceType", "instanceClass", "nodeType", "vmSize", "machineType")
_COUNTS = {
    "initialInstanceCount": "instances at the start",
    "instanceCount": "instances",
    "desiredCount": "tasks",
    "nodeCount": "nodes",
    "numberOfNodes": "nodes",
    "shardCount": "shards",
    "minCapacity": "instances at least",
    "maxCapacity": "instances at most",
    "volumeSizeInGb": "GB of disk",
    "volumeSizeInGB": "GB of disk",
    "allocatedStorage": "GB of disk",
    "memorySize": "MB of memory",
    "readCapacity": "read capacity",
    "writeCapacity": "write capacity",
    "limitAmount": "the budget's limit",
}
_SIZE = re.compile(r"(?P<family>[\w.]*?\.?[a-z]\w*)\.(?P<times>\d*)(?P<size>[a-z]+)\Z")
_ORDER = ("nano", "micro", "small", "medium", "large", "xlarge")
# What runs, and is paid for, from the moment it is there.
_ALWAYS_ON = ("aws:sagemaker/endpointConfiguration:EndpointConfiguration",)


def costlier(step: Step, values: Iterable[tuple[str, Any, Any]]) -> Iterator[str]:
    """One sentence for each thing that grows. `values` are the step's (path, old, new)."""
    if step.op == "create":
        if step.type in _ALWAYS_ON:
            for variant in step.new_inputs.get("productionVariants") or ():
                count = variant.get("initialInstanceCount", 1)
                yield f"new: {count} × {variant.get('instanceType')}, always on"
        return
    for path, old, new in values:
        name = _last(path)
        if name in _MACHINE and isinstance(new, str) and old != new and not _smaller(old, new):
            yield f"{_short(path)}: {old} → {new}" if old else f"{_short(path)}: {new}"
        elif name == "enableManagedSpotTraining" and old is True and new is not True:
            yield "training no longer runs on spare capacity"
        elif name in _COUNTS and _more(old, new):
            yield f"{_COUNTS[name]}: {_number(old)} → {_number(new)}"


def _last(path: str) -> str:
    """The last name, in the spelling of providers: pipelines write `InstanceType`."""
    name = path.rsplit(".", 1)[-1].split("[", 1)[0]
    return name[:1].lower() + name[1:]


def _short(path: str) -> str:
    return ".".join(path.split(".")[-2:]) if path.count(".") > 3 else path


def _more(old: Any, new: Any) -> bool:
    try:
        return float(new) > float(0 if old is None else old)
    except (TypeError, ValueError):
        return False


def _number(value: Any) -> str:
    return "none" if value is None else f"{float(value):g}"


def _smaller(old: Any, new: str) -> bool:
    """Whether `new` is a smaller machine of the same family."""
    left, right = _SIZE.match(str(old)), _SIZE.match(new)
    if not left or not right or left["family"] != right["family"]:
        return False
    return _rank(right) < _rank(left)


def _rank(match: re.Match[str]) -> tuple[int, int]:
    size = match["size"]
    return (_ORDER.index(size) if size in _ORDER else len(_ORDER), int(match["times"] or 1))
