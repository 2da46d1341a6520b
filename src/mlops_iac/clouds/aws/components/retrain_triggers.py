"""What starts a pipeline again, a model's training above all: the clock, new data, and alarms.

The clock starts the pipeline itself. Everything else asks the cooldown function first, because an
event that the training itself brings about (an alarm that stays, files that arrive by the
thousand) would otherwise train without end. What could not be delivered waits in one queue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pulumi
import pulumi_aws as aws

from ._alarms import failing_alarm, undelivered_alarm
from ._called import Called, called, renamed
from ._context import Context, physical
from ._cron import schedule_expression
from ._events import admit_rules, dead_letters, of_rules
from ._iam import Statement, lambda_trust, policy_document, statement, trust
from ._naming import (
    FUNCTION_LIMIT,
    QUEUE_LIMIT,
    ROLE_LIMIT,
    RULE_LIMIT,
    SCHEDULE_LIMIT,
)
from ._package import RUNTIME, uploaded, write_log

_merge = pulumi.ResourceOptions.merge
_MODULE = "cooldown"
# A start that comes late is worse than none: the next one comes anyway.
_EVENT_AGE_SECONDS = 3600
_RETRIES = 3
_DOES = {"training": "Trains again", "prediction": "Predicts", "monitoring": "Monitors"}


@dataclass(frozen=True, kw_only=True)
class NewData:
    """A prefix of a bucket that sends its events to EventBridge; what it starts never writes there.

    `ending` is that of the names that count, where not all do.
    `known_as` is the former name of a dataset that was renamed.
    """

    dataset: str
    bucket: pulumi.Input[str]
    prefix: pulumi.Input[str]
    ending: str = ""
    known_as: str = ""


@dataclass(kw_only=True)
class RetrainTriggersArgs:
    """What starts the pipeline `pipeline_name`.

    `schedule` is Unix cron in `timezone`. `alarm_arns` are the alarms, or lists of them, that
    start it when they go off. `handler` is the source of the cooldown function (`handler(event, context)`); it is
    uploaded to `code_bucket` and needed with `new_data` or `alarm_arns` alone.
    `key_arn` encrypts the function's code and log. `known_as` is the name in the cloud where it is
    not the component's: that of before a rename. `starts` is what people call what is started.
    """

    pipeline_name: pulumi.Input[str]
    pipeline_arn: pulumi.Input[str]
    schedule: str | None = None
    timezone: str = "UTC"
    new_data: Sequence[NewData] = ()
    alarm_arns: Sequence[pulumi.Input[str] | Sequence[pulumi.Input[str]]] = ()
    starts: Literal["training", "prediction", "monitoring"] = "training"
    cooldown_hours: int = 24
    handler: str | None = None
    code_bucket: pulumi.Input[str] | None = None
    key_arn: pulumi.Input[str] | None = None
    log_key_arn: pulumi.Input[str] | None = None
    log_retention_days: int = 90
    permissions_boundary: str | None = None
    topic_arn: pulumi.Input[str] | None = None
    known_as: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


class RetrainTriggers(pulumi.ComponentResource):
    """Schedule, event rules, the cooldown function, and the queue of what was not delivered.

    What `depends_on` names is there before code is uploaded.
    """

    def __init__(
        self,
        name: str,
        args: RetrainTriggersArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("mlops-iac:aws:RetrainTriggers", name, {}, opts)
        self._name, self._args = name, args
        self._known = args.known_as or name
        self._context = Context(self)
        self._policies: dict[str, aws.iam.RolePolicy] = {}
        self._child = pulumi.ResourceOptions(parent=self)
        # A component's own dependencies are not those of its children.
        self._after = pulumi.ResourceOptions(
            parent=self, depends_on=opts.depends_on if opts else None
        )
        if args.schedule is None and not args.new_data and not args.alarm_arns:
            raise ValueError(f"{name} starts nothing: it has no schedule, data or alarms")

        queue = self._called("undelivered", QUEUE_LIMIT)
        self.dead_letters = dead_letters(
            queue.logical, called=queue.name, tags=args.tags, opts=queue.opts
        )
        self.schedule: aws.scheduler.Schedule | None = None
        self.function: aws.lambda_.Function | None = None
        self.rules: list[aws.cloudwatch.EventRule] = []
        if args.schedule is not None:
            self.schedule = self._clock(args.schedule)
        if args.new_data or args.alarm_arns:
            self.function = self._cooldown()
            self.rules = [*map(self._on_new_data, args.new_data)]
            if args.alarm_arns:
                self.rules.append(self._on_alarms(_flat(args.alarm_arns)))
        admit_rules(
            f"{name}-undelivered-policy",
            self.dead_letters,
            self._context,
            of_rules(self.rules) if self.rules else None,
            opts=self._child,
        )
        if args.topic_arn is not None:
            self._tell(args.topic_arn)

        self.function_name = self.function.name if self.function else None
        self.queue_arn = self.dead_letters.arn
        self.register_outputs({"function_name": self.function_name, "queue_arn": self.queue_arn})

    def _clock(self, cron: str) -> aws.scheduler.Schedule:
        args, name = self._args, self._name
        child = self._called("schedules", SCHEDULE_LIMIT)
        group = aws.scheduler.ScheduleGroup(
            child.logical, name=child.name, tags=args.tags, opts=child.opts
        )
        role = self._role(
            "scheduler",
            # The group's ARN: that of the schedule itself is refused.
            trust(self._context, "scheduler", source_arn=group.arn),
            statement(
                "StartPipeline",
                ["sagemaker:StartPipelineExecution"],
                [args.pipeline_arn],
                reason="the schedule starts it",
            ),
            self._may_send_undelivered("the scheduler keeps starts that failed"),
        )
        return aws.scheduler.Schedule(
            f"{name}-schedule",
            name=physical(self._known, SCHEDULE_LIMIT),
            description=f"{_DOES[args.starts]}: {cron}",
            group_name=group.name,
            schedule_expression=schedule_expression(cron),
            schedule_expression_timezone=args.timezone,
            flexible_time_window=aws.scheduler.ScheduleFlexibleTimeWindowArgs(mode="OFF"),
            target=aws.scheduler.ScheduleTargetArgs(
                arn=args.pipeline_arn,
                role_arn=role.arn,
                retry_policy=aws.scheduler.ScheduleTargetRetryPolicyArgs(
                    maximum_event_age_in_seconds=_EVENT_AGE_SECONDS,
                    maximum_retry_attempts=_RETRIES,
                ),
                dead_letter_config=aws.scheduler.ScheduleTargetDeadLetterConfigArgs(
                    arn=self.dead_letters.arn
                ),
            ),
            opts=self._after_policy("scheduler"),
        )

    def _cooldown(self) -> aws.lambda_.Function:
        args, name = self._args, self._name
        if args.handler is None or args.code_bucket is None:
            raise ValueError(f"{name} takes the cooldown function's source and a bucket for it")
        log = aws.cloudwatch.LogGroup(
            f"{name}-cooldown-log",
            retention_in_days=args.log_retention_days,
            kms_key_id=args.log_key_arn,
            tags=args.tags,
            opts=self._child,
        )
        role = self._role("cooldown", lambda_trust(self._context), *self._cooldown_rights(log))
        code, digest = uploaded(
            f"{name}-cooldown-code",
            _MODULE,
            args.handler,
            bucket=args.code_bucket,
            folder=self._known,
            key_arn=args.key_arn,
            tags=args.tags,
            opts=self._after,
        )
        child = self._called("cooldown", FUNCTION_LIMIT)
        return aws.lambda_.Function(
            child.logical,
            name=child.name,
            description=f"Starts a {args.starts}, unless one started within the cooldown",
            runtime=RUNTIME,
            handler=f"{_MODULE}.handler",
            s3_bucket=code.bucket,
            s3_key=code.key,
            source_code_hash=digest,
            role=role.arn,
            timeout=60,
            memory_size=128,
            environment=aws.lambda_.FunctionEnvironmentArgs(
                variables={
                    "PIPELINE_NAME": args.pipeline_name,
                    "COOLDOWN_HOURS": str(args.cooldown_hours),
                }
            ),
            logging_config=aws.lambda_.FunctionLoggingConfigArgs(
                log_format="Text", log_group=log.name
            ),
            dead_letter_config=aws.lambda_.FunctionDeadLetterConfigArgs(
                target_arn=self.dead_letters.arn
            ),
            tags=args.tags,
            opts=_merge(self._after_policy("cooldown"), child.opts),
        )

    def _cooldown_rights(self, log: aws.cloudwatch.LogGroup) -> list[Statement]:
        return [
            statement(
                "StartPipeline",
                ["sagemaker:ListPipelineExecutions", "sagemaker:StartPipelineExecution"],
                [self._args.pipeline_arn],
                reason="it starts a run, and looks when the last one started",
            ),
            write_log(log),
            self._may_send_undelivered("Lambda keeps events that failed"),
        ]

    def _on_new_data(self, data: NewData) -> aws.cloudwatch.EventRule:
        return self._rule(
            f"new-{data.dataset}",
            f"new-{data.known_as or data.dataset}",
            f"Files of {data.dataset} arrived",
            {
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {
                    "bucket": {"name": [data.bucket]},
                    "object": {"key": [_key(data)]},
                },
            },
        )

    def _on_alarms(self, alarm_arns: Sequence[pulumi.Input[str]]) -> aws.cloudwatch.EventRule:
        return self._rule(
            "alarms",
            "alarms",
            "A monitored limit was broken",
            {
                "source": ["aws.cloudwatch"],
                "detail-type": ["CloudWatch Alarm State Change"],
                "resources": list(alarm_arns),
                "detail": {"state": {"value": ["ALARM"]}},
            },
        )

    def _rule(
        self, suffix: str, known: str, description: str, pattern: Mapping[str, object]
    ) -> aws.cloudwatch.EventRule:
        assert self.function is not None
        child = self._called(suffix, RULE_LIMIT, known=known)
        name, former = child.logical, child.former
        rule = aws.cloudwatch.EventRule(
            name,
            name=child.name,
            description=description,
            event_pattern=pulumi.Output.json_dumps(pattern),
            tags=self._args.tags,
            opts=child.opts,
        )
        permission = aws.lambda_.Permission(
            f"{name}-permission",
            action="lambda:InvokeFunction",
            function=self.function.name,
            principal=self._context.service("events"),
            source_arn=rule.arn,
            opts=renamed(self, f"{name}-permission", f"{former}-permission"),
        )
        aws.cloudwatch.EventTarget(
            f"{name}-target",
            rule=rule.name,
            arn=self.function.arn,
            retry_policy=aws.cloudwatch.EventTargetRetryPolicyArgs(
                maximum_event_age_in_seconds=_EVENT_AGE_SECONDS, maximum_retry_attempts=_RETRIES
            ),
            dead_letter_config=aws.cloudwatch.EventTargetDeadLetterConfigArgs(
                arn=self.dead_letters.arn
            ),
            opts=_merge(
                renamed(self, f"{name}-target", f"{former}-target"),
                pulumi.ResourceOptions(depends_on=[permission]),
            ),
        )
        return rule

    def _tell(self, topic_arn: pulumi.Input[str]) -> None:
        name, args = self._name, self._args
        undelivered_alarm(
            f"{name}-undelivered-alarm",
            self.dead_letters,
            description=f"A start of {name} was not delivered; see the queue",
            topic_arn=topic_arn,
            tags=args.tags,
            opts=self._child,
        )
        if self.function is not None:
            failing_alarm(
                f"{name}-cooldown-failing",
                self.function,
                topic_arn=topic_arn,
                tags=args.tags,
                opts=self._child,
            )

    def _role(
        self, suffix: str, trusted: pulumi.Output[str], *statements: Statement
    ) -> aws.iam.Role:
        child = self._called(f"{suffix}-role", ROLE_LIMIT)
        role = aws.iam.Role(
            child.logical,
            name=child.name,
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
        self._policies[suffix] = policy
        return role

    def _called(self, suffix: str, limit: int, *, known: str = "") -> Called:
        """A child by its suffix, which was `known` before a rename."""
        was = f"{self._known}-{known or suffix}"
        return called(self, f"{self._name}-{suffix}", was, limit)

    def _after_policy(self, suffix: str) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=[self._policies[suffix]])

    def _may_send_undelivered(self, reason: str) -> Statement:
        return statement(
            "KeepUndelivered", ["sqs:SendMessage"], [self.dead_letters.arn], reason=reason
        )


def _key(data: NewData) -> dict[str, pulumi.Input[str]]:
    if not data.ending:
        return {"prefix": data.prefix}
    return {"wildcard": pulumi.Output.concat(data.prefix, "*", data.ending)}


def _flat(
    arns: Sequence[pulumi.Input[str] | Sequence[pulumi.Input[str]]],
) -> list[pulumi.Input[str]]:
    lists = (each if isinstance(each, list | tuple) else [each] for each in arns)
    return [arn for several in lists for arn in several]  # type: ignore[misc]
