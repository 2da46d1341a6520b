"""A value that a lock hides is compared all the same, and what cannot be is no "unchanged"."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.harness import Cli

PREVIEW = ("preview", "-s", "prod", "--expect-no-changes")
WORDS = "environment.API_TOKEN: [looks secret] → [looks secret] (not known to be the same)"


@pytest.fixture
def lock(cli: Cli, project: Path, edit: Callable[[str, str], None]) -> Path:
    """The lock of prod, whose endpoint has a variable that looks like a secret."""
    edit("    mode: real-time\n", "    mode: real-time\n    env: {API_TOKEN: hunter2}\n")
    cli("compile", "-q")
    cli("compile", "--check")
    cli(*PREVIEW)
    found = next(project.glob("stacks/*/mlops-iac.prod.lock.json"))
    assert "hunter" not in found.read_text()
    return found


def test_a_hidden_value_that_changes_is_a_change_in_every_form_of_a_preview(
    cli: Cli, project: Path, lock: Path, edit: Callable[[str, str], None]
) -> None:
    edit("hunter2", "hunter3")
    assert WORDS in cli(*PREVIEW, expect=7).out
    written = ("--save-plan", "plan.json", "--markdown", "review.md", "--html", "review.html")
    said = cli("preview", "-s", "prod", "--against", "lock", *written)
    data = cli("--json", *PREVIEW, expect=7)
    assert WORDS in said.out
    assert WORDS.replace(" → [looks", "\n+ [looks").partition("\n")[2] in (
        project / "review.md"
    ).read_text(encoding="utf-8")
    files = [project / name for name in written[1::2]]
    for text in (said.out, data.out, *(each.read_text(encoding="utf-8") for each in files)):
        assert "API_TOKEN" in text
        assert "scrypt" not in text
        assert "hunter" not in text


def test_a_lock_that_cannot_tell_is_not_taken_for_unchanged(cli: Cli, lock: Path) -> None:
    lock.write_text(re.sub(r"\[looks secret \w+:\w+\]", "[secret]", lock.read_text()))
    answer = cli(*PREVIEW, expect=7)
    assert "note: cannot be compared, as it is hidden: sagemaker.Model/" in answer.err
    cli("compile", "-q")
    cli(*PREVIEW)
