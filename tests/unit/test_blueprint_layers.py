"""Environments and the command line: what is merged, what is replaced, and who said it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_iac.blueprint import LoadedBlueprint, load
from mlops_iac.blueprint.explain import explain
from mlops_iac.blueprint.sections.serving import RealTime
from mlops_iac.errors import BlueprintInvalid, StackNotFound, UsageError

TEXT = """\
blueprint: 1
name: churn
platform: sagemaker
region: eu-west-1
tags: {team: risk, tier: gold}
datasets: {d: {source: "s3://b-${environment}/x", format: csv, sensitive: [a, b]}}
models: {m: {source: "s3://b/m", runtime: {framework: onnx, version: 1.20}}}
serving:
  api:
    mode: real-time
    compute: {size: medium}
    scaling: {min: 1, max: 4, target: {requests_per_minute: 200}}
  old: {mode: real-time}
budget: {monthly_usd: 100}
environments:
  dev:
    protect: false
    serving: {old: null}
    budget: null
  prod:
    account: 012345678901
    region: eu-central-1
    tags: {tier: platinum}
    datasets: {d: {sensitive: [c]}}
    models: {m: {runtime: {image: "x:1"}}}
    serving:
      api:
        compute: {instance: ml.c5.large}
        scaling: {max: 20, target: {cpu_percent: 60}}
      new: {mode: real-time, model: m}
"""


def loaded(tmp_path: Path, text: str = TEXT, *command_line: str) -> LoadedBlueprint:
    path = tmp_path / "blueprint.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path, command_line=command_line)


def test_local_is_always_there_and_first(tmp_path: Path) -> None:
    assert loaded(tmp_path).environments == ("local", "dev", "prod")
    assert loaded(tmp_path, TEXT.partition("environments:")[0]).environments == ("local",)


def test_mappings_merge_and_the_rest_is_replaced(tmp_path: Path) -> None:
    prod = loaded(tmp_path).resolve("prod").blueprint
    assert prod.tags == {"team": "risk", "tier": "platinum"}
    assert prod.datasets["d"].sensitive == ("c",)
    assert prod.region == "eu-central-1"
    assert prod.environments == {}


def test_an_environment_does_not_touch_another(tmp_path: Path) -> None:
    found = loaded(tmp_path)
    dev, local = found.resolve("dev").blueprint, found.resolve("local").blueprint
    assert dev.tags == local.tags == {"team": "risk", "tier": "gold"}
    assert list(dev.serving) == ["api"]
    assert list(local.serving) == ["api", "old"]
    assert (dev.budget, dev.protect) == (None, False)


@pytest.mark.parametrize(
    ("environment", "source"), [("local", "s3://b-local/x"), ("prod", "s3://b-prod/x")]
)
def test_substitutions_follow_the_environment(
    tmp_path: Path, environment: str, source: str
) -> None:
    assert loaded(tmp_path).resolve(environment).blueprint.datasets["d"].source == source


def test_the_upper_layers_choice_drops_the_lowers(tmp_path: Path) -> None:
    prod = loaded(tmp_path).resolve("prod").blueprint
    api = prod.serving["api"]
    assert isinstance(api, RealTime)
    assert api.scaling is not None
    assert api.scaling.target is not None
    assert (api.compute.size, api.compute.instance) == (None, "ml.c5.large")
    assert (api.scaling.min, api.scaling.max) == (1, 20)
    assert (api.scaling.target.requests_per_minute, api.scaling.target.cpu_percent) == (None, 60)
    runtime = prod.models["m"].runtime
    assert runtime is not None
    assert (runtime.framework, runtime.version, runtime.image) == (None, None, "x:1")


def test_an_overlay_may_add_a_complete_entry(tmp_path: Path) -> None:
    assert list(loaded(tmp_path).resolve("prod").blueprint.serving) == ["api", "old", "new"]


def test_the_command_line_is_above_everything(tmp_path: Path) -> None:
    found = loaded(tmp_path, TEXT, "serving.api.scaling.max=7", "tags.team=x=y")
    api = found.resolve("prod").blueprint.serving["api"]
    assert isinstance(api, RealTime)
    assert api.scaling is not None
    assert api.scaling.max == 7
    assert found.resolve("dev").blueprint.tags["team"] == "x=y"
    origin = found.resolve("prod").origin("serving.api.scaling.max")
    assert (origin.layer, origin.file, origin.column) == ("command line", "command line", 25)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("serving.api.scaling.max", "is not PATH=VALUE"),
        ("=3", "is not PATH=VALUE"),
        ("serving..max=3", "is not PATH=VALUE"),
        ("serving.api.scaling.max=[", "a value is missing|not closed"),
        ("serving.api.scaling.max=many", "takes a whole number, not 'many'"),
        ("servin.api.scaling.max=3", "'servin' is not a section"),
        ("name=x", "'name' cannot differ"),
    ],
)
def test_a_bad_value_on_the_command_line_is_told(tmp_path: Path, given: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        loaded(tmp_path, TEXT, given)


def test_a_mistake_on_the_command_line_shows_the_argument(tmp_path: Path) -> None:
    with pytest.raises(BlueprintInvalid) as caught:
        loaded(tmp_path, TEXT, "serving.api.scaling.max=many")
    (item,) = caught.value.diagnostics
    assert (item.file, item.line, item.column) == ("command line", 1, 25)
    assert item.snippet == "serving.api.scaling.max=many"


def test_a_stack_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(StackNotFound, match="there is no stack 'prd'") as caught:
        loaded(tmp_path).resolve("prd")
    assert caught.value.hint == "did you mean 'prod'?"
    assert caught.value.exit_code == 6


PLACES = {
    # path: (environment, value, line, layer)
    "serving.api.scaling.max": ("prod", 20, 29, "environment prod"),
    "serving.api.scaling.min": ("prod", 1, 12, "blueprint"),
    "serving.api.compute.instance": ("prod", "ml.c5.large", 28, "environment prod"),
    "tags.team": ("prod", "risk", 5, "blueprint"),
    "tags.tier": ("prod", "platinum", 23, "environment prod"),
    "datasets.d.sensitive": ("prod", ("c",), 24, "environment prod"),
    "serving.new.mode": ("prod", "real-time", 30, "environment prod"),
    "serving.new.compute.size": ("prod", "small", 30, "default"),
    "models.m.registry.approval": ("prod", "manual", 7, "default"),
    "protect": ("dev", False, 17, "environment dev"),
    "timezone": ("dev", "UTC", 1, "default"),
    "name": ("local", "churn", 2, "blueprint"),
}


@pytest.mark.parametrize("path", PLACES)
def test_every_leaf_knows_where_it_comes_from(tmp_path: Path, path: str) -> None:
    environment, value, line, layer = PLACES[path]
    found = loaded(tmp_path).resolve(environment)
    origin = found.origin(path)
    assert found.leaves()[path] == value
    assert (origin.line, origin.layer) == (line, layer)
    assert origin.text == TEXT.split("\n")[line - 1]
    if layer != "default" and not isinstance(value, tuple | bool):
        assert origin.text[origin.column - 1 :].startswith(str(value))


def test_every_leaf_of_every_environment_has_an_origin_in_the_file(tmp_path: Path) -> None:
    found = loaded(tmp_path)
    for environment in found.environments:
        resolved = found.resolve(environment)
        for path in resolved.leaves():
            assert resolved.origin(path).line > 0
            assert resolved.origin(path).text


def test_a_platform_can_report_at_a_path(tmp_path: Path) -> None:
    prod = loaded(tmp_path).resolve("prod")
    item = prod.diagnostic("serving.api.compute.instance", "bad-instance", "no such type", "try x")
    assert (item.line, item.column, item.length) == (28, 29, len("ml.c5.large"))
    assert (item.code, item.hint, item.path) == (
        "bad-instance",
        "try x",
        "serving.api.compute.instance",
    )
    at_key = prod.diagnostic("serving.api.compute.instance", "c", "m", at_key=True)
    assert (at_key.line, at_key.column, at_key.length) == (28, 19, len("instance"))
    default = prod.diagnostic("serving.new.compute.size", "c", "m")
    assert (default.line, default.column, default.length) == (30, 7, len("new"))


def test_explain_says_value_meaning_and_line(tmp_path: Path) -> None:
    found = explain(loaded(tmp_path), "serving.api.scaling.max", "prod")
    assert (found.value, found.description, found.origin.line) == (20, "Never more.", 29)
    section = explain(loaded(tmp_path), "serving.api.scaling", "prod")
    assert section.value == {"min": 1, "max": 20, "target": {"cpu_percent": 60}}
    unset = explain(loaded(tmp_path), "serving.api.capture.percent")
    assert unset.value is None


@pytest.mark.parametrize(
    ("path", "message", "hint"),
    [
        ("serving.api.scalin", "'scalin' is not a field of serving.api", "did you mean 'scaling'?"),
        ("serving.apj", "there is no 'apj' in serving of local", "did you mean 'api'?"),
        ("tags.team.x", "there is no 'x' in tags.team of local", ""),
    ],
)
def test_explain_refuses_a_path_that_cannot_be(
    tmp_path: Path, path: str, message: str, hint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        explain(loaded(tmp_path), path)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_three_environments_promote_in_a_chain_and_not_in_a_circle(tmp_path: Path) -> None:
    chain = TEXT + "  staging: {models: {m: {promote_from: dev}}}\n"
    assert loaded(tmp_path, chain).environments[-1] == "staging"
    circle = chain.replace(
        "protect: false", "protect: false\n    models: {m: {promote_from: staging}}"
    )
    with pytest.raises(BlueprintInvalid, match="dev → staging → dev"):
        loaded(tmp_path, circle)
