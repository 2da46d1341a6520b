"""A pull request from a fork: its files are data, and what judges them is the base's.

The checkout is the base; CI fetched the fork's commit into its repository, as objects and nothing
else. Of that commit's tree the blueprint and the files that it names are written to a temporary
folder, without links. Guard rails, templates with their lock and their limits, exceptions, and which
stacks count as production are those of the checkout. Nothing of the fork is run or asked for.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from mlops_iac.api.compare.baseline import Baseline
from mlops_iac.api.compare.committed_templates import BaseTemplates
from mlops_iac.api.compile.captures import capture
from mlops_iac.api.core.project import BaseProject
from mlops_iac.api.core.repository import Repository
from mlops_iac.errors import BlueprintInvalid, Diagnostic, UsageError

if TYPE_CHECKING:
    from mlops_iac.graph.model import ResourceGraph
    from mlops_iac.program.ejected import Ejected

MOST_STACKS: Final = 25
MOST_RESOURCES: Final = 3_000
"""Of one stack. A base that has more itself may have that many, and a tenth more."""
MOST_BLUEPRINT_BYTES: Final = 512 * 1024


class ForkedProject(BaseProject):
    """The blueprint of a fork's commit, in a folder of its own; `base` judges it."""

    def __init__(self, base: BaseProject, files: Baseline) -> None:
        loaded = files.loaded
        if loaded is None:
            raise UsageError(f"{files.commit.words} has no {base.loaded.shown}")
        super().__init__(loaded)
        self._base = base
        self.files = files
        self.commit = files.commit

    @classmethod
    @contextmanager
    def opened(cls, base: BaseProject, ref: str) -> Iterator[Self]:
        """The fork's commit `ref` of the repository around `base`, as long as it lasts.

        Raises UsageError where it is not there or more than is looked at, BlueprintInvalid where the
        blueprint is not valid or stands on other templates than the base's.
        """
        with (
            tempfile.TemporaryDirectory(prefix="mlops-iac-fork-") as folder,
            Repository.around(base.root) as repository,
        ):
            commit = repository.commit(ref)
            blueprint = repository.relative(base.path)
            size = len(repository.read(commit, blueprint) or b"")
            if size > MOST_BLUEPRINT_BYTES:
                raise _too_much("bytes of its blueprint", size, MOST_BLUEPRINT_BYTES)
            files = Baseline(
                base, repository, commit, Path(folder), templates=BaseTemplates(base), roots=()
            )
            fork = cls(base, files)
            _check_templates(base, fork)
            stacks = len(fork.environments) - 1
            most = max(MOST_STACKS, (len(base.environments) - 1) * 11 // 10)
            if stacks > most:
                raise _too_much("environments", stacks, most)
            yield fork

    @property
    def standard(self) -> BaseProject:
        """The base."""
        return self._base

    @property
    def ejected(self) -> Ejected:
        """The base's: those of the fork are code."""
        return self._base.ejected

    def shown(self, path: Path) -> str:
        """As in the checkout: the folder that it lies in has a name of its own each time."""
        return self._base.shown(self._base.root / os.path.relpath(path, self.root))

    def check_size(self, stack: str, graph: ResourceGraph) -> None:
        """Raise UsageError where a stack has more resources than are looked at."""
        number = len(graph.resources)
        if number > MOST_RESOURCES:
            own = stack in self._base.environments and capture(self._base, stack).resources
            if number > len(own or ()) * 11 // 10:
                raise _too_much(f"resources in {stack}", number, MOST_RESOURCES)


def _too_much(what: str, number: int, most: int) -> UsageError:
    return UsageError(
        f"the fork has {number:,} {what}; {most:,} are looked at without being asked",
        hint="a maintainer looks at it on a branch of this repository",
    )


def _check_templates(base: BaseProject, fork: BaseProject) -> None:
    here = [each.content.digest for each in base.loaded.templates]
    if here == [each.content.digest for each in fork.loaded.templates]:
        return
    labels = ", ".join(each.label for each in base.loaded.templates)
    raise BlueprintInvalid(
        [
            Diagnostic(
                "fork-template",
                f"the base stands on {labels}, and a fork does not choose what it is judged by",
                file=fork.loaded.shown,
                line=1,
                path="extends",
                hint="leave `extends` as it is; a maintainer changes it on a branch here",
            )
        ]
    )
