"""Whatever is written, the reader answers with a blueprint or with typed errors."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from mlops_iac.api.compile.checks import problems
from mlops_iac.api.project import Project
from mlops_iac.blueprint import Blueprint, examine, inspect, load
from mlops_iac.blueprint.explain import plain
from mlops_iac.blueprint.pydantic_models import pydantic_model
from mlops_iac.blueprint.render import render
from mlops_iac.errors import BlueprintInvalid, UsageError
from tests.dumped_sections import dumped
from tests.examples import examples

SEED = """\
blueprint: 1
name: churn
platform: sagemaker
region: eu-west-1
tags: &tags {team: risk}
datasets:
  d: {source: "s3://b-${environment}/x", format: csv, sensitive: [a], checks: {c: {at_least: 0}}}
  events: {stream: {records_per_second: 5}}
  out: {format: parquet}
features: {f: {dataset: d, entity: e, time: t, fields: {a: float}}}
models:
  m:
    code: .
    runtime: {framework: onnx, version: 1.20}
    metrics: {accuracy: maximize}
    train: {script: t.py, hyperparameters: {a: 1}}
    tune: {trials: 3, search: {x: {continuous: [1e-3, 1]}}}
    evaluate: {script: e.py, gates: {accuracy: {at_least: 0.5}}}
    retrain: {schedule: "0 3 * * 1", limits: [drift_psi]}
serving:
  api:
    mode: real-time
    variants: {a: {traffic_percent: 90}, b: {traffic_percent: 10}}
    scaling: {min: 1, max: 4, target: {cpu_percent: 60}}
    capture: {}
    rollout: {strategy: canary, percent: 10, wait_minutes: 5}
    monitor: {outcomes: {dataset: d, key: k}, limits: {drift_psi: {at_most: 0.2}}}
  night: {mode: batch, input: d, output: out, schedule: "0 2 * * *"}
  feed: {mode: streaming, input: events, output: out}
  edge: {mode: edge, device: {architecture: arm64}, fleet: {existing: x}}
alerts: {a: {email: a@b.co}, w: {webhook: {secret: s}}}
secrets: {s: {}}
budget: {monthly_usd: 5}
moved: {serving.api: serving.old}
exceptions: {r: {at: name, reason: x, until: 2027-01-31}}
options: {sagemaker: {permissions_boundary: "x-${region}"}}
environments:
  dev: {serving: {night: null, api: {scaling: {max: 9}}}, tags: {<<: *tags, x: y}}
  prod: {account: 012345678901, models: {m: {promote_from: dev}}}
"""
ODD = [
    "",
    "null",
    "~",
    "{}",
    "[]",
    "{a: b}",
    "[a, b]",
    "-1",
    "1e999",
    "0x1",
    "''",
    "'a b'",
    "true",
    "*tags",
    "${x}",
    '"${name}"',
    '"\\0"',
    "{? [a] : b}",
    "x" * 300,
    "é",
    "&tags [*tags]",
    "{mode: batch}",
    "!!int 3",
    "|",
    "a.b",
]
TOKENS = re.findall(r"[\w./-]+|\"[^\"]*\"|[{}\[\]:,]", SEED)
SPANS = [
    match.span() for match in re.finditer(r"[\w./-]+|\"[^\"]*\"|\{[^{}]*\}|\[[^\[\]]*\]", SEED)
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("fuzz")
    for name in ("t.py", "e.py"):
        (made / name).write_text("")
    return made


def read(folder: Path, text: str) -> None:
    """Reads `text` and judges it, platform included; anything but a typed error escapes."""
    path = folder / "blueprint.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        loaded, found = examine(path, strict=True)
        if loaded is not None:
            problems(Project(loaded), found)
        loaded, found = inspect(path, strict=True)
    except UsageError as error:
        assert error.message
        return
    lines = len(re.split("\r\n|[\n\r\x85\u2028\u2029]", text))
    for item in found:
        assert item.message
        assert 0 <= item.line <= lines
        assert (item.line == 0) == (item.column == 0)
        assert item.length >= 1
    assert render(found, "text") is not None
    assert render(found, "sarif")
    assert len({(i.code, i.line, i.column, i.message) for i in found}) == len(found)
    if loaded is not None:
        for environment in loaded.environments:
            resolved = loaded.resolve(environment)
            made = resolved.blueprint
            assert pydantic_model(Blueprint).model_validate(plain(made)).model_dump() == dumped(
                made
            )
            for leaf in resolved.leaves():
                assert resolved.origin(leaf).line >= 1
    else:
        assert any(item.severity == "error" for item in found)
        with pytest.raises(BlueprintInvalid):
            load(path)


SLOW = settings(
    max_examples=examples(60),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def test_the_seed_itself_is_a_blueprint(folder: Path) -> None:
    path = folder / "blueprint.yaml"
    path.write_text(SEED)
    assert load(path).environments == ("local", "dev", "prod")


@SLOW
@given(text=st.text(max_size=200))
@example(text="\ufeff")
@example(text="a: \ud800")
@example(text="%YAML 1.1\n---\na: 1\n")
@example(text="? a\n: b\n")
@example(text="a: 1\r\n\tb")
@example(text="\u2028: [")
def test_any_text(folder: Path, text: str) -> None:
    read(folder, text)


@SLOW
@given(
    changes=st.lists(
        st.tuples(st.sampled_from(SPANS), st.sampled_from(ODD) | st.sampled_from(TOKENS)),
        min_size=1,
        max_size=4,
    )
)
def test_a_blueprint_with_values_in_wrong_places(
    folder: Path, changes: list[tuple[tuple[int, int], str]]
) -> None:
    text = SEED
    taken: list[tuple[int, int]] = []
    for (start, end), new in sorted(changes, reverse=True):
        assume(all(end <= other[0] or start >= other[1] for other in taken))
        taken.append((start, end))
        text = text[:start] + new + text[end:]
    read(folder, text)


@SLOW
@given(
    lines=st.permutations(SEED.split("\n")),
    start=st.integers(0, 40),
    count=st.integers(1, 12),
)
def test_a_blueprint_with_lines_lost_or_moved(
    folder: Path, lines: list[str], start: int, count: int
) -> None:
    kept = SEED.split("\n")
    read(folder, "\n".join(kept[:start] + kept[start + count :]))
    read(folder, "\n".join(kept[:start] + lines[:count] + kept[start:]))


@pytest.mark.parametrize("odd", ODD)
def test_values_replaced_by_something_odd(folder: Path, odd: str) -> None:
    for start, end in SPANS[ODD.index(odd) % 8 :: 8]:
        read(folder, SEED[:start] + odd + SEED[end:])


@SLOW
@given(given_value=st.text(max_size=40))
@example(given_value="a=\x00")
@example(given_value='"a.b=c')
@example(given_value="serving.api=[1")
@example(given_value="environments.dev.tags=1")
@example(given_value="tags=*x")
@example(given_value="tags.a=1\n---\n2")
def test_any_argument_of_the_command_line(folder: Path, given_value: str) -> None:
    path = folder / "blueprint.yaml"
    path.write_text(SEED)
    try:
        load(path, command_line=[given_value])
    except UsageError as error:
        assert error.message
