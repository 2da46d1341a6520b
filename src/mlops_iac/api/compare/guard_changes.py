"""What a change does to what judges and steers it, told before anything else.

Files: `policies.yaml`, `policies/`, the template lock, templates that lie in the repository, the
packages that CI installs, ejected components, CI's own files, who has to review, settings of a stack that are not ours.
Values: the project's name, `extends`, `exceptions`, `protect`, environments that come and go.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any, Final, Protocol

from mlops_iac.api.compare.forks import ForkedProject
from mlops_iac.api.compile import captures, programs
from mlops_iac.api.compile.package_lock import NAME as LOCK
from mlops_iac.api.core import worktree
from mlops_iac.blueprint.fill import LOCAL
from mlops_iac.program.ejected import FOLDER
from mlops_iac.review.model import Risk
from mlops_iac.templates.files import CI_FILES

if TYPE_CHECKING:
    from mlops_iac.api.compare.baseline import Baseline
    from mlops_iac.api.core.project import BaseProject
    from mlops_iac.api.core.repository import Commit, Repository
    from mlops_iac.blueprint import LoadedBlueprint

# What CI systems run, and whom they ask; GitHub, GitLab, Azure DevOps and Bitbucket.
_MOST: Final = 10
_LONGEST: Final = 120
_LINKS: Final = 4


class Tree(Protocol):
    """A state of the repository: of a commit, or of the files of a checkout."""

    def at(self, place: str) -> dict[str, bytes]:
        """Files at or below a place, and what links there lead to: path → id of the content."""

    def names(self) -> list[str]:
        """What lies in the root."""

    def read(self, path: str) -> bytes:
        """A file; nothing where there is none."""


class CommitTree:
    """What a commit holds."""

    def __init__(self, repository: Repository, commit: Commit) -> None:
        self._repository, self._commit = repository, commit

    def at(self, place: str, links: int = _LINKS) -> dict[str, bytes]:
        found = {}
        for path, (mode, identity) in self._repository.entries(self._commit, place):
            found[path] = identity
            if mode == worktree.LINK and links:
                target = _target(path, self._repository.blob(identity))
                found |= self.at(target, links - 1) if target else {}
        return found

    def names(self) -> list[str]:
        return self._repository.names(self._commit)

    def read(self, path: str) -> bytes:
        return self._repository.read(self._commit, path) or b""


class WorkTree:
    """What the checkout has, committed or not."""

    def __init__(self, repository: Repository, like: int) -> None:
        self._repository, self._like = repository, like

    def at(self, place: str, links: int = _LINKS) -> dict[str, bytes]:
        root = self._repository.root
        index, _ = self._repository.index(place)
        found = {path: item.sha for path, item in index.items() if _is_submodule(item)}
        top = root / place
        whole = top.is_symlink() or top.is_file()
        for path in [place] if whole else worktree.files(root, place):
            if path.endswith(".pyc"):
                continue
            content = worktree.stored(root / path)
            found[path] = worktree.blob_id(content, self._like)
            if (root / path).is_symlink() and links:
                target = _target(path, content)
                found |= self.at(target, links - 1) if target else {}
        return found

    def names(self) -> list[str]:
        return sorted(entry.name for entry in self._repository.root.iterdir())

    def read(self, path: str) -> bytes:
        return worktree.stored(self._repository.root / path)


def _is_submodule(item: Any) -> bool:
    return getattr(item, "mode", 0) == worktree.SUBMODULE


def _target(path: str, text: bytes) -> str:
    """Where a link leads within the repository; empty where it leads out of it."""
    target = posixpath.join(posixpath.dirname(path), text.decode("utf-8", "surrogateescape"))
    plain = posixpath.normpath(target)
    return "" if plain.startswith(("/", "..")) or plain == "." else plain


def changed_files(project: BaseProject, baseline: Baseline) -> list[Risk]:
    """Files that make rules and are not as the commit compared with has them."""
    then: Tree = CommitTree(baseline.repository, baseline.commit)
    now: Tree = (
        CommitTree(baseline.repository, project.commit)
        if isinstance(project, ForkedProject)
        else WorkTree(baseline.repository, len(baseline.commit.sha))
    )
    told: dict[str, str] = {}
    for place, words in _places(project, baseline, then, now):
        old, new = then.at(place), now.at(place)
        for path in sorted(old.keys() | new.keys()):
            if old.get(path) != new.get(path):
                verb = "added" if path not in old else "removed" if path not in new else "changed"
                told.setdefault(path, f"{words}, {verb} here")
    told |= _settings(project, baseline, then, now)
    if isinstance(project, ForkedProject):
        told |= _written_by_hand(project, baseline, then, now)
    risks = [_risk(project, path, words) for path, words in list(told.items())[:_MOST]]
    if len(told) > _MOST:
        risks.append(_risk(project, "…", f"{len(told) - _MOST} more such files differ"))
    return risks


def changed_values(project: BaseProject, was: LoadedBlueprint, stack: str) -> list[Risk]:
    """Values that say what judges a stack, and say something else than they did."""
    found = []
    if project.name != was.name:
        found.append(_risk(project, "name", f"the project is called {project.name} here"))
    stands, stood = (
        [(each.label, each.content.source, each.content.digest) for each in loaded.templates]
        for loaded in (project.loaded, was)
    )
    if stands != stood:
        now, then = (
            ", ".join(f"{label} ({source})" for label, source, _ in each) or "no template"
            for each in (stands, stood)
        )
        words = f"it stands on {now}, and stood on {then}" if now != then else f"{now} is another"
        found.append(_risk(project, "extends", words))
    names, before = set(project.environments), set(was.environments)
    for name in sorted(names ^ before):
        verb = "added here" if name in names else "removed here"
        found.append(
            _risk(project, f"environments.{name}", f"{verb}; each has a review of its own")
        )
    if stack not in was.environments:
        return found
    resolved, old = project.resolve(stack), was.resolve(stack).blueprint
    for rule, each in resolved.blueprint.exceptions.items():
        if old.exceptions.get(rule) != each:
            line = resolved.diagnostic(f"exceptions.{rule}", "", "").line
            said = f"lets {rule} pass at {each.at} until {each.until}, which it did not before"
            found.append(_risk(project, f"{project.loaded.shown}:{line} exceptions.{rule}", said))
    if old.protect and not resolved.blueprint.protect:
        words = f"{stack} is protected no longer: rules for production would not look at it"
        found.append(_risk(project, "protect", words))
    return found


def _risk(project: BaseProject, address: str, words: str) -> Risk:
    tail = (
        "what the base says judged this"
        if project.standard is not project
        else "it judged this as it stands now"
    )
    return Risk("own-rules", _printable(address), f"{_printable(words)}; {tail}")


def _printable(text: str) -> str:
    """On one line, and no longer than that others have room beside it."""
    shown = "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


def _places(
    project: BaseProject, baseline: Baseline, then: Tree, now: Tree
) -> Iterator[tuple[str, str]]:
    """Files and folders, relative to the repository's root, and what they are."""
    from mlops_iac.templates.lockfile import lock_path

    base, repository = project.standard, baseline.repository
    here = repository.relative(base.root)
    for name, words in (
        ("policies.yaml", "what holds"),
        ("policies", "rules in Python"),
        (lock_path(base.path).name, "the template lock"),
    ):
        yield posixpath.normpath(f"{here}/{name}"), words
    for folder, label in template_folders(base):
        if folder.is_relative_to(repository.root) and folder != repository.root:
            yield repository.relative(folder), f"the template {label}"
    yield f"{_program(project, baseline)}/requirements.txt", "the versions that CI locks"
    yield f"{_program(project, baseline)}/{LOCK}", "the packages that CI installs"
    yield f"{_program(project, baseline)}/{FOLDER}", "an ejected component, which is code"
    roots = {*then.names(), *now.names()}
    for pattern in CI_FILES:
        matching = [pattern] if "/" in pattern else [n for n in roots if fnmatch(n, pattern)]
        yield from ((place, "what CI runs, or whom it asks") for place in sorted(matching))


def template_folders(project: BaseProject) -> Iterator[tuple[Any, str]]:
    """Folders of templates that a project stands on, links followed, and the templates' labels."""
    from mlops_iac.templates.sources.folder import FolderSource

    for template in project.loaded.templates:
        source = template.content.origin
        if isinstance(source, FolderSource):
            yield source.path.resolve(), template.label


def _program(project: BaseProject, baseline: Baseline) -> str:
    return baseline.repository.relative(programs.default_out(project.standard))


def _settings(project: BaseProject, baseline: Baseline, then: Tree, now: Tree) -> dict[str, str]:
    """Keys of stack files that are nobody's of us, and differ."""
    from mlops_iac.program import stackfile

    told = {}
    for stack in project.standard.environments:
        if stack == LOCAL:
            continue
        path = f"{_program(project, baseline)}/{stackfile.name(stack)}"
        ours = project.standard.platform_of(stack).provider_config(project.standard.resolve(stack))
        old, new = (
            stackfile.foreign(tree.read(path), project.standard.name, ours) for tree in (then, now)
        )
        keys = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
        if keys:
            told[path] = f"settings of {stack} that the blueprint does not make: {', '.join(keys)}"
    return told


def _written_by_hand(
    fork: ForkedProject, baseline: Baseline, then: Tree, now: Tree
) -> dict[str, str]:
    """Files of the program that the fork changes to what no blueprint of it gives."""
    from mlops_iac.program.write import stale

    place = _program(fork, baseline)
    old, new = then.at(place), now.at(place)
    changed = {path.removeprefix(f"{place}/") for path in new if old.get(path) != new[path]}
    folder = fork.root / ".program"
    if not changed or not baseline.repository.export(fork.commit, place, folder):
        return {}
    reasons = stale(captures.build(fork, programs.default_out(fork)), folder / place)
    by_file = {reason.split(" ", 1)[0]: reason for reason in reasons}
    return {
        f"{place}/{name}": f"not what its blueprint gives, and `up` refuses it: {by_file[name]}"
        for name in sorted(changed & by_file.keys())
        if not name.startswith(f"{FOLDER}/")
    }
