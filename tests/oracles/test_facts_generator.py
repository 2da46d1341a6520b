"""What stops the facts' generator, and what it asks, without a provider at hand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools.aws_facts.blocks import Attribute, Block, Nested, Samples, absent, proposed
from tools.aws_facts.names import SdkProperty, Unmapped, match

ROOT = Path(__file__).parents[2]


def attribute(name, type_="string", **flags):
    known = {"required": False, "optional": True, "computed": False, "sensitive": False}
    return Attribute(name, type_, **{**known, **flags})


def block(*attributes):
    return Block({each.name: each for each in attributes}, {})


def sdk(*names, shape="scalar"):
    return {name: SdkProperty(name, shape, "str", None) for name in names}


def paths(mapped):
    return [(".".join(m.tf_path), ".".join(m.path)) for m in mapped]


def test_names_follow_the_bridge():
    mapped = match(
        block(attribute("role_arn"), attribute("event", ["set", "string"])),
        sdk("roleArn", "events"),
        {},
        set(),
    )
    assert paths(mapped) == [("role_arn", "roleArn"), ("event", "events")]


def test_a_property_without_a_name_stops():
    with pytest.raises(Unmapped, match="function_name: none"):
        match(block(attribute("function_name")), sdk("name"), {}, set())


def test_a_property_with_two_names_stops():
    with pytest.raises(Unmapped, match=r"event: \['event', 'events'\]"):
        match(block(attribute("event", ["list", "string"])), sdk("event", "events"), {}, set())


def test_a_rename_is_explicit():
    renames = {"function_name": "name"}
    mapped = match(block(attribute("function_name")), sdk("name"), renames, set())
    assert paths(mapped) == [("function_name", "name")]


def test_what_only_the_sdk_has_is_kept_without_a_provider_path():
    assert paths(match(block(), sdk("region"), {}, set())) == [("", "region")]


def test_the_proposed_state_keeps_what_the_configuration_leaves_to_the_provider():
    inner = block(attribute("a"), attribute("b", computed=True))
    outer = Block(
        {"arn": attribute("arn", computed=True, optional=False)},
        {"rule": Nested("rule", "list", 0, 0, inner)},
    )
    prior = {"arn": "x", "rule": [{"a": "1", "b": "kept"}]}
    config = {"arn": None, "rule": [{"a": "2", "b": None}, {"a": "3", "b": None}]}
    assert proposed(outer, prior, config) == {
        "arn": "x",
        "rule": [{"a": "2", "b": "kept"}, {"a": "3", "b": None}],
    }


def test_the_least_element_has_what_is_required_and_never_nothing():
    samples = Samples({"rule.mode": ["x", "y"]})
    required = block(attribute("a"), attribute("b", required=True, optional=False))
    assert samples.element(required, ("rule",)) == {"a": None, "b": "second"}
    assert samples.element(block(attribute("a")), ("rule",)) == {"a": "second"}
    assert samples.element(block(attribute("mode")), ("rule",)) == {"mode": "y"}
    assert absent(required) == {"a": None, "b": None}


def test_without_the_provider_it_says_where_it_looked(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tools.aws_facts", "--check"],
        cwd=ROOT,
        env={"MLOPS_IAC_TERRAFORM_MIRROR": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "no hashicorp/aws 5.100.0" in done.stderr
    assert str(tmp_path) in done.stderr
    assert "Traceback" not in done.stderr
