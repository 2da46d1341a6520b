"""Whatever a stack can name begins with `<project>-<stack>` and fits, so that rights can be confined.

Names that Pulumi makes are made here as a deployment makes them: by the stack's own configuration.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.api import Project, load
from mlops_iac.api.compile import captures, programs
from mlops_iac.clouds.aws.components import _called
from mlops_iac.clouds.aws.components import _naming as naming
from mlops_iac.emulators.aws.provider import AwsProvider
from mlops_iac.emulators.aws.resources import handler_for
from mlops_iac.engine.embedded.autonaming import Autonaming
from mlops_iac.graph.model import Resource, ResourceGraph
from tests.sagemaker_blueprints import MAXIMAL, PRIVATE, write

EXAMPLE = Path(__file__).parents[2] / "examples" / "schedule-adherence" / "blueprint.yaml"
# Named by the program in every case, with the longest name that the service takes (its API).
LITERAL = {
    "aws:cloudtrail/trail:Trail": ("name", 128),
    "aws:cloudwatch/dashboard:Dashboard": ("dashboardName", 255),
    "aws:kms/alias:Alias": ("name", 256),
    "aws:sagemaker/mlflowTrackingServer:MlflowTrackingServer": ("trackingServerName", 256),
    "aws:sagemaker/modelPackageGroup:ModelPackageGroup": ("modelPackageGroupName", 63),
    "aws:sagemaker/pipeline:Pipeline": ("pipelineName", 256),
}
# The service's own limit where the provider takes more.
SHORTER = {
    "aws:budgets/budget:Budget": 100,
    "aws:sagemaker/endpointConfiguration:EndpointConfiguration": 63,
}
# Named within another resource of the stack, or known by an id that the service makes.
INSIDE = {
    "aws:appautoscaling/target:Target",
    "aws:cloudwatch/eventTarget:EventTarget",
    "aws:glue/catalogTable:CatalogTable",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:kms/key:Key",
    "aws:lambda/permission:Permission",
    "aws:s3/bucketObjectv2:BucketObjectv2",
    "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy",
    "aws:sns/topicPolicy:TopicPolicy",
    "aws:sns/topicSubscription:TopicSubscription",
    "aws:sqs/queuePolicy:QueuePolicy",
}
# What a service puts before the name of a resource of ours.
WITHIN = "^(alias|/aws/sagemaker/Endpoints)/"
INSIDE_MODULES = ("aws:s3/bucket", "aws:ec2/", "aws:vpc/")


def refused(graph: ResourceGraph, config: Mapping[str, Any]) -> Iterator[str]:
    """What is named wrongly, one sentence each."""
    start = naming.stem(graph.project, graph.stack)
    automatic = Autonaming(config)
    provider = AwsProvider()
    for item in graph:
        if not item.custom or item.type in INSIDE:
            continue
        found = named(item, automatic, provider)
        if found is None:
            if not item.type.startswith(INSIDE_MODULES):
                yield f"{item.type}: how it is named is not decided"
            continue
        name, limit = found
        if item.type == "aws:glue/catalogDatabase:CatalogDatabase":
            name = name.replace("_", "-")  # Athena takes no hyphens
        if not re.sub(WITHIN, "", name).startswith(f"{start}-"):
            yield f"{item.name}: '{name}' does not begin with '{start}-'"
        if len(name) > limit:
            yield f"{item.name}: '{name}' has more than {limit} characters"


def named(item: Resource, automatic: Autonaming, provider: AwsProvider) -> tuple[str, int] | None:
    """The name that a deployment gives, and the longest that there may be."""
    if item.type in LITERAL:
        key, limit = LITERAL[item.type]
        return str(item.inputs[key]), limit
    handler = handler_for(item.type)
    if handler is None or handler.name is None:
        return None
    proposed = automatic.proposed(item.type, item.name, b"seed")
    inputs = provider.check(item.urn, item.type, None, item.inputs, b"seed", proposed).inputs
    return str(inputs[handler.name.property]), SHORTER.get(item.type, handler.name.limit)


def told(project: Project, stack: str) -> list[str]:
    """What is wrong in one stack of a project."""
    folder, program = captures.work_program(project)
    config = program.config[stack]
    return [*refused(programs.capture_program(project, stack, folder, config), config)]


def lengthened(text: str) -> str:
    """The same blueprint with every name as long as it can be, beginning alike."""
    text = text.partition("    overrides:")[0].replace("name: adherence\n", f"name: {'p' * 32}\n")
    words = (
        "adherence baseline schedules history api shadowed plain champion challenger oncall second"
        " nightly chained forecasts"
    )
    for word in [*words.split(), "dev", "prod"]:
        limit = 20 if word in ("dev", "prod") else 40
        longest = f"{'n' * (limit - 1 - len(word))}-{word}"
        text = re.sub(rf"(?<![\w/$-]){word}(?![\w-])", longest, text)
    return text


@pytest.mark.parametrize("stack", ["local", "dev", "staging", "prod"])
def test_the_example(stack: str) -> None:
    assert told(load(EXAMPLE), stack) == []


@pytest.mark.parametrize("text", [MAXIMAL, PRIVATE], ids=["open", "private"])
def test_everything_that_can_be_planned(tmp_path: Path, text: str) -> None:
    project = load(write(tmp_path, text))
    for stack in project.environments:
        assert told(project, stack) == []


def test_the_longest_names(tmp_path: Path) -> None:
    project = load(write(tmp_path, lengthened(MAXIMAL)))
    stacks = [name for name in project.environments if name != "local"]
    starts = {naming.stem(project.name, name) for name in stacks}
    assert len(starts) == len(stacks) == 2
    for stack in stacks:
        assert told(project, stack) == []


@pytest.mark.parametrize("former", ["a", f"{'o' * 34}-former"])
def test_a_stack_that_is_new_with_a_renamed_model(tmp_path: Path, former: str) -> None:
    text = lengthened(MAXIMAL)
    (model,) = re.findall(r"n+-adherence(?=:)", text)
    text += f"moved: {{models.{model}: models.{former}}}\n"
    project = load(write(tmp_path, text))
    stack = next(name for name in project.environments if name.endswith("dev"))
    assert told(project, stack) == []


def test_names_of_pulumis_own_would_be_seen() -> None:
    project = load(EXAMPLE)
    folder, program = captures.work_program(project)
    graph = programs.capture_program(project, "dev", folder, program.config["dev"])
    found = [*refused(graph, {})]
    assert any(item.startswith("identity-pipeline: ") for item in found), found


def test_a_name_that_is_too_long_would_be_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_called, "if_long", lambda name, limit: None)
    project = load(write(tmp_path, lengthened(MAXIMAL)))
    stack = next(name for name in project.environments if name.endswith("dev"))
    assert any("has more than" in item for item in told(project, stack))
