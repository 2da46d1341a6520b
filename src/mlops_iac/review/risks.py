"""What a step puts at risk: by what is known of its type, and by what its cloud's properties say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from mlops_iac.clouds import registry
from mlops_iac.clouds.knowledge import Differing, Knowledge, RiskKind, TypeFacts
from mlops_iac.graph.plan import Step
from mlops_iac.review.model import RISKS, Risk

_ORDER = tuple(RISKS)


def risks_of(step: Step, *, unguarded: bool = True) -> list[Risk]:
    """The risks of one step. `unguarded`: what it guards stays, so that it is missed."""
    address = step.address
    return list(dict.fromkeys(Risk(kind, address, words) for kind, words in _told(step, unguarded)))


def _told(step: Step, unguarded: bool) -> Iterator[tuple[RiskKind, str]]:
    facts = registry.facts_of(step.type)
    yield from _data(step, facts)
    yield from _downtime(step, facts)
    if unguarded and facts.guards and step.op == "delete" and not step.retained:
        kind: RiskKind = "network-opening" if facts.closes_network else "protection-removed"
        yield kind, f"removed: {facts.guards}"
    for change in step.changes:
        if change.path == "(options) protect" and change.old is True:
            yield "protection-removed", "it is no longer protected against deletion"
        elif change.path == "(options) retainOnDelete" and change.old is True:
            yield "protection-removed", "it is no longer kept when the stack goes"
    cloud = registry.cloud_of(step.type)
    if cloud is None:
        return
    values = [
        each for change in step.changes for each in _opened(change.path, change.old, change.new)
    ]
    yield from cloud.knowledge.risks(step, values)
    if step.op != "delete":
        for words in _costlier(cloud.knowledge, step, values):
            yield "cost", words


def refused(steps: Sequence[Step]) -> Iterator[tuple[Step, str]]:
    """The steps that a cloud will not do, and what to do instead, in words."""
    for cloud in registry.clouds():
        yield from cloud.knowledge.refused(steps)


def in_order(risks: Sequence[Risk]) -> list[Risk]:
    """The worst kinds first, each risk once."""
    return sorted(dict.fromkeys(risks), key=lambda risk: _ORDER.index(risk.kind))


def _data(step: Step, facts: TypeFacts) -> Iterator[tuple[RiskKind, str]]:
    if not facts.holds or step.op not in ("delete", "replace") or step.retained:
        return
    if facts.remade and step.op == "replace":
        return
    deed = "is deleted" if step.op == "delete" else "is replaced by an empty one"
    guard = "; it is protected, so the deployment will refuse" if step.protect else ""
    yield "data-loss", f"{facts.holds} {deed}{guard}"


def _downtime(step: Step, facts: TypeFacts) -> Iterator[tuple[RiskKind, str]]:
    if facts.answers and step.op == "delete":
        yield "downtime", f"{facts.answers} is deleted: nothing answers any more"
    elif facts.answers and step.op == "replace":
        yield "downtime", f"{facts.answers} is replaced: nothing answers until the new one is up"


def _opened(path: str, old: Any, new: Any) -> Iterator[Differing]:
    """Every scalar that differs; what comes or goes as a whole is opened."""
    if isinstance(old, Mapping) or isinstance(new, Mapping):
        before = old if isinstance(old, Mapping) else {}
        after = new if isinstance(new, Mapping) else {}
        for key in dict.fromkeys([*before, *after]):
            yield from _opened(f"{path}.{key}", before.get(key), after.get(key))
    elif isinstance(old, list) or isinstance(new, list):
        left, right = (value if isinstance(value, list) else [] for value in (old, new))
        for index in range(max(len(left), len(right))):
            yield from _opened(
                f"{path}[{index}]",
                left[index] if index < len(left) else None,
                right[index] if index < len(right) else None,
            )
    else:
        yield path, old, new


def _costlier(knowledge: Knowledge, step: Step, values: Iterable[Differing]) -> Iterator[str]:
    """What costs more, one sentence for each thing that grows. No prices: those vary.

    `values` are what the step changes.
    """
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
