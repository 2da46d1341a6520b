"""Plans saved and applied through the command, on the emulated cloud: exactly that, or nothing.

The tests of the local stack build on each other and run in the order they stand in.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cli.harness import Answer, Cli, copy_example, environment, teach_nothing

MOVED = "this is not what was planned, nothing was done"


def git(folder: Path, *words: str) -> None:
    author = ("-c", "user.name=t", "-c", "user.email=t@t.example", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *author, *words], cwd=folder, check=True, capture_output=True)


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "x")


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    folder = teach_nothing(copy_example(tmp_path_factory.mktemp("plans") / "project"))
    git(folder, "init", "--quiet")
    commit(folder)
    command = Cli(folder, environment())
    yield command
    command("local", "stop", expect=None)


@pytest.fixture
def plans(tmp_path: Path) -> Path:
    return tmp_path


def change(walk: Cli, old: str, new: str) -> None:
    path = walk.folder / "blueprint.yaml"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def client(walk: Cli, service: str) -> Any:
    import boto3

    return boto3.client(
        service,
        endpoint_url=walk("local", "status", "--json").json["endpoint"],
        region_name="eu-west-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


def refused(answer: Answer, *words: str) -> None:
    assert answer.code == 1
    assert MOVED in answer.err
    for word in words:
        assert word in answer.err
    assert "created" not in answer.err


def test_a_plan_saved_twice_is_the_same_bytes_and_starts_nothing(walk: Cli, plans: Path) -> None:
    for name in ("one.json", "two.json"):
        walk("preview", "--save-plan", str(plans / name))
    assert (plans / "one.json").read_bytes() == (plans / "two.json").read_bytes()
    assert not (walk.folder / ".mlops-iac" / "emulator").exists()
    assert (plans / "one.json").stat().st_mode & 0o077 == 0


def test_a_first_plan_is_applied_with_the_names_it_showed(walk: Cli, plans: Path) -> None:
    file = plans / "plan.json"
    walk("preview", "--save-plan", str(file))
    saved = json.loads(file.read_text(encoding="utf-8"))
    names = {
        operation["inputs"]["bucket"]
        for operation in saved["operations"]
        if operation["urn"].split("::")[2].endswith("s3/bucket:Bucket")
    }
    answer = walk("up", "--plan", str(file), "--yes", "--json").json
    assert answer["summary"]["create"] > 50
    assert {b["Name"] for b in client(walk, "s3").list_buckets()["Buckets"]} == names
    refused(walk("up", "--plan", str(file), "--yes", expect=1), "the state of", "is new")


def test_an_update_is_applied_exactly(walk: Cli, plans: Path) -> None:
    change(walk, "retention_days: 30", "retention_days: 31")
    commit(walk.folder)
    file = plans / "plan.json"
    walk("preview", "--save-plan", str(file))
    answer = walk("up", "--plan", str(file), "--yes", "--json").json
    assert answer["summary"]["update"] == 1
    walk("preview", "--expect-no-changes")


def test_a_changed_blueprint_is_refused_and_the_same_tree_again_is_not(
    walk: Cli, plans: Path
) -> None:
    file = plans / "plan.json"
    walk("preview", "--save-plan", str(file))
    change(walk, "retention_days: 31", "retention_days: 32")
    refused(
        walk("up", "--plan", str(file), "--yes", expect=1),
        "s3.BucketLifecycleConfiguration/data-captures-lifecycle: same was planned, now update",
    )
    told = walk("up", "--plan", str(file), "--yes", "--json", expect=1).json
    assert any("rules[0]" in move or "now update" in move for move in told["moved"])
    change(walk, "retention_days: 32", "retention_days: 31")
    commit(walk.folder)  # another commit of the same tree, as a merge makes
    walk("up", "--plan", str(file), "--yes")


def test_a_plan_that_is_not_of_this_tree_is_refused(walk: Cli, plans: Path) -> None:
    file = plans / "plan.json"
    walk("preview", "--save-plan", str(file))
    (walk.folder / "README.md").write_text("another\n", encoding="utf-8")
    refused(walk("up", "--plan", str(file), "--yes", expect=1), "uncommitted files of . is new")
    commit(walk.folder)
    refused(walk("up", "--plan", str(file), "--yes", expect=1), "the git tree of . differs")


def test_a_new_approved_version_is_refused_and_named(walk: Cli, plans: Path) -> None:
    walk("run")
    file = plans / "plan.json"
    walk("preview", "--save-plan", str(file))
    walk("models", "approve", "adherence", "1")
    refused(
        walk("up", "--plan", str(file), "--yes", expect=1),
        "the configuration schedule-adherence:models.adherence.version is new",
    )
    walk("preview", "--save-plan", str(file))
    saved = json.loads(file.read_text(encoding="utf-8"))
    key = "schedule-adherence:models.adherence.version"
    assert saved["bound"]["configuration"][key] == "1"
    walk("up", "--plan", str(file), "--yes")
    assert client(walk, "sagemaker").list_endpoints()["Endpoints"]


def test_a_replacement_is_applied_as_planned(walk: Cli, plans: Path) -> None:
    change(walk, "capture: {percent: 100,", "capture: {percent: 50,")
    file = plans / "plan.json"
    walk("preview", "--save-plan", str(file))
    operations = json.loads(file.read_text(encoding="utf-8"))["operations"]
    [replaced] = [each for each in operations if each["op"] == "replace"]
    assert replaced["replace_keys"] == ["dataCaptureConfig.initialSamplingPercentage"]
    walk("up", "--plan", str(file), "--yes")
    walk("preview", "--expect-no-changes")


def test_a_state_changed_out_of_band_is_refused(walk: Cli, plans: Path) -> None:
    file = plans / "plan.json"
    walk("preview", "--save-plan", str(file))
    operations = json.loads(file.read_text(encoding="utf-8"))["operations"]
    [alarm] = [
        each["inputs"]["name"]
        for each in operations
        if each["urn"].endswith("::api-monitor-main-errors")
    ]
    cloudwatch = client(walk, "cloudwatch")
    cloudwatch.delete_alarms(AlarmNames=[alarm])
    walk("refresh", "--yes")
    refused(
        walk("up", "--plan", str(file), "--yes", expect=1),
        "the state of cloudwatch.MetricAlarm/api-monitor-main-errors is gone",
        "cloudwatch.MetricAlarm/api-monitor-main-errors: same was planned, now create",
    )
    walk("up", "--yes")


def test_what_does_not_go_with_a_plan_is_told(walk: Cli, plans: Path) -> None:
    file = plans / "plan.json"
    walk("preview", "--save-plan", str(file))
    for words in (["--refresh"], ["--target", "s3.Bucket/data-data"], ["--engine", "pulumi"]):
        assert walk("up", "--plan", str(file), "--yes", *words, expect=2).err
    assert (
        "is a plan of the stack local"
        in walk("up", "-s", "dev", "--plan", str(file), "--yes", expect=2).err
    )
    assert "cannot be read" in walk("up", "--plan", "nowhere.json", "--yes", expect=2).err
    file.write_bytes(file.read_bytes().replace(b'"retention', b'"Retention'))
    file.write_bytes(file.read_bytes()[:-40])
    assert "no plan" in walk("up", "--plan", str(file), "--yes", expect=2).err
    assert "cannot be written" in walk("preview", "--save-plan", "no/such/x", expect=2).err
    assert (
        "--target"
        in walk("preview", "--save-plan", "x", "--target", "s3.Bucket/data-data", expect=2).err
    )


def test_a_lost_emulator_has_no_exact_plan(walk: Cli, plans: Path) -> None:
    walk("local", "stop")
    answer = walk("preview", "--save-plan", str(plans / "plan.json"), expect=1)
    assert "no plan of it is exact" in answer.err
    assert not (plans / "plan.json").exists()


# -- stacks without a state of ours


def test_a_plan_against_the_lock_binds_the_symbolic_graph(cli: Cli, project: Path) -> None:
    cli("compile")
    cli("preview", "-s", "prod", "--save-plan", "a.json")
    cli("preview", "-s", "prod", "--save-plan", "b.json")
    assert (project / "a.json").read_bytes() == (project / "b.json").read_bytes()
    saved = json.loads((project / "a.json").read_text(encoding="utf-8"))
    assert (saved["basis"], saved["bound"].get("state")) == ("lock", None)
    assert saved["review"]["stack"] == "prod"  # what `pr comment --from` shows
    endpoint = [urn for urn in saved["bound"]["graph"] if urn.endswith("Endpoint::api-endpoint")]
    assert len(endpoint) == 1
    assert {each["op"] for each in saved["operations"]} == {"same"}


def test_what_the_backend_would_do_beyond_a_plan_against_the_lock_is_refused(
    cli: Cli, project: Path, edit: Any
) -> None:
    """As `up -s prod --plan` compares, with a preview of the backend's state in our hands."""
    import mlops_iac
    from mlops_iac.api.deploy.planned_deployment import require_unmoved
    from mlops_iac.api.deploy.saved_plans import read_plan
    from mlops_iac.errors import PlanMoved
    from mlops_iac.graph.plan import Plan

    cli("compile")
    edit("scaling: {min: 2, max: 20}", "scaling: {min: 2, max: 30}")
    cli("preview", "-s", "prod", "--save-plan", "plan.json")
    cli("compile")  # what was merged has its lock beside it; a lock is not what is compared

    def compare(plan: Plan) -> list[str]:
        loaded = mlops_iac.load(project / "blueprint.yaml")
        planned = read_plan(project / "plan.json", loaded, "prod")
        try:
            require_unmoved(loaded.deployment("prod"), plan, planned)
        except PlanMoved as error:
            return list(error.moves)
        return []

    loaded = mlops_iac.load(project / "blueprint.yaml")
    steps = loaded.preview("prod", against="lock").steps
    [target] = [step for step in steps if step.type.endswith(":Target")]
    backend = [replace(step, op="update") if step is target else step for step in steps]
    assert compare(Plan("prod", loaded.name, "pulumi", "live", backend)) == []
    without = [step for step in backend if step is not target]
    assert compare(Plan("prod", loaded.name, "pulumi", "live", without)) == []
    behind = [replace(step, op="create") for step in backend if step.custom]
    assert any(
        "same was planned, now create" in move
        for move in compare(Plan("prod", loaded.name, "pulumi", "live", behind))
    )
    edit("scaling: {min: 2, max: 30}", "scaling: {min: 2, max: 40}")
    cli("compile")
    found = compare(Plan("prod", loaded.name, "pulumi", "live", backend))
    assert "the configuration schedule-adherence:serving.api.scaling.max was 30, is 40" in found
    assert "the resource appautoscaling.Target/api-main-scaling differs in maxCapacity" in found


def test_a_secret_setting_of_the_users_own_is_left_out_and_named(cli: Cli, project: Path) -> None:
    cli("compile")
    file = project / "stacks" / "schedule-adherence" / "Pulumi.prod.yaml"
    text = file.read_text(encoding="utf-8")
    assert "\nconfig:\n" in text
    extra = "  other:plain: shown\n  other:sealed:\n    secure: v1:hunter2:hunter3\n"
    extra += "  other:password: hunter4\n"
    file.write_text(text.rstrip("\n") + "\n" + extra, encoding="utf-8")
    cli("preview", "-s", "prod", "--save-plan", "a.json")
    saved = (project / "a.json").read_text(encoding="utf-8")
    assert "hunter" not in saved
    assert {"configuration other:password", "configuration other:sealed"} <= set(
        json.loads(saved)["left_out"]
    )
    assert json.loads(saved)["bound"]["configuration"]["other:plain"] == "shown"


@pytest.mark.pulumi_cli
def test_the_real_engine_applies_a_saved_plan_and_refuses_another(
    cli: Cli, project: Path, edit: Any
) -> None:
    if shutil.which("pulumi") is None:
        pytest.skip("no `pulumi` on PATH")
    path = project / "blueprint.yaml"
    small = path.read_text(encoding="utf-8").partition("\nserving:")[0]
    told = "alerts: {oncall: {email: a@acme.example}}\nbudget: {monthly_usd: 30}\n"
    small = small.replace(" limits: [drift_psi],", "")  # nothing monitors any more
    path.write_text(f"{small}\n{told}", encoding="utf-8")
    cli("preview", "--engine", "pulumi", "--save-plan", "a.json")
    cli("preview", "--engine", "pulumi", "--save-plan", "b.json")
    assert (project / "a.json").read_bytes() == (project / "b.json").read_bytes()
    cli("up", "--plan", "a.json", "--yes")
    edit("monthly_usd: 30", "monthly_usd: 31")
    cli("preview", "--save-plan", "c.json")
    edit("monthly_usd: 31", "monthly_usd: 32")
    refused(cli("up", "--plan", "c.json", "--yes", expect=1), "limitAmount")
    edit("monthly_usd: 32", "monthly_usd: 31")
    answer = cli("up", "--plan", "c.json", "--yes", "--json").json
    assert answer["summary"]["update"] == 1
    refused(cli("up", "--plan", "c.json", "--yes", expect=1), "the state of")
