"""What every stack on Azure stands on, through the commands: previewed without credentials, emulated, destroyed.

Azure ML is opened for these tests alone (`tests/azure/opened`). They build on each other and run in the order
they stand in.
"""

from __future__ import annotations

import json
import re
import subprocess
import urllib.request
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.cli.harness import ROOT, Cli, environment
from tests.oracles.packages_env import python_of
from tests.oracles.pulumi_cli import NEEDED

pytestmark = pytest.mark.skipif(
    find_spec("pulumi_azure_native") is None, reason="needs mlops-iac[azure]"
)
OPENED = str(ROOT / "tests" / "azure" / "opened")
BLUEPRINT = """\
blueprint: 1
name: flowers
description: Where irises are told apart
owner: botany@example.org
tags: {cost-centre: 4711}
platform: azure-ml
region: westeurope

alerts: {oncall: {email: oncall@example.org}}
budget: {monthly_usd: 200}
datasets: {irises: {source: data/irises.csv, format: csv, target: species}}

environments:
  staging: {account: 4f1c9a52-7d3e-4b0c-9e61-0a8d2c5b7f36}
  prod:
    account: 8a2d6c11-3b4e-4f5a-8c9d-7e6f5a4b3c2d
    region: northeurope
    options: {azure-ml: {replication: ZRS}}
    budget: {monthly_usd: 500}
"""
IRISES = "petal,species\n1.4,setosa\n"
RESOURCES = 23
# What Azure's clients read and sent back as it was.
SENT_BACK = {
    "storage.blob_services.set_service_properties",
    "storage.blob_containers.create",
    "storage.management_policies.create_or_update",
    "keyvault.vaults.begin_create_or_update",
    "containerregistry.registries.begin_create",
    "loganalytics.workspaces.begin_create_or_update",
    "consumption.budgets.create_or_update",
    *(
        f"arm_ml_service.{name}.create_or_update"
        for kind in ("data", "environment", "model")
        for name in (f"{kind}_containers", f"{kind}_versions")
    ),
    *(
        f"arm_ml_service.{name}.begin_create_or_update"
        for kinds in ("batch_endpoints compute online_endpoints", "online_deployments schedules")
        for name in kinds.split()
    ),
    "arm_ml_service.workspaces.begin_create_or_update",
}


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    folder = tmp_path_factory.mktemp("azure") / "project"
    folder.mkdir()
    (folder / "blueprint.yaml").write_text(BLUEPRINT)
    (folder / "data").mkdir()
    (folder / "data" / "irises.csv").write_text(IRISES)
    subprocess.run(["git", "init", "-q", folder], check=True)
    return Cli(folder, environment() | {"PYTHONPATH": OPENED})


def change(azure: Cli, old: str, new: str) -> None:
    path = azure.folder / "blueprint.yaml"
    text = path.read_text()
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new))


def ask(azure: Cli, method: str, path: str, body: Any = None) -> Any:
    """What the emulated Azure answers to somebody who is not the tool."""
    url = f"{azure('local', 'status', '--json').json['endpoint']}{path}?api-version=2024-03-01"
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, content, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def test_nobody_is_told_of_it_before_it_is_whole(azure: Cli) -> None:
    answer = azure("validate", expect=2, PYTHONPATH="")
    assert "platform 'azure-ml' is not supported yet" in answer.err


def test_everything_that_is_not_planned_is_refused_at_its_place(azure: Cli) -> None:
    change(azure, "region: westeurope", "region: westeurop")
    change(azure, "{cost-centre: 4711}", "{a/b: c, stack: x}")
    change(
        azure, "budget: {monthly_usd: 200}", "security: {network: private}\nsecrets: {token: {}}"
    )
    change(azure, "{oncall: {email: oncall@example.org}}", "{oncall: {webhook: {secret: token}}}")
    change(azure, "account: 4f1c9a52-7d3e-4b0c-9e61-0a8d2c5b7f36", "account: 012345678901")
    change(azure, "{replication: ZRS}", "{replication: GRS}")
    change(azure, "source: data/irises.csv", "source: 's3://flowers/irises.csv'")
    answer = azure("validate", expect=2)
    (azure.folder / "blueprint.yaml").write_text(BLUEPRINT)
    for place, words in (
        ("5:", "Azure takes no tag 'a/b'"),
        ("5:", "the tag 'stack' is not yours to set"),
        ("7:9:", "Azure has no region 'westeurop' with Azure ML"),
        ("9:", "Azure keeps the URL of a webhook in clear"),
        ("10:", "private networks are not planned yet"),
        ("11:", "no step or endpoint takes secrets yet"),
        ("12:29:", "'s3://flowers/irises.csv' cannot be read: Azure ML has no identity in S3"),
        ("15:", "'012345678901' is no subscription"),
        ("19:", "'GRS' is no replication"),
    ):
        assert any(
            line.startswith(f"blueprint.yaml:{place}") and words in line
            for line in answer.err.splitlines()
        ), (place, words, answer.err)


def test_a_budget_that_azure_would_refuse(azure: Cli) -> None:
    change(azure, "{monthly_usd: 200}", "{monthly_usd: 200, alert_percent: [10, 20, 30, 40, 50]}")
    change(azure, "alerts: {oncall: {email: oncall@example.org}}\n", "")
    answer = azure("validate", expect=2)
    (azure.folder / "blueprint.yaml").write_text(BLUEPRINT)
    assert "there is nobody to tell when it is spent" in answer.err
    assert "a budget on Azure tells at 4 shares and once by its forecast" in answer.err


def test_a_preview_needs_no_credentials(azure: Cli) -> None:
    answer = azure("preview", "-s", "staging")
    assert f"+{RESOURCES} create · ~0 update" in answer.out + answer.err


def test_the_doctor_asks_the_account_and_says_who_is_not_signed_in(azure: Cli) -> None:
    answer = azure("doctor", "-s", "staging", expect=1, PATH="/nowhere")
    assert "✗ staging: its account was not asked: Azure's CLI is not installed" in answer.out
    assert "its account" not in azure("doctor").out


def test_what_is_compiled_is_short_and_the_same_twice(azure: Cli) -> None:
    from mlops_iac.clouds.azure.components._roles import ROLES

    azure("compile")
    program = azure.folder / "stacks" / "flowers"
    before = {path: path.read_bytes() for path in program.iterdir() if path.is_file()}
    assert "nothing changed" in azure("compile").err
    assert before == {path: path.read_bytes() for path in program.iterdir() if path.is_file()}
    assert "pulumi-azure-native==3.29.0\n" in (program / "requirements.txt").read_text()
    lock = (program / "mlops-iac.prod.lock.json").read_text()
    # The SDK gives each resource its types in every dated API as aliases: some four hundred here.
    assert "/v20" not in lock
    assert "standin" not in lock
    assert '"name": "Standard_ZRS"' in lock
    guide = (program / "README.md").read_text()
    assert "az provider register --namespace Microsoft.KeyVault" in guide
    # To exactly those roles the deployer's right to assign some is constrained.
    assigned = {role for role, id_ in ROLES.items() if f"roleDefinitions/{id_}" in lock}
    assert f"that stacks assign ({', '.join(sorted(assigned))})" in guide


def test_what_is_not_there_yet_says_so(azure: Cli) -> None:
    answer = azure("ci", "generate", "github", expect=2)
    assert "no way is known yet in which CI jobs sign in to this cloud" in answer.err


def test_it_stands_and_stays(azure: Cli) -> None:
    assert f"+{RESOURCES} create" in azure("up", "-s", "local", "--yes").err
    assert f"{RESOURCES} unchanged" in azure("up", "-s", "local", "--yes").err
    outputs = azure("outputs", "-s", "local", "--json").json
    assert outputs["storage_account"].startswith("flowerslocal")
    found = ask(azure, "GET", outputs["workspace_id"])
    assert found["properties"]["systemDatastoresAuthMode"] == "Identity"
    assert found["location"] == "westeurope"


def test_azures_own_clients_list_read_and_change_it(azure: Cli, tmp_path: Path) -> None:
    """With what `local status` says. They leave changes by hand, which the next test undoes."""
    python = python_of("azure_clients")
    said = azure("local", "status").err
    exports = dict(re.findall(r"^  export (\w+)=(\S+)$", said, re.MULTILINE))
    base = exports["ARM_CLOUD_METADATA_URL"].removesuffix("/metadata/endpoints")
    told = re.search(r"MLClient\(DefaultAzureCredential\(\), '(.+)', ", said)
    outputs = azure("outputs", "-s", "local", "--json").json
    scope = outputs["workspace_id"].partition("/providers/")[0]
    listed = ask(azure, "GET", f"{scope}/resources")["value"]
    named = {each["type"].partition("/")[0].partition(".")[2]: each["name"] for each in listed}
    names = {
        "azure.mgmt.storage": {
            "account_name": named["Storage"],
            "container_name": "artifacts",
            "management_policy_name": "default",
        },
        "azure.mgmt.keyvault": {"vault_name": named["KeyVault"]},
        "azure.mgmt.containerregistry": {"registry_name": named["ContainerRegistry"]},
        "azure.mgmt.loganalytics": {"workspace_name": named["OperationalInsights"]},
        "azure.mgmt.consumption": {"scope": scope, "budget_name": "flowers-local-monthly"},
        "azure.ai.ml._restclient.arm_ml_service": {"workspace_name": outputs["workspace"]},
    }
    assert told
    place = (base, told[1], outputs["resource_group"], json.dumps(names), tmp_path / "seen.json")
    script = ROOT / "tests" / "azure" / "oracles" / "azure_clients.py"
    done = subprocess.run(
        [python, script, *place],
        env={"PATH": "/usr/bin:/bin", **exports},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads((tmp_path / "seen.json").read_text())
    sweep = seen.pop("sweep")
    assert seen == {
        "workspaces": [outputs["workspace"]],
        "tags": {"approval": "approved"},
        "description": "changed by hand",
        "versions": ["1", "2"],
        "latest": "2",
        "traffic": {"iris": 100},
        "deployments": ["Standard_DS3_v2"],
        "token": "local",
        "disabled": False,
        "computes": ["iris"],
        "refused": "PropertyChangeNotAllowed",
    }
    # Every operation of every type that is emulated answers what its client can read, or an error of ARM.
    assert (sweep["broken"], sweep["strange"]) == ({}, {})
    assert {*sweep["put"]} == SENT_BACK
    assert sweep["refused"]["containerregistry.registries.list_credentials"] == (
        "UnAuthorizedForCredentialOperations"
    )
    assert sweep["refused"]["arm_ml_service.online_endpoints.list_keys"] == "BadRequest"


def test_what_is_uploaded_is_what_lies_beside_the_blueprint(azure: Cli) -> None:
    """A version stays with the jobs that read it, so a content that comes back gets a version of its own."""
    endpoint = azure("local", "status", "--json").json["endpoint"]
    for content in (f"{IRISES}5.1,virginica\n", IRISES):
        (azure.folder / "data" / "irises.csv").write_text(content)
        answer = azure("up", "-s", "local", "--yes")
        assert "2 of 2: datasets: uploads what is new of irises" in answer.err
        assert "±1 replace" in answer.err
        assert "kept in the cloud: machinelearningservices.DataVersion" in answer.err
        outputs = azure("outputs", "-s", "local", "--json").json
        below = outputs["datasets"]["irises"].partition("/paths/")[2]
        url = f"{endpoint}/blob/{outputs['storage_account']}/datasets/{below}irises.csv"
        request = urllib.request.Request(url, headers={"Authorization": "Bearer any"})
        with urllib.request.urlopen(request) as told:
            assert told.read().decode() == content
    # What was there already was not sent again.
    blobs = azure.folder / ".mlops-iac" / "emulator" / "blobs"
    assert len([*blobs.iterdir()]) == 2
    versions = ask(azure, "GET", f"{outputs['workspace_id']}/data/irises/versions")["value"]
    places = [each["properties"]["dataUri"] for each in versions]
    assert len(places) == 3
    assert places.count(outputs["datasets"]["irises"]) == 2


def test_what_somebody_did_by_hand_is_seen_and_undone(azure: Cli) -> None:
    outputs = azure("outputs", "-s", "local", "--json").json
    group = outputs["workspace_id"].partition("/providers/")[0]
    account = f"{group}/providers/Microsoft.Storage/storageAccounts/{outputs['storage_account']}"
    ask(azure, "PATCH", account, {"properties": {"allowSharedKeyAccess": True}})
    assert "storage.StorageAccount/data-account" in azure("refresh", "-s", "local", "--yes").out
    answer = azure("preview", "-s", "local", "--diff")
    assert "allowSharedKeyAccess: true → false" in answer.out + answer.err
    azure("up", "-s", "local", "--yes")
    assert ask(azure, "GET", account)["properties"]["allowSharedKeyAccess"] is False


def test_a_change_is_told_by_what_it_does(azure: Cli) -> None:
    change(azure, "Where irises are told apart", "Where roses are told apart")
    change(azure, "region: westeurope", "region: swedencentral")
    answer = azure("preview", "-s", "local", "--diff")
    told = answer.out + answer.err
    assert "← forces replacement (pulumi-azure-native replacement.go)" in told
    assert "the region goes from westeurope to swedencentral" in told
    (azure.folder / "blueprint.yaml").write_text(BLUEPRINT)


def test_a_copy_of_the_components_runs(azure: Cli) -> None:
    azure("eject", "--all")
    answer = azure("preview", "-s", "staging")
    assert (
        "+0 create · ~0 update · ±0 replace · −0 delete · 23 unchanged" in answer.err + answer.out
    )
    azure("eject", "--undo")


def test_nothing_is_left_and_it_can_be_made_again(azure: Cli) -> None:
    """A vault keeps its name after it is deleted: the next one has another."""
    before = azure("outputs", "-s", "local", "--json").json
    answer = azure("destroy", "-s", "local", "--yes")
    held = f"the container datasets of {before['storage_account']} holds 2 blobs; all go with it"
    assert held in answer.err
    azure("up", "-s", "local", "--yes")
    after = azure("outputs", "-s", "local", "--json").json
    assert before["resource_group"] == after["resource_group"]
    for name in ("key_vault", "workspace", "storage_account"):
        assert before[name] != after[name]
    azure("destroy", "-s", "local", "--yes")


@pytest.mark.pulumi_cli
@NEEDED[1]
def test_the_real_engine_runs_the_same_program(azure: Cli) -> None:
    # Without what takes a second run of it: that runs are of both engines is tested elsewhere.
    change(
        azure, "datasets: {irises: {source: data/irises.csv, format: csv, target: species}}\n", ""
    )
    answer = azure("up", "-s", "local", "--yes", "--engine", "pulumi")
    assert f"+{RESOURCES - 3} create" in answer.err + answer.out
    answer = azure("preview", "-s", "local", "--engine", "pulumi")
    assert f"{RESOURCES - 3} unchanged" in answer.err + answer.out
    azure("destroy", "-s", "local", "--yes", "--engine", "pulumi")


def test_it_ends(azure: Cli) -> None:
    azure("local", "stop")
    assert not Path(azure.folder, ".mlops-iac", "emulator", "server.json").exists()
