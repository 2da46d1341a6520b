"""Blueprints for tests of the SageMaker platform, written to a folder with what they refer to."""

from __future__ import annotations

from pathlib import Path

from mlops_iac.blueprint import LoadedBlueprint, load

MINIMAL = """\
blueprint: 1
name: churn
platform: sagemaker
region: eu-west-1
datasets: {customers: {source: data/customers.csv, format: csv, target: churned}}
models:
  churn:
    code: workload/
    runtime: {framework: scikit-learn, version: 1.9}
    train: {script: train.py}
serving: {api: {mode: real-time}}
"""

# Everything that is planned on SageMaker, each field at least once.
MAXIMAL = """\
blueprint: 1
name: adherence
description: Everything that can be planned.
owner: analytics@acme.example
tags: {cost-centre: 4711}
platform: sagemaker
region: eu-west-1
timezone: Europe/Amsterdam
datasets:
  schedules:
    description: Reports
    source: data/customers.csv
    format: csv
    target: late
    time: reported_at
    sensitive: [region]
    window_days: 730
    checks: {project_id: {not_null: true}, progress: {at_least: 0, at_most: 1}}
  history: {source: "s3://acme-${environment}/history/", format: parquet, target: late}
  forecasts: {format: json}
  second-opinions: {format: csv}
models:
  adherence:
    description: Late or not
    code: workload/
    runtime: {framework: scikit-learn, version: 1.9}
    datasets: [schedules, history]
    metrics: {accuracy: maximize, error: minimize}
    env: {LOG_LEVEL: info}
    prepare:
      script: prepare.py
      compute: {size: medium, disk_gb: 50}
      timeout_minutes: 30
      env: {STAGE: prepare}
    train:
      script: train.py
      runtime: {framework: scikit-learn, version: 1.9}
      compute: {instance: ml.m5.xlarge, count: 1, spot: true}
      timeout_minutes: 60
      spot_wait_minutes: 30
      checkpoints: true
      hyperparameters: {cv_folds: 5}
    tune:
      strategy: bayesian
      metric: accuracy
      trials: 6
      parallel: 2
      early_stopping: true
      search:
        kind: {values: [forest, logistic]}
        depth: {integer: [2, 12]}
        C: {continuous: [0.001, 100], scale: logarithmic}
    evaluate:
      script: evaluate.py
      gates: {accuracy: {at_least: 0.8, no_worse_than: current}, error: {at_most: 0.4}}
    registry: {approval: manual, card: card.md}
    retrain:
      schedule: "0 3 * * 1"
      new_data: [schedules, history]
      limits: [latency_p99_ms, error_rate_percent, drift_psi]
      cooldown_hours: 12
  baseline:
    source: s3://acme-models/baseline/3/
    runtime: {image: 111122223333.dkr.ecr.eu-west-1.amazonaws.com/baseline:3}
serving:
  api:
    description: Answers at once
    mode: real-time
    variants:
      champion: {model: adherence, traffic_percent: 90}
      challenger: {model: baseline, traffic_percent: 10}
    compute: {instance: ml.m5.xlarge, disk_gb: 40}
    scaling: {min: 2, max: 8, target: {cpu_percent: 70}}
    rollout:
      strategy: linear
      percent: 25
      wait_minutes: 5
      limits: {error_rate_percent: {at_most: 1}, latency_p99_ms: {at_most: 500}}
    capture: {percent: 50, retention_days: 14}
    monitor: {limits: {latency_p99_ms: {at_most: 300}, error_rate_percent: {at_most: 2}}}
    env: {LOG_LEVEL: debug}
  shadowed:
    mode: real-time
    variants:
      main: {model: adherence, traffic_percent: 100}
      copy: {model: baseline, shadow_percent: 50}
    compute: {size: small}
  plain:
    mode: real-time
    model: adherence
    compute: {size: small}
    scaling: {min: 1, max: 3, target: {requests_per_minute: 100}}
    capture: {percent: 100}
    monitor:
      schedule: "30 5 * * *"
      outcomes: {dataset: history, key: project_id, within_days: 20}
      limits:
        drift_psi: {at_most: 0.2}
        accuracy: {at_least: 0.75}
        demographic_parity_difference: {at_most: 0.2}
  nightly:
    description: Once a night
    mode: batch
    model: adherence
    input: schedules
    output: forecasts
    schedule: "0 2 * * *"
    compute: {size: medium, count: 2, disk_gb: 60}
    env: {LOG_LEVEL: info}
    monitor: {limits: {lag_seconds: {at_most: 90000}, error_rate_percent: {at_most: 5}}}
  chained:
    mode: batch
    model: baseline
    input: forecasts
    output: second-opinions
    new_data: [forecasts, schedules]
security:
  network: public
  egress: all
  keys: customer
  audit_log: false
  access: {approvers: [ml-leads, "arn:aws:iam::012345678901:user/reviewer"]}
tracking: mlflow
options: {sagemaker: {tracking_size: medium}}
orchestration: native
alerts: {oncall: {email: oncall@acme.example}, second: {email: second@acme.example}}
budget: {monthly_usd: 500, alert_percent: [80, 100]}
exceptions: {cost-tag: {at: ., reason: the platform team splits costs by account, until: 2027-01-31}}
environments:
  dev:
    account: 012345678901
    protect: false
  prod:
    account: 210987654321
    deploy_as: arn:aws:iam::${account}:role/deployer
    approval: none
    existing:
      network: vpc-0a1b2c3d
      subnets: [subnet-1, subnet-2]
      security_groups: [sg-1]
      roles: {train: "arn:aws:iam::210987654321:role/train", serve: "arn:aws:iam::210987654321:role/serve"}
    options: {sagemaker: {permissions_boundary: "arn:aws:iam::210987654321:policy/boundary"}}
    overrides: {sagemaker.Endpoint/api-endpoint: {tags: {extra: yes}}}
"""

# The same with closed networks: `dev` makes its own, `prod` has one, `local` stays public.
PRIVATE = (
    MAXIMAL.replace(
        "tracking: mlflow\noptions: {sagemaker: {tracking_size: medium}}\n", "tracking: native\n"
    )
    .replace(
        "    account: 012345678901\n",
        "    account: 012345678901\n    security: {network: private, egress: none, audit_log: true}\n",
    )
    .replace(
        "    approval: none\n",
        "    approval: none\n    security: {network: private}\n",
    )
)


# Every column that is named above.
COLUMNS = "churned,late,reported_at,project_id,progress,id,at,age,region,seen_at\n1,0,2026-01-01,7,0.5,1,2026-01-01,30,north,2026-01-01\n"


PREDICT = "def load(folder): ...\ndef predict(model, rows): ...\n"


def write(folder: Path, text: str = MINIMAL) -> Path:
    """A blueprint with its data, scripts and requirements; its path."""
    for name in ("prepare.py", "train.py", "evaluate.py", "requirements.txt"):
        script = folder / "workload" / name
        script.parent.mkdir(exist_ok=True)
        script.write_text("")
    (folder / "workload" / "predict.py").write_text(PREDICT)
    (folder / "card.md").write_text("# What it is for")
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / "customers.csv").write_text(COLUMNS)
    path = folder / "blueprint.yaml"
    path.write_text(text)
    return path


def loaded(folder: Path, text: str = MINIMAL) -> LoadedBlueprint:
    """The same, read."""
    return load(write(folder, text))
