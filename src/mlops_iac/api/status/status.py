"""What is deployed and serves, what is only recorded, and what comes next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from mlops_iac.api.deploy.places import deployer_session
from mlops_iac.api.deploy.served_versions import output_name
from mlops_iac.api.models.running_versions import groups_of
from mlops_iac.api.status.missing import missing_of
from mlops_iac.api.status.models import ModelState, last_run, models
from mlops_iac.api.status.next_commands import next_commands
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.blueprint.sections.serving import Batch, RealTime
from mlops_iac.clouds.operations import AlarmState, Entry
from mlops_iac.clouds.questions import Questions
from mlops_iac.errors import MlopsError, StackNotFound
from mlops_iac.graph.model import Resource
from mlops_iac.values import Properties

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.api.deploy.deployments import Deployment
    from mlops_iac.engine.protocol import Result


@dataclass(frozen=True, slots=True)
class Row:
    """One resource that the state holds. `parent` is its component's URN; `recorded`: not emulated."""

    address: str
    type: str
    id: str
    parent: str
    protect: bool
    recorded: bool


@dataclass(frozen=True, slots=True)
class Status:
    """A stack as it stands. `pending` names what waits for a first approved version.

    `notes` say what is not as it was asked for, and what could not be asked. `next` are commands,
    the first of them first; none where nothing is left to do.
    """

    project: str
    stack: str
    rows: Sequence[Row]
    pending: Sequence[str]
    notes: Sequence[str]
    entries: Sequence[Entry] = ()
    models: Sequence[ModelState] = ()
    alarms: Sequence[AlarmState] = ()
    next: Sequence[str] = ()

    @property
    def headline(self) -> str:
        """One line: how much stands."""
        if not self.rows:
            return "nothing is deployed"
        recorded = sum(row.recorded for row in self.rows)
        words = f"{len(self.rows)} resources"
        return f"{words}, {recorded} of them recorded, not emulated" if recorded else words

    def by_component(self) -> Mapping[str, list[Row]]:
        """Return the rows by the URN of their component."""
        groups: dict[str, list[Row]] = {}
        for row in self.rows:
            groups.setdefault(row.parent, []).append(row)
        return groups

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON: docs/running.md says what stands where."""
        return {
            "project": self.project,
            "stack": self.stack,
            "entries": [asdict(entry) for entry in self.entries],
            "models": [asdict(model) for model in self.models],
            "alarms": [asdict(alarm) for alarm in self.alarms],
            "next": list(self.next),
            "resources": [asdict(row) for row in self.rows],
            "pending": list(self.pending),
            "notes": list(self.notes),
        }


def status(deployment: Deployment) -> Status:
    """Return what the state of a stack holds, and what its cloud says of that.

    What cannot be asked is told in the notes. Raises what the backend of a real stack says.
    """
    project, stack = deployment.project, deployment.stack
    resources = deployment.resources()
    outputs = deployment.outputs()
    notes = list(deployment.notes())
    questions = _questions(project, stack, deployment, resources)
    made = [each for each in resources if each.in_cloud]
    rows = [
        Row(
            address=item.address,
            type=item.type,
            id=item.id,
            parent=item.parent,
            protect=item.protect,
            recorded=item.recorded,
        )
        for item in made
    ]
    declared = _declared(project, stack)
    names, groups = declared or ([], {})
    waits = {name: outputs.get(f"{output_name(name)}_pending") or () for name in names}
    trained = models(project, stack, outputs, questions) if rows and declared else []
    standing = _entries(project, names, made, waits, questions, groups)
    if rows and declared:
        standing = [_batch(project, stack, each, outputs, questions, trained) for each in standing]
    known = trained if questions is not None else ()
    standing = [replace(each, missing=missing_of(each, known)) for each in standing]
    watched = project.operations.alarms(made, questions)
    # The end of an `up` writes the outputs, and every stack has some.
    half_made = bool(rows) and not outputs
    if half_made:
        notes.append("the first `up` did not come to its end: a part of it stands")
    notes += [
        f"{each.name}: {each.trouble}"
        for each in standing
        if each.trouble and (each.rollout is None or each.rollout.why != each.trouble)
    ]
    notes += questions.notes if questions is not None else []
    return Status(
        project.name,
        stack,
        rows,
        pending_names(outputs),
        notes,
        standing,
        trained,
        watched,
        next_commands(
            project,
            stack,
            # What was deployed to an emulated cloud that is gone is deployed anew.
            deployed=bool(rows) and (not project.emulates(stack) or questions is not None),
            half_made=half_made,
            entries=standing,
            models=trained,
        ),
    )


def _entries(
    project: BaseProject,
    names: Iterable[str],
    resources: Sequence[Resource],
    waiting: Mapping[str, Sequence[str]],
    questions: Questions | None,
    groups: Mapping[str, str],
) -> list[Entry]:
    """The entries of the blueprint, and those that stand without being in it any more.

    `waiting` maps entries to models without an approved version.
    """
    standing = project.operations.endpoints(resources)
    return [
        project.operations.entry(name, standing[name], questions, groups)
        if name in standing
        else Entry(name, waits_for=tuple(waiting.get(name, ())))
        for name in dict.fromkeys([*names, *standing])
    ]


def _batch(
    project: BaseProject,
    stack: str,
    entry: Entry,
    outputs: Properties,
    questions: Questions | None,
    trained: Sequence[ModelState],
) -> Entry:
    """A batch entry with its pipeline; any other as it is."""
    section = project.resolve(stack).blueprint.serving.get(entry.name)
    pipeline = str(outputs.get(f"{output_name(entry.name)}_pipeline") or "")
    if not isinstance(section, Batch) or not pipeline:
        return entry
    last = last_run(project, pipeline, questions)
    if last is not None and last.status == "registered":  # what a training's success is
        last = replace(last, status="published")
    waits = [each.name for each in trained if each.name == section.model and not each.approved]
    return replace(entry, pipeline=pipeline, last_run=last, waits_for=tuple(waits))


def _questions(
    project: BaseProject,
    stack: str,
    deployment: Deployment,
    resources: Sequence[Resource],
) -> Questions | None:
    """Whom to ask about a stack; None where there is nobody, or nothing to ask about."""
    if not resources:
        return None
    if project.emulates(stack):
        try:
            if project.emulated_cloud.answering() is None or deployment.lost:
                return None
        except MlopsError:  # it hangs, which the notes say
            return None
    session = deployer_session(project, stack, resources, patient=False)
    return Questions(project.access, session, stack, "" if stack == LOCAL else f" -s {stack}")


def _declared(project: BaseProject, stack: str) -> tuple[list[str], dict[str, str]] | None:
    """The serving entries of a stack, and the models by package group; None where nobody says."""
    try:
        return list(project.resolve(stack).blueprint.serving), groups_of(project, stack)
    except StackNotFound:  # what an ephemeral one was made from is gone
        return None


def pending_names(outputs: Properties) -> list[str]:
    """Return the serving entries that wait for a first approved version, with the models meant."""
    return [
        f"{key.removesuffix('_pending')} (model{'s' * (len(value) > 1)} {', '.join(map(str, value))})"
        for key, value in sorted(outputs.items())
        if key.endswith("_pending") and isinstance(value, list | tuple) and value
    ]


def next_steps(project: BaseProject, stack: str, result: Result) -> list[str]:
    """Say what stands now, and what completes it."""
    recorded = [s.address for s in result.steps if s.recorded and s.op != "delete"]
    named = f"{stack}, emulated," if project.rehearsed else stack
    lines = [f"{named} stands ({result.duration_seconds:.1f}s)"]
    if recorded:
        lines.append(f"recorded, not emulated: {', '.join(recorded)}")
    return [
        *lines,
        *_untold(project, stack),
        *_waiting(project, stack, pending_names(result.outputs)),
        *_called(project, stack, result.outputs),
    ]


def _untold(project: BaseProject, stack: str) -> list[str]:
    if stack == LOCAL or project.resolve(stack).blueprint.alerts:
        return []
    return ["nobody is told of failed runs and rollbacks: write `alerts` to change that"]


def _called(project: BaseProject, stack: str, outputs: Properties) -> list[str]:
    of = "" if stack == LOCAL else f" -s {stack}"
    return [
        f"predictions: mlops-iac invoke{of} {name}"
        for name, entry in project.resolve(stack).blueprint.serving.items()
        if isinstance(entry, RealTime) and outputs.get(f"{output_name(name)}_pending") == []
    ]


def _waiting(project: BaseProject, stack: str, pending: Sequence[str]) -> list[str]:
    if not pending:
        return []
    lines = [f"waits for a first approved version: {', '.join(pending)}"]
    if project.emulates(stack):
        models = project.resolve(stack).blueprint.models
        trained = [item for item in models.values() if item.train is not None]
        origins = [item.promote_from for item in trained if item.promote_from and stack != LOCAL]
        of = "" if stack == LOCAL else f" -s {origins[0] if origins else stack}"
        which = " MODEL" if len(trained) > 1 else ""
        lines.append(
            f"next: mlops-iac run{of}{which}, mlops-iac models approve{of} MODEL VERSION, mlops-iac"
            f" up{'' if stack == LOCAL else f' -s {stack}'}"
        )
    else:
        lines.append("next: train and approve a version, then run `up` again")
    return lines
