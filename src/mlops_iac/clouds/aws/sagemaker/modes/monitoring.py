"""Monitoring: what endpoints are asked and answer, held to what their versions were made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlops_iac.blueprint.cron import parse_cron
from mlops_iac.blueprint.sections.serving import RealTime
from mlops_iac.blueprint.sections.values import FAIRNESS_METRICS
from mlops_iac.blueprint.torn import Unknown, judged
from mlops_iac.blueprint.words import listed
from mlops_iac.clouds.aws.components._cron import schedule_expression
from mlops_iac.clouds.aws.sagemaker.deployer_actions import ALARMS, FUNCTIONS, OBJECTS
from mlops_iac.clouds.aws.sagemaker.modes.endpoint_checks import SERVICE_LIMITS
from mlops_iac.clouds.aws.sagemaker.modes.monitoring_calls import (
    COMPUTED,
    DRIFT,
    MODELS,
    ORIGINS,
    PROMOTED,
    PROMOTES,
    STACKS,
    computes,
    monitoring_job,
    plan_monitoring,
    variables,
    watched,
    watched_variants,
)
from mlops_iac.clouds.aws.sagemaker.parts import TAG_PLACES, Deployed, Part, Request
from mlops_iac.clouds.aws.sagemaker.scope import Scope
from mlops_iac.clouds.base import ComponentCall, Setting
from mlops_iac.errors import Diagnostic, UsageError
from mlops_iac.pipeline.reading import training_datasets
from mlops_iac.runtime.rows import SUFFIXES


def _plan(scope: Scope) -> Iterator[ComponentCall]:
    for name, entry in watched(scope).items():
        yield from plan_monitoring(scope, name, entry)


def _check(scope: Scope) -> Iterator[Diagnostic]:
    entries = scope.entries(RealTime).items()
    return judged(
        *(_limits(scope, name, entry) for name, entry in entries),
        *(_schedule(scope, name, entry) for name, entry in entries),
        *(_watched(scope, name, entry) for name, entry in entries),
        *(_outcomes(scope, name, entry) for name, entry in entries),
        *(_within(scope, name, entry) for name, entry in entries),
        _sensitive(scope),
    )


def _limits(scope: Scope, name: str, entry: RealTime) -> Iterator[Diagnostic]:
    for metric, limit in (entry.monitor.limits if entry.monitor else {}).items():
        at = f"serving.{name}.monitor.limits.{metric}"
        if metric not in (*SERVICE_LIMITS, *COMPUTED):
            known = listed((*SERVICE_LIMITS, *COMPUTED), "or")
            yield scope.wrong(at, f"{metric} is not computed", f"limit {known}", at_key=True)
        elif metric in (*SERVICE_LIMITS, DRIFT) and limit.at_least is not None:
            at += ".at_least"
            yield scope.wrong(at, "of what is measured only more is worse", "write `at_most`")


def _schedule(scope: Scope, name: str, entry: RealTime) -> Iterator[Diagnostic]:
    at, monitor = f"serving.{name}.monitor.schedule", entry.monitor
    if monitor is None:
        return
    # A default that is written changes nothing.
    if not (computes(monitor) or scope.resolved.is_default(at)):
        yield scope.wrong(
            at,
            "nothing is computed: the service itself measures what has a limit, all the time",
            f"limit {DRIFT} or a metric of the model, or leave it out",
        )
    try:
        schedule_expression(monitor.schedule)
    except ValueError as error:
        yield scope.wrong(at, str(error), "write another cron")


def _watched(scope: Scope, name: str, entry: RealTime) -> Iterator[Diagnostic]:
    at, monitor = f"serving.{name}.monitor", entry.monitor
    if monitor is None or not computes(monitor):
        return
    served = watched_variants(scope, entry)
    if not served:
        yield scope.wrong(
            at,
            "no version that it serves is trained by this blueprint, so that none keeps the rows that"
            " calls are compared with",
            f"limit {listed(SERVICE_LIMITS, 'or')}",
            at_key=True,
        )
    for model in served.values():
        if DRIFT in monitor.limits and not any(
            section.format in SUFFIXES for _, section in training_datasets(scope.resolved, model)
        ):
            yield scope.wrong(
                f"{at}.limits.{DRIFT}",
                f"no dataset of {model} has rows that calls could be compared with",
                f"its formats are none of {listed(tuple(SUFFIXES), 'or')}",
                at_key=True,
            )


def _outcomes(scope: Scope, name: str, entry: RealTime) -> Iterator[Diagnostic]:
    outcomes = entry.monitor.outcomes if entry.monitor else None
    if outcomes is None:
        return
    section = scope.blueprint.datasets[outcomes.dataset or ""]
    at = f"serving.{name}.monitor.outcomes.dataset"
    if section.target is None:
        yield scope.wrong(
            at, f"'{outcomes.dataset}' does not say which column is the truth", "set its `target`"
        )
    if section.format not in SUFFIXES:
        yield scope.wrong(
            at,
            f"'{outcomes.dataset}' is {section.format}; outcomes are rows",
            f"`format: {listed(tuple(SUFFIXES), 'or')}`",
        )


def _within(scope: Scope, name: str, entry: RealTime) -> Iterator[Diagnostic]:
    """How much is read again and again of calls that wait for their outcome."""
    outcomes = entry.monitor.outcomes if entry.monitor else None
    if entry.monitor is None or entry.capture is None or outcomes is None:
        return
    at, kept = f"serving.{name}.monitor.outcomes.within_days", entry.capture.retention_days
    if outcomes.within_days > kept and not scope.resolved.is_default(at):
        yield scope.wrong(
            at,
            f"calls are deleted after {kept} days",
            f"write {kept} or less, or raise serving.{name}.capture.retention_days",
        )
    when = parse_cron(entry.monitor.schedule)
    if (runs := len(when.hours) * len(when.minutes)) > 1:
        yield scope.wrong(
            f"serving.{name}.monitor.schedule",
            f"it runs {runs} times a day, and each run reads the calls of"
            f" {min(kept, outcomes.within_days)} days again, which wait for their outcome",
            "once a day is enough, as is left out; or lower `outcomes.within_days`",
            code="often-read",
            severity="warning",
        )


def _sensitive(scope: Scope) -> Iterator[Diagnostic]:
    """Columns over which nothing measures anything."""
    limited = any(
        metric in FAIRNESS_METRICS
        for entry in scope.entries(RealTime).values()
        if entry.monitor
        for metric in entry.monitor.limits
    )
    for name, section in scope.blueprint.datasets.items():
        if section.sensitive and not limited:
            yield scope.wrong(
                f"datasets.{name}.sensitive",
                "no entry limits bias, so that none is measured",
                f"limit {FAIRNESS_METRICS[0]} in the monitor of a serving entry, or report it in"
                " evaluate.py",
            )


def _requests(scope: Scope) -> Iterator[Request]:
    for name, entry in watched(scope).items():
        yield from judged(_request(scope, name, entry))


def _request(scope: Scope, name: str, entry: RealTime) -> Iterator[Request]:
    path = f"serving.{name}.monitor"
    assert entry.monitor is not None
    expression = Setting(schedule_expression(entry.monitor.schedule), f"{path}.schedule")
    zone = Setting(scope.blueprint.timezone, "timezone")
    schedule = {"ScheduleExpression": expression, "ScheduleExpressionTimezone": zone}
    yield Request("scheduler.CreateSchedule", schedule, path)
    try:
        job = monitoring_job(scope, name, entry)
    except (UsageError, StopIteration):  # no image or no version, which is told of the entry
        raise Unknown from None
    places = {
        "Environment": (f"{path}.limits",),
        "SecurityGroupIds": ("existing.security_groups",),
        "Subnets": ("existing.subnets",),
        "Tags": TAG_PLACES,
    }
    yield Request("sagemaker.CreateProcessingJob", job, path, places)


def _names(scope: Scope) -> Iterator[tuple[str, str]]:
    for name in watched(scope):
        yield from ((variable, f"serving.{name}") for variable in variables(name))


def _guide(_: Sequence[Scope]) -> list[str]:
    return [
        "## Monitoring",
        "",
        (
            "Each run leaves `monitor.html` and `monitor.json` below"
            " `pipelines/<entry>-monitoring/<run>/report/` of the bucket of artifacts; metrics are in the"
            " namespace `MlopsIac/Monitoring`. An alarm keeps its state where there is no data. Versions"
            " that were trained before there was a monitoring keep no rows to compare with: drift is"
            " measured from the next one on."
        ),
    ]


MONITORING = Part(
    there=watched,
    plan=_plan,
    check=_check,
    names=_names,
    requests=_requests,
    tagged=(
        "s3.PutObjectTagging",
        "lambda.CreateFunction",
        "logs.CreateLogGroup",
        "sagemaker.CreatePipeline",
        "scheduler.CreateScheduleGroup",
        "cloudwatch.PutMetricAlarm",
    ),
    deployed=Deployed(
        actions={"Monitoring": (*FUNCTIONS, *OBJECTS, *ALARMS)},
        passed_to=("lambda", "sagemaker", "scheduler"),
    ),
    settings={
        "serving.*.monitor.images": "the images that jobs of the monitoring of {name} pull",
        f"serving.*.monitor.{MODELS}": "the models trained here whose versions {name} serves",
        f"serving.*.monitor.{PROMOTED}": "account and registry of the others that {name} serves",
        f"serving.*.monitor.{PROMOTES}": "whether the monitoring of {name} reads what another account"
        " trained",
        f"serving.*.monitor.{ORIGINS}": "the accounts that did so",
        f"serving.*.monitor.{STACKS}": "what the names of their stacks begin with",
    },
    guide=_guide,
)
