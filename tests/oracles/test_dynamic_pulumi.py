"""Two packages and a dynamic resource under both engines: the same operations, the same state."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "engine_support"))

from memory_provider import MemoryProvider
from programs import SHELF, make_target

from mlops_iac.engine.embedded import EmbeddedEngine
from mlops_iac.engine.protocol import Engine, Plan, Result
from mlops_iac.engine.pulumi_cli import PulumiEngine
from tests.oracles.pulumi_cli import NEEDED

pytestmark = NEEDED

PROGRAM = """
from shelf import Item
C = pulumi.Config()
V = int(C.require("v"))

class Box(pulumi.CustomResource):
    def __init__(self, name, props, opts=None):
        super().__init__("fake:index/box:Box", name,
            {"name": None, "arn": None, "place": None, "labels": None, **props}, opts)

class Fake(pulumi.ProviderResource):
    def __init__(self, name, place):
        super().__init__("fake", name, {"place": place})

topic = sns.Topic("topic", name="topic")
box = Box("box", {"name": "box", "labels": [{"key": "of", "value": topic.arn}]})
there = Box("there", {"name": "there"}, O(provider=Fake("elsewhere", f"there{V}")))
item = Item("item", C.require("file"), V, tag=box.arn, note=f"v{V}", place="a" if V < 3 else "b")
sqs.Queue("queue", name="queue", tags={"size": item.made.apply(lambda made: made["size"])})
pulumi.export("made", item.made)
pulumi.export("labels", box.labels)
pulumi.export("place", there.place)
"""


class Side:
    """One engine with clouds and a folder of its own."""

    def __init__(self, folder: Path, make: Any) -> None:
        self.folder = folder
        self.file = folder / "shelf.json"
        self.clouds = {package: MemoryProvider(package=package) for package in ("aws", "fake")}
        self.engine: Engine = make(self.clouds)
        make_target(folder, PROGRAM)
        (folder / "program/shelf.py").write_text(SHELF)

    def target(self, version: int) -> Any:
        config = {
            "aws:region": "eu-west-1",
            "fake:place": "here",
            "proj:v": str(version),
            "proj:unit": "cm",
            "proj:file": str(self.file),
        }
        return make_target(self.folder, config=config)

    def items(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.file.read_text())
        found["calls"] = [call for call in found["calls"] if call != "read"]
        return found

    def resources(self, version: int) -> dict[str, Any]:
        """What both engines must agree on; where the folder lies is each one's own."""
        return {
            each.urn: {
                "inputs": sorted(each.inputs.keys() - {"__internal"}),  # of the engine's own
                "outputs": sorted(each.outputs),
                "provider": each.provider.rpartition("::")[0],
                "dependencies": sorted(each.dependencies),
                "id": each.id if not each.type.startswith("pulumi:") else "",
            }
            for each in self.engine.resources(self.target(version))
        }


def operations(plan: Plan | Result) -> Counter[tuple[str, str]]:
    return Counter((step.op, step.urn) for step in plan.steps if step.op != "same")


def test_the_same_life(tmp_path: Path) -> None:
    sides = Side(tmp_path / "a", EmbeddedEngine), Side(tmp_path / "b", PulumiEngine)
    for version in (1, 2, 3):  # made; changed in place by its own diff; replaced by it
        targets = [side.target(version) for side in sides]
        if version == 2:
            plans = [side.engine.preview(at) for side, at in zip(sides, targets, strict=True)]
            assert operations(plans[0]) == operations(plans[1])
        results = [side.engine.up(target) for side, target in zip(sides, targets, strict=True)]
        assert [result.failures for result in results] == [{}, {}], version
        assert operations(results[0]) == operations(results[1]), version
        assert results[0].outputs == results[1].outputs
        assert sides[0].items() == sides[1].items()
        assert sides[0].resources(version) == sides[1].resources(version)
    # changed outside of the program
    for side in sides:
        side.file.write_text(side.file.read_text().replace('"item": 3', '"item": 4'))
        label = side.clouds["fake"].things["fake:index/box:Box|box"]["inputs"]["labels"][0]
        label["value"] = "other"
    refreshed = [side.engine.refresh(side.target(3)) for side in sides]
    assert [result.failures for result in refreshed] == [{}, {}]
    plans = [side.engine.preview(side.target(3)) for side in sides]
    assert operations(plans[0]) == operations(plans[1])
    assert {step.name for step in plans[0].changes} >= {"item", "box"}
    assert [side.engine.destroy(side.target(3)).failures for side in sides] == [{}, {}]
    for side in sides:
        assert "item" not in side.items()
        assert [cloud.things for cloud in side.clouds.values()] == [{}, {}]
    assert sides[0].items() == sides[1].items()
