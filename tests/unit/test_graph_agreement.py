"""A state agrees with a lock in what is known before a deployment; what is computed may be anything."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_iac.graph.agreement import Agreement, agreement, fits
from mlops_iac.graph.canonical import CanonicalGraph, CanonicalResource, canonical_value

TYPE = "aws:sns/topic:Topic"


def graph(*resources: tuple[str, dict[str, Any]], type_: str = TYPE) -> CanonicalGraph:
    return CanonicalGraph(
        "churn",
        "dev",
        tuple(
            CanonicalResource(
                f"urn:pulumi:dev::churn::{type_}::{name}", type_, name, True, inputs=i
            )
            for name, i in resources
        ),
    )


@pytest.mark.parametrize(
    ("planned", "found"),
    [
        ("a", "a"),
        (1, 1),
        (True, "true"),
        (3, "3"),
        ("${s3.Bucket/data.arn}", "arn:aws:s3:::data-1a2b3c4"),
        ("${s3.Bucket/data.arn}/*", "arn:aws:s3:::data-1a2b3c4/*"),
        ("${identity.role}", ["computed", "list"]),
        ({"a": 1}, {"a": 1, "filledIn": 2}),
        ({"a": ""}, {}),
        ({"${x.arn}": 1}, {"arn:1": 1}),
        ("[secret]", "x"),
        ("x", "[secret]"),
        ("arn:x:model-package/group/approved", "arn:x:model-package/group/7"),
        ("arn:${a.b}:model-package/group/approved", "arn:1:model-package/group/7"),
        (
            canonical_value('{"Statement": [{"Resource": "${a.arn}"}]}'),
            canonical_value('{"Statement": [{"Resource": "arn:1"}]}'),
        ),
    ],
)
def test_what_fits(planned: Any, found: Any) -> None:
    assert fits(planned, found, ("approved",))


@pytest.mark.parametrize(
    ("planned", "found"),
    [
        ("a", "b"),
        (1, 2),
        (True, False),
        ("${s3.Bucket/data.arn}/*", "arn:aws:s3:::data"),
        ("x ${a.b}", ["computed"]),
        ({"a": 1}, {"b": 1}),
        ({"a": {"b": 1}}, {"a": {"b": 2}}),
        ([1, 2], [1]),
        ("arn:x:model-package/group/approved", "arn:x:model-package/other/7"),
        (
            canonical_value('{"Statement": [{"Action": "s3:GetObject"}]}'),
            canonical_value('{"Statement": [{"Action": "s3:*"}]}'),
        ),
    ],
)
def test_what_does_not_fit(planned: Any, found: Any) -> None:
    assert not fits(planned, found, ("approved",))


def test_the_same_resources_with_the_same_known_values_agree() -> None:
    lock = graph(("a", {"name": "x", "role": "${iam.Role/r.arn}"}))
    same = agreement(lock, graph(("a", {"name": "x", "role": "arn:1", "fifo": False})))
    assert same == Agreement()
    assert same
    assert same.words == ""


def test_every_kind_of_difference_is_told() -> None:
    lock = graph(("a", {"name": "x"}), ("b", {}), ("c", {}))
    found = agreement(lock, graph(("a", {"name": "y"}), ("d", {})))
    assert not found
    assert found == Agreement(("sns.Topic/b", "sns.Topic/c"), ("sns.Topic/d",), ("sns.Topic/a",))
    assert found.words == (
        "2 not deployed (sns.Topic/b, …), 1 left over (sns.Topic/d), 1 different (sns.Topic/a)"
    )


def test_what_waits_for_a_first_version_is_not_missing() -> None:
    lock = graph(("api-endpoint", {}), ("other-endpoint", {}))
    assert agreement(lock, graph(("other-endpoint", {})), waiting=("api",))
    assert not agreement(lock, graph(("api-endpoint", {})), waiting=("api",))
    changed = graph(("api-endpoint", {"name": "y"}), ("other-endpoint", {}))
    assert not agreement(graph(("api-endpoint", {"name": "x"})), changed, waiting=("api",))


def test_components_and_providers_are_no_resources_of_the_cloud() -> None:
    provider = graph(("default", {}), type_="pulumi:providers:aws")
    assert agreement(graph(), provider)
