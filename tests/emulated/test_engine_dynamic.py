"""Dynamic resources: the program's own provider code, in captures and in the embedded engine."""

from __future__ import annotations

import base64
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "engine_support"))

from memory_provider import MemoryProvider
from programs import SHELF, make_target

from mlops_iac.emulators.provider import ProviderError
from mlops_iac.engine.embedded import EmbeddedEngine
from mlops_iac.engine.embedded.capture import capture
from mlops_iac.engine.embedded.dynamic import load
from mlops_iac.engine.protocol import Event, Plan, Result, StackTarget
from mlops_iac.errors import MlopsError
from mlops_iac.graph.lock import lock_bytes
from mlops_iac.values import UNKNOWN, Secret

HEAD = "from shelf import Item\nFILE = pulumi.Config().require('file')\n"
CONFIG = {"aws:region": "eu-west-1", "proj:unit": "cm", "proj:token": "hush"}


class Shelves:
    def __init__(self, folder: Path, module: str = "shelf") -> None:
        self.folder = folder
        self.file = folder / "shelf.json"
        self.cloud = MemoryProvider()
        self.engine = EmbeddedEngine({"aws": self.cloud})
        (folder / "program").mkdir()
        (folder / "program" / f"{module}.py").write_text(SHELF)

    def target(self, body: str) -> StackTarget:
        config = {**CONFIG, "proj:file": str(self.file)}
        keys = frozenset({"proj:token"})
        return make_target(self.folder, HEAD + body, config=config, secret_keys=keys)

    def items(self) -> dict[str, Any]:
        found = json.loads(self.file.read_text())
        found.pop("calls")
        return dict(found)

    def state(self) -> list[dict[str, Any]]:
        state = json.loads((self.folder / ".mlops-iac/state/local.json").read_text())
        found: list[dict[str, Any]] = state["checkpoint"]["latest"]["resources"]
        return found


@pytest.fixture
def shelves(tmp_path: Path) -> Shelves:
    return Shelves(tmp_path)


def ops(result: Plan | Result) -> list[tuple[str, str]]:
    return [(s.op, s.name) for s in result.steps if s.op != "same"]


ONE = """
t = sns.Topic("t", name="n")
i = Item("i", FILE, %s, tag=t.arn%s)
sqs.Queue("q", name="q", tags={"made": i.made.apply(lambda m: m["size"])})
pulumi.export("made", i.made)
"""


def test_a_life(shelves: Shelves) -> None:
    target = shelves.target(ONE % (1, ""))
    plan = shelves.engine.preview(target)
    assert not shelves.file.exists()  # a preview calls nothing but check and diff
    assert plan.outputs == {"made": UNKNOWN}
    told: list[Event] = []
    result = shelves.engine.up(target, on_event=told.append)
    assert result.failures == {} and result.outputs == {"made": {"size": "1.0 cm"}}
    assert "creating i" in " ".join(event.message for event in told)
    assert shelves.items() == {"i": 1}
    assert shelves.engine.preview(target).changes == []
    # in place, as its own diff says
    plan = shelves.engine.preview(shelves.target(ONE % (2, "")))
    # As in the real engine: what is no input may be moved by any update.
    assert ops(plan) == [("update", "i"), ("update", "q")]
    result = shelves.engine.up(target)
    assert ("update", "i") in ops(result) and shelves.items() == {"i": 2}
    assert result.outputs == {"made": {"size": "2.0 cm"}}
    # what its diff takes for nothing is nothing
    assert shelves.engine.preview(shelves.target(ONE % (2, ", note='x'"))).changes == []
    # replaced, deleted before created
    plan = shelves.engine.preview(shelves.target(ONE % (2, ", place='a'")))
    step = next(each for each in plan.changes if each.op == "replace")
    assert step.op == "replace" and step.delete_before_replace and step.replace_keys == ("place",)
    shelves.file.write_text(shelves.file.read_text().replace('"i": 2', '"i": 3'))
    shelves.target(ONE % (2, ""))
    (drift,) = [s for s in shelves.engine.refresh(target).steps if s.op == "refresh"]
    assert {c.path for c in drift.changes} == {"size", "made"}
    assert ("update", "i") in ops(shelves.engine.preview(target))
    assert shelves.engine.up(target).failures == {} and shelves.items() == {"i": 2}
    # gone outside of the program, and made again
    shelves.file.write_text(json.dumps({"calls": []}))
    assert ("delete", "i") in ops(shelves.engine.refresh(target))
    assert ("create", "i") in ops(shelves.engine.up(target))
    # with the provider from the state, in a process that has never seen the program
    assert shelves.engine.destroy(target).failures == {} and shelves.items() == {}
    assert "shelf" not in sys.modules


def test_the_checkpoint_is_as_the_real_engine_writes_it(shelves: Shelves) -> None:
    assert shelves.engine.up(shelves.target('Item("i", FILE, 1)')).failures == {}
    state = {each["urn"]: each for each in shelves.state()}
    item = state["urn:pulumi:local::proj::pulumi-python:dynamic/shelf:Item::i"]
    default = state["urn:pulumi:local::proj::pulumi:providers:pulumi-python::default"]
    assert item["type"] == "pulumi-python:dynamic/shelf:Item"
    assert item["provider"] == f"{default['urn']}::{default['id']}"
    for side in ("inputs", "outputs"):
        assert set(item[side]["__provider"]) == {"4dabf18193072939515e22adb298388d", "ciphertext"}
    assert item["inputs"]["list"] == ["a"] and item["outputs"]["list"] == {"0": "a"}
    # the whole configuration, with its namespaces
    assert set(default["inputs"]) == {"aws:region", "proj:file", "proj:token", "proj:unit"}
    assert "ciphertext" in default["inputs"]["proj:token"]
    assert "hush" not in (shelves.folder / ".mlops-iac/state/local.json").read_text()


def test_a_lock_says_which_class_and_no_more(shelves: Shelves) -> None:
    target = shelves.target(ONE % (1, ""))
    locks = {lock_bytes(capture(target, {"aws": shelves.cloud})) for _ in range(3)}
    assert len(locks) == 1 and not shelves.file.exists()
    (lock,) = locks
    item = next(each for each in capture(target, {"aws": shelves.cloud}) if each.name == "i")
    assert item.inputs["__provider"] == "shelf:Shelf" and b"shelf:Shelf" in lock
    assert b"gASV" not in lock  # how a pickle begins
    assert item.inputs["tag"] == "${sns.Topic/t.arn}"
    # what only its creation knows
    queue = next(each for each in capture(target, {"aws": shelves.cloud}) if each.name == "q")
    assert queue.inputs["tags"] == UNKNOWN or queue.inputs["tags"] == {"made": UNKNOWN}


def test_what_goes_wrong_in_it_is_told_without_a_traceback(shelves: Shelves) -> None:
    result = shelves.engine.up(shelves.target('Item("i", FILE, "fails")'))
    assert list(result.failures.values()) == ["Shelf.create: RuntimeError: the shelf is full"]
    failing = 'Item("i", FILE, "fails", why=pulumi.Output.secret("the shelf"))'
    result = shelves.engine.up(shelves.target(failing))
    assert list(result.failures.values()) == ["Shelf.create: RuntimeError: [secret] is full"]
    with pytest.raises(MlopsError, match="refused by the provider: size: is not a size"):
        shelves.engine.preview(shelves.target('Item("i", FILE, "bad")'))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("class P(dynamic.ResourceProvider): pass\np = P()", "module beside the program"),
        ("import shelf\np = shelf.Shelf(hint=print)", "builtins.print, which is not read"),
        ("import pathlib, shelf\np = shelf.Shelf(hint=pathlib.Path('x'))", "pathlib.*not read"),
    ],
)
def test_a_provider_that_brings_code_along_is_refused(
    shelves: Shelves, body: str, message: str
) -> None:
    target = shelves.target(
        f"from pulumi import dynamic\n{body}\n"
        'class R(dynamic.Resource, module="x"): pass\nR(p, "r", {"file": FILE})'
    )
    for run in (
        lambda: capture(target, {"aws": shelves.cloud}),
        lambda: shelves.engine.preview(target),
    ):
        with pytest.raises(MlopsError, match=message):
            run()


class Evil:
    def __reduce__(self) -> Any:
        return (exec, ("open('/tmp/never', 'w')",))


def test_a_pickle_runs_nothing() -> None:
    for thing in (Evil(), {"a": Evil()}, Path("x"), 5):
        text = base64.b64encode(pickle.dumps(thing)).decode()
        with pytest.raises(ProviderError):
            load(text)
    with pytest.raises(ProviderError, match="cannot be read"):
        load("?")


def test_a_provider_whose_module_is_gone_is_named(shelves: Shelves) -> None:
    target = shelves.target('Item("i", FILE, 1)')
    assert shelves.engine.up(target).failures == {}
    (shelves.folder / "program/shelf.py").unlink()
    result = shelves.engine.destroy(target)
    (message,) = result.failures.values()
    assert "the provider shelf:Shelf of this dynamic resource is not there" in message


def test_a_creation_that_was_interrupted_is_told(shelves: Shelves) -> None:
    target = shelves.target('Item("i", FILE, "dies")')
    support = str(Path(__file__).parents[1] / "engine_support")
    code = (
        f"import sys; sys.path.insert(0, {support!r})\n"
        "from pathlib import Path\nfrom memory_provider import MemoryProvider\n"
        "from programs import make_target\nfrom mlops_iac.engine.embedded import EmbeddedEngine\n"
        f"target = make_target(Path({str(shelves.folder)!r}), config={dict(target.config)!r})\n"
        "EmbeddedEngine({'aws': MemoryProvider()}).up(target)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    told: list[Event] = []
    again = shelves.target('Item("i", FILE, 1)')
    assert shelves.engine.up(again, on_event=told.append).failures == {}
    assert any("look whether it left something behind" in event.message for event in told)
    assert shelves.items() == {"i": 1}


def test_a_secret_in_it_stays_one(shelves: Shelves) -> None:
    target = shelves.target('Item("i", FILE, pulumi.Output.secret(1), password="hush")')
    plan = shelves.engine.preview(target)
    step = next(each for each in plan.steps if each.name == "i")
    assert isinstance(step.new_inputs["size"], Secret)
    assert isinstance(step.new_inputs["__provider"], Secret)
    assert b"hush" not in lock_bytes(capture(target, {"aws": shelves.cloud}))
