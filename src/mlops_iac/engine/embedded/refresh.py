"""Takes over what the cloud says: what vanished leaves the state, what drifted is written back.

Only inputs that the user had set are written back, whole top-level properties at a time, and only
where the provider's own comparison sees a difference: defaults of the server are no drift.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from mlops_iac.emulators.provider import Provider, ProviderError, ResourceState
from mlops_iac.engine.embedded import paths
from mlops_iac.engine.embedded.checkpoint import now
from mlops_iac.engine.embedded.executor import completed
from mlops_iac.engine.embedded.marks import mark_like
from mlops_iac.engine.embedded.providers import Providers
from mlops_iac.engine.embedded.state import Entry, Mutation
from mlops_iac.engine.embedded.steps import StepLog, make_step, redacted
from mlops_iac.engine.embedded.store import Store
from mlops_iac.engine.protocol import PropertyChange, Step
from mlops_iac.values import Properties, reveal


def refresh(store: Store, providers: Providers, log: StepLog, parallel: int = 8) -> list[Step]:
    """Read everything, change the state, return a step for each resource that was read."""
    entries = [
        (key, entry)
        for key, entry in sorted(store.snapshot.live())
        if entry.managed and not entry.pending_replacement
    ]
    steps: list[Step] = []

    def read(item: tuple[str, Entry]) -> tuple[Step | None, Mutation]:
        key, entry = item
        provider = providers.of(entry.type, entry.provider)
        try:
            actual = provider.read(entry.type, entry.id, entry.resource_state())
        except ProviderError as error:
            log.fail(entry.urn, redacted(error.message, entry.inputs, entry.outputs))
            return None, Mutation()
        return _compare(key, entry, actual, provider)

    with ThreadPoolExecutor(parallel, "read") as pool:
        for step, mutation in pool.map(read, entries):
            store.note(mutation)
            if step is not None:
                steps.append(step)
                log.done(step.urn, step)
    return steps


def _compare(
    key: str, entry: Entry, actual: ResourceState | None, provider: Provider
) -> tuple[Step, Mutation]:
    if actual is None:
        gone = make_step("delete", entry, entry)
        return replace(gone, new_inputs={}, reason="it vanished"), Mutation(drop=[key])
    user = reveal(entry.inputs)
    diff = provider.diff(entry.type, actual.id, dict(actual.inputs), dict(actual.outputs), user, ())
    inputs = dict(entry.inputs)
    changes = []
    for path, item in diff.detailed.items():
        segments = paths.parse(path)
        head = str(segments[0])
        if head not in user:
            continue
        if head in actual.inputs:
            inputs[head] = mark_like(actual.inputs[head], entry.inputs[head])
        else:
            inputs.pop(head, None)
        changes.append(
            PropertyChange(
                path,
                {"add": "delete", "delete": "add", "update": "update"}[item.kind],  # type: ignore[arg-type]
                paths.get(dict(entry.inputs), segments),
                paths.get(inputs, segments),
                item.replaces,
                item.source,
            )
        )
    if diff.differs and not changes:
        changes = _moved(reveal(entry.outputs), actual.outputs)
    if not changes and actual.outputs == reveal(entry.outputs):
        return make_step("same", entry, entry), Mutation()
    drifted = replace(
        completed(replace(entry, inputs=inputs), actual), created=entry.created, modified=now()
    )
    if not changes:
        return make_step("same", drifted, entry), Mutation(put={key: drifted})
    step = replace(
        make_step("refresh", drifted, entry), changes=tuple(changes), reason="it drifted"
    )
    return step, Mutation(put={key: drifted})


def _moved(old: Properties, new: Properties) -> list[PropertyChange]:
    """The outputs that differ, where a provider says that something does and no input tells what."""
    return [
        PropertyChange(
            key,
            "add" if key not in old else "delete" if key not in new else "update",
            old.get(key),
            new.get(key),
        )
        for key in {**old, **new}
        if old.get(key) != new.get(key)
    ]
