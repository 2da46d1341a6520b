"""Steps as they happen: collected for the result, told as events, timed."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from mlops_iac.emulators.provider import ProviderError
from mlops_iac.engine.embedded.planner import Decision
from mlops_iac.engine.embedded.state import Entry
from mlops_iac.engine.protocol import Event, OnEvent, Operation, Step
from mlops_iac.errors import MlopsError
from mlops_iac.values import Value, secret_texts


def make_step(
    op: Operation, entry: Entry, old: Entry | None, decision: Decision | None = None
) -> Step:
    """A step on `entry`; `old` is what the state held."""
    return Step(
        op=op,
        urn=entry.urn,
        type=entry.type,
        name=entry.name,
        custom=entry.custom,
        changes=tuple(decision.changes) if decision else (),
        replace_keys=tuple(decision.replace_keys) if decision else (),
        old_inputs=old.inputs if old else {},
        new_inputs=entry.inputs,
        old_outputs=old.outputs if old else {},
        id=entry.id or (old.id if old else ""),
        provider=entry.provider,
        parent=entry.parent,
        dependencies=tuple(entry.dependencies),
        protect=entry.protect,
        delete_before_replace=decision.delete_before_replace if decision else False,
        recorded=entry.recorded,
        reason=decision.reason if decision else "",
    )


def redacted(message: str, *properties: Value) -> str:
    """What a provider says of `properties`, without their secrets."""
    from mlops_iac.graph.redact import redact_text

    return redact_text(message, [text for each in properties for text in secret_texts(each)])


class StepLog:
    """What one run did. Called from several threads; `on_event` is called by one at a time."""

    def __init__(self, on_event: OnEvent | None = None) -> None:
        self._on_event = on_event
        self._lock = threading.RLock()
        self._groups: dict[str, list[Step]] = {}
        self._tail: list[Step] = []
        self.failures: dict[str, str] = {}
        self.skips: list[str] = []

    def _tell(self, event: Event) -> None:
        if self._on_event is not None:
            with self._lock:
                self._on_event(event)

    def note(self, message: str) -> None:
        """Something to tell that is no step."""
        self._tell(Event("note", message=message))

    def done(self, group: str, step: Step, seconds: float = 0.0) -> None:
        """A step is done; steps of one registration stay together under its URN."""
        with self._lock:
            self._groups.setdefault(group, []).append(step)
        self._tell(Event("done", step, seconds=seconds))

    def skipped(self, urn: str) -> None:
        """A resource was not begun, because something else failed before."""
        with self._lock:
            self.skips.append(urn)
        self._tell(Event("skipped", message=urn))

    def fail(self, urn: str, message: str, step: Step | None = None) -> None:
        """A resource failed; the first reason counts."""
        with self._lock:
            self.failures.setdefault(urn, message)
        if step is not None:
            self._tell(Event("failed", step, message))

    @contextlib.contextmanager
    def running(self, group: str, step: Step) -> Iterator[Callable[[Step], None]]:
        """Tell start and end of an operation. Whatever it raises fails the resource."""
        self._tell(Event("start", step))
        begun = time.monotonic()

        def done(final: Step) -> None:
            self.done(group, final, time.monotonic() - begun)

        try:
            yield done
        except ProviderError as error:
            message = redacted(error.message, step.new_inputs, step.old_inputs, step.old_outputs)
            self.fail(step.urn, message, step)
            raise
        except MlopsError as error:
            # The state cannot be kept: that ends the whole run, not this resource.
            self._tell(Event("failed", step, error.message))
            raise
        except AssertionError:
            raise
        except Exception as error:
            # The operation stays pending: the next command asks the provider what became of it.
            message = f"{type(error).__name__}: {redacted(str(error), step.new_inputs)}"
            self.fail(step.urn, message, step)
            raise ProviderError(message) from error

    def ordered(self, urns: Sequence[str]) -> list[Step]:
        """All steps: registrations in the order of `urns`, then what was removed."""
        known = [urn for urn in urns if urn in self._groups]
        rest = [urn for urn in self._groups if urn not in set(known)]
        return [step for urn in [*known, *rest] for step in self._groups[urn]]
