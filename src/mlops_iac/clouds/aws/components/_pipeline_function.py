"""What the pipeline of a prediction and that of a monitoring have alike: a function that it calls, and roles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import pulumi
import pulumi_aws as aws

from ._called import called
from ._iam import Statement, policy_document
from ._naming import FUNCTION_LIMIT, ROLE_LIMIT
from ._package import RUNTIME, uploaded

_TIMEOUT_SECONDS = 600  # SageMaker developer guide, "Lambda step": a pipeline waits ten minutes


class _Args(Protocol):
    """What both say. Read only."""

    @property
    def artifacts_bucket(self) -> pulumi.Input[str]: ...
    @property
    def handler(self) -> str: ...
    @property
    def key_arn(self) -> pulumi.Input[str] | None: ...
    @property
    def log_key_arn(self) -> pulumi.Input[str] | None: ...
    @property
    def log_retention_days(self) -> int: ...
    @property
    def permissions_boundary(self) -> pulumi.Input[str] | None: ...
    @property
    def tags(self) -> Mapping[str, pulumi.Input[str]]: ...


class Children:
    """Makes them for the component `parent`, called `name`, and `known` in the cloud.

    `after` is there before code is uploaded.
    """

    def __init__(
        self,
        parent: pulumi.Resource,
        name: str,
        known: str,
        args: _Args,
        after: pulumi.ResourceOptions,
    ) -> None:
        self._parent, self._name, self._known, self._args = parent, name, known, args
        self._child, self._after = pulumi.ResourceOptions(parent=parent), after

    def role(
        self,
        suffix: str,
        description: str,
        trusted: pulumi.Output[str],
        statements: Sequence[Statement],
    ) -> pulumi.Output[str]:
        """The ARN of a role; it waits for the role's policy, too."""
        own, was = f"{self._name}-{suffix}-role", f"{self._known}-{suffix}-role"
        child = called(self._parent, own, was, ROLE_LIMIT)
        role = aws.iam.Role(
            child.logical,
            name=child.name,
            description=description,
            assume_role_policy=trusted,
            permissions_boundary=self._args.permissions_boundary,
            tags=self._args.tags,
            opts=child.opts,
        )
        policy = aws.iam.RolePolicy(
            f"{self._name}-{suffix}-policy",
            role=role.name,
            policy=policy_document(*statements),
            opts=self._child,
        )
        # Who uses the ARN needs the permissions too, not only the role.
        return pulumi.Output.all(role.arn, policy.id).apply(lambda known: str(known[0]))

    def log(self) -> aws.cloudwatch.LogGroup:
        """Where the function writes."""
        return aws.cloudwatch.LogGroup(
            f"{self._name}-log",
            retention_in_days=self._args.log_retention_days,
            kms_key_id=self._args.log_key_arn,
            tags=self._args.tags,
            opts=self._child,
        )

    def function(
        self,
        module: str,
        description: str,
        role: pulumi.Input[str],
        log: aws.cloudwatch.LogGroup,
        settings: Mapping[str, Any],
    ) -> aws.lambda_.Function:
        """The function of the source `handler`, which is called `module` there."""
        args, name = self._args, self._name
        code, digest = uploaded(
            f"{name}-function-code",
            module,
            args.handler,
            bucket=args.artifacts_bucket,
            folder=self._known,
            key_arn=args.key_arn,
            tags=args.tags,
            opts=self._after,
        )
        child = called(self._parent, f"{name}-function", f"{self._known}-function", FUNCTION_LIMIT)
        return aws.lambda_.Function(
            child.logical,
            name=child.name,
            description=description,
            runtime=RUNTIME,
            handler=f"{module}.handler",
            s3_bucket=code.bucket,
            s3_key=code.key,
            source_code_hash=digest,
            role=role,
            timeout=_TIMEOUT_SECONDS,
            memory_size=256,
            environment=aws.lambda_.FunctionEnvironmentArgs(
                variables={"SETTINGS": pulumi.Output.json_dumps(dict(settings))}
            ),
            logging_config=aws.lambda_.FunctionLoggingConfigArgs(
                log_format="Text", log_group=log.name
            ),
            tags=args.tags,
            opts=child.opts,
        )
