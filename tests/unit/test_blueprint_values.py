"""What is written and what it means: scalars by the field's type, anchors, documents, defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlops_iac.blueprint import ResolvedBlueprint, load
from mlops_iac.blueprint.compose import compose
from mlops_iac.blueprint.sections.serving import Batch, RealTime
from mlops_iac.blueprint.source import Source
from mlops_iac.errors import BlueprintInvalid

HEAD = "blueprint: 1\nname: n\nplatform: sagemaker\nregion: eu-west-1\n"
DATASETS = "datasets: {d: {source: 's3://b/x', format: csv}}\n"
MODEL = "models: {m: {source: 's3://b/m', runtime: {framework: onnx, version: 1.20}}}\n"


def resolved(tmp_path: Path, text: str, environment: str = "local") -> ResolvedBlueprint:
    path = tmp_path / "blueprint.yaml"
    path.write_text(HEAD + text, encoding="utf-8")
    return load(path).resolve(environment)


TEXTS = {
    "012345678901": "012345678901",
    "0123": "0123",
    "0o17": "0o17",
    "1.20": "1.20",
    "1e-5": "1e-5",
    "on": "on",
    "no": "no",
    "NO": "NO",
    "true": "true",
    "2027-01-31": "2027-01-31",
    "1:30": "1:30",
    "1_000": "1_000",
    '"null"': "null",
    "'quo''ted'": "quo'ted",
    '"caf\\u00e9 ☕"': "café ☕",
    "$${name}": "${name}",
    "x ${name}/${region}": "x n/eu-west-1",
    "${environment}": "local",
    "$name": "$name",
    "${account}": "123456789012",
}


@pytest.mark.parametrize("written", TEXTS)
def test_a_text_field_takes_what_is_written(tmp_path: Path, written: str) -> None:
    found = resolved(tmp_path, f"tags:\n  key: {written}\n")
    assert found.blueprint.tags == {"key": TEXTS[written]}


FREE = {
    "true": True,
    "False": False,
    "yes": "yes",
    "on": "on",
    "3": 3,
    "-3": -3,
    "+3": 3,
    "007": 7,
    "0o17": "0o17",
    "0x1f": "0x1f",
    "1.50": 1.5,
    ".5": 0.5,
    "5.": 5.0,
    "1e-5": 1e-5,
    "1E3": 1000.0,
    ".inf": ".inf",
    ".nan": ".nan",
    "1_000": "1_000",
    "1:30": "1:30",
    "2027-01-31": "2027-01-31",
    "'3'": "3",
    "012345671234": 12345671234,
    "-": "-",
    "1.2.3": "1.2.3",
}


@pytest.mark.parametrize("written", [item for item in FREE if item != "-"])
def test_a_free_value_follows_the_core_schema(tmp_path: Path, written: str) -> None:
    text = (
        "datasets: {d: {source: 's3://b/x', format: csv}}\n"
        "models:\n  m:\n    code: .\n    runtime: {image: i}\n"
        f"    train:\n      script: t.py\n      hyperparameters:\n        key: {written}\n"
    )
    (tmp_path / "t.py").write_text("")
    train = resolved(tmp_path, text).blueprint.models["m"].train
    assert train is not None
    (value,) = train.hyperparameters.values()
    assert value == FREE[written]
    assert type(value) is type(FREE[written])


def test_a_long_number_is_a_text_and_not_a_crash(tmp_path: Path) -> None:
    digits = "9" * 5000
    found = resolved(tmp_path, f"overrides:\n  a: {{b: {digits}}}\n")
    assert found.blueprint.overrides == {"a": {"b": digits}}


def test_a_number_field_takes_exponents_and_keeps_whole_numbers_whole(tmp_path: Path) -> None:
    found = resolved(tmp_path, "budget: {monthly_usd: 300, alert_percent: [8e1, 99.5]}\n")
    assert found.blueprint.budget is not None
    assert repr(found.blueprint.budget.monthly_usd) == "300"
    assert found.blueprint.budget.alert_percent == (80.0, 99.5)


def test_free_values_keep_their_shape(tmp_path: Path) -> None:
    found = resolved(tmp_path, 'overrides: {"a.b": {list: [1, {c: "${name}"}], none: null}}\n')
    assert found.blueprint.overrides == {"a.b": {"list": [1, {"c": "n"}], "none": None}}
    assert found.leaves()['overrides."a.b".list'] == [1, {"c": "n"}]


def test_anchors_and_merge_keys_work(tmp_path: Path) -> None:
    text = (
        "datasets:\n"
        "  a: &table {source: 's3://b/a', format: csv, target: y}\n"
        "  b: {<<: *table, source: 's3://b/b'}\n"
        "  c: {<<: [{target: z}, *table]}\n"
    )
    datasets = resolved(tmp_path, text).blueprint.datasets
    assert [(item.source, item.target) for item in datasets.values()] == [
        ("s3://b/a", "y"),
        ("s3://b/b", "y"),
        ("s3://b/a", "z"),
    ]


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "blueprint.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + HEAD.replace("\n", "\r\n").encode())
    assert load(path).name == "n"


LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
)
FORMS = {
    "an empty file": ("", "not-a-mapping", 1, 1),
    "a file of comments": ("# nothing\n", "not-a-mapping", 1, 1),
    "a list": ("- a\n", "not-a-mapping", 1, 1),
    "a text": ("hello\n", "not-a-mapping", 1, 1),
    "two documents": ("a: 1\n---\nb: 2\n", "several-documents", 2, 1),
    "a tab": ("a:\n\tb: 1\n", "syntax", 2, 1),
    "wrong indentation": ("a:\n  b: 1\n c: 2\n", "syntax", 3, 2),
    "an open bracket": ("a: 1\nb: [1, 2\n", "syntax", 2, 4),
    "an open quote": ("a: 1\nb: 'x\n", "syntax", 2, 4),
    "a colon in a text": ("a: b: c\n", "syntax", 1, 5),
    "a reserved character": ("a: @b\n", "syntax", 1, 4),
    "a control character": ("a: 1\nb: \x07\n", "control-character", 2, 4),
    "a constructor": ("a: !!python/object:os.system x\n", "tag", 1, 4),
    "a duplicate key deep down": ("a: {b: {c: 1, c: 2}}\n", "duplicate-key", 1, 15),
    "an anchor that is not there": ("a: *x\n", "unknown-anchor", 1, 4),
    "an anchor in itself": ("a: &x {b: *x}\n", "recursive-anchor", 1, 11),
    "a merge of a text": ("a: {<<: b}\n", "merge", 1, 9),
    "a billion laughs": (LAUGHS, "too-large", 6, 15),
    "deep brackets": ("a: " + "[" * 100_000, "too-deep", 1, 54),
    "deep dashes": ("- " * 100_000, "too-deep", 1, 103),
    "deep indentation": (
        "\n".join(" " * depth + "a:" for depth in range(1000)),
        "too-deep",
        51,
        51,
    ),
}


@pytest.mark.parametrize("sentence", FORMS)
def test_a_text_that_is_no_blueprint_is_refused_where_it_stops_to_be_one(sentence: str) -> None:
    text, code, line, column = FORMS[sentence]
    try:
        _, found = compose(Source("b.yaml", text))
    except BlueprintInvalid as error:
        found = list(error.diagnostics)
    assert [(item.code, item.line, item.column) for item in found] == [(code, line, column)]
    assert found[0].snippet == text.split("\n")[line - 1]


def test_the_smallest_section_has_every_default(tmp_path: Path) -> None:
    found = resolved(tmp_path, "").blueprint
    assert found.timezone == "UTC"
    assert found.security.keys == "provider"
    assert found.security.network == "public"
    assert (found.tracking, found.orchestration) == ("native", "native")
    assert found.budget is None
    assert found.serving == {}
    assert found.approval == "none"


def test_local_is_not_protected_and_has_the_emulators_account(tmp_path: Path) -> None:
    text = "environments: {prod: {account: 012345678901}}\n"
    local = resolved(tmp_path, text).blueprint
    prod = resolved(tmp_path, text, "prod").blueprint
    assert (local.protect, local.account) == (False, "123456789012")
    assert (prod.protect, prod.account) == (True, "012345678901")
    assert resolved(tmp_path, "protect: true\n").blueprint.protect is True


def test_the_only_model_dataset_and_output_are_meant_where_none_is_named(tmp_path: Path) -> None:
    text = (
        "datasets: {d: {source: 's3://b/x', format: csv}, out: {format: csv}}\n"
        + MODEL
        + "serving: {api: {mode: real-time}, night: {mode: batch}}\n"
        + "features: {f: {entity: e, time: t, fields: {a: float}}}\n"
    )
    found = resolved(tmp_path, text)
    api, night = found.blueprint.serving.values()
    assert isinstance(api, RealTime)
    assert isinstance(night, Batch)
    assert (api.model, api.compute.size, api.scaling) == ("m", "small", None)
    assert (night.model, night.input, night.output) == ("m", "d", "out")
    assert night.compute.count == 1
    assert found.blueprint.features["f"].dataset == "d"
    assert found.origin("serving.api.model").layer == "default"


def test_a_single_variant_answers_every_call(tmp_path: Path) -> None:
    text = MODEL + "serving: {api: {mode: real-time, variants: {only: {}}}}\n"
    entry = resolved(tmp_path, text).blueprint.serving["api"]
    assert isinstance(entry, RealTime)
    assert entry.variants is not None
    assert entry.variants["only"].model == "m"
    assert entry.variants["only"].traffic_percent == 100


def test_an_instance_takes_the_place_of_the_default_size(tmp_path: Path) -> None:
    text = MODEL + "serving: {api: {mode: real-time, compute: {instance: ml.m5.large}}}\n"
    entry = resolved(tmp_path, text).blueprint.serving["api"]
    assert isinstance(entry, RealTime)
    assert (entry.compute.size, entry.compute.instance) == (None, "ml.m5.large")


def test_a_reference_that_could_mean_several_must_be_written(tmp_path: Path) -> None:
    text = (
        "models:\n"
        "  a: {source: 's3://b/m', runtime: {image: i}}\n"
        "  b: {source: 's3://b/m', runtime: {image: i}}\n"
        "serving: {api: {mode: real-time}}\n"
    )
    with pytest.raises(BlueprintInvalid, match=r"serving\.api needs one of model or variants"):
        resolved(tmp_path, text)


def test_a_resolved_blueprint_cannot_be_changed(tmp_path: Path) -> None:
    found = resolved(tmp_path, "")
    changed: Any = found.blueprint
    with pytest.raises(AttributeError, match="frozen"):
        changed.name = "other"
    with pytest.raises(AttributeError):
        found.environment = "prod"  # type: ignore[misc]
