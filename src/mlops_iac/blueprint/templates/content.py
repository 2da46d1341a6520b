"""What a template is before it is read, and who finds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from mlops_iac.errors import UsageError
from mlops_iac.records import Record, replace

MANIFEST = "template.yaml"
BLUEPRINT = "blueprint.yaml"
POLICIES = "policies.yaml"


class TemplateContent(Record):
    """One version of a template as it was fetched.

    `source` is what the lock pins, `digest` is `sha256:…` over the paths, sizes and bytes of
    `files` (POSIX path in the template's folder → content), `origin` what the finder needs to
    resolve relative sources that this template names. `shown` is what messages call its folder;
    empty where that is the name and version.
    """

    source: str
    digest: str
    files: Mapping[str, bytes]
    origin: Any = None
    commit: str = ""
    shown: str = ""

    def shown_as(self, folder: str) -> TemplateContent:
        """The same with another name of its folder in messages."""
        return replace(self, shown=folder)


class Wanted(Record):
    """A template that is asked for.

    `version` is the requirement as written, empty for the newest; `parent` the template whose
    `extends` asks, None where the blueprint does.
    """

    source: str
    version: str = ""
    parent: TemplateContent | None = None


class TemplateUnavailable(UsageError):
    """A template cannot be had; `code` is that of the diagnostic it becomes."""

    def __init__(self, code: str, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code


class TemplateFinder(Protocol):
    """Finds templates, from a lock, a cache, or where they are."""

    def find(self, wanted: Wanted) -> TemplateContent:
        """The version that is pinned, or the newest that fits. Raises TemplateUnavailable."""
