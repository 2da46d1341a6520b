"""One environment of a project, to be captured with other values than it has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_iac.api.core.project import BaseProject

if TYPE_CHECKING:
    from mlops_iac.blueprint import LoadedBlueprint, ResolvedBlueprint
    from mlops_iac.program.ejected import Ejected


class OneEnvironment(BaseProject):
    """One environment of a blueprint, as if it were the only one. `head` lends its work folder."""

    def __init__(
        self, head: BaseProject, loaded: LoadedBlueprint, resolved: ResolvedBlueprint
    ) -> None:
        super().__init__(loaded)
        self._head = head
        self._one = resolved

    @property
    def environments(self) -> Sequence[str]:
        return (self._one.environment,)

    @property
    def work(self) -> Path:
        return self._head.work

    @property
    def ejected(self) -> Ejected:
        return self._head.ejected

    def resolve(self, stack: str) -> ResolvedBlueprint:
        return self._one
