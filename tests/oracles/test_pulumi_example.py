"""The example's whole life under the real Pulumi CLI, on the same emulated cloud as `embedded`.

What the real engine registers is held against what the embedded one registers. Documented
differences, taken out by `comparable`: random suffixes of names and ids, and the embedded engine's
absolute asset paths; the hashes are compared. The default provider is the engines' own, and the
real engine's state keeps no aliases.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.api import Project, load
from mlops_iac.emulators import wire
from mlops_iac.emulators.plugin import serve
from mlops_iac.engine.protocol import Result
from mlops_iac.graph.model import Resource
from mlops_iac.graph.plan import count as counted
from mlops_iac.values import Asset, Secret, Unknown
from tests.cli.harness import Cli, copy_example, environment
from tests.emulated.models import archive
from tests.oracles.pulumi_cli import NEEDED, Pulumi

pytestmark = NEEDED

RANDOM = re.compile(r"-[0-9a-f]{7,26}(?=$|[^0-9a-z])|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ENDPOINT = "aws:sagemaker/endpoint:Endpoint"


ROLE = "aws:iam/role:Role"


def comparable(value: Any) -> Any:
    """A value without what differs between two deployments of the same program."""
    match value:
        case Unknown():
            return "?"
        case Secret():
            return "secret"
        case Asset(hash=digest, archive=archive):
            return ("archive" if archive else "asset", digest)
        case str():
            return RANDOM.sub("~", value)
        case dict():
            return {key: comparable(item) for key, item in value.items()}
        case list() | tuple():
            return [comparable(item) for item in value]
        case _:
            return value


def registrations(resources: Sequence[Resource]) -> dict[str, dict[str, Any]]:
    """Type, name, parent, inputs and options by URN."""
    return {
        item.urn: {
            "type": item.type,
            "name": item.name,
            "custom": item.custom,
            "parent": item.parent,
            "inputs": comparable(dict(item.inputs)),
            "dependencies": sorted(item.dependencies),
            "property_dependencies": {
                key: sorted(urns) for key, urns in item.property_dependencies.items() if urns
            },
            "protect": item.protect,
            "retain_on_delete": item.retain_on_delete,
            "deleted_with": item.deleted_with,
            "secret_outputs": sorted(item.additional_secret_outputs),
            "recorded": item.recorded,
        }
        for item in resources
        if not item.type.startswith("pulumi:providers:")
    }


def resources(project: Project) -> dict[str, dict[str, Any]]:
    with project.deployment("local") as deployment:
        return registrations(deployment.resources())


@dataclass
class Here:
    """The example in a folder of its own."""

    folder: Path
    cli: Cli

    @property
    def project(self) -> Project:
        return load(self.folder / "blueprint.yaml")

    def approve_a_version(self) -> None:
        """Register an approved version; what it holds matters to no engine, as long as it serves."""
        project = self.project
        session = project.emulated_cloud.session("local")
        s3 = session.client("s3")
        buckets = [each["Name"] for each in s3.list_buckets()["Buckets"]]
        bucket = next(name for name in buckets if "artifacts" in name)
        key = "models/adherence/1/model.tar.gz"  # where versions are sealed
        s3.put_object(Bucket=bucket, Key=key, Body=archive())
        container = {"Image": "own-image:1", "ModelDataUrl": f"s3://{bucket}/{key}"}
        session.client("sagemaker").create_model_package(
            ModelPackageGroupName=project.registry("local").group("adherence"),
            ModelApprovalStatus="Approved",
            InferenceSpecification={
                "Containers": [container],
                "SupportedContentTypes": ["application/json"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
        )

    def deploy(self, engine: str | None = None) -> Result:
        """Apply without a preview first, which would run the program twice."""
        with self.project.deployment("local", engine=engine) as deployment:
            result = deployment.up()
        assert result.failures == {}
        return result


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    folder = copy_example(tmp_path_factory.mktemp("pulumi") / "project")
    home = tmp_path_factory.mktemp("home")
    cli = Cli(folder, {**environment(), "PULUMI_HOME": str(home), "HOME": str(home)})
    cli("local", "start")
    yield Here(folder, cli)
    cli("local", "stop", expect=None)


@pytest.fixture(scope="module")
def plain(here: Here, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pulumi]:
    """The CLI by hand in the compiled program, with the attached provider and a stack `local`."""
    here.cli("compile")
    project = here.project
    with serve(project.emulated_cloud.providers("local")["aws"]) as served:
        home = tmp_path_factory.mktemp("plain")
        pulumi = Pulumi(here.folder / "stacks" / project.name, home, served.environment)
        pulumi("stack", "init", "local")
        yield pulumi


@pytest.fixture(scope="module")
def seen(plain: Pulumi) -> dict[str, Any]:
    """The state of what `pulumi preview` would create, by URN."""
    return created(plain)


def created(pulumi: Pulumi, **variables: str) -> dict[str, Any]:
    steps = pulumi.json("preview", "-s", "local", **variables)["steps"]
    return {step["urn"]: step["newState"] for step in steps if step["op"] == "create"}


def test_the_plain_cli_registers_what_the_embedded_engine_sees(
    here: Here, plain: Pulumi, seen: dict[str, Any]
) -> None:
    project = here.project
    with project.deployment("local") as deployment:
        plan = deployment.preview()
    ours = {step.urn: step for step in plan.steps if step.op == "create"}
    assert not (plain.program / ".mlops-iac").exists()
    assert {urn for urn in seen if "pulumi:providers" not in urn} == {
        urn for urn in ours if "pulumi:providers" not in urn
    }
    for urn, state in seen.items():
        if "pulumi:providers" in urn:
            continue
        step = ours[urn]
        assert state["type"] == step.type
        assert state["custom"] == step.custom
        assert state.get("parent", "") == step.parent
        assert sorted(state.get("dependencies", [])) == sorted(step.dependencies)
        assert state.get("protect", False) == step.protect
        inputs = wire.from_json(state.get("inputs", {}))
        assert comparable(inputs) == comparable(dict(step.new_inputs)), urn
    # Both make names by the pattern in the stack's file, as the engine's own code reads it.
    named = [state["inputs"]["name"] for state in seen.values() if state["type"] == ROLE]
    assert named
    assert all(name.startswith(f"{project.name}-local-") for name in named)


# A Python that has no mlops-iac.
BLOCKED = """\
import importlib.abc, sys

class Blocked(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] == "mlops_iac":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Blocked())
"""


def test_an_ejected_program_registers_the_same_without_the_package(
    here: Here, plain: Pulumi, seen: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(BLOCKED)
    alone = {"PYTHONPATH": str(tmp_path)}
    plain("preview", ok=False, **alone)
    folder = shutil.copytree(here.folder, tmp_path / "project")
    replace(here.cli, folder=folder)("eject", "--all", "-q")
    ejected = replace(plain, program=folder / "stacks" / plain.program.name)

    def given(states: dict[str, Any]) -> dict[str, Any]:
        return {
            urn: comparable(wire.from_json(state.get("inputs", {})))
            for urn, state in states.items()
        }

    assert given(created(ejected, **alone)) == given(seen)


def test_the_whole_life(here: Here) -> None:
    created = here.deploy("pulumi")
    project = here.project
    count = counted(created.steps)
    assert set(count) == {"create"}
    assert created.outputs["api_pending"] == ["adherence"]

    # From here on the engine that deployed it is the one that answers.
    again = here.cli("preview", "--json", "--expect-no-changes").json
    assert set(again["changeSummary"]) == {"same"}
    # `pulumi stack select` is the user's alone: the engine names its stack in every call.
    assert not list(Path(here.cli.environment["PULUMI_HOME"]).rglob("workspaces/*"))
    status = here.cli("status", "--json").json
    assert len(status["resources"]) == count["create"]
    assert status["pending"] == ["api (model adherence)"]
    for command in (("up", "--yes"), ("preview",), ("refresh",), ("destroy", "--yes")):
        refused = here.cli(*command, "--engine", "embedded", expect=2)
        assert "local is deployed by the pulumi engine" in refused.err

    here.approve_a_version()
    assert project.registry("local").approved("adherence") == "1"
    completed = here.deploy()
    assert counted(completed.steps)["create"] == 6
    assert not completed.outputs.get("api_pending")
    theirs = resources(here.project)
    assert ENDPOINT in {item["type"] for item in theirs.values()}

    # What drifts is told, and nothing else.
    topic = str(project.outputs("local")["alerts_topic"])
    sns = project.emulated_cloud.session("local").client("sns")
    sns.tag_resource(ResourceArn=topic, Tags=[{"Key": "who", "Value": "me"}])
    changed = here.cli("refresh", "--preview-only", "--json").json["changed"]
    assert [(item["op"], item["urn"].split("::")[-1]) for item in changed] == [
        ("refresh", "alerts-topic")
    ]

    here.cli("destroy", "--yes", "--engine", "pulumi")
    assert here.cli("status", "--json").json["resources"] == []
    assert sns.list_topics()["Topics"] == []
    assert (
        project.emulated_cloud.session("local").client("sagemaker").list_endpoints()["Endpoints"]
        == []
    )
    assert project.emulated_cloud.session("local").client("s3").list_buckets()["Buckets"] == []

    # The stack is free again, and the embedded engine registers the same.
    here.deploy("embedded")
    here.approve_a_version()
    here.deploy("embedded")
    ours = resources(here.project)
    assert ours.keys() == theirs.keys()
    differences = [
        (urn.rsplit("::", 1)[-1], key, value, theirs[urn][key])
        for urn, registration in ours.items()
        for key, value in registration.items()
        if value != theirs[urn][key]
    ]
    assert differences == []


# -- a real stack ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Cli]:
    """The example's `prod` with a pinned version, so that no registry is asked."""
    folder = copy_example(tmp_path_factory.mktemp("real") / "project")
    blueprint = folder / "blueprint.yaml"
    text = blueprint.read_text(encoding="utf-8")
    pinned = text.replace("{promote_from: staging}", '{promote_from: staging, version: "3"}')
    assert pinned != text
    blueprint.write_text(pinned, encoding="utf-8")
    home = tmp_path_factory.mktemp("real-home")
    base = {
        **environment(),
        "HOME": str(home),
        "PULUMI_HOME": str(home),
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    Cli(folder, base)("compile")

    def make(**variables: str) -> Cli:
        return Cli(folder, {**base, **variables})

    return make


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not {".mlops-iac", "__pycache__"} & set(path.relative_to(folder).parts)
    }


@pytest.mark.parametrize("command", [("preview", "--live"), ("up", "--yes")])
def test_nobody_logged_in(real: Callable[..., Cli], command: tuple[str, ...]) -> None:
    cli = real()
    before = files(cli.folder)
    answer = cli(*command, "-s", "prod", expect=3)
    assert "nobody is logged in" in answer.err
    assert "pulumi login" in answer.err
    assert files(cli.folder) == before


def test_without_the_plugin_no_stack_is_left(real: Callable[..., Cli], tmp_path: Path) -> None:
    """`up` previews first, as `preview --live` does, where no stack is made."""
    cli = real(PULUMI_BACKEND_URL=tmp_path.as_uri(), PULUMI_CONFIG_PASSPHRASE="x")
    before = files(cli.folder)
    answer = cli("up", "-s", "prod", "--yes", expect=2)
    assert re.search(r"pulumi plugin install resource aws v7\.", answer.err)
    assert files(cli.folder) == before
    assert not list(tmp_path.rglob("prod*"))


def test_a_stack_that_is_not_there_is_not_made_to_be_deleted(
    real: Callable[..., Cli], tmp_path: Path
) -> None:
    cli = real(PULUMI_BACKEND_URL=tmp_path.as_uri(), PULUMI_CONFIG_PASSPHRASE="x")
    for command in (("destroy", "--yes"), ("refresh",)):
        assert "the backend has no stack prod" in cli(*command, "-s", "prod", expect=6).err
    assert cli("status", "-s", "prod", "--json").json["resources"] == []
    assert not list(tmp_path.rglob("prod*"))
