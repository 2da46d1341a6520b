"""The plan: what each environment has, where values come from, and what the platform refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.blueprint import ResolvedBlueprint, load
from mlops_iac.clouds.base import ComponentCall, Construct, Definition, Ref, Setting, UserFile
from mlops_iac.clouds.registry import names, platform
from mlops_iac.errors import Diagnostic, UsageError
from tests.sagemaker_blueprints import MAXIMAL, MINIMAL, loaded

EXAMPLE = Path(__file__).parents[2] / "examples" / "schedule-adherence" / "blueprint.yaml"
SAGEMAKER = platform("sagemaker")


@pytest.fixture(scope="module")
def plans() -> dict[str, list[ComponentCall]]:
    blueprint = load(EXAMPLE)
    return {name: SAGEMAKER.plan(blueprint.resolve(name)) for name in blueprint.environments}


def call_of(calls: list[ComponentCall], variable: str) -> ComponentCall:
    (found,) = [call for call in calls if call.variable == variable]
    return found


def plan(folder: Path, text: str, environment: str = "local") -> list[ComponentCall]:
    return SAGEMAKER.plan(loaded(folder, text).resolve(environment))


def problems(folder: Path, text: str, environment: str = "local") -> list[Diagnostic]:
    return SAGEMAKER.check(loaded(folder, text).resolve(environment))


# -- what there is


def test_platforms_are_found_by_name() -> None:
    assert names() == ("sagemaker",)
    assert SAGEMAKER.cloud == "aws"
    assert "eu-west-1" in SAGEMAKER.regions


@pytest.mark.parametrize("name", ["vertex", "azure-ml", "nonsense"])
def test_other_platforms_say_what_there_is(name: str) -> None:
    with pytest.raises(UsageError, match=name) as caught:
        platform(name)
    assert "sagemaker" in caught.value.hint


def test_a_plan_is_made_without_a_provider_sdk() -> None:
    program = (
        "import sys; from pathlib import Path; from mlops_iac.blueprint import load;"
        "from mlops_iac.clouds.registry import platform;"
        f"r = load(Path({str(EXAMPLE)!r})).resolve('dev'); p = platform('sagemaker');"
        "p.check(r); p.plan(r);"
        "print([m for m in ('pulumi', 'pulumi_aws', 'boto3', 'botocore') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]"


MONITORING = [
    "api_monitoring",
    "api_monitoring_promotion",
    "api_monitoring_pipeline",
    "api_monitoring_starts",
]


@pytest.mark.parametrize("environment", ["local", "dev"])
def test_an_environment_that_trains_has_everything(
    plans: dict[str, list[ComponentCall]], environment: str
) -> None:
    assert [call.variable for call in plans[environment]] == [
        "keys",
        "alerts",
        "data",
        "sealing",
        "identity",
        "adherence_registry",
        "datasets",
        "adherence_pipeline",
        "api",
        "api_monitor",
        *MONITORING[:1],
        *MONITORING[2:],
        "adherence_retrain",
        "budget",
    ]


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_an_environment_that_promotes_only_serves(
    plans: dict[str, list[ComponentCall]], environment: str
) -> None:
    assert [call.variable for call in plans[environment]] == [
        "keys",
        "alerts",
        "data",
        "identity",
        "promotion",
        "api",
        "api_monitor",
        *MONITORING,
        "budget",
    ]


def test_the_outputs_are_those_that_others_read(plans: dict[str, list[ComponentCall]]) -> None:
    exports = {name for call in plans["dev"] for name in call.exports}
    assert exports == {
        "data_bucket",
        "artifacts_bucket",
        "captures_bucket",
        "alerts_topic",
        "adherence_model_package_group",
        "adherence_pipeline",
        "api_endpoint",
        "api_pending",
        "api_dashboard",
        "api_monitoring_pipeline",
    }


def test_every_reference_is_to_an_earlier_call(plans: dict[str, list[ComponentCall]]) -> None:
    def refs(value: Any) -> list[str]:
        match value:
            case Ref():
                return [value.variable]
            case Construct():
                return refs(dict(value.args))
            case dict():
                return [name for item in value.values() for name in refs(item)]
            case list() | tuple():
                return [name for item in value for name in refs(item)]
            case _:
                return []

    for calls in plans.values():
        known: set[str] = set()
        for call in calls:
            assert {*refs(dict(call.args)), *call.depends_on} <= known
            known.add(call.variable)


def test_a_section_left_out_makes_nothing(tmp_path: Path) -> None:
    calls = plan(tmp_path, MINIMAL)
    assert [call.variable for call in calls] == [
        "keys",
        "data",
        "sealing",
        "identity",
        "churn_registry",
        "datasets",
        "churn_pipeline",
        "api",
    ]
    assert call_of(calls, "keys").args["customer"] is False
    assert "key_arn" not in call_of(calls, "data").args


# -- where values come from


@pytest.mark.parametrize(
    "section",
    ["alerts: {}", "tags: {}", "options: {sagemaker: {}}", "security: {access: {}}"],
)
def test_a_section_that_is_left_empty_is_not_refused(tmp_path: Path, section: str) -> None:
    """A template whose optional parameter is left out leaves such a section behind."""
    text = f"{MINIMAL}\n{section}\n"
    assert [item.code for item in problems(tmp_path, text)] == []


def test_what_differs_is_a_setting_under_its_blueprint_path(
    plans: dict[str, list[ComponentCall]],
) -> None:
    scaling = {name: call_of(calls, "api").args["scaling"].args for name, calls in plans.items()}
    assert scaling["dev"]["max"] == Setting(4, "serving.api.scaling.max")
    assert scaling["prod"]["max"] == Setting(20, "serving.api.scaling.max")
    rollout = call_of(plans["prod"], "api").args["rollout"].args
    assert rollout["strategy"] == Setting("canary", "serving.api.rollout.strategy")
    budgets = {
        name: call_of(calls, "budget").args["monthly_usd"].value for name, calls in plans.items()
    }
    assert budgets == {"local": 300, "dev": 100, "staging": 300, "prod": 500}


def test_the_version_is_optional_configuration(plans: dict[str, list[ComponentCall]]) -> None:
    for calls in plans.values():
        (variant,) = call_of(calls, "api").args["variants"]
        assert variant.args["version"] == Setting(None, "models.adherence.version", optional=True)


def test_a_pinned_version_is_the_setting_s_value(tmp_path: Path) -> None:
    text = MINIMAL.replace("    code: workload/", '    version: "7"\n    code: workload/')
    (variant,) = call_of(plan(tmp_path, text), "api").args["variants"]
    assert variant.args["version"].value == "7"


def test_versions_come_from_where_the_chain_of_promotions_ends(
    plans: dict[str, list[ComponentCall]],
) -> None:
    """prod ← staging ← dev: only dev has a registry."""
    for name in ("staging", "prod"):
        (variant,) = call_of(plans[name], "api").args["variants"]
        assert variant.args["package_group"] == "schedule-adherence-dev-adherence"
        assert variant.args["registry_account"].value == "012345678901"
    (variant,) = call_of(plans["dev"], "api").args["variants"]
    assert variant.args["package_group"] == Ref("adherence_registry", "group_name")
    assert "registry_account" not in variant.args


def test_who_trains_lets_those_read_who_serve(plans: dict[str, list[ComponentCall]]) -> None:
    readers = ["112233445566", "210987654321"]
    for variable in ("keys", "data", "adherence_registry"):
        assert call_of(plans["dev"], variable).args["reader_accounts"].value == readers
    for name in ("local", "staging", "prod"):
        assert call_of(plans[name], "keys").args["reader_accounts"].value == []


def test_local_trains_its_own_whatever_is_promoted(tmp_path: Path) -> None:
    """Nothing of another account can be reached from the emulated cloud."""
    text = MINIMAL.replace("    code: workload/", "    promote_from: dev\n    code: workload/")
    text += "environments: {dev: {account: 012345678901, models: {churn: {promote_from: null}}}}\n"
    blueprint = loaded(tmp_path, text)
    assert blueprint.resolve("local").blueprint.models["churn"].promote_from == "dev"
    calls = SAGEMAKER.plan(blueprint.resolve("local"))
    assert call_of(calls, "churn_pipeline")
    (variant,) = call_of(calls, "api").args["variants"]
    assert variant.args["package_group"] == Ref("churn_registry", "group_name")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dev": "{}"}, "which account"),
        ({"dev": "{account: 012345678901, region: us-east-1}"}, "cannot be served"),
    ],
)
def test_a_promotion_that_cannot_work_is_refused(
    tmp_path: Path, change: dict[str, str], message: str
) -> None:
    text = MINIMAL + (
        f"environments:\n  dev: {change['dev']}\n"
        "  prod: {account: 210987654321, models: {churn: {promote_from: dev}}}\n"
    )
    (found,) = problems(tmp_path, text, "prod")
    assert found.path == "models.churn.promote_from"
    assert message in found.message


def test_protection_is_honoured(plans: dict[str, list[ComponentCall]]) -> None:
    protected = {
        name: call_of(calls, "data").args["protect"].value for name, calls in plans.items()
    }
    assert protected == {"local": False, "dev": False, "staging": True, "prod": True}


def test_the_data_that_training_reads_is_uploaded_from_its_place(
    plans: dict[str, list[ComponentCall]],
) -> None:
    files = call_of(plans["dev"], "datasets").args["files"]
    assert files == {
        "schedules": UserFile(str(EXAMPLE.parent / "data" / "schedule_management.csv"))
    }


def test_one_definition_serves_every_environment_that_trains(
    plans: dict[str, list[ComponentCall]],
) -> None:
    local, dev = (
        call_of(plans[name], "adherence_pipeline").args["definition"] for name in ("local", "dev")
    )
    assert isinstance(local, Definition)
    assert local == dev


def test_every_placeholder_of_the_definition_has_a_value(
    plans: dict[str, list[ComponentCall]],
) -> None:
    from mlops_iac.clouds.aws.sagemaker.definition.printer import placeholders

    args = call_of(plans["dev"], "adherence_pipeline").args
    own = {"artifacts_bucket", "code_uri", "kms_key_arn", "region"}
    wanted = placeholders(args["definition"].content)
    assert wanted - own == set(args["values"])


def test_every_job_carries_the_cost_tags(plans: dict[str, list[ComponentCall]]) -> None:
    """Trap 18: jobs do not inherit."""
    text = call_of(plans["dev"], "adherence_pipeline").args["definition"].content
    steps = {step["Name"]: step for step in json.loads(text)["Steps"]}
    for name in ("Prepare", "Train", "Evaluate"):
        tags = {tag["Key"]: tag["Value"] for tag in steps[name]["Arguments"]["Tags"]}
        assert tags["stack"] == "${stack}"
        assert tags["cost-centre"] == "4711"
    budget = call_of(plans["dev"], "budget").args
    assert (budget["tag_key"], budget["tag_value"]) == ("stack", "schedule-adherence-dev")


def test_every_resource_gets_the_same_tags(plans: dict[str, list[ComponentCall]]) -> None:
    for calls in plans.values():
        tagged = [each for each in calls if not each.variable.endswith("promotion")]
        assert len({str(each.args["tags"]) for each in tagged}) == 1


def test_the_provider_deploys_to_one_account_only() -> None:
    blueprint = load(EXAMPLE)
    assert aws_config(blueprint.resolve("local")) == {"aws:region": "eu-west-1"}
    assert aws_config(blueprint.resolve("dev")) == {
        "aws:region": "eu-west-1",
        "aws:allowedAccountIds": ["012345678901"],
    }


def aws_config(resolved: ResolvedBlueprint) -> dict[str, Any]:
    config = SAGEMAKER.provider_config(resolved)
    return {key: value for key, value in config.items() if key.startswith("aws:")}


def test_the_provider_takes_on_the_deploying_role(tmp_path: Path) -> None:
    config = SAGEMAKER.provider_config(loaded(tmp_path, MAXIMAL).resolve("prod"))
    assert config["aws:assumeRoles"] == [{"roleArn": "arn:aws:iam::210987654321:role/deployer"}]


def test_what_exists_is_used_and_stood_in_for_in_local(tmp_path: Path) -> None:
    blueprint = loaded(tmp_path, MAXIMAL.replace("environments:\n", LOCAL_OVERLAY, 1))
    prod = SAGEMAKER.plan(blueprint.resolve("prod"))
    assert call_of(prod, "api").args["subnets"].value == ["subnet-1", "subnet-2"]
    assert call_of(prod, "identity").args["private_network"].value is True
    assert {
        name: role.value for name, role in call_of(prod, "identity").args["existing_roles"].items()
    } == {
        "train": "arn:aws:iam::210987654321:role/train",
        "serve": "arn:aws:iam::210987654321:role/serve",
    }
    assert call_of(prod, "identity").args["permissions_boundary"].value.endswith("boundary")
    local = SAGEMAKER.plan(blueprint.resolve("local"))
    assert "subnets" not in call_of(local, "api").args
    assert "existing_roles" not in call_of(local, "identity").args
    assert "permissions_boundary" not in call_of(local, "identity").args


LOCAL_OVERLAY = """\
environments:
  local:
    existing: {subnets: [subnet-9], security_groups: [sg-9], roles: {train: "arn:aws:iam::1:role/x"}}
    options: {sagemaker: {permissions_boundary: "arn:aws:iam::1:policy/x"}}
"""


def test_a_step_with_a_role_of_its_own_has_a_placeholder_of_its_own(tmp_path: Path) -> None:
    args = call_of(plan(tmp_path, MAXIMAL, "prod"), "adherence_pipeline").args
    steps = {step["Name"]: step for step in json.loads(args["definition"].content)["Steps"]}
    tuning = steps["Tune"]["Arguments"]["TrainingJobDefinition"]
    assert tuning["RoleArn"] == "${train_role_arn}"
    assert steps["Prepare"]["Arguments"]["RoleArn"] == "${execution_role_arn}"
    assert args["values"]["train_role_arn"] == Ref("identity", 'step_role_arns["train"]')


def test_the_alarms_that_retrain_are_those_of_the_entries_that_serve(tmp_path: Path) -> None:
    args = call_of(plan(tmp_path, MAXIMAL, "dev"), "adherence_retrain").args
    assert args["alarm_arns"] == [
        Ref("api_monitor", 'alarm_arns["latency_p99_ms"]'),
        Ref("api_monitor", 'alarm_arns["error_rate_percent"]'),
        Ref("plain_monitoring", 'alarm_arns["drift_psi"]'),
    ]


def test_the_endpoint_role_may_watch_exactly_the_rollback_alarms(tmp_path: Path) -> None:
    """Trap 2."""
    alarms = call_of(plan(tmp_path, MAXIMAL, "dev"), "identity").args["rollback_alarms"]
    assert alarms == [
        "adherence-dev-api-champion-rollback-error-rate",
        "adherence-dev-api-champion-rollback-latency-p99",
        "adherence-dev-api-challenger-rollback-error-rate",
        "adherence-dev-api-challenger-rollback-latency-p99",
        "adherence-dev-shadowed-main-rollback-error-rate",
        "adherence-dev-plain-main-rollback-error-rate",
    ]


# -- what is refused


@pytest.mark.parametrize("environment", ["local", "dev", "staging", "prod"])
def test_the_example_is_supported(environment: str) -> None:
    assert SAGEMAKER.check(load(EXAMPLE).resolve(environment)) == []


@pytest.mark.parametrize("environment", ["local", "dev", "prod"])
def test_everything_that_is_planned_passes(tmp_path: Path, environment: str) -> None:
    found = problems(tmp_path, MAXIMAL, environment)
    # One thing is allowed, but has to be told: another's bucket must send its events.
    assert [(item.severity, item.path) for item in found] == [
        ("warning", "models.adherence.retrain.new_data")
    ]


def test_the_maximal_blueprint_writes_every_planned_field(tmp_path: Path) -> None:
    from mlops_iac.clouds.aws.sagemaker.decisions import DECISIONS
    from mlops_iac.clouds.decisions import matches

    blueprint = loaded(tmp_path, MAXIMAL)
    written = {
        path
        for name in blueprint.environments
        for resolved in [blueprint.resolve(name)]
        for path in resolved.leaves()
        if resolved.is_written(path)
    }
    missing = {
        pattern
        for pattern in DECISIONS.planned("real-time")
        if not any(matches(path, pattern) for path in written)
        # Of alternatives, and of what each step has, one place each is enough.
        and ".options" not in pattern
        and not pattern.startswith(("options.", "state."))
        and pattern.split(".")[-1] not in {"size", "instance", "count", "disk_gb", "spot", "image"}
        and "runtime" not in pattern
        and "scaling.target" not in pattern
        and pattern not in {"existing.key", "models.*.promote_from", "models.*.version"}
        and not pattern.startswith(("models.*.evaluate.env", "models.*.evaluate.timeout"))
        and pattern
        not in {"models.*.train.env.*", "serving.*.capture.percent", "moved.*", "extends"}
    }
    assert missing == set()


CASES = [
    # (what replaces what, path, words of the message, words of the hint)
    ("region: eu-west-1", "region: eu-west-11", "region", "no region", "eu-west-1"),
    (
        "train: {script: train.py}",
        "train: {script: train.py, compute: {instance: ml.m5.larg}}",
        "models.churn.train.compute.instance",
        "no instance type for training",
        "did you mean",
    ),
    (
        "{mode: real-time}",
        "{mode: real-time, compute: {instance: ml.t9.large}}",
        "serving.api.compute.instance",
        "no instance type for hosting",
        "ml.",
    ),
    ("version: 1.9", "version: 1.8", "models.churn.runtime.version", "no prebuilt", "1.9-0"),
    (
        "version: 1.9",
        "version: 0.23-1",
        "models.churn.runtime.version",
        "Python of scikit-learn 0.23-1 is older than 3.8",
        "1.0-1 or newer",
    ),
    (
        "{framework: scikit-learn, version: 1.9}",
        "{framework: tensorflow, version: 2.19}",
        "models.churn.runtime.framework",
        "TensorFlow Serving",
        "train: {runtime: {framework: tensorflow",
    ),
    (
        "{framework: scikit-learn, version: 1.9}",
        "{framework: onnx, version: 1.20}",
        "models.churn.runtime.version",
        "onnx",
        "image of your own",
    ),
    (
        "{framework: scikit-learn, version: 1.9}",
        "{image: docker.io/acme/churn}",
        "models.churn.runtime.image",
        "ECR only",
        "push it",
    ),
    ("source: data/customers.csv", "source: gs://acme/x/", "datasets.customers.source", "S3", "s3"),
    (
        "name: churn\n",
        "name: churn\noptions: {sagemaker: {tracking_size: large}}\n",
        "options.sagemaker.tracking_size",
        "no tracking server",
        "mlflow",
    ),
    (
        "name: churn\n",
        "name: churn\ntracking: mlflow\nsecurity: {network: private, egress: none}\n",
        "tracking",
        "no job reaches the MLflow server",
        "native",
    ),
    (
        "eu-west-1\n",
        "us-gov-west-1\ntracking: mlflow\n",
        "tracking",
        "no MLflow in us-gov-west-1",
        "native",
    ),
    (
        "name: churn\n",
        "name: churn\norchestration: airflow\n",
        "orchestration",
        "Pipelines run",
        "native",
    ),
    ("name: churn\n", "name: churn\ntags: {stack: x}\n", "tags.stack", "not yours", "rename"),
    (
        "name: churn\n",
        "name: churn\nbudget: {monthly_usd: 10}\n",
        "budget",
        "nobody to tell",
        "alerts",
    ),
    (
        "region: eu-west-1\n",
        "region: us-gov-west-1\nbudget: {monthly_usd: 10}\nalerts: {oncall: {email: a@b.example}}\n",
        "budget",
        "has no AWS Budgets",
        "standard account",
    ),
    (
        "name: churn\n",
        "name: churn\nsecrets: {hook: {}}\nalerts: {chat: {webhook: {secret: hook}}}\n",
        "alerts.chat.webhook",
        "e-mail",
        "email",
    ),
    (
        "train: {script: train.py}",
        'train: {script: train.py}\n    retrain: {schedule: "0 0 1 * 1"}',
        "models.churn.retrain.schedule",
        "at once",
        "cron",
    ),
    (
        "{mode: real-time}",
        "{mode: real-time, scaling: {min: 0, max: 2, target: {concurrency: 4}}}",
        "serving.api.scaling.min",
        "zero",
        "min: 1",
    ),
    (
        "{mode: real-time}",
        "{mode: real-time, compute: {instance: ml.t2.medium}, scaling: {min: 1, max: 2, target: {concurrency: 4}}}",
        "serving.api.compute",
        "t2",
        "another",
    ),
    (
        "{mode: real-time}",
        "{mode: real-time, scaling: {min: 2, max: 2}, rollout: {strategy: canary, percent: 60, wait_minutes: 5}}",
        "serving.api.rollout.percent",
        "half",
        "50",
    ),
    (
        "{mode: real-time}",
        "{mode: real-time, scaling: {min: 2, max: 2}, rollout: {strategy: canary, percent: 50, wait_minutes: 90}}",
        "serving.api.rollout.wait_minutes",
        "hour",
        "60",
    ),
    (
        "{mode: real-time}",
        "{mode: real-time, scaling: {min: 2, max: 2}, rollout: {strategy: linear, percent: 10, wait_minutes: 30}}",
        "serving.api.rollout.wait_minutes",
        "the provider waits for 60",
        "more per step",
    ),
    (
        "{mode: real-time}",
        "{mode: real-time, callers: [arn:aws:iam::1:role/x]}",
        "serving.api.callers",
        "no one",
        "IAM",
    ),
    (
        "{mode: real-time}",
        '{mode: real-time, capture: {}, monitor: {schedule: "5 * * * *", limits: {latency_p99_ms: {at_most: 5}}}}',
        "serving.api.monitor.schedule",
        "nothing is computed",
        "leave it out",
    ),
    (
        "{mode: real-time}",
        "{mode: real-time, capture: {}, monitor: {limits: {drift_psi: {at_least: 0.2}}}}",
        "serving.api.monitor.limits.drift_psi.at_least",
        "only more is worse",
        "at_most",
    ),
    (
        "train: {script: train.py}\nserving: {api: {mode: real-time}}",
        (
            "train: {script: train.py}\n    metrics: {x: maximize}\nserving: {api: {mode: real-time, "
            "capture: {}, monitor: {outcomes: {key: id}, limits: {x: {at_least: 1}}}}}"
        ),
        "serving.api.monitor.limits.x",
        "x is not computed",
        "rmse",
    ),
    (
        "format: csv, target: churned}",
        "format: csv, target: churned, sensitive: [region]}",
        "datasets.customers.sensitive",
        "bias",
        "evaluate",
    ),
    (
        "train: {script: train.py}",
        "train: {script: train.py}\n    registry: {keep_versions: 3}",
        "models.churn.registry.keep_versions",
        "never deleted",
        "leave it out",
    ),
    (
        "  churn:\n    code",
        "  api-monitor: {source: 's3://a/b/', runtime: {image: 1.dkr}}\n  churn:\n    code",
        "models.api-monitor.runtime.image",
        "ECR",
        "push",
    ),
]


@pytest.mark.parametrize(("old", "new", "path", "message", "hint"), CASES)
def test_what_is_not_supported_is_told_with_its_place(
    tmp_path: Path, old: str, new: str, path: str, message: str, hint: str
) -> None:
    assert MINIMAL.count(old) == 1
    text = MINIMAL.replace(old, new)
    if "api-monitor" in new:
        text = text.replace("{mode: real-time}", "{mode: real-time, model: churn}")
    found = [item for item in problems(tmp_path, text) if item.path == path]
    assert len(found) == 1, problems(tmp_path, text)
    (item,) = found
    assert item.severity == "error"
    assert message in item.message
    assert hint in item.hint
    assert item.line > 0
    assert item.file.endswith("blueprint.yaml")


def test_monitoring_needs_a_version_that_keeps_its_rows_and_a_truth(tmp_path: Path) -> None:
    monitored = "{mode: real-time, capture: {}, monitor: {outcomes: {key: id}}}"
    text = MINIMAL.replace(", target: churned", "").replace("{mode: real-time}", monitored)
    given = text.replace("code: workload/", "source: s3://a/b/").replace(
        "    train: {script: train.py}\n", ""
    )
    assert [(each.path, each.message.partition(": ")[2]) for each in problems(tmp_path, given)] == [
        (
            "serving.api.monitor",
            (
                "no version that it serves is trained by this blueprint, so that none keeps the rows that"
                " calls are compared with"
            ),
        ),
        (
            "serving.api.monitor.outcomes.dataset",
            "'customers' does not say which column is the truth",
        ),
    ]


@pytest.mark.parametrize(
    ("schedule", "within", "found"),
    [
        ("", "", []),
        (
            "schedule: '*/30 * * * *', ",
            "",
            [
                (
                    "warning",
                    "serving.api.monitor.schedule",
                    "it runs 48 times a day, and each run reads the calls of 20 days again",
                )
            ],
        ),
        (
            "",
            ", within_days: 21",
            [
                (
                    "error",
                    "serving.api.monitor.outcomes.within_days",
                    "calls are deleted after 20 days",
                )
            ],
        ),
    ],
    ids=["as is left out", "often", "longer than calls are kept"],
)
def test_calls_that_wait_for_outcomes_are_read_again(
    tmp_path: Path, schedule: str, within: str, found: list[tuple[str, str, str]]
) -> None:
    monitored = f"{{{schedule}outcomes: {{key: id{within}}}}}"
    text = MINIMAL.replace(
        "{mode: real-time}",
        f"{{mode: real-time, capture: {{retention_days: 20}}, monitor: {monitored}}}",
    )
    told = problems(tmp_path, text)
    assert [(each.severity, each.path) for each in told] == [each[:2] for each in found]
    for each, (_, _, words) in zip(told, found, strict=True):
        assert words in each.message
    if not found:
        args = call_of(
            SAGEMAKER.plan(loaded(tmp_path, text).resolve("local")), "api_monitoring"
        ).args
        assert args["outcome_days"].value == 20


def test_what_is_promoted_is_monitored_with_a_right_to_read_what_its_version_keeps(
    tmp_path: Path,
) -> None:
    monitored = "{mode: real-time, capture: {}, monitor: {limits: {drift_psi: {at_most: 0.2}}}}"
    text = MINIMAL.replace("{mode: real-time}", monitored) + (
        "environments:\n"
        "  dev: {account: 012345678901}\n"
        "  prod: {account: 210987654321, models: {churn: {promote_from: dev}}}\n"
    )
    prod = plan(tmp_path, text, "prod")
    args = call_of(prod, "api_monitoring").args
    assert args["models"].value == []
    assert args["promoted"].value == ["012345678901/churn-dev-churn"]
    reads = call_of(prod, "api_monitoring_promotion")
    assert reads.args["role_arn"] == Ref("api_monitoring", "function_role_arn")
    assert reads.args["accounts"].value == ["012345678901"]
    dev = plan(tmp_path, text, "dev")
    assert call_of(dev, "api_monitoring").args["models"].value == ["churn"]
    assert "api_monitoring_promotion" not in {each.variable for each in dev}


def test_a_whole_is_refused_once(tmp_path: Path) -> None:
    text = (
        MINIMAL
        + "features: {person: {dataset: customers, entity: id, time: at, fields: {age: float}}}\n"
    )
    found = [item for item in problems(tmp_path, text) if item.path.startswith("features")]
    assert [item.path for item in found] == ["features"]


def test_an_entry_of_another_mode_is_refused_once(tmp_path: Path) -> None:
    text = MINIMAL.replace(
        "serving: {api: {mode: real-time}}",
        "serving: {site: {mode: edge, device: {architecture: arm64}, fleet: sites}}",
    )
    assert [item.path for item in problems(tmp_path, text)] == ["serving.site.mode"]


def test_a_canary_of_one_instance_is_a_warning(tmp_path: Path) -> None:
    text = MINIMAL.replace(
        "{mode: real-time}",
        "{mode: real-time, rollout: {strategy: canary, percent: 50, wait_minutes: 5}}",
    )
    (found,) = problems(tmp_path, text)
    assert (found.severity, found.path) == ("warning", "serving.api.rollout.strategy")


def test_two_entries_of_one_name_in_the_program_are_refused(tmp_path: Path) -> None:
    text = MINIMAL.replace("{api: {mode: real-time}}", "{data: {mode: real-time}}")
    (found,) = problems(tmp_path, text)
    assert (found.code, found.path) == ("name-taken", "serving.data")


def test_all_problems_are_told_in_one_pass(tmp_path: Path) -> None:
    text = MINIMAL.replace("version: 1.9", "version: 1.8").replace(
        "name: churn\n", "name: churn\norchestration: airflow\n"
    )
    assert {item.path for item in problems(tmp_path, text)} == {
        "orchestration",
        "models.churn.runtime.version",
    }
