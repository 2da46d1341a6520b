"""What the engine does with each resource option, against the memory provider."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "engine_support"))

from memory_provider import MemoryProvider
from programs import make_target

from mlops_iac.engine.embedded import EmbeddedEngine
from mlops_iac.engine.embedded.capture import capture
from mlops_iac.engine.protocol import Event, Plan, Result
from mlops_iac.errors import MlopsError, UsageError
from mlops_iac.values import UNKNOWN, Secret


class Lab:
    """One stack with its cloud: write a program, run it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cloud = MemoryProvider()
        self.engine = EmbeddedEngine({"aws": self.cloud})
        self.target = make_target(folder)

    def write(self, body: str) -> None:
        make_target(self.folder, body)

    def up(self, body: str | None = None, **options: Any) -> Result:
        if body is not None:
            self.write(body)
        return self.engine.up(self.target, **options)

    def preview(self, body: str | None = None, **options: Any) -> Plan:
        if body is not None:
            self.write(body)
        return self.engine.preview(self.target, **options)

    def names(self) -> set[str]:
        return {key.split("|")[1].split("-")[0] for key in self.cloud.things}


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def ops(result: Plan | Result) -> list[tuple[str, str]]:
    return [(s.op, s.name) for s in result.steps if s.op != "same"]


def test_a_preview_changes_nothing_and_knows_what_can_be_known(lab: Lab) -> None:
    plan = lab.preview(
        't = sns.Topic("t", name="n")\npulumi.export("a", t.arn)\npulumi.export("n", t.name)'
    )
    assert plan.summary() == {"create": 3}
    assert dict(plan.outputs) == {"a": UNKNOWN, "n": "n"}
    assert lab.cloud.calls == []
    assert not (lab.folder / ".mlops-iac").exists()


def test_create_update_delete_same(lab: Lab) -> None:
    result = lab.up('sns.Topic("t", tags={"a": "1"})\nsqs.Queue("q")')
    assert result.failures == {}
    result = lab.up('sns.Topic("t", tags={"a": "2"})')
    assert ops(result) == [("update", "t"), ("delete", "q")]
    assert lab.names() == {"t"}
    assert lab.preview().changes == []
    assert ops(lab.up()) == []


def test_an_update_keeps_outputs_known_so_that_dependants_stay(lab: Lab) -> None:
    body = 't = sns.Topic("t", tags={{"a": "{}"}})\niam.Role("r", assume_role_policy=t.arn.apply(lambda a: json.dumps(a)))'
    lab.up(body.format(1))
    assert ops(lab.preview(body.format(2))) == [("update", "t")]


def test_property_changes_carry_old_new_and_what_forces_a_replacement(lab: Lab) -> None:
    lab.up('iam.Role("r", assume_role_policy="{}", path="/a/", tags={"x": "1"})')
    plan = lab.preview('iam.Role("r", assume_role_policy="{ }", path="/b/", tags={"x": "2"})')
    step = next(s for s in plan.steps if s.op == "replace")
    assert {(c.path, c.old, c.new, c.replaces) for c in step.changes} == {
        ("path", "/a/", "/b/", True),
        ("tags.x", "1", "2", False),
    }
    assert list(step.replace_keys) == ["path"]


def test_a_replacement_creates_first_and_deletes_last(lab: Lab) -> None:
    body = 'r = iam.Role("r", assume_role_policy="{{}}", path="{}")\nsns.Topic("t", tags={{"r": r.arn}})'
    lab.up(body.format("/a/"))
    lab.cloud.calls.clear()
    result = lab.up(body.format("/b/"))
    assert ops(result) == [
        ("create-replacement", "r"),
        ("replace", "r"),
        ("update", "t"),
        ("delete-replaced", "r"),
    ]
    assert [verb for verb, _ in lab.cloud.calls] == ["create", "update", "delete"]
    assert len(lab.cloud.things) == 2


CASCADE = """
q = sqs.Queue("q", name="fixed", fifo_queue={fifo})
r = iam.Role("r", assume_role_policy="{{}}", path=q.arn.apply(lambda a: "/" + a + "/"))
t = sns.Topic("t", tags={{"q": q.arn}})
"""


def test_delete_before_replace_takes_dependants_that_are_replaced_with_it(lab: Lab) -> None:
    lab.up(CASCADE.format(fifo=True))
    lab.cloud.calls.clear()
    plan = lab.preview(CASCADE.format(fifo=False))
    assert ops(plan) == [
        ("delete-replaced", "r"),
        ("delete-replaced", "q"),
        ("replace", "q"),
        ("create-replacement", "q"),
        ("replace", "r"),
        ("create-replacement", "r"),
        ("update", "t"),
    ]
    result = lab.up()
    assert result.failures == {}
    verbs = [(verb, name.split("-")[0]) for verb, name in lab.cloud.calls]
    assert verbs[:3] == [("delete", "r"), ("delete", "fixed"), ("create", "q")]
    assert set(verbs[3:]) == {("create", "r")}  # the topic's tags are the same after all
    assert lab.preview().changes == []


def test_delete_before_replace_can_be_asked_for(lab: Lab) -> None:
    body = 'iam.Role("r", assume_role_policy="{{}}", path="{}", opts=O(delete_before_replace=True))'
    lab.up(body.format("/a/"))
    assert [op for op, _ in ops(lab.up(body.format("/b/")))] == [
        "delete-replaced",
        "replace",
        "create-replacement",
    ]


def test_a_protected_resource_is_neither_replaced_nor_deleted(lab: Lab) -> None:
    body = 'iam.Role("r", assume_role_policy="{{}}", path="{}", opts=O(protect=True))'
    lab.up(body.format("/a/"))
    with pytest.raises(MlopsError, match=r"iam\.Role/r is protected and cannot be replaced.*path"):
        lab.up(body.format("/b/"))
    with pytest.raises(MlopsError, match="cannot be deleted") as caught:
        lab.preview('sns.Topic("t")')
    assert "protect: false" in caught.value.hint
    with pytest.raises(MlopsError, match="cannot be deleted"):
        lab.engine.destroy(lab.target)
    with pytest.raises(MlopsError, match="cannot be deleted"):
        lab.engine.plan_destroy(lab.target)
    assert "r" in lab.names()


def test_a_cascade_stops_at_a_protected_resource(lab: Lab) -> None:
    protect = CASCADE.replace('+ "/"))', '+ "/"), opts=O(protect=True))')
    lab.up(protect.format(fifo=True))
    with pytest.raises(MlopsError, match=r"iam\.Role/r is protected"):
        lab.up(protect.format(fifo=False))
    assert lab.names() == {"fixed", "r", "t"}


def test_retained_resources_leave_the_state_but_not_the_cloud(lab: Lab) -> None:
    lab.up('sns.Topic("t", opts=O(retain_on_delete=True))')
    result = lab.up("")
    step = next(s for s in result.steps if s.op == "delete" and s.name == "t")
    assert step.retained
    assert lab.names() == {"t"}
    assert [r.type for r in lab.engine.resources(lab.target)] == ["pulumi:pulumi:Stack"]


def test_ignore_changes_with_nested_and_wildcard_paths(lab: Lab) -> None:
    body = 'sns.Topic("t", display_name="{0}", tags={{"a": "{0}", "b": "{1}"}}, opts=O(ignore_changes=["displayName", "tags.a"]))'
    lab.up(body.format(1, 1))
    assert lab.preview(body.format(2, 1)).changes == []
    plan = lab.preview(body.format(2, 2))
    assert [c.path for c in plan.changes[0].changes] == ["tags.b"]
    star = 'sns.Topic("t", display_name="1", tags={{"a": "{0}", "b": "{0}"}}, opts=O(ignore_changes=["tags[*]"]))'
    assert lab.preview(star.format(9)).changes == []


def test_replace_on_changes(lab: Lab) -> None:
    body = 'sns.Topic("t", tags={{"a": "{}"}}, opts=O(replace_on_changes=["tags.a"]))'
    lab.up(body.format(1))
    assert ("replace", "t") in ops(lab.preview(body.format(2)))


def test_an_alias_renames_without_touching_the_cloud(lab: Lab) -> None:
    lab.up('t = sns.Topic("t")\nsqs.Queue("q", tags={"t": t.arn})')
    lab.cloud.calls.clear()
    result = lab.up(
        't = sns.Topic("new", opts=O(aliases=[pulumi.Alias(name="t")]))\nsqs.Queue("q", tags={"t": t.arn})'
    )
    assert ops(result) == []
    assert lab.cloud.calls == []
    queue = next(r for r in lab.engine.resources(lab.target) if r.name == "q")
    assert queue.dependencies == ("urn:pulumi:local::proj::aws:sns/topic:Topic::new",)


def test_moving_into_a_component_with_an_alias(lab: Lab) -> None:
    lab.up('sns.Topic("t")')
    result = lab.up(
        """
        class C(pulumi.ComponentResource):
            def __init__(self, name):
                super().__init__("x:y:C", name)
                sns.Topic("t", opts=O(parent=self, aliases=[pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)]))
                self.register_outputs({"k": "v"})
        C("c")
        """
    )
    assert ops(result) == [("create", "c")]
    moved = next(r for r in lab.engine.resources(lab.target) if r.name == "t")
    assert moved.urn == "urn:pulumi:local::proj::x:y:C$aws:sns/topic:Topic::t"


def test_deleted_with_skips_the_deletion_and_follows_the_replacement(lab: Lab) -> None:
    body = 'r = iam.Role("r", assume_role_policy="{{}}", path="{}")\nsns.Topic("t", opts=O(deleted_with=r))'
    lab.up(body.format("/a/"))
    result = lab.up(body.format("/b/"))
    assert ("replace", "t") in ops(result)
    lab.cloud.calls.clear()
    lab.engine.destroy(lab.target)
    assert [name.split("-")[0] for verb, name in lab.cloud.calls if verb == "delete"] == ["r"]


def test_secrets_are_encrypted_in_the_state_and_wrapped_outside(lab: Lab) -> None:
    result = lab.up(
        """
        p = ssm.Parameter("p", type="String", value=pulumi.Output.secret("hush"))
        t = sns.Topic("t", opts=O(additional_secret_outputs=["arn"]))
        pulumi.export("p", p.value)
        pulumi.export("arn", t.arn)
        """
    )
    assert isinstance(result.outputs["p"], Secret)
    assert isinstance(result.outputs["arn"], Secret)
    text = (lab.folder / ".mlops-iac/state/local.json").read_text()
    assert "hush" not in text
    assert '"ciphertext"' in text
    assert lab.engine.outputs(lab.target)["p"].value == "hush"
    key = lab.folder / ".mlops-iac/state/secrets.key"
    assert key.stat().st_mode & 0o777 == 0o600
    plan = lab.preview('ssm.Parameter("p", type="String", value=pulumi.Output.secret("loud"))')
    assert "hush" not in repr(plan)
    assert "loud" not in repr(plan)
    key.unlink()
    with pytest.raises(MlopsError, match="key"):
        lab.preview()


def test_assets_are_compared_by_content(lab: Lab) -> None:
    body = 's3.BucketObjectv2("o", bucket="b", key="k", source=pulumi.FileAsset("x.txt"))'
    lab.write(body)
    file = lab.folder / "program/x.txt"
    file.write_text("one")
    lab.up()
    file.touch()
    assert lab.preview().changes == []
    file.write_text("two")
    assert [c.path for c in lab.preview().changes[0].changes] == ["source"]
    file.unlink()
    with pytest.raises(MlopsError, match=r"s3\.BucketObjectv2/o: cannot read the asset"):
        lab.preview()
    lab.write(body.replace('FileAsset("x.txt")', 'FileArchive(".")'))
    with pytest.raises(MlopsError, match="directory"):
        lab.preview()
    lab.write(body.replace('FileAsset("x.txt")', "AssetArchive({})"))
    with pytest.raises(MlopsError, match="archive made of assets"):
        lab.preview()


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ('import_="x"', r"sns\.Topic/t: the option import_ "),
        ('hide_diffs=["tags"]', "hideDiffs|hide_diffs"),
        ("replacement_trigger=1", "replacement_trigger"),
        ('plugin_download_url="http://x"', "plugin_download_url"),
        ("replace_with=[q]", "ReplaceWith|replace_with"),
        ("transforms=[lambda a: None]", "transforms"),
        ('hooks=pulumi.ResourceHookBinding(before_create=["h"])', "hook"),
    ],
)
def test_what_is_not_implemented_is_refused(lab: Lab, option: str, message: str) -> None:
    lab.write(f'q = sqs.Queue("q")\nsns.Topic("t", opts=O({option}))')
    with pytest.raises(MlopsError, match=message):
        lab.preview()
    with pytest.raises(MlopsError, match=message):
        capture(lab.target, {"aws": lab.cloud})


def test_reads_and_unknown_types_are_refused(lab: Lab) -> None:
    with pytest.raises(MlopsError, match="reading an existing resource"):
        lab.preview('sns.Topic.get("t", "id")')
    with pytest.raises(MlopsError, match="no emulated cloud knows the type aws:ecr"):
        lab.preview('import pulumi_aws as aws\naws.ecr.Repository("r")')
    with pytest.raises(MlopsError, match="no offline answer for aws:index/getAvailabilityZones"):
        lab.preview("import pulumi_aws as aws\naws.get_availability_zones_output()")


def test_legacy_transformations_and_timeouts_work(lab: Lab) -> None:
    plan = lab.preview(
        """
        def t(args):
            args.props["tags"] = {"by": "transformation"}
            return pulumi.ResourceTransformationResult(args.props, args.opts)
        sns.Topic("t", opts=O(transformations=[t], custom_timeouts=pulumi.CustomTimeouts(create="5m")))
        """
    )
    topic = next(s for s in plan.steps if s.name == "t")
    assert topic.new_inputs["tags"] == {"by": "transformation"}


def test_errors_of_the_program_name_its_line_and_print_nothing(
    lab: Lab, capfd: pytest.CaptureFixture[str]
) -> None:
    for body in (
        "1 / 0",
        't = sns.Topic("t", name="n")\nt.name.apply(lambda n: 1 / 0)',
    ):
        lab.write(body)
        with pytest.raises(MlopsError, match=r"__main__\.py:\d+: the program failed: ZeroDivision"):
            lab.preview()
    with pytest.raises(MlopsError, match="SyntaxError"):
        lab.preview("def")
    with pytest.raises(MlopsError, match="reported an error: oh"):
        lab.preview('pulumi.log.error("oh")')
    plan = lab.preview('pulumi.log.warn("hm")\npulumi.log.info("aha")')
    assert plan.diagnostics == ("warning: hm", "info: aha")
    assert capfd.readouterr() == ("", "")


def test_what_the_program_prints_is_a_message(lab: Lab, capfd: pytest.CaptureFixture[str]) -> None:
    lab.write('import sys\nprint("one\\ntwo")\nprint("three", end="", file=sys.stderr)')
    assert lab.preview().diagnostics == ("info: one", "info: two", "info: three")
    assert lab.up().failures == {}
    capture(lab.target, {"aws": lab.cloud})
    assert capfd.readouterr() == ("", "")


def test_duplicate_names_are_refused(lab: Lab) -> None:
    with pytest.raises(MlopsError, match="registered twice"):
        lab.preview('sns.Topic("t")\nsns.Topic("t")')


def test_refused_inputs(lab: Lab) -> None:
    with pytest.raises(UsageError, match=r"sns\.Topic/t is refused.*displayName: is not a word"):
        lab.up('sns.Topic("t", display_name="bad!")')
    assert lab.cloud.calls == []


def test_failures_are_collected_dependants_skipped_and_the_rest_kept(
    lab: Lab, capfd: pytest.CaptureFixture[str]
) -> None:
    lab.cloud.fail["create:b"] = "no room"
    lab.cloud.latency = 0.02
    events: list[Event] = []
    body = """
        a = sns.Topic("a")
        b = sns.Topic("b", tags={"a": a.arn})
        c = sns.Topic("c", tags={"b": b.arn})
        d = sns.Topic("d", tags={"c": c.arn})
        pulumi.export("d", d.arn)
        """
    result = lab.up(body, on_event=events.append)
    assert list(result.failures.values()) == ["no room"]
    assert next(iter(result.failures)).endswith("::b")
    assert [e.step.name for e in events if e.kind == "failed" and e.step] == ["b"]
    assert sum(e.kind == "skipped" for e in events) == 2
    assert lab.names() == {"a"}
    assert capfd.readouterr() == ("", "")
    lab.cloud.fail.clear()
    assert ops(lab.up()) == [("create", "b"), ("create", "c"), ("create", "d")]


def test_a_half_created_resource_is_kept_and_finished(lab: Lab) -> None:
    lab.cloud.fail["create:a"] = "half"
    lab.cloud.partial.add("a")
    assert lab.up('sns.Topic("a")').failures
    lab.cloud.fail.clear()
    plan = lab.preview()
    assert ops(plan) == [("update", "a")]
    assert "halfway" in plan.changes[0].reason
    lab.up()
    assert lab.preview().changes == []
    assert len(lab.cloud.things) == 1


def test_a_failed_deletion_stops_and_is_repeated(lab: Lab) -> None:
    lab.up('a = sns.Topic("a")\nsns.Topic("b", tags={"a": a.arn})')
    lab.cloud.fail["delete:b"] = "busy"
    result = lab.engine.destroy(lab.target)
    assert list(result.failures.values()) == ["busy"]
    assert lab.names() == {"a", "b"}
    lab.cloud.fail.clear()
    assert lab.engine.destroy(lab.target).failures == {}
    assert lab.cloud.things == {}
    state = json.loads((lab.folder / ".mlops-iac/state/local.json").read_text())
    assert state["checkpoint"]["latest"]["resources"] == []


def test_independent_resources_run_in_parallel_and_the_limit_holds(lab: Lab) -> None:
    def none_goes_on_before(number: int) -> Callable[[str, str], None]:
        met = threading.Event()

        def wait(when: str, what: str) -> None:
            if lab.cloud.running >= number:
                met.set()
            assert met.wait(60), f"there are never {number} at once"

        return wait

    lab.cloud.latency = 0.05  # time for one too many to come
    lab.cloud.hook = none_goes_on_before(3)
    lab.up("for i in range(6): sns.Topic(f't{i}')", parallel=3)
    assert lab.cloud.peak == 3
    lab.cloud.hook = none_goes_on_before(4)
    lab.cloud.peak = 0
    lab.engine.destroy(lab.target)
    assert lab.cloud.peak > 3


def test_refresh_sees_what_drifted_and_what_vanished(lab: Lab) -> None:
    lab.up('sns.Topic("a", tags={"x": "1"})\nsns.Topic("b")')
    for key, thing in list(lab.cloud.things.items()):
        if "|a-" in key:
            thing["inputs"]["tags"] = {"x": "2", "y": "3"}
            thing["inputs"]["serverDefault"] = True
        else:
            del lab.cloud.things[key]
    before = (lab.folder / ".mlops-iac/state/local.json").read_text()
    seen = {s.name: s for s in lab.engine.refresh(lab.target, preview_only=True).steps}
    assert (lab.folder / ".mlops-iac/state/local.json").read_text() == before
    assert seen["a"].op == "refresh"
    assert {(c.path, c.kind, c.old, c.new) for c in seen["a"].changes} == {
        ("tags.x", "update", "1", "2"),
        ("tags.y", "add", None, "3"),
    }
    assert (seen["b"].op, seen["b"].reason) == ("delete", "it vanished")
    lab.engine.refresh(lab.target)
    assert ops(lab.up()) == [("update", "a"), ("create", "b")]
    assert lab.preview().changes == []
    assert [s.op for s in lab.engine.refresh(lab.target).steps] == ["same", "same"]


def test_targets(lab: Lab) -> None:
    body = 'a = sns.Topic("a", tags={{"v": "{0}"}})\nb = sns.Topic("b", tags={{"v": "{0}"}})\nc = sns.Topic("c", tags={{"b": b.arn}})'
    lab.write(body.format(1))
    with pytest.raises(UsageError, match=r"sns\.Topic/c needs sns\.Topic/b.*does not exist yet"):
        lab.up(targets=["sns.Topic/c"])
    with pytest.raises(UsageError, match=r"no resource has the address sns\.Topic/zz") as told:
        lab.preview(targets=["sns.Topic/zz"])
    assert "status --resources" in told.value.hint
    lab.up(targets=["sns.Topic/a"])
    assert lab.names() == {"a"}
    lab.up()
    result = lab.up(body.format(2), targets=["sns.Topic/a"])
    assert ops(result) == [("update", "a")]
    assert ops(lab.preview()) == [("update", "b")]
    with pytest.raises(MlopsError, match=r"sns\.Topic/b cannot be deleted alone: sns\.Topic/c"):
        lab.up('sns.Topic("a")', targets=["sns.Topic/b"])


def test_the_emulator_refuses_other_stacks(lab: Lab) -> None:
    lab.write('sns.Topic("t")')
    with pytest.raises(MlopsError, match="serves the stack local"):
        lab.engine.up(make_target(lab.folder, stack="prod"))


def test_config_and_secret_config_reach_the_program(tmp_path: Path) -> None:
    target = make_target(
        tmp_path,
        """
        c = pulumi.Config()
        pulumi.export("n", c.require_int("serving.max"))
        pulumi.export("l", c.require_object("list"))
        pulumi.export("s", c.require_secret("key"))
        pulumi.export("absent", c.get("absent"))
        """,
        config={
            "proj:serving.max": 3,
            "proj:list": ["a"],
            "proj:key": "k",
            "aws:region": "eu-west-1",
        },
        secret_keys=frozenset({"proj:key"}),
    )
    outputs = EmbeddedEngine({"aws": MemoryProvider()}).preview(target).outputs
    assert outputs["n"] == 3
    assert outputs["l"] == ["a"]
    assert outputs["s"] == Secret("k")
    assert "absent" not in outputs or outputs["absent"] is None


def test_names_stay_until_a_replacement(lab: Lab) -> None:
    body = 'r = iam.Role("r", assume_role_policy="{{}}", path="{}")'
    lab.up(body.format("/a/"))
    first = next(iter(lab.cloud.things))
    lab.engine.refresh(lab.target)
    assert lab.preview().changes == []
    lab.up(body.format("/b/"))
    assert next(iter(lab.cloud.things)) != first


def test_runs_inside_a_running_loop_and_modules_are_read_again(lab: Lab) -> None:
    import asyncio

    lab.write("import sibling\nsns.Topic(sibling.NAME)")
    (lab.folder / "program/sibling.py").write_text('NAME = "one"')

    async def inside() -> set[str]:
        return {r.name for r in capture(lab.target, {"aws": lab.cloud})}

    assert "one" in asyncio.run(inside())
    (lab.folder / "program/sibling.py").write_text('NAME = "three"')
    assert "three" in {r.name for r in capture(lab.target, {"aws": lab.cloud})}
    assert threading.active_count() < 20


def test_capture_is_symbolic_and_deterministic(lab: Lab) -> None:
    lab.write(
        """
        t = sns.Topic("t")
        iam.Role("r", assume_role_policy=pulumi.Output.json_dumps({"Resource": t.arn}))
        pulumi.export("arn", t.arn)
        """
    )
    graphs = [capture(lab.target, {"aws": lab.cloud}) for _ in range(3)]
    assert graphs[0] == graphs[1] == graphs[2]
    role = graphs[0].of_type("aws:iam/role:Role")[0]
    assert role.inputs["assumeRolePolicy"] == '{"Resource": "${sns.Topic/t.arn}"}'
    assert dict(graphs[0].outputs) == {"arn": "${sns.Topic/t.arn}"}
    assert lab.cloud.calls == []
