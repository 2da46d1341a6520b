"""The pins of a promotion, one model at a time: may it be, and what is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from mlops_iac.api.deploy.served_versions import home_of, require_sealed
from mlops_iac.api.models.running_versions import Running, described, resolved_images
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.blueprint.words import join, listed
from mlops_iac.clouds.operations import APPROVED
from mlops_iac.errors import UsageError

if TYPE_CHECKING:
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.api.stacks.rehearsal import RehearsalEdit
    from mlops_iac.blueprint.editing import Editor
    from mlops_iac.blueprint.sections.models import Model
    from mlops_iac.clouds.base import Home

_DIGEST = "@sha256:"


@dataclass(frozen=True, slots=True)
class Pin:
    """One model in the other environment.

    `version` is empty for a model that is not trained, `image` where no image is pinned. `path` is
    where it is written, `line` its line then (0: nothing is written), `before` what was pinned.
    """

    model: str
    version: str
    path: str
    line: int
    before: str | None
    image: str = ""
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def words(self) -> str:
        """`adherence/3, instead of 2`."""
        pinned = self.version or self.image
        if not pinned:
            return f"{self.model} stays as it is"
        shown = f"{self.model}/{pinned}" if self.version else f"{self.model} in {pinned}"
        if self.before == pinned:
            return f"{shown}, as before"
        none = "the newest approved" if self.version else "what its tag stands for"
        return f"{shown}, instead of {self.before or none}"


@dataclass
class Pinning:
    """From what `source` runs to edits of `target`'s overlay."""

    _project: BaseProject
    _source: str
    _target: str
    _found: Running
    _editor: Editor | RehearsalEdit

    def version(self, model: str) -> Pin:
        """Pin the version that runs.

        Raises UsageError where it is not approved or of another registry than `target` serves from.
        """
        id_, version = self._found.versions[model]
        notes = self._same_registry(model, version)
        found = described(self._project, self._source, model, id_)
        home = home_of(self._project, self._source, model).environment
        if found.status != APPROVED:
            raise UsageError(
                f"{self._source} runs {model}/{version}, which is {found.status or 'not decided'},"
                " not approved",
                hint=f"mlops-iac models approve {model} {version} -s {home}; then promote again",
            )
        require_sealed(model, found, stack=home)
        path = self._path(model, "version")
        before = self._project.pins(self._target).get(model) or self._before(model)
        self._editor.set(path, int(version))
        image, more = self._registered_image(model, found.images)
        return Pin(model, version, path, self._line(path), before, image, (*notes, *more))

    def image_of(self, model: str) -> Pin:
        """Pin the image, by its digest, that runs a model from elsewhere."""
        path = self._path(model, "runtime.image")
        theirs = image_of(self._model(self._source, model))
        ours = image_of(self._model(self._target, model))
        digest = theirs if _DIGEST in theirs else self._resolved.get(theirs, "")
        before = ours if _DIGEST in ours else None
        if not digest:
            note = f"nobody says which bytes {theirs} stands for in {self._source}; a tag may move"
            return Pin(model, "", path, 0, before, notes=(note,))
        if _repository(digest) != _repository(ours):
            note = f"{self._source} runs it in another image, {theirs}"
            return Pin(model, "", path, 0, before, notes=(note,))
        self._editor.set(path, digest)
        return Pin(model, "", path, self._line(path), before, digest)

    def _registered_image(self, model: str, images: Sequence[str]) -> tuple[str, list[str]]:
        """The image that the version was registered with, where the model's runtime is one.

        A version brings its image along, so this changes nothing that is served; it lets the
        blueprint say which bytes these are. Where `target` trains, it would change the training.
        """
        ours = image_of(self._model(self._target, model))
        if not ours or not self._model(self._target, model).promote_from:
            return "", []
        image = images[0] if len(images) == 1 else ""
        digest = image if _DIGEST in image else self._resolved.get(image, "")
        if not digest:
            shown = image or "no single image"
            return "", [f"{model} was registered with {shown}: no digest is known, a tag may move"]
        if _repository(digest) != _repository(ours):
            return "", [f"{model} was registered with another image than its runtime: {image}"]
        self._editor.set(self._path(model, "runtime.image"), digest)
        return digest, []

    @cached_property
    def _resolved(self) -> Mapping[str, str]:
        return resolved_images(self._project, self._source, self._found)

    def _same_registry(self, model: str, version: str) -> list[str]:
        """Version numbers mean the same in both only where one registry has them."""
        source, target = self._source, self._target
        theirs = home_of(self._project, source, model)
        ours = home_of(self._project, target, model)
        if theirs == ours:
            passed = self._left_out(model)
            if not passed:
                return []
            are = "is" if len(passed) == 1 else "are"
            asked = f"whether {listed(passed, 'or')} runs {version} was not asked"
            return [f"{listed(passed)} {are} skipped on the way to {target}: {asked}"]
        if source == LOCAL:
            said = f"{target} serves versions of {_place(ours)}"
            return [f"local is emulated: {version} is a number of its own registry; {said}"]
        promotes = self._model(target, model).promote_from
        if promotes:
            said = f"{target} serves versions of {_place(ours)} (promote_from: {promotes})"
        else:
            said = f"{target} trains {model} itself and serves versions of {_place(ours)}"
        raise UsageError(
            f"{source} runs {model}/{version} of {_place(theirs)}, but {said}",
            hint=f"write `promote_from: {source}` into environments.{target}.models.{model}",
        )

    def _left_out(self, model: str) -> list[str]:
        """The environments between `source` and `target`, in the order of promotion."""
        passed: list[str] = []
        at = self._target
        while at != self._source and at not in passed:
            passed.append(at)
            there = self._project.resolve(at).blueprint.models.get(model)
            at = (there.promote_from if there else None) or ""
            if not at:
                return []
        return passed[:0:-1] if at == self._source else []

    def _model(self, stack: str, model: str) -> Model:
        return self._project.resolve(stack).blueprint.models[model]

    def _before(self, model: str) -> str | None:
        """What the blueprint pins; a rehearsal has a registry of its own, where that is no version."""
        return None if self._project.rehearsed else self._model(self._target, model).version

    def _path(self, model: str, field_: str) -> str:
        return f"environments.{self._target}.models.{join('', model)}.{field_}"

    def _line(self, path: str) -> int:
        return dict(self._editor.find(path))[path]


def image_of(model: Model) -> str:
    """The image that a model's blueprint names; empty where it names none."""
    return (model.runtime.image or "") if model.runtime is not None else ""


def _place(home: Home) -> str:
    account = f" in account {home.account}" if home.account else ""
    return f"{home.group}{account}"


def _repository(image: str) -> str:
    head, slash, last = image.partition("@")[0].rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"
