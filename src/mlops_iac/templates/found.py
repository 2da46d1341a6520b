"""A template that was found: its content, and what it says it is."""

from __future__ import annotations

from collections.abc import Mapping

from mlops_iac.blueprint.templates.applying import parse
from mlops_iac.blueprint.templates.content import TemplateContent, TemplateUnavailable
from mlops_iac.blueprint.templates.manifest import Manifest
from mlops_iac.errors import BlueprintInvalid
from mlops_iac.templates.sources.base import TemplateSource
from mlops_iac.templates.sources.folder import FolderSource
from mlops_iac.templates.sources.git import GitCommitSource


def manifest_of(content: TemplateContent) -> Manifest | None:
    """What it says it is, None where `template.yaml` is not what it must be."""
    try:
        return parse(content).manifest
    except BlueprintInvalid:
        return None


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


def said(content: TemplateContent, source: TemplateSource) -> Manifest:
    """What it says it is. Raises TemplateUnavailable where that cannot be read."""
    found = manifest_of(content)
    if found is None:
        raise TemplateUnavailable(
            "template-invalid",
            f"{source.text} has a template.yaml that cannot be read",
            hint="`mlops-iac template test FOLDER` tells what is wrong with it",
        )
    return found
