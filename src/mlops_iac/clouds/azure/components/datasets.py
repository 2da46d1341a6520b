"""Datasets that lie beside the blueprint, as data assets of the workspace.

Their bytes are no resources: what would upload them (`azure-native:storage:Blob`) signs with a key of the
account, and there are none. They are put there before a version says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pulumi
from pulumi_azure_native import machinelearningservices as ml

from ._contents import content_of, files_of
from ._context import subscription_of
from .data_store import DATASETS

# What is said of a dataset of which nothing was uploaded yet.
NOTHING = "nothing"


@dataclass(frozen=True, kw_only=True)
class DatasetsArgs:
    """`files` by the name of the dataset, each a file or a folder; `account` has the container of datasets.

    `uploaded` is the content that is there already, where it is not yet that of the files.
    """

    group: pulumi.Input[str]
    workspace: pulumi.Input[str]
    workspace_id: pulumi.Input[str]
    account: pulumi.Input[str]
    files: Mapping[str, pulumi.FileAsset]
    uploaded: Mapping[str, str | None] = field(default_factory=dict)
    tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class Datasets(pulumi.ComponentResource):
    """By dataset: `uris` say where it lies, or will; `uploaded` those of which a version says so."""

    uris: dict[str, pulumi.Output[str]]
    uploaded: dict[str, pulumi.Output[str]]

    def __init__(
        self, name: str, args: DatasetsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-iac:azure:Datasets", name, None, opts)
        self._name, self._args = name, args
        store = self._datastore()
        self.uris, self.uploaded = {}, {}
        for dataset, source in args.files.items():
            container = ml.DataContainer(
                f"{name}-{dataset}",
                resource_group_name=args.group,
                workspace_name=args.workspace,
                name=dataset,
                properties=ml.DataContainerPropertiesArgs(
                    data_type="uri_folder", is_archived=False, tags=args.tags
                ),
                opts=pulumi.ResourceOptions(parent=self),
            )
            there = args.uploaded.get(dataset)
            content = there or NOTHING
            if content == NOTHING:
                content = content_of(files_of(Path(source.path)))
            self.uris[dataset] = self._uri(dataset, content)
            if there != NOTHING:
                self.uploaded[dataset] = self._add_version(dataset, content, container, store)
        self.register_outputs({"uris": self.uris})

    def _datastore(self) -> ml.Datastore:
        args = self._args
        return ml.Datastore(
            f"{self._name}-store",
            resource_group_name=args.group,
            workspace_name=args.workspace,
            name=DATASETS,
            properties=ml.AzureBlobDatastoreArgs(
                datastore_type="AzureBlob",
                account_name=args.account,
                container_name=DATASETS,
                # Whoever reads does so by an identity: the job's own, and the workspace's in its pages.
                credentials=ml.NoneDatastoreCredentialsArgs(credentials_type="None"),
                service_data_access_auth_identity="WorkspaceUserAssignedIdentity",
                tags=args.tags,
            ),
            opts=pulumi.ResourceOptions(
                parent=self,
                # It takes no other account; there is one of a name.
                replace_on_changes=["properties.accountName"],
                delete_before_replace=True,
            ),
        )

    def _uri(self, dataset: str, content: str) -> pulumi.Output[str]:
        """As the service writes it: it would be told to be different from what was sent."""
        args = self._args
        return pulumi.Output.concat(
            "azureml:/",
            subscription_of(args.workspace_id),
            "/resourcegroups/",
            args.group,
            "/workspaces/",
            args.workspace,
            f"/datastores/{DATASETS}/paths/{dataset}/{content}/",
        )

    def _add_version(
        self, dataset: str, content: str, container: ml.DataContainer, store: ml.Datastore
    ) -> pulumi.Output[str]:
        """Where it lies, known once a version says so: what stands is asked of it."""
        args = self._args
        version = ml.DataVersion(
            f"{self._name}-{dataset}-version",
            resource_group_name=args.group,
            workspace_name=args.workspace,
            name=container.name,
            # Named anew with each content: that of an earlier one stays with the jobs that read it, so a
            # content that comes back would find its name taken.
            properties=ml.UriFolderDataVersionArgs(
                data_type="uri_folder",
                data_uri=self.uris[dataset],
                is_anonymous=False,
                is_archived=False,
                tags={**args.tags, "content": content},
            ),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[store],
                replace_on_changes=["properties.dataUri"],
                retain_on_delete=True,
            ),
        )
        known = pulumi.Output.all(self.uris[dataset], version.id)
        return known.apply(lambda both: str(both[0]))
