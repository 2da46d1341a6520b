"""No two environments of one account give one physical name twice, an ephemeral one included.

Not even but for what a name ends with at random: whoever may change one stack by its names must not
reach another.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.api import Project
from mlops_iac.api.compile import captures, programs
from mlops_iac.api.kinds import Ephemeral
from mlops_iac.emulators.aws.provider import AwsProvider
from mlops_iac.engine.embedded.autonaming import Autonaming
from mlops_iac.graph.model import ResourceGraph
from tests.components.test_stack_names import INSIDE, named

EXAMPLE = Path(__file__).parents[2] / "examples" / "schedule-adherence"
ONE_ACCOUNT = re.compile(r"account: \d+")
RANDOM = re.compile(r"-[0-9a-f]{7}$|(?<=-)[0-9a-f]{26}$")


@pytest.fixture(scope="module")
def blueprint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example with every environment in one account and region, each training its own."""
    folder = tmp_path_factory.mktemp("apart")
    text = (EXAMPLE / "blueprint.yaml").read_text(encoding="utf-8")
    text = ONE_ACCOUNT.sub("account: 111111111111", text)
    text = re.sub(r"\n    models: \{adherence: \{promote_from: \w+\}\}", "", text)
    for name in ("workload", "data"):
        shutil.copytree(EXAMPLE / name, folder / name)
    path = folder / "blueprint.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def names(graph: ResourceGraph, config: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Type and name of every resource, without what a name of Pulumi's ends with at random."""
    automatic, provider = Autonaming(config), AwsProvider()
    return {
        (item.type, RANDOM.sub("", found[0]))
        for item in graph
        if item.custom and item.type not in INSIDE and (found := named(item, automatic, provider))
    }


def captured(project: Project, stacks: list[str]) -> dict[str, set[tuple[str, str]]]:
    folder, program = captures.work_program(project)
    return {
        name: names(
            programs.capture_program(project, name, folder, program.config[name]),
            program.config[name],
        )
        for name in stacks
    }


def test_no_name_is_given_twice(blueprint: Path) -> None:
    from mlops_iac.api import load

    project = load(blueprint)
    found = captured(project, ["dev", "staging", "prod"])
    ephemeral = Ephemeral.declare(blueprint, "pr-123", "dev")
    found |= captured(ephemeral, ["pr-123"])
    assert all(len(each) > 20 for each in found.values())
    for one, other in combinations(found, 2):
        assert found[one] & found[other] == set()
    # The same names, but for the environment's: nothing was left out of the comparison.
    plain = {
        stack: {(kind, name.replace(stack, "~")) for kind, name in each}
        for stack, each in found.items()
    }
    assert plain["dev"] == plain["prod"] == plain["pr-123"]


def test_a_bucket_is_never_named(blueprint: Path) -> None:
    """A bucket's name is one of the whole world: all of ours end at random."""
    graph = Ephemeral.declare(blueprint, "pr-123", "dev").capture("pr-123")
    buckets = graph.of_type("aws:s3/bucket:Bucket")
    assert buckets
    assert not [item for item in buckets if "bucket" in item.inputs]


def test_an_ephemeral_environment_is_the_base_under_its_own_name(blueprint: Path) -> None:
    project = Ephemeral.declare(blueprint, "pr-123", "prod")
    resolved = project.resolve("pr-123").blueprint
    assert resolved.protect is False
    assert resolved.serving["api"].scaling.max == 20
    graph = project.capture("pr-123")
    tags = {item.type: item.inputs["tags"] for item in graph if "tags" in item.inputs}
    assert tags
    for each in tags.values():
        assert each["environment"] == "pr-123"
        assert each["ephemeral"] == "true"
        assert each["expires"] == project.record.expires_text
    assert not [item for item in graph if item.protect]
    assert not (blueprint.parent / "stacks").exists()
