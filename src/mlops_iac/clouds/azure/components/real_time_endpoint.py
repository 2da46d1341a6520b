"""One real-time endpoint: a deployment for each variant, their traffic, scaling, logs and alarms.

A deployment is never changed: another version, machine or variable makes another one, whose name has a
hash of them, and which takes the traffic once it is there. No graph of resources says that order
(traffic names deployments that exist, and none goes that has traffic), so there are two runs of the
program. In the first one `live` says what stands: it stays, with the traffic it has, beside what is new. In the
last one it is not given: the traffic goes to what is asked for, and then the rest goes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256

import pulumi
from pulumi_azure_native import machinelearningservices as learning
from pulumi_azure_native import monitor

from ._alarms import Limits, Watched, watch
from ._naming import DEPLOYMENT_LIMIT, truncate
from ._scaling import Scaled, Scaling, scale

__all__ = ["Limits", "RealTimeEndpoint", "RealTimeEndpointArgs", "Scaling", "Variant"]

_DIGITS = 8  # of the hash in a deployment's name
# Source: azure-ai-docs, how-to-troubleshoot-online-endpoints: five seconds if nothing is said, 180 at most.
_TIMEOUT = "PT60S"
# What the endpoint tells of calls, of containers and of its own deeds.
# Source: azure-ai-docs, monitor-azure-machine-learning-reference, "Resource logs".
_LOGS = ("TrafficLog", "ConsoleLog", "EventLog")


@dataclass(frozen=True, kw_only=True)
class Slot:
    """What one deployment is made of. `model`, `environment` and `code` are `NAME:VERSION`.

    Without an `environment` the model is one of MLflow's, which brings its own.
    """

    model: str
    instance_type: str
    environment: str = ""
    code: str = ""
    script: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)

    def named(self, variant: str) -> str:
        """Its deployment's name: that of a variant, and a hash of all that it is made of."""
        said = json.dumps(asdict(self), sort_keys=True)
        end = sha256(said.encode()).hexdigest()[:_DIGITS]
        return f"{truncate(variant, DEPLOYMENT_LIMIT - _DIGITS - 1)}-{end}"


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One model behind the endpoint. Without a `version` of it there is none yet.

    `traffic_percent` is its share of the calls; `shadow_percent` makes it a shadow instead. `environment`
    and `code` are `NAME:VERSION` in the workspace, `script` is what answers in the code.
    """

    name: str
    model: str
    version: str | None
    instance_type: str
    environment: str = ""
    code: str = ""
    script: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    traffic_percent: int = 100
    shadow_percent: int | None = None

    def slot(self) -> Slot:
        """What its deployment is made of."""
        return Slot(
            model=f"{self.model}:{self.version}",
            instance_type=self.instance_type,
            environment=self.environment,
            code=self.code,
            script=self.script,
            variables=self.variables,
        )


@dataclass(frozen=True, kw_only=True)
class RealTimeEndpointArgs:
    """What an endpoint needs. `workspace_id` is where its models are.

    `identity_id` is that which its deployments get images and models with; `logs_id` the log workspace.
    `live` is what the endpoint's `live` was before, where that stays.
    """

    group: pulumi.Input[str]
    location: pulumi.Input[str]
    workspace: pulumi.Input[str]
    workspace_id: pulumi.Input[str]
    identity_id: pulumi.Input[str]
    logs_id: pulumi.Input[str]
    variants: Sequence[Variant]
    scaling: Scaling = field(default_factory=Scaling)
    limits: Limits = field(default_factory=Limits)
    description: pulumi.Input[str] | None = None
    live: str | None = None
    protect: bool = False
    tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class RealTimeEndpoint(pulumi.ComponentResource):
    """`endpoint` is its name, `scoring_uri` where it is called; `pending` are models without a version.

    `live` says as JSON what stands: `slots` by deployment, `traffic` and `mirror` in percent. Raises
    ValueError where nobody answers, where shares do not sum to 100, and for shadows that Azure has not.
    """

    endpoint: pulumi.Output[str]
    endpoint_id: pulumi.Output[str]
    scoring_uri: pulumi.Output[str]
    live: pulumi.Output[str]
    pending: list[str]

    def __init__(
        self, name: str, args: RealTimeEndpointArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-iac:azure:RealTimeEndpoint", name, None, opts)
        _check(name, args.variants)
        self._name, self._args = name, args
        # A component's own dependencies are not those of its children.
        self._after = opts.depends_on if opts else None
        self.pending = sorted({each.model for each in args.variants if not each.version})
        asked: dict[str, Slot] = {}
        traffic: dict[str, int] = {}
        mirror: dict[str, int] = {}
        for each in () if self.pending else args.variants:
            slot = each.slot()
            asked[slot.named(each.name)] = slot
            if each.shadow_percent is not None:
                mirror[slot.named(each.name)] = each.shadow_percent
            else:
                traffic[slot.named(each.name)] = each.traffic_percent
        slots = asked
        if args.live is not None:
            stands = json.loads(args.live)
            kept = {each: Slot(**said) for each, said in stands.get("slots", {}).items()}
            slots = {**kept, **asked}
            traffic, mirror = stands.get("traffic", {}), stands.get("mirror", {})
        endpoint = self._endpoint(traffic, mirror)
        deployments = self._deployments(endpoint, slots)
        self._logged(endpoint)
        self.endpoint, self.endpoint_id = endpoint.name, endpoint.id
        self.scoring_uri = endpoint.properties.scoring_uri
        live = json.dumps(
            {
                "slots": {each: asdict(slot) for each, slot in slots.items()},
                "traffic": traffic,
                "mirror": mirror,
            },
            sort_keys=True,
        )
        # Known once it stands: what is known at once would be in the state before that.
        there = pulumi.Output.all(endpoint.id, *(each.id for each in deployments))
        self.live = there.apply(lambda _: live)
        self.register_outputs(
            {"endpoint": self.endpoint, "live": self.live, "pending": self.pending}
        )

    def _child(self, *after: pulumi.Resource, protect: bool = False) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=list(after), protect=protect or None)

    def _endpoint(
        self, traffic: Mapping[str, int], mirror: Mapping[str, int]
    ) -> learning.OnlineEndpoint:
        args = self._args
        return learning.OnlineEndpoint(
            f"{self._name}-endpoint",
            resource_group_name=args.group,
            workspace_name=args.workspace,
            location=args.location,
            kind="Managed",
            identity=learning.ManagedServiceIdentityArgs(
                type="UserAssigned", user_assigned_identities=[args.identity_id]
            ),
            properties=learning.OnlineEndpointPropertiesArgs(
                auth_mode="AADToken",
                description=args.description,
                public_network_access="Enabled",
                traffic=dict(traffic),
                mirror_traffic=dict(mirror),
            ),
            tags=args.tags,
            opts=self._child(protect=args.protect),
        )

    def _deployments(
        self, endpoint: learning.OnlineEndpoint, slots: Mapping[str, Slot]
    ) -> list[learning.OnlineDeployment]:
        made: list[learning.OnlineDeployment] = []
        for each, slot in sorted(slots.items()):
            # One at a time: the service refuses another change of an endpoint meanwhile.
            made.append(self._deployment(endpoint, each, slot, made[-1:]))
        return made

    def _deployment(
        self,
        endpoint: learning.OnlineEndpoint,
        name: str,
        slot: Slot,
        after: Sequence[pulumi.Resource],
    ) -> learning.OnlineDeployment:
        args = self._args
        deployment = learning.OnlineDeployment(
            f"{self._name}-{name}",
            resource_group_name=args.group,
            workspace_name=args.workspace,
            endpoint_name=endpoint.name,
            deployment_name=name,
            location=args.location,
            sku=learning.SkuArgs(name="Default", capacity=args.scaling.min),
            properties=learning.ManagedOnlineDeploymentArgs(
                endpoint_compute_type="Managed",
                model=self._asset("models", slot.model),
                environment_id=self._asset("environments", slot.environment),
                code_configuration=learning.CodeConfigurationArgs(
                    code_id=self._asset("codes", slot.code), scoring_script=slot.script
                )
                if slot.code
                else None,
                environment_variables=dict(slot.variables),
                instance_type=slot.instance_type,
                request_settings=learning.OnlineRequestSettingsArgs(request_timeout=_TIMEOUT),
                scale_settings=learning.DefaultScaleSettingsArgs(scale_type="Default"),
                egress_public_network_access="Enabled",
            ),
            tags=args.tags,
            opts=pulumi.ResourceOptions.merge(
                pulumi.ResourceOptions(parent=self, depends_on=self._after),
                # What has calls is not deleted by itself, and goes with its endpoint.
                pulumi.ResourceOptions(depends_on=list(after), deleted_with=endpoint),
            ),
        )
        scale(
            Scaled(
                name=f"{self._name}-{name}",
                deployment=name,
                deployment_id=deployment.id,
                endpoint_id=endpoint.id,
                group=args.group,
                location=args.location,
                tags=args.tags,
            ),
            args.scaling,
            self._child(),
        )
        return deployment

    def _asset(self, kind: str, named: str) -> pulumi.Output[str] | None:
        """The id of a version in the workspace; None where there is none."""
        if not named:
            return None
        name, _, version = named.rpartition(":")
        return pulumi.Output.concat(self._args.workspace_id, f"/{kind}/{name}/versions/{version}")

    def _logged(self, endpoint: learning.OnlineEndpoint) -> None:
        args = self._args
        logs = monitor.DiagnosticSetting(
            f"{self._name}-logs",
            name="logs",
            resource_uri=endpoint.id,
            workspace_id=args.logs_id,
            logs=[
                monitor.DiagnosticsLogSettingsArgs(
                    category=f"AmlOnlineEndpoint{each}", enabled=True
                )
                for each in _LOGS
            ],
            opts=self._child(),
        )
        at = Watched(
            name=self._name,
            endpoint_id=endpoint.id,
            group=args.group,
            location=args.location,
            tags=args.tags,
        )
        watch(at, args.limits, self._child(logs))


def _check(name: str, variants: Sequence[Variant]) -> None:
    shadows = [each for each in variants if each.shadow_percent is not None]
    answering = [each for each in variants if each.shadow_percent is None]
    if not answering:
        raise ValueError(f"endpoint {name} has no variant that answers")
    if sum(each.traffic_percent for each in answering) != 100:
        raise ValueError(f"the shares of endpoint {name} do not sum to 100")
    if len(shadows) > 1 or any((each.shadow_percent or 0) > 50 for each in shadows):
        raise ValueError(f"endpoint {name}: a shadow is one, of half of the calls at most")
