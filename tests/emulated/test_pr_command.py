"""`mlops-iac pr comment`: a saved review into a pull request, on loopback servers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlops_iac.cli._app import run
from mlops_iac.graph.saved_plan import SavedPlan
from mlops_iac.review.escape import PLATFORMS
from mlops_iac.review.markdown import to_markdown
from mlops_iac.review.model import Review
from tests.emulated.comment_servers import TOKEN, Fault, Platform, serving
from tests.emulated.test_review_post import REPOSITORIES, VARIABLES
from tests.unit.review_samples import EVERYTHING, ONE_LINE

CI = (
    "GITHUB_", "CI_", "SYSTEM_", "BUILD_", "BITBUCKET_", "GITLAB_", "TF_BUILD", "AZURE_", "GH_",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith(CI):
            monkeypatch.delenv(name)


def saved(folder: Path, review: Review = ONE_LINE, **more: Any) -> str:
    path = folder / "review.json"
    path.write_text(json.dumps({**review.to_json(), **more}), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_saved_review_becomes_a_comment(
    name: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    with serving(Platform(name)) as platform:
        monkeypatch.setenv(VARIABLES[name], TOKEN)
        flags = [
            "--platform", name, "--repo", REPOSITORIES[name], "--number", "7",
            "--api-url", platform.url,
        ]  # fmt: skip
        assert run(["pr", "comment", "--from", saved(tmp_path), *flags]) == 0
        assert "wrote a comment" in capsys.readouterr().err
        code = run(["pr", "comment", "--from", saved(tmp_path, EVERYTHING), *flags, "--json"])
        assert code == 0
        assert json.loads(capsys.readouterr().out)["action"] == "rewritten"
        assert [entry.body for entry in platform.entries] == [to_markdown(EVERYTHING, name)]


def test_a_saved_plan_brings_its_review(tmp_path: Path, capsys: Any) -> None:
    plan = SavedPlan("churn", "prod", "embedded", "lock", {}, [], review=ONE_LINE.to_json())
    path = tmp_path / "plan.json"
    path.write_bytes(plan.to_bytes())
    flags = ["--platform", "github", "--dry-run"]
    assert run(["pr", "comment", "--from", str(path), *flags]) == 0
    assert capsys.readouterr().out == to_markdown(ONE_LINE, "github")
    path.write_bytes(SavedPlan("churn", "prod", "embedded", "lock", {}, []).to_bytes())
    assert run(["pr", "comment", "--from", str(path), *flags]) == 2
    assert "without a review" in capsys.readouterr().err


def test_a_dry_run_asks_nobody_and_needs_no_token(tmp_path: Path, capsys: Any) -> None:
    with serving(Platform("github")) as platform:
        code = run(
            ["pr", "comment", "--from", saved(tmp_path), "--platform", "bitbucket", "--dry-run",
             "--api-url", platform.url]
        )  # fmt: skip
        assert code == 0
        assert capsys.readouterr().out == to_markdown(ONE_LINE, "bitbucket")
        assert platform.requests == []


def test_everything_comes_from_the_variables_of_the_ci(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(Platform("github")) as platform:
        for name, value in {
            "GITHUB_REPOSITORY": "o/r",
            "GITHUB_REF": "refs/pull/7/merge",
            "GITHUB_API_URL": platform.url,
            "GITHUB_RUN_ID": "31",
            "GITHUB_TOKEN": TOKEN,
        }.items():
            monkeypatch.setenv(name, value)
        assert run(["pr", "comment", "--from", saved(tmp_path), "--platform", "github"]) == 0
        assert '"run":31' in platform.entries[0].body


STEP = ONE_LINE.to_json()["steps"][0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "not a saved review"),
        ("null", "not a saved review"),
        ('{"format": 99, "kind": "review"}', "format 99"),
        ('{"format": 1, "kind": "review"}', "not a saved review"),
        ('{"kind": "mlops-iac plan", "format": 99}', "format 99"),
        (json.dumps({**ONE_LINE.to_json(), "steps": "x"}), "saved review"),
        (json.dumps({**ONE_LINE.to_json(), "project": 7}), "saved review"),
        (
            json.dumps({**ONE_LINE.to_json(), "risks": [{"kind": 1, "address": 2, "words": 3}]}),
            "review",
        ),
        (json.dumps({**ONE_LINE.to_json(), "steps": [{**STEP, "follows": [1]}]}), "review"),
        (
            json.dumps(
                {**ONE_LINE.to_json(), "steps": [{**STEP, "step": {**STEP["step"], "type": "x"}}]}
            ),
            "review",
        ),
        (
            json.dumps(
                {**ONE_LINE.to_json(), "steps": [{**STEP, "step": {**STEP["step"], "op": "boom"}}]}
            ),
            "review",
        ),
    ],
)
def test_a_file_that_is_no_review_posts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, content: str, words: str
) -> None:
    path = tmp_path / "review.json"
    path.write_text(content, encoding="utf-8")
    with serving(Platform("github")) as platform:
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        flags = [
            "--platform",
            "github",
            "--repo",
            "o/r",
            "--number",
            "7",
            "--api-url",
            platform.url,
        ]
        assert run(["pr", "comment", "--from", str(path), *flags]) == 2
        assert platform.entries == []
    told = capsys.readouterr()
    assert words in told.err
    assert "Traceback" not in told.err


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        (["--platform", "svn"], 2, "svn"),
        (["--platform", "github"], 2, "--repo"),
        (["--platform", "github", "--repo", "o/r", "--number", "x"], 2, "x"),
        (["--platform", "github", "--repo", "o/r", "--number", "1"], 3, "GITHUB_TOKEN"),
        (["--platform", "gitlab", "--repo", "g/p", "--number", "1"], 3, "GITLAB_TOKEN"),
    ],
)
def test_what_is_missing_or_wrong_is_told_first(
    tmp_path: Path, capsys: Any, flags: list[str], code: int, words: str
) -> None:
    assert run(["pr", "comment", "--from", saved(tmp_path), *flags]) == code
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(("status", "code"), [(401, 3), (403, 3), (404, 2), (422, 1)])
def test_exit_codes_are_those_of_the_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, status: int, code: int
) -> None:
    with serving(Platform("github")) as platform:
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        platform.faults.append(Fault(status, method="GET", body=f'{{"message": "{TOKEN}"}}'))
        flags = [
            "--platform",
            "github",
            "--repo",
            "o/r",
            "--number",
            "7",
            "--api-url",
            platform.url,
        ]
        assert run(["pr", "comment", "--from", saved(tmp_path), *flags, "-v"]) == code
    told = capsys.readouterr()
    assert TOKEN not in told.err + told.out
