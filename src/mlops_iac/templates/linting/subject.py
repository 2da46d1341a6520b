"""The template that is looked at, and how its parts are walked."""

from __future__ import annotations

from mlops_iac.blueprint.source import Node
from mlops_iac.blueprint.templates.content import (
    BLUEPRINT,
    MANIFEST,
    POLICIES,
    TemplateContent,
    TemplateFinder,
    Wanted,
)
from mlops_iac.blueprint.templates.manifest import Manifest, Reading
from mlops_iac.records import Record


class Subject(Record):
    """A template whose manifest is sound. `finder` has what it stands on."""

    content: TemplateContent
    parsed: Reading
    finder: TemplateFinder

    @property
    def manifest(self) -> Manifest:
        return self.parsed.manifest

    @property
    def label(self) -> str:
        """`acme/standard@2.1.0`."""
        return self.manifest.label

    def file(self, name: str) -> str:
        """What messages call one of its files."""
        folder = self.parsed.source.file.rpartition("/")[0]
        return f"{folder}/{name}" if folder else name

    def node(self, *keys: str) -> Node | None:
        """What stands in template.yaml under these keys."""
        node = self.parsed.root
        for key in keys:
            entry = node.entries.get(key)
            if entry is None:
                return None
            node = entry.value
        return node

    def key(self, *keys: str) -> Node:
        """The last of these keys in template.yaml; the nearest above it where it is not there."""
        node, place = self.parsed.root, self.parsed.root
        for key in keys:
            entry = node.entries.get(key)
            if entry is None:
                return place
            place, node = entry.key, entry.value
        return place

    def is_own(self, file: str) -> bool:
        """Whether a diagnostic's file is one of this template."""
        return file in map(self.file, (MANIFEST, BLUEPRINT, POLICIES))


class Including:
    """A finder that has the template that is looked at under `source`, and asks for the rest."""

    def __init__(self, content: TemplateContent, source: str, below: TemplateFinder) -> None:
        self._content = content
        self._source = source
        self._below = below

    def find(self, wanted: Wanted) -> TemplateContent:
        """Find one. Raises TemplateUnavailable."""
        if wanted.parent is None and wanted.source == self._source:
            return self._content
        return self._below.find(wanted)
