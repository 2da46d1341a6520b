"""What the jobs of all models share: clusters, what they may do, where they leave things."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import pulumi
from pulumi_azure_native import machinelearningservices

from ._context import start
from ._roles import Principal, Scope, assign

_IDLE = "PT5M"  # how long a node waits for the next job
# What jobs of a plane may do: role, on what, why; that they read datasets is said where these are. Whoever
# trains registers nothing and approves nothing.
_MAY = {
    "train": (
        ("Storage Blob Data Contributor", "artifacts", "trainings leave what they make"),
        ("AcrPull", "registry", "nodes pull the images of environments"),
    ),
    "register": (
        ("Storage Blob Data Reader", "artifacts", "what is registered is looked at"),
        ("AzureML Data Scientist", "workspace", "versions are registered"),
        ("AcrPull", "registry", "nodes pull the images of environments"),
    ),
}


@dataclass(frozen=True)
class Machine:
    """What steps of a model run on: the `plane` whose identity they have, and how many may run at once."""

    plane: str
    size: str
    low_priority: bool = False
    nodes: int = 1


@dataclass(frozen=True)
class JobsArgs:
    """`planes` are identities by plane: id and object id; `scopes` what they may use, by `_MAY`'s names.

    `machines` are by model and step; those that are alike are one cluster.
    """

    group: pulumi.Input[str]
    location: pulumi.Input[str]
    workspace: pulumi.Input[str]
    account: pulumi.Input[str]
    scopes: Mapping[str, pulumi.Input[str]]
    identities: Mapping[str, pulumi.Input[str]]
    principals: Mapping[str, pulumi.Input[str]]
    machines: Mapping[str, Machine]
    tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class Jobs(pulumi.ComponentResource):
    """`clusters` are names, by model and step."""

    clusters: Mapping[str, str]

    def __init__(
        self, name: str, args: JobsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-iac:azure:Jobs", name, None, opts)
        self._args = args
        machinelearningservices.Datastore(
            f"{name}-artifacts",
            resource_group_name=args.group,
            workspace_name=args.workspace,
            name="artifacts",
            properties=machinelearningservices.AzureBlobDatastoreArgs(
                datastore_type="AzureBlob",
                account_name=args.account,
                container_name="artifacts",
                endpoint="core.windows.net",
                protocol="https",
                credentials=machinelearningservices.NoneDatastoreCredentialsArgs(
                    credentials_type="None"
                ),
                service_data_access_auth_identity="WorkspaceUserAssignedIdentity",
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        may: list[pulumi.Resource] = [
            assign(
                role,
                Principal(f"{name}-{plane}", args.principals[plane]),
                Scope(scope, args.scopes[scope]),
                reason=reason,
                parent=self,
            )
            for plane in args.identities
            for role, scope, reason in _MAY[plane]
        ]
        self.clusters = {key: _kind(machine) for key, machine in args.machines.items()}
        for kind in dict.fromkeys(self.clusters.values()):
            alike = [each for each in args.machines.values() if _kind(each) == kind]
            self._cluster(f"{name}-{kind}", kind, alike, may)
        self.clusters = {key: _physical(kind) for key, kind in self.clusters.items()}
        self.register_outputs({})

    def _cluster(
        self, name: str, kind: str, alike: Sequence[Machine], after: list[pulumi.Resource]
    ) -> None:
        args, machine = self._args, alike[0]
        machinelearningservices.Compute(
            name,
            compute_name=_physical(kind),
            resource_group_name=args.group,
            workspace_name=args.workspace,
            location=args.location,
            # Each job on it can be given a token of every identity of it: one.
            identity=machinelearningservices.ManagedServiceIdentityArgs(
                type="UserAssigned", user_assigned_identities=[args.identities[machine.plane]]
            ),
            properties=machinelearningservices.AmlComputeArgs(
                compute_type="AmlCompute",
                disable_local_auth=True,
                properties=machinelearningservices.AmlComputePropertiesArgs(
                    vm_size=machine.size,
                    vm_priority="LowPriority" if machine.low_priority else "Dedicated",
                    os_type="Linux",
                    remote_login_port_public_access="Disabled",
                    # Its nodes have addresses of their own as long as the workspace has no network.
                    enable_node_public_ip=True,
                    scale_settings=machinelearningservices.ScaleSettingsArgs(
                        min_node_count=0,
                        max_node_count=max(each.nodes for each in alike),
                        node_idle_time_before_scale_down=_IDLE,
                    ),
                ),
            ),
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=after),
        )


def _kind(machine: Machine) -> str:
    size = machine.size.lower().removeprefix("standard_").replace("_", "-")
    return f"{machine.plane}-{size}{'-low' if machine.low_priority else ''}"


def _physical(kind: str) -> str:
    """The name of a cluster: nobody else's in the region, and known before it is there.

    Pipelines name it, whose versions take no other one. At most 24 characters: azure-docs, "Naming rules".
    """
    subscription = pulumi.Config("azure-native").get("subscriptionId") or ""
    digest = sha256(f"{subscription}/{start()}/{kind}".encode()).hexdigest()
    return f"{kind.partition('-')[0]}-{digest[:12]}"
