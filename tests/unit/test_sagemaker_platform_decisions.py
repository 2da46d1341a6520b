"""Every field of the language is planned on SageMaker or refused: none is ignored in silence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from mlops_iac.blueprint.fields import (
    ChoiceType,
    EitherType,
    ListType,
    MapType,
    SectionType,
    fields_of,
)
from mlops_iac.blueprint.sections.base import Section
from mlops_iac.blueprint.sections.root import Blueprint
from mlops_iac.blueprint.sections.serving import RealTime
from mlops_iac.clouds.aws.sagemaker import SAGEMAKER, decisions
from mlops_iac.clouds.aws.sagemaker.decisions import DECISIONS
from mlops_iac.clouds.decisions import matches
from tools.language_reference import reference_markdown

MODE = "real-time"
is_planned, holds_planned = DECISIONS.is_planned, DECISIONS.holds_planned
planned, refused, refusal = DECISIONS.planned, DECISIONS.refused, DECISIONS.refusal
# Merged away before a platform sees it.
NOT_OF_AN_ENVIRONMENT = {"environments"}


def leaves(section: type[Section], path: str = "") -> Iterator[str]:
    """Every path that a blueprint can have, with `x` for names of the user's."""
    for item in fields_of(section).values():
        yield from below(item.type, f"{path}.{item.key}" if path else item.key)


def below(kind: Any, path: str) -> Iterator[str]:
    match kind:
        case SectionType(section):
            inner = list(leaves(section, path))
            yield from inner or [path]
        case MapType(value=value):
            yield from below(value, f"{path}.x")
        case ChoiceType(sections=sections):
            for _, section in sections:
                yield from leaves(section, path)
        case EitherType(scalar=scalar, section=SectionType(section)):
            yield from below(scalar, path)
            yield from leaves(section, path)
        case ListType():
            yield path
        case _:
            yield path


ALL = sorted(
    {path for path in leaves(Blueprint) if path.split(".")[0] not in NOT_OF_AN_ENVIRONMENT}
)


def test_the_walk_sees_the_whole_language() -> None:
    assert len(ALL) > 150
    assert {"name", "models.x.train.compute.spot", "serving.x.scaling.target.cpu_percent"} <= {*ALL}


# Entries of a mode that is not planned are refused as a whole.
OF_A_MODE = sorted(leaves(RealTime, "serving.x"))
DECIDED = [path for path in ALL if not path.startswith("serving.")] + OF_A_MODE


@pytest.mark.parametrize("path", DECIDED)
def test_every_field_is_decided(path: str) -> None:
    decided = is_planned(path, MODE) or refusal(path, object(), MODE) is not None
    assert decided, f"decide about {path} in {decisions.__name__}"


def test_nothing_is_decided_that_is_not_in_the_language() -> None:
    def known(pattern: str) -> bool:
        return any(
            matches(".".join(path.split(".")[:length]), pattern)
            for path in ALL
            for length in range(1, len(path.split(".")) + 1)
        )

    patterns = [*planned(MODE), *(rule.pattern for rule in refused(MODE))]
    assert [pattern for pattern in patterns if not known(pattern)] == []


def test_nothing_is_planned_and_refused_at_once() -> None:
    """Only a rule that lets some values pass may stand over a planned field."""
    strict = [rule for rule in refused(MODE) if not rule.unless]
    clash = {
        (path, rule.pattern)
        for path in ALL
        if is_planned(path, MODE)
        for rule in strict
        for length in range(1, len(path.split(".")) + 1)
        if matches(".".join(path.split(".")[:length]), rule.pattern)
    }
    assert clash == set()


def test_a_refusal_says_what_would_work() -> None:
    assert all(rule.reason and rule.instead for rule in refused(MODE))


def test_values_that_mean_nothing_else_pass() -> None:
    assert refusal("orchestration", "native", MODE) is None
    assert refusal("orchestration", "airflow", MODE) is not None
    assert refusal("approval", "none", MODE) is None
    assert refusal("approval", "manual", MODE) is not None


def test_the_whole_is_refused_not_its_leaves() -> None:
    found = refusal("features.project.fields.progress", "float", MODE)
    assert found is not None
    assert found[0] == "features"


def test_a_field_that_nobody_knows_is_neither() -> None:
    assert not is_planned("serving.api.colour", MODE)
    assert refusal("serving.api.colour", "red", MODE) is None


@pytest.mark.parametrize("path", ["alerts", "tags", "options.sagemaker", "security.access"])
def test_a_section_with_nothing_in_it_asks_for_nothing(path: str) -> None:
    assert holds_planned(path, MODE)
    assert not holds_planned("secrets", MODE)
    assert not holds_planned("serving.api.colour", MODE)


def test_the_reference_says_at_each_field_what_is_refused_and_why() -> None:
    text = reference_markdown({"sagemaker": SAGEMAKER.refuses})
    for rule in refused(MODE):
        assert rule.reason in text, rule.pattern
    assert "not supported yet |" not in text  # nobody decided, or the path is none
    rows: dict[str, str] = {}
    for section in text.split("\n## "):
        for name, last in re.findall(r"^\| `([\w-]+)` \|.* \| (.*) \|$", section, re.MULTILINE):
            rows[f"{section.split()[0]}.{name}"] = last
    assert (
        rows["Blueprint.region"] == rows["RealTime.scaling"] == rows["TemplateUse.version"] == "✓"
    )
    assert rows["Blueprint.features"] == rows["Feature.entity"] == "✗ there is no feature store yet"
    assert rows["Blueprint.orchestration"] == "✓ only `native`: SageMaker Pipelines run the steps"
    assert rows["Batch.input"] == "✓"
    assert rows["Edge.mode"] == "✗ only real-time and batch serving is planned yet"
    assert rows["Compute.spot"] == (
        "✓; ✗ nothing that serves has spot capacity (at `serving.NAME.compute`)"
    )
    assert rows["Gate.at_least"] == rows["Gate.no_worse_than"] == "✓"
