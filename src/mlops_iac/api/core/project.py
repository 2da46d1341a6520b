"""What a project's blueprint says of it, before anything is planned, compiled or run."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_iac.blueprint import LoadedBlueprint, ResolvedBlueprint
from mlops_iac.workfolder import checked

if TYPE_CHECKING:
    from mlops_iac.api.core.templating import Templates
    from mlops_iac.program.ejected import Ejected
    from mlops_iac.templates.finder import Finder

LOCAL = "local"


class BaseProject:
    """The blueprint of a project, its folders and its templates."""

    # Whether all of its environments stand on the emulated cloud, and nothing of it is real.
    rehearsed = False

    def __init__(self, loaded: LoadedBlueprint, templates: Templates | None = None) -> None:
        self.loaded = loaded
        # Digests of templates whose rules may run although the lock on disk does not pin them.
        self.trusted: frozenset[str] = frozenset()
        # What is to lie beside the program, while that is being changed.
        self.ejecting: Ejected | None = None
        self._templates = templates
        self._resolved: dict[str, ResolvedBlueprint] = {}

    @property
    def path(self) -> Path:
        """The blueprint's file."""
        return self.loaded.path

    @property
    def root(self) -> Path:
        """The folder that paths in the blueprint are relative to."""
        return self.loaded.root

    @property
    def name(self) -> str:
        """The project's name."""
        return self.loaded.name

    @property
    def environments(self) -> Sequence[str]:
        """The stacks there are, `local` among them."""
        return self.loaded.environments

    @property
    def platform(self) -> str:
        """The platform's name, the same in every environment."""
        return str(self.resolve(LOCAL).blueprint.platform)

    @cached_property
    def work(self) -> Path:
        """The folder for state, emulator and local program; made on demand, ignored by git.

        Looked at when it is first asked for. Raises UsageError where links lead out of it.
        """
        return checked(self.root / ".mlops-iac")

    def emulates(self, stack: str) -> bool:
        """Whether a stack stands on the emulated cloud of this machine: `local`, or a rehearsal."""
        return stack == LOCAL

    @property
    def emulator(self) -> Path:
        """The folder of the emulated cloud."""
        return self.work

    def pins(self, stack: str) -> Mapping[str, str]:
        """Return the versions, by model, that a rehearsal serves instead of what the blueprint pins."""
        return {}

    def shown(self, path: Path) -> str:
        """What people call a file of the project, from the folder that they are in."""
        return os.path.relpath(path)

    def region(self, stack: str) -> str:
        """The region of a stack."""
        return str(self.resolve(stack).blueprint.region)

    def protected(self, stack: str) -> bool:
        """Whether a stack protects what holds data."""
        return bool(self.resolve(stack).blueprint.protect)

    def resolve(self, stack: str) -> ResolvedBlueprint:
        """Return the blueprint of one environment. Raises StackNotFound, BlueprintInvalid."""
        if stack not in self._resolved:
            self._resolved[stack] = self.loaded.resolve(stack)
        return self._resolved[stack]

    @property
    def finder(self) -> Finder | None:
        """What found its templates; None where it has none."""
        return self._templates.finder if self._templates is not None else None

    @property
    def notes(self) -> Sequence[str]:
        """What is to be told of how the blueprint was read."""
        return self._templates.notes if self._templates is not None else ()

    def unpinned(self) -> list[str]:
        """Return why `blueprint.lock` is not what the templates were resolved to."""
        return self._templates.stale(self.loaded) if self._templates is not None else []

    def pin(self) -> Path | None:
        """Write the templates' versions and digests into `blueprint.lock`; its path if it changed.

        Raises UsageError where it cannot be written.
        """
        return self._templates.pin(self.loaded) if self._templates is not None else None

    def explain(self, path: str, stack: str) -> list[dict[str, Any]]:
        """Return the leaves at or below a blueprint path with their values and origins.

        One mapping per leaf: `path`, `value`, `origin` (in words), `file`, `line` (from 1), `layer`;
        file and line are None for a default of the language. Raises UsageError where the path names nothing.
        """
        from mlops_iac.api.core.explaining import explain

        return explain(self.resolve(stack), path)

    @property
    def ejected(self) -> Ejected:
        """The components that lie beside its program. Raises UsageError where one is missing."""
        if self.ejecting is not None:
            return self.ejecting
        from mlops_iac.api.compile.programs import program_folder
        from mlops_iac.program.ejected import read_ejected

        return read_ejected(program_folder(self.root, self.name))

    @property
    def program_folder(self) -> Path | None:
        """The program's folder where it is none of those that are committed."""
        return None

    def let_go(self) -> None:
        """Take it apart when it is done with: as circles, it would wait for the collector."""
        self.loaded.let_go()
        vars(self).pop("cloud", None)
