"""What comes next for a stack, as commands that can be typed as they stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.clouds.operations import MISSING, ROLLED_BACK

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.api.status.models import ModelState
    from mlops_iac.clouds.operations import Entry


def next_commands(
    project: BaseProject,
    stack: str,
    *,
    deployed: bool,
    half_made: bool = False,
    entries: Sequence[Entry],
    models: Sequence[ModelState],
) -> list[str]:
    """Return the commands that bring a stack on, in the order in which they would be run.

    `half_made` says that its first `up` did not come to its end.
    """
    of = "" if stack == LOCAL else f" -s {stack}"
    record = getattr(project, "record", None)  # that of an ephemeral stack
    up = f"mlops-iac up{of}" + (f" --from {record.base}" if record is not None else "")
    if not deployed:
        return [up]
    steps = [
        f"mlops-iac models reject{of} {version.replace('/', ' ')}"
        for entry in entries
        if entry.rollout is not None and entry.rollout.state == ROLLED_BACK
        for version in entry.rollout.versions
        # Else the next `up` tries it again.
        if any(version == f"{model.name}/{model.approved}" for model in models)
        and not any(version == f"{each.model}/{each.version}" for each in entry.variants)
    ]
    for model in models:
        steps += _of_model(
            model, of, entries, here=project.emulates(stack), several=len(models) > 1
        )
    serves_another = any(_behind(entry, models, project, stack) for entry in entries)
    if any(entry.state == MISSING for entry in entries):
        steps, serves_another = [f"mlops-iac refresh{of}"], True
    return [*dict.fromkeys([*steps, *([up] if serves_another or half_made else [])])]


def _of_model(
    model: ModelState, of: str, entries: Sequence[Entry], *, here: bool, several: bool
) -> Iterator[str]:
    newer = [each for each in model.waiting if int(each.version) > int(model.approved or 0)]
    if newer:
        yield f"mlops-iac models approve{of} {model.name} {newer[0].version}"
        return
    ended = model.last_run.status if model.last_run is not None else "none"
    served = any(model.name == each.model for entry in entries for each in entry.variants)
    if here and (
        ended in ("gate-failed", "failed", "stopped")
        or (ended == "none" and not model.approved and not served)
    ):
        name = f" {model.name}" if several else ""
        # A run whose process was killed shows the step that it was at as failed, too.
        again = model.last_run is not None and ended != "gate-failed" and model.last_run.step
        yield f"mlops-iac run{of}{name}{f' --from {again}' if again else ''}"


def _behind(entry: Entry, models: Sequence[ModelState], project: BaseProject, stack: str) -> bool:
    """Whether `up` would let an entry serve an approved version that it does not serve yet."""
    approved = {model.name: model.approved for model in models if model.approved}
    if not approved:
        return False
    if not entry.endpoint:
        return bool(entry.waits_for) and all(name in approved for name in entry.waits_for)
    pins = project.resolve(stack).blueprint.models
    return any(
        each.version and int(approved.get(each.model) or 0) > int(each.version)
        for each in entry.variants
        if each.model in pins and pins[each.model].version is None
    )
