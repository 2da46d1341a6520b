"""What starts the training of a model again: a schedule, new data, or an alarm."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.blueprint.torn import judged, whole
from mlops_iac.blueprint.words import listed
from mlops_iac.clouds.aws.components._cron import schedule_expression
from mlops_iac.clouds.aws.sagemaker.deployer_actions import (
    ALARMS,
    FUNCTIONS,
    OBJECTS,
    QUEUES,
    RULES,
)
from mlops_iac.clouds.aws.sagemaker.events import check_events, new_data
from mlops_iac.clouds.aws.sagemaker.modes.endpoint_checks import SERVICE_LIMITS, monitored
from mlops_iac.clouds.aws.sagemaker.modes.monitoring_calls import COMPUTED
from mlops_iac.clouds.aws.sagemaker.modes.monitoring_calls import variables as monitoring
from mlops_iac.clouds.aws.sagemaker.parts import Deployed, Part, Request, prefixed
from mlops_iac.clouds.aws.sagemaker.scope import (
    Scope,
    call,
    call_name,
    former_names,
    function,
    identifier,
    pipeline_variable,
)
from mlops_iac.clouds.base import ComponentCall, Ref, Setting
from mlops_iac.errors import Diagnostic


def _plan(scope: Scope) -> Iterator[ComponentCall]:
    for model in scope.trained:
        yield from _retraining(scope, model)


def _retraining(scope: Scope, name: str) -> Iterator[ComponentCall]:
    """What starts the training of one model again; nothing where nothing does."""
    model = scope.blueprint.models[name]
    retrain = model.retrain
    if retrain is None:
        return
    path = f"models.{name}.retrain"
    guarded = bool(retrain.new_data or retrain.limits)
    aliases = former_names(scope, name, lambda former: call_name(_retrain_variable(former)))
    yield call(
        _retrain_variable(name),
        "retrain_triggers:RetrainTriggers",
        {
            "pipeline_name": Ref(pipeline_variable(name), "pipeline_name"),
            "pipeline_arn": Ref(pipeline_variable(name), "pipeline_arn"),
            "schedule": (
                Setting(retrain.schedule, f"{path}.schedule") if retrain.schedule else None
            ),
            "timezone": Setting(scope.blueprint.timezone, "timezone"),
            "new_data": [new_data(scope, each) for each in retrain.new_data] or None,
            "alarm_arns": _alarms(scope, name, retrain.limits) or None,
            "cooldown_hours": (
                Setting(retrain.cooldown_hours, f"{path}.cooldown_hours") if guarded else None
            ),
            "handler": function("cooldown") if guarded else None,
            "code_bucket": Ref("data", "artifacts.bucket") if guarded else None,
            "key_arn": scope.data_key if guarded else None,
            "log_key_arn": scope.log_key if guarded else None,
            "topic_arn": scope.topic,
            "permissions_boundary": scope.permissions_boundary,
            "known_as": next(iter(aliases), None),
            "tags": scope.tags,
        },
        path=path,
        depends_on=("data",) if guarded else (),
        aliases=aliases,
    )


def _retrain_variable(model: str) -> str:
    return f"{identifier(model)}_retrain"


def _alarms(scope: Scope, model: str, limits: tuple[str, ...]) -> list[Ref]:
    return [
        Ref(
            f"{identifier(entry)}_monitor" if metric in SERVICE_LIMITS else monitoring(entry)[0],
            f'alarm_arns["{metric}"]',
        )
        for metric in limits
        for entry in monitored(scope, model, metric)
    ]


def _check(scope: Scope) -> Iterator[Diagnostic]:
    for name in scope.trained:
        retrain = scope.blueprint.models[name].retrain
        yield from judged(
            _schedule(scope, name),
            *(_measured(scope, name, metric) for metric in (retrain.limits if retrain else ())),
            check_events(
                scope, f"models.{name}.retrain.new_data", retrain.new_data if retrain else ()
            ),
        )


def _schedule(scope: Scope, name: str) -> Iterator[Diagnostic]:
    retrain = scope.blueprint.models[name].retrain
    if retrain is not None and retrain.schedule is not None:
        try:
            schedule_expression(retrain.schedule)
        except ValueError as error:
            yield scope.wrong(f"models.{name}.retrain.schedule", str(error), "write another cron")


def _measured(scope: Scope, name: str, metric: str) -> Iterator[Diagnostic]:
    path = f"models.{name}.retrain.limits"
    known = (*SERVICE_LIMITS, *COMPUTED)
    if metric not in known:
        yield scope.wrong(
            path,
            f"{metric} is not computed",
            f"{listed(known, 'or')} of a serving entry's monitor, or a schedule",
        )
    elif not monitored(scope, name, metric):
        whole(scope.blueprint.serving)  # one that is not known may monitor it
        yield scope.wrong(
            path,
            f"no entry that serves {name} monitors {metric}",
            f"write `monitor: {{limits: {{{metric}: {{at_most: …}}}}}}` there",
        )


def _requests(scope: Scope) -> Iterator[Request]:
    for name in scope.trained:
        yield from judged(_request(scope, name))


def _request(scope: Scope, name: str) -> Iterator[Request]:
    model, path = scope.blueprint.models[name], f"models.{name}"
    if model.retrain and model.retrain.schedule:
        expression = schedule_expression(model.retrain.schedule)
        yield Request(
            "scheduler.CreateSchedule",
            {
                "ScheduleExpression": Setting(expression, f"{path}.retrain.schedule"),
                "ScheduleExpressionTimezone": Setting(scope.blueprint.timezone, "timezone"),
            },
            f"{path}.retrain",
        )


RETRAINING = Part(
    there=lambda scope: any(scope.blueprint.models[name].retrain for name in scope.trained),
    plan=_plan,
    planned=prefixed(
        "models.*.retrain.",
        "schedule new_data limits cooldown_hours",
    ),
    check=_check,
    requests=_requests,
    tagged=("scheduler.CreateScheduleGroup", "events.PutRule"),
    deployed=Deployed(
        actions={
            "RetrainTriggers": (
                *RULES,
                *FUNCTIONS,
                *prefixed(
                    "scheduler:",
                    "CreateSchedule CreateScheduleGroup DeleteSchedule DeleteScheduleGroup "
                    "GetSchedule GetScheduleGroup ListTagsForResource TagResource UntagResource "
                    "UpdateSchedule",
                ),
                *QUEUES,
                *OBJECTS,
                *ALARMS,
            )
        },
        named={
            "scheduler": (
                "scheduler:${region}:${account}:schedule/${stem}-*",
                "scheduler:${region}:${account}:schedule-group/${stem}-*",
            ),
        },
        passed_to=("lambda", "scheduler"),
    ),
)
