"""What a template is with its parameters: one layer of a blueprint, and what it holds it to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_iac.blueprint.source import Node
from mlops_iac.blueprint.templates.content import TemplateContent
from mlops_iac.blueprint.templates.limits import Limit
from mlops_iac.blueprint.templates.manifest import Manifest
from mlops_iac.records import Record


class AppliedTemplate(Record):
    """A template with its parameters, as one layer of a blueprint.

    `asked` is the source as written, `requested` the version as written. `parameters` are plain
    data. `tree` is its blueprint with the parameters in it, `environments` its overlays by name
    (`*` for all but `local`), `by` the template that extends it.
    """

    asked: str
    requested: str
    content: TemplateContent
    manifest: Manifest
    parameters: Mapping[str, Any]
    tree: Node
    environments: Mapping[str, Node]
    limits: tuple[Limit, ...]
    by: str = ""

    @property
    def label(self) -> str:
        """`acme/standard@2.1.0`."""
        return self.manifest.label

    @property
    def layer(self) -> str:
        """What `explain` calls the layer."""
        return f"template {self.label}"
