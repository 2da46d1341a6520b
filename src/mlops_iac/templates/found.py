"""A template that was found: its content, and what it says it is."""

from __future__ import annotations

from collections.abc import Mapping

from mlops_iac.blueprint.templates.applying import parse
from mlops_iac.blueprint.templates.content import TemplateContent, TemplateUnavailable
from mlops_iac.errors import BlueprintInvalid
from mlops_iac.records import Record
from mlops_iac.templates.sources.base import TemplateSource
from mlops_iac.templates.sources.folder import FolderSource
from mlops_iac.templates.sources.git import GitCommitSource


class Identity(Record):
    """What a template says it is."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


def identity(content: TemplateContent) -> Identity | None:
    """Name and version, None where `template.yaml` is not what it must be."""
    try:
        manifest = parse(content).reading.manifest
    except BlueprintInvalid:
        return None
    return Identity(manifest.name, manifest.version)


def content_of(
    source: TemplateSource, digest: str, files: Mapping[str, bytes], *, cached: bool = False
) -> TemplateContent:
    """What is handed to the blueprint; `source` is what its relative sources start from.

    What is `cached` in the place of what stands in a folder now has none of that folder's lines.
    """
    return TemplateContent(
        source=source.text,
        digest=digest,
        files=files,
        origin=source,
        commit=source.commit if isinstance(source, GitCommitSource) else "",
        shown=source.text if isinstance(source, FolderSource) and not cached else "",
    )


def said(content: TemplateContent, source: TemplateSource) -> Identity:
    """Name and version. Raises TemplateUnavailable where they cannot be read."""
    found = identity(content)
    if found is None:
        raise TemplateUnavailable(
            "template-invalid",
            f"{source.text} has a template.yaml that cannot be read",
            hint="`mlops-iac template test FOLDER` tells what is wrong with it",
        )
    return found
