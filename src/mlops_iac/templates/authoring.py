"""A template in a folder, for whoever writes it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from mlops_iac.blueprint.loaded import shown_as
from mlops_iac.blueprint.reach import checkout_around
from mlops_iac.blueprint.templates.content import TemplateContent, Wanted
from mlops_iac.blueprint.words import listed
from mlops_iac.errors import UsageError
from mlops_iac.templates.files import digest, read_folder
from mlops_iac.templates.finder import Finder
from mlops_iac.templates.found import identity
from mlops_iac.templates.lockfile import Lock, lock_path, write_lock
from mlops_iac.templates.sources.folder import folder_source
from mlops_iac.templates.versions import VersionInvalid, parse_version


def read_template(folder: Path) -> TemplateContent:
    """The template in `folder`, called as people in the current folder would write it.

    Raises UsageError where there is no folder, TemplateUnavailable for what is no template.
    """
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "is not there"
        raise UsageError(f"{folder} {what}", hint="name the folder that holds template.yaml")
    shown = shown_as(folder)
    place = folder.absolute().as_posix()
    files = read_folder(folder, shown)
    return TemplateContent(
        source=place,
        digest=digest(files),
        files=files,
        origin=folder_source(place, folder.absolute()),
        shown=shown,
    )


def finder_of(folder: Path, *, offline: bool = False) -> Finder:
    """Finds what the template in `folder` stands on, as its `blueprint.lock` pins it.

    Raises BlueprintInvalid for a lock that cannot be read.
    """
    return Finder.beside(_blueprint(folder), offline=offline)


def pin(folder: Path, finder: Finder) -> Path | None:
    """Write the lock of what the template in `folder` stands on; the path where that changed it.

    Only what comes from repositories: folders and packages are what they are. Raises UsageError.
    """
    pins = tuple(each for each in finder.pins().pins if each.template.startswith("git+"))
    path = lock_path(_blueprint(folder))
    return path if write_lock(path, Lock(pins)) else None


def _blueprint(folder: Path) -> Path:
    return folder.absolute() / "blueprint.yaml"


PREVIOUS = "previous"


class NothingTagged(UsageError):
    """No tag of the repository is a version of the template."""


def former(folder: Path, content: TemplateContent, against: str) -> TemplateContent:
    """The version to compare the template in `folder` with.

    `against` is `previous` (the newest that the tags of its own repository have, below its own
    version, or that one where it is published with other content or is the only one), a version that
    they have, a folder, or SOURCE[@VERSION]. Raises NothingTagged where the tags have no version of
    it at all, UsageError where there is none to compare with.
    """
    version = _as_version(against)
    if against == PREVIOUS or version:
        return _tagged(folder, content, version)
    place = Path(against)
    if place.is_dir():
        return read_template(place)
    source, _, version = against.rpartition("@")
    if not source or "/" in version:  # git+ssh://git@host/…
        source, version = against, ""
    return finder_of(folder).find(Wanted(source, version))


def _as_version(text: str) -> str:
    try:
        return str(parse_version(text.removeprefix("v")))
    except VersionInvalid:
        return ""


def _tagged(folder: Path, content: TemplateContent, version: str) -> TemplateContent:
    place = folder.resolve()
    root = checkout_around(place)
    elsewhere = "name a folder, or a source with its version: --against git+https://…@2.0.0"
    if root is None:
        raise UsageError(
            f"{folder} is in no git repository: there is no version before", hint=elsewhere
        )
    inside = place.relative_to(root).as_posix()
    within = f"#subdirectory={inside}" if inside != "." else ""
    source = f"git+file://{quote(root.as_posix())}{within}"
    finder = finder_of(folder)
    known = finder.versions(source)
    if not known and not version:
        raise NothingTagged(
            f"no tag of the repository {root.name} is a version of the template",
            hint="the first version has none before it: --first-version; a clone without tags gets them"
            " with `git fetch --tags`",
        )
    if not version:
        own = identity(content)
        if own is not None and own.version in known:
            published = finder.find(Wanted(source, own.version))
            # Nobody gets what was changed since; and the first one that is tagged is the one to keep to.
            if published.digest != content.digest or len(known) == 1:
                return published
        below = [
            each
            for each in known
            if own is None or parse_version(each) < parse_version(own.version)
        ]
        if not below:
            this = f"before {own.version}" if own else "of the template"
            raise UsageError(
                f"no tag of the repository {root.name} is a version {this}; it has {listed(known, most=5)}",
                hint="a template in a folder of it has tags of its own, NAME-v1.0.0: plain ones are then"
                " another's",
            )
        released = [each for each in below if not parse_version(each).prerelease]
        is_candidate = own is not None and parse_version(own.version).prerelease
        version = (below if is_candidate else released or below)[0]
    elif version not in known:
        there = listed(known, most=5) or "none"
        raise UsageError(f"no tag of {root.name} has {version}", hint=f"there is: {there}")
    return finder.find(Wanted(source, version))
