"""What is computed at once is what the SDK's own code computes in its turns of the loop."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "engine_support"))

from memory_provider import MemoryProvider
from programs import make_target

from mlops_iac.engine.embedded import EmbeddedEngine, eager, program
from mlops_iac.engine.embedded.capture import capture
from mlops_iac.errors import MlopsError
from mlops_iac.graph.model import ResourceGraph

TOPICS = 't = sns.Topic("t")\nu = sns.Topic("u", name="n", tags={"of": t.arn})\n'
PROGRAMS = {
    "outputs in outputs": """
        pulumi.export("a", t.arn.apply(lambda a: u.name.apply(lambda n: [a, n, t.id])))
        sqs.Queue("q", tags=pulumi.Output.from_input({"a": [t.arn, (u.arn, 1)], "b": {"c": u.id}}).apply(str))
    """,
    "all, concat, format": """
        pulumi.export("all", pulumi.Output.all(t.arn, u.name, [t.id], {"k": u.arn}))
        pulumi.export("named", pulumi.Output.all(a=t.arn, b=None, c=1.5, d={}, e=[]))
        pulumi.export("none", pulumi.Output.all())
        pulumi.export("text", pulumi.Output.concat("x", t.arn, "1", u.name))
        pulumi.export("form", pulumi.Output.format("{0}-{1}", t.arn, u.name))
        pulumi.export("form2", pulumi.Output.format("{a}", a=t.arn))
    """,
    "options of two": """
        first = O(depends_on=[t], ignore_changes=["name"], aliases=[pulumi.Alias(name="old")])
        second = O(depends_on=u, protect=True, version="7.1.0", ignore_changes=["tags"])
        third = O(depends_on=[u], retain_on_delete=True)
        pairs = [(first, second), (second, first), (first, third), (third, first), (None, third)]
        for number, (one, other) in enumerate(pairs):
            made = O.merge(one, other)
            sns.Topic(f"m{number}", opts=made)
            again = O.merge(made, O(delete_before_replace=False, depends_on=[u]))
            sns.Topic(f"n{number}", opts=again.merge(third))
            pulumi.export(f"o{number}", str(sorted(map(str, vars(made)))))
            pulumi.export(f"l{number}", [made.ignore_changes, made.protect, len(made.depends_on)])
        assert first.depends_on == [t] and third.protect is None
    """,
    "JSON": """
        pulumi.export("j", pulumi.Output.json_dumps({"a": t.arn, "b": [u.name, {"c": t.id}]}))
        pulumi.export("l", pulumi.Output.json_loads(pulumi.Output.json_dumps([u.name]))[0])
    """,
    "keys that are outputs": """
        pulumi.export("k", pulumi.Output.from_input({u.name: t.arn, "plain": 1}))
    """,
    "secrets": """
        s = pulumi.Output.secret(t.arn)
        v = sns.Topic("v", tags={"secret": s, "all": pulumi.Output.all(s, u.name).apply(str)})
        pulumi.export("s", s)
        pulumi.export("un", pulumi.Output.unsecret(s))
        pulumi.export("nested", pulumi.Output.from_input({"a": [s]}))
        pulumi.export("applied", u.name.apply(lambda n: s))
        w = sns.Topic("w", name="w", opts=O(additional_secret_outputs=["name"]))
        pulumi.export("w", w.name)
    """,
    "what has to be waited for": """
        import asyncio

        async def late(value, turns=3):
            for _ in range(turns):
                await asyncio.sleep(0)
            await asyncio.sleep(0.001)
            return value

        l = pulumi.Output.from_input(late("x"))
        m = sns.Topic("m", tags={"late": l, "later": late("y"), "both": pulumi.Output.concat(l, t.arn)})
        pulumi.export("m", pulumi.Output.all(m.arn, l, t.arn.apply(lambda a: late(a))))
        pulumi.export("o", t.arn.apply(lambda a: m.arn.apply(lambda b: {"a": a, "b": b})))
        n = sns.Topic("n", opts=O(depends_on=[m]))
    """,
    "an output given later": """
        d, give = pulumi.deferred_output()
        q = sqs.Queue("q", tags={"d": d.apply(lambda x: x + "!")})
        give(u.name)
        pulumi.export("d", pulumi.Output.all(d, q.arn))
    """,
    "components and what depends on them": """
        class C(pulumi.ComponentResource):
            def __init__(self, name, opts=None):
                super().__init__("x:y:C", name, {}, opts)
                self.a = sns.Topic(f"{name}-a", opts=O(parent=self))
                self.b = sns.Topic(f"{name}-b", tags={"a": self.a.arn}, opts=O(parent=self))
                self.register_outputs({"arn": self.b.arn})
        c = C("c", opts=O(aliases=[pulumi.Alias(name="old")]))
        e = C("e", opts=O(depends_on=[c], protect=True))
        sqs.Queue("q", opts=O(depends_on=c.b.arn.apply(lambda _: [c, t])))
        pulumi.export("b", e.b.arn)
    """,
    "resources made in an apply": """
        t.arn.apply(lambda a: sns.Topic("inner", tags={"a": a}))
        pulumi.export("i", u.name.apply(lambda n: sns.Topic(f"inner-{n}").arn))
    """,
    "what fails and is caught": """
        def fail(_):
            raise ValueError("no")
        pulumi.export("r", u.name.apply(fail).recover(lambda e: f"was {e}"))
    """,
    "an async program": """
        import asyncio

        async def main():
            await asyncio.sleep(0)
            v = sns.Topic("v", tags={"t": t.arn})
            assert await v.arn.is_known() in (True, False)
            return {"v": v.arn}

        pulumi.run(main)
    """,
    "what is sent": """
        big = 2**60 + 1
        numbers = {"b": 1.0, "a": [1, 2.5, True, None, (big, -0.0)], "c": {"z": {}, "y": [], "x": None}}
        pulumi.export("numbers", numbers)
        q = sqs.Queue("q", delay_seconds=5.0, redrive_policy=pulumi.Output.json_dumps(numbers),
            tags={"z": "1", "a": t.arn, "n": None}, fifo_queue=None)
        iam.Role("r", assume_role_policy=t.arn, inline_policies=[{"name": "p", "policy": t.arn}, iam.RoleInlinePolicyArgs(name=u.name)])
        pulumi.export("q", [q.delay_seconds, q.tags, q.arn, q.fifo_queue])
    """,
    "options": """
        v = sns.Topic("v", opts=O(protect=True, retain_on_delete=True, delete_before_replace=False,
            ignore_changes=["display_name", "tags.x"], replace_on_changes=["name"],
            additional_secret_outputs=["kms_master_key_id"], depends_on=[t, u],
            aliases=["urn:pulumi:a::b::c::d", pulumi.Alias(name="w"), pulumi.Alias(type_="x:y:Z"),
                pulumi.Alias(name="k", parent=t), pulumi.Alias(name="s", stack="other")]))
        w = sns.Topic("w", opts=O(parent=v, depends_on=u.arn.apply(lambda _: [t]), deleted_with=v))
        sns.Topic("y", opts=O(parent=w, depends_on=u, version="7.0.0"))
    """,
    "assets": """
        import pulumi_aws as aws
        sqs.Queue("q", tags={"text": pulumi.Output.from_input("x"), "id": t.id})
    """,
    "files": """
        import pulumi_aws as aws
        open("f.txt", "w").write("x")
        f, a = pulumi.FileAsset("f.txt"), pulumi.FileArchive("f.txt")
        o = aws.s3.BucketObjectv2("o", bucket="b", key="k", source=f)
        p = aws.s3.BucketObjectv2("p", bucket="b", source=a, tags={"of": o.key})
        s = aws.s3.BucketObjectv2("s", bucket="b", source=pulumi.StringAsset("text"))
        pulumi.export("o", [o.source, p.source, s.source])
    """,
    "outputs of components": """
        class C(pulumi.ComponentResource):
            def __init__(self, name, outputs):
                super().__init__("x:y:C", name)
                self.register_outputs(outputs)
        C("none", None)
        C("plain", {"b": 1, "a": [t.arn, {"c": None}], "n": None, "i": iam.RoleInlinePolicyArgs(name="x")})
        C("secret", {"s": pulumi.Output.secret("x"), "l": [pulumi.Output.secret(t.arn)]})
        C("resource", {"t": t})
    """,
    "JSON that says how": """
        j = pulumi.Output.json_dumps
        pulumi.export("j", [j({"b": t.arn, "a": (1, 2.0)}, sort_keys=True, indent=1), j("é", ensure_ascii=False)])
        pulumi.export("d", j({"x": {1, 2}}, default=lambda o: sorted(o)))
        pulumi.export("s", j({"x": pulumi.Output.secret(t.arn), "y": u.arn}))
    """,
    "the same question twice": """
        import pulumi_aws as aws
        a = aws.get_caller_identity_output(opts=pulumi.InvokeOptions(parent=t))
        b = aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(depends_on=[u]))
        c = aws.get_caller_identity_output(id=t.arn)
        sqs.Queue("q", tags={"a": a.account_id, "b": b.account_id, "c": c.account_id})
        sqs.Queue("r", tags={"a": aws.get_caller_identity_output().account_id})
    """,
    "invokes": """
        import pulumi_aws as aws
        pulumi.export("acct", aws.get_caller_identity_output().account_id)
        pulumi.export("both", pulumi.Output.concat(aws.get_region_output().region, t.arn))
    """,
}
# Names and ids that are drawn, addresses of objects, lines of the SDK's code.
_RANDOM = re.compile(
    r"-[0-9a-f]{7}\b|[0-9a-f]{8}-[0-9a-f-]{27}| at 0x[0-9a-f]+|^/\S+/(?!__main__)\w+\.py:\d+: "
)
FAILING = {
    "in an apply": "t.arn.apply(lambda a: 1 / 0)",
    "behind an apply": "sqs.Queue('q', tags={'x': u.name.apply(lambda a: 1 / 0).apply(str)})",
    "in a coroutine": "async def f(): raise ValueError('f')\nsqs.Queue('q', tags={'x': f()})",
    "in all": "pulumi.export('x', pulumi.Output.all(u.name.apply(lambda a: [][0]), t.arn))",
    "twice": "sns.Topic('t')",
    "what is not of its type": "iam.Role('r', assume_role_policy={'Statement': [{'some_key': t.arn}]})",
    "in a circle": "a = sns.Topic('a', opts=O(parent=t)); sqs.Queue('b', opts=O(parent=a, depends_on=[a, t]))\n1 / 0",
    "what cannot be sent": "sns.Topic('o', tags={'o': object()})",
    "an option that nobody implements": "sns.Topic('o', opts=O(import_='x'))",
    "in the program": "1 / 0",
    "a file that is missing": "import pulumi_aws as aws\naws.s3.BucketObjectv2('o', bucket='b', source=pulumi.FileAsset('no'))",
    "outputs that cannot be sent": "pulumi.ComponentResource('x:y:C', 'c').register_outputs({'o': object()})",
    "a question with a parent that is none": "import pulumi_aws as aws\nsns.Topic('o', name=aws.get_region_output(opts=pulumi.InvokeOptions(parent=5)).region)",
    "what is no JSON": "pulumi.export('x', pulumi.Output.json_dumps({'a': object()}))",
    "in what is made in an apply": "u.name.apply(lambda n: sns.Topic(1))",
}


def _ordered(graph: ResourceGraph) -> ResourceGraph:
    """The SDK sends former names in the order of a set."""
    found = (replace(each, aliases=tuple(sorted(each.aliases))) for each in graph.resources)
    return replace(graph, resources=tuple(found))


def outcomes(folder: Path, body: str) -> list[object]:
    lines = [line.removeprefix(" " * 8) for line in body.strip("\n").splitlines()]
    target = make_target(folder, TOPICS + "\n".join(lines))
    cloud = MemoryProvider()
    found: list[object] = []
    engine = EmbeddedEngine({"aws": cloud})
    for run in (
        lambda: _ordered(capture(target, cloud)),
        lambda: _RANDOM.sub("", repr(replace(engine.preview(target), duration_seconds=0))),
    ):
        try:
            found.append(run())
        except MlopsError as error:
            found.append(_RANDOM.sub("", error.message))
    return found


@pytest.mark.parametrize("name", [*PROGRAMS, *FAILING])
def test_everything_comes_out_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    body = PROGRAMS.get(name) or FAILING[name]
    at_once = outcomes(tmp_path, body)
    monkeypatch.setattr(eager, "KNOWN_SDKS", ())
    assert outcomes(tmp_path, body) == at_once
    assert isinstance(at_once[0], str) == (name in FAILING), at_once


STUCK = {
    "output": 'pulumi.export("x", pulumi.Output.from_input(never))',
    "input of a resource": 'sns.Topic("v", name=never)',
    "apply": 'pulumi.export("x", t.arn.apply(lambda _: never))',
    "program": """
        async def main():
            await never
        pulumi.run(main)
    """,
    "program that goes on waiting": """
        async def main():
            while True:
                try:
                    await asyncio.get_event_loop().create_future()
                except asyncio.CancelledError:
                    pass
        pulumi.run(main)
    """,
}


@pytest.mark.parametrize("name", STUCK)
def test_what_nobody_is_left_to_bring_is_told(tmp_path: Path, name: str) -> None:
    """Without a word it would be waited for without an end."""
    never = "import asyncio\nnever = asyncio.get_event_loop().create_future()\n"
    make_target(tmp_path, TOPICS + never + dedent(STUCK[name]))
    command = [sys.executable, "-c", CAPTURE, str(tmp_path)]
    # A process of its own: one with other threads could be woken by one of them.
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "the program waits for something that never comes\n", done.stderr
    # One that takes no cancellation is left where it stands, and Python says so.
    assert done.stderr == "" or "goes on" in name


CAPTURE = f"""\
import sys
sys.path.insert(0, {str(Path(__file__).parents[1] / "engine_support")!r})
from pathlib import Path
from memory_provider import MemoryProvider
from programs import make_target
from mlops_iac.engine.embedded.capture import capture
from mlops_iac.errors import MlopsError
try:
    capture(make_target(Path(sys.argv[1])), MemoryProvider())
except MlopsError as error:
    print(error.message)
"""


def test_a_thread_that_brings_it_is_waited_for(tmp_path: Path) -> None:
    body = """
        import asyncio, threading, time
        loop = asyncio.get_event_loop()
        later = loop.create_future()
        def bring():
            time.sleep(0.2)
            loop.call_soon_threadsafe(later.set_result, "brought")
        threading.Thread(target=bring).start()
        pulumi.export("x", pulumi.Output.from_input(later))
    """
    assert "brought" in str(outcomes(tmp_path, body))


def test_the_sdk_is_as_it_was_afterwards(tmp_path: Path) -> None:
    from pulumi import Output, ResourceOptions, log, output, runtime
    from pulumi.runtime import resource, rpc

    places = [(Output, "apply"), (Output, "all"), (Output, "from_input"), (Output, "_track")]
    places += [(output, "asyncio"), (rpc, "transfer_properties"), (resource, "create_urn")]
    places += [(runtime, "invoke_output"), (ResourceOptions, "_copy"), (Output, "json_dumps")]
    places += [(resource, "register_resource_outputs")]
    before = [owner.__dict__[name] for owner, name in [*places, (log, "debug")]]
    outcomes(tmp_path, PROGRAMS["secrets"])
    outcomes(tmp_path, FAILING["in the program"])
    assert [owner.__dict__[name] for owner, name in [*places, (log, "debug")]] == before
    assert output.asyncio is asyncio


def test_this_sdk_is_one_that_is_known() -> None:
    """Another one runs too, slowly: whoever updates it compares and adds it."""
    assert program._sdk().startswith(eager.KNOWN_SDKS)


def test_a_coroutine_that_is_cancelled_hears_of_it() -> None:
    heard: list[str] = []

    async def waits() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            heard.append("cancelled")
            raise

    async def main() -> None:
        future = asyncio.ensure_future(waits())
        assert future.cancel()
        with pytest.raises(asyncio.CancelledError):
            await future
        assert future.cancelled()

    loop = eager.EagerLoop()
    loop.run_until_complete(main())
    loop.close()
    assert heard == ["cancelled"]


@pytest.mark.parametrize("text", ["MINIMAL", "MAXIMAL", "PRIVATE"])
def test_stacks_of_every_section_have_the_same_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    from mlops_iac.api import load
    from mlops_iac.api.compile import captures, programs
    from mlops_iac.engine.embedded import eager_registering
    from mlops_iac.graph.lock import lock_bytes
    from tests import sagemaker_blueprints

    sagemaker_blueprints.write(tmp_path, getattr(sagemaker_blueprints, text))
    project = load(tmp_path / "blueprint.yaml")
    folder, made = captures.work_program(project)
    other_way: list[str] = []
    monkeypatch.setattr(
        eager_registering, "_original_register", _told(eager_registering, other_way)
    )

    def locks() -> list[bytes]:
        return [
            lock_bytes(programs.capture_program(project, stack, folder, made.config[stack]))
            for stack in project.environments
        ]

    at_once = locks()
    assert set(other_way) == {"pulumi:pulumi:Stack"}
    monkeypatch.setattr(eager, "KNOWN_SDKS", ())
    assert locks() == at_once
    assert len(at_once[0]) > 10_000


def _told(module: Any, types: list[str]) -> Any:
    """The SDK's own registration, which tells of what it was used for."""
    original = module._original_register

    def register(res: Any, ty: str, *more: Any) -> None:
        types.append(ty)
        original(res, ty, *more)

    return register
