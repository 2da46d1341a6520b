"""The content of a template: exactly what is locked, or the newest version that fits."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mlops_iac.blueprint.templates.content import TemplateContent, TemplateUnavailable
from mlops_iac.templates.cache import ContentCache
from mlops_iac.templates.files import digest, shown
from mlops_iac.templates.found import content_of, manifest_of, said
from mlops_iac.templates.lockfile import Pin
from mlops_iac.templates.pinning import changed
from mlops_iac.templates.sources.base import PresentSource, TemplateSource
from mlops_iac.templates.sources.folder import FolderSource
from mlops_iac.templates.sources.git import (
    GitCommitSource,
    GitSource,
    tags_instead,
    versions_of,
)
from mlops_iac.templates.sources.repositories import Repositories
from mlops_iac.templates.versions import (
    Requirement,
    VersionInvalid,
    newest,
    none_fits,
    parse_requirement,
    parse_version,
)


class Resolver:
    """Gets contents from the cache or from where they are; `notes` collects what to tell."""

    def __init__(self, repositories: Repositories, notes: list[str], *, offline: bool) -> None:
        self._repositories = repositories
        self._notes = notes
        self._offline = offline
        self._cache = ContentCache()

    def versions(self, source: TemplateSource) -> list[str]:
        """Every version there is, the newest first. Raises TemplateUnavailable."""
        if isinstance(source, GitSource):
            known = list(versions_of(self._repositories.tags(source), source.subdirectory))
        else:
            known = [said(self.present(source), source).version]
        return sorted(known, key=parse_version, reverse=True)

    # -- with a pin --------------------------------------------------------------------------
    def pinned(self, source: TemplateSource, pin: Pin) -> TemplateContent:
        """Exactly what is locked, or an error: never something else in silence."""
        content = self._locked(source, pin)
        own = manifest_of(content)
        if own is not None and (own.name, own.version) != (pin.name, pin.version):
            raise TemplateUnavailable(
                "lock-edited",
                f"{source.text} is pinned as {pin.name}@{pin.version}, and what is pinned is"
                f" {own.label}",
                hint="the template lock was edited: `mlops-iac template update` writes it anew",
            )
        return content

    def _locked(self, source: TemplateSource, pin: Pin) -> TemplateContent:
        if isinstance(source, GitSource):
            return self._pinned_in_git(source, pin)
        if isinstance(source, GitCommitSource):
            files = self._cached(pin, source)
            if files is not None:
                return content_of(source, pin.digest, files, cached=True)
        try:
            present = self.present(source)
        except TemplateUnavailable:
            files = self._cached(pin, source)
            if files is None:
                raise
            self._notes.append(f"{source.text} is not there; {pin.version} is from the cache")
            return content_of(source, pin.digest, files, cached=True)
        if present.digest == pin.digest:
            return present
        there = said(present, source).version
        if there == pin.version:
            raise changed(source, pin, present.digest)
        files = self._cached(pin, source)
        if files is None:
            raise TemplateUnavailable(
                "template-not-locked",
                f"{source.text} is pinned at {pin.version} and has {there}",
                hint=f"`mlops-iac template update` takes {there} after showing what it does",
            )
        self._notes.append(
            f"{source.text} has {there}; {pin.version} is pinned: `mlops-iac template update`"
        )
        return content_of(source, pin.digest, files, cached=True)

    def _pinned_in_git(self, source: GitSource, pin: Pin) -> TemplateContent:
        files = self._cached(pin, source)
        if files is not None:
            return content_of(source.at(pin.commit), pin.digest, files)
        if self._offline:
            raise TemplateUnavailable(
                "template-offline",
                f"{pin.name}@{pin.version} ({source.text}) is not in the cache: working offline",
                hint="run once without MLOPS_IAC_OFFLINE; from then on the cache has it",
            )
        content = self._fetched(source, pin.version, pin)
        if content.digest != pin.digest:
            raise changed(source, pin, content.digest)
        return content

    def _cached(self, pin: Pin, source: TemplateSource) -> Mapping[str, bytes] | None:
        commit = pin.commit if isinstance(source, GitSource) else _commit(source)
        if not self._cache.had_from(pin.digest, _origin(source, commit)):
            return None
        return self._cache.get(pin.digest)

    def former(
        self,
        source: TemplateSource,
        pin: Pin | None,
        past: Callable[[TemplateSource], Mapping[str, bytes] | None],
    ) -> TemplateContent | None:
        """What was pinned, by its digest, whatever has become of the place that it is from.

        `past` gives the files that the source once had, where the cache does not have them.
        """
        files = self._cache.get(pin.digest) if pin is not None else None
        if files is None:
            files = past(source)
        if pin is None or files is None or digest(files) != pin.digest:
            return None
        there = source.at(pin.commit) if isinstance(source, GitSource) else source
        return content_of(there, pin.digest, files)

    # -- without a pin -----------------------------------------------------------------------
    def resolved(
        self, source: TemplateSource, request: Requirement, pin: Pin | None
    ) -> TemplateContent:
        """The newest that fits. `pin` is what was locked before, whose content may not change."""
        if isinstance(source, GitSource):
            tags = self._repositories.tags(source)
            known = versions_of(tags, source.subdirectory)
            version = newest(request, known)
            if not version:
                instead = "" if known else tags_instead(tags, source.subdirectory)
                raise _no_version(source, request, known, instead)
            content = self._fetched(source, version, pin)
        else:
            content = self.present(source)
            own = manifest_of(content)
            if own is None:
                return content  # whoever reads it tells what is wrong with it
            if not request.fits(_version(own.version, source)):
                raise _no_version(source, request, [own.version])
            version = own.version
        # A folder is its owner's: being told to update it is being told to take what is there.
        mutable = isinstance(source, FolderSource | GitCommitSource)
        if (
            pin is not None
            and pin.version == version
            and pin.digest != content.digest
            and not mutable
        ):
            raise changed(source, pin, content.digest)
        return content

    def _fetched(self, source: GitSource, version: str, pin: Pin | None) -> TemplateContent:
        try:
            known = versions_of(self._repositories.tags(source), source.subdirectory)
            if version not in known:
                raise _no_version(source, parse_requirement(version), known)
            fetched = self._repositories.at_tag(source, known[version])
        except TemplateUnavailable as error:
            if pin is None or error.code != "template-unreachable":
                raise
            raise TemplateUnavailable(
                error.code,
                error.message,
                hint=f"{error.hint}; {pin.version}, which is pinned, needs no network once it is cached",
            ) from None
        content = self._kept(source.at(fetched.commit), fetched.files)
        own = manifest_of(content)
        if own is not None and own.version != version:
            raise TemplateUnavailable(
                "template-wrong-version",
                f"the tag of {version} in {source.text} holds {own.label}",
                hint="its publisher has to tag what template.yaml says",
            )
        return content

    def present(self, source: TemplateSource) -> TemplateContent:
        """What a source without versions holds now."""
        if isinstance(source, GitCommitSource):
            files = self._repositories.at_commit(source.repository, source.commit).files
        else:
            present: PresentSource = source  # type: ignore[assignment]
            files = present.read()
        return self._kept(source, files)

    def _kept(self, source: TemplateSource, files: Mapping[str, bytes]) -> TemplateContent:
        origin = _origin(source, _commit(source))
        return content_of(source, self._cache.put(files, origin), files)


def _commit(source: TemplateSource) -> str:
    return source.commit if isinstance(source, GitCommitSource) else ""


def _origin(source: TemplateSource, commit: str) -> str:
    """What a content is kept as coming from. A folder's is where a blueprint says it is."""
    return f"{source.text}@{commit}" if commit else source.text


def _version(text: str, source: TemplateSource) -> str:
    try:
        parse_version(text)
    except VersionInvalid as error:
        message = f"{source.text}: {error.message}"
        raise TemplateUnavailable("template-version", message, hint=error.hint) from None
    return text


def _no_version(
    source: TemplateSource,
    request: Requirement,
    known: Mapping[str, object] | list[str],
    hint: str = "",
) -> TemplateUnavailable:
    wanted = f"no version that fits '{shown(request.text)}'" if request.low else "no release"
    return TemplateUnavailable(
        "template-no-version", f"{source.text} has {wanted}: {none_fits(request, known)}", hint=hint
    )
