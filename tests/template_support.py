"""Templates made of texts, and a finder that has them; what tests of templates share."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from mlops_iac.blueprint import LoadedBlueprint, inspect
from mlops_iac.blueprint.templates.content import (
    TemplateContent,
    TemplateUnavailable,
    Wanted,
)
from mlops_iac.errors import Diagnostic
from tests.sagemaker_blueprints import PREDICT

TEAM = """\
blueprint: 1
name: churn
owner: team@acme.com
platform: sagemaker
region: eu-west-1
extends: [{template: standard}]
datasets: {customers: {source: data/customers.csv, format: csv, target: churned}}
models:
  churn:
    code: workload/
    runtime: {framework: scikit-learn, version: 1.9}
    train: {script: train.py}
serving: {api: {mode: real-time}}
environments: {dev: {}, prod: {account: 210987654321}}
"""


def template(
    manifest: str = "", blueprint: str = "", *, name: str = "acme/standard", version: str = "2.1.0"
) -> TemplateContent:
    """A template of two texts; its head is written for them."""
    head = f"template: 1\nname: {name}\nversion: {version}\n"
    files = {"template.yaml": (head + manifest).encode(), "blueprint.yaml": blueprint.encode()}
    digest = hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()
    return TemplateContent(name, f"sha256:{digest}", files)


class Shelf:
    """A finder of what it is given; `asked` is what was asked for."""

    def __init__(self, **templates: TemplateContent) -> None:
        self.templates: Mapping[str, TemplateContent] = templates
        self.asked: list[Wanted] = []

    def find(self, wanted: Wanted) -> TemplateContent:
        self.asked.append(wanted)
        if wanted.source not in self.templates:
            raise TemplateUnavailable("no-template", f"there is no '{wanted.source}'", hint="none")
        return self.templates[wanted.source]


def workspace(folder: Path, blueprint: str = TEAM) -> Path:
    """A team's folder with what its blueprint names; the blueprint's path."""
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data/customers.csv").write_text("age,churned\n1,0\n", encoding="utf-8")
    (folder / "workload").mkdir(exist_ok=True)
    (folder / "workload/train.py").write_text("", encoding="utf-8")
    (folder / "workload/predict.py").write_text(PREDICT, encoding="utf-8")
    path = folder / "blueprint.yaml"
    path.write_text(blueprint, encoding="utf-8")
    return path


def read(
    folder: Path,
    blueprint: str = TEAM,
    *,
    command_line: tuple[str, ...] = (),
    **templates: TemplateContent,
) -> tuple[LoadedBlueprint | None, list[Diagnostic]]:
    """The team's blueprint over these templates, called `blueprint.yaml` in messages."""
    path = workspace(folder, blueprint)
    shelf = Shelf(**templates)
    return inspect(path, templates=shelf, shown="blueprint.yaml", command_line=command_line)


def valid(folder: Path, blueprint: str = TEAM, **templates: TemplateContent) -> LoadedBlueprint:
    """The blueprint; its problems fail the test."""
    loaded, found = read(folder, blueprint, **templates)
    assert loaded is not None, [f"{each.file}:{each.line}: {each.message}" for each in found]
    return loaded
