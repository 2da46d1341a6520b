"""The storage account of a stack: datasets, artifacts and captured calls, each in a container."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_azure_native import storage

# What jobs of a run leave here expires; what is registered does not.
ARTIFACTS = "artifacts"
DATASETS = "datasets"
WORK_PREFIX = "pipelines/"
_WORK_DAYS = 30
_SOFT_DAYS = 14  # how long what was deleted can be had back


@dataclass(frozen=True)
class DataStoreArgs:
    """`containers` besides those of datasets and artifacts. `replication` is the account's (`LRS`, `ZRS`).

    `noncurrent_days`: how long a content stays after it was overwritten. `protect`: refuse to delete it.
    """

    group: pulumi.Input[str]
    location: pulumi.Input[str]
    containers: Sequence[str] = ()
    replication: pulumi.Input[str] = "LRS"
    noncurrent_days: pulumi.Input[int] = 90
    protect: bool = True
    tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class DataStore(pulumi.ComponentResource):
    """`account` is the name, `account_id` the id; `container_ids` are by container."""

    account: pulumi.Output[str]
    account_id: pulumi.Output[str]
    container_ids: Mapping[str, pulumi.Output[str]]

    def __init__(
        self, name: str, args: DataStoreArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-iac:azure:DataStore", name, None, opts)
        self._args = args
        kept = pulumi.ResourceOptions(parent=self, protect=args.protect)
        account = storage.StorageAccount(
            f"{name}-account",
            resource_group_name=args.group,
            location=args.location,
            kind="StorageV2",
            sku=storage.SkuArgs(name=pulumi.Output.concat("Standard_", args.replication)),
            # Keys cannot be told apart from whoever has them: identities alone.
            allow_shared_key_access=False,
            default_to_o_auth_authentication=True,
            allow_blob_public_access=False,
            allow_cross_tenant_replication=False,
            enable_https_traffic_only=True,
            minimum_tls_version="TLS1_2",
            # A workspace takes no account with a hierarchical namespace as its own.
            is_hns_enabled=False,
            tags=args.tags,
            opts=kept,
        )
        child = pulumi.ResourceOptions(parent=self)
        deleted = storage.DeleteRetentionPolicyArgs(enabled=True, days=_SOFT_DAYS)
        storage.BlobServiceProperties(
            f"{name}-blobs",
            resource_group_name=args.group,
            account_name=account.name,
            blob_services_name="default",
            is_versioning_enabled=True,
            delete_retention_policy=deleted,
            container_delete_retention_policy=deleted,
            opts=child,
        )
        containers = {
            each: storage.BlobContainer(
                f"{name}-{each}",
                resource_group_name=args.group,
                account_name=account.name,
                container_name=each,
                public_access=storage.PublicAccess.NONE,
                opts=kept,
            )
            for each in (DATASETS, ARTIFACTS, *args.containers)
        }
        self._expire(name, account.name, child)
        self.account, self.account_id = account.name, account.id
        self.container_ids = {each: container.id for each, container in containers.items()}
        self.register_outputs({"account": self.account, "accountId": self.account_id})

    def _expire(self, name: str, account: pulumi.Output[str], opts: pulumi.ResourceOptions) -> None:
        work = storage.ManagementPolicyActionArgs(
            base_blob=storage.ManagementPolicyBaseBlobArgs(
                delete=storage.DateAfterModificationArgs(
                    days_after_modification_greater_than=_WORK_DAYS
                )
            )
        )
        noncurrent = storage.ManagementPolicyActionArgs(
            version=storage.ManagementPolicyVersionArgs(
                delete=storage.DateAfterCreationArgs(
                    days_after_creation_greater_than=self._args.noncurrent_days
                )
            )
        )
        storage.ManagementPolicy(
            f"{name}-expiry",
            resource_group_name=self._args.group,
            account_name=account,
            # There is one, and this is what it is called.
            management_policy_name="default",
            policy=storage.ManagementPolicySchemaArgs(
                rules=[
                    # A prefix begins with the container's name.
                    _rule("work", work, [f"{ARTIFACTS}/{WORK_PREFIX}"]),
                    _rule("noncurrent", noncurrent, None),
                ]
            ),
            opts=opts,
        )


def _rule(
    name: str, actions: storage.ManagementPolicyActionArgs, prefixes: list[str] | None
) -> storage.ManagementPolicyRuleArgs:
    return storage.ManagementPolicyRuleArgs(
        name=name,
        type="Lifecycle",
        enabled=True,
        definition=storage.ManagementPolicyDefinitionArgs(
            actions=actions,
            filters=storage.ManagementPolicyFilterArgs(
                blob_types=["blockBlob"], prefix_match=prefixes
            ),
        ),
    )
