"""Environments are added to a blueprint and removed from it; what they deployed is not forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_iac.api.compile.programs import default_out
from mlops_iac.api.core.loading import load_as
from mlops_iac.api.core.project import BaseProject
from mlops_iac.api.deploy.orphaned_stacks import State, refuse, stack_files, state_of
from mlops_iac.api.deploy.states import unasked
from mlops_iac.api.stacks.editing import SECTION, BlueprintEdit, put_in, take_out
from mlops_iac.api.stacks.initial_overlay import complete, lay_out, not_asked, unchecked
from mlops_iac.api.stacks.listing import adds
from mlops_iac.blueprint.checks.names import illegal_name
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.blueprint.loaded import shown_as
from mlops_iac.blueprint.sections.base import EntryName
from mlops_iac.blueprint.words import join
from mlops_iac.clouds.registry import platform
from mlops_iac.errors import StackNotFound, UsageError
from mlops_iac.records import Record, as_data

if TYPE_CHECKING:
    from mlops_iac.blueprint import ResolvedBlueprint


class Told(Record):
    """What was done. `line` is that of the environment in the blueprint, 0 where there is none."""

    environment: str
    done: str
    file: str
    line: int
    removed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        lines = [f"{where}: {self.done}"]
        lines += [f"removed {path}" for path in self.removed]
        lines += [f"note: {note}" for note in self.notes]
        return "\n".join([*lines, "next: mlops-iac compile, review and commit"])

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        found: dict[str, Any] = as_data(self)
        return found


def add_environment(path: str | Path, name: str, base: str | None = None) -> Told:
    """Write a new environment into the blueprint at `path`, with the text of `base`'s overlay.

    Without a base it begins with what its guard rails ask for (`initial_overlay`). What is left to fill in is
    told.

    Raises UsageError for a name that no stack may have or that is taken, StackNotFound where there
    is no `base`, BlueprintInvalid, with nothing written, where the blueprint is or would not be
    valid; EditRefused where the text of `base` cannot be written twice.
    """
    project = load_as(BaseProject, path)
    if wrong := illegal_name(name, EntryName("environment", 20)):
        raise UsageError(wrong[1], hint=wrong[2])
    if name == LOCAL:
        raise UsageError("local is always there", hint="`mlops-iac up` deploys it")
    edit = BlueprintEdit(path)
    there = join(SECTION, name)
    if name in project.environments:
        lines = dict(edit.editor.find(there))
        where = f"{edit.file.shown}:{lines[there]}" if there in lines else "in a template"
        raise UsageError(f"there is an environment {name} already, {where}", hint="take another")
    if base is not None:
        project.resolve(base)
        if base == LOCAL:
            raise UsageError(
                "local is emulated: nothing begins with its overlay", hint="leave --from out"
            )
    copied = base if base is not None and edit.editor.get(join(SECTION, base)) else None
    put_in(edit.editor, name, copied)
    started = _started(edit, name) if base is None else []
    added = edit.project()
    missing = _of_templates(project, added, base, name) if base else []
    if base:
        notes = _notes_of_base(project, added, base, name, missing, copied=bool(copied))
    else:
        notes = [*started, *_trains(added, name)]
    done = f"added {name}"
    if copied:
        done += f", with what the blueprint says of {base}" if missing else f", as {base} is"
    edit.write()
    return Told(name, done, edit.file.shown, dict(edit.editor.find(there))[there], (), tuple(notes))


def _started(edit: BlueprintEdit, name: str) -> list[str]:
    """Write what an environment begins with; what to tell of that."""
    try:
        told = complete(edit.editor, name, edit.project).notes
    except ModuleNotFoundError as error:
        return [not_asked(error)]
    lay_out(edit.editor, name)
    more = unchecked(edit.project())
    return [*told, more] if more else told


def _of_templates(project: BaseProject, added: BaseProject, base: str, name: str) -> list[str]:
    """What an environment's overlays in templates say, and a new one of another name does not."""
    layers, ours = project.resolve(base), added.resolve(name).leaves()
    return [
        path
        for path, value in adds(project, base).items()
        if layers.origin(path).layer.endswith(f", {base}") and ours.get(path) != value
    ]


def _notes_of_base(
    project: BaseProject,
    added: BaseProject,
    base: str,
    name: str,
    missing: Sequence[str],
    *,
    copied: bool,
) -> list[str]:
    layers, ours = project.resolve(base), added.resolve(name)
    notes = []
    if missing:
        what = f"what {base} {'also ' if copied else ''}adds stands in a template"
        notes.append(f"{what} and is for {base} alone; {name} has none of it: {', '.join(missing)}")
    elif not copied:
        notes.append(f"{base} adds nothing of its own in the blueprint")
    if copied and ours.blueprint.account and ours.blueprint.account == layers.blueprint.account:
        notes.append(f"it has the account of {base}, {ours.blueprint.account}")
    return [*notes, *_pins(layers, ours)]


def _trains(added: BaseProject, name: str) -> list[str]:
    """What the new environment trains itself, and an earlier one has already: it could serve that."""
    others = [each for each in added.environments if each not in (LOCAL, name)]
    declared = added.resolve(name).blueprint.models
    models = [key for key, each in declared.items() if each.train and not each.promote_from]
    return [
        f"{name} trains {model} itself; to serve what {source} runs, write"
        f" `promote_from: {source}` into environments.{name}.models.{join('', model)}, and both"
        " accounts"
        for model in models
        if (source := next((o for o in others[::-1] if _has(added, o, model)), None))
    ]


def _has(project: BaseProject, environment: str, model: str) -> bool:
    found = project.resolve(environment).blueprint.models.get(model)
    return found is not None and found.train is not None


def _pins(base: ResolvedBlueprint, ours: ResolvedBlueprint) -> list[str]:
    """Version numbers that mean another registry's versions since they were copied."""
    home = platform(str(ours.blueprint.platform)).home
    return [
        f"it pins {name}/{model.version}, a number of {home(base, name).environment}'s"
        f" registry, and serves from its own: take environments.{ours.environment}.models.{join('', name)}.version out"
        for name, model in ours.blueprint.models.items()
        if model.version is not None
        and name in base.blueprint.models
        and home(ours, name) != home(base, name)
    ]


def removable(path: str | Path, name: str) -> tuple[BaseProject, BlueprintEdit, list[Path]]:
    """What `remove_environment` would change: the blueprint, and the files of its stack.

    Raises what `remove_environment` raises for a name that is none, `local`, and templates'.
    """
    project = load_as(BaseProject, path)
    if name == LOCAL:
        raise UsageError("local is always there", hint="`mlops-iac destroy` deletes what it made")
    edit = BlueprintEdit(path)
    written = edit.editor.has(join(SECTION, name))
    files = stack_files(project, name)
    if name not in project.environments and not written and not files:
        there = ", ".join(project.environments)
        raise StackNotFound(
            f"there is no environment {name} in {edit.file.shown}",
            hint=f"there is: {there}; an ephemeral stack goes with `mlops-iac destroy -s {name}`",
        )
    if name in project.environments and not written:
        raise UsageError(
            f"{name} is an environment of a template, not of {edit.file.shown}",
            hint="take the template's next version without it, or leave the template",
        )
    return project, edit, files


def remove_environment(path: str | Path, name: str, *, gone: bool = False) -> Told:
    """Take an environment out of the blueprint at `path`, and its stack files from the program.

    Also for one that the blueprint does not have any more and whose stack files are still there.
    `gone` says for a state that cannot be asked that nothing is left of it.

    Raises UsageError where its stack still has resources or that cannot be known, for `local` and
    for what a template declares; StackNotFound; BlueprintInvalid, with nothing done, where the
    blueprint would not be valid without it.
    """
    project, edit, files = removable(path, name)
    there = join(SECTION, name)
    written = edit.editor.has(there)
    state = state_of(project, name)
    refuse(project, name, state, files, gone=gone)
    line = 0
    if written:
        line = dict(edit.editor.find(there))[there]
        take_out(edit.editor, name)
        if name in edit.project().environments:
            raise UsageError(
                f"{name} is an environment of a template, too: without {edit.file.shown}:{line} it"
                " would still be there; nothing was removed",
                hint="take the template's next version without it, or leave the template",
            )
        edit.write()
    for file in files:
        file.unlink(missing_ok=True)
    return Told(
        environment=name,
        done=f"removed {name}" if written else f"{name} was not in the blueprint any more",
        file=edit.file.shown,
        line=line,
        removed=tuple(shown_as(file) for file in files),
        notes=_notes(project, name, state),
    )


def _notes(project: BaseProject, name: str, state: State) -> tuple[str, ...]:
    if state.why:
        return (f"its state was not asked: {unasked(state.why)}",)
    if state.exists:
        url = f"PULUMI_BACKEND_URL={state.url} " if state.url else ""
        folder = shown_as(default_out(project))
        ends = f"`{url}pulumi stack rm {name}` in {folder} ends that"
        return (f"its stack is empty and still listed: {ends}",)
    return ()
