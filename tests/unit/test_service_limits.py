"""What AWS's own models refuse of a request is told by `check`, at the blueprint's line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops_iac.clouds.base import Definition
from mlops_iac.clouds.registry import platform
from mlops_iac.errors import Diagnostic
from tests.sagemaker_blueprints import MAXIMAL, MINIMAL, PRIVATE, loaded

SAGEMAKER = platform("sagemaker")
TRAIN, SERVE, NAME = "train: {script: train.py}", "{mode: real-time}", "name: churn\n"
TUNE = "tune: {strategy: random, trials: 2, search: {a: {values: [1, 2]}}}"
METRICS = "metrics: {accuracy: maximize}\n    "
DATA = "datasets: {customers: {source: data/customers.csv, format: csv, target: churned}}"


def problems(folder: Path, text: str, environment: str = "local") -> list[Diagnostic]:
    return SAGEMAKER.check(loaded(folder, text).resolve(environment))


def many(count: int, value: str = "1") -> str:
    """`{k0: 1, k1: 1, …}`."""
    return "{" + ", ".join(f"k{i}: {value}" for i in range(count)) + "}"


def step(name: str, **fields: str) -> str:
    """A step in the place of `train`'s, or beside it."""
    said = ", ".join([f"script: {name}.py", *(f"{key}: {value}" for key, value in fields.items())])
    return f"{name}: {{{said}}}" if name == "train" else f"{name}: {{{said}}}\n    {TRAIN}"


SETS = (
    "{" + ", ".join(f"d{i}: {{source: data/customers.csv, format: csv}}" for i in range(20)) + "}"
)
NAMED = "[" + ", ".join(f"d{i}" for i in range(20)) + "]"
VARIANTS = (
    "{mode: real-time, variants: "
    "{"
    + ", ".join(f"v{i}: {{model: churn, traffic_percent: {10 if i < 9 else 5}}}" for i in range(11))
    + "}}"
)
ALARMS = (
    "{mode: real-time, rollout: {strategy: all-at-once, limits: {latency_p99_ms: {at_most: 5}}}, variants: {"
    + ", ".join(f"v{i}: {{model: churn, traffic_percent: {20 if i < 4 else 10}}}" for i in range(6))
    + "}}"
)

# what → (what is replaced, by what, path, words of the message, words of the hint)
ROWS: dict[str, tuple[str, str, str, str, str]] = {
    "hyperparameters, ours included": (TRAIN, step("train", hyperparameters=many(98)), "models.churn.train.hyperparameters", "at most 100 entries, not 101, 3 of them not written here", "write 97 at most"),
    "one hyperparameter's length": (TRAIN, step("train", hyperparameters="{text: " + "x" * 2501 + "}"), "models.churn.train.hyperparameters.text", "at most 2500 characters, not 2501", "shorten it"),
    "inputs of a processing job": (f"{DATA}\nmodels:\n  churn:", f"datasets: {SETS}\nmodels:\n  churn:\n    datasets: [d0, d1, d2, d3, d4, d5, d6, d7, d8, d9]\n    prepare: {{script: prepare.py}}", "models.churn.datasets", "at most 10 entries, not 11", "write 9 at most"),
    "channels of a training": (f"{DATA}\nmodels:\n  churn:", f"datasets: {SETS}\nmodels:\n  churn:\n    datasets: {NAMED}", "models.churn.datasets", "at most 20 entries, not 21, 1 of them", "write 19 at most"),
    "environment of a processing job": (TRAIN, step("prepare", env="{A: " + "x" * 257 + "}"), "models.churn.prepare.env.A", "at most 256 characters, not 257", "shorten it"),
    "environment of a training": (TRAIN, step("train", env="{A: " + "x" * 513 + "}"), "models.churn.train.env.A", "at most 512 characters, not 513", "shorten it"),
    "environment of all steps": (TRAIN, "env: {A: " + "x" * 513 + "}\n    " + TRAIN, "models.churn.env.A", "at most 512 characters, not 513", "shorten it"),
    "environment of a tuning": (TRAIN, METRICS + step("train", env=many(46, "x")) + "\n    " + TUNE, "models.churn.train.env", "at most 48 entries", "dataset check"),
    "checks in the environment": (f"{DATA}\n", DATA.replace("data/customers.csv", "s3://acme/customers/").replace("target: churned", "target: churned, checks: {" + ", ".join(f"c{i}: {{not_null: true}}" for i in range(100)) + "}") + "\n", "models.churn.train", "at most 100 entries", "dataset check"),
    "a processing job's disk": (TRAIN, step("prepare", compute="{size: small, disk_gb: 16385}"), "models.churn.prepare.compute.disk_gb", "at most 16384, not 16385", "write 16384 or less"),
    "metrics": (TRAIN, "metrics: " + many(41, "maximize") + f"\n    {TRAIN}", "models.churn.metrics", "at most 40 entries, not 41", "write 40 at most"),
    "an endpoint's disk": (SERVE, "{mode: real-time, compute: {size: small, disk_gb: 513}}", "serving.api.compute.disk_gb", "at most 512, not 513", "write 512 or less"),
    "an endpoint's environment": (SERVE, f"{{mode: real-time, env: {many(101, 'x')}}}", "serving.api.env", "at most 100 entries, not 106", "write 95 at most"),
    "one value of it": (SERVE, "{mode: real-time, env: {A: " + "x" * 1025 + "}}", "serving.api.env.A", "at most 256 characters", "shorten it"),
    "variants": (SERVE, VARIANTS, "serving.api.variants", "at most 10 entries, not 11", "write 10 at most"),
    "alarms that roll back": (SERVE, ALARMS, "serving.api.rollout.limits", "at most 10 entries, not 12", "one per variant and limit"),
    "tags of an object, ours included": (NAME, NAME + f"owner: a@b.example\ntags: {many(7, 'v')}\n", "tags", "at most 10 entries, not 11, 4 of them", "write 6 at most"),
    "a tag's value": (NAME, NAME + "tags: {team: 'a;b'}\n", "tags.team", "'a;b' does not match", "letters"),
    "a tag's key": (NAME, NAME + "tags: {'a;b': x}\n", "tags.a;b", "'a;b' does not match", "letters"),
    "the owner's tag": (NAME, NAME + "owner: 'a;b'\n", "owner", "'a;b' does not match", "letters"),
    "percentages of a budget": (NAME, NAME + f"alerts: {{o: {{email: a@b.example}}}}\nbudget: {{monthly_usd: 5, alert_percent: {list(range(1, 12))}}}\n", "budget.alert_percent", "at most 10 entries, not 12, 1 of them not written here", "write 9 at most"),
}  # fmt: skip


@pytest.mark.parametrize("what", list(ROWS))
def test_what_a_service_refuses_is_told_at_its_line(tmp_path: Path, what: str) -> None:
    old, new, path, words, hint = ROWS[what]
    assert MINIMAL.count(old) == 1
    text = MINIMAL.replace(old, new)
    (found,) = problems(tmp_path, text)
    assert (found.severity, found.code, found.path) == ("error", "service-limit", path)
    assert words in found.message
    assert hint in found.hint
    key = path.rpartition(".")[2]
    assert key in text.splitlines()[found.line - 1]


@pytest.mark.parametrize("count", [6, 7])
def test_as_many_tags_as_fit_are_taken(tmp_path: Path, count: int) -> None:
    """Without objects there is room for more: what only serves uploads none."""
    text = MINIMAL.replace(NAME, f"{NAME}owner: a@b.example\ntags: {many(count, 'v')}\n")
    brought = "source: s3://acme/model/\n    runtime: {image: 111122223333.dkr.ecr.eu-west-1.amazonaws.com/a:1}"
    start, end = text.index("    code:"), text.index("serving:")
    only_serves = text[:start] + f"    {brought}\n" + text[end:]
    assert bool(problems(tmp_path, text)) is (count == 7)
    assert problems(tmp_path, only_serves) == []


def test_the_narrowest_limit_is_told_once(tmp_path: Path) -> None:
    """A value of all steps breaks the limit of a training and that of a processing job."""
    new = "env: {A: " + "x" * 600 + f"}}\n    {step('prepare')}"
    (found,) = problems(tmp_path, MINIMAL.replace(TRAIN, new))
    assert "at most 256" in found.message


def test_what_a_stack_is_placed_in_is_told_where_it_stands(tmp_path: Path) -> None:
    """Jobs have it in their pipeline's definition, endpoints as a setting: one error for both."""
    subnets = str([f"subnet-{i}" for i in range(17)])
    text = MAXIMAL.replace("[subnet-1, subnet-2]", subnets)
    (found,) = [each for each in problems(tmp_path, text, "prod") if each.severity == "error"]
    assert found.path == "existing.subnets"
    assert "at most 16 entries, not 17" in found.message
    assert "subnets:" in text.splitlines()[found.line - 1]


@pytest.mark.parametrize("text", [MAXIMAL, PRIVATE], ids=["open", "closed"])
@pytest.mark.parametrize("environment", ["local", "dev", "prod"])
def test_what_can_be_planned_breaks_no_limit(tmp_path: Path, text: str, environment: str) -> None:
    """Whatever a request is made of, its members are those of the service's model."""
    assert not [each for each in problems(tmp_path, text, environment) if each.severity == "error"]


def test_a_version_is_for_transforms_only_on_a_type_of_theirs(tmp_path: Path) -> None:
    def registered(instance: str) -> list[str]:
        text = MINIMAL.replace(SERVE, f"{{mode: real-time, compute: {{instance: {instance}}}}}")
        calls = SAGEMAKER.plan(loaded(tmp_path, text).resolve("local"))
        definition = next(c.args["definition"] for c in calls if "definition" in c.args)
        assert isinstance(definition, Definition)
        (step,) = [s for s in json.loads(definition.content)["Steps"] if s["Name"] == "Register"]
        specification = step["Arguments"]["InferenceSpecification"]
        return list(specification.get("SupportedTransformInstanceTypes", ()))

    assert registered("ml.m5.large") == ["ml.m5.large"]
    assert registered("ml.t2.medium") == []  # endpoints know it, transforms do not
