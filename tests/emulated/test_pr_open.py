"""`mlops-iac pr open`: a branch's pull request, once, on loopback servers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.cli._app import run
from mlops_iac.review.escape import PLATFORMS
from mlops_iac.review.post.hosts import HOSTS
from tests.emulated.comment_servers import TOKEN, Fault, serving
from tests.emulated.request_servers import Requests
from tests.emulated.test_pr_command import _no_ci  # noqa: F401 - a fixture
from tests.emulated.test_review_post import REPOSITORIES, VARIABLES


def flags(platform: Requests, body: Path) -> list[str]:
    return [
        "pr", "open", "--platform", platform.name, "--repo", REPOSITORIES[platform.name],
        "--api-url", platform.url, "--head", "update", "--base", "main", "--title", "Update",
        "--body", str(body), "--json",
    ]  # fmt: skip


@pytest.mark.parametrize("name", PLATFORMS)
def test_it_is_opened_once_and_rewritten_after(
    name: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    body = tmp_path / "body.md"
    with serving(Requests(name)) as platform:
        monkeypatch.setenv(VARIABLES[name], TOKEN)
        for text, action in (("first", "opened"), ("second", "rewritten")):
            body.write_text(text, encoding="utf-8")
            assert run(flags(platform, body)) == 0
            told = json.loads(capsys.readouterr().out)
            assert (told["action"], told["number"]) == (action, 31)
        assert [each["text"] for each in platform.open] == ["second"]


@pytest.mark.parametrize("name", PLATFORMS)
def test_an_answer_that_was_lost_opens_no_second_one(
    name: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    body = tmp_path / "body.md"
    body.write_text("text", encoding="utf-8")
    with serving(Requests(name)) as platform:
        monkeypatch.setenv(VARIABLES[name], TOKEN)
        platform.faults = [Fault(method="POST", after=True)]  # done, and the line breaks
        assert run(flags(platform, body)) == 0
        assert len(platform.open) == 1


def test_a_forks_branch_of_that_name_is_somebody_elses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = tmp_path / "body.md"
    body.write_text("ours", encoding="utf-8")
    theirs = {"iid": 5, "source_project_id": 2, "target_project_id": 1, "text": "theirs"}
    with serving(Requests("gitlab", open=[theirs])) as platform:
        monkeypatch.setenv("GITLAB_TOKEN", TOKEN)
        assert run(flags(platform, body)) == 0
        assert [each["text"] for each in platform.open] == ["theirs", "ours"]


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_description_is_cut_at_a_paragraph_and_says_so(
    name: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    body = tmp_path / "body.md"
    body.write_text("a paragraph\n\n" * 100_000, encoding="utf-8")
    with serving(Requests(name)) as platform:
        monkeypatch.setenv(VARIABLES[name], TOKEN)
        assert run(flags(platform, body)) == 0
        [made] = platform.open
        assert HOSTS[name].longest - 100 < len(made["text"]) <= HOSTS[name].longest
        assert "a paragraph\n\n*Shortened" in made["text"]


def test_without_a_token_or_with_a_wrong_one_nothing_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    body = tmp_path / "body.md"
    body.write_text("text", encoding="utf-8")
    with serving(Requests("github")) as platform:
        assert run(flags(platform, body)) == 3
        monkeypatch.setenv("GITHUB_TOKEN", "of-somebody-else-8064")
        assert run(flags(platform, body)) == 3
        assert "8064" not in "".join(capsys.readouterr())
        assert platform.open == []
