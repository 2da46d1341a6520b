"""Promotion between real environments; their states and registries are stood in for."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlops_iac.api import load
from mlops_iac.api.deploy import rollbacks as rollbacks_module
from mlops_iac.api.models import running_versions
from mlops_iac.api.stacks.promoting import promote
from mlops_iac.clouds.aws import session as session_module
from mlops_iac.errors import BlueprintInvalid, StackNotFound, UsageError

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "schedule-adherence"
BUCKET = "aws:s3/bucket:Bucket"
GROUP = "schedule-adherence-dev-adherence"
ECR = "012345678901.dkr.ecr.eu-west-1.amazonaws.com/own"


def arn(version: int, group: str = GROUP, account: str = "012345678901") -> str:
    return f"arn:aws:sagemaker:eu-west-1:{account}:model-package/{group}/{version}"


def model(name: str, package: str) -> dict[str, Any]:
    return {
        "urn": f"urn:pulumi:staging::p::t$aws:sagemaker/model:Model::{name}",
        "type": "aws:sagemaker/model:Model",
        "custom": True,
        "inputs": {"primaryContainer": {"modelPackageName": package}},
    }


class World:
    """What the backend keeps of staging, and what the registry says of versions."""

    def __init__(self) -> None:
        self.resources: list[dict[str, Any]] | None = [model("api-main-model", arn(3))]
        self.status = "Approved"
        self.image = "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sklearn:1.9"
        self.artifact = "s3://data-artifacts-1a2b3c4/models/adherence/run/e1/model.tar.gz"
        self.rolled_back: list[str] = []
        self.asked: list[str] = []
        self.deployed: dict[str, str] = {}

    def export(self, project: Any, stack: str) -> dict[str, Any]:
        if self.resources is None:
            raise StackNotFound(f"the backend has no stack {stack}")
        return {"version": 3, "deployment": {"resources": self.resources}}

    def client(self, _: str) -> Any:
        return self

    def describe_model_package(self, **given: str) -> dict[str, Any]:
        self.asked.append(given["ModelPackageName"])
        specification = {"Containers": [{"Image": self.image, "ModelDataUrl": self.artifact}]}
        return {
            "ModelApprovalStatus": self.status,
            "CreationTime": datetime.now(UTC),
            "InferenceSpecification": specification,
        }

    def describe_endpoint(self, **given: str) -> dict[str, Any]:
        images = [{"SpecifiedImage": k, "ResolvedImage": v} for k, v in self.deployed.items()]
        return {"ProductionVariants": [{"DeployedImages": images}]}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    found = World()
    monkeypatch.setattr(running_versions, "export", found.export)
    monkeypatch.setattr(session_module, "real_session", lambda *_: found)
    monkeypatch.setattr(rollbacks_module, "rolled_back", lambda *_: found.rolled_back)
    return found


@pytest.fixture
def blueprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    ignore = shutil.ignore_patterns(".mlops-iac", "stacks", "__pycache__")
    folder = Path(shutil.copytree(EXAMPLE, tmp_path / "project", ignore=ignore))
    monkeypatch.chdir(folder)
    return folder / "blueprint.yaml"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def test_what_staging_runs_is_pinned_in_prod_and_previewed(blueprint: Path, world: World) -> None:
    project = load(blueprint)
    project.compile()
    before = blueprint.read_text()
    promotion = promote(project, "staging", "prod")
    assert world.asked == [arn(3)]
    (pin,) = promotion.pins
    assert (pin.model, pin.version, pin.before, pin.line) == ("adherence", "3", None, 64)
    assert pin.notes == promotion.notes == ()
    changed = {
        f"{change.path}: {change.new}"
        for step in promotion.plan.changes
        for change in step.changes
        if "model-package" in str(change.new)
    }
    assert changed == {f"primaryContainer.modelPackageName: {arn(3)}"}
    assert blueprint.read_text() == before
    assert promotion.write()
    old, new = "{promote_from: staging}", "{promote_from: staging, version: 3}"
    assert blueprint.read_text() == before.replace(old, new)
    # The pin is what is compiled, locked and deployed; a second promotion has nothing to write.
    pinned = load(blueprint)
    assert pinned.resolve("prod").blueprint.models["adherence"].version == "3"
    assert pinned.resolve("dev").blueprint.models["adherence"].version is None
    out = pinned.compile().out
    assert (
        'schedule-adherence:models.adherence.version: "3"' in (out / "Pulumi.prod.yaml").read_text()
    )
    assert "models.adherence.version" not in (out / "Pulumi.staging.yaml").read_text()
    assert arn(3) in (out / "mlops-iac.prod.lock.json").read_text()
    again = promote(pinned, "staging", "prod")
    assert not again.changed
    assert not again.plan.changes
    assert again.pins[0].words == "adherence/3, as before"


def test_those_that_are_skipped_are_told(blueprint: Path, world: World) -> None:
    (pin,) = promote(load(blueprint), "dev", "prod").pins
    assert pin.notes == (
        "staging is skipped on the way to prod: whether staging runs 3 was not asked",
    )
    assert promote(load(blueprint), "prod", "staging").pins[0].notes == ()
    edit(
        blueprint,
        "\n  prod:\n",
        "\n  qa: {account: 123456789013, models: {adherence: {promote_from: staging}}}\n  prod:\n",
    )
    text = blueprint.read_text()
    head, prod = text.split("\n  prod:\n")
    blueprint.write_text(
        head + "\n  prod:\n" + prod.replace("promote_from: staging", "promote_from: qa", 1)
    )
    assert promote(load(blueprint), "dev", "prod").pins[0].notes == (
        "staging and qa are skipped on the way to prod: whether staging or qa runs 3 was not asked",
    )


def test_a_newer_version_takes_the_place_of_the_pin(blueprint: Path, world: World) -> None:
    edit(blueprint, "promote_from: staging}", "promote_from: staging, version: '2'  }")
    promotion = promote(load(blueprint), "staging", "prod", "adherence")
    assert promotion.pins[0].words == "adherence/3, instead of 2"
    promotion.write()
    assert "{promote_from: staging, version: 3  }" in blueprint.read_text()


def test_the_digest_of_an_image_is_pinned_where_it_is_recorded(
    blueprint: Path, world: World
) -> None:
    edit(blueprint, "{framework: scikit-learn, version: 1.9}", f"{{image: '{ECR}:2'}}")
    promotion = promote(load(blueprint), "staging", "prod")
    assert promotion.pins[0].image == ""
    assert "no digest is known" in promotion.pins[0].notes[0]
    world.image = f"{ECR}@sha256:{'a' * 64}"
    promotion = promote(load(blueprint), "staging", "prod")
    assert promotion.pins[0].image == world.image
    promotion.write()
    prod = load(blueprint).resolve("prod").blueprint.models["adherence"]
    assert (prod.version, prod.runtime.image) == ("3", world.image)
    assert f"runtime: {{image: '{ECR}:2'}}" in blueprint.read_text()


def endpoint() -> dict[str, Any]:
    return {
        "urn": "urn:pulumi:staging::p::t$aws:sagemaker/endpoint:Endpoint::api-endpoint",
        "type": "aws:sagemaker/endpoint:Endpoint",
        "custom": True,
        "inputs": {"name": "schedule-adherence-staging-api"},
    }


def test_the_digest_of_a_tag_is_what_the_endpoint_resolved_it_to(
    blueprint: Path, world: World
) -> None:
    edit(blueprint, "{framework: scikit-learn, version: 1.9}", f"{{image: '{ECR}:2'}}")
    assert world.resources is not None
    world.resources.append(endpoint())
    world.image = f"{ECR}:2"
    world.deployed = {f"{ECR}:2": f"{ECR}@sha256:{'b' * 64}"}
    assert promote(load(blueprint), "staging", "prod").pins[0].image == f"{ECR}@sha256:{'b' * 64}"
    world.deployed = {f"{ECR}:2": f"{ECR}-else@sha256:{'b' * 64}"}
    assert "another image" in promote(load(blueprint), "staging", "prod").pins[0].notes[0]


def test_the_image_of_a_model_from_elsewhere(blueprint: Path, world: World) -> None:
    edit(
        blueprint,
        "\nserving:\n",
        f"  brought: {{source: s3://b/m/, runtime: {{image: '{ECR}:2'}}}}\n\nserving:\n"
        "  other: {mode: real-time, model: brought}\n",
    )
    assert world.resources is not None
    world.resources.append(endpoint())
    promotion = promote(load(blueprint), "staging", "prod", "brought")
    assert not promotion.changed
    assert promotion.pins[0].words == "brought stays as it is"
    assert "a tag may move" in promotion.pins[0].notes[0]
    world.deployed = {f"{ECR}:2": f"{ECR}@sha256:{'c' * 64}"}
    promotion = promote(load(blueprint), "staging", "prod")
    assert [pin.words for pin in promotion.pins] == [
        "adherence/3, instead of the newest approved",
        f"brought in {ECR}@sha256:{'c' * 64}, instead of what its tag stands for",
    ]
    promotion.write()
    models = load(blueprint).resolve("prod").blueprint.models
    assert models["brought"].runtime.image == f"{ECR}@sha256:{'c' * 64}"
    assert (
        load(blueprint).resolve("staging").blueprint.models["brought"].runtime.image == f"{ECR}:2"
    )
    world.resources = []
    refused(blueprint, "nothing is deployed to staging")


def refused(blueprint: Path, *words: str, source: str = "staging", target: str = "prod") -> Any:
    before = blueprint.read_text()
    with pytest.raises(UsageError) as told:
        promote(load(blueprint), source, target).write()
    for word in words:
        assert word in f"{told.value.message} {told.value.hint}"
    assert blueprint.read_text() == before
    return told.value


def test_one_environment(blueprint: Path, world: World) -> None:
    refused(blueprint, "to itself", source="prod")
    refused(blueprint, "nothing is promoted to local", target="local")
    for pair in (("nope", "prod"), ("staging", "nope")):
        with pytest.raises(StackNotFound):
            promote(load(blueprint), *pair)


@pytest.mark.parametrize(
    "resources",
    [None, [], [{"type": BUCKET, "urn": f"urn:pulumi:staging::p::{BUCKET}::b", "custom": True}]],
)
def test_nothing_runs_there_yet(blueprint: Path, world: World, resources: Any) -> None:
    world.resources = resources
    refused(blueprint, "staging runs no version of adherence yet", "`up` there first")


@pytest.mark.parametrize("status", ["PendingManualApproval", "Rejected"])
def test_a_version_that_is_not_approved(blueprint: Path, world: World, status: str) -> None:
    world.status = status
    refused(blueprint, status, "mlops-iac models approve adherence 3 -s dev")


def test_a_version_that_a_training_may_replace(blueprint: Path, world: World) -> None:
    world.artifact = world.artifact.replace("/models/", "/pipelines/")
    refused(blueprint, "adherence/3 of dev is not sealed", "models reject adherence 3 -s dev")


def test_a_version_that_is_gone(blueprint: Path, world: World, monkeypatch: Any) -> None:
    def describe(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "ValidationException"}}, "DescribeModelPackage")

    monkeypatch.setattr(world, "describe_model_package", describe)
    refused(blueprint, "its registry does not have it any more")


def test_an_endpoint_that_runs_something_else(blueprint: Path, world: World) -> None:
    world.rolled_back = ["endpoint x was rolled back"]
    refused(blueprint, "staging does not run what its state says", "endpoint x was rolled back")
    world.rolled_back = ["cannot ask staging whether a rollout was taken back: no network"]
    assert "no network" in promote(load(blueprint), "staging", "prod").notes[0]


def test_two_versions_at_once(blueprint: Path, world: World) -> None:
    world.resources = [model("a", arn(10)), model("b", arn(9))]
    refused(blueprint, "versions 9 and 10 of adherence")
    world.resources = [model("a", arn(10)), {**model("b", arn(9)), "delete": True}]
    assert promote(load(blueprint), "staging", "prod").pins[0].version == "10"


def test_another_registry(blueprint: Path, world: World) -> None:
    edit(blueprint, "    models: {adherence: {promote_from: staging}}\n", "")
    refused(
        blueprint,
        "prod trains adherence itself and serves versions of schedule-adherence-prod-adherence",
        "write `promote_from: staging` into environments.prod.models.adherence",
    )
    edit(blueprint, "  dev:\n", "  other: {account: '999999999999'}\n  dev:\n")
    edit(
        blueprint,
        "account: 210987654321\n",
        "account: 210987654321\n    models: {adherence: {promote_from: other}}\n",
    )
    refused(blueprint, "prod serves versions of schedule-adherence-other-adherence in account 9999")


def test_a_limit_of_a_template(blueprint: Path, world: World, tmp_path: Path) -> None:
    folder = tmp_path / "standard"
    folder.mkdir()
    (tmp_path / ".git").mkdir()
    (folder / "template.yaml").write_text(
        "template: 1\nname: acme/standard\nversion: 1.0.0\n"
        "limits:\n  environments.prod.models.*.version: {forbidden: true, because: never pinned}\n"
    )
    (folder / "blueprint.yaml").write_text("{}\n")
    edit(blueprint, "blueprint: 1\n", "blueprint: 1\nextends: [{template: ../standard}]\n")
    before = blueprint.read_text()
    with pytest.raises(BlueprintInvalid) as told:
        promote(load(blueprint), "staging", "prod")
    (said,) = told.value.diagnostics
    assert "never pinned" in said.message
    assert said.line == 65
    assert blueprint.read_text() == before


def test_a_model_that_is_brought_along_has_no_versions(blueprint: Path, world: World) -> None:
    with pytest.raises(UsageError, match="there is no model 'x' in staging"):
        promote(load(blueprint), "staging", "prod", "x")
