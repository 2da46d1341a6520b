"""Promotion: what one environment runs becomes what another one is to run. Nothing is retrained.

The version is read where it is true, in the state of the environment that runs it; it must be
approved, and of the registry that the other environment serves from. It is written into the
blueprint as a pin (`environments.NAME.models.MODEL.version`), so that a review sees it and a
deployment does exactly that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mlops_iac.api.deploy.previews import preview
from mlops_iac.api.models.running_versions import running
from mlops_iac.api.stacks.editing import BlueprintEdit
from mlops_iac.api.stacks.pinning import Pin, Pinning, image_of
from mlops_iac.api.stacks.rehearsal import RehearsalEdit, RehearsedProject, require_another
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.blueprint.words import listed
from mlops_iac.errors import UsageError

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.graph.plan import Plan


class Promotion:
    """What a promotion would write, and what it does to the other environment.

    Nothing is written before `write`. `plan` compares the changed blueprint with the lock file.
    """

    def __init__(
        self,
        source: str,
        target: str,
        pins: Sequence[Pin],
        notes: Sequence[str],
        edit: BlueprintEdit | RehearsalEdit,
    ) -> None:
        self.source = source
        self.target = target
        self.pins = tuple(pins)
        self.notes = tuple(notes)
        self._edit = edit
        self.project: BaseProject = edit.project()
        against = "state" if self.project.emulates(target) else "lock"
        self.plan: Plan = preview(self.project, target, against=against)

    @property
    def file(self) -> str:
        """The blueprint, as messages call it."""
        return self._edit.file.shown

    @property
    def changed(self) -> bool:
        """Whether there is anything to write."""
        return self._edit.changed

    def require_real(self) -> None:
        """Raise UsageError for what is only to be shown: a number of `local`'s registry.

        The registry is an emulated one of this machine: under its number 3 a real registry has
        another model, or none.
        """
        if self.source == LOCAL:
            raise UsageError(
                f"versions of local are never pinned in {self.target}: they are numbers of the"
                " emulated registry of this machine; nothing was written",
                hint=f"`--dry-run` shows what a promotion does; {self._instead()}",
            )

    def _instead(self) -> str:
        """What does pin a version in the target: promoting from the environment it promotes from."""
        models = self.project.resolve(self.target).blueprint.models
        named = [models[pin.model].promote_from for pin in self.pins if pin.model in models]
        origin = next((name for name in named if name), None)
        if origin is not None:
            return f"`mlops-iac promote --from {origin} --to {self.target}` pins what {origin} runs"
        return (
            f"{self.target} trains its own: `mlops-iac run -s {self.target}`, and approve it there"
        )

    def write(self) -> bool:
        """Write the pins; False where they stand there already. Raises what `require_real` does."""
        self.require_real()
        return self._edit.write()

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON, without the preview."""
        return {
            "from": self.source,
            "to": self.target,
            "file": self.file,
            "pins": [{**asdict(pin), "notes": list(pin.notes)} for pin in self.pins],
            "notes": list(self.notes),
        }


def promote(project: BaseProject, source: str, target: str, model: str | None = None) -> Promotion:
    """Look up what `source` runs, of one model or of all, and prepare `target`'s pins.

    Raises StackNotFound for an environment that there is not; UsageError where nothing runs, a
    version is not approved, or `target` does not serve from that registry; BlueprintInvalid where
    the blueprint would not be valid with the pins (a template's limit, a platform's refusal); and
    what the backend and the cloud say where they cannot be asked.
    """
    project.resolve(source)
    project.resolve(target)
    if source == target:
        raise UsageError(f"{source} cannot be promoted to itself", hint="name two environments")
    if target == LOCAL:
        raise UsageError(
            "nothing is promoted to local: it is emulated and serves what it trained itself",
            hint="name an environment of the blueprint",
        )
    if project.rehearsed:
        require_another(project, source)
    versioned, brought = _wanted(project, source, target, model)
    found = running(project, source)
    if not any(name in found.versions for name in versioned) and (versioned or found.why):
        names = listed([*versioned, *brought], "or")
        of = "" if source == LOCAL else f" -s {source}"
        how = f"`mlops-iac run{of}`, `models approve latest{of}`, `up{of}`"
        how = how if project.emulates(source) else "`up` there first"
        raise UsageError(
            f"{source} runs no version of {names} yet, so there is nothing to promote",
            hint=how + (f" ({found.why})" if found.why else ""),
        )
    edit = _edit(project, target)
    pinning = Pinning(project, source, target, found, edit.editor)
    notes = [*found.notes]
    pins = []
    for name in versioned:
        if name in found.versions:
            pins.append(pinning.version(name))
        else:
            notes.append(f"{source} runs no version of {name}: it stays as it is in {target}")
    pins += [pinning.image_of(name) for name in brought]
    return Promotion(source, target, pins, notes, edit)


def _edit(project: BaseProject, target: str) -> BlueprintEdit | RehearsalEdit:
    """What the pins are written into: the blueprint, or what a rehearsal keeps."""
    if isinstance(project, RehearsedProject):
        return RehearsalEdit(project, target)
    return BlueprintEdit(project.path)


def _wanted(
    project: BaseProject, source: str, target: str, model: str | None
) -> tuple[list[str], list[str]]:
    """Models with versions, and models from elsewhere that run in an image, of both environments.

    The one named, or all.
    """
    there = project.resolve(source).blueprint.models
    here = project.resolve(target).blueprint.models
    for name, models in ((source, there), (target, here)):
        if model is not None and model not in models:
            known = listed(models) or "none"
            raise UsageError(f"there is no model '{model}' in {name}", hint=f"it has: {known}")
    names = [name for name in there if name in here and model in (None, name)]
    versioned = [name for name in names if there[name].train and here[name].train]
    brought = [
        name for name in names if image_of(there[name]) and image_of(here[name])
        and there[name].source and here[name].source
    ]  # fmt: skip
    if not versioned and not brought:
        raise UsageError(
            f"{model} is not trained in both {source} and {target}: there are no versions of it"
            if model
            else f"{source} and {target} have no trained model in common",
            hint="a model with `source` is what its `source` says, in every environment",
        )
    return versioned, brought
