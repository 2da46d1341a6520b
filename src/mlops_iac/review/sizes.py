"""What costs more after a step: more machines, larger ones, higher limits. No prices: those vary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mlops_iac.clouds.knowledge import Differing, Knowledge
from mlops_iac.graph.plan import Step


def costlier(knowledge: Knowledge, step: Step, values: Iterable[Differing]) -> Iterator[str]:
    """One sentence for each thing that grows. `values` are what the step changes."""
    if step.op == "create":
        yield from (f"new: {what}, always on" for what in knowledge.always_on(step))
        return
    for path, old, new in values:
        name = _last(path)
        if name in knowledge.machines and isinstance(new, str) and old != new:
            if not knowledge.smaller(str(old), new):
                yield f"{_short(path)}: {old} → {new}" if old else f"{_short(path)}: {new}"
        elif name in knowledge.counts and _more(old, new):
            yield f"{knowledge.counts[name]}: {_number(old)} → {_number(new)}"


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
