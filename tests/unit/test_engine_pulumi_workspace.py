"""The real CLI's surroundings: what is refused, what is written where."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parents[1] / "engine_support"))

from memory_provider import MemoryProvider
from programs import make_target

from mlops_iac.engine import pulumi_workspace as workspace
from mlops_iac.engine.pulumi_cli import PulumiEngine
from mlops_iac.errors import UsageError


def test_without_the_cli_nothing_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = make_target(tmp_path, "", stack="prod")
    monkeypatch.setenv("PATH", str(tmp_path))
    engine = PulumiEngine({})
    for call in (
        engine.preview,
        engine.up,
        engine.refresh,
        engine.destroy,
        engine.plan_destroy,
        engine.outputs,
        engine.resources,
    ):
        with pytest.raises(UsageError, match="Pulumi CLI is not installed") as caught:
            call(target)  # type: ignore[operator]
        assert "pulumi.com/docs/install" in caught.value.hint
        assert caught.value.exit_code == 2
    assert sorted(path.name for path in tmp_path.rglob("*")) == [
        "Pulumi.yaml",
        "__main__.py",
        "program",
    ]


def test_the_backend_of_the_blueprint_is_the_stacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PULUMI_DEBUG_PROVIDERS", raising=False)
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    target = replace(make_target(tmp_path, "", stack="prod"), backend="s3://states")
    with workspace.environment(target, {}) as variables:
        assert variables["PULUMI_BACKEND_URL"] == "s3://states"
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://states")
    with workspace.environment(target, {}):
        pass
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://others")
    with (
        pytest.raises(UsageError, match="names another backend") as caught,
        workspace.environment(target, {}),
    ):
        pass
    assert "state.backend" in caught.value.hint


def test_a_stack_is_made_under_the_secrets_provider_of_the_blueprint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlops_iac.engine import pulumi_stack

    said: list[tuple[str, ...]] = []
    monkeypatch.setattr(pulumi_stack, "command", object)
    monkeypatch.setattr(pulumi_stack._Unselected, "_pulumi", lambda _, *words: said.append(words))
    for provider in ("awskms://alias/x", ""):
        folder = pulumi_stack._workspace(tmp_path, {}, provider)
        folder.create_stack("prod")
    made = ("stack", "init", "--no-select", "--stack", "prod")
    assert said == [(*made, "--secrets-provider", "awskms://alias/x"), made]


def test_a_real_stack_never_sees_an_emulated_cloud(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = make_target(tmp_path, "", stack="prod")
    monkeypatch.delenv("PULUMI_DEBUG_PROVIDERS", raising=False)
    with workspace.environment(target, {"aws": MemoryProvider()}) as variables:
        assert "PULUMI_DEBUG_PROVIDERS" not in variables
        assert "PULUMI_BACKEND_URL" not in variables
    monkeypatch.setenv("PULUMI_DEBUG_PROVIDERS", "aws:1")
    with (
        pytest.raises(UsageError, match="PULUMI_DEBUG_PROVIDERS is set"),
        workspace.environment(target, {}),
    ):
        pass


def test_local_has_its_own_backend_and_passphrase(tmp_path: Path) -> None:
    target = make_target(tmp_path, "")
    found = []
    for _ in range(2):
        with workspace.environment(target, {"aws": MemoryProvider()}) as variables:
            assert variables["PULUMI_DEBUG_PROVIDERS"].startswith("aws:")
            assert variables["PULUMI_BACKEND_URL"].endswith("/.mlops-iac/pulumi")
            found.append(variables["PULUMI_CONFIG_PASSPHRASE"])
    assert found[0] == found[1]
    assert len(found[0]) > 30
    assert (target.work / "pulumi/passphrase").stat().st_mode & 0o777 == 0o600


SETTINGS: dict[str, Any] = {
    "encryptionsalt": "v1:x",
    "config": {
        "proj:old": "1",
        "proj:key": {"secure": "v1:y"},
        "aws:region": "us-east-1",
        "theirs:thing": "kept",
    },
}


def test_configuration_is_merged_into_a_copy(tmp_path: Path) -> None:
    target = make_target(
        tmp_path,
        "",
        stack="prod",
        config={"proj:new": 3, "proj:list": ["a"], "proj:key": "k", "aws:region": "eu-west-1"},
        secret_keys=frozenset({"proj:key"}),
    )
    source = target.program / "Pulumi.prod.yaml"
    source.write_text(yaml.safe_dump(SETTINGS))
    before = source.read_text()
    merged = yaml.safe_load(workspace.write_config(target).read_text())
    assert merged == {
        "encryptionsalt": "v1:x",
        "config": {
            "proj:new": 3,
            "proj:list": ["a"],
            "proj:key": {"secure": "v1:y"},
            "aws:region": "eu-west-1",
            "theirs:thing": "kept",
        },
    }
    assert source.read_text() == before


def test_a_secret_is_never_written_in_clear(tmp_path: Path) -> None:
    target = make_target(
        tmp_path, "", stack="prod", config={"proj:key": "k"}, secret_keys=frozenset({"proj:key"})
    )
    with pytest.raises(UsageError, match="secret proj:key has no encrypted value") as caught:
        workspace.write_config(target)
    assert "pulumi config set --secret" in caught.value.hint


@pytest.mark.parametrize("text", ["[]", "config: 1", "a: ["])
def test_damaged_settings(tmp_path: Path, text: str) -> None:
    target = make_target(tmp_path, "", stack="prod")
    (target.program / "Pulumi.prod.yaml").write_text(text)
    with pytest.raises(UsageError, match=r"Pulumi\.prod\.yaml"):
        workspace.write_config(target)


def test_another_key_opens_no_encrypted_values(tmp_path: Path) -> None:
    target = make_target(tmp_path, "", stack="prod", config={"proj:new": 3})
    source = target.program / "Pulumi.prod.yaml"
    source.write_text(yaml.safe_dump({"encryptionsalt": "v1:old", "config": {"theirs:x": "y"}}))
    written = workspace.write_config(target, key={"encryptionsalt": "v1:new", "config": {"z": 1}})
    assert yaml.safe_load(written.read_text()) == {
        "encryptionsalt": "v1:new",
        "config": {"theirs:x": "y", "proj:new": 3},
    }
    source.write_text(yaml.safe_dump({"config": {"theirs:x": [{"secure": "v1:y"}]}}))
    with pytest.raises(UsageError, match="only its key opens its secrets") as caught:
        workspace.write_config(target, key={"encryptionsalt": "v1:new"})
    assert "pulumi stack init prod" in caught.value.hint
