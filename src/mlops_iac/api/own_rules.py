"""What a change does to the rules that judge it, told before anything else.

Files that make rules: `policies.yaml`, `policies/`, the lock of templates, templates that lie in the
repository, the pinned versions of the tool, CI's own files and who has to review. Values that do:
`extends`, `exceptions`, `protect`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mlops_iac.api import compiling, worktree
from mlops_iac.api.forks import Fork
from mlops_iac.review.model import Risk

if TYPE_CHECKING:
    from mlops_iac.api.baseline import Baseline
    from mlops_iac.api.project import Project
    from mlops_iac.blueprint import LoadedBlueprint

_BESIDE: Final = (("policies.yaml", "what holds"), ("policies", "rules in Python"))
_OF_THE_REPOSITORY: Final = (
    (".github/workflows", "a workflow"),
    (".github/CODEOWNERS", "who has to review"),
    ("CODEOWNERS", "who has to review"),
    ("docs/CODEOWNERS", "who has to review"),
    (".gitlab/CODEOWNERS", "who has to review"),
    (".gitlab-ci.yml", "a pipeline"),
    (".gitlab", "a pipeline"),
    (".azure-pipelines", "a pipeline"),
    ("azure-pipelines.yml", "a pipeline"),
)
_MOST_NAMED: Final = 5


def changed_files(project: Project, baseline: Baseline) -> list[Risk]:
    """Files that make rules and are not as the commit compared with has them."""
    repository, commit = baseline.repository, baseline.commit
    told: dict[str, Risk] = {}
    for place, words in _places(project, baseline):
        then = {path: sha for path, (_, sha) in repository.entries(commit, place)}
        now = _now(project, baseline, place)
        verbs = {
            path: "added" if path not in then else "removed" if path not in now else "changed"
            for path in sorted(then.keys() | now.keys())
            if then.get(path) != now.get(path)
        }
        left = [path for path in verbs if path not in told]
        for path in left[:_MOST_NAMED]:
            told[path] = _risk(project, path, f"{words}, {verbs[path]} here")
        if len(left) > _MOST_NAMED:
            rest = f"{len(left) - _MOST_NAMED} more files that make rules differ"
            told[f"{place} …"] = _risk(project, place, rest)
    return list(told.values())


def changed_values(project: Project, was: LoadedBlueprint, stack: str) -> list[Risk]:
    """Values of a stack that say what judges it, and say something else than they did."""
    found = []
    stands, stood = (
        [template.label for template in loaded.templates] for loaded in (project.loaded, was)
    )
    if stands != stood:
        words = f"it stands on {', '.join(stands) or 'no template'}, and stood on"
        found.append(_risk(project, "extends", f"{words} {', '.join(stood) or 'none'}"))
    if stack not in was.environments:
        return found
    resolved, before = project.resolve(stack), was.resolve(stack).blueprint
    for rule, each in resolved.blueprint.exceptions.items():
        if before.exceptions.get(rule) != each:
            line = resolved.diagnostic(f"exceptions.{rule}", "", "").line
            said = f"lets {rule} pass at {each.at} until {each.until}, which it did not before"
            found.append(_risk(project, f"{project.loaded.shown}:{line} exceptions.{rule}", said))
    if before.protect and not resolved.blueprint.protect:
        words = f"{stack} is protected no longer: rules for production would not look at it"
        found.append(_risk(project, "protect", words))
    return found


def _risk(project: Project, address: str, words: str) -> Risk:
    tail = (
        "what the base says judged this"
        if project.standard is not project
        else "it judged this as it stands now"
    )
    return Risk("own-rules", address, f"{words}; {tail}")


def _places(project: Project, baseline: Baseline) -> Iterator[tuple[str, str]]:
    """Files and folders, relative to the repository's root, and what they are."""
    from mlops_iac.templates.lockfile import lock_path
    from mlops_iac.templates.sources.folder import FolderSource

    base, repository = project.standard, baseline.repository
    here = repository.relative(base.root)
    for name, words in (*_BESIDE, (lock_path(base.path).name, "the lock of templates")):
        yield posixpath.normpath(f"{here}/{name}"), words
    for template in base.loaded.templates:
        source = template.content.origin
        if isinstance(source, FolderSource):
            folder = source.path.resolve()
            if folder.is_relative_to(repository.root) and folder != repository.root:
                yield repository.relative(folder), f"the template {template.label}"
    program = repository.relative(compiling.default_out(base))
    yield f"{program}/requirements.txt", "the versions that CI installs"
    yield from _OF_THE_REPOSITORY


def _now(project: Project, baseline: Baseline, place: str) -> dict[str, bytes]:
    """Files at or below a place as the change has them: path → the id of their content."""
    repository = baseline.repository
    if isinstance(project, Fork):
        found = repository.entries(project.commit, place)
        return {path: sha for path, (_, sha) in found}
    like = len(baseline.commit.sha)
    top = repository.root / place
    paths = [place] if top.is_file() else worktree.files(repository.root, place)
    return {
        path: worktree.blob_id(worktree.stored(repository.root / path), like)
        for path in paths
        if not _is_tool_s(path)
    }


def _is_tool_s(path: str) -> bool:
    return "__pycache__" in Path(path).parts
