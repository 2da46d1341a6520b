"""The table of change scenarios, decided by the real AWS provider instead of by its facts.

Each scenario's two graphs are planned from one to the other by the provider itself, and every
update, replacement, creation and deletion has to be the one that the table expects. What stands in
for ARNs and names is the same on both sides; the provider's region is one, so that another region
is what it is to the tool as well: other texts in the same resources.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from mlops_iac.api import load
from mlops_iac.api.compile.captures import collector_paused
from mlops_iac.graph.model import ResourceGraph
from tests.components.test_change_scenarios import BASE, SCENARIOS, Scenario
from tests.oracles.provider_verdicts import Judge, Verdict
from tests.sagemaker_blueprints import write
from tools.aws_facts.provider_process import ProviderMissing

pytestmark = pytest.mark.terraform

PROTECT = "`protect` is the engine's option; the provider is never told"
KEPT = (
    "encryption and key of an object are optional and computed: the provider keeps what they were "
    "when they are no longer given, while the table tells that the program gives them no longer"
)
# Scenario → steps of the table that the provider has no part in or sees otherwise → why.
DIFFERENCES: Mapping[str, Mapping[str, str]] = {
    "no protection": {
        "update kms.Key/keys-data": PROTECT,
        "update kms.Key/keys-operations": PROTECT,
        "update sagemaker.Model/api-main-model": PROTECT,
        "update sagemaker.EndpointConfiguration/api-configuration": PROTECT,
        "update sagemaker.Endpoint/api-endpoint": PROTECT,
        "update sagemaker.ModelPackageGroup/churn-registry-group": PROTECT,
    },
    "the provider's keys": {
        "update s3.BucketObjectv2/churn-training-code": KEPT,
        "update s3.BucketObjectv2/datasets-customers": KEPT,
        "update s3.BucketObjectv2/sealing-code": KEPT,
    },
}
JUDGED = [
    each
    for each in SCENARIOS
    if each.tags_only or any(step.startswith(("update ", "replace ")) for step in each.steps)
]
BY_NAME = {each.name: each for each in JUDGED}

Capture = Callable[[str], ResourceGraph]


@pytest.fixture(scope="module")
def judge():
    try:
        with Judge() as started:
            yield started
    except ProviderMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Capture:
    def captured(text: str) -> ResourceGraph:
        folder: Path = tmp_path_factory.mktemp("blueprint")
        with collector_paused():
            return load(write(folder, text)).capture("prod")

    return captured


@pytest.fixture(scope="module")
def base(capture: Capture) -> ResourceGraph:
    return capture(BASE)


def disagreements(scenario: Scenario, verdicts: Mapping[str, Verdict]) -> list[str]:
    """In words, where table and provider differ beyond what is documented; and what no longer does."""
    documented = DIFFERENCES.get(scenario.name, {})
    expected = set(scenario.steps)
    said = {
        f"{verdict.op} {address}": verdict
        for address, verdict in verdicts.items()
        if not verdict.tags_alone
    }
    tags = sum(verdict.tags_alone for verdict in verdicts.values())
    found = [
        f"the provider alone: {step} {sorted(said[step].paths)}" for step in said.keys() - expected
    ]
    found += [f"the table alone: {step}" for step in expected - said.keys() - documented.keys()]
    found += [f"no difference any more: {step}" for step in documented if step in said]
    found += [f"not in the table: {step}" for step in documented if step not in expected]
    if tags != scenario.tags_only:
        found.append(f"tags alone differ in {tags} resources, by the table {scenario.tags_only}")
    return sorted(found)


def test_the_same_graph_twice_is_no_change_to_the_provider(judge: Judge, base: ResourceGraph):
    """The states are right: otherwise every verdict below would be about them."""
    assert judge.stays(base) == {}
    assert judge.plans >= 50


@pytest.mark.parametrize("scenario", JUDGED, ids=[each.name for each in JUDGED])
def test_the_provider_decides_as_the_table_expects(
    judge: Judge, base: ResourceGraph, capture: Capture, scenario: Scenario
):
    changed = capture(BASE.replace(scenario.old, scenario.new, 1))
    assert disagreements(scenario, judge.judge(base, changed)) == []


def test_differences_are_of_scenarios_that_are_judged():
    assert DIFFERENCES.keys() <= BY_NAME.keys()


@pytest.fixture(scope="module")
def larger(judge: Judge, base: ResourceGraph, capture: Capture) -> dict[str, Verdict]:
    scenario = BY_NAME["a larger instance"]
    return judge.judge(base, capture(BASE.replace(scenario.old, scenario.new, 1)))


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("replace sagemaker.Endpoint/api-endpoint", "update sagemaker.Endpoint/api-endpoint"),
        (
            "update sagemaker.EndpointConfiguration/api-configuration",
            "replace sagemaker.EndpointConfiguration/api-configuration",
        ),
    ],
)
def test_a_wrong_expectation_is_noticed(larger: dict[str, Verdict], wrong: str, right: str):
    scenario = BY_NAME["a larger instance"]
    flipped = tuple(wrong if step == right else step for step in scenario.steps)
    assert flipped != scenario.steps
    found = disagreements(replace(scenario, steps=flipped), larger)
    assert f"the table alone: {wrong}" in found
    assert any(each.startswith(f"the provider alone: {right} [") for each in found)


def test_a_step_too_many_or_too_few_and_a_wrong_count_of_tags_are_noticed(
    larger: dict[str, Verdict],
):
    scenario = BY_NAME["a larger instance"]
    assert disagreements(replace(scenario, steps=scenario.steps[:-1]), larger)
    more = (*scenario.steps, "update sns.Topic/alerts-topic")
    assert disagreements(replace(scenario, steps=more), larger)
    assert disagreements(replace(scenario, tags_only=1), larger)


def test_a_difference_that_is_gone_is_noticed(larger: dict[str, Verdict]):
    told = BY_NAME["no protection"]
    said = {step.split(" ")[1]: Verdict("update", frozenset({"policy"})) for step in told.steps}
    assert {each.partition(":")[0] for each in disagreements(told, said)} == {
        "no difference any more"
    }


def test_what_replaces_is_named_by_the_provider(larger: dict[str, Verdict]):
    found = larger["sagemaker.EndpointConfiguration/api-configuration"]
    assert found.op == "replace"
    assert "production_variants.instance_type" in found.paths
