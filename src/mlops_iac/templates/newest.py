"""The newest version of each of many templates, asked for once where it is published."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

from mlops_iac.blueprint.templates.content import TemplateUnavailable
from mlops_iac.templates.resolver import Resolver
from mlops_iac.templates.sources.base import TemplateSource
from mlops_iac.templates.sources.folder import FolderSource
from mlops_iac.templates.sources.git import GitSource
from mlops_iac.templates.sources.repositories import Repositories
from mlops_iac.templates.versions import parse_version

Behind = Literal["", "patch", "minor", "major"]
_ASKED_AT_ONCE = 8


def newest_of(
    sources: Sequence[TemplateSource], offline: bool
) -> tuple[dict[str, str], Sequence[str]]:
    """The newest release of each source, and what is to be told of those that do not answer."""
    wanted = {place_of(source): source for source in sources}
    repositories = Repositories(offline=offline)
    asked = [each for each in wanted.values() if isinstance(each, GitSource) and not offline]
    by_url = {each.url: each for each in asked}
    with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:  # the slowest decides, not the sum
        list(pool.map(lambda source: _tags(repositories, source), by_url.values()))
    resolver = Resolver(repositories, [], offline=offline)
    newest: dict[str, str] = {}
    notes: list[str] = []
    for key, source in wanted.items():
        if isinstance(source, GitSource) and offline:
            continue
        try:
            versions = resolver.versions(source)
        except TemplateUnavailable as error:
            notes.append(f"the newest version is not known: {error.message}")
            continue
        released = [each for each in versions if not parse_version(each).prerelease]
        newest[key] = next(iter(released or versions), "")
    if offline and any(isinstance(each, GitSource) for each in wanted.values()):
        notes.append("git repositories are not asked for their newest version: --offline")
    return newest, sorted(dict.fromkeys(notes))


def _tags(repositories: Repositories, source: GitSource) -> None:
    try:
        repositories.tags(source)
    except TemplateUnavailable:
        return  # asked again where it is told


def place_of(source: TemplateSource | None) -> str:
    """What tells one place from another, wherever the blueprint lies."""
    if source is None:
        return ""
    return os.path.normpath(source.path) if isinstance(source, FolderSource) else source.text


def behind(version: str, newest: str) -> Behind:
    """How far `version` is behind `newest`; empty where it is not, or that is not known."""
    if not version or not newest:
        return ""
    old, new = parse_version(version), parse_version(newest)
    if old >= new:
        return ""
    if old.major != new.major:
        return "major"
    return "minor" if old.minor != new.minor else "patch"
