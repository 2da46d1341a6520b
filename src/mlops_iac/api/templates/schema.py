"""The blueprint's JSON Schema with the parameters of templates in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_iac.errors import BlueprintInvalid, MlopsError, UsageError

if TYPE_CHECKING:
    from mlops_iac.blueprint.templates.manifest import Manifest


def schema(
    blueprint: str | Path | None, templates: Sequence[str] = ()
) -> tuple[dict[str, Any], list[str]]:
    """The schema, and what to tell.

    It knows the parameters of `templates` (SOURCE or SOURCE@VERSION) and of what the file at
    `blueprint` extends, if there is one; it need not be valid otherwise. Raises UsageError for one
    of `templates` that cannot be had.
    """
    from mlops_iac.blueprint import json_schema
    from mlops_iac.blueprint.compose import compose
    from mlops_iac.blueprint.source import read
    from mlops_iac.blueprint.templates.applying import parse, uses
    from mlops_iac.blueprint.templates.content import Wanted
    from mlops_iac.templates.finder import Finder

    found: dict[str, Manifest] = {}
    notes: list[str] = []
    path = Path(blueprint) if blueprint is not None else None
    if path is not None and path.is_file():
        try:
            entry = compose(read(path, path.as_posix()))[0].entries.get("extends")
            wanted = [use for use, _ in uses(entry.value)[0]] if entry is not None else []
            finder = Finder.beside(path) if wanted else None
        except MlopsError as error:
            notes.append(f"parameters of templates are left out: {error.message}")
            wanted = []
        for use in wanted:
            assert finder is not None
            try:
                content = finder.find(Wanted(use.template, use.version or ""))
                found[use.template] = parse(content).manifest
            except MlopsError as error:
                notes.append(f"its parameters are left out: {error.message}")
    for each in templates:
        source, manifest = _named(each, path)
        found[source] = manifest
    return json_schema(found), notes


def _named(wanted: str, path: Path | None) -> tuple[str, Manifest]:
    from mlops_iac.api.templates.showing import find
    from mlops_iac.blueprint.templates.applying import parse

    source, content = find(wanted, path)
    try:
        return source, parse(content).manifest
    except BlueprintInvalid as error:
        raise UsageError(f"{source} is no template: {error.diagnostics[0].message}") from None
