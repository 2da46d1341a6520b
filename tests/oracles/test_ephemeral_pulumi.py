"""Ephemeral stacks under the real Pulumi CLI, with a backend of files, on an emulated cloud.

The product's own provider serves `local` alone, and the engine refuses an attached one for any
other stack. Here both are lifted for this test: what is tested is everything else.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.api import Project, load
from mlops_iac.api.kinds import Ephemeral
from mlops_iac.emulators.aws import server
from mlops_iac.emulators.aws.provider import AwsProvider
from mlops_iac.emulators.plugin import serve
from mlops_iac.emulators.provider import ProviderError, ResourceState
from mlops_iac.engine import pulumi_workspace
from mlops_iac.engine.pulumi_backend import Backend
from tests.oracles.pulumi_cli import NEEDED

pytestmark = NEEDED

BLUEPRINT = """\
blueprint: 1
name: churn
owner: risk@acme.example
platform: sagemaker
region: eu-west-1
alerts: {oncall: {email: oncall@acme.example}}
budget: {monthly_usd: 100}
environments:
  dev: {account: "123456789012", tags: {team: risk}}
  prod: {account: "123456789012"}
"""
PAST = "2020-01-01T00:00:00Z"


class Anywhere(AwsProvider):
    """Serves any stack; refuses to delete buckets whose name holds one of `kept`."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.kept: list[str] = []

    def configure(self, stack: str, config: Any) -> None:
        super().configure("local", config)

    def delete(self, type_: str, state: ResourceState) -> None:
        if any(word in json.dumps(state.inputs.get("tags", {})) for word in self.kept):
            raise ProviderError("somebody holds on to it")
        super().delete(type_, state)


@dataclass
class Team:
    """A backend, a cloud, and checkouts of one repository on several machines."""

    root: Path
    cloud: Any
    provider: Anywhere
    checkouts: list[Path] = field(default_factory=list)

    def checkout(self, text: str = BLUEPRINT) -> Path:
        folder = self.root / f"machine-{len(self.checkouts)}"
        folder.mkdir()
        (folder / "blueprint.yaml").write_text(text, encoding="utf-8")
        self.checkouts.append(folder)
        return folder

    def run(self, folder: Path, *words: str, expect: int = 0) -> tuple[str, str]:
        from mlops_iac.cli._app import run

        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(["-C", str(folder), *words])
        told = out.getvalue(), err.getvalue()
        assert code == expect, "\n".join([f"{words}: exit {code}", *told])
        return told

    def stacks(self) -> list[str]:
        with Backend("churn") as backend:
            return [item.name for item in backend.stacks()]

    def tag(self, stack: str) -> str:
        with Backend("churn") as backend:
            return backend.tags(stack).get("mlops-iac:ephemeral", "")

    def expire(self, *stacks: str) -> None:
        with Backend("churn") as backend:
            for stack in stacks:
                backend.tag(stack, {"mlops-iac:ephemeral": f"dev until {PAST}"})

    def buckets(self, stack: str) -> list[str]:
        s3 = server.client("s3", self.cloud, "eu-west-1")
        found = []
        for item in s3.list_buckets()["Buckets"]:
            tags = s3.get_bucket_tagging(Bucket=item["Name"])["TagSet"]
            if {"Key": "environment", "Value": stack} in tags:
                found.append(item["Name"])
        return found


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    root = tmp_path_factory.mktemp("team")
    emulator = server.AwsServer(root / "cloud")
    cloud = emulator.ensure()
    provider = Anywhere(lambda: cloud.url, region="eu-west-1")
    backend = root / "backend"
    backend.mkdir()

    @contextlib.contextmanager
    def environment(target: Any, _: object) -> Iterator[dict[str, str]]:
        with serve(provider, target.program.resolve()) as served:
            yield {
                **served.environment,
                "PULUMI_PYTHON_CMD": os.environ["PULUMI_PYTHON_CMD"],
                "PULUMI_SKIP_UPDATE_CHECK": "true",
            }

    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "HOME": str(root),
            "PULUMI_HOME": str(root / "home"),
            "PULUMI_BACKEND_URL": backend.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "x",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }.items():
            patch.setenv(name, value)
        for name in ("CI", "PULUMI_DEBUG_PROVIDERS"):
            patch.delenv(name, raising=False)
        patch.setattr(pulumi_workspace, "environment", environment)
        patch.chdir(root)
        yield Team(root, cloud, provider)
    emulator.stop()


@pytest.fixture(scope="module")
def home(team: Team) -> Path:
    """The checkout from which `pr-123` was deployed, which lives until the last test."""
    folder = team.checkout()
    _, told = team.run(folder, *up("pr-123"))
    assert "pr-123, made from dev, lives until" in told
    return folder


@pytest.fixture(scope="module")
def half_way(team: Team) -> None:
    """`pr-2`, whose deployment failed."""

    def create(urn: str, type_: str, *rest: Any) -> Any:
        if "budget" in type_:
            raise ProviderError("no")
        return made(urn, type_, *rest)

    made = team.provider.create
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(team.provider, "create", create)
        team.run(team.checkout(), *up("pr-2"), expect=4)


def up(name: str, base: str = "dev", ttl: str = "24h") -> Sequence[str]:
    return ("up", "-s", name, "--from", base, "--ttl", ttl, "--yes")


def deploy(project: Project, stack: str) -> None:
    """An `up` without a preview first, which would run the program twice."""
    with project.deployment(stack) as deployment:
        assert deployment.up().failures == {}


def expires(tag: str) -> datetime:
    return datetime.strptime(tag.partition(" until ")[2], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def test_the_life_of_one(team: Team, home: Path) -> None:
    assert "pr-123" in team.stacks()
    assert team.tag("pr-123").startswith("dev until ")
    assert sorted(path.name for path in home.iterdir()) == [".mlops-iac", "blueprint.yaml"]
    first = set(team.buckets("pr-123"))
    assert first

    # Another machine has the repository, and nothing of the work folder.
    there = team.checkout()
    status = json.loads(team.run(there, "status", "-s", "pr-123", "--json")[0])
    assert len(status["resources"]) > 10
    assert any("ephemeral, made from dev" in note for note in status["notes"])
    outputs = json.loads(team.run(there, "outputs", "-s", "pr-123", "--json")[0])
    assert outputs["data_bucket"] in first
    rows = json.loads(team.run(there, "stack", "ls", "--json")[0])["stacks"]
    (row,) = [each for each in rows if each["stack"] == "pr-123"]
    assert row["ephemeral"] is True
    assert row["base"] == "dev"
    assert (row["account"], row["region"]) == ("123456789012", "eu-west-1")
    assert not row["expired"]
    assert row["engine"].startswith("pulumi 3.")
    assert row["resources"] == len(status["resources"])
    exported = json.loads(team.run(there, "stack", "export", "-s", "pr-123")[0])
    assert exported["deployment"]["resources"]

    # The same again from there renews it, and makes nothing twice.
    before = expires(team.tag("pr-123"))
    _, told = team.run(there, *up("pr-123", ttl="7d"))
    assert "renewed" in told
    assert (expires(team.tag("pr-123")) - before).days == 6
    assert set(team.buckets("pr-123")) == first

    # What does not fit is refused, and nothing is changed.
    kept = team.tag("pr-123")
    assert "was made from dev, not from prod" in team.run(there, *up("pr-123", "prod"), expect=2)[1]
    assert "there is no stack 'pr-123'" in team.run(there, "up", "-s", "pr-123", expect=6)[1]
    assert team.tag("pr-123") == kept


def test_what_fails_half_way_is_ephemeral_already(team: Team, half_way: None) -> None:
    assert team.tag("pr-2").startswith("dev until ")


def test_expired_ones_are_destroyed_as_they_were_deployed(
    team: Team, home: Path, half_way: None
) -> None:
    here = team.checkout()
    assert team.buckets("pr-2")
    deploy(Ephemeral.declare(here / "blueprint.yaml", "pr-1", "dev"), "pr-1")
    team.run(here, "compile")
    deploy(load(here / "blueprint.yaml"), "dev")
    the_state_is_held_against_the_lock(team, here)
    # One made by hand, and one whose tag says what its resources do not: both are let alone.
    with Backend("churn") as backend:
        backend.make("handmade", here / "stacks" / "churn")
        backend.tag("handmade", {"ephemeral": "true", "expires": PAST})
        backend.tag("dev", {"mlops-iac:ephemeral": f"dev until {PAST}"})
    team.expire("pr-1", "pr-2")
    team.provider.kept.append("pr-1")

    # The base is gone from the blueprint since, and this machine never saw the stacks.
    gone = BLUEPRINT.replace("  dev: {", "  test: {")
    there = team.checkout(gone.replace("environments:", "environments:\n  dev: {}"))
    shown = json.loads(team.run(there, "destroy", "--expired", "--preview-only", "--json")[0])
    assert [item["stack"] for item in shown["expired"]] == ["pr-1", "pr-2"]
    assert team.run(there, "destroy", "--expired", expect=2)[1].count("not a terminal") == 1
    assert team.stacks() == ["dev", "handmade", "pr-1", "pr-123", "pr-2"]

    out, _ = team.run(there, "destroy", "--expired", "--yes", "--json", expect=4)
    ended = {item["stack"]: item for item in json.loads(out)["expired"]}
    assert not ended["pr-1"]["destroyed"]
    assert any("somebody holds on to it" in why for why in ended["pr-1"]["failures"])
    assert ended["pr-2"]["destroyed"]
    assert team.stacks() == ["dev", "handmade", "pr-1", "pr-123"]
    assert team.buckets("pr-2") == []
    assert team.buckets("pr-123")
    assert team.buckets("dev")

    # What failed is found again; its base is not even declared here.
    team.provider.kept.clear()
    elsewhere = team.checkout(gone.replace("  test: {", "  other: {"))
    _, told = team.run(elsewhere, "destroy", "--expired", "--yes")
    assert "pr-1" in told
    assert team.stacks() == ["dev", "handmade", "pr-123"]
    assert team.buckets("dev")
    assert team.buckets("pr-1") == []


def the_state_is_held_against_the_lock(team: Team, folder: Path) -> None:
    """What `stack ls` says of a declared stack that the real engine deployed."""

    def dev() -> dict[str, Any]:
        found = json.loads(team.run(folder, "stack", "ls", "--json")[0])["stacks"]
        by_name = {row["stack"]: row for row in found}
        assert by_name["prod"]["state"] == "nothing"
        assert by_name["pr-1"]["ephemeral"] is True
        return by_name["dev"]

    row = dev()
    assert (row["program"], row["state"], row["state_why"]) == ("agrees", "agrees", "")
    assert row["engine"].startswith("pulumi 3.")
    assert row["updated"]
    blueprint = folder / "blueprint.yaml"
    blueprint.write_text(BLUEPRINT.replace("monthly_usd: 100", "monthly_usd: 200"), "utf-8")
    assert dev()["program"] == "differs"
    team.run(folder, "compile")
    row = dev()
    assert row["program"] == "agrees"
    assert row["state_why"] == "1 different (budgets.Budget/budget-monthly)"
    blueprint.write_text(BLUEPRINT, encoding="utf-8")
    team.run(folder, "compile")


def test_a_stack_that_is_not_ephemeral_is_not_taken_over(team: Team) -> None:
    here = team.checkout()
    team.run(here, "compile")
    with Backend("churn") as backend:
        backend.make("pr-9", here / "stacks" / "churn")
    _, told = team.run(here, *up("pr-9"), expect=2)
    assert "has a stack pr-9 that is not ephemeral" in told
    assert "this one is empty: `pulumi stack rm pr-9` ends it" in told
    assert team.tag("pr-9") == ""
    assert team.buckets("pr-9") == []
    told = team.run(here, "destroy", "-s", "pr-9", "--yes", expect=6)[1]
    assert "there is no stack 'pr-9'" in told
    with Backend("churn") as backend:
        backend.remove("pr-9")


def test_one_that_was_deployed_to_another_region_is_refused_and_deleted_where_it_is(
    team: Team, home: Path
) -> None:
    made = set(team.buckets("pr-123"))
    text = BLUEPRINT.replace("region: eu-west-1", "region: us-east-1")
    (home / "blueprint.yaml").write_text(text, encoding="utf-8")
    _, told = team.run(home, *up("pr-123"), expect=2)
    assert "pr-123 holds resources, and the region goes from eu-west-1 to us-east-1" in told
    assert set(team.buckets("pr-123")) == made
    s3 = server.client("s3", team.cloud, "eu-west-1")
    assert {s3.head_bucket(Bucket=name)["BucketRegion"] for name in made} == {"eu-west-1"}
    team.run(home, "destroy", "-s", "pr-123", "--yes")
    assert team.buckets("pr-123") == []
    assert "pr-123" not in team.stacks()
    assert "there is no stack 'pr-123'" in team.run(home, "status", "-s", "pr-123", expect=6)[1]
