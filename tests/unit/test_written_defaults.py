"""A default that is written out is treated as if it were left out: by the language and the platform."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.api.compile.checks import problems
from mlops_iac.api.project import Project
from mlops_iac.blueprint import examine
from mlops_iac.blueprint.fields import fields_of
from mlops_iac.blueprint.sections.base import Section
from mlops_iac.blueprint.words import join
from tests.sagemaker_blueprints import MAXIMAL, write
from tests.unit.test_blueprint_language import sections

# What SageMaker support refuses as a whole, so that every section of the language stands somewhere.
REFUSED = (
    MAXIMAL.replace(
        "datasets:\n",
        "datasets:\n  events: {stream: {records_per_second: 5}}\n  made: {format: parquet}\n",
        1,
    )
    .replace(
        "serving:\n",
        "serving:\n"
        "  night: {mode: batch, model: adherence, input: schedules, output: made, schedule: '0 2 * * *'}\n"
        "  feed: {mode: streaming, model: adherence, input: events, output: made, capture: {}}\n"
        "  edge: {mode: edge, model: adherence, device: {architecture: arm64}, fleet: {existing: x}}\n",
        1,
    )
    .replace(
        "      gates: {accuracy: {at_least: 0.8},",
        "      gates: {f1: {no_worse_than: current}, accuracy: {at_least: 0.8},",
    )
    .replace("metrics: {accuracy", "metrics: {f1: maximize, accuracy")
    .replace("env: {STAGE: prepare}", "env: {STAGE: {secret: key}}")
    .replace(
        "    monitor: {limits",
        "    monitor: {outcomes: {dataset: schedules, key: project_id}, limits",
    )
    .replace(
        "alerts: {",
        "features: {f: {dataset: schedules, entity: id, time: at, fields: {progress: float}}}\n"
        "secrets: {key: {}}\n"
        "delivery: {repository: github.com/acme/adherence}\n"
        "alerts: {hook: {webhook: {secret: key}}, ",
    )
    .replace(
        "security:\n",
        "security:\n  identity: {issuer: 'https://id.example', client: x, secret: key}\n",
        1,
    )
)


def errors(path: Path, *command_line: str) -> tuple[Project, set[tuple[str, str, str]]]:
    loaded, found = examine(path, command_line=command_line)
    assert loaded is not None
    project = Project(loaded)
    every = problems(project, found)
    return project, {(e.code, e.path, e.message) for e in every if e.severity == "error"}


def inside(value: Any, path: str = "") -> Iterator[tuple[str, Section]]:
    match value:
        case Section():
            yield path, value
            for item in fields_of(type(value)).values():
                yield from inside(vars(value).get(item.name), join(path, item.key))
        case dict():
            for key, item in value.items():
                yield from inside(item, join(path, key))


def defaults(project: Project) -> dict[str, Any]:
    """Paths that are not written, and what is documented for them."""
    resolved = project.resolve("dev")
    everywhere = [project.resolve(name) for name in project.environments]
    return {
        join(path, item.key): {} if isinstance(item.default(), Section) else item.default()
        for path, section in inside(resolved.blueprint)
        for item in fields_of(type(section)).values()
        if not item.required
        and item.default() is not None
        and not any(each.is_written(join(path, item.key)) for each in everywhere)
        and item.key not in ("environments", "extends")  # no overlay has those
    }


@pytest.mark.parametrize("text", [MAXIMAL, REFUSED], ids=["supported", "refused"])
def test_a_written_default_changes_nothing(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, text)
    project, before = errors(path)
    assert bool(before) is (text is REFUSED)
    wrong = {}
    found = defaults(project)
    assert len(found) > 45
    for at, value in found.items():
        after = errors(path, f"{at}={json.dumps(value)}")[1]
        if after != before:
            wrong[at] = after ^ before
    assert wrong == {}
    together = [f"{at}={json.dumps(value)}" for at, value in found.items()]
    assert errors(path, *together)[1] == before


def test_every_section_of_the_language_stands_somewhere(tmp_path: Path) -> None:
    project, _ = errors(write(tmp_path, REFUSED))
    there = {type(section).__name__ for _, section in inside(project.resolve("prod").blueprint)}
    language = {each.__name__ for each in sections() if ".blueprint.sections." in each.__module__}
    abstract = {"ServingEntry", "Step"}
    unused = {"TemplateUse", "OtherPlatformOptions", "SecretEntry"}
    assert language - there - abstract - unused == set()
