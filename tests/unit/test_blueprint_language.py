"""The language as a whole: the examples it is explained with, its schema, its reference, its models."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pydantic
import pytest
import yaml

from mlops_iac.blueprint import Blueprint, load, validate
from mlops_iac.blueprint.explain import plain
from mlops_iac.blueprint.fields import fields_of
from mlops_iac.blueprint.pydantic_models import pydantic_model
from mlops_iac.blueprint.schema import json_schema
from mlops_iac.blueprint.sections.base import Section
from mlops_iac.blueprint.sections.serving import Batch, Capture, Edge, RealTime, Streaming
from mlops_iac.blueprint.sections.values import Limit, SecretReference
from tests.dumped_sections import dumped
from tools.language_reference import reference_markdown

SMALLEST = """\
blueprint: 1
name: churn
platform: sagemaker
region: eu-west-1
datasets: {customers: {source: data/customers.csv, format: csv, target: churned}}
models: {churn: {code: workload/, runtime: {framework: scikit-learn, version: 1.9}, train: {script: train.py}}}
serving: {api: {mode: real-time}}
"""

EVERYTHING = """\
# yaml-language-server: $schema=blueprint-1.json
blueprint: 1  # version of this language
name: schedule-adherence
description: does it keep its schedule?
owner: analytics@acme.com
tags: {cost-centre: 4711}
extends: []
platform: sagemaker
region: eu-west-1
timezone: Europe/Amsterdam
state: {backend: "s3://state", secrets_provider: "awskms://alias/x"}

datasets:
  schedules:
    source: data/schedule_management.csv
    format: csv
    target: schedule_adherence
    time: reported_at
    window_days: 730
    sensitive: [region]
    checks: {project_id: {not_null: true}, progress: {at_least: 0}}
  open-projects: {source: "s3://acme-${environment}/projects/", format: parquet, partition: day, window_days: 1}
  outcomes: {source: "s3://acme-${environment}/outcomes/", format: parquet}
  forecasts: {format: parquet, retention_days: 400}
  site-events: {stream: {records_per_second: 500, record_kb: 2}}

features:
  project: {dataset: schedules, entity: project_id, time: reported_at, fields: {progress: float}, online: true, ttl_hours: 48}
  weather: {existing: "arn:aws:sagemaker:eu-west-1:012345678901:feature-group/weather"}

models:
  adherence:
    code: workload/
    runtime: {framework: scikit-learn, version: 1.9}
    datasets: [schedules]
    features: [project]
    metrics: {accuracy: maximize}
    env: {HF_TOKEN: {secret: chat-hook}, LOG_LEVEL: info}
    prepare: {script: prepare.py}
    train:
      script: train.py
      compute: {size: medium, spot: true, count: 1, disk_gb: 50}
      timeout_minutes: 60
      spot_wait_minutes: 30
      checkpoints: true
      hyperparameters: {cv_folds: 5}
    tune:
      strategy: bayesian
      trials: 20
      parallel: 4
      search:
        model: {values: [logistic, tree, forest]}
        max_depth: {integer: [2, 12]}
        C: {continuous: [1e-3, 1e2], scale: logarithmic}
    evaluate:
      script: evaluate.py
      explain: true
      gates: {accuracy: {at_least: 0.8, no_worse_than: current}, demographic_parity_difference: {at_most: 0.1}}
    registry: {approval: manual, keep_versions: 20, card: docs/model-card.md}
    retrain: {schedule: "0 3 * * 1", new_data: [schedules], limits: [drift_psi], cooldown_hours: 24}
  baseline:
    source: s3://acme-models/baseline/3/
    runtime: {framework: onnx, version: 1.20}

serving:
  api:
    mode: real-time
    variants:
      champion: {model: adherence, traffic_percent: 100}
      challenger: {model: baseline, shadow_percent: 50}
    compute: {size: small}
    scaling: {min: 2, max: 4, target: {requests_per_minute: 200}}
    rollout: {strategy: canary, percent: 10, wait_minutes: 10, limits: {error_rate_percent: {at_most: 1}}}
    capture: {percent: 100, retention_days: 30}
    callers: ["arn:aws:iam::012345678901:role/app"]
    monitor:
      schedule: "0 * * * *"
      outcomes: {dataset: outcomes, key: project_id}
      limits: {latency_p99_ms: {at_most: 300}, drift_psi: {at_most: 0.2}, accuracy: {at_least: 0.78}}
  nightly: {mode: batch, model: adherence, input: open-projects, output: forecasts, schedule: "0 2 * * *"}
  feed: {mode: streaming, model: adherence, input: site-events, output: forecasts}
  tablets: {mode: edge, model: adherence, device: {architecture: arm64, export: onnx, accelerator: npu}, fleet: sites}
  vans: {mode: edge, model: adherence, device: {architecture: arm64}, fleet: {existing: vans}}

tracking: mlflow
orchestration: native
delivery: {service: native, repository: github.com/acme/adherence, branch: main}
security: {network: private, egress: none, keys: customer, audit_log: true, access: {approvers: [ml-leads]}, identity: {issuer: "https://id", client: c, secret: chat-hook}}
alerts: {oncall: {email: oncall@acme.com}, chat: {webhook: {secret: chat-hook}}}
secrets: {chat-hook: {}}
budget: {monthly_usd: 500, alert_percent: [80, 100]}
moved: {serving.api: serving.old}
exceptions: {no-public: {at: serving.api, reason: an internal network, until: 2027-01-31}}
overrides: {"data-artifacts": {force_destroy: true}}

environments:
  dev:
    account: 012345678901
    protect: false
    moved: null
    exceptions: null
    serving: {tablets: null}
  prod:
    account: 210987654321
    deploy_as: arn:aws:iam::${account}:role/deployer
    approval: manual
    existing: {network: vpc-0a1b, subnets: [subnet-1, subnet-2], key: "arn:aws:kms:…", roles: {train: "arn:aws:iam::…"}, tracking: stack://mlflow/prod/url}
    models: {adherence: {promote_from: dev}}
    serving: {api: {scaling: {max: 20}}}
    options: {sagemaker: {permissions_boundary: "arn:aws:iam::…"}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for folder in ("data", "workload", "docs"):
        (tmp_path / folder).mkdir()
    for name in (
        "docs/model-card.md",
        "workload/prepare.py",
        "workload/train.py",
        "workload/evaluate.py",
    ):
        (tmp_path / name).write_text("")
    (tmp_path / "data/customers.csv").write_text("churned\n")
    (tmp_path / "data/schedule_management.csv").write_text(
        "project_id,region,reported_at,progress,schedule_adherence\n"
    )
    return tmp_path


def written(project: Path, text: str) -> Path:
    path = project / "blueprint.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_smallest_blueprint_is_complete(project: Path) -> None:
    found = load(written(project, SMALLEST)).resolve("local").blueprint
    assert found.models["churn"].datasets == ("customers",)
    api = found.serving["api"]
    assert isinstance(api, RealTime)
    assert (api.model, api.compute.size) == ("churn", "small")


def test_the_blueprint_with_everything_has_no_problem(project: Path) -> None:
    assert validate(written(project, EVERYTHING)) == []


def test_the_blueprint_with_everything_is_read_as_meant(project: Path) -> None:
    prod = load(written(project, EVERYTHING)).resolve("prod").blueprint
    assert prod.deploy_as == "arn:aws:iam::210987654321:role/deployer"
    assert prod.existing.subnets == ("subnet-1", "subnet-2")
    assert prod.existing.roles.train == "arn:aws:iam::…"
    assert prod.options.sagemaker.permissions_boundary == "arn:aws:iam::…"
    assert prod.models["baseline"].runtime is not None
    assert prod.models["baseline"].runtime.version == "1.20"
    tune = prod.models["adherence"].tune
    assert tune is not None
    assert tune.metric == "accuracy"
    assert tune.search["C"].continuous == (1e-3, 1e2)
    assert [type(item) for item in prod.serving.values()] == [
        RealTime,
        Batch,
        Streaming,
        Edge,
        Edge,
    ]


def test_the_modes_take_the_example_of_the_repository() -> None:
    example = Path(__file__).parents[2] / "examples" / "schedule-adherence" / "blueprint.yaml"
    assert [item for item in validate(example) if item.code != "missing-file"] == []


def test_what_the_reader_makes_is_what_pydantic_validates(project: Path) -> None:
    loaded = load(written(project, EVERYTHING))
    for environment in loaded.environments:
        made = loaded.resolve(environment).blueprint
        assert pydantic_model(Blueprint).model_validate(plain(made)).model_dump() == dumped(made)


def sections() -> Iterator[type[Section]]:
    todo: list[type[Section]] = [Section]
    while todo:
        for section in todo.pop().__subclasses__():
            if section.__module__.startswith("mlops_iac."):
                yield section
                todo.append(section)


def test_every_section_and_field_says_what_it_is_for() -> None:
    found = list(sections())
    assert len(found) > 40
    for section in found:
        assert section.__doc__, section
        config = pydantic_model(section).model_config
        assert config["frozen"]
        assert config["extra"] == "forbid"
        for key, field in fields_of(section).items():
            assert field.info.description, f"{section.__name__}.{key}"
            assert len(field.info.description) < 150


def test_every_alternative_names_fields_that_there_are() -> None:
    for section in sections():
        for group in (*section.ALTERNATIVES, *section.ONE_OF, *section.SOME_OF):
            if not issubclass(section, RealTime | Streaming):
                assert set(group) <= set(fields_of(section)), section
        for group in section.ONE_OF:
            assert group in section.ALTERNATIVES, "exactly one is also at most one"


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return json_schema()


def test_the_schema_is_a_schema_and_can_be_written(schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    assert json.loads(json.dumps(schema)) == schema
    assert schema["$id"] == "blueprint-1.json"


def test_the_schema_has_no_reference_that_leads_nowhere(schema: dict[str, Any]) -> None:
    text = json.dumps(schema)
    named = set(re.findall(r'"#/\$defs/(\w+)"', text))
    assert named <= set(schema["$defs"])


@pytest.mark.parametrize("text", [SMALLEST, EVERYTHING])
def test_the_schema_accepts_what_the_reader_accepts(schema: dict[str, Any], text: str) -> None:
    content = yaml.load(text, Loader=yaml.BaseLoader)
    native = json.loads(json.dumps(_core(content)))
    assert [
        error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(native)
    ] == []


def _core(value: Any) -> Any:
    match value:
        case dict():
            return {key: _core(item) for key, item in value.items()}
        case list():
            return [_core(item) for item in value]
        case "true" | "false" | "null":
            return {"true": True, "false": False, "null": None}[value]
        case str() if re.fullmatch(r"-?\d+", value):
            return int(value)
        case str() if re.fullmatch(r"-?\d*\.?\d+(e-?\d+)?", value):
            return float(value)
        case _:
            return value


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("mode: real-time", "mode: realtime"),
        ("serving:", "servings:"),
        ("mode: real-time", "mode: real-time, compute: {size: small, instance: x}"),
        ("mode: real-time", "mode: real-time, scaling: {max: many}"),
        ("train: {script: train.py}", "train: {}"),
        ("region: eu-west-1\n", ""),
    ],
)
def test_the_schema_rejects_what_editors_can_tell(
    schema: dict[str, Any], old: str, new: str
) -> None:
    content = _core(yaml.load(SMALLEST.replace(old, new), Loader=yaml.BaseLoader))
    assert not jsonschema.Draft202012Validator(schema).is_valid(content)


def test_the_schema_lets_an_environment_be_partial_and_remove(schema: dict[str, Any]) -> None:
    content = _core(yaml.load(SMALLEST, Loader=yaml.BaseLoader))
    validator = jsonschema.Draft202012Validator(schema)
    fine = {"dev": {"serving": {"api": {"scaling": {"max": 3}}, "old": None}, "budget": None}}
    assert validator.is_valid({**content, "environments": fine})
    for wrong in ({"platform": "vertex"}, {"serving": {"api": {"scalin": {}}}}):
        assert not validator.is_valid({**content, "environments": {"dev": wrong}})


def test_every_field_is_described_in_the_schema(schema: dict[str, Any]) -> None:
    for name, definition in schema["$defs"].items():
        if name.startswith("Partial"):
            continue
        for key, item in definition.get("properties", {}).items():
            assert item.get("description") or "$ref" in item, f"{name}.{key}"


def test_the_reference_names_every_section_and_field() -> None:
    text = reference_markdown({})
    assert text == reference_markdown({})
    headings = re.findall(r"^## (\w+)$", text, re.MULTILINE)
    assert len(headings) == len(set(headings))
    for link in re.findall(r"\]\(#(\w+)\)", text):
        assert link in {heading.lower() for heading in headings}
    for section in sections():
        if section.__name__ in headings:
            for key in fields_of(section):
                assert f"| `{key}` |" in text
    assert "| `size` | `small` \\| `medium`" in text
    assert "| `max` | whole number, at least 1 | **needed** | Never more. |" in text
    rows = [line for line in text.split("\n") if line.startswith("| `")]
    assert {line.replace("\\|", "").count("|") for line in rows} <= {5, 6}


def test_sections_are_made_by_hand_with_their_defaults_and_stay_as_they_are() -> None:
    made: Any = Limit(at_least=1)
    assert (made.at_least, made.at_most) == (1, None)
    assert made == Limit(at_least=1, at_most=None) != Limit(at_most=1)
    assert hash(made) == hash(Limit(at_least=1))
    assert repr(made) == "Limit(at_least=1, at_most=None)"
    for change in (lambda: setattr(made, "at_most", 2), lambda: delattr(made, "at_most")):
        with pytest.raises(AttributeError, match="frozen"):
            change()
    wrong: Any = SecretReference
    with pytest.raises(TypeError, match="SecretReference needs secret"):
        wrong()
    with pytest.raises(TypeError, match="SecretReference has no nonsense"):
        wrong(secret="a", nonsense=1)


def test_pydantic_models_refuse_what_the_language_does_not_have() -> None:
    model = pydantic_model(Limit)
    with pytest.raises(pydantic.ValidationError, match="Extra inputs"):
        model.model_validate({"atleast": 1})
    with pytest.raises(pydantic.ValidationError, match="less than or equal to 100"):
        pydantic_model(Capture).model_validate({"percent": 101})
    serving = {"mode": "quantum"}
    smallest = {"blueprint": 1, "name": "n", "platform": "sagemaker", "region": "r"}
    with pytest.raises(pydantic.ValidationError, match="quantum"):
        pydantic_model(Blueprint).model_validate({**smallest, "serving": {"api": serving}})
