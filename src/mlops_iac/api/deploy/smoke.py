"""Whether endpoints answer as their versions did before they were registered."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mlops_iac.api.deploy.places import session
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.clouds.operations import ModelRefused
from mlops_iac.clouds.questions import Questions
from mlops_iac.records import Record
from mlops_iac.runtime.examples import alike

if TYPE_CHECKING:
    from mlops_iac.api.deploy.deployments import Deployment
    from mlops_iac.clouds.access import Session
    from mlops_iac.clouds.operations import Operations, Variant
    from mlops_iac.graph.model import Resource
    from mlops_iac.graph.plan import Step

_JSON = "application/json"


class Smoke(Record):
    """What the endpoints said that were asked, in sentences without a row in them.

    `wrong` says which does not answer as its version did, `notes` what could not be asked; `asked`
    names those that answer alike.
    """

    asked: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def smoke(deployment: Deployment, steps: Iterable[Step]) -> Smoke:
    """Send the examples of each version to the endpoints that `steps` have changed.

    A version that nobody asked before it was registered has none, and a shadow answers nobody.
    """
    project, stack = deployment.project, deployment.stack
    changed = {step.urn for step in steps if step.op != "same"}
    resources = list(deployment.resources())
    endpoints = {
        name: each
        for name, each in project.operations.endpoints(resources).items()
        if each.urn in changed and not each.recorded
    }
    if not endpoints:
        return Smoke()
    of = "" if stack == LOCAL else f" -s {stack}"
    there = session(project, stack, region=deployment.region)
    questions = Questions(project.access, there, stack, of)
    registry = project.operations.registry(there)
    ids = {(each.group, each.version): each.id for each in project.operations.served(resources)}
    asked, wrong = [], []
    for name, endpoint in endpoints.items():
        entry = project.operations.entry(name, endpoint, questions, {})
        for variant, id_ in _versions(entry.variants, ids):
            called = f"{name}, variant {variant.name}" if len(entry.variants) > 1 else name
            kept = questions.ask(
                f"the examples of {variant.model}/{variant.version}",
                lambda id_=id_: registry.examples(registry.describe(id_)),  # type: ignore[misc]
            )
            if not kept or not kept.get("rows") or not isinstance(kept.get("predictions"), list):
                continue
            said = questions.ask(
                f"whether {called} answers",
                lambda e=endpoint, v=variant, k=kept: _answer(project.operations, e, there, v, k),  # type: ignore[misc]
            )
            if said is None:
                continue
            if differs := _difference(kept, said):
                wrong.append(f"{called} does not answer as {variant.version} did: {differs}")
            else:
                asked.append(called)
    return Smoke(tuple(asked), tuple(wrong), tuple(questions.notes))


def _versions(
    variants: Iterable[Variant], ids: Mapping[tuple[str, str], str]
) -> Iterator[tuple[Variant, str]]:
    for each in variants:
        id_ = ids.get((each.model, each.version))
        if id_ is not None and not each.shadow:
            yield each, id_


def _answer(
    operations: Operations,
    endpoint: Resource,
    there: Session,
    variant: Variant,
    kept: Mapping[str, Any],
) -> tuple[list[Any] | None, str]:
    """The predictions, or why there are none, in the words of whoever answered."""
    body = json.dumps({"instances": kept["rows"]}).encode()
    try:
        answer = operations.invoke(endpoint, there, body, _JSON, variant=variant.name)
    except ModelRefused as error:
        return None, " ".join(str(error).split())
    try:
        found = json.loads(answer.body)["predictions"]
    except (ValueError, KeyError, TypeError):
        return None, "its answer has no predictions"
    return (found, "") if isinstance(found, list) else (None, "its answer has no predictions")


def _difference(kept: Mapping[str, Any], said: tuple[list[Any] | None, str]) -> str:
    """How an answer differs from what was kept; empty where it does not."""
    found, words = said
    if found is None:
        return words
    expected = kept["predictions"]
    if len(found) != len(expected):
        return f"{len(found)} predictions for {len(expected)} rows"
    if not kept.get("repeatable"):
        return ""  # drawn anew each time, so that only their number can be compared
    pairs = enumerate(zip(found, expected, strict=True), 1)
    rows = [(row, ours, theirs) for row, (ours, theirs) in pairs if not alike(ours, theirs)]
    if not rows:
        return ""
    row, ours, theirs = rows[0]
    more = f", and {len(rows) - 1} more of {len(expected)} rows" if len(rows) > 1 else ""
    return f"{_short(ours)} instead of {_short(theirs)} for example row {row}{more}"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
