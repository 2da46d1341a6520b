"""What watches what an endpoint is asked and answers: its function, its roles and its alarms.

The pipeline itself is a `TrainingPipeline`, what starts it `RetrainTriggers`. The function says what is
compared with what and, at the end, makes metrics of what was found; alarms judge these. Nothing here is
billed between runs but the alarms and what is stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from ._alarms import failing_alarm, measured_alarm
from ._context import Context, physical, stack_stem
from ._iam import Statement, lambda_trust, statement, trust
from ._identity_statements import Grants
from ._naming import PACKAGE_GROUP_LIMIT
from ._package import write_log
from ._pipeline_function import Children
from .batch_prediction import Place
from .data_store import CODE_PREFIX, MODELS_PREFIX, WORK_PREFIX

_MODULE = "monitor"
NAMESPACE = "MlopsIac/Monitoring"


@dataclass(frozen=True, kw_only=True)
class Bound:
    """A limit on one metric; one of both is set."""

    at_least: pulumi.Input[float] | None = None
    at_most: pulumi.Input[float] | None = None


@dataclass(frozen=True, kw_only=True)
class MonitoringArgs:
    """What the monitoring of an endpoint needs.

    `endpoint_name` is the literal name; `variants` are those that are watched, `models` whose versions
    they serve, `promoted` those of other accounts (`<account>/<package group>`). Calls are captured below `captures_prefix` of `captures_bucket`. `outcomes` is where the
    truth arrives; calls of `outcome_days` are held to it. `limits` by metric: an alarm for each and
    variant. `handler` is the function's source. `job_tags` are carried by all of the jobs, `images` are
    what they pull (`<account>/<repository>`). `key_arn` encrypts what is stored, `log_key_arn` the log.
    `known_as` is the name in the cloud where it is not the component's.
    """

    endpoint_name: str
    variants: Sequence[str]
    models: Sequence[str]
    promoted: Sequence[str] = ()
    captures_bucket: pulumi.Input[str]
    captures_bucket_arn: pulumi.Input[str]
    captures_prefix: str
    data_bucket: pulumi.Input[str]
    data_bucket_arn: pulumi.Input[str]
    artifacts_bucket: pulumi.Input[str]
    artifacts_bucket_arn: pulumi.Input[str]
    handler: str
    limits: Mapping[str, Bound] = field(default_factory=dict)
    outcomes: Place | None = None
    outcome_days: pulumi.Input[int] = 0
    images: Sequence[str] = ()
    job_tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    topic_arn: pulumi.Input[str] | None = None
    key_arn: pulumi.Input[str] | None = None
    log_key_arn: pulumi.Input[str] | None = None
    log_retention_days: int = 90
    subnets: Sequence[pulumi.Input[str]] = ()
    security_groups: Sequence[pulumi.Input[str]] = ()
    permissions_boundary: str | None = None
    known_as: str = ""
    tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class Monitoring(pulumi.ComponentResource):
    """`pipeline_role_arn` starts the jobs, `job_role_arn` runs them; each waits for its policy.

    `function_arn` is what the pipeline calls, `function_role_arn` its role, `outcomes_uri` where the truth lies. `alarm_arns` by
    limit, one per variant, in order. What `depends_on` names is there before code is uploaded.
    """

    alarm_arns: dict[str, list[pulumi.Output[str]]]

    def __init__(
        self, name: str, args: MonitoringArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-iac:aws:Monitoring", name, None, opts)
        self._name, self._args = name, args
        self._known = args.known_as or name
        self._context = Context(self)
        self._grants = Grants(self._context, args.key_arn)
        self._child = pulumi.ResourceOptions(parent=self)
        # A component's own dependencies are not those of its children.
        after = pulumi.ResourceOptions(parent=self, depends_on=opts.depends_on if opts else None)
        self._children = Children(self, name, self._known, args, after)
        self._work = f"{WORK_PREFIX}{self._known}/"
        self.outcomes_uri = args.outcomes and args.outcomes.within(args.data_bucket)
        self.job_role_arn = self._children.role(
            "jobs",
            "Runs the jobs of a monitoring",
            trust(self._context, "sagemaker"),
            self._of_jobs(),
        )
        function = self._function()
        self.function_arn = function.arn
        self.pipeline_role_arn = self._children.role(
            "pipeline",
            "Starts the jobs of a monitoring",
            trust(self._context, "sagemaker"),
            [
                *self._grants.start_jobs(("Processing",), args.job_tags),
                self._grants.pass_roles([self.job_role_arn]),
                self._grants.call("Call", function.arn, "it says what is compared with what"),
            ],
        )
        if args.topic_arn is not None:
            failing_alarm(
                f"{name}-failing",
                function,
                topic_arn=args.topic_arn,
                tags=args.tags,
                opts=self._child,
            )
        self.alarm_arns = {
            metric: [self._alarm(metric, bound, variant).arn for variant in args.variants]
            for metric, bound in args.limits.items()
        }
        self.register_outputs(
            {
                "functionArn": self.function_arn,
                "pipelineRoleArn": self.pipeline_role_arn,
                "jobRoleArn": self.job_role_arn,
                "alarmArns": self.alarm_arns,
            }
        )

    def _alarm(self, metric: str, bound: Bound, variant: str) -> aws.cloudwatch.MetricAlarm:
        args = self._args
        return measured_alarm(
            f"{self._name}-{variant}-{metric.replace('_', '-')}",
            (NAMESPACE, metric),
            endpoint_name=args.endpoint_name,
            variant_name=variant,
            at_least=bound.at_least,
            at_most=bound.at_most,
            actions=[] if args.topic_arn is None else [args.topic_arn],
            tags=args.tags,
            opts=self._child,
        )

    def _of_jobs(self) -> list[Statement]:
        """Read captured calls, the truth and what versions were made of; write reports."""
        args, grants = self._args, self._grants
        network = grants.attach_network(args.subnets, args.security_groups) if args.subnets else []
        return [
            *self._read_captures(),
            *self._read_outcomes(),
            *grants.read(
                "Artifacts",
                args.artifacts_bucket_arn,
                [f"{CODE_PREFIX}{self._known}/", self._work],
                "code, and what the function has found",
            ),
            grants.write(
                "Artifacts", args.artifacts_bucket_arn, [self._work], "reports are left here"
            ),
            *grants.use_key("inputs, reports and volumes are encrypted"),
            *grants.pull(args.images),
            grants.log(["ProcessingJobs"]),
            grants.measure(["/aws/sagemaker/ProcessingJobs"]),
            *network,
        ]

    def _read_captures(self) -> list[Statement]:
        args = self._args
        prefix = f"{args.captures_prefix}/{args.endpoint_name}/"
        return self._grants.read("Captures", args.captures_bucket_arn, [prefix], "captured calls")

    def _read_outcomes(self) -> list[Statement]:
        place, words = self._args.outcomes, "the truth about what was predicted"
        if place is None:
            return []
        if place.uri is not None:
            return self._grants.read_uris("Outcomes", [place.uri], words)
        prefix = f"datasets/{place.name}/"
        return self._grants.read("Outcomes", self._args.data_bucket_arn, [prefix], words)

    def _of_function(self, log: aws.cloudwatch.LogGroup) -> list[Statement]:
        """Find what is in service, copy what it was made of, list calls, and put metrics."""
        args, arn = self._args, self._context.arn
        groups = [physical(model, PACKAGE_GROUP_LIMIT) for model in args.models]
        # A list is of one bucket alone, and below one prefix.
        _, listed = self._read_captures()
        return [
            statement(
                "FindVersions",
                [
                    f"sagemaker:Describe{each}"
                    for each in ("Endpoint", "EndpointConfig", "Model", "ModelPackage")
                ],
                [
                    arn("sagemaker", f"endpoint/{args.endpoint_name}"),
                    arn("sagemaker", f"endpoint-config/{stack_stem()}-*"),
                    arn("sagemaker", f"model/{stack_stem()}-*"),
                    *(arn("sagemaker", f"model-package/{group}/*") for group in groups),
                    *(
                        arn("sagemaker", f"model-package/{group}/*", account=account)
                        for account, _, group in (each.partition("/") for each in args.promoted)
                    ),
                ],
                reason="what is asked is compared with what the versions in service were made of",
                wildcard="configurations, models and versions are numbered as they come",
            ),
            listed,
            *self._grants.read(
                "Sealed",
                args.artifacts_bucket_arn,
                [*(f"{MODELS_PREFIX}{model}/" for model in args.models), self._work],
                "what versions keep, and the reports",
            ),
            self._grants.write(
                "Work", args.artifacts_bucket_arn, [self._work], "what a run compares lies here"
            ),
            *self._grants.encrypt("what is copied is encrypted, and so is its copy"),
            self._grants.measure([NAMESPACE]),
            write_log(log),
        ]

    def _function(self) -> aws.lambda_.Function:
        args = self._args
        log = self._children.log()
        described = "Says what a monitoring compares, and makes metrics of what it finds"
        role = self.function_role_arn = self._children.role(
            "function", described, lambda_trust(self._context), self._of_function(log)
        )
        settings = {
            "endpoint": args.endpoint_name,
            "variants": list(args.variants),
            "captures": pulumi.Output.concat(
                "s3://", args.captures_bucket, f"/{args.captures_prefix}/"
            ),
            "work": pulumi.Output.concat("s3://", args.artifacts_bucket, f"/{self._work}"),
            "outcome_days": args.outcome_days,
            "namespace": NAMESPACE,
        }
        return self._children.function(_MODULE, described, role, log, settings)
