"""One feature program under both engines, on the same kind of cloud: the same operations.

The real CLI attaches to the memory provider served over gRPC.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import empty_pb2

sys.path.insert(0, str(Path(__file__).parents[1] / "engine_support"))

from memory_provider import MemoryProvider
from programs import make_target

from mlops_iac.emulators import plugin
from mlops_iac.engine.embedded import EmbeddedEngine
from mlops_iac.engine.protocol import Engine, Plan, Result
from mlops_iac.engine.pulumi_cli import PulumiEngine
from mlops_iac.errors import Cancelled, MlopsError
from mlops_iac.values import UNKNOWN, Secret
from tests.oracles.pulumi_cli import NEEDED, Pulumi

pytestmark = NEEDED

EMPTY_ZIP = b"PK\x05\x06" + bytes(18)
PROGRAM = """
V = int(pulumi.Config().require("v"))

class Store(pulumi.ComponentResource):
    def __init__(self, name, opts=None):
        super().__init__("x:y:Store", name, None, opts)
        self.bucket = s3.Bucket(f"{name}-b", tags={"v": str(V)}, opts=O(parent=self, ignore_changes=["tags"]))
        self.inner = Inner(f"{name}-i", opts=O(parent=self))
        # its name does not follow from its parent's; the first store's alias is its own name
        former = [pulumi.Alias(name="own-store1")] if name != "s" else None
        sns.Topic(f"own-{name}", opts=O(parent=self, aliases=former))
        self.register_outputs({"arn": self.bucket.arn})

class Inner(pulumi.ComponentResource):
    def __init__(self, name, opts=None):
        super().__init__("x:y:Inner", name, None, opts)
        self.topic = sns.Topic(f"{name}-t", display_name=f"v{V}", opts=O(parent=self))
        self.register_outputs({})

store = Store("s")
# created before deleted
role = iam.Role("role", path=f"/{V}/", assume_role_policy=store.bucket.arn.apply(lambda a: json.dumps({"a": a})))
user = ssm.Parameter("user", type="String", value=role.arn)
# deleted before created, with its cascade
fixed = sqs.Queue("fixed", name="fixed", fifo_queue=V == 1)
chained = iam.Policy("chained", name=fixed.arn.apply(lambda a: "p-" + a.split(":")[-1]), policy="{}")
loose = sns.Topic("loose", tags={"q": fixed.arn})
asked = iam.Role("asked", path=f"/{V}/", assume_role_policy="{}", opts=O(delete_before_replace=True))
# replaced for what is no force-new property
marked = sns.Topic("marked", tags={"v": str(V), "k": "k"}, opts=O(replace_on_changes=["tags.v"]))
# renamed
sns.Topic(f"name{V}", opts=O(aliases=[pulumi.Alias(name="name1")]))
Store(f"store{V}", opts=O(aliases=[pulumi.Alias(name="store1")]))
# secrets
secret = ssm.Parameter("secret", type="String", value=pulumi.Output.secret("hush"), opts=O(additional_secret_outputs=["arn"]))
with_ = sns.Topic("with", opts=O(deleted_with=role))
guarded = sns.Topic("guarded", opts=O(protect=V != 3))
if V == 1:
    sns.Topic("retained", opts=O(retain_on_delete=True))
    last = sns.Topic("gone")
    sns.Topic("gone-too", tags={"a": last.arn})
pulumi.export("arn", role.arn)
pulumi.export("secret", secret.value)
pulumi.export("nested", {"a": [1, 1.5, True, None], "b": store.bucket.tags})
"""


class Side:
    def __init__(self, folder: Path, make: Any) -> None:
        self.folder = folder
        self.cloud = MemoryProvider()
        self.engine: Engine = make({"aws": self.cloud})
        make_target(folder, PROGRAM)

    def target(self, version: int) -> Any:
        config = {"aws:region": "eu-west-1", "proj:v": str(version)}
        return make_target(self.folder, config=config)


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> tuple[Side, Side]:
    folder = tmp_path_factory.mktemp("contract")
    return Side(folder / "a", EmbeddedEngine), Side(folder / "b", PulumiEngine)


def operations(plan: Plan | Result) -> Counter[tuple[str, str]]:
    return Counter((step.op, step.urn) for step in plan.steps)


def by_resource(plan: Plan | Result) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for step in plan.steps:
        found.setdefault(step.urn, []).append(step.op)
    return found


def anonymous(value: Any) -> Any:
    """Without the random part of names, and without the values of secrets."""
    import re

    match value:
        case Secret():
            return "secret"
        case str():
            return re.sub(r"-[0-9a-f]{7}\b", "-x", value)
        case dict():
            return {key: anonymous(item) for key, item in value.items()}
        case list() | tuple():
            return [anonymous(item) for item in value]
        case _:
            return value


def registrations(side: Side, version: int) -> dict[str, Any]:
    return {
        r.urn: {
            "type": r.type,
            "custom": r.custom,
            "parent": r.parent,
            "inputs": anonymous({k: v for k, v in r.inputs.items() if k != "source"}),
            "dependencies": sorted(r.dependencies),
            "property_dependencies": {
                k: sorted(v) for k, v in r.property_dependencies.items() if v
            },
            "protect": r.protect,
            "retain": r.retain_on_delete,
            "deleted_with": r.deleted_with,
            "secret_outputs": list(r.additional_secret_outputs),
        }
        for r in side.engine.resources(side.target(version))
        if not r.type.startswith("pulumi:providers:")
    }


def test_the_same_life(sides: tuple[Side, Side]) -> None:
    ours, theirs = sides
    # creation
    plans = [side.engine.preview(side.target(1)) for side in sides]
    assert operations(plans[0]) == operations(plans[1])
    assert anonymous(dict(plans[0].outputs))["arn"] == UNKNOWN
    results = [side.engine.up(side.target(1)) for side in sides]
    assert [r.failures for r in results] == [{}, {}]
    assert operations(results[0]) == operations(results[1])
    assert anonymous(dict(results[0].outputs)) == anonymous(dict(results[1].outputs))
    outputs = [dict(side.engine.outputs(side.target(1))) for side in sides]
    assert anonymous(outputs[0]) == anonymous(outputs[1])
    assert [each["secret"] for each in outputs] == [Secret("hush")] * 2
    assert registrations(ours, 1) == registrations(theirs, 1)
    # nothing to do
    plans = [side.engine.preview(side.target(1)) for side in sides]
    assert operations(plans[0]) == operations(plans[1])
    assert plans[0].changes == []
    # everything at once
    for side in sides:
        side.cloud.calls.clear()
    plans = [side.engine.preview(side.target(2)) for side in sides]
    assert by_resource(plans[0]) == by_resource(plans[1])
    results = [side.engine.up(side.target(2)) for side in sides]
    assert [r.failures for r in results] == [{}, {}]
    assert by_resource(results[0]) == by_resource(results[1])
    assert registrations(ours, 2) == registrations(theirs, 2)
    calls = [Counter((verb, anonymous(name)) for verb, name in side.cloud.calls) for side in sides]
    assert calls[0] == calls[1]
    # protection
    for side in sides:
        with pytest.raises(MlopsError, match="protect"):
            outcome = side.engine.destroy(side.target(2))
            raise MlopsError(" ".join(outcome.failures.values()))
        assert any(key.startswith("aws:sns/topic:Topic|guarded") for key in side.cloud.things)
    # lifted, and gone
    for side in sides:
        assert side.engine.up(side.target(3)).failures == {}
        assert side.engine.destroy(side.target(3)).failures == {}
    # What is deleted with something else is not deleted by us; this cloud deletes nothing along.
    left = [Counter(anonymous(list(side.cloud.things))) for side in sides]
    assert left[0] == left[1]
    assert set(left[0]) == {"aws:sns/topic:Topic|retained-x", "aws:sns/topic:Topic|with-x"}


@pytest.mark.parametrize("make", [EmbeddedEngine, PulumiEngine])
def test_assets(tmp_path: Path, make: Any) -> None:
    cloud = MemoryProvider()
    engine: Engine = make({"aws": cloud})
    target = make_target(
        tmp_path,
        's3.BucketObjectv2("f", bucket="b", key="k", source=pulumi.FileAsset("x.txt"))\n'
        's3.BucketObjectv2("a", bucket="b", key="a", source=pulumi.FileArchive("y.zip"))\n'
        's3.BucketObjectv2("s", bucket="b", key="s", source=pulumi.StringAsset("text"))',
    )
    (tmp_path / "program/x.txt").write_text("one")
    (tmp_path / "program/y.zip").write_bytes(EMPTY_ZIP)
    assert engine.up(target).failures == {}
    assert engine.preview(target).changes == []
    (tmp_path / "program/x.txt").write_text("two")
    changes = engine.preview(target).changes
    assert [(s.op, s.name) for s in changes] == [("update", "f")]
    assert engine.up(target).failures == {}
    assert all("asset" in thing["inputs"]["source"] for thing in cloud.things.values())


def test_our_preview_json_has_the_keys_of_theirs(tmp_path: Path, sides: tuple[Side, Side]) -> None:
    from mlops_iac.engine.preview_json import to_pulumi_json

    ours, theirs = (to_pulumi_json(side.engine.preview(side.target(1))) for side in sides)
    assert ours.keys() == theirs.keys()
    assert json.dumps(ours["changeSummary"]) == json.dumps(theirs["changeSummary"])
    assert "hush" not in json.dumps(ours)


def test_the_state_we_write_is_read_by_the_real_cli(tmp_path: Path) -> None:
    """`stack import` decodes it into the engine's own types and checks its integrity."""
    target = make_target(tmp_path, 't = sns.Topic("t")\nsns.Topic("u", tags={"t": t.arn})')
    assert EmbeddedEngine({"aws": MemoryProvider()}).up(target).failures == {}
    state = json.loads((target.work / "state/local.json").read_text())
    latest = state["checkpoint"]["latest"]
    del latest["secrets_providers"]
    file = tmp_path / "import.json"
    file.write_text(json.dumps({"version": 3, "deployment": latest}))
    pulumi = Pulumi(target.program, tmp_path / "home", {})
    pulumi("stack", "init", "local")
    pulumi("stack", "import", "--file", str(file))
    again = json.loads(pulumi("stack", "export"))["deployment"]["resources"]
    assert [r["urn"] for r in again] == [r["urn"] for r in latest["resources"]]


def test_what_a_term_interrupts_the_next_up_completes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes while the first of three is made: that one is kept, and no other is begun."""
    cancelled = threading.Event()

    def cancel(self: Any, request: Any, context: Any) -> Any:
        cancelled.set()
        return empty_pb2.Empty()

    monkeypatch.setattr(plugin._Servicer, "Cancel", cancel)
    program = """
first = sns.Topic("first", name="first")
second = sns.Topic("second", name="second", tags={"after": first.arn})
sns.Topic("third", name="third", tags={"after": second.arn})
"""
    cloud = MemoryProvider()
    engine, target = PulumiEngine({"aws": cloud}), make_target(tmp_path, program)

    def term(when: str, what: str) -> None:
        if (when, what) == ("before", "create:first"):
            os.kill(os.getpid(), signal.SIGTERM)
            assert cancelled.wait(60)

    cloud.hook = term
    with pytest.raises(Cancelled, match="kept what was done"):
        engine.up(target)
    assert set(cloud.things) == {"aws:sns/topic:Topic|first"}
    assert [each.name for each in engine.resources(target) if each.custom][-1] == "first"
    result = engine.up(target)
    assert result.failures == {}
    made = [step.name for step in result.steps if step.op == "create"]
    assert made == ["second", "third"]
    assert engine.destroy(target).failures == {}
    assert cloud.things == {}
