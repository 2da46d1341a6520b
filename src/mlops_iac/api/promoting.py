"""Promotion: what one environment runs becomes what another one is to run. Nothing is retrained.

The version is read where it is true, in the state of the environment that runs it; it must be
approved, and of the registry that the other environment serves from. It is written into the
blueprint as a pin (`environments.NAME.models.MODEL.version`), so that a review sees it and a
deployment does exactly that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_iac.api.editing import BlueprintEdit
from mlops_iac.api.project import LOCAL
from mlops_iac.api.running_versions import Running, described, running
from mlops_iac.blueprint.words import join, listed
from mlops_iac.clouds.aws.sagemaker.scope import Home, Scope
from mlops_iac.errors import UsageError

if TYPE_CHECKING:
    from mlops_iac.api.project import Project
    from mlops_iac.graph.plan import Plan

_APPROVED = "Approved"
_DIGEST = "@sha256:"


@dataclass(frozen=True, slots=True)
class Pin:
    """One model's version in the other environment.

    `path` is where it is written, `line` its line then, `before` what was pinned. `image` is the image with its digest that is pinned beside it; empty where none is.
    """

    model: str
    version: str
    path: str
    line: int
    before: str | None
    image: str = ""
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def changes(self) -> bool:
        """Whether it is not written like this already."""
        return self.before != self.version

    @property
    def words(self) -> str:
        """`adherence/3, instead of 2`."""
        if not self.changes:
            return f"{self.model}/{self.version}, as before"
        instead = f"instead of {self.before}" if self.before else "instead of the newest approved"
        return f"{self.model}/{self.version}, {instead}"


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
        edit: BlueprintEdit,
    ) -> None:
        self.source = source
        self.target = target
        self.pins = tuple(pins)
        self.notes = tuple(notes)
        self._edit = edit
        self.project: Project = edit.project()
        self.plan: Plan = self.project.preview(target, against="lock")

    @property
    def file(self) -> str:
        """The blueprint, as messages call it."""
        return self._edit.file.shown

    @property
    def changed(self) -> bool:
        """Whether there is anything to write."""
        return self._edit.changed

    def write(self) -> bool:
        """Write the pins; False where they stand there already."""
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


def promote(project: Project, source: str, target: str, model: str | None = None) -> Promotion:
    """Look up what `source` runs, of one model or of all, and prepare `target`'s pins.

    Raises StackNotFound for an environment that there is not; UsageError where nothing runs, a
    version is not approved, or `target` does not serve from that registry; BlueprintInvalid where
    the blueprint would not be valid with the pins (a template's limit, a platform's refusal); and
    what the backend and the cloud say where they cannot be asked.
    """
    project.resolve(source)
    blueprint = project.resolve(target).blueprint
    if source == target:
        raise UsageError(f"{source} cannot be promoted to itself", hint="name two environments")
    if target == LOCAL:
        raise UsageError(
            "nothing is promoted to local: it is emulated and serves what it trained itself",
            hint="name an environment of the blueprint",
        )
    wanted = _wanted(project, source, target, model)
    found = running(project, source)
    if not any(name in found.versions for name in wanted):
        names = listed(wanted, "or")
        how = "`mlops-iac run`, `models approve`, `up`" if source == LOCAL else "`up` there first"
        raise UsageError(
            f"{source} runs no version of {names} yet, so there is nothing to promote",
            hint=how + (f" ({found.why})" if found.why else ""),
        )
    edit = BlueprintEdit(project.path)
    notes = [*found.notes]
    pins = []
    for name in wanted:
        if name not in found.versions:
            notes.append(f"{source} runs no version of {name}: it stays as it is in {target}")
            continue
        if name not in blueprint.models:
            notes.append(f"{target} has no model {name}")
            continue
        pins.append(_pin(project, edit, source, target, name, found))
    return Promotion(source, target, pins, notes, edit)


def _wanted(project: Project, source: str, target: str, model: str | None) -> list[str]:
    """The models meant: the one named, or all whose versions both environments serve."""
    there = project.resolve(source).blueprint.models
    here = project.resolve(target).blueprint.models
    trained = [name for name, each in there.items() if each.train is not None]
    if model is None:
        wanted = [name for name in trained if name in here and here[name].train is not None]
        if not wanted:
            raise UsageError(
                f"{source} and {target} have no trained model in common",
                hint="a model with `source` is what its `source` says, in every environment",
            )
        return wanted
    for name, models in ((source, there), (target, here)):
        if model not in models:
            known = listed(models) or "none"
            raise UsageError(f"there is no model '{model}' in {name}", hint=f"it has: {known}")
        if models[model].train is None:
            raise UsageError(
                f"{model} is not trained in {name}: there are no versions of it",
                hint="write its `source` into the environment's overlay",
            )
    return [model]


def _pin(
    project: Project, edit: BlueprintEdit, source: str, target: str, model: str, found: Running
) -> Pin:
    arn, version = found.versions[model]
    notes = _same_registry(project, source, target, model, version)
    answer = described(project, source, model, arn)
    status = answer.get("ModelApprovalStatus") or "not decided"
    if status != _APPROVED:
        raise UsageError(
            f"{source} runs {model}/{version}, which is {status}, not approved",
            hint=f"mlops-iac models approve {model} {version} -s {source}; then promote again",
        )
    path = join(join("environments", target), "models") + f".{join('', model)}.version"
    before = project.resolve(target).blueprint.models[model].version
    edit.editor.set(path, int(version))
    image, more = _image(project, edit, target, model, answer)
    line = dict(edit.editor.find(path))[path]
    return Pin(model, version, path, line, before, image, (*notes, *more))


def _same_registry(
    project: Project, source: str, target: str, model: str, version: str
) -> list[str]:
    """Version numbers mean the same in both environments only where one registry has them."""
    theirs = Scope(project.resolve(source)).home(model)
    ours = Scope(project.resolve(target)).home(model)
    if theirs == ours:
        return []
    if source == LOCAL:
        said = f"{target} serves {version} of {_place(ours)}, which must have it approved"
        return [f"local is emulated: {version} is the number in its own registry, and {said}"]
    promotes = project.resolve(target).blueprint.models[model].promote_from
    if promotes:
        said = f"{target} serves versions of {_place(ours)} (promote_from: {promotes})"
    else:
        said = f"{target} trains {model} itself and serves versions of {_place(ours)}"
    raise UsageError(
        f"{source} runs {model}/{version} of {_place(theirs)}, but {said}",
        hint=f"write `promote_from: {source}` into environments.{target}.models.{model}",
    )


def _place(home: Home) -> str:
    account = f" in account {home.account}" if home.account else ""
    return f"{home.group}{account}"


def _image(
    project: Project, edit: BlueprintEdit, target: str, model: str, answer: Mapping[str, Any]
) -> tuple[str, list[str]]:
    """The image that the version was registered with, where the model's runtime is one.

    A version brings its image along, so this changes nothing that is served; it lets the blueprint
    say which bytes these are.
    """
    runtime = project.resolve(target).blueprint.models[model].runtime
    if runtime is None or runtime.image is None:
        return "", []
    containers = (answer.get("InferenceSpecification") or {}).get("Containers") or []
    images = [str(each.get("Image") or "") for each in containers]
    if len(images) != 1 or _DIGEST not in images[0]:
        shown = images[0] if images else "no image"
        return "", [
            f"{model} was registered with {shown}: no digest of its image is recorded, a tag may move"
        ]
    if _repository(images[0]) != _repository(runtime.image):
        return "", [f"{model} was registered with another image than its runtime: {images[0]}"]
    path = join(join("environments", target), "models") + f".{join('', model)}.runtime.image"
    edit.editor.set(path, images[0])
    return images[0], []


def _repository(image: str) -> str:
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"
