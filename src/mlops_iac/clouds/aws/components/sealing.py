"""The function of training pipelines: it copies what jobs leave to where no job may write.

Jobs run code that changes often and write with one role; what is approved must not change with
them. So versions are registered with the function's copies, and it alone writes there. It also finds
the version in service, which no job may look for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from ._alarms import failing_alarm
from ._context import Context, physical
from ._iam import Statement, lambda_trust, policy_document
from ._identity_statements import Grants
from ._naming import PACKAGE_GROUP_LIMIT
from ._package import RUNTIME, uploaded, write_log
from .data_store import MODELS_PREFIX, WORK_PREFIX

_MODULE = "seal"
# SageMaker developer guide, "Lambda step": a pipeline waits ten minutes. S3 copies by itself.
_TIMEOUT_SECONDS = 600


@dataclass(frozen=True, kw_only=True)
class SealingArgs:
    """`handler` is the function's source (`handler(event, context)`), uploaded to `bucket`.

    It reads what jobs leave in that bucket and writes models. `key_arn` encrypts the bucket,
    `log_key_arn` the log. `role_arn` is a role that it runs with, used as it is; `pipeline_role_arn`
    one of a pipeline, which the function's own policy lets in then. `compared` are the models of whose
    registries it finds the version in service. `topic_arn` is told when it fails.
    """

    bucket: pulumi.Input[str]
    bucket_arn: pulumi.Input[str]
    handler: str
    key_arn: pulumi.Input[str] | None = None
    log_key_arn: pulumi.Input[str] | None = None
    log_retention_days: int = 90
    role_arn: pulumi.Input[str] | None = None
    pipeline_role_arn: pulumi.Input[str] | None = None
    compared: Sequence[str] = ()
    topic_arn: pulumi.Input[str] | None = None
    permissions_boundary: pulumi.Input[str] | None = None
    tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class Sealing(pulumi.ComponentResource):
    """`function_arn`: what the steps of pipelines call. What `depends_on` names is there before."""

    function_arn: pulumi.Output[str]

    def __init__(
        self, name: str, args: SealingArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-iac:aws:Sealing", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        log = aws.cloudwatch.LogGroup(
            f"{name}-log",
            retention_in_days=args.log_retention_days,
            kms_key_id=args.log_key_arn,
            tags=args.tags,
            opts=self._child,
        )
        code, digest = uploaded(
            f"{name}-code",
            _MODULE,
            args.handler,
            bucket=args.bucket,
            folder=name,
            key_arn=args.key_arn,
            tags=args.tags,
            # A component's own dependencies are not those of its children.
            opts=pulumi.ResourceOptions(parent=self, depends_on=opts.depends_on if opts else None),
        )
        function = aws.lambda_.Function(
            f"{name}-function",
            description="Copies trained models and reports to where no job may write",
            runtime=RUNTIME,
            handler=f"{_MODULE}.handler",
            s3_bucket=code.bucket,
            s3_key=code.key,
            source_code_hash=digest,
            role=self._role(log) if args.role_arn is None else args.role_arn,
            timeout=_TIMEOUT_SECONDS,
            memory_size=256,
            logging_config=aws.lambda_.FunctionLoggingConfigArgs(
                log_format="Text", log_group=log.name
            ),
            tags=args.tags,
            opts=self._child,
        )
        if args.pipeline_role_arn is not None:
            aws.lambda_.Permission(
                f"{name}-permission",
                action="lambda:InvokeFunction",
                function=function.name,
                principal=args.pipeline_role_arn,
                opts=self._child,
            )
        if args.topic_arn is not None:
            failing_alarm(
                f"{name}-failing",
                function,
                topic_arn=args.topic_arn,
                tags=args.tags,
                opts=self._child,
            )
        self.function_arn = function.arn
        self.register_outputs({"functionArn": self.function_arn})

    def _role(self, log: aws.cloudwatch.LogGroup) -> pulumi.Output[str]:
        args = self._args
        role = aws.iam.Role(
            f"{self._name}-role",
            description="Seals models and reports; the only one that writes them",
            assume_role_policy=lambda_trust(Context(self)),
            permissions_boundary=args.permissions_boundary,
            tags=args.tags,
            opts=self._child,
        )
        policy = aws.iam.RolePolicy(
            f"{self._name}-policy",
            role=role.name,
            policy=policy_document(*self._rights(log)),
            opts=self._child,
        )
        # The first call needs the permissions too, not only the role.
        return pulumi.Output.all(role.arn, policy.id).apply(lambda known: str(known[0]))

    def _rights(self, log: aws.cloudwatch.LogGroup) -> list[Statement]:
        args = self._args
        grants = Grants(Context(self), args.key_arn)
        groups = [physical(model, PACKAGE_GROUP_LIMIT) for model in args.compared]
        return [
            *([grants.look_up(groups)] if groups else []),
            *grants.read("Work", args.bucket_arn, [WORK_PREFIX], "models and reports to copy"),
            grants.write("Sealed", args.bucket_arn, [MODELS_PREFIX], "the copies are kept here"),
            *grants.encrypt("what is copied is encrypted, and so is its copy"),
            write_log(log),
        ]
