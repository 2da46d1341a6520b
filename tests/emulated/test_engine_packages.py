"""Several providers in one program: by package, and those the program configures itself."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "engine_support"))

from memory_provider import MemoryProvider
from programs import make_target

from mlops_iac.engine.embedded import EmbeddedEngine
from mlops_iac.engine.embedded.capture import capture
from mlops_iac.engine.protocol import StackTarget
from mlops_iac.errors import MlopsError
from mlops_iac.graph.lock import lock_bytes
from mlops_iac.graph.model import is_default_provider
from mlops_iac.values import Secret

BOX = """
class Box(pulumi.CustomResource):
    labels: pulumi.Output[dict]
    def __init__(self, name, props=None, opts=None):
        super().__init__("fake:index/box:Box", name, {"name": None, "arn": None, "place": None,
            "labels": None, **(props or {})}, opts)
"""
CONFIG = {"aws:region": "eu-west-1", "fake:place": "here", "fake:key": "hush"}


class Two:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clouds = {package: MemoryProvider(package=package) for package in ("aws", "fake")}
        self.engine = EmbeddedEngine(self.clouds)

    def target(self, body: str, **changes: Any) -> StackTarget:
        lines = "\n".join(line.removeprefix(" " * 8) for line in body.splitlines())
        wanted = {"config": CONFIG, "secret_keys": frozenset({"fake:key"}), **changes}
        return make_target(self.folder, BOX + lines, **wanted)

    def state(self) -> list[dict[str, Any]]:
        state = json.loads((self.folder / ".mlops-iac/state/local.json").read_text())
        found: list[dict[str, Any]] = state["checkpoint"]["latest"]["resources"]
        return found


@pytest.fixture
def two(tmp_path: Path) -> Two:
    return Two(tmp_path)


BOTH = """
t = sns.Topic("t", name="n")
b = Box("b", {"labels": [{"key": "of", "value": t.arn}]})
sqs.Queue("q", tags={"box": b.arn, "label": b.labels.apply(lambda each: each["of"])})
pulumi.export("place", pulumi.Output.from_input(pulumi.runtime.invoke("fake:index/getPlace:getPlace", {}).value.get("place")))
"""


def test_each_type_goes_to_its_packages_provider(two: Two) -> None:
    target = two.target(BOTH)
    result = two.engine.up(target)
    assert result.failures == {} and result.outputs == {"place": "here"}
    assert list(two.clouds["fake"].things) == ["fake:index/box:Box|b-" + _end(two, "b")]
    assert {key.split("|")[0] for key in two.clouds["aws"].things} == {
        "aws:sns/topic:Topic",
        "aws:sqs/queue:Queue",
    }
    providers = {each["urn"]: each for each in two.state() if "providers" in each["type"]}
    (fake,) = [each for urn, each in providers.items() if urn.endswith("fake::default")]
    assert fake["inputs"]["place"] == "here" and "ciphertext" in fake["inputs"]["key"]
    assert two.clouds["fake"].config == {"place": "here", "key": "hush"}
    assert two.clouds["aws"].config == {"region": "eu-west-1"}
    assert two.engine.preview(target).changes == []
    assert {step.op for step in two.engine.refresh(target).steps} == {"same"}
    assert two.engine.destroy(target).failures == {}
    assert two.clouds["fake"].things == {} and two.clouds["aws"].things == {}


def _end(two: Two, name: str) -> str:
    (found,) = [key for key in two.clouds["fake"].things if f"|{name}-" in key]
    return found.rsplit("-", 1)[1]


def test_a_captured_graph_holds_both(two: Two) -> None:
    graph = capture(two.target(BOTH), two.clouds)
    types = [each.type for each in graph if each.custom]
    assert sorted(types) == ["aws:sns/topic:Topic", "aws:sqs/queue:Queue", "fake:index/box:Box"]


def test_a_list_that_comes_back_as_a_map(two: Two) -> None:
    body = 'b = Box("b", {"name": "b", "labels": [{"key": "a", "value": %s}]})\npulumi.export("l", b.labels)'
    target = two.target(body % '"1"')
    result = two.engine.up(target)
    assert result.outputs == {"l": {"a": "1"}}
    assert two.engine.preview(target).changes == []
    assert {step.op for step in two.engine.refresh(target).steps} == {"same"}
    # changed in the cloud: what the user had written is what is written back
    two.clouds["fake"].things["fake:index/box:Box|b"]["inputs"]["labels"][0]["value"] = "2"
    (drifted,) = [step for step in two.engine.refresh(target).steps if step.op == "refresh"]
    assert drifted.new_inputs["labels"] == [{"key": "a", "value": "2"}]
    entry = next(each for each in two.state() if each["type"] == "fake:index/box:Box")
    assert entry["inputs"]["labels"] == [{"key": "a", "value": "2"}]
    assert entry["outputs"]["labels"] == {"a": "2"}
    (change,) = two.engine.preview(target).changes
    assert [each.path for each in change.changes] == ["labels"]
    # a secret among pairs hides the whole of the map
    target = two.target(body % 'pulumi.Output.secret("hush")')
    assert two.engine.up(target).outputs == {"l": Secret({"a": "hush"})}
    assert "hush" not in (two.folder / ".mlops-iac/state/local.json").read_text()
    assert b"hush" not in lock_bytes(capture(target, two.clouds))


def test_a_provider_that_the_program_configures(two: Two) -> None:
    body = """
        class Fake(pulumi.ProviderResource):
            def __init__(self, name, place):
                super().__init__("fake", name, {"place": place})
        there = Fake("there", "there")
        Box("one")
        two = Box("two", opts=O(provider=there))
        class C(pulumi.ComponentResource):
            def __init__(self, name, opts=None):
                super().__init__("x:y:C", name, None, opts)
                self.box = Box(f"{name}-box", opts=O(parent=self))
        c = C("c", O(providers=[there]))
        pulumi.export("places", [two.place, c.box.place])
        found = pulumi.runtime.invoke("fake:index/getPlace:getPlace", {}, pulumi.InvokeOptions(provider=there))
        pulumi.export("found", found.value["place"])
    """
    target = two.target(body)
    result = two.engine.up(target)
    assert result.failures == {}
    assert result.outputs == {"places": ["there", "there"], "found": "there"}
    found = {each["urn"].rsplit("::", 1)[1]: each for each in two.state()}
    assert found["one"]["outputs"]["place"] == "here"
    assert found["two"]["provider"].startswith(
        "urn:pulumi:local::proj::pulumi:providers:fake::there::"
    )
    assert two.engine.preview(target).changes == []
    graph = {each.name: each for each in capture(target, two.clouds)}
    assert graph["c-box"].provider.startswith(
        "urn:pulumi:local::proj::pulumi:providers:fake::there::"
    )
    assert "standin" not in graph["c-box"].provider
    assert {step.op for step in two.engine.refresh(target).steps} == {"same"}
    assert two.clouds["fake"].config["place"] == "here"
    # changed in place, and gone with what it made
    changed = two.engine.up(two.target(body.replace('"there", "there"', '"there", "elsewhere"')))
    assert ("update", "there") in [(each.op, each.name) for each in changed.steps]
    gone = two.engine.up(two.target('Box("one")'))
    assert {(each.op, each.name) for each in gone.steps} >= {("delete", "two"), ("delete", "there")}
    assert len(two.clouds["fake"].things) == 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            'pulumi.CustomResource("other:a/b:C", "c", {})',
            r"type other:a/b:C \(providers: aws, fake\)",
        ),
        ('pulumi.ProviderResource("other", "p", {})', r"provider other \(providers: aws, fake\)"),
        ('pulumi.runtime.invoke("other:a/b:c", {})', "no emulated cloud answers other:a/b:c"),
        ('pulumi.CustomResource("fake:a/b:C", "c", {})', "type fake:a/b:C"),
    ],
)
def test_a_package_that_nobody_knows_is_named(two: Two, body: str, message: str) -> None:
    target = two.target(body)
    for run in (lambda: capture(target, two.clouds), lambda: two.engine.preview(target)):
        with pytest.raises(MlopsError, match=message):
            run()


HERE = {
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "AKIA",
    "GOOGLE_CLOUD_PROJECT": "theirs",
    "GOOGLE_PROJECT": "theirs",
    "CLOUDSDK_CORE_PROJECT": "theirs",
    "ARM_SUBSCRIPTION_ID": "theirs",
    "AZURE_TENANT_ID": "theirs",
}


def test_the_environment_says_nothing(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    body = """
        import os
        import pulumi_aws as aws
        aws.Provider("p")
        pulumi.export("seen", sorted(k for k in os.environ if k.startswith(("AWS_", "GOOGLE", "ARM_", "AZURE", "CLOUDSDK"))))
    """
    target = two.target(body)
    for name in HERE:
        monkeypatch.delenv(name, raising=False)
    without = lock_bytes(capture(target, two.clouds))
    for name, value in HERE.items():
        monkeypatch.setenv(name, value)
    assert lock_bytes(capture(target, two.clouds)) == without
    plan = two.engine.preview(target)
    assert plan.outputs == {"seen": []} and "us-east-1" not in str(plan.steps)
    assert two.engine.up(target).outputs == {"seen": []}
    import os

    assert {name: os.environ.get(name) for name in HERE} == HERE


def test_only_what_the_engine_makes_is_a_default_provider() -> None:
    urn = "urn:pulumi:local::proj::pulumi:providers:fake::"
    assert all(is_default_provider(urn + name) for name in ("default", "default_7_51_1::1-2"))
    assert not any(
        is_default_provider(urn + name) for name in ("default-eu::1", "mine", "defaults")
    )
