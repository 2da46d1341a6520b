"""What a serving entry lacks until it answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlops_iac.api.status.models import ModelState
    from mlops_iac.clouds.operations import Entry

_RUNS = {
    "registered": "no version of {} is approved",
    "gate-failed": "{} has no version yet, its last run missed a gate",
    "failed": "{} has no version yet, its last run failed",
    "stopped": "{} has no version yet, its last run was stopped",
    "running": "{} has no version yet, a run goes on",
}


def missing_of(entry: Entry, models: Sequence[ModelState]) -> str:
    """What an entry lacks, in words; empty where it answers, and where nobody said how it stands.

    `models` are those of the stack, as far as somebody was asked.
    """
    if entry.waits_for:
        known = {each.name: each for each in models}
        return "; ".join(_version(name, known.get(name)) for name in entry.waits_for)
    if entry.serves or not entry.state:
        return ""
    return entry.trouble or f"its endpoint is {entry.state}"


def _version(name: str, model: ModelState | None) -> str:
    if model is None:
        return f"no version of {name} is approved"
    if model.approved:
        return f"{name}/{model.approved} is approved and not deployed yet"
    if model.waiting:
        return f"{name}/{model.waiting[0].version} waits for approval"
    ended = model.last_run.status if model.last_run is not None else ""
    return _RUNS.get(ended, "{} has no version yet").format(name)
