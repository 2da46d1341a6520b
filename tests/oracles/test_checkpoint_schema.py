"""The local state against Pulumi's own checkpoint schemas."""

from __future__ import annotations

import copy
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "engine_support"))

from memory_provider import MemoryProvider
from programs import make_target

from mlops_iac.engine.embedded import EmbeddedEngine
from mlops_iac.engine.embedded.checkpoint import decode, encode
from mlops_iac.engine.embedded.secretbox import SecretBox

ORACLES = Path(os.environ.get("MLOPS_IAC_ORACLES", Path(__file__).parents[2] / "../shared/oracles"))
FIXTURE = ORACLES / "../fixtures/pulumi-checkpoint.json"
# What the engine itself writes and the schema does not know yet.
LAG = ("created", "modified", "sourcePosition", "stackTrace")
# The same for two options (source: sdk/go/common/apitype/core.go, ResourceV3, engine 3.260).
OPTIONS = ("retainOnDelete", "deletedWith")

pytestmark = pytest.mark.skipif(
    not ORACLES.is_dir(), reason=f"Pulumi's schemas are not there: {ORACLES}"
)


def validator(extra: tuple[str, ...]) -> Any:
    jsonschema = pytest.importorskip("jsonschema")
    from referencing import Registry, Resource

    schemas = {
        name: json.loads((ORACLES / f"pulumi-{name}.schema.json").read_text())
        for name in ("deployments", "resources", "property-values")
    }
    properties = schemas["resources"]["$defs"]["resourceV3"]["properties"]
    for name in extra:
        properties[name] = {}
    registry = Registry().with_resources(
        (schema["$id"], Resource.from_contents(schema)) for schema in schemas.values()
    )
    return jsonschema.Draft202012Validator(schemas["deployments"], registry=registry)


def deployment(checkpoint: dict[str, Any]) -> dict[str, Any]:
    return {"version": 3, "deployment": checkpoint["checkpoint"]["latest"]}


BODY = """
class C(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("x:y:C", name)
        self.t = sns.Topic(name + "-t", opts=O(parent=self, protect=True))
        self.register_outputs({"arn": self.t.arn})
c = C("c")
p = ssm.Parameter("p", type="String", value=pulumi.Output.secret({"a": ["hush"]}).apply(json.dumps),
    opts=O(retain_on_delete=True, additional_secret_outputs=["arn"],
           custom_timeouts=pulumi.CustomTimeouts(create="5m"), aliases=[pulumi.Alias(name="q")]))
o = s3.BucketObjectv2("o", bucket="b", key="k", source=pulumi.StringAsset("text"), opts=O(deleted_with=p))
r = iam.Role("r", assume_role_policy="{}", path="%s")
pulumi.export("p", p.value)
pulumi.export("n", 1.5)
pulumi.export("none", [None, True])
"""


@pytest.fixture
def written(tmp_path: Path) -> dict[str, Any]:
    """A state with everything in it, also a copy to delete and a failed resource."""
    cloud = MemoryProvider()
    engine = EmbeddedEngine({"aws": cloud})
    assert engine.up(make_target(tmp_path, BODY % "/a/")).failures == {}
    cloud.fail["delete:r"] = "busy"
    assert engine.up(make_target(tmp_path, BODY % "/b/")).failures
    cloud.fail = {"create:z": "half"}
    cloud.partial = {"z"}
    assert engine.up(make_target(tmp_path, BODY % "/b/" + '\nsns.Topic("z")')).failures
    return json.loads((tmp_path / ".mlops-iac/state/local.json").read_text())


def test_the_engines_own_checkpoint_passes_with_the_known_lag() -> None:
    theirs = deployment(json.loads(FIXTURE.read_text()))
    assert list(validator(()).iter_errors(theirs))
    assert not list(validator(LAG).iter_errors(theirs))


def test_our_state_passes(written: dict[str, Any]) -> None:
    resources = written["checkpoint"]["latest"]["resources"]
    assert any(r.get("delete") for r in resources)
    assert any(r.get("initErrors") for r in resources)
    errors = validator(LAG + OPTIONS).iter_errors(deployment(written))
    assert [e.message for e in errors] == []


def test_our_keys_are_the_engines(written: dict[str, Any]) -> None:
    theirs = json.loads(FIXTURE.read_text())
    assert written.keys() == theirs.keys()
    assert written["checkpoint"].keys() == theirs["checkpoint"].keys()
    assert written["checkpoint"]["latest"].keys() >= theirs["checkpoint"]["latest"].keys()


def test_resources_stand_after_what_they_need(written: dict[str, Any]) -> None:
    seen: set[str] = set()
    for resource in written["checkpoint"]["latest"]["resources"]:
        needs = {resource.get("parent"), *resource.get("dependencies", ())} - {None}
        assert needs <= seen
        seen.add(resource["urn"])


@pytest.mark.parametrize(
    "damage",
    [
        lambda r: r.pop("urn"),
        lambda r: r.update(protect="yes"),
        lambda r: r.update(dependencies="a"),
        lambda r: r.update(unheard="of"),
    ],
    ids=["no urn", "protect is text", "dependencies is text", "an unknown key"],
)
def test_a_broken_state_is_rejected(written: dict[str, Any], damage: Any) -> None:
    broken = copy.deepcopy(written)
    damage(broken["checkpoint"]["latest"]["resources"][3])
    assert list(validator(LAG + OPTIONS).iter_errors(deployment(broken)))


def test_the_state_survives_a_round_trip(written: dict[str, Any], tmp_path: Path) -> None:
    box = SecretBox(tmp_path / ".mlops-iac/state/secrets.key")
    snapshot = decode(written, box)
    again = decode(encode(snapshot, "proj", "local", box), box)
    assert again == snapshot
