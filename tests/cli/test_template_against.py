"""`preview --against REF` of what stands on templates: the ref's lock, and its folders."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.harness import Cli
from tests.cli.template_sources import (
    BLUEPRINT,
    MANIFEST,
    World,
    commit,
    git,
    release,
    side_by_side,
)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def beside(tmp_path: Path) -> Cli:
    return side_by_side(tmp_path)


def test_only_the_lock_or_a_folder_differs_from_a_ref(beside: Cli, tmp_path: Path) -> None:
    """`preview --against` takes the ref's lock and its folders, also those of templates."""
    base = tmp_path / "repo/platform/base"
    (base / "blueprint.yaml").write_text("budget: {monthly_usd: 200}\n")
    (base / "template.yaml").write_text("template: 1\nname: acme/base\nversion: 0.2.0\n")
    unchanged = beside("preview", "-s", "prod", "--against", "HEAD")
    assert "~0 update" in unchanged.out  # 0.1.0 is locked, and taken from the cache
    told = [line for line in unchanged.out.splitlines() if "acme/base" in line]
    assert all(line.startswith("! changes what judges it: platform/base/") for line in told)
    assert len(told) == 2
    beside("template", "update", "--yes", "-q")
    shutil.rmtree(tmp_path / "cache")  # HEAD's own folders have what HEAD's lock pins
    for name in ("dev", "prod"):  # without lock files the ref's blueprint is captured
        lock = tmp_path / f"repo/team/stacks/churn/mlops-iac.{name}.lock.json"
        lock.unlink()
    git(tmp_path / "repo", "add", "-A")
    answer = beside("preview", "-s", "prod", "--against", "HEAD")
    place = "../platform/base/blueprint.yaml:1"
    assert f"← {place} budget.monthly_usd: 100 → 200" in answer.out
    assert "~1 update" in answer.out
    git(tmp_path / "repo", "commit", "-qm", "no lock files")
    (base / "blueprint.yaml").write_text("budget: {monthly_usd: 300}\n")
    (base / "template.yaml").write_text("template: 1\nname: acme/base\nversion: 0.3.0\n")
    beside("template", "update", "--yes", "-q")
    answer = beside("preview", "-s", "prod", "--against", "HEAD")
    assert f"← {place} budget.monthly_usd: 200 → 300" in answer.out
    assert "its blueprint was captured by this version" in answer.err
    assert "/tmp" not in answer.out + answer.err.replace(str(tmp_path), "")


def test_a_number_changed_by_hand_is_seen_against_a_ref(world: World) -> None:
    world.change("version: ^1.0", "version: 1.1.0")
    answer = world.cli("preview", "-s", "prod", "--against", "HEAD")
    place = "acme/standard@1.1.0/blueprint.yaml"
    assert f"      ← {place}:2 security.keys: provider → customer" in answer.out
    assert f"      ← {place}:8 serving.api.capture: added" in answer.out
    assert "no single line" not in answer.out


def test_a_choice_by_a_parameter_is_caused_by_the_line_that_gives_it(world: World) -> None:
    world.change("{mail: ml@acme.example}", "{mail: ml@acme.example, tier: gold}")
    answer = world.cli("preview", "-s", "dev", "--against", "HEAD")
    line = world.line("tier: gold")
    assert f"      ← blueprint.yaml:{line} serving.api.scaling.max: 4 → 8" in answer.out


def test_files_that_a_template_names_are_the_ref_s(beside: Cli, tmp_path: Path) -> None:
    """Also where a parameter of the template, with or without a default, says which."""
    repository = tmp_path / "repo"
    folder = "  folder: {type: text, description: f, default: workload}\nlimits:\n"
    code = "models:\n  churn: {code: '${parameters.folder}/', train: {script: train.py}}\n"
    manifest = MANIFEST.replace("limits:\n", folder).replace("1.0.0", "1.1.0")
    release(repository / "platform/standard", manifest, BLUEPRINT + code)
    blueprint = beside.folder / "blueprint.yaml"
    text = blueprint.read_text().replace("    code: workload/\n", "")
    blueprint.write_text(text.replace("    train: {script: train.py}\n", ""))
    beside("template", "update", "--yes", "-q")
    beside("compile", "-q")
    git(repository, "rm", "-q", "--cached", "team/blueprint.lock")
    commit(repository, "code by the template")
    git(repository, "rm", "-q", "--cached", "team/blueprint.lock")
    git(repository, "commit", "-qm", "without a lock")
    (beside.folder / "workload" / "train.py").write_text("print(1)\n")
    answer = beside("preview", "-s", "prod", "--against", "HEAD")
    assert "      ← workload/train.py models.churn.code: other content" in answer.out.splitlines()
    assert "has no blueprint.lock: its templates are the newest that fit" in answer.err
    git(repository, "checkout", "-q", "team/workload")
    shutil.copytree(beside.folder / "workload", beside.folder / "other")
    (beside.folder / "other" / "train.py").write_text("print(2)\n")
    blueprint.write_text(blueprint.read_text().replace("{mail: ml", "{folder: other, mail: ml"))
    answer = beside("preview", "-s", "prod", "--against", "HEAD")
    assert "      ← blueprint.yaml:7 models.churn.code: workload/ → other/" in answer.out
    assert "other content" not in answer.out


def test_messages_about_a_ref_name_no_temporary_folder(beside: Cli, tmp_path: Path) -> None:
    """A commit whose lock is not what its folder holds: it could not be read there either."""
    base = tmp_path / "repo/platform/base"
    (base / "blueprint.yaml").write_text("budget: {monthly_usd: 999}\n")
    git(tmp_path / "repo", "rm", "-rqf", "team/stacks")
    commit(tmp_path / "repo", "broken")
    (base / "blueprint.yaml").write_text("budget: {monthly_usd: 200}\n")
    (base / "template.yaml").write_text("template: 1\nname: acme/base\nversion: 0.2.0\n")
    beside("template", "update", "--yes", "-q")
    shutil.rmtree(tmp_path / "cache")
    answer = beside("preview", "-s", "prod", "--against", "HEAD", expect=2)
    assert "../platform/standard/template.yaml at HEAD" in answer.err
    assert "acme/base@0.1.0 (../platform/base) is not what was pinned" in answer.err
    assert "/tree" not in answer.err
    assert str(tmp_path) not in answer.err
