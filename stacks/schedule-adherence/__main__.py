"""schedule-adherence: Does this construction project keep its schedule?

Written by mlops-iac 0.1.0 from blueprint.yaml (sha256:f9978036992b). Change the
blueprint and run `mlops-iac compile`: what is changed here by hand is lost.
"""

from pathlib import Path

import pulumi
from mlops_iac.clouds.aws.components.alerts import Alerts, AlertsArgs
from mlops_iac.clouds.aws.components.budget import Budget, BudgetArgs
from mlops_iac.clouds.aws.components.data_store import DataStore, DataStoreArgs
from mlops_iac.clouds.aws.components.datasets import Datasets, DatasetsArgs
from mlops_iac.clouds.aws.components.identity import Identity, IdentityArgs
from mlops_iac.clouds.aws.components.keys import Keys, KeysArgs
from mlops_iac.clouds.aws.components.monitoring import Bound, Monitoring, MonitoringArgs
from mlops_iac.clouds.aws.components.promotion import Promotion, PromotionArgs
from mlops_iac.clouds.aws.components.real_time_endpoint import (
    Capture,
    RealTimeEndpoint,
    RealTimeEndpointArgs,
    Rollout,
    Scaling,
    Variant,
)
from mlops_iac.clouds.aws.components.registry import Registry, RegistryArgs
from mlops_iac.clouds.aws.components.retrain_triggers import (
    NewData,
    RetrainTriggers,
    RetrainTriggersArgs,
)
from mlops_iac.clouds.aws.components.sealing import Sealing, SealingArgs
from mlops_iac.clouds.aws.components.service_monitor import (
    ServiceMonitor,
    ServiceMonitorArgs,
)
from mlops_iac.clouds.aws.components.training_pipeline import (
    TrainingPipeline,
    TrainingPipelineArgs,
)
from mlops_iac.program.settings import Settings

settings = Settings(Path(__file__).parent)
stack = pulumi.get_stack()
tags = {
    "project": "schedule-adherence",
    "environment": stack,
    "stack": f"schedule-adherence-{stack}",
    "owner": "analytics@acme.example",
    "cost-centre": "4711",
}

keys = Keys(
    "keys",
    KeysArgs(
        customer=True,
        alert_publishers=["cloudwatch", "events", "budgets"],
        log_services=["logs"],
        reader_accounts=settings.items("promotion.reader_accounts"),
        protect=settings.flag("protect"),
        tags=tags,
    ),
)

# alerts
alerts = Alerts(
    "alerts",
    AlertsArgs(
        key_arn=keys.operations_key_arn,
        emails={"oncall": "oncall@acme.example"},
        publishers=["cloudwatch", "events", "budgets"],
        tags=tags,
    ),
)

data = DataStore(
    "data",
    DataStoreArgs(
        key_arn=keys.data_key_arn,
        captures={"api": 30},
        event_bridge=settings.flag("datasets.new_data_events"),
        reader_accounts=settings.items("promotion.reader_accounts"),
        protect=settings.flag("protect"),
        tags=tags,
    ),
)

if settings.flag("training.trained_here"):
    sealing = Sealing(
        "sealing",
        SealingArgs(
            bucket=data.artifacts.bucket,
            bucket_arn=data.artifacts.arn,
            handler=settings.definition("functions/seal.py"),
            key_arn=keys.data_key_arn,
            log_key_arn=keys.operations_key_arn,
            topic_arn=alerts.topic_arn,
            tags=tags,
        ),
        opts=pulumi.ResourceOptions(depends_on=[data]),
    )

# security
identity = Identity(
    "identity",
    IdentityArgs(
        data_bucket_arn=data.data.arn,
        artifacts_bucket_arn=data.artifacts.arn,
        captures_bucket_arn=data.captures.arn,
        key_arn=keys.data_key_arn,
        models=settings.items("training.models"),
        steps=["prepare", "train", "evaluate"],
        jobs=["Processing", "Training"],
        job_tags={"stack": f"schedule-adherence-{stack}"},
        endpoints=["api"],
        captures=["api"],
        images=["141502667606/sagemaker-scikit-learn"],
        rollback_alarms=[f"schedule-adherence-{stack}-api-main-rollback-error-rate"],
        seal_function_arn=(
            sealing.function_arn if settings.flag("training.trained_here") else None
        ),
        private_network=False,
        tags=tags,
    ),
)

if settings.flag("promotion.reads_other_accounts"):
    # promotion
    promotion = Promotion(
        "promotion",
        PromotionArgs(
            role_arn=identity.endpoint_role_arn,
            accounts=["012345678901"],
            stacks=["schedule-adherence-dev"],
            encrypted=True,
        ),
    )

if settings.flag("models.adherence.trained_here"):
    # models.adherence
    adherence_registry = Registry(
        "adherence-registry",
        RegistryArgs(
            model="adherence",
            reader_accounts=settings.items("models.adherence.reader_accounts"),
            protect=False,
            tags=tags,
        ),
    )

    pulumi.export("adherence_model_package_group", adherence_registry.group_name)

if settings.flag("datasets.uploaded_here"):
    # datasets
    datasets = Datasets(
        "datasets",
        DatasetsArgs(
            bucket=data.data.bucket,
            files={
                "schedules": pulumi.FileAsset(
                    "../../examples/schedule-adherence/data/schedule_management.csv",
                ),
            },
            key_arn=keys.data_key_arn,
            tags=tags,
        ),
        opts=pulumi.ResourceOptions(depends_on=[data]),
    )

if settings.flag("models.adherence.trained_here"):
    # models.adherence
    adherence_pipeline = TrainingPipeline(
        "adherence-training",
        TrainingPipelineArgs(
            role_arn=identity.pipeline_role_arn,
            bucket=data.artifacts.bucket,
            key_arn=keys.data_key_arn,
            definition=settings.definition("pipelines/adherence.json"),
            code=pulumi.FileAsset("code/adherence.tar.gz"),
            values={
                "execution_role_arn": identity.execution_role_arn,
                "seal_function_arn": sealing.function_arn,
                "model_package_group_name": adherence_registry.group_name,
                "environment": stack,
                "stack": f"schedule-adherence-{stack}",
                "dataset_uri_schedules": datasets.uris["schedules"],
            },
            told=alerts.told,
            tags=tags,
        ),
        opts=pulumi.ResourceOptions(depends_on=[data, adherence_registry]),
    )

    pulumi.export("adherence_pipeline", adherence_pipeline.pipeline_name)

# serving.api
api = RealTimeEndpoint(
    "api",
    RealTimeEndpointArgs(
        role_arn=identity.endpoint_role_arn,
        variants=[
            Variant(
                name="main",
                model="adherence",
                package_group=(
                    adherence_registry.group_name
                    if settings.flag("models.adherence.trained_here")
                    else "schedule-adherence-dev-adherence"
                ),
                registry_account=settings.optional_text(
                    "models.adherence.registry_account",
                ),
                version=settings.optional_text("models.adherence.version"),
                instance_type="ml.m5.xlarge",
            ),
        ],
        scaling=Scaling(
            min=settings.integer("serving.api.scaling.min"),
            max=settings.integer("serving.api.scaling.max"),
            metric="requests_per_minute",
            value=200,
        ),
        rollout=Rollout(
            strategy=settings.choice(
                "serving.api.rollout.strategy",
                "all-at-once",
                "canary",
                "linear",
                "blue-green",
            ),
            percent=settings.optional_integer("serving.api.rollout.percent"),
            wait_minutes=settings.optional_integer("serving.api.rollout.wait_minutes"),
            error_rate_percent=1,
        ),
        capture=Capture(bucket=data.captures.bucket, prefix="api", percent=100),
        key_arn=keys.data_key_arn,
        keep_replaced=settings.flag("protect"),
        protect=settings.flag("protect"),
        told=alerts.told,
        log_key_arn=keys.operations_key_arn,
        tags=tags,
    ),
    opts=pulumi.ResourceOptions(
        depends_on=[
            *([promotion] if settings.flag("promotion.reads_other_accounts") else []),
        ],
    ),
)

# serving.api.monitor
api_monitor = ServiceMonitor(
    "api-monitor",
    ServiceMonitorArgs(
        endpoint_name=api.endpoint_name,
        variants=["main"],
        latency_p99_ms=300,
        error_rate_percent=1,
        topic_arn=alerts.topic_arn,
        dashboard=settings.definition("dashboards/api.json"),
        tags=tags,
    ),
)

# serving.api.monitor
api_monitoring = Monitoring(
    "api-monitoring",
    MonitoringArgs(
        endpoint_name=api.endpoint_name,
        variants=["main"],
        models=settings.items("serving.api.monitor.models"),
        promoted=settings.items("serving.api.monitor.promoted"),
        captures_bucket=data.captures.bucket,
        captures_bucket_arn=data.captures.arn,
        captures_prefix="api",
        data_bucket=data.data.bucket,
        data_bucket_arn=data.data.arn,
        artifacts_bucket=data.artifacts.bucket,
        artifacts_bucket_arn=data.artifacts.arn,
        handler=settings.definition("functions/monitor.py"),
        limits={"drift_psi": Bound(at_most=0.2)},
        images=["141502667606/sagemaker-scikit-learn"],
        job_tags={"stack": f"schedule-adherence-{stack}"},
        topic_arn=alerts.topic_arn,
        key_arn=keys.data_key_arn,
        log_key_arn=keys.operations_key_arn,
        tags=tags,
    ),
    opts=pulumi.ResourceOptions(depends_on=[data]),
)

if settings.flag("serving.api.monitor.reads_other_accounts"):
    # serving.api.monitor
    api_monitoring_promotion = Promotion(
        "api-monitoring-promotion",
        PromotionArgs(
            role_arn=api_monitoring.function_role_arn,
            accounts=["012345678901"],
            stacks=["schedule-adherence-dev"],
            encrypted=True,
        ),
    )

# serving.api.monitor
api_monitoring_pipeline = TrainingPipeline(
    "api-monitoring-runs",
    TrainingPipelineArgs(
        role_arn=api_monitoring.pipeline_role_arn,
        bucket=data.artifacts.bucket,
        key_arn=keys.data_key_arn,
        definition=settings.definition("pipelines/api-monitoring.json"),
        code=pulumi.FileAsset("code/monitoring.tar.gz"),
        values={
            "execution_role_arn": api_monitoring.job_role_arn,
            "function_arn": api_monitoring.function_arn,
            "environment": stack,
            "stack": f"schedule-adherence-{stack}",
        },
        known_as="api-monitoring",
        told=alerts.told,
        without="its limits were not judged by it",
        tags=tags,
    ),
    opts=pulumi.ResourceOptions(depends_on=[data]),
)

# serving.api.monitor
api_monitoring_starts = RetrainTriggers(
    "api-monitoring-starts",
    RetrainTriggersArgs(
        pipeline_name=api_monitoring_pipeline.pipeline_name,
        pipeline_arn=api_monitoring_pipeline.pipeline_arn,
        starts="monitoring",
        schedule="0 6 * * *",
        timezone="Europe/Amsterdam",
        topic_arn=alerts.topic_arn,
        tags=tags,
    ),
)

if settings.flag("models.adherence.trained_here"):
    # models.adherence.retrain
    adherence_retrain = RetrainTriggers(
        "adherence-retrain",
        RetrainTriggersArgs(
            pipeline_name=adherence_pipeline.pipeline_name,
            pipeline_arn=adherence_pipeline.pipeline_arn,
            schedule="0 3 * * 1",
            timezone="Europe/Amsterdam",
            new_data=[
                NewData(
                    dataset="schedules",
                    bucket=data.data.bucket,
                    prefix=datasets.new_data_prefixes["schedules"],
                ),
            ],
            alarm_arns=[api_monitoring.alarm_arns["drift_psi"]],
            cooldown_hours=24,
            handler=settings.definition("functions/cooldown.py"),
            code_bucket=data.artifacts.bucket,
            key_arn=keys.data_key_arn,
            log_key_arn=keys.operations_key_arn,
            topic_arn=alerts.topic_arn,
            tags=tags,
        ),
        opts=pulumi.ResourceOptions(depends_on=[data]),
    )

# budget
budget = Budget(
    "budget",
    BudgetArgs(
        monthly_usd=settings.integer("budget.monthly_usd"),
        tag_key="stack",
        tag_value=f"schedule-adherence-{stack}",
        alert_percent=[80, 100],
        topic_arn=alerts.topic_arn,
        tags=tags,
    ),
)

pulumi.export("alerts_topic", alerts.topic_arn)
pulumi.export("data_bucket", data.data.bucket)
pulumi.export("artifacts_bucket", data.artifacts.bucket)
pulumi.export("captures_bucket", data.captures.bucket)
pulumi.export("api_endpoint", api.endpoint_name)
pulumi.export("api_pending", api.pending)
pulumi.export("api_dashboard", api_monitor.dashboard_name)
pulumi.export("api_monitoring_pipeline", api_monitoring_pipeline.pipeline_name)
