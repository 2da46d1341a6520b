"""Datasets on Azure: exactly which resources, with which settings."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("pulumi_azure_native", reason="needs mlops-iac[azure]")

import pulumi

from mlops_iac.clouds.azure.components.datasets import NOTHING, Datasets, DatasetsArgs
from mlops_iac.clouds.azure.ml import uploads
from mlops_iac.clouds.azure.types import DATA_ASSET, DATA_VERSION, DATASTORE
from mlops_iac.graph.model import Resource
from tests.azure.graphs import GROUP, SUBSCRIPTION, capture
from tests.components.capture import of_type, one, types

TAGS = {"stack": "project-stack"}
WORKSPACE = f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/learning"


MADE: list[Datasets] = []


def graph(root: Path, uploaded: dict[str, str | None] | None = None) -> list[Resource]:
    args = DatasetsArgs(
        group="project-stack",
        workspace="learning",
        workspace_id=WORKSPACE,
        account="acc",
        files={"irises": pulumi.FileAsset(str(root))},
        uploaded=uploaded or {},
        tags=TAGS,
    )
    return capture(lambda: MADE.append(Datasets("datasets", args)))


def test_a_version_says_where_its_content_lies(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a\n1\n")
    found = graph(tmp_path)
    assert types(found) == {
        "mlops-iac:azure:Datasets": 1,
        DATASTORE: 1,
        DATA_ASSET: 1,
        DATA_VERSION: 1,
    }
    place = {"resourceGroupName": "project-stack", "workspaceName": "learning"}
    assert one(found, DATASTORE).inputs == {
        **place,
        "name": "datasets",
        "properties": {
            "datastoreType": "AzureBlob",
            "accountName": "acc",
            "containerName": "datasets",
            "credentials": {"credentialsType": "None"},
            "serviceDataAccessAuthIdentity": "WorkspaceUserAssignedIdentity",
            "tags": TAGS,
        },
    }
    version = one(found, DATA_VERSION)
    content = version.inputs["properties"]["tags"]["content"]
    # Its name is made anew with each content (`_naming.automatic_names`).
    assert version.inputs == {
        **place,
        "name": "irises",
        "properties": {
            "dataType": "uri_folder",
            "dataUri": f"azureml://subscriptions/{SUBSCRIPTION}/resourcegroups/project-stack/workspaces/"
            f"learning/datastores/datasets/paths/irises/{content}/",
            "isAnonymous": False,
            "isArchived": False,
            "tags": {**TAGS, "content": content},
        },
    }
    assert version.retain_on_delete
    assert version.replace_on_changes == ("properties.dataUri",)


def test_what_is_not_there_yet_is_not_spoken_of(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a\n1\n")
    assert of_type(graph(tmp_path, {"irises": uploads.NOTHING}), DATA_VERSION) == []
    # Who reads it is told where it will lie; who asks what stands is not.
    assert (MADE[-1].uris.keys(), MADE[-1].uploaded.keys()) == ({"irises"}, set())
    # A version of what was uploaded before stays, whatever the files are by now.
    version = one(graph(tmp_path, {"irises": "0123"}), DATA_VERSION)
    assert version.inputs["properties"]["dataUri"].endswith("/irises/0123/")
    assert uploads.NOTHING == NOTHING


def test_a_content_is_told_by_names_and_bytes_of_what_is_not_hidden(tmp_path: Path) -> None:
    def content() -> str:
        told = one(graph(tmp_path), DATA_VERSION).inputs["properties"]["tags"]["content"]
        return str(told)

    (tmp_path / "a.csv").write_text("1")
    found = [content()]
    (tmp_path / ".hidden").write_text("x")
    assert content() == found[0]
    for change in (
        lambda: (tmp_path / "a.csv").write_text("2"),
        lambda: (tmp_path / "a.csv").rename(tmp_path / "b.csv"),
        lambda: (tmp_path / "c.csv").write_text(""),
    ):
        change()
        found.append(content())
    assert len(set(found)) == 4
    (tmp_path / "d.csv").symlink_to("/etc/hostname")
    with pytest.raises(ValueError, match="is a link that leads out of"):
        content()
