"""One real-time endpoint: models, configuration, endpoint, rollback alarms and scaling.

The alarms watch an endpoint that does not exist yet, so its name is a literal. Until every
variant has a version, what would run one is left out and `pending` says which models are missing.

After an automatic rollback the endpoint runs the previous configuration while the deployment
reports success; compare `endpoint_config_name` with what the endpoint says it runs
(hashicorp/terraform-provider-aws, issue 48997). The engine then deletes what it believes replaced,
and that is what the endpoint runs: `keep_replaced` keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pulumi
import pulumi_aws as aws

from ._alarms import variant_alarm
from ._context import Context, physical, prefix, stack_stem
from ._disks import has_local_disk
from ._events import tell
from ._naming import ENDPOINT_LIMIT, SUFFIX, truncate
from ._rollout import Rollout, deployment_config, evaluation_periods
from ._scaling import Scaling, scale
from .alerts import Told

# The provider appends 26 characters to a prefix (terraform-plugin-sdk, `id.PrefixedUniqueId`).
_CONFIG_PREFIX_LIMIT = ENDPOINT_LIMIT - 26
# EndpointStatus in events is written like this, not as the API writes it ("InService").
_TOLD_STATES = ("FAILED", "OUT_OF_SERVICE", "ROLLING_BACK", "UPDATE_ROLLBACK_FAILED")

__all__ = [
    "Capture",
    "RealTimeEndpoint",
    "RealTimeEndpointArgs",
    "Rollout",
    "Scaling",
    "Variant",
]


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One model behind the endpoint.

    Either a registered version (`package_group`, `version`, and `registry_account` where the group
    is another account's), or a model from elsewhere (`image`, `model_data`: an `s3://` URI of a
    `.tar.gz` or of a prefix). `version` None means that there is none yet.
    `traffic_percent` is its share of the calls; `shadow_percent` makes it a shadow instead.
    `model` is what people call it.
    """

    name: str
    model: str
    instance_type: str
    package_group: pulumi.Input[str] | None = None
    version: str | None = None
    registry_account: pulumi.Input[str] | None = None
    image: pulumi.Input[str] | None = None
    model_data: pulumi.Input[str] | None = None
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    traffic_percent: int = 100
    shadow_percent: int | None = None
    disk_gb: int | None = None

    def __post_init__(self) -> None:
        if (self.package_group is None) == (self.image is None):
            raise ValueError(f"variant {self.name} takes a registered version or an image")
        if self.image is not None and self.model_data is None:
            raise ValueError(f"variant {self.name} has an image but no model data")

    @property
    def is_pending(self) -> bool:
        """Whether it waits for a first version."""
        return self.package_group is not None and not self.version


@dataclass(frozen=True, kw_only=True)
class Capture:
    """Where calls are kept (`s3://<bucket>/<prefix>`), and what share of them."""

    bucket: pulumi.Input[str]
    prefix: str
    percent: int = 100


@dataclass(kw_only=True)
class RealTimeEndpointArgs:
    """What an endpoint needs. `role_arn` is the role that the containers run with.

    `key_arn` encrypts captures, and the instances' volumes where their type allows it.
    `egress: none` cuts the containers off from every network; SageMaker brings them their models.
    `keep_replaced`: replaced models and configurations stay in the account, unmanaged and free of
    charge, because after an automatic rollback the endpoint runs them and starts new instances
    from them. `protect`: the endpoint is not deleted, nor replaced. `told` hears of rollbacks and of
    an endpoint that fails. `log_key_arn` encrypts the log of the containers. `known_as` is the name that callers know it by, where that is not the component's.
    """

    role_arn: pulumi.Input[str]
    variants: Sequence[Variant]
    scaling: Scaling = field(default_factory=Scaling)
    rollout: Rollout = field(default_factory=Rollout)
    capture: Capture | None = None
    key_arn: pulumi.Input[str] | None = None
    subnets: Sequence[pulumi.Input[str]] = ()
    security_groups: Sequence[pulumi.Input[str]] = ()
    egress: Literal["all", "none"] = "all"
    keep_replaced: bool = False
    protect: bool = False
    told: Told | None = None
    log_key_arn: pulumi.Input[str] | None = None
    log_retention_days: int = 365
    known_as: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


class RealTimeEndpoint(pulumi.ComponentResource):
    """An endpoint and its alarms. What `depends_on` names is there before its models are."""

    def __init__(
        self,
        name: str,
        args: RealTimeEndpointArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("mlops-iac:aws:RealTimeEndpoint", name, {}, opts)
        self._name, self._args = name, args
        # A component's own dependencies are not those of its children.
        self._after = opts.depends_on if opts else None
        self._context = Context(self)
        production = [each for each in args.variants if each.shadow_percent is None]
        shadows = [each for each in args.variants if each.shadow_percent is not None]
        if not production:
            raise ValueError(f"endpoint {name} has no variant that answers")

        self.endpoint_name = physical(args.known_as or name, ENDPOINT_LIMIT)
        self.variant_names = [each.name for each in production]
        self.pending = sorted({each.model for each in args.variants if each.is_pending})
        self.rollback_alarms = [alarm for each in production for alarm in self._alarms(each.name)]
        self.models: dict[str, aws.sagemaker.Model] = {}
        self.configuration: aws.sagemaker.EndpointConfiguration | None = None
        self.endpoint: aws.sagemaker.Endpoint | None = None
        if not self.pending:
            self.models = {each.name: self._model(each) for each in args.variants}
            self.configuration = self._configuration(production, shadows)
            self.endpoint = self._endpoint(self.configuration, self._log())
            for each in production:
                scale(
                    name,
                    endpoint_name=self.endpoint.name,
                    variant_name=each.name,
                    scaling=args.scaling,
                    tags=args.tags,
                    parent=self,
                )

        if args.told is not None:
            self._tell(args.told)
        self.endpoint_arn = self.endpoint.arn if self.endpoint else None
        self.endpoint_config_name = self.configuration.name if self.configuration else None
        self.register_outputs(
            {
                "endpoint_name": self.endpoint_name,
                "endpoint_arn": self.endpoint_arn,
                "endpoint_config_name": self.endpoint_config_name,
                "pending": self.pending,
            }
        )

    def _alarms(self, variant: str) -> list[aws.cloudwatch.MetricAlarm]:
        rollout = self._args.rollout
        periods = evaluation_periods(rollout)
        limits = {"error_rate_percent": ("error-rate", rollout.error_rate_percent)}
        if rollout.latency_p99_ms is not None:
            limits["latency_p99_ms"] = ("latency-p99", rollout.latency_p99_ms)
        return [
            variant_alarm(
                f"{self._name}-{variant}-rollback-{short}",
                limit,
                at_most,
                endpoint_name=self.endpoint_name,
                variant_name=variant,
                opts=pulumi.ResourceOptions(parent=self),
                evaluation_periods=periods,
                datapoints=periods,
                actions=[self._args.told.topic_arn] if self._args.told else [],
                tags=self._args.tags,
                start="rollback-",
            )
            for limit, (short, at_most) in limits.items()
        ]

    def _log(self) -> aws.cloudwatch.LogGroup:
        """The group that SageMaker would make itself, without a key and for ever.

        Source: SageMaker developer guide, "Log groups and streams that Amazon SageMaker AI logs".
        """
        return aws.cloudwatch.LogGroup(
            f"{self._name}-log",
            name=f"/aws/sagemaker/Endpoints/{self.endpoint_name}",
            retention_in_days=self._args.log_retention_days,
            kms_key_id=self._args.log_key_arn,
            tags=self._args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _tell(self, told: Told) -> None:
        tell(
            f"{self._name}-states",
            f"{self._args.known_as or self._name}-states",
            topic_arn=told.topic_arn,
            queue_arn=told.queue_arn,
            description=f"{self.endpoint_name} fails or is rolled back",
            pattern={
                "source": ["aws.sagemaker"],
                "detail-type": [
                    "SageMaker Endpoint State Change",
                    "SageMaker Endpoint Deployment State Change",
                ],
                "detail": {
                    "EndpointName": [self.endpoint_name],
                    "EndpointStatus": list(_TOLD_STATES),
                },
            },
            message=f"{self.endpoint_name} is <status>, with configuration <configuration>.",
            values={
                "status": "$.detail.EndpointStatus",
                "configuration": "$.detail.EndpointConfigName",
            },
            tags=self._args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _model(self, variant: Variant) -> aws.sagemaker.Model:
        args = self._args
        vpc = (
            aws.sagemaker.ModelVpcConfigArgs(
                subnets=list(args.subnets), security_group_ids=list(args.security_groups)
            )
            if args.subnets
            else None
        )
        # Every change makes another model, so its name ends at random: what it is called is cut here.
        room = ENDPOINT_LIMIT - SUFFIX - len(f"{stack_stem()}--model")
        return aws.sagemaker.Model(
            f"{truncate(f'{self._name}-{variant.name}', room)}-model",
            execution_role_arn=args.role_arn,
            primary_container=self._container(variant),
            vpc_config=vpc,
            enable_network_isolation=True if args.egress == "none" else None,
            tags=args.tags,
            opts=self._replaceable(),
        )

    def _replaceable(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(
            parent=self,
            depends_on=self._after,
            retain_on_delete=self._args.keep_replaced or None,
        )

    def _container(self, variant: Variant) -> aws.sagemaker.ModelPrimaryContainerArgs:
        environment = dict(variant.environment) or None
        if variant.package_group is not None:
            # A version brings its own image and data; naming them too is refused.
            return aws.sagemaker.ModelPrimaryContainerArgs(
                model_package_name=self._context.arn(
                    "sagemaker",
                    pulumi.Output.concat(
                        "model-package/", variant.package_group, "/", variant.version or ""
                    ),
                    account=variant.registry_account,
                ),
                environment=environment,
            )
        assert variant.model_data is not None
        return aws.sagemaker.ModelPrimaryContainerArgs(
            image=variant.image,
            environment=environment,
            model_data_source=aws.sagemaker.ModelPrimaryContainerModelDataSourceArgs(
                s3_data_sources=[
                    aws.sagemaker.ModelPrimaryContainerModelDataSourceS3DataSourceArgs(
                        s3_uri=variant.model_data,
                        s3_data_type=_form(variant.model_data, "S3Object", "S3Prefix"),
                        compression_type=_form(variant.model_data, "Gzip", "None"),
                    )
                ]
            ),
        )

    def _configuration(
        self, production: Sequence[Variant], shadows: Sequence[Variant]
    ) -> aws.sagemaker.EndpointConfiguration:
        args = self._args
        local_disk = any(has_local_disk(each.instance_type) for each in args.variants)
        return aws.sagemaker.EndpointConfiguration(
            f"{self._name}-configuration",
            name_prefix=prefix(args.known_as or self._name, _CONFIG_PREFIX_LIMIT),
            production_variants=[
                aws.sagemaker.EndpointConfigurationProductionVariantArgs(
                    variant_name=each.name,
                    model_name=self.models[each.name].name,
                    instance_type=each.instance_type,
                    initial_instance_count=args.scaling.min,
                    initial_variant_weight=each.traffic_percent,
                    volume_size_in_gb=each.disk_gb,
                )
                for each in production
            ],
            # A shadow gets its weight over the production variant's of the calls.
            shadow_production_variants=[
                aws.sagemaker.EndpointConfigurationShadowProductionVariantArgs(
                    variant_name=each.name,
                    model_name=self.models[each.name].name,
                    instance_type=each.instance_type,
                    initial_instance_count=args.scaling.min,
                    initial_variant_weight=each.shadow_percent,
                    volume_size_in_gb=each.disk_gb,
                )
                for each in shadows
            ]
            or None,
            kms_key_arn=None if local_disk else args.key_arn,
            data_capture_config=self._capture(),
            tags=args.tags,
            opts=self._replaceable(),
        )

    def _capture(self) -> aws.sagemaker.EndpointConfigurationDataCaptureConfigArgs | None:
        capture = self._args.capture
        if capture is None:
            return None
        option = aws.sagemaker.EndpointConfigurationDataCaptureConfigCaptureOptionArgs
        header = aws.sagemaker.EndpointConfigurationDataCaptureConfigCaptureContentTypeHeaderArgs
        return aws.sagemaker.EndpointConfigurationDataCaptureConfigArgs(
            enable_capture=True,
            initial_sampling_percentage=capture.percent,
            destination_s3_uri=pulumi.Output.concat("s3://", capture.bucket, "/", capture.prefix),
            kms_key_id=self._args.key_arn,
            capture_options=[option(capture_mode="Input"), option(capture_mode="Output")],
            # Without it every body is kept in base64, which no monitor reads.
            capture_content_type_header=header(json_content_types=["application/json"]),
        )

    def _endpoint(
        self, configuration: aws.sagemaker.EndpointConfiguration, log: aws.cloudwatch.LogGroup
    ) -> aws.sagemaker.Endpoint:
        config, why = deployment_config(
            self._args.rollout,
            instances=self._args.scaling.min,
            alarms=[alarm.name for alarm in self.rollback_alarms],
        )
        if why:
            pulumi.log.info(f"{self.endpoint_name}: {why}", resource=self)
        return aws.sagemaker.Endpoint(
            f"{self._name}-endpoint",
            name=self.endpoint_name,
            endpoint_config_name=configuration.name,
            deployment_config=config,
            tags=self._args.tags,
            opts=pulumi.ResourceOptions.merge(
                pulumi.ResourceOptions(parent=self, depends_on=self._after),
                pulumi.ResourceOptions(depends_on=[log], protect=self._args.protect or None),
            ),
        )


def _form(
    uri: pulumi.Input[str],
    archive: Literal["S3Object", "Gzip"],
    prefix: Literal["S3Prefix", "None"],
) -> pulumi.Output[str]:
    return pulumi.Output.from_input(uri).apply(
        lambda text: archive if text.endswith(".tar.gz") else prefix
    )
