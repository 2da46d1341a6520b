"""What generated programs import: typed configuration, and overrides by address."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.runtime import config as pulumi_config
from pulumi.runtime.settings import get_root_resource, set_root_resource

from mlops_iac.program.overrides import OverrideError, Overrides
from mlops_iac.program.settings import SettingError, Settings, encode


class Recorder(pulumi.runtime.Mocks):
    def __init__(self) -> None:
        self.inputs: dict[str, Mapping[str, Any]] = {}

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        self.inputs[args.name] = args.inputs
        return f"{args.name}-id", dict(args.inputs)

    def call(self, args: pulumi.runtime.MockCallArgs) -> dict[str, Any]:
        raise AssertionError(args.token)


@pytest.fixture(scope="module", autouse=True)
def loop() -> Iterator[None]:
    """The SDK wants a loop in this thread, and its root resource belongs to one."""
    own = asyncio.new_event_loop()
    asyncio.set_event_loop(own)
    set_root_resource(None)  # type: ignore[arg-type]
    yield
    set_root_resource(None)  # type: ignore[arg-type]
    asyncio.set_event_loop(None)
    own.close()


@pytest.fixture
def recorder() -> Recorder:
    mocks = Recorder()
    pulumi.runtime.set_mocks(mocks, project="demo", stack="prod", preview=False)
    root = get_root_resource()
    if root is not None:
        root._transformations = []  # the SDK keeps the root from test to test
    return mocks


@pytest.fixture
def settings(recorder: Recorder, tmp_path: Path) -> Callable[..., Settings]:
    def make(secret: bool = False, **values: str) -> Settings:
        full = {f"demo:{key}": value for key, value in values.items()}
        pulumi_config.set_all_config(full, list(full) if secret else [])
        return Settings(tmp_path)

    return make


@pytest.mark.parametrize(
    ("method", "raw", "value"),
    [
        ("text", "0123", "0123"),
        ("integer", "20", 20),
        ("integer", "123456789012345678", 123456789012345678),
        ("integer", "4.0", 4),
        ("number", "1e-3", 0.001),
        ("flag", "false", False),
        ("items", '["a", 1]', ["a", 1]),
        ("mapping", '{"a": 1}', {"a": 1}),
    ],
)
def test_a_value_is_read_as_its_type(
    settings: Callable[..., Settings], method: str, raw: str, value: Any
) -> None:
    found = getattr(settings(key=raw), method)("key")
    assert found == value
    assert type(found) is type(value)
    assert getattr(settings(key=raw), f"optional_{method}")("key") == value
    assert getattr(settings(), f"optional_{method}")("key") is None


@pytest.mark.parametrize(
    ("method", "raw", "kind"),
    [
        ("integer", "4.5", "a whole number"),
        ("integer", "many", "a whole number"),
        ("number", "nan", "a number"),
        ("number", "1_000", "a number"),
        ("flag", "yes", "true or false"),
        ("flag", "True", "true or false"),
        ("items", '{"a": 1}', "a list"),
        ("items", "[", "a list"),
        ("mapping", "[]", "a mapping"),
    ],
)
def test_a_value_of_another_type_names_key_file_value_and_type(
    settings: Callable[..., Settings], method: str, raw: str, kind: str
) -> None:
    with pytest.raises(SettingError) as caught:
        getattr(settings(**{"a.b": raw}), method)("a.b")
    assert str(caught.value).startswith(f"a.b in Pulumi.prod.yaml must be {kind}, not {raw!r}")
    assert isinstance(caught.value, pulumi.RunError)  # so the plain CLI prints no traceback


def test_a_secret_value_is_never_shown(settings: Callable[..., Settings]) -> None:
    with pytest.raises(SettingError) as caught:
        settings(secret=True, key="hunter2").integer("key")
    assert "hunter2" not in str(caught.value)


def test_a_missing_value_says_how_to_set_it(settings: Callable[..., Settings]) -> None:
    with pytest.raises(SettingError) as caught:
        settings().integer("serving.api.max")
    assert "not set in Pulumi.prod.yaml" in str(caught.value)
    assert "pulumi config set serving.api.max" in str(caught.value)


def test_a_choice_allows_what_it_lists(settings: Callable[..., Settings]) -> None:
    assert settings(key="calm").choice("key", "calm", "fast") == "calm"
    with pytest.raises(SettingError, match="one of calm, fast"):
        settings(key="wild").choice("key", "calm", "fast")


def test_a_definition_is_read_beside_the_program(
    settings: Callable[..., Settings], tmp_path: Path
) -> None:
    (tmp_path / "x.json").write_text('{"ä": 1}', encoding="utf-8")
    assert settings().definition("x.json") == '{"ä": 1}'
    with pytest.raises(SettingError, match="mlops-iac compile"):
        settings().definition("y.json")


@pytest.mark.parametrize("value", [True, 3, 2.5, [1, "a"], {"a": {"b": False}}])
def test_encoded_values_are_what_pulumi_hands_over(value: Any) -> None:
    assert json.loads(encode(value)) == value


class Bucket(pulumi.CustomResource):
    def __init__(self, name: str, kms_key_arn: str | None = None) -> None:
        super().__init__("aws:s3/bucket:Bucket", name, {"kms_key_arn": kms_key_arn, "acl": "a"})

    @property
    @pulumi.getter(name="kmsKeyArn")
    def kms_key_arn(self) -> pulumi.Output[str]:
        return pulumi.get(self, "kms_key_arn")


def run(body: Callable[[], object]) -> None:
    @pulumi.runtime.test
    def inside() -> None:
        body()

    inside()


@pytest.mark.parametrize("spelling", ["kmsKeyArn", "kms_key_arn"])
def test_an_override_sets_and_removes_properties(recorder: Recorder, spelling: str) -> None:
    def body() -> None:
        overrides = Overrides({"s3.Bucket/data": {spelling: "arn:x", "acl": None}})
        Bucket("data")
        Bucket("other")
        overrides.verify(Settings(Path()))

    run(body)
    assert "arn:x" in recorder.inputs["data"].values()
    assert "a" not in recorder.inputs["data"].values()
    assert "a" in recorder.inputs["other"].values()


def test_an_override_of_an_unknown_property_is_refused(recorder: Recorder) -> None:
    def body() -> None:
        Overrides({"s3.Bucket/data": {"kmsKeyArm": "x"}})
        with pytest.raises(OverrideError, match="did you mean kmsKeyArn"):
            Bucket("data")

    run(body)


class Generated(pulumi.CustomResource):
    """As Pulumi generates a class: what goes in is named, what comes out is handed over as None."""

    def __init__(self, name: str) -> None:
        self._internal_init(name)

    def _internal_init(self, name: str, acl: str | None = None) -> None:
        super().__init__("aws:s3/bucket:Bucket", name, {"acl": acl, "arn": None})


def test_an_override_of_what_only_comes_out_is_refused(recorder: Recorder) -> None:
    def body() -> None:
        Overrides({"s3.Bucket/data": {"arn": "x"}, "s3.Bucket/other": {"acl": "private"}})
        with pytest.raises(OverrideError, match=r"'arn' of s3\.Bucket/data is what the cloud"):
            Generated("data")
        Generated("other")

    run(body)
    assert "private" in recorder.inputs["other"].values()


def test_an_override_that_matches_nothing_is_refused(settings: Callable[..., Settings]) -> None:
    def body() -> None:
        overrides = Overrides({"s3.Bucket/date": {"acl": "x"}})
        Bucket("data")
        with pytest.raises(OverrideError, match=r"did you mean s3\.Bucket/data"):
            overrides.verify(settings())
        waiting = settings()
        waiting.optional_text("models.m.version")
        overrides.verify(waiting)  # warns: the endpoint may come with the version

    run(body)
