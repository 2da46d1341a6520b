"""`template usage`: who stands on which version, over checkouts that nobody vouches for."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from mlops_iac.templates.lockfile import Lock, Pin, render_lock
from tests.cli.harness import Cli, environment
from tests.cli.template_sources import TEAM, git, publish

DIGEST = "sha256:" + "a" * 64


def checkout(
    folder: Path, source: str, requested: str, locked: str = "", *, as_of: str = "", owner: str = ""
) -> None:
    """A blueprint, and a lock where a version is locked; `as_of` is the range it was locked for."""
    folder.mkdir(parents=True)
    text = TEAM.format(source=source, version=requested, most=6)
    text = text.replace("name: churn", f"name: {folder.name}" + (f"\nowner: {owner}" * bool(owner)))
    (folder / "blueprint.yaml").write_text(text)
    if locked:
        pin = Pin(source, as_of or requested, "acme/standard", locked, DIGEST)
        (folder / "blueprint.lock").write_text(render_lock(Lock((pin,))))


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    folder = tmp_path_factory.mktemp("usage")
    source = publish(folder / "standard", major=True)
    one, two = folder / "one", folder / "two"
    checkout(one / "late", source, "^1.0", "1.0.0", owner="risk@acme.example")
    checkout(one / "later" / "inner", source, "^1.0", "1.1.0")
    checkout(one / "new", source, "^2", "2.0.0")
    checkout(two / "wrong", source, "^2", "1.1.1")
    checkout(two / "other", source, "^1.1", "1.1.1", as_of="^1.0")
    checkout(two / "free", source, "^1")
    checkout(two / "far", "git+file:///nowhere/standard", "^1", "1.0.0")
    (two / "plain").mkdir()
    (two / "plain" / "blueprint.yaml").write_text("blueprint: 1\nname: plain\n")
    (two / "broken").mkdir()
    (two / "broken" / "blueprint.yaml").write_text("blueprint: 1\nextends: [\n")
    checkout(two / "edited", source, "^1", "1.1.1")
    lock = two / "edited" / "blueprint.lock"
    lock.write_text(lock.read_text().replace("1.1.1", "1.1.0"))
    # A template in a repository is none of its users, and its tests are not either.
    (one / "platform").mkdir()
    (one / "platform" / "template.yaml").write_text("template: 1\nname: a/b\nversion: 1.0.0\n")
    (one / "platform" / "blueprint.yaml").write_text("extends: []\n")
    return Cli(folder, {**environment(), "MLOPS_IAC_CACHE": str(folder / "cache")})


def test_who_is_on_which_version_and_how_far_behind(cli: Cli) -> None:
    answer = cli("template", "usage", "one", "two", "--template", "standard")
    lines = answer.out.splitlines()
    assert lines[0] == "acme/standard · newest 2.0.0"
    assert lines[1].startswith("  8 blueprint(s): 2 on 1.0.0, 1 on 1.1.0, 2 on 1.1.1, 1 on 2.0.0,")
    assert "2 not pinned" in lines[1]
    assert "2 stale" in lines[1]
    told = {line.split()[0]: " ".join(line.split()[1:]) for line in lines[2:] if line}
    assert told["one/late/blueprint.yaml"] == (
        "late (risk@acme.example) 1.0.0 of ^1.0 major behind"
    )
    assert told["one/new/blueprint.yaml"] == "new 2.0.0 of ^2"
    assert told["two/wrong/blueprint.yaml"].endswith(
        "major behind: stale: 1.1.1 is pinned and ^2 is asked for"
    )
    assert told["two/other/blueprint.yaml"].endswith("and was ^1.0 when it was pinned")
    assert told["two/free/blueprint.yaml"] == "free – of ^1 not pinned: there is no blueprint.lock"
    assert "was edited by hand" in told["two/edited/blueprint.yaml"]
    # What is not pinned first, then the oldest.
    assert list(told)[:2] == ["two/edited/blueprint.yaml", "two/free/blueprint.yaml"]
    assert list(told)[-1] == "one/new/blueprint.yaml"
    assert "left out: two/broken/blueprint.yaml:3:" in answer.err
    assert "left out: two/edited/blueprint.lock:" in answer.err
    assert "9 blueprint(s), 1 without a template, 2 problem(s)" in answer.err


def test_a_source_that_does_not_answer_is_told_and_the_rest_goes_on(cli: Cli) -> None:
    answer = cli("template", "usage", "two", "--json")
    uses = {each["name"]: each for each in answer.json["uses"]}
    assert (uses["far"]["version"], uses["far"]["newest"]) == ("1.0.0", "")
    assert uses["other"]["newest"] == "2.0.0"
    assert any("file:///nowhere/standard" in note for note in answer.json["notes"])
    (summary,) = [each for each in answer.json["summaries"] if each["template"] == "acme/standard"]
    assert summary["versions"] == {"1.0.0": 1, "1.1.1": 2}
    assert summary["unpinned"] == 2
    assert len(summary["sources"]) == 2


def test_offline_asks_nobody(cli: Cli) -> None:
    answer = cli("template", "usage", "one", "--offline", PATH="/nowhere")
    assert "newest" not in answer.out
    assert "not asked for their newest version: --offline" in answer.err
    assert "  3 blueprint(s): 1 on 1.0.0, 1 on 1.1.0, 1 on 2.0.0" in answer.out.splitlines()


def test_overlapping_roots_count_once_and_a_missing_one_is_an_error(cli: Cli) -> None:
    answer = cli("template", "usage", "one", "one/late", ".", "--offline", "--json")
    names = [each["name"] for each in answer.json["uses"]]
    assert len(names) == len(set(names))
    assert "nowhere is not there" in cli("template", "usage", "nowhere", expect=2).err
    nobody = cli("template", "usage", "one", "--template", "none", "--offline")
    assert "no blueprint stands on 'none'" in nobody.err


def test_nothing_of_a_checkout_is_run_or_written(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "hostile"
    checkout(folder, "python:evil/template", "^1", "1.0.0")
    (folder / "evil").mkdir()
    (folder / "evil" / "__init__.py").write_text("raise SystemExit('was imported')\n")
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    answer = cli("template", "usage", str(folder), PYTHONPATH=str(folder))
    assert "was imported" not in answer.out + answer.err
    assert "1.0.0" in answer.out
    # The interpreter itself may cache what it reads; nothing else appears.
    assert git(folder, "status", "--porcelain", "--untracked-files=all").count("??") == 0


def test_a_thousand_blueprints_in_seconds(cli: Cli, tmp_path: Path) -> None:
    source = f"git+file://{cli.folder / 'standard'}"
    for number in range(1000):
        checkout(tmp_path / f"team{number % 20}" / f"repo{number}", source, "^1.0", "1.0.0")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    answer = cli("template", "usage", str(tmp_path))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 15
    assert "1000 blueprint(s): 1000 on 1.0.0, 1000 behind by a major" in answer.out
