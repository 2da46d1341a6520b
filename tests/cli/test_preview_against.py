"""`preview --against REF` as people see it: risks first, causes by line, noise folded."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.harness import EXAMPLE, ROOT, Cli, copy_example, environment


def git(folder: Path, *words: str) -> str:
    author = ("-c", "user.name=t", "-c", "user.email=t@t.example", "-c", "commit.gpgsign=false")
    answer = subprocess.run(
        ["git", *author, *words], cwd=folder, check=True, capture_output=True, text=True
    )
    return answer.stdout.strip()


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """The example with its locks, committed; one line and one tag changed since."""
    folder = copy_example(tmp_path_factory.mktemp("against") / "project")
    shutil.copytree(ROOT / "stacks" / EXAMPLE.name, folder / "stacks" / EXAMPLE.name)
    (folder / ".gitignore").write_text(".mlops-iac\n")
    cli = Cli(folder, environment())
    cli("compile", "-q")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "base")
    path = folder / "blueprint.yaml"
    text = path.read_text()
    assert text.count("max: 20") == text.count("cost-centre: 4711") == 1
    path.write_text(text.replace("max: 20", "max: 30").replace("centre: 4711", "centre: 4712"))
    return cli


def test_risks_first_then_causes_and_noise_folded(cli: Cli) -> None:
    answer = cli("preview", "-s", "prod", "--against", "main")
    first, *rest = answer.out.splitlines()
    target = "appautoscaling.Target/api-main-scaling"
    assert first == f"! costs more: {target}: instances at most: 20 → 30"
    at = rest.index(f"  ~ {target}")
    lines = (cli.folder / "blueprint.yaml").read_text().splitlines()
    line = next(n for n, words in enumerate(lines, 1) if "max: 30" in words)
    assert f"      ← blueprint.yaml:{line} serving.api.scaling.max: 20 → 30" in rest[at : at + 4]
    assert "change nothing but tags (--diff shows them)" in answer.out
    assert "s3.Bucket/data-data" not in answer.out
    assert "s3.Bucket/data-data" in cli("preview", "-s", "prod", "--against", "main", "--diff").out
    assert "compared with the lock file at main (" in answer.err
    assert git(cli.folder, "status", "--porcelain") == "M blueprint.yaml"


def test_json_has_pulumi_s_keys_and_the_review(cli: Cli) -> None:
    found = cli("preview", "--all", "--against", "main", "--json").json
    assert [each["review"]["stack"] for each in found] == ["dev", "staging", "prod"]
    assert {"steps", "duration", "changeSummary", "review"} <= set(found[2])
    (risk,) = found[2]["review"]["risks"]
    assert risk["kind"] == "cost"


def test_changes_where_none_are_expected(cli: Cli) -> None:
    for against in ("main", "lock"):
        words = ("preview", "-s", "prod", "--against", against, "--expect-no-changes")
        assert "changes in prod" in cli(*words, expect=7).err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--against", "nope", "-s", "prod"), "there is no commit 'nope'"),
        (("--against", "main~7", "-s", "prod"), "beyond the first commit"),
        (("--against", "main"), "local has no lock file"),
        (("--against", "main", "-s", "prod", "--live"), "takes no --live"),
        (("--against", "main", "-s", "prod", "--target", "a.B/c"), "--target"),
        (("--all", "--against", "main", "--engine", "pulumi"), "--engine"),
    ],
)
def test_what_cannot_be_compared(cli: Cli, words: tuple[str, ...], told: str) -> None:
    answer = cli("preview", *words, expect=2)
    assert told in answer.err
    assert "fix" in answer.err


def test_outside_of_a_repository(tmp_path: Path) -> None:
    folder = copy_example(tmp_path / "project")
    answer = Cli(folder, environment())("preview", "-s", "prod", "--against", "main", expect=2)
    assert "not in a git repository" in answer.err
