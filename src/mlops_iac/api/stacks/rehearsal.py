"""A rehearsal: every environment with its real overlay, on the emulated cloud of this machine.

What is deployed to `dev`, promoted to `staging` and served in `prod` is learned on a laptop: accounts
and regions are kept apart as in the cloud, guard rails hold, versions wait for approval. Nothing of
it is real, and nothing of it gets among what is: states, programs and pins lie in
`.mlops-iac/rehearsal`, no file that is committed is written, no backend is asked. One emulated cloud
serves `local` and all rehearsals.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from mlops_iac.api.core.project import BaseProject
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.blueprint.sections.root import Blueprint
from mlops_iac.blueprint.words import split
from mlops_iac.clouds import registry
from mlops_iac.errors import UsageError
from mlops_iac.records import replace
from mlops_iac.workfolder import checked, made, write_durably

if TYPE_CHECKING:
    from mlops_iac.blueprint import ResolvedBlueprint

FOLDER = "rehearsal"


class RehearsedProject(BaseProject):
    """A project whose environments all stand on the emulated cloud."""

    rehearsed = True

    def __init__(self, project: BaseProject) -> None:
        super().__init__(project.loaded, project._templates)
        self._pinned: Mapping[str, Mapping[str, str]] | None = None

    @cached_property
    def work(self) -> Path:
        """The folder for states and programs of rehearsals."""
        return checked(self.emulator) / FOLDER

    @property
    def emulator(self) -> Path:
        """The folder of the emulated cloud, which is that of `local`."""
        return self.root / ".mlops-iac"

    @property
    def environments(self) -> Sequence[str]:
        """Those of the blueprint; `local` is emulated as it is."""
        return tuple(name for name in super().environments if name != LOCAL)

    def resolve(self, stack: str) -> ResolvedBlueprint:
        """Return the blueprint of one environment; an account that it does not say is the emulator's.

        Raises StackNotFound.
        """
        if stack not in self._resolved:
            self.loaded.resolve(stack)  # an unknown one is told
            for name in self.loaded.environments:
                found = self.loaded.resolve(name)
                said = vars(found.blueprint)
                account = said["account"] or registry.forms(said["platform"]).account
                filled = Blueprint(**{**said, "account": account})
                self._resolved[name] = replace(found, blueprint=filled, siblings=self._resolved)
        return self._resolved[stack]

    def emulates(self, stack: str) -> bool:
        """Whether a stack is emulated: each is, so that nothing real is asked whatever is named."""
        return True

    def pin(self) -> Path | None:
        """Write nothing: `blueprint.lock` is committed."""
        return None

    @property
    def pins_file(self) -> Path:
        """Where versions are pinned that `promote` brings from one rehearsal to the next."""
        return self.work / "pins.json"

    def pins(self, stack: str) -> Mapping[str, str]:
        """Return the pinned versions of a stack, by model. Raises UsageError."""
        if self._pinned is None:
            self._pinned = _read(self.pins_file)
        return self._pinned.get(stack, {})

    def pinning(self, stack: str, versions: Mapping[str, str]) -> Self:
        """Return the same with other pins of one stack; nothing is written."""
        other = type(self)(self)
        self.pins(stack)
        other._pinned = {**(self._pinned or {}), stack: {**self.pins(stack), **versions}}
        return other

    def write_pins(self) -> None:
        """Write its pins. Raises UsageError."""
        made(self.emulator)
        self.work.mkdir(exist_ok=True)
        try:
            write_durably(self.pins_file, json.dumps(self._pinned or {}, indent=1).encode())
        except OSError as error:
            raise UsageError(f"cannot write {self.pins_file}: {error.strerror}") from None


def require_another(project: BaseProject, stack: str) -> None:
    """Raise UsageError for `local`, which is emulated as it is."""
    if stack == LOCAL:
        others = [name for name in project.environments if name != LOCAL]
        name = f"name it: -s {others[0]}" if others else "`stack add dev` makes one"
        raise UsageError(
            "local is emulated as it is, and --emulated is for another environment",
            hint=f"{name}, or leave --emulated out",
        )


def _read(path: Path) -> Mapping[str, Mapping[str, str]]:
    try:
        plain: Any = json.loads(path.read_bytes())
        return {
            str(stack): {str(model): str(int(version)) for model, version in pins.items()}
            for stack, pins in plain.items()
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError):
        raise UsageError(
            f"{path} cannot be read: it has the pins of rehearsals",
            hint="delete it, and promote again",
        ) from None


class _File(NamedTuple):
    shown: str


class RehearsalEdit:
    """What `promote` edits in a rehearsal: its pins, in the place of the blueprint's text."""

    def __init__(self, project: RehearsedProject, target: str) -> None:
        self._project = project
        self._target = target
        self._versions: dict[str, str] = {}
        self.file = _File(project.shown(project.pins_file))

    @property
    def editor(self) -> RehearsalEdit:
        """Itself: it takes values by their paths in a blueprint."""
        return self

    def set(self, path: str, value: Any) -> None:
        """Pin a version; an image's digest is what the emulated cloud has none of."""
        keys = split(path)
        if keys[-1] == "version":
            self._versions[keys[-2]] = str(value)

    def find(self, path: str) -> list[tuple[str, int]]:
        """Return no line: it is no file that people write."""
        return [(path, 0)]

    @property
    def changed(self) -> bool:
        """Whether there is anything to write."""
        before = self._project.pins(self._target)
        return any(before.get(model) != version for model, version in self._versions.items())

    def project(self) -> RehearsedProject:
        """Return the rehearsal with the pins."""
        return self._project.pinning(self._target, self._versions)

    def write(self) -> bool:
        """Write them; False where they stand there already."""
        if self.changed:
            self.project().write_pins()
            return True
        return False
