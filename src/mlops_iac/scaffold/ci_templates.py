"""Workflows for the repository of a template: checked on every change, released on a tag."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from mlops_iac.errors import UsageError
from mlops_iac.scaffold.ci import common, render
from mlops_iac.scaffold.ci_options import Options
from mlops_iac.templates.sources.git import tag_start

_PLACES: Final = {
    "github": (".github/workflows/mlops-iac-{}-template.yml", ".github/mlops-iac-{}.lock"),
    "gitlab": (".gitlab/mlops-iac-{}-template.yml", ".gitlab/mlops-iac-{}.lock"),
    "azure-devops": (
        ".azure-pipelines/mlops-iac-{}-template.yml",
        ".azure-pipelines/mlops-iac-{}.lock",
    ),
}
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(/[A-Za-z0-9][A-Za-z0-9_-]*)*")
_FOLDER: Final = re.compile(r"\.|[A-Za-z0-9_][A-Za-z0-9_./-]*")


@dataclass(frozen=True, slots=True)
class TemplateDelivery:
    """What the workflows are for: the template `name` in `folder` of its repository (`.`: all of it).

    `named` are the addresses of repositories that have templates which it names.
    """

    name: str
    folder: str
    options: Options = field(default_factory=Options)
    named: Sequence[str] = ()


def places(platform: str, name: str) -> tuple[str, str]:
    """The file of a platform's workflow and the lock of what it installs, from the root on."""
    workflow, lock = _PLACES[platform]
    slug = name.replace("/", "-")
    return workflow.format(slug), lock.format(slug)


def workflows(platform: str, delivery: TemplateDelivery) -> dict[str, str]:
    """Path relative to the repository's root → content. Raises UsageError for names that none carries."""
    name, folder = delivery.name, delivery.folder
    for what, text, form in (("template", name, _NAME), ("folder", folder, _FOLDER)):
        if not form.fullmatch(text) or ".." in text:
            raise UsageError(f"the {what} {text!r} cannot stand in a workflow")
    if delivery.options.cache:
        raise UsageError("a workflow that releases takes nothing from a cache", hint="--no-cache")
    path, lock = places(platform, name)
    start = tag_start("" if folder == "." else folder)
    values = {
        **common(platform, delivery.options, lock, delivery.named),
        "name": name,
        "project": name.replace("/", "-"),
        "folder": folder,
        "start": start,
        "tag_pattern": f"/^{re.escape(start)}[0-9]+[.][0-9]+[.][0-9]+/",
    }
    file = {"azure-devops": "azure"}.get(platform, platform)
    return {path: render(f"{file}-template.yml", values)}
