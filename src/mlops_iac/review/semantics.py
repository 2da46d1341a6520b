"""Steps → what a reviewer is shown of them: causes, what pulls them along, risks, noise."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256

from mlops_iac.clouds import registry
from mlops_iac.graph.model import REFERENCE, STACK_TYPE
from mlops_iac.graph.plan import Step
from mlops_iac.review.model import Cause, ReviewedStep, Risk
from mlops_iac.review.noise import noise
from mlops_iac.review.risks import in_order, refused, risks_of
from mlops_iac.review.saved import to_data
from mlops_iac.values import Unknown, Value, leaves

# A dependant looks at these again: what they compute is new afterwards.
_NEW = ("create", "replace", "delete")


def reviewed(
    steps: Sequence[Step],
    causes: Mapping[str, Sequence[Cause]],
    *,
    same_content: bool = False,
) -> list[ReviewedStep]:
    """Steps in their order with everything a reviewer needs.

    `causes` by URN; a step that only follows from another one and has none of its own gets that
    other one as cause. `same_content`: both sides were made from the same files.
    """
    operations = {step.urn: step.op for step in steps}
    renewed = {step.address for step in steps if step.op in _NEW}
    by_urn = {step.urn: step.address for step in steps}
    # Nobody misses the alarms of an endpoint that is gone.
    silent = {
        str(step.old_inputs.get("name"))
        for step in steps
        if step.op == "delete" and registry.facts_of(step.type).endpoint
    }
    refusals = {step.urn: words for step, words in refused(steps)}
    found = []
    for step in steps:
        if step.op == "same":
            found.append(ReviewedStep(step))
            continue
        follows = _follows(step, renewed, by_urn, operations)
        own = tuple(causes.get(step.urn, ()))
        if not own:
            own = tuple(Cause(address, kind="follows") for address in follows)
        found.append(
            ReviewedStep(
                step,
                causes=own,
                follows=follows,
                risks=(*_risks(step, operations, silent), *_refusal(step, refusals)),
                noise=noise(step, same_content=same_content),
            )
        )
    return found


def all_risks(steps: Sequence[ReviewedStep]) -> list[Risk]:
    """The risks of all steps, the worst kinds first."""
    return in_order([risk for step in steps for risk in step.risks])


def unknown_outputs(outputs: Mapping[str, Value], steps: Sequence[Step]) -> list[str]:
    """Stack outputs that are known only after the deployment."""
    renewed = {step.address for step in steps if step.op in ("create", "replace")}
    return [name for name, value in outputs.items() if _awaits(value, renewed)]


def plan_hash(steps: Sequence[ReviewedStep]) -> str:
    """A digest of every operation with its inputs, secrets left out; equal for equal changes."""
    whole = sha256()
    for item in steps:
        if item.step.op != "same":
            data = to_data(item.step)
            whole.update(json.dumps(data, sort_keys=True, ensure_ascii=False).encode() + b"\n")
    return whole.hexdigest()


def _risks(step: Step, operations: Mapping[str, str], silent: set[str]) -> list[Risk]:
    if not step.custom:
        return []
    goes = any(operations.get(urn) == "delete" for urn in step.dependencies)
    cloud = registry.cloud_of(step.type)
    watched = cloud.knowledge.watches(step) if cloud else ""
    return risks_of(step, unguarded=not goes and watched not in silent)


def _refusal(step: Step, refusals: Mapping[str, str]) -> Iterator[Risk]:
    if words := refusals.get(step.urn):
        yield Risk("refused", step.address, words)


def _follows(
    step: Step, renewed: set[str], by_urn: Mapping[str, str], operations: Mapping[str, str]
) -> tuple[str, ...]:
    if step.op not in ("update", "replace") or step.type == STACK_TYPE:
        return ()
    found: dict[str, None] = {}
    for change in step.changes:
        for text in leaves(change.new):
            if isinstance(text, str):
                found.update((a, None) for a in REFERENCE.findall(text) if a in renewed)
        if isinstance(change.new, Unknown):
            found.update(
                (by_urn[urn], None) for urn in step.dependencies if operations.get(urn) in _NEW
            )
    return tuple(found)


def _awaits(value: Value, renewed: set[str]) -> bool:
    return any(
        isinstance(leaf, Unknown)
        or (isinstance(leaf, str) and not renewed.isdisjoint(REFERENCE.findall(leaf)))
        for leaf in leaves(value)
    )
