"""What the whole stack shares: keys, data, identities, alerts, budget."""

from __future__ import annotations

from mlops_iac.clouds.aws.sagemaker import machines
from mlops_iac.clouds.aws.sagemaker.closing import (
    ORIGIN_STACKS,
    ORIGINS,
    audit_key,
    in_network,
    model_uris,
    plan_audit,
    plan_network,
    promotes,
    source_uris,
)
from mlops_iac.clouds.aws.sagemaker.models import (
    function,
    pipeline_steps,
    plan_pipeline,
    plan_registry,
    plan_retraining,
)
from mlops_iac.clouds.aws.sagemaker.scope import SEALING, STACK_TAG, Scope, call
from mlops_iac.clouds.aws.sagemaker.serving import (
    PROMOTION,
    endpoint_alarms,
    plan_serving,
    promoting,
)
from mlops_iac.clouds.base import ComponentCall, Ref, Setting, UserFile
from mlops_iac.pipeline.reading import training_datasets

# Configuration keys of what follows from the blueprint without standing in it (see `guide`).
LOG_SERVICES = "encryption.services"
NEW_DATA_EVENTS = "datasets.new_data_events"
UPLOADS = "datasets.uploaded_here"
TRAINED_MODELS = "training.models"
READERS = "promotion.reader_accounts"
JOBS = "training.jobs"
TRAINS = "training.trained_here"
PROMOTES = "promotion.reads_other_accounts"


def plan(scope: Scope) -> list[ComponentCall]:
    """The calls of one environment, each after what it refers to."""
    calls = [
        _keys(scope),
        *_alerts(scope),
        _data(scope),
        *plan_audit(scope),
        *plan_network(scope),
        *_sealing(scope),
        _identity(scope),
    ]
    calls += [plan_registry(scope, model) for model in scope.trained]
    calls += _datasets(scope)
    calls += [plan_pipeline(scope, model) for model in scope.trained]
    calls += _promotion(scope)
    for name, entry in scope.endpoints.items():
        calls += plan_serving(scope, name, entry)
    for model in scope.trained:
        calls += plan_retraining(scope, model)
    return [*calls, *_budget(scope)]


def _publishers(scope: Scope) -> list[str]:
    return ["cloudwatch", "events", *(["budgets"] if scope.blueprint.budget else [])]


def _keys(scope: Scope) -> ComponentCall:
    blueprint = scope.blueprint
    return call(
        "keys",
        "keys:Keys",
        {
            "customer": blueprint.security.keys == "customer",
            "existing_key_arn": scope.existing("key"),
            "alert_publishers": _publishers(scope) if blueprint.alerts else None,
            "log_services": _log_services(scope),
            "reader_accounts": _readers(scope),
            "protect": scope.protect,
            "tags": scope.tags,
        },
        path="",
    )


def _log_services(scope: Scope) -> Setting | None:
    """Services that write under the key; not said where none does in any environment."""
    if not any(_using_key(Scope(each)) for each in scope.resolved.siblings.values()):
        return None
    return Setting(_using_key(scope), LOG_SERVICES)


def _using_key(scope: Scope) -> list[str]:
    audits = scope.owns_key and scope.blueprint.security.audit_log
    return [*(["logs"] if scope.encrypts_logs else []), *(["cloudtrail"] if audits else [])]


def _readers(scope: Scope) -> Setting | None:
    return Setting(scope.all_readers, READERS) if promotes(scope) else None


def uploads(scope: Scope) -> dict[str, UserFile]:
    """Datasets that are uploaded from beside the blueprint: those that a training here reads."""
    return {
        name: UserFile(str(scope.resolved.file(section.source)))
        for model in scope.trained
        for name, section in training_datasets(scope.resolved, model)
        if section.is_local and section.source is not None
    }


def _datasets(scope: Scope) -> list[ComponentCall]:
    found = uploads(scope)
    if not found:
        return []
    return [
        call(
            "datasets",
            "datasets:Datasets",
            {
                "bucket": Ref("data", "data.bucket"),
                "files": found,
                "known_as": _former_datasets(scope) or None,
                "key_arn": Ref("keys", "data_key_arn") if scope.customer_key else None,
                "tags": scope.tags,
            },
            path="datasets",
            depends_on=("data",),
            flag=UPLOADS,
        )
    ]


def _former_datasets(scope: Scope) -> dict[str, str]:
    """Former names of datasets, the same in all environments, whatever each of them uploads."""
    return {
        new.removeprefix("datasets."): former.removeprefix("datasets.")
        for new, former in scope.blueprint.moved.items()
        if new.startswith("datasets.")
    }


def _listens(scope: Scope) -> bool:
    """Whether a training here waits for new files in the stack's own bucket."""
    models = (scope.blueprint.models[name] for name in scope.trained)
    return any(
        scope.blueprint.datasets[name].is_local
        for model in models
        for name in (model.retrain.new_data if model.retrain else ())
    )


def _data(scope: Scope) -> ComponentCall:
    captures = {
        scope.known_as("serving", name): Setting(
            entry.capture.retention_days, f"serving.{name}.capture.retention_days"
        )
        for name, entry in scope.endpoints.items()
        if entry.capture is not None
    }
    exports = {"data_bucket": "data.bucket", "artifacts_bucket": "artifacts.bucket"}
    if captures:
        exports["captures_bucket"] = "captures.bucket"
    return call(
        "data",
        "data_store:DataStore",
        {
            "key_arn": Ref("keys", "data_key_arn") if scope.customer_key else None,
            "captures": captures or None,
            "event_bridge": Setting(_listens(scope), NEW_DATA_EVENTS),
            "audit": scope.audit_log,
            "audit_key_arn": audit_key(scope),
            "reader_accounts": _readers(scope),
            "protect": scope.protect,
            "tags": scope.tags,
        },
        path="",
        exports=exports,
    )


def _sealing(scope: Scope) -> list[ComponentCall]:
    if not scope.trained:
        return []
    return [
        call(
            SEALING,
            "sealing:Sealing",
            {
                "bucket": Ref("data", "artifacts.bucket"),
                "bucket_arn": Ref("data", "artifacts.arn"),
                "handler": function("seal"),
                "key_arn": Ref("keys", "data_key_arn") if scope.customer_key else None,
                "log_key_arn": scope.log_key,
                "role_arn": scope.existing_role("seal"),
                "pipeline_role_arn": scope.existing_role("pipeline"),
                "topic_arn": scope.topic,
                "permissions_boundary": scope.permissions_boundary,
                "tags": scope.tags,
            },
            path="",
            depends_on=("data",),
            flag=TRAINS,
        )
    ]


def _identity(scope: Scope) -> ComponentCall:
    captures = [
        scope.known_as("serving", name)
        for name, entry in scope.endpoints.items()
        if entry.capture is not None
    ]
    return call(
        "identity",
        "identity:Identity",
        {
            "data_bucket_arn": Ref("data", "data.arn"),
            "artifacts_bucket_arn": Ref("data", "artifacts.arn"),
            "captures_bucket_arn": Ref("data", "captures.arn") if captures else None,
            "key_arn": Ref("keys", "data_key_arn") if scope.customer_key else None,
            "models": Setting(
                [scope.known_as("models", name) for name in scope.trained], TRAINED_MODELS
            ),
            "steps": scope.steps,
            "jobs": _jobs(scope),
            "job_tags": {STACK_TAG: scope.tags[STACK_TAG]},
            "endpoints": [scope.known_as("serving", name) for name in scope.endpoints] or None,
            "captures": captures or None,
            "images": Setting(machines.repositories(scope), "images"),
            "source_uris": source_uris(scope) or None,
            "model_uris": model_uris(scope) or None,
            "rollback_alarms": rollback_alarms(scope) or None,
            "seal_function_arn": Ref(SEALING, "function_arn") if scope.trained else None,
            "existing_roles": existing_roles(scope) or None,
            "private_network": in_network(scope),
            "subnets": scope.placed("subnets"),
            "security_groups": scope.placed("security_groups"),
            "permissions_boundary": scope.permissions_boundary,
            "tags": scope.tags,
        },
        path="security",
    )


def _jobs(scope: Scope) -> Setting | None:
    """What pipelines start, of whatever any environment trains; nothing where none does."""
    models = [name for name, model in scope.blueprint.models.items() if model.train is not None]
    steps = [step for name in models for step in pipeline_steps(scope, name)]
    kinds = {step["Type"] for step in steps} & {"Processing", "Training", "Tuning"}
    return Setting(sorted(kinds), JOBS) if kinds else None


def _promotion(scope: Scope) -> list[ComponentCall]:
    accounts, stacks = promoting(scope)
    if not accounts:
        return []
    homes = [scope.resolved.siblings[scope.home(name).environment] for name in scope.promoted]
    return [
        call(
            PROMOTION,
            "promotion:Promotion",
            {
                "role_arn": Ref("identity", "endpoint_role_arn"),
                "accounts": Setting(accounts, ORIGINS),
                "stacks": Setting(stacks, ORIGIN_STACKS),
                "encrypted": any(Scope(home).customer_key for home in homes),
            },
            path="promotion",
            flag=PROMOTES,
        )
    ]


def rollback_alarms(scope: Scope) -> list[str]:
    """The literal names of the alarms that `RealTimeEndpoint` makes for its rollouts."""
    return [
        alarm
        for name, entry in scope.endpoints.items()
        for alarm in endpoint_alarms(scope, name, entry)
    ]


def existing_roles(scope: Scope) -> dict[str, Setting]:
    """Roles that are used as they are, by plane or step."""
    found = {plane: scope.existing_role(plane) for plane in (*scope.steps, "pipeline", "serve")}
    return {plane: arn for plane, arn in found.items() if arn is not None}


def _alerts(scope: Scope) -> list[ComponentCall]:
    alerts = scope.blueprint.alerts
    if not alerts:
        return []
    return [
        call(
            "alerts",
            "alerts:Alerts",
            {
                "key_arn": Ref("keys", "operations_key_arn"),
                "emails": {
                    name: Setting(alert.email, f"alerts.{name}.email")
                    for name, alert in alerts.items()
                },
                "publishers": _publishers(scope),
                "tags": scope.tags,
            },
            path="alerts",
            exports={"alerts_topic": "topic_arn"},
        )
    ]


def _budget(scope: Scope) -> list[ComponentCall]:
    budget = scope.blueprint.budget
    if budget is None:
        return []
    return [
        call(
            "budget",
            "budget:Budget",
            {
                "monthly_usd": Setting(budget.monthly_usd, "budget.monthly_usd"),
                "tag_key": STACK_TAG,
                "tag_value": scope.tags[STACK_TAG],
                "alert_percent": Setting(list(budget.alert_percent), "budget.alert_percent"),
                "topic_arn": Ref("alerts", "topic_arn"),
                "tags": scope.tags,
            },
            path="budget",
        )
    ]
