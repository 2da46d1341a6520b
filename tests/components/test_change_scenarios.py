"""One edit of a blueprint each: what it does to which resource, which line did it, what it risks.

Replacements are decided by the facts of the real provider (`emulators/aws/facts`), and by itself in
`tests/oracles/test_scenarios_by_the_provider.py`, where it is present. Every step is listed: one too many
fails as well as one too few.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.api import Project, load
from mlops_iac.api.compare.counterfactuals import Variants
from mlops_iac.api.compare.reviews import cause_of
from mlops_iac.api.compile.programs import captured
from mlops_iac.api.core.one_environment import OneEnvironment
from mlops_iac.clouds.registry import replaces
from mlops_iac.errors import BlueprintInvalid
from mlops_iac.graph.canonical import CanonicalGraph, canonical
from mlops_iac.graph.diff import diff
from mlops_iac.graph.plan import Step
from mlops_iac.review.causes import attribute
from mlops_iac.review.model import ReviewedStep
from mlops_iac.review.semantics import reviewed
from tests.sagemaker_blueprints import write

BASE = """\
blueprint: 1
name: churn
owner: ml@acme.example
tags: {cost-centre: 4711}
platform: sagemaker
region: eu-west-1
timezone: Europe/Amsterdam
datasets:
  customers: {source: data/customers.csv, format: csv, target: churned, time: seen_at}
  history: {source: "s3://acme-history/churn/", format: parquet}
models:
  churn:
    code: workload/
    runtime: {framework: scikit-learn, version: 1.9}
    datasets: [customers]
    metrics: {accuracy: maximize}
    train:
      script: train.py
      compute: {size: medium, spot: true}
      timeout_minutes: 60
      hyperparameters: {folds: 5}
    evaluate:
      script: evaluate.py
      gates: {accuracy: {at_least: 0.75}}
    registry: {approval: manual}
    retrain: {schedule: "0 3 * * 1", cooldown_hours: 24}
serving:
  api:
    mode: real-time
    model: churn
    compute: {instance: ml.m5.xlarge}
    scaling: {min: 2, max: 8, target: {requests_per_minute: 200}}
    rollout: {strategy: canary, percent: 50, wait_minutes: 10, limits: {error_rate_percent: {at_most: 1}}}
    capture: {percent: 100, retention_days: 30}
    monitor: {limits: {latency_p99_ms: {at_most: 300}, error_rate_percent: {at_most: 1}}}
security: {keys: customer}
alerts: {oncall: {email: oncall@acme.example}}
budget: {monthly_usd: 300, alert_percent: [80, 100]}
environments:
  prod: {account: 210987654321}
"""


class Old:
    """What a git ref would hold, made of a text."""

    def __init__(self, project: Project, named: dict[str, str]) -> None:
        self.loaded = project.loaded
        self.root = project.root
        self.named = named


class World:
    """The base blueprint, loaded and captured once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / ".git").mkdir()  # one repository, in which files of one stand in for another's
        (folder / "old").mkdir()
        self.project = load(write(folder / "old", BASE))
        self.graph = self.capture(self.project)
        self.runs = 0

    def capture(self, project: Project) -> CanonicalGraph:
        alone = OneEnvironment(project, project.loaded, project.resolve("prod"))
        return captured(alone, "prod", self.folder / "program")

    def review(self, text: str, script: str = "") -> list[ReviewedStep]:
        self.runs += 1
        folder = self.folder / f"new{self.runs}"
        folder.mkdir()
        head = load(write(folder, text))
        (folder / "workload" / "train.py").write_text(script)
        old: Any = Old(self.project, {"workload": "models.churn.code"})
        variants = Variants(head, old, "prod", self.folder / "variants")
        steps: list[Step] = diff(self.graph, self.capture(head), replaces)
        found = attribute(self.graph, steps, variants.edits, variants, replaces)
        assert found.notes == []
        causes = {urn: [cause_of(edit) for edit in edits] for urn, edits in found.causes.items()}
        return [each for each in reviewed(steps, causes) if each.step.op != "same"]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("scenarios"))


@dataclass(frozen=True)
class Scenario:
    """`old` becomes `new` in BASE. `steps` are those that are not tags alone, in order.

    `causes` are the blueprint paths that any step names; `risks` kinds and addresses.
    """

    name: str
    old: str
    new: str
    steps: tuple[str, ...]
    causes: tuple[str, ...]
    risks: tuple[str, ...] = ()
    tags_only: int = 0


SCENARIOS = (
    Scenario(
        "a larger instance",
        "ml.m5.xlarge",
        "ml.m5.2xlarge",
        (
            "replace sagemaker.EndpointConfiguration/api-configuration",
            "update sagemaker.Endpoint/api-endpoint",
            "update sagemaker.Pipeline/churn-training-pipeline",
        ),
        ("serving.api.compute.instance",),
        risks=(
            "cost sagemaker.EndpointConfiguration/api-configuration",
            "cost sagemaker.Pipeline/churn-training-pipeline",
            "refused sagemaker.Endpoint/api-endpoint",
        ),
    ),
    Scenario(
        "a smaller instance",
        "ml.m5.xlarge",
        "ml.m5.large",
        (
            "replace sagemaker.EndpointConfiguration/api-configuration",
            "update sagemaker.Endpoint/api-endpoint",
            "update sagemaker.Pipeline/churn-training-pipeline",
        ),
        ("serving.api.compute.instance",),
        risks=("refused sagemaker.Endpoint/api-endpoint",),
    ),
    Scenario(
        "a size instead of an instance",
        "compute: {instance: ml.m5.xlarge}",
        "compute: {size: large}",
        (
            "replace sagemaker.EndpointConfiguration/api-configuration",
            "update sagemaker.Endpoint/api-endpoint",
            "update sagemaker.Pipeline/churn-training-pipeline",
        ),
        ("serving.api.compute.instance", "serving.api.compute.size"),
        risks=(
            "cost sagemaker.EndpointConfiguration/api-configuration",
            "cost sagemaker.Pipeline/churn-training-pipeline",
            "refused sagemaker.Endpoint/api-endpoint",
        ),
    ),
    Scenario(
        "a higher upper bound",
        "max: 8",
        "max: 12",
        ("update appautoscaling.Target/api-main-scaling",),
        ("serving.api.scaling.max",),
        risks=("cost appautoscaling.Target/api-main-scaling",),
    ),
    Scenario(
        "a lower lower bound",
        "min: 2, max",
        "min: 1, max",
        (
            "replace sagemaker.EndpointConfiguration/api-configuration",
            "update sagemaker.Endpoint/api-endpoint",
            "update appautoscaling.Target/api-main-scaling",
        ),
        ("serving.api.scaling.min",),
        risks=("protection-removed sagemaker.Endpoint/api-endpoint",),
    ),
    Scenario(
        "another target",
        "requests_per_minute: 200",
        "requests_per_minute: 400",
        ("update appautoscaling.Policy/api-main-requests-per-minute",),
        ("serving.api.scaling.target.requests_per_minute",),
    ),
    Scenario(
        "no scaling",
        "    scaling: {min: 2, max: 8, target: {requests_per_minute: 200}}\n",
        "",
        (
            "replace sagemaker.EndpointConfiguration/api-configuration",
            "update sagemaker.Endpoint/api-endpoint",
            "delete appautoscaling.Policy/api-main-requests-per-minute",
            "delete appautoscaling.Target/api-main-scaling",
        ),
        ("serving.api.scaling",),
        risks=("protection-removed sagemaker.Endpoint/api-endpoint",),
    ),
    Scenario(
        "another canary share",
        "percent: 50, wait",
        "percent: 25, wait",
        ("update sagemaker.Endpoint/api-endpoint",),
        ("serving.api.rollout.percent",),
    ),
    Scenario(
        "all at once",
        "{strategy: canary, percent: 50, wait_minutes: 10, limits",
        "{strategy: all-at-once, limits",
        ("update sagemaker.Endpoint/api-endpoint",),
        (
            "serving.api.rollout.percent",
            "serving.api.rollout.strategy",
            "serving.api.rollout.wait_minutes",
        ),
        risks=("protection-removed sagemaker.Endpoint/api-endpoint",),
    ),
    Scenario(
        "a looser rollback limit",
        "limits: {error_rate_percent: {at_most: 1}}}\n    capture",
        "limits: {error_rate_percent: {at_most: 5}}}\n    capture",
        ("update cloudwatch.MetricAlarm/api-main-rollback-error-rate",),
        ("serving.api.rollout.limits.error_rate_percent.at_most",),
    ),
    Scenario(
        "no rollout",
        "    rollout: {strategy: canary, percent: 50, wait_minutes: 10, limits: {error_rate_percent: {at_most: 1}}}\n",
        "",
        (
            "update cloudwatch.MetricAlarm/api-main-rollback-error-rate",
            "update sagemaker.Endpoint/api-endpoint",
        ),
        ("serving.api.rollout",),
        risks=("protection-removed sagemaker.Endpoint/api-endpoint",),
    ),
    Scenario(
        "less captured",
        "percent: 100, ret",
        "percent: 10, ret",
        (
            "replace sagemaker.EndpointConfiguration/api-configuration",
            "update sagemaker.Endpoint/api-endpoint",
        ),
        ("serving.api.capture.percent",),
    ),
    Scenario(
        "kept for less time",
        "retention_days: 30",
        "retention_days: 7",
        ("update s3.BucketLifecycleConfiguration/data-captures-lifecycle",),
        ("serving.api.capture.retention_days",),
        risks=("data-loss s3.BucketLifecycleConfiguration/data-captures-lifecycle",),
    ),
    Scenario(
        "no capture",
        "    capture: {percent: 100, retention_days: 30}\n",
        "",
        (
            "update s3.BucketPolicy/data-logs-policy",
            "update iam.RolePolicy/identity-endpoint-policy",
            "replace sagemaker.EndpointConfiguration/api-configuration",
            "update sagemaker.Endpoint/api-endpoint",
            "delete s3.BucketServerSideEncryptionConfiguration/data-captures-encryption",
            "delete s3.BucketLogging/data-captures-logging",
            "delete s3.BucketLifecycleConfiguration/data-captures-lifecycle",
            "delete s3.BucketVersioning/data-captures-versioning",
            "delete s3.BucketPolicy/data-captures-policy",
            "delete s3.BucketPublicAccessBlock/data-captures-access",
            "delete s3.BucketOwnershipControls/data-captures-ownership",
            "delete s3.Bucket/data-captures",
        ),
        ("serving.api.capture",),
        risks=("data-loss s3.Bucket/data-captures",),
    ),
    Scenario(
        "a looser latency limit",
        "latency_p99_ms: {at_most: 300}",
        "latency_p99_ms: {at_most: 900}",
        ("update cloudwatch.MetricAlarm/api-monitor-main-latency",),
        ("serving.api.monitor.limits.latency_p99_ms.at_most",),
    ),
    Scenario(
        "one alarm less",
        "latency_p99_ms: {at_most: 300}, ",
        "",
        ("delete cloudwatch.MetricAlarm/api-monitor-main-latency",),
        ("serving.api.monitor.limits.latency_p99_ms",),
        risks=("protection-removed cloudwatch.MetricAlarm/api-monitor-main-latency",),
    ),
    Scenario(
        "drift is watched, too",
        "error_rate_percent: {at_most: 1}}}\nsecurity",
        "error_rate_percent: {at_most: 1}, drift_psi: {at_most: 0.2}}}\nsecurity",
        (
            "create cloudwatch.LogGroup/api-monitoring-log",
            "create cloudwatch.MetricAlarm/api-monitoring-main-drift-psi",
            "create iam.Role/api-monitoring-function-role",
            "create iam.Role/api-monitoring-jobs-role",
            "create iam.Role/api-monitoring-pipeline-role",
            "create iam.RolePolicy/api-monitoring-function-policy",
            "create iam.RolePolicy/api-monitoring-jobs-policy",
            "create s3.BucketObjectv2/api-monitoring-function-code",
            "create lambda.Function/api-monitoring-function",
            "create cloudwatch.MetricAlarm/api-monitoring-failing",
            "create iam.RolePolicy/api-monitoring-pipeline-policy",
            "create scheduler.ScheduleGroup/api-monitoring-starts-schedules",
            "create iam.Role/api-monitoring-starts-scheduler-role",
            "create sqs.Queue/api-monitoring-starts-undelivered",
            "create cloudwatch.MetricAlarm/api-monitoring-starts-undelivered-alarm",
            "create sqs.QueuePolicy/api-monitoring-starts-undelivered-policy",
            "create s3.BucketObjectv2/api-monitoring-runs-code",
            "create sagemaker.Pipeline/api-monitoring-runs-pipeline",
            "create iam.RolePolicy/api-monitoring-starts-scheduler-policy",
            "create scheduler.Schedule/api-monitoring-starts-schedule",
            "create cloudwatch.EventRule/api-monitoring-runs-runs",
            "create cloudwatch.EventTarget/api-monitoring-runs-runs-target",
        ),
        ("serving.api.monitor.limits.drift_psi",),
    ),
    Scenario(
        "no monitor",
        "    monitor: {limits: {latency_p99_ms: {at_most: 300}, error_rate_percent: {at_most: 1}}}\n",
        "",
        (
            "delete cloudwatch.MetricAlarm/api-monitor-main-latency",
            "delete cloudwatch.MetricAlarm/api-monitor-main-errors",
            "delete cloudwatch.Dashboard/api-monitor-dashboard",
        ),
        ("serving.api.monitor",),
        risks=(
            "protection-removed cloudwatch.MetricAlarm/api-monitor-main-errors",
            "protection-removed cloudwatch.MetricAlarm/api-monitor-main-latency",
        ),
    ),
    Scenario(
        "another container variable",
        "    capture: {",
        "    env: {LOG_LEVEL: debug}\n    capture: {",
        (
            "replace sagemaker.Model/api-main-model",
            "replace sagemaker.EndpointConfiguration/api-configuration",
            "update sagemaker.Endpoint/api-endpoint",
            "update sagemaker.Pipeline/churn-training-pipeline",
        ),
        ("serving.api.env",),
    ),
    Scenario(
        "the provider's keys",
        "security: {keys: customer}",
        "security: {keys: provider}",
        (
            "update s3.BucketServerSideEncryptionConfiguration/data-artifacts-encryption",
            "update s3.BucketServerSideEncryptionConfiguration/data-captures-encryption",
            "update s3.BucketServerSideEncryptionConfiguration/data-data-encryption",
            "update s3.BucketObjectv2/datasets-customers",
            "update iam.RolePolicy/identity-endpoint-policy",
            "update iam.RolePolicy/identity-execution-policy",
            "update kms.Key/keys-operations",
            "update cloudwatch.LogGroup/api-log",
            "replace sagemaker.EndpointConfiguration/api-configuration",
            "update sagemaker.Endpoint/api-endpoint",
            "update cloudwatch.LogGroup/sealing-log",
            "update iam.RolePolicy/sealing-policy",
            "update s3.BucketObjectv2/sealing-code",
            "update iam.RolePolicy/identity-pipeline-policy",
            "update s3.BucketObjectv2/churn-training-code",
            "update sagemaker.Pipeline/churn-training-pipeline",
            "delete kms.Alias/keys-data-alias",
            "delete kms.Key/keys-data",
        ),
        ("security.keys",),
        risks=(
            "data-loss kms.Key/keys-data",
            "protection-removed cloudwatch.LogGroup/api-log",
            "protection-removed cloudwatch.LogGroup/sealing-log",
            "protection-removed s3.BucketObjectv2/churn-training-code",
            "protection-removed s3.BucketObjectv2/datasets-customers",
            "protection-removed s3.BucketObjectv2/sealing-code",
            "protection-removed s3.BucketServerSideEncryptionConfiguration/data-artifacts-encryption",
            "protection-removed s3.BucketServerSideEncryptionConfiguration/data-captures-encryption",
            "protection-removed s3.BucketServerSideEncryptionConfiguration/data-data-encryption",
            "protection-removed sagemaker.EndpointConfiguration/api-configuration",
        ),
    ),
    Scenario(
        "another address",
        "oncall@acme",
        "night@acme",
        ("replace sns.TopicSubscription/alerts-oncall",),
        ("alerts.oncall.email",),
    ),
    Scenario(
        "one address more",
        "{oncall: {email: oncall@acme.example}}",
        "{oncall: {email: oncall@acme.example}, lead: {email: lead@acme.example}}",
        ("create sns.TopicSubscription/alerts-lead",),
        ("alerts.lead",),
    ),
    Scenario(
        "runs kept in MLflow",
        "security: {keys: customer}",
        "tracking: mlflow\nsecurity: {keys: customer}",
        (
            "create iam.Role/tracking-role",
            "create iam.RolePolicy/tracking-policy",
            "create sagemaker.MlflowTrackingServer/tracking-server",
            "update iam.RolePolicy/identity-execution-policy",
            "update sagemaker.Pipeline/churn-training-pipeline",
        ),
        ("tracking",),
        risks=(
            "cost sagemaker.MlflowTrackingServer/tracking-server",
            "wider-permission iam.RolePolicy/identity-execution-policy",
        ),
    ),
    Scenario(
        "a higher budget",
        "monthly_usd: 300",
        "monthly_usd: 900",
        ("update budgets.Budget/budget-monthly",),
        ("budget.monthly_usd",),
        risks=("cost budgets.Budget/budget-monthly",),
    ),
    Scenario(
        "no budget",
        "budget: {monthly_usd: 300, alert_percent: [80, 100]}\n",
        "",
        (
            "update kms.Key/keys-operations",
            "update sns.TopicPolicy/alerts-topic-policy",
            "delete budgets.Budget/budget-monthly",
        ),
        ("budget",),
        risks=("protection-removed budgets.Budget/budget-monthly",),
    ),
    Scenario(
        "nobody told any more",
        "alerts: {oncall: {email: oncall@acme.example}}\nbudget: {monthly_usd: 300, alert_percent: [80, 100]}\n",
        "",
        (
            "update kms.Key/keys-operations",
            "update cloudwatch.MetricAlarm/api-main-rollback-error-rate",
            "update cloudwatch.MetricAlarm/api-monitor-main-errors",
            "update cloudwatch.MetricAlarm/api-monitor-main-latency",
            "delete cloudwatch.EventTarget/churn-training-runs-target",
            "delete cloudwatch.EventRule/churn-training-runs",
            "delete cloudwatch.MetricAlarm/sealing-failing",
            "delete cloudwatch.MetricAlarm/churn-retrain-undelivered-alarm",
            "delete cloudwatch.EventTarget/api-states-target",
            "delete cloudwatch.EventRule/api-states",
            "delete budgets.Budget/budget-monthly",
            "delete sns.TopicSubscription/alerts-oncall",
            "delete cloudwatch.MetricAlarm/alerts-undelivered-alarm",
            "delete sns.TopicPolicy/alerts-topic-policy",
            "delete sns.Topic/alerts-topic",
            "delete sqs.QueuePolicy/alerts-undelivered-policy",
            "delete sqs.Queue/alerts-undelivered",
        ),
        ("alerts", "budget"),
        risks=(
            "data-loss sqs.Queue/alerts-undelivered",
            "downtime sns.Topic/alerts-topic",
            "protection-removed cloudwatch.MetricAlarm/api-main-rollback-error-rate",
            "protection-removed cloudwatch.MetricAlarm/api-monitor-main-errors",
            "protection-removed cloudwatch.MetricAlarm/api-monitor-main-latency",
        ),
    ),
    Scenario(
        "scaling that stands still, before another instance",
        "    compute: {instance: ml.m5.xlarge}\n    scaling: {min: 2, max: 8, target: {requests_per_minute: 200}}\n",
        "    compute: {instance: ml.m5.xlarge}\n    scaling: {min: 2, max: 2}\n",
        (
            "delete appautoscaling.Policy/api-main-requests-per-minute",
            "delete appautoscaling.Target/api-main-scaling",
        ),
        ("serving.api.scaling.max",),
    ),
    Scenario(
        "another tag",
        "cost-centre: 4711",
        "cost-centre: 4712",
        ("update sagemaker.Pipeline/churn-training-pipeline",),
        ("tags.cost-centre",),
        tags_only=35,
    ),
    Scenario(
        "another owner",
        "owner: ml@acme",
        "owner: data@acme",
        ("update sagemaker.Pipeline/churn-training-pipeline",),
        ("owner",),
        tags_only=35,
    ),
    Scenario(
        "no protection",
        "210987654321}",
        "210987654321, protect: false}",
        (
            "update s3.Bucket/data-artifacts",
            "update s3.Bucket/data-captures",
            "update s3.Bucket/data-data",
            "update s3.Bucket/data-logs",
            "update kms.Key/keys-data",
            "update kms.Key/keys-operations",
            "update sagemaker.Model/api-main-model",
            "update sagemaker.EndpointConfiguration/api-configuration",
            "update sagemaker.Endpoint/api-endpoint",
            "update sagemaker.ModelPackageGroup/churn-registry-group",
        ),
        ("protect",),
        risks=(
            "data-loss s3.Bucket/data-artifacts",
            "data-loss s3.Bucket/data-captures",
            "data-loss s3.Bucket/data-data",
            "data-loss s3.Bucket/data-logs",
            "protection-removed kms.Key/keys-data",
            "protection-removed kms.Key/keys-operations",
            "protection-removed s3.Bucket/data-artifacts",
            "protection-removed s3.Bucket/data-captures",
            "protection-removed s3.Bucket/data-data",
            "protection-removed s3.Bucket/data-logs",
            "protection-removed sagemaker.Endpoint/api-endpoint",
            "protection-removed sagemaker.EndpointConfiguration/api-configuration",
            "protection-removed sagemaker.Model/api-main-model",
            "protection-removed sagemaker.ModelPackageGroup/churn-registry-group",
        ),
    ),
    Scenario(
        "another training size",
        "size: medium, spot",
        "size: large, spot",
        ("update sagemaker.Pipeline/churn-training-pipeline",),
        ("models.churn.train.compute.size",),
        risks=("cost sagemaker.Pipeline/churn-training-pipeline",),
    ),
    Scenario(
        "no spot",
        "spot: true",
        "spot: false",
        ("update sagemaker.Pipeline/churn-training-pipeline",),
        ("models.churn.train.compute.spot",),
        risks=("cost sagemaker.Pipeline/churn-training-pipeline",),
    ),
    Scenario(
        "another hyperparameter",
        "folds: 5",
        "folds: 10",
        ("update sagemaker.Pipeline/churn-training-pipeline",),
        ("models.churn.train.hyperparameters.folds",),
    ),
    Scenario(
        "a looser gate",
        "at_least: 0.75",
        "at_least: 0.6",
        ("update sagemaker.Pipeline/churn-training-pipeline",),
        ("models.churn.evaluate.gates.accuracy.at_least",),
    ),
    Scenario(
        "no worse than the version in service",
        "at_least: 0.75",
        "at_least: 0.75, no_worse_than: current",
        (
            "update iam.RolePolicy/sealing-policy",
            "update sagemaker.Pipeline/churn-training-pipeline",
        ),
        ("models.churn.evaluate.gates.accuracy.no_worse_than",),
        risks=("wider-permission iam.RolePolicy/sealing-policy",),
    ),
    Scenario(
        "approved automatically",
        "approval: manual",
        "approval: automatic",
        ("update sagemaker.Pipeline/churn-training-pipeline",),
        ("models.churn.registry.approval",),
    ),
    Scenario(
        "another schedule",
        "0 3 * * 1",
        "0 4 * * 1",
        ("update scheduler.Schedule/churn-retrain-schedule",),
        ("models.churn.retrain.schedule",),
    ),
    Scenario(
        "another time zone",
        "Europe/Amsterdam",
        "Europe/Paris",
        ("update scheduler.Schedule/churn-retrain-schedule",),
        ("timezone",),
    ),
    Scenario(
        "no retraining",
        '    retrain: {schedule: "0 3 * * 1", cooldown_hours: 24}\n',
        "",
        (
            "delete scheduler.Schedule/churn-retrain-schedule",
            "delete iam.RolePolicy/churn-retrain-scheduler-policy",
            "delete sqs.QueuePolicy/churn-retrain-undelivered-policy",
            "delete cloudwatch.MetricAlarm/churn-retrain-undelivered-alarm",
            "delete sqs.Queue/churn-retrain-undelivered",
            "delete iam.Role/churn-retrain-scheduler-role",
            "delete scheduler.ScheduleGroup/churn-retrain-schedules",
        ),
        ("models.churn.retrain",),
        risks=("data-loss sqs.Queue/churn-retrain-undelivered",),
    ),
    Scenario(
        "a longer cooldown",
        "cooldown_hours: 24",
        "cooldown_hours: 48",
        (),
        (),
    ),
    Scenario(
        "one dataset more",
        "datasets: [customers]",
        "datasets: [customers, history]",
        (
            "update iam.RolePolicy/identity-execution-policy",
            "update sagemaker.Pipeline/churn-training-pipeline",
        ),
        ("models.churn.datasets",),
        risks=("wider-permission iam.RolePolicy/identity-execution-policy",),
    ),
    Scenario(
        "another endpoint",
        "security: {",
        "  second: {mode: real-time, model: churn, compute: {size: small}}\nsecurity: {",
        (
            "update iam.RolePolicy/identity-endpoint-policy",
            "create cloudwatch.EventRule/second-states",
            "create cloudwatch.EventTarget/second-states-target",
            "create cloudwatch.LogGroup/second-log",
            "create cloudwatch.MetricAlarm/second-main-rollback-error-rate",
            "create sagemaker.Model/second-main-model",
            "create sagemaker.EndpointConfiguration/second-configuration",
            "create sagemaker.Endpoint/second-endpoint",
        ),
        ("serving.second",),
        risks=(
            "cost sagemaker.EndpointConfiguration/second-configuration",
            "wider-permission iam.RolePolicy/identity-endpoint-policy",
        ),
    ),
    Scenario(
        "another region",
        "eu-west-1",
        "eu-central-1",
        (
            "update iam.RolePolicy/identity-endpoint-policy",
            "update iam.RolePolicy/identity-execution-policy",
            "update kms.Key/keys-operations",
            "replace sagemaker.Model/api-main-model",
            "replace sagemaker.EndpointConfiguration/api-configuration",
            "update sagemaker.Endpoint/api-endpoint",
            "update iam.RolePolicy/sealing-policy",
            "update iam.RolePolicy/identity-pipeline-policy",
            "update cloudwatch.Dashboard/api-monitor-dashboard",
            "update sagemaker.Pipeline/churn-training-pipeline",
            "update iam.RolePolicy/churn-retrain-scheduler-policy",
            "update scheduler.Schedule/churn-retrain-schedule",
            "update cloudwatch.EventRule/churn-training-runs",
        ),
        ("region",),
        risks=(
            "wider-permission iam.RolePolicy/churn-retrain-scheduler-policy",
            "wider-permission iam.RolePolicy/identity-endpoint-policy",
            "wider-permission iam.RolePolicy/identity-execution-policy",
            "wider-permission iam.RolePolicy/identity-pipeline-policy",
            "wider-permission iam.RolePolicy/sealing-policy",
            "wider-permission kms.Key/keys-operations",
        ),
    ),
    Scenario(
        "pinned version",
        "    registry: {approval",
        "    version: 3\n    registry: {approval",
        (
            "replace sagemaker.Model/api-main-model",
            "replace sagemaker.EndpointConfiguration/api-configuration",
            "update sagemaker.Endpoint/api-endpoint",
        ),
        ("models.churn.version",),
    ),
    Scenario(
        "private network",
        "210987654321}",
        "210987654321, existing: {network: vpc-1, subnets: [subnet-1], security_groups: [sg-1]}}",
        (
            "update iam.RolePolicy/identity-endpoint-policy",
            "update iam.RolePolicy/identity-execution-policy",
            "replace sagemaker.Model/api-main-model",
            "replace sagemaker.EndpointConfiguration/api-configuration",
            "update sagemaker.Endpoint/api-endpoint",
            "update sagemaker.Pipeline/churn-training-pipeline",
        ),
        ("existing",),
        risks=(
            "wider-permission iam.RolePolicy/identity-endpoint-policy",
            "wider-permission iam.RolePolicy/identity-execution-policy",
        ),
    ),
    Scenario(
        "boundary",
        "210987654321}",
        '210987654321, options: {sagemaker: {permissions_boundary: "arn:aws:iam::210987654321:policy/b"}}}',
        (
            "update iam.Role/identity-endpoint",
            "update iam.Role/identity-execution",
            "update iam.Role/identity-pipeline",
            "update iam.Role/churn-retrain-scheduler-role",
            "update iam.Role/sealing-role",
        ),
        ("options",),
    ),
    Scenario(
        "override",
        "210987654321}",
        "210987654321, overrides: {sagemaker.Endpoint/api-endpoint: {tags: {extra: yes}}}}",
        (),
        ("overrides",),
        tags_only=1,
    ),
    Scenario(
        "another container image of the framework",
        "runtime: {framework: scikit-learn, version: 1.9}",
        "runtime: {image: 111122223333.dkr.ecr.eu-west-1.amazonaws.com/churn:3}",
        (
            "update iam.RolePolicy/identity-endpoint-policy",
            "update iam.RolePolicy/identity-execution-policy",
            "update sagemaker.Pipeline/churn-training-pipeline",
        ),
        (
            "models.churn.runtime.framework",
            "models.churn.runtime.image",
            "models.churn.runtime.version",
        ),
        risks=(
            "wider-permission iam.RolePolicy/identity-endpoint-policy",
            "wider-permission iam.RolePolicy/identity-execution-policy",
        ),
    ),
)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[each.name for each in SCENARIOS])
def test_scenario(world: World, scenario: Scenario) -> None:
    assert BASE.count(scenario.old) >= 1
    text = BASE.replace(scenario.old, scenario.new, 1)
    steps = world.review(text)
    told = [item for item in steps if item.step.custom and "pulumi" not in item.step.type]
    assert tuple(f"{item.step.op} {item.address}" for item in told if not item.noise) == (
        scenario.steps
    )
    causes = {cause.path for item in steps for cause in item.causes}
    assert tuple(sorted(causes)) == scenario.causes
    risks = {f"{risk.kind} {risk.address}" for item in steps for risk in item.risks}
    assert tuple(sorted(risks)) == scenario.risks
    assert sum(1 for item in steps if item.noise == "tags") == scenario.tags_only
    for item in steps:
        assert item.causes, item.address
        for cause in item.causes:
            assert cause.kind == "blueprint"
            assert cause.file.endswith("blueprint.yaml")
            _at_its_line(text, cause.line, cause.path, gone=cause.new is None)


def _at_its_line(text: str, line: int, path: str, *, gone: bool) -> None:
    """The line says the path's last name; of what is gone, the line of the old text."""
    shown = (BASE if gone else text).splitlines()[line - 1]
    assert path.rsplit(".", 1)[-1] in shown


def test_what_forces_a_replacement_is_a_fact_of_the_provider(world: World) -> None:
    steps = world.review(BASE.replace("ml.m5.xlarge", "ml.m5.2xlarge"))
    (item,) = [each for each in steps if each.step.op == "replace"]
    assert item.address == "sagemaker.EndpointConfiguration/api-configuration"
    assert item.step.replace_keys == ["productionVariants[0].instanceType"]
    assert "hashicorp/aws" in item.step.changes[0].source
    (cause,) = item.causes
    assert (cause.old, cause.new) == ("ml.m5.xlarge", "ml.m5.2xlarge")
    endpoint = next(each for each in steps if each.address == "sagemaker.Endpoint/api-endpoint")
    assert endpoint.follows == ("sagemaker.EndpointConfiguration/api-configuration",)


def test_an_object_whose_key_is_no_longer_given_stays_under_it(world: World) -> None:
    """As the real provider plans it; the key goes in the same deployment, which is told as well."""
    steps = world.review(BASE.replace("{keys: customer}", "{keys: provider}"))
    words = {item.address: [risk.words for risk in item.risks] for item in steps}
    assert words["s3.BucketObjectv2/churn-training-code"] == [
        "kmsKeyId: no longer given, and what is uploaded stays under the key it has"
    ]
    assert "everything it encrypts" in words["kms.Key/keys-data"][0]


def test_two_edits_are_told_apart(world: World) -> None:
    text = BASE.replace("max: 8", "max: 12").replace("monthly_usd: 300", "monthly_usd: 200")
    causes = {item.address: [c.path for c in item.causes] for item in world.review(text)}
    assert causes == {
        "appautoscaling.Target/api-main-scaling": ["serving.api.scaling.max"],
        "budgets.Budget/budget-monthly": ["budget.monthly_usd"],
    }


def test_edits_that_are_valid_only_together_are_one_cause(world: World) -> None:
    """Bounds cannot cross: neither edit is a blueprint alone, and both did it."""
    text = BASE.replace("min: 2, max: 8", "min: 9, max: 12").replace(
        "percent: 100, ", "percent: 50, "
    )
    causes = {item.address: {c.path for c in item.causes} for item in world.review(text)}
    both = {"serving.api.scaling.min", "serving.api.scaling.max"}
    assert causes["appautoscaling.Target/api-main-scaling"] == both
    found = causes["sagemaker.EndpointConfiguration/api-configuration"]
    assert found == {*both, "serving.api.capture.percent"}


def test_a_changed_script_is_a_cause_without_a_line(world: World) -> None:
    steps = world.review(BASE.replace("monthly_usd: 300", "monthly_usd: 200"), script="print(1)\n")
    causes = {item.address: item.causes for item in steps}
    assert {c.path for c in causes["budgets.Budget/budget-monthly"]} == {"budget.monthly_usd"}
    (code,) = [c for a, c in causes.items() if a.startswith("s3.BucketObjectv2/")]
    assert [(c.path, c.line) for c in code] == [("models.churn.code", 0)]
    assert code[0].file.endswith("workload/train.py")


def test_words_that_change_nothing_change_nothing(world: World) -> None:
    assert world.review("# A comment.\n" + BASE.replace("max: 8", "max:  8")) == []


def test_a_captured_environment_alone_is_the_whole_program_s(tmp_path: Path) -> None:
    """Counterfactuals capture one environment; the lock comes from the program of all."""
    project = load(write(tmp_path, BASE + "  dev: {account: 123456789012, protect: false}\n"))
    for stack in ("prod", "dev"):
        alone = OneEnvironment(project, project.loaded, project.resolve(stack))
        assert captured(alone, stack, tmp_path / "alone") == canonical(project.capture(stack))


RENAMED = BASE.replace("  api:\n", "  web:\n") + "moved: {serving.web: serving.api}\n"


def test_a_rename_is_a_rename(world: World) -> None:
    """Nothing but the stack's outputs, which carry the entry's name, says another word."""
    assert [item.address for item in world.review(RENAMED)] == ["pulumi.Stack/churn-prod"]


def test_a_rename_with_a_change_changes_only_that(world: World) -> None:
    steps = world.review(RENAMED.replace("max: 8", "max: 12"))
    (item,) = [each for each in steps if each.step.custom and "pulumi" not in each.step.type]
    assert (item.step.op, item.address) == ("update", "appautoscaling.Target/web-main-scaling")
    assert item.step.reason == "was appautoscaling.Target/api-main-scaling"


def test_without_moved_another_name_is_another_endpoint(world: World) -> None:
    steps = {item.address: item for item in world.review(BASE.replace("  api:\n", "  web:\n"))}
    assert steps["sagemaker.Endpoint/web-endpoint"].step.op == "create"
    gone = steps["sagemaker.Endpoint/api-endpoint"]
    assert gone.step.op == "delete"
    assert "downtime" in {risk.kind for risk in gone.risks}


RETRAINED = BASE.replace("cooldown_hours: 24", "new_data: [customers], cooldown_hours: 24")
LONG = "of-a-name-that-is-cut-in-the-cloud"


def renamed_model(text: str, name: str = "attrition") -> str:
    """The same, its model under another name."""
    text = text.replace("models:\n  churn:", f"models:\n  {name}:")
    text = text.replace("model: churn\n", f"model: {name}\n")
    return text + f"moved: {{models.{name}: models.churn}}\n"


def renamed_dataset(text: str) -> str:
    """The same, its dataset under another name."""
    text = text.replace("  customers: {", "  people: {").replace("[customers]", "[people]")
    return text + "moved: {datasets.people: datasets.customers}\n"


def renaming(folder: Path, old: str, new: str) -> list[Step]:
    """What a rename does to what is in the cloud, by the graphs of before and after."""
    graphs = []
    for name, text in (("old", old), ("new", new)):
        (folder / name).mkdir()
        project = load(write(folder / name, text))
        alone = OneEnvironment(project, project.loaded, project.resolve("prod"))
        graphs.append(captured(alone, "prod", folder / f"{name}-program"))
    steps = diff(graphs[0], graphs[1], replaces)
    assert {step.op for step in steps} <= {"same", "update"}
    return [step for step in steps if step.op != "same" and "pulumi" not in step.type]


@pytest.mark.parametrize("name", ["attrition", "a-" + LONG])
def test_a_renamed_model_keeps_its_versions_its_pipeline_and_its_triggers(
    tmp_path: Path, name: str
) -> None:
    """Only what an alarm says to people is another text."""
    steps = renaming(tmp_path, RETRAINED, renamed_model(RETRAINED, name))
    changed = {f"{step.type} {change.path}" for step in steps for change in step.changes}
    assert changed == {"aws:cloudwatch/metricAlarm:MetricAlarm alarmDescription"}


def test_a_name_that_was_cut_is_left_behind_too(tmp_path: Path) -> None:
    before = RETRAINED.replace("models:\n  churn:", f"models:\n  the-{LONG}:")
    before = before.replace("model: churn\n", f"model: the-{LONG}\n")
    after = renamed_model(RETRAINED).replace("models.churn}", f"models.the-{LONG}}}")
    assert {step.type for step in renaming(tmp_path, before, after)} == {
        "aws:cloudwatch/metricAlarm:MetricAlarm"
    }


def test_a_renamed_dataset_stays_where_it_is(tmp_path: Path) -> None:
    """The steps are told the new name, so their definition changes; no file is moved."""
    steps = renaming(tmp_path, RETRAINED, renamed_dataset(RETRAINED))
    changed = {
        f"{step.name} {change.path.split('.')[0]}" for step in steps for change in step.changes
    }
    assert changed == {
        "churn-training-pipeline pipelineDefinition",
        "churn-retrain-new-people description",
    }


def test_a_model_and_its_dataset_are_renamed_at_once(tmp_path: Path) -> None:
    after = renamed_model(renamed_dataset(RETRAINED).rsplit("moved:", 1)[0])
    after = after.replace("models.churn}", "models.churn, datasets.people: datasets.customers}")
    assert {step.type for step in renaming(tmp_path, RETRAINED, after)} == {
        "aws:cloudwatch/eventRule:EventRule",
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        "aws:sagemaker/pipeline:Pipeline",
    }


def test_without_moved_another_model_is_another_registry(world: World) -> None:
    text = renamed_model(BASE).rsplit("moved:", 1)[0]
    steps = {item.address: item.step.op for item in world.review(text)}
    assert steps["sagemaker.ModelPackageGroup/attrition-registry-group"] == "create"
    assert steps["sagemaker.ModelPackageGroup/churn-registry-group"] == "delete"


def test_what_cannot_be_renamed_is_refused(tmp_path: Path) -> None:
    project = load(write(tmp_path, BASE + "moved: {alerts.oncall: alerts.o}\n"))
    with pytest.raises(
        BlueprintInvalid, match="only serving, models and datasets can be renamed yet"
    ):
        project.calls("prod")
