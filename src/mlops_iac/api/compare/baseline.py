"""What a change is compared with: the lock file and the blueprint that a git ref holds.

Nothing of the ref's tree is run. Its lock file says what its own tool and templates produced; its
blueprint, the templates that it pins or that lie in the repository, and the files that they name
are written to a temporary folder and read as data by the tool of today, for the causes, and where
there is no lock.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_iac.api.compare.committed_templates import BaseTemplates, FormerTemplates, trees
from mlops_iac.api.compile import programs
from mlops_iac.api.compile.captures import Captures
from mlops_iac.api.core.project import BaseProject
from mlops_iac.api.core.repository import Commit, Repository
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.blueprint.reach import Reach
from mlops_iac.blueprint.source import Source
from mlops_iac.errors import BlueprintInvalid, MlopsError, UsageError

if TYPE_CHECKING:
    from mlops_iac.blueprint import LoadedBlueprint
    from mlops_iac.blueprint.source import Node
    from mlops_iac.graph.canonical import CanonicalGraph


class Old:
    """What a stack was: its graph, and what is known about where that comes from."""

    def __init__(self, graph: CanonicalGraph, words: str) -> None:
        self.graph = graph
        self.words = words
        # The graph by today's tool, where it was made that way.
        self.today: CanonicalGraph | None = None
        self.versions: Mapping[str, str] = {}
        self.notes: list[str] = []


def nothing(project: BaseProject, stack: str) -> CanonicalGraph:
    """A stack with no resource in it."""
    from mlops_iac.graph.canonical import CanonicalGraph

    return CanonicalGraph(project.name, stack, ())


class Baseline:
    """What one commit holds of a project. `folder` is a temporary folder that it may fill.

    Its templates are those that it pins, or the `templates` that are given for a fork's commit.
    `roots` are folders that its files may lead to as well, those of the project by default.
    """

    def __init__(
        self,
        project: BaseProject,
        repository: Repository,
        commit: Commit,
        folder: Path,
        *,
        templates: BaseTemplates | None = None,
        roots: Sequence[Path] | None = None,
    ) -> None:
        self.commit = commit
        self._given = templates
        self._roots = project.loaded.reach.roots if roots is None else roots
        self._project = project
        self.repository = repository
        self._folder = folder
        self._blueprint = repository.relative(project.path)
        self._out = repository.relative(programs.default_out(project))
        # Paths relative to the blueprint's folder that its text names and the commit has.
        self.named: dict[str, str] = {}
        self.notes: list[str] = []
        self._captured: Path | None = None

    @property
    def words(self) -> str:
        """`at origin/main (161e4c1e56bd)`."""
        return f"at {self.commit.words}"

    def lock_bytes(self, stack: str) -> bytes | None:
        """The committed lock file of a stack; None where there is none."""
        from mlops_iac.graph.lock import lock_name

        return self.repository.read(self.commit, posixpath.join(self._out, lock_name(stack)))

    def lock(self, stack: str) -> tuple[CanonicalGraph, dict[str, str]] | None:
        """The graph in that lock file, and the versions that wrote it.

        Raises UsageError for one that is damaged or of a newer format.
        """
        from mlops_iac.graph.lock import lock_name, lock_versions, parse_lock

        raw = self.lock_bytes(stack)
        if raw is None:
            return None
        return parse_lock(raw, f"{lock_name(stack)} at {self.commit.words}"), lock_versions(raw)

    @cached_property
    def loaded(self) -> LoadedBlueprint | None:
        """The blueprint as the commit has it; None where it has none.

        Raises BlueprintInvalid, with its problems placed at `blueprint.yaml at REF`.
        """
        from mlops_iac.blueprint.loaded import inspect

        if not self._export():
            return None
        shown = self._project.loaded.shown
        loaded, problems = inspect(
            self._path, shown=shown, templates=self._templates, reach=self._reach
        )
        if loaded is None:
            raise BlueprintInvalid(
                [
                    replace(
                        item,
                        file=f"{item.file} at {self.commit.words}",
                        message=self._without_folder(item.message),
                        hint=self._without_folder(item.hint),
                    )
                    for item in problems
                    if item.severity == "error"
                ]
            )
        if loaded.templates and not self._templates.locked:
            lock = Path(self._blueprint).stem
            self.notes.append(
                f"{self.commit.words} has no {lock}.lock: its templates are the newest that fit"
            )
        return loaded

    @cached_property
    def _templates(self) -> FormerTemplates | BaseTemplates:
        if self._given is not None:
            return self._given
        tree = self._folder / "tree"
        return FormerTemplates(self.repository, self.commit, tree, self._blueprint, self._reach)

    @cached_property
    def _reach(self) -> Reach:
        """The exported tree, and where files may lie that are put into it."""
        return Reach((self._folder / "tree", *self._roots), fork=self._given is not None)

    def _without_folder(self, text: str) -> str:
        """A message without the temporary folder in it."""
        tree = str(self._folder / "tree")
        return text.replace(f"{tree}{os.sep}", "").replace(tree, str(self.repository.root))

    @property
    def _path(self) -> Path:
        return self._folder / "tree" / self._blueprint

    @property
    def root(self) -> Path:
        """The folder of the exported blueprint."""
        return self._path.parent

    def captured(self, stack: str) -> CanonicalGraph | None:
        """The stack as today's tool captures the commit's blueprint.

        None where the commit has no blueprint, or its blueprint no such stack. Raises
        BlueprintInvalid, MlopsError.
        """
        from mlops_iac.graph.comparable import comparable

        loaded = self.loaded
        if loaded is None or stack not in loaded.environments or stack == LOCAL:
            return None
        try:
            return comparable(self._captures.graph(stack))
        except MlopsError as error:
            said = self._without_folder(error.message)
            problem = MlopsError if error.exit_code == 1 else UsageError
            raise problem(
                f"the blueprint at {self.commit.words} cannot be captured: {said}",
                hint="compare with a commit that has a lock file, or mend the blueprint there",
            ) from None

    @cached_property
    def _captures(self) -> Captures:
        assert self.loaded is not None
        former = BaseProject(self.loaded)
        former.ejecting = self._project.ejected  # what runs of the components is the head's
        return Captures(former, self._folder / "compiled")

    def _export(self) -> bool:
        """Write the blueprint and what it names to the folder; False where there is none."""
        from mlops_iac.blueprint.compose import compose

        raw = self.repository.read(self.commit, self._blueprint)
        if raw is None:
            return False
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_bytes(raw)
        root, _ = compose(Source(self._blueprint, raw.decode("utf-8", "replace")))
        self._export_named(root)
        for tree in trees(self._templates, root):
            self._export_named(tree)
        return True

    def _export_named(self, root: Node) -> None:
        """Write the files that texts below `root` name to the folder, where the commit has them."""
        base = posixpath.dirname(self._blueprint)
        for path, text in _texts(root):
            inside = posixpath.normpath(text.split("${")[0].rstrip("/") or ".")
            if inside in (".", "..") and not path.endswith("code"):
                continue
            there = posixpath.normpath(posixpath.join(base, inside))
            if there.startswith("..") or posixpath.isabs(there) or inside in self.named:
                continue
            if self.repository.export(self.commit, there, self._folder / "tree"):
                self.named[inside] = path


def _texts(node: Node, path: str = "") -> Iterator[tuple[str, str]]:
    match node.kind:
        case "map":
            for key, entry in node.entries.items():
                inner = f"{path}.{key}" if path else key
                if inner == "extends.template":
                    continue  # found like every template, and no file of the team's
                yield from _texts(entry.value, inner)
        case "list":
            for item in node.items:
                yield from _texts(item, path)
        case _:
            if node.text and "://" not in node.text and "\n" not in node.text:
                yield path, node.text
