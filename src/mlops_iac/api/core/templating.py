"""The templates of a project: who finds them, and the lock that pins them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_iac.blueprint.loaded import shown_as

if TYPE_CHECKING:
    from mlops_iac.blueprint import LoadedBlueprint
    from mlops_iac.blueprint.reach import Reach
    from mlops_iac.blueprint.templates.content import TemplateContent, Wanted
    from mlops_iac.templates.finder import Finder
    from mlops_iac.templates.sources.repositories import Repositories


_shared: list[Repositories] = []


def share_repositories() -> None:
    """Ask each git repository for its versions once in this process, whatever wants them.

    For a process that reads many blueprints and ends; one that goes on would never see a new tag.
    """
    from mlops_iac.templates.finder import is_offline
    from mlops_iac.templates.sources.repositories import Repositories

    if not _shared:
        _shared.append(Repositories(offline=is_offline()))


class Templates:
    """The `TemplateFinder` of one blueprint, made when it is first asked; most blueprints never ask.

    `update` maps sources to the version they are to have in place of the pinned one, empty for the
    newest that fits.
    """

    def __init__(
        self,
        blueprint: Path,
        *,
        update: Mapping[str, str] | None = None,
        reach: Reach | None = None,
    ) -> None:
        self._blueprint = blueprint.absolute()
        self._shown = shown_as(blueprint)
        self._update = update
        self._reach = reach
        self.finder: Finder | None = None

    def find(self, wanted: Wanted) -> TemplateContent:
        """What the lock beside the blueprint pins, or the newest that fits.

        Raises TemplateUnavailable, and BlueprintInvalid for a lock that is damaged.
        """
        if self.finder is None:
            from mlops_iac.templates.finder import Finder

            self.finder = Finder.beside(
                self._blueprint,
                update=self._update,
                shown=self._shown,
                repositories=next(iter(_shared), None),
                reach=self._reach,
            )
        return self.finder.find(wanted)

    @property
    def notes(self) -> Sequence[str]:
        """What was resolved otherwise than the lock says."""
        return self.finder.notes if self.finder is not None else ()

    def stale(self, loaded: LoadedBlueprint) -> list[str]:
        """Why the lock on disk is not what was resolved; nothing where it is."""
        if self.finder is not None:
            return list(self.finder.stale)
        from mlops_iac.templates.lockfile import lock_path

        path = lock_path(loaded.path)
        return [f"{path.name} pins templates, and nothing is extended"] if path.exists() else []

    def pin(self, loaded: LoadedBlueprint) -> Path | None:
        """Write what was resolved into the lock; the path where that changed it."""
        if not self.stale(loaded):
            return None
        from mlops_iac.templates.lockfile import Lock, lock_path, write_lock

        path = lock_path(loaded.path)
        lock = self.finder.pins() if self.finder is not None else Lock()
        return path if write_lock(path, lock) else None
