"""Ephemeral environments without an engine: names, times, what is refused, what is recorded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import pytest

from mlops_iac.api import load
from mlops_iac.api.core.stack_state import State
from mlops_iac.api.deploy import served_versions
from mlops_iac.api.deploy.deployments import Deployment
from mlops_iac.api.deploy.registry import Registry
from mlops_iac.api.deploy.version_choice import VersionChoice
from mlops_iac.api.kinds import Ephemeral, Recorded
from mlops_iac.api.stacks.ephemeral_deploying import RecordedDeployment
from mlops_iac.api.stacks.ephemeral_record import STACK_TAG, EphemeralRecord, parse_ttl, record_of
from mlops_iac.cli._app import run
from mlops_iac.clouds.aws.sagemaker.registry import PackageGroups
from mlops_iac.engine import pulumi_backend, pulumi_workspace
from mlops_iac.errors import BlueprintInvalid, MlopsError, StackNotFound, UsageError
from mlops_iac.graph.plan import Plan
from tests.sagemaker_blueprints import PREDICT

TEXT = """\
blueprint: 1
name: churn
platform: sagemaker
region: eu-west-1
tags: {expires: never}
environments:
  dev: {account: "111111111111", tags: {team: risk}, region: eu-central-1}
  prod: {account: "222222222222"}
"""
NOW = datetime(2026, 11, 21, 10, 30, 15, 999, tzinfo=UTC)


@pytest.fixture
def blueprint(tmp_path: Path) -> Path:
    path = tmp_path / "blueprint.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("30m", timedelta(minutes=30)),
        ("24h", timedelta(hours=24)),
        ("7d", timedelta(days=7)),
        ("2w", timedelta(days=14)),
        ("1d12h", timedelta(hours=36)),
    ],
)
def test_times(text: str, time: timedelta) -> None:
    assert parse_ttl(text) == time


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "24",
        "h",
        "-1h",
        "1.5h",
        "24 h",
        "24H",
        "1h1h",
        "0m",
        "91d",
        "9" * 40 + "h",
        "1h;",
    ],
)
def test_times_that_are_none(text: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_ttl(text)
    assert error.value.hint


def test_it_is_the_overlay_of_its_base_under_its_own_name(blueprint: Path) -> None:
    project = Ephemeral.declare(blueprint, "pr-123", "dev", ttl=timedelta(hours=2), now=NOW)
    assert project.environments == ("pr-123",)
    resolved = project.resolve("pr-123")
    assert resolved.environment == "pr-123"
    assert resolved.blueprint.account == "111111111111"
    assert resolved.blueprint.region == "eu-central-1"
    assert resolved.blueprint.protect is False
    assert resolved.blueprint.tags == {
        "team": "risk",
        "ephemeral": "true",
        "expires": "2026-11-21T12:30:15Z",
    }
    assert project.record.stack_tags == {STACK_TAG: "dev until 2026-11-21T12:30:15Z"}
    assert load(blueprint).environments == ("local", "dev", "prod")


@pytest.mark.parametrize(
    ("name", "base", "kind", "words"),
    [
        ("dev", "prod", UsageError, "dev is an environment of the blueprint"),
        ("local", "dev", UsageError, "local is an environment of the blueprint"),
        ("PR_123", "dev", UsageError, "cannot be the name of an environment"),
        ("pr/123", "dev", UsageError, "cannot be the name of an environment"),
        ("../../x", "dev", UsageError, "cannot be the name of an environment"),
        ("p" * 21, "dev", UsageError, "has 21 characters"),
        ("pr-123", "test", StackNotFound, "there is no environment 'test'"),
        ("pr-123", "pr-123", StackNotFound, "there is no environment 'pr-123'"),
        ("pr-123", "local", UsageError, "local is emulated"),
    ],
)
def test_names_that_are_refused(
    blueprint: Path, name: str, base: str, kind: type[MlopsError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        Ephemeral.declare(blueprint, name, base)
    assert [path.name for path in blueprint.parent.iterdir()] == ["blueprint.yaml"]


def test_what_its_base_fixes_for_itself_is_refused(blueprint: Path) -> None:
    """A bucket that the base names would be the base's own."""
    fixed = 'team: risk}, overrides: {"s3.Bucket/data-data": {bucket: mine}}'
    blueprint.write_text(TEXT.replace("team: risk}", fixed), encoding="utf-8")
    assert load(blueprint)
    project = Ephemeral.declare(blueprint, "pr-123", "dev")
    with pytest.raises(BlueprintInvalid) as error:
        project.calls("pr-123")
    (item,) = error.value.diagnostics
    assert "pr-123 and dev would share the s3.Bucket 'mine'" in item.message
    assert item.line == 7


@pytest.mark.parametrize("text", ["", "dev", "dev until tomorrow", " until 2026-11-21T12:30:15Z"])
def test_what_is_no_record(text: str) -> None:
    assert record_of(State("pr-1", tags={STACK_TAG: text})) is None


def test_what_a_stack_holds_must_agree_with_its_tag() -> None:
    def state(**tags: str) -> State:
        item = {
            "urn": "urn:pulumi:pr-1::churn::aws:s3/bucket:Bucket::b",
            "type": "aws:s3/bucket:Bucket",
            "custom": True,
            "inputs": {"tags": {"environment": "pr-1", **tags}},
        }
        kept = {STACK_TAG: "dev until 2026-11-21T12:30:15Z"}
        return State("pr-1", deployment={"resources": [item]}, tags=kept)

    assert record_of(state()) is None
    found = record_of(state(ephemeral="true"))
    assert found == EphemeralRecord("dev", datetime(2026, 11, 21, 12, 30, 15, tzinfo=UTC))
    assert found.expired(datetime(2026, 11, 21, 12, 30, 15, tzinfo=UTC))
    assert not found.expired(datetime(2026, 11, 21, 12, 30, 14, tzinfo=UTC))


class Untagged:
    """A backend of an old CLI: it keeps stacks, and no tags of them."""

    done: list[str]

    def __init__(self, *_: object) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def stacks(self) -> list[Any]:
        return []

    def make(self, stack: str, *_: object) -> None:
        self.done.append(f"make {stack}")

    def tag(self, stack: str, tags: object) -> None:
        raise MlopsError("unknown command")

    def remove(self, stack: str) -> None:
        self.done.append(f"remove {stack}")


def test_a_backend_without_tags_is_refused_before_anything_is_deployed(
    blueprint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulumi_backend, "Backend", Untagged)
    monkeypatch.setattr(Untagged, "done", [], raising=False)
    monkeypatch.setattr(pulumi_workspace, "require_cli", lambda: None)
    with (
        Ephemeral.declare(blueprint, "pr-1", "dev").deployment("pr-1") as deployment,
        pytest.raises(UsageError, match=r"keeps no tags of stacks.*nothing was deployed") as error,
    ):
        deployment.up()
    assert "newer Pulumi CLI" in error.value.hint
    assert Untagged.done == ["make pr-1", "remove pr-1"]


PINNED = """\
datasets: {rows: {source: rows.csv, format: csv, target: y}}
models:
  risk:
    code: workload
    runtime: {framework: scikit-learn, version: 1.9}
    datasets: [rows]
    train: {script: train.py}
serving: {api: {mode: real-time, model: risk}}
environments:
  dev: {account: "111111111111", models: {risk: {version: 3}}}
  prod: {account: "222222222222", models: {risk: {promote_from: dev, version: 2}}}
"""


@pytest.fixture
def serving(tmp_path: Path) -> Path:
    """A blueprint whose dev trains and pins, and whose prod takes what dev approved."""
    path = tmp_path / "blueprint.yaml"
    path.write_text(TEXT[: TEXT.index("environments:")] + PINNED, encoding="utf-8")
    (tmp_path / "rows.csv").write_text("x,y\n1,0\n")
    (tmp_path / "workload").mkdir()
    (tmp_path / "workload" / "train.py").touch()
    (tmp_path / "workload" / "predict.py").write_text(PREDICT)
    return path


def test_a_role_that_deploys_its_base_is_told_what_to_reach(
    blueprint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deployer confined to dev would fail half way: that is told before anything is made."""
    monkeypatch.setattr(pulumi_backend, "Backend", Untagged)
    monkeypatch.setattr(pulumi_workspace, "require_cli", lambda: None)
    monkeypatch.setattr(
        Deployment, "preview", lambda self: Plan(self.stack, "churn", "pulumi", "state", ())
    )
    role = "arn:aws:iam::111111111111:role/dev-deployer"

    def told() -> list[str]:
        with Ephemeral.declare(blueprint, "pr-1", "dev").deployment("pr-1") as deployment:
            return [each for each in deployment.preview().diagnostics if "names begin" in each]

    assert told() == []
    blueprint.write_text(TEXT.replace("tags: {team", f"deploy_as: '{role}', tags: {{team"))
    (note,) = told()
    assert note.startswith(role)
    assert "churn-pr-1-" in note
    assert "stack=churn-pr-1" in note


def test_its_versions_are_listed_and_approved(
    serving: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its endpoint waits for an approval, so there must be a way to give one."""
    state = State("pr-1", tags={STACK_TAG: "dev until 2026-11-21T12:30:15Z"})
    found = Recorded(load(serving), "pr-1", "file:///kept", state)
    version = SimpleNamespace(model="risk", version=1, status="Approved")
    monkeypatch.setattr(Recorded, "recorded", lambda *_: found)
    monkeypatch.setattr(RecordedDeployment, "outputs", lambda *_: {})
    monkeypatch.setattr(Registry, "decide", lambda *_, **__: version)
    at = ["-C", str(serving.parent)]
    assert run([*at, "models", "ls", "-s", "pr-1"]) == 0
    assert "no versions yet" in capsys.readouterr().err
    assert run([*at, "models", "approve", "risk", "1", "-s", "pr-1"]) == 0
    assert " up -s pr-1 --from dev\n" in capsys.readouterr().err
    assert run([*at, "up", "-s", "pr-1", "--yes"]) == 6
    assert "named with its base: -s pr-1 --from ENVIRONMENT" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("base", "there", "served"),
    [("dev", set(), None), ("dev", {"3"}, "3"), ("prod", set(), "2")],
)
def test_a_pin_of_its_base_counts_where_the_registry_has_it(
    serving: Path, monkeypatch: pytest.MonkeyPatch, base: str, there: set[str], served: str | None
) -> None:
    asked: list[str] = []

    def versions(_: object, group: str) -> list[Any]:
        asked.append(group)
        return [SimpleNamespace(version=each) for each in there]

    monkeypatch.setattr(pulumi_backend, "Backend", Untagged)
    monkeypatch.setattr(pulumi_workspace, "require_cli", lambda: None)
    monkeypatch.setattr(PackageGroups, "versions", versions)
    monkeypatch.setattr(served_versions, "newest_real", lambda *_: None)
    monkeypatch.setattr(served_versions, "check_pin", lambda *_: [])
    monkeypatch.setattr(Deployment, "_moves", lambda *_: [])
    monkeypatch.setattr(VersionChoice, "_left", lambda *_: None)
    with Ephemeral.declare(serving, "pr-1", base).deployment("pr-1") as deployment:
        found = deployment.target.config.get("churn:models.risk.version")
        notes = deployment._notes
    assert found == served
    group = "arn:aws:sagemaker:eu-west-1:111111111111:model-package-group/churn-pr-1-risk"
    assert asked == ([group] if base == "dev" else [])
    assert notes == (
        [] if served else ["pr-1 has a registry of its own without risk/3, which dev pins"]
    )


def test_what_another_up_makes_at_this_moment_is_let_alone(
    blueprint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Raced(Untagged):
        def make(self, stack: str, *_: object) -> None:
            raise MlopsError(f"Pulumi: stack 'organization/churn/{stack}' already exists")

    monkeypatch.setattr(pulumi_backend, "Backend", Raced)
    monkeypatch.setattr(Untagged, "done", [], raising=False)
    monkeypatch.setattr(pulumi_workspace, "require_cli", lambda: None)
    with (
        Ephemeral.declare(blueprint, "pr-1", "dev").deployment("pr-1") as deployment,
        pytest.raises(UsageError, match="somebody else makes pr-1 at this moment"),
    ):
        deployment.up()
    assert Untagged.done == []


def test_saved_plans_and_the_embedded_engine_are_for_others(blueprint: Path) -> None:
    project = Ephemeral.declare(blueprint, "pr-1", "dev")
    with pytest.raises(UsageError, match="a saved plan is one of a declared environment"):
        project.deployment("pr-1", plan="plan.json")
    with pytest.raises(UsageError, match="the embedded engine deploys local only"):
        project.deployment("pr-1", engine="embedded")


def test_one_is_found_where_another_backend_is_silent(
    blueprint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who may look at dev's states alone can look at, and delete, what was made from dev."""

    class Guarded(Untagged):
        def __init__(self, _: str, url: str) -> None:
            self.url = url

        def stacks(self) -> list[Any]:
            if self.url == "s3://prod":
                raise MlopsError("access denied")
            return [pulumi_backend.Listed("pr-1")]

        def export(self, stack: str) -> dict[str, Any]:
            return {"deployment": {"resources": []}}

        def tags(self, stack: str) -> dict[str, str]:
            return {STACK_TAG: "dev until 2026-11-21T12:30:15Z"}

    first, second = (
        '  prod: {state: {backend: "s3://prod"}}\n',
        '  dev: {state: {backend: "s3://dev"}}\n',
    )
    blueprint.write_text(TEXT[: TEXT.index("  dev:")] + first + second, encoding="utf-8")
    monkeypatch.setattr(pulumi_backend, "Backend", Guarded)
    found = Recorded.recorded(load(blueprint), "pr-1")
    assert found is not None
    assert found.url == "s3://dev"
    with pytest.raises(MlopsError, match="access denied"):
        Recorded.recorded(load(blueprint), "pr-2")


def test_a_base_that_a_template_protects_is_none(blueprint: Path) -> None:
    folder = blueprint.parent / "standard"
    folder.mkdir()
    (folder / "template.yaml").write_text(
        "template: 1\nname: acme/standard\nversion: 1.0.0\n"
        "limits: {environments.prod.protect: {fixed: true, because: customers}}\n"
    )
    (folder / "blueprint.yaml").write_text("{}\n")
    blueprint.write_text(f"{TEXT}extends: [{{template: ./standard}}]\n", encoding="utf-8")
    assert Ephemeral.declare(blueprint, "pr-1", "dev")
    with pytest.raises(UsageError, match=r"pr-1 cannot be made from prod: .*customers"):
        Ephemeral.declare(blueprint, "pr-1", "prod")
