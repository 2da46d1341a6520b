"""Rules over what a state holds, with real names and ids, find what they find over a capture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from mlops_iac.api import Project, load
from mlops_iac.api.compile.guard_rail_checks import context_of
from mlops_iac.api.core.guard_rails import configuration, rules
from mlops_iac.graph.model import Resource, ResourceGraph
from mlops_iac.policy.checking import check
from tests.cli.harness import copy_example

OPEN = "overrides: {s3.BucketPublicAccessBlock/data-data-access: {blockPublicPolicy: false}}\n"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    root = copy_example(tmp_path / "project")
    path = root / "blueprint.yaml"
    path.write_text(path.read_text(encoding="utf-8") + OPEN, encoding="utf-8")
    loaded = load(path)
    yield loaded
    loaded.emulated_cloud.stop()


def found(project: Project, resources: Sequence[Resource]) -> set[tuple[str, str]]:
    known = rules(project)
    settings = configuration(project, known)
    graph = ResourceGraph(project.name, "local", tuple(resources))
    context = replace(context_of(project, "local", graph, settings), production=True)
    return {(each.rule, each.urn) for each in check(context, known, settings)}


def test_a_state_breaks_the_rules_that_its_capture_breaks(project: Project) -> None:
    with project.deployment("local") as deployment:
        assert not deployment.up().failures
        state = list(deployment.resources())
    there = {each.urn for each in state}
    captured = [each for each in project.capture("local") if each.urn in there]
    expected = found(project, captured)
    assert {rule for rule, _ in expected} == {"protection", "public-bucket"}
    assert found(project, state) == expected
