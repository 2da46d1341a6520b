"""Where the paths of a blueprint may lead."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlops_iac.blueprint.reach import FOLDERS, Outside, Reach
from mlops_iac.errors import UsageError


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository `repo` with a blueprint's folder in it, and `outside` beside it."""
    for name in ("repo/.git", "repo/teams/churn", "repo/data", "outside/more"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "repo/data/x.csv").touch()
    (tmp_path / "outside/x.csv").touch()
    return tmp_path / "repo"


LINKS = {
    # sentence: (links as name → target, path from repo/teams/churn, where it leads or None)
    "a file of the same repository": ({}, "../../data/x.csv", "repo/data/x.csv"),
    "what is not there": ({}, "nothing/../here.csv", "repo/teams/churn/here.csv"),
    "a link within": ({"l": "data"}, "../../l/x.csv", "repo/data/x.csv"),
    "a chain within": ({"l": "m", "m": "data/x.csv"}, "../../l", "repo/data/x.csv"),
    "a link out and back": ({"l": "../repo/data"}, "../../l/x.csv", "repo/data/x.csv"),
    "above the repository": ({}, "../../../outside/x.csv", None),
    "a folder whose name begins like it": ({}, "../../../repo-two/x.csv", None),
    "a link out": ({"l": "../outside/x.csv"}, "../../l", None),
    "a chain out": ({"l": "m", "m": "../outside"}, "../../l/x.csv", None),
    "below a link out": ({"l": "../outside/more"}, "../../l/../x.csv", None),
    "a link in a circle, and out": ({"l": "l"}, "../../l/../../outside/x.csv", None),
}


@pytest.mark.parametrize("sentence", LINKS)
def test_a_path_is_judged_by_where_it_leads(repo: Path, sentence: str) -> None:
    links, text, leads = LINKS[sentence]
    for name, target in links.items():
        (repo / name).symlink_to(target)
    reach = Reach.around(repo / "teams/churn")
    if leads is not None:
        assert reach.inside(repo / "teams/churn" / text) == repo.parent / leads
        return
    with pytest.raises(Outside, match=f"'{text}' leads to .*, out of {repo}") as caught:
        reach.inside(repo / "teams/churn" / text, text)
    assert caught.value.hint == f"copy it into {repo}, or name its folder in {FOLDERS}"


def test_without_a_repository_the_root_is_the_blueprints_own_folder(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    assert Reach.around(tmp_path / "one").roots == (tmp_path / "one",)


def test_a_folder_that_is_a_link_has_the_repository_that_it_lies_in(repo: Path) -> None:
    (repo.parent / "churn").symlink_to(repo / "teams/churn")
    assert Reach.around(repo.parent / "churn").roots == (repo,)


def test_a_user_names_further_folders(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outside = repo.parent / "outside"
    monkeypatch.setenv(FOLDERS, os.pathsep.join(["", str(outside)]))
    assert Reach.around(repo).inside(repo / "../outside/x.csv") == outside / "x.csv"
    monkeypatch.setenv(FOLDERS, "outside")
    with pytest.raises(UsageError, match="'outside', which is no absolute path"):
        Reach.around(repo)


def test_a_fork_is_not_told_where_on_the_machine_it_leads(repo: Path) -> None:
    (repo / "l").symlink_to("../outside")
    with pytest.raises(Outside) as caught:
        Reach((repo,), fork=True).inside(repo / "l/x.csv", "l/x.csv")
    assert f"{caught.value.message} {caught.value.hint}" == (
        "'l/x.csv' leads out of the repository copy it into it"
    )
