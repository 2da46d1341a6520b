"""What the Pulumi CLI hands to a policy pack, read as a graph; exceptions hold there too."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import SimpleNamespace

import pytest

from mlops_iac.clouds.aws import types
from mlops_iac.errors import UsageError
from mlops_iac.policy.pack import PackSettings, RuleSettings, StackSettings, write
from mlops_iac.policy.rules import rules
from mlops_iac.policy.served import Pack, graph_of, load
from mlops_iac.values import UNKNOWN

RULES = {rule.id: rule for rule in rules()}
TODAY = date(2026, 11, 21)
COMPONENT = "mlops-iac:aws:DataStore"


class UnknownValueError(Exception):
    """As pulumi_policy.proxy raises it."""


class Guarded(Mapping):
    """As pulumi_policy.proxy guards properties."""

    def __init__(self, values):
        self._values = values

    def __getitem__(self, key):
        if self._values[key] is UNKNOWN:
            raise UnknownValueError(key)
        return self._values[key]

    def __iter__(self):
        return iter(self._values)

    def __len__(self):
        return len(self._values)


def given(type_, name, props=None, parent=None, protect=False, **links):
    return SimpleNamespace(
        resource_type=type_,
        name=name,
        urn=f"urn:pulumi:prod::shop::{type_}::{name}",
        props=Guarded(props or {}),
        parent=parent,
        opts=SimpleNamespace(protect=protect, parent=None),
        dependencies=[each for items in links.values() for each in items],
        property_dependencies=links,
    )


def pack(rule="protection", exceptions=None, stack="prod", production=True) -> Pack:
    known = StackSettings(production, "eu-west-1", (), {"data": "datasets"}, exceptions or {})
    settings = PackSettings("shop", {stack: known}, {rule: RuleSettings("mandatory", {})})
    return Pack(settings, [RULES[rule]])


def told(pack_: Pack, resources, stack="prod"):
    (rule,) = pack_.rules
    return list(pack_.violations(rule, graph_of(resources, "shop", stack), TODAY))


STORE = given(COMPONENT, "data")
BUCKET = given(types.BUCKET, "data-data", parent=STORE)


def test_unknown_values_and_links_are_read() -> None:
    policy = given(
        types.BUCKET_POLICY, "p",
        {"bucket": UNKNOWN, "policy": UNKNOWN, "count": 2.0, "list": [Guarded({"a": UNKNOWN})]},
        bucket=[BUCKET],
    )  # fmt: skip
    graph = graph_of([STORE, BUCKET, policy], "shop", "prod")
    read = graph.by_urn()[policy.urn]
    assert read.inputs == {
        "bucket": UNKNOWN,
        "policy": UNKNOWN,
        "count": 2,
        "list": [{"a": UNKNOWN}],
    }
    assert read.property_dependencies == {"bucket": (BUCKET.urn,)}
    assert [each.custom for each in graph] == [False, True, True]


def test_a_finding_names_resource_and_blueprint_path() -> None:
    ((message, urn),) = told(pack(), [STORE, BUCKET])
    assert urn == BUCKET.urn
    assert message.startswith("it holds data and can be deleted ← blueprint protect. leave")


def test_exceptions_hold_and_end() -> None:
    exception = {"at": "s3.Bucket/data-data", "reason": "x", "until": "2026-11-21"}
    assert told(pack(exceptions={"protection": exception}), [STORE, BUCKET]) == []
    ended = pack(exceptions={"protection": {**exception, "until": "2026-11-20"}})
    assert len(told(ended, [STORE, BUCKET])) == 1
    assert list(ended.expired("prod", TODAY)) == [
        "the exception for protection ended on 2026-11-20"
    ]


def test_a_stack_that_is_not_production_is_left_alone() -> None:
    assert told(pack(production=False), [STORE, BUCKET]) == []


def test_a_stack_that_the_pack_does_not_know_counts_as_production() -> None:
    assert len(told(pack(stack="other", production=False), [STORE, BUCKET])) == 1


def test_the_folder_is_read_as_it_was_written(tmp_path) -> None:
    settings = pack().settings
    write(tmp_path / "pack", settings, {}, "0.1.0")
    assert load(tmp_path / "pack").settings == settings
    assert "mlops-iac==0.1.0" in (tmp_path / "pack" / "requirements.txt").read_text()


def test_a_folder_of_something_else_is_not_written_to(tmp_path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(UsageError, match="holds something else"):
        write(tmp_path, pack().settings, {}, "0.1.0")


def test_settings_of_another_version_are_refused(tmp_path) -> None:
    write(tmp_path / "pack", pack().settings, {}, "0.1.0")
    path = tmp_path / "pack" / "settings.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(UsageError, match="format 2"):
        load(tmp_path / "pack")


def test_settings_for_a_rule_that_is_gone_are_refused(tmp_path) -> None:
    settings = pack().settings
    gone = PackSettings("shop", settings.stacks, {"no-fridays": RuleSettings("advisory", {})})
    write(tmp_path / "pack", gone, {}, "0.1.0")
    with pytest.raises(UsageError, match="no-fridays"):
        load(tmp_path / "pack")
