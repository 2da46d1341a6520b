"""A project: what its blueprint says, the calls that a platform plans of it, and its folders."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_iac.api.core.explaining import explain
from mlops_iac.blueprint import LoadedBlueprint, ResolvedBlueprint
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.blueprint.reach import is_checkout
from mlops_iac.clouds import registry
from mlops_iac.errors import BlueprintInvalid, Diagnostic
from mlops_iac.workfolder import checked

if TYPE_CHECKING:
    from mlops_iac.api.core.emulated_cloud import EmulatedCloud
    from mlops_iac.api.core.templating import Templates
    from mlops_iac.clouds.access import Access
    from mlops_iac.clouds.base import ComponentCall, Platform
    from mlops_iac.clouds.operations import Operations
    from mlops_iac.program.ejected import Ejected
    from mlops_iac.templates.finder import Finder


class BaseProject:
    """What every layer needs of a project. Methods take the name of a stack."""

    # Whether all of its environments stand on the emulated cloud, and nothing of it is real.
    rehearsed = False

    def __init__(self, loaded: LoadedBlueprint, templates: Templates | None = None) -> None:
        self.loaded = loaded
        # Digests of templates whose rules may run although the lock on disk does not pin them.
        self.trusted: frozenset[str] = frozenset()
        # What is to lie beside the program, while that is being changed.
        self.ejecting: Ejected | None = None
        self._templates = templates
        # Stacks that nothing is wrong with: looked for once, as some of it takes a capture.
        self.valid: set[str] = set()
        self._resolved: dict[str, ResolvedBlueprint] = {}
        self._calls: dict[str, list[ComponentCall]] = {}

    @property
    def standard(self) -> BaseProject:
        """The project whose guard rails, exceptions and repository count: this one, but for a fork."""
        return self

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

    @property
    def access(self) -> Access:
        """The way to its cloud."""
        return registry.cloud(registry.platform(self.platform).cloud).access

    @property
    def operations(self) -> Operations:
        """What its platform is asked once something stands."""
        return registry.platform(self.platform).operations

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

    def platform_of(self, stack: str) -> Platform:
        """Return the platform a stack is planned for."""
        return registry.platform(str(self.resolve(stack).blueprint.platform))

    def platform_problems(self, stack: str) -> list[Diagnostic]:
        """Return what the platform refuses of one environment."""
        return registry.check(self.resolve(stack))

    def calls(self, stack: str) -> list[ComponentCall]:
        """Return the component calls of one environment.

        Raises BlueprintInvalid where the platform refuses something.
        """
        if stack not in self._calls:
            if stack not in self.valid:
                refused = [p for p in self.platform_problems(stack) if p.severity == "error"]
                if refused:
                    raise BlueprintInvalid(refused)
            self._calls[stack] = self.platform_of(stack).plan(self.resolve(stack))
        return self._calls[stack]

    @cached_property
    def emulated_cloud(self) -> EmulatedCloud:
        """The emulated cloud of this project."""
        from mlops_iac.api.core.emulated_cloud import EmulatedCloud

        return EmulatedCloud(self)

    def backend(self, stack: str) -> str:
        """Return the URL of the backend that keeps a stack's state; empty for the user's own."""
        url = "" if self.emulates(stack) else self.resolve(stack).blueprint.state.backend or ""
        return self.placed(url)

    def placed(self, url: str) -> str:
        """Return a backend's URL as Pulumi takes it, from what a blueprint says.

        A relative `file://` is one beside the blueprint, wherever the program lies.
        """
        path = url.removeprefix("file://")
        if path == url or path.startswith(("/", "~")):
            return url
        return f"file://{(self.root / path).resolve()}"

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
        return explain(self.resolve(stack), path)

    @property
    def ejected(self) -> Ejected:
        """The components that lie beside its program. Raises UsageError where one is missing."""
        if self.ejecting is not None:
            return self.ejecting
        from mlops_iac.program.ejected import read_ejected

        return read_ejected(program_folder(self.root, self.name))

    @property
    def program_folder(self) -> Path | None:
        """The program's folder where it is none of those that are committed."""
        return None

    def let_go(self) -> None:
        """Take it apart when it is done with: as circles, it would wait for the collector."""
        self.loaded.let_go()
        vars(self).pop("emulated_cloud", None)


def program_folder(root: Path, name: str) -> Path:
    """Return `stacks/NAME` in the nearest `stacks` folder at or above a blueprint's folder `root`.

    Looked for up to the repository's root, so that a repository of several projects keeps its
    programs in one place; beside the blueprint where there is none.
    """
    for folder in (root, *root.parents):
        if (folder / "stacks").is_dir():
            return folder / "stacks" / name
        if is_checkout(folder):
            break
    return root / "stacks" / name
