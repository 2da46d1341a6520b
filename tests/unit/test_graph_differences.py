"""Two stacks side by side: what differs in names, account and region alone is only counted."""

from __future__ import annotations

from typing import Any

from mlops_iac.graph.canonical import CanonicalGraph, CanonicalResource, canonical_value
from mlops_iac.graph.differences import Side, differences

TYPE = "aws:sns/topic:Topic"


def side(
    stack: str,
    account: str,
    *resources: tuple[str, dict[str, Any], dict[str, Any]],
    region: str = "eu-west-1",
) -> Side:
    made = tuple(
        CanonicalResource(
            f"urn:pulumi:{stack}::churn::mlops-iac:aws:Alerts${TYPE}::{name}",
            TYPE,
            name,
            True,
            parent=f"urn:pulumi:{stack}::churn::mlops-iac:aws:Alerts::alerts",
            inputs=canonical_value(inputs),
            options=options,
        )
        for name, inputs, options in resources
    )
    return Side(CanonicalGraph("churn", stack, made), account, region)


def compare(
    left: dict[str, Any], right: dict[str, Any], options: dict[str, Any] | None = None
) -> Any:
    return differences(
        side("dev", "111111111111", ("a", left, {})),
        side("prod", "222222222222", ("a", right, options or {}), region="us-east-1"),
    )


def test_names_account_and_region_are_no_difference() -> None:
    found = compare(
        {
            "name": "churn-dev-api",
            "tags": {"environment": "dev"},
            "arn": "a:eu-west-1:111111111111",
        },
        {
            "name": "churn-prod-api",
            "tags": {"environment": "prod"},
            "arn": "a:us-east-1:222222222222",
        },
    )
    assert (found.named, found.same, list(found.differ)) == (1, 0, [])


def test_nor_are_they_inside_of_documents_and_keys() -> None:
    found = compare(
        {"policy": '{"Resource": "arn:aws:iam::111111111111:role/churn-dev"}', "m": {"dev": 1}},
        {"policy": '{"Resource": "arn:aws:iam::222222222222:role/churn-prod"}', "m": {"prod": 1}},
    )
    assert found.named == 1


def test_a_word_that_only_holds_the_name_is_one() -> None:
    found = compare({"name": "developer"}, {"name": "prodeloper"})
    assert [change.path for change in found.differ[0].changes] == ["name"]


def test_a_word_that_both_say_is_none_though_one_stack_is_called_so() -> None:
    bucket = "arn:aws:s3:::prod-{}-layers/*"
    found = compare({"to": bucket.format("eu-west-1")}, {"to": bucket.format("us-east-1")})
    assert (found.named, list(found.differ)) == (1, [])
    (change,) = compare({"from": "dev-x"}, {"from": "dev-x-prod"}).differ[0].changes
    assert change.path == "from"


def test_a_name_that_was_cut_differs_in_its_hash_alone() -> None:
    assert compare({"name": "churn-dev-x-1a2b3c4"}, {"name": "churn-prod-x-5d6e7f8"}).named == 1
    assert compare({"name": "churn-dev-x-1a2b3c4"}, {"name": "churn-prod-y-5d6e7f8"}).differ


def test_values_and_options_are_differences() -> None:
    found = compare({"max": 4}, {"max": 20}, {"protect": True})
    (item,) = found.differ
    assert item.address == "sns.Topic/a"
    assert item.component == "alerts"
    assert [(each.path, each.old, each.new) for each in item.changes] == [
        ("max", 4, 20),
        ('["(protect)"]', None, True),
    ]


def test_what_only_one_has() -> None:
    left = side("dev", "1", ("a", {}, {}), ("b", {}, {}))
    right = side("prod", "2", ("a", {}, {}), ("c", {}, {}))
    found = differences(left, right)
    assert list(found.only_left) == [("alerts", "sns.Topic/b")]
    assert list(found.only_right) == [("alerts", "sns.Topic/c")]
    assert found.same == 1
