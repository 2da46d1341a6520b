"""What is never packed: by git's own rules, and by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from dulwich.repo import Repo

from mlops_iac.blueprint.leaving import Leaving, left_out
from mlops_iac.errors import UsageError
from mlops_iac.program import archive


def written(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


@pytest.mark.parametrize(
    "name",
    [
        ".env", "lib/.env.prod", ".ENV", ".netrc", ".aws/", "deep/.aws/", ".docker/config.json",
        "home/.config/gcloud/", "id_rsa", "id_ed25519", "server.key", "server.PEM", "a.p12",
        "service-account-prod.json", "terraform.tfstate", "terraform.tfstate.backup", ".npmrc",
    ],
)  # fmt: skip
def test_secret_files_stay_out_by_name(tmp_path: Path, name: str) -> None:
    assert Leaving(tmp_path).why(name).startswith("secrets: ")


@pytest.mark.parametrize(
    "name",
    [
        ".env.example", "id_rsa.pub", "environment.py", "env/", "keys.py", "config.json", "aws/",
        "tokens.txt", "docker/config.json", ".config/", "x.docker/config.json", "secrets.py",
    ],
)  # fmt: skip
def test_what_only_sounds_like_it_is_packed(tmp_path: Path, name: str) -> None:
    assert Leaving(tmp_path).why(name) == ""


def test_git_decides_by_its_own_rules_and_never_about_what_it_tracks(tmp_path: Path) -> None:
    repository = Repo.init(str(tmp_path))
    (tmp_path / ".gitignore").write_text("*.csv\n!keep.csv\ndata/\n**/cache/*\n!**/cache/keep\n")
    written(
        tmp_path / "code",
        "a.py", "b.csv", "keep.csv", "kept.csv", "data/x", "data/y", "more/data/z", "cache/junk",
        "cache/keep", "own/.gitignore", "own/log.txt",
    )  # fmt: skip
    (tmp_path / "code/own/.gitignore").write_text("*.txt\n")
    (tmp_path / ".git" / "info" / "exclude").write_text("b.csv\na.py.bak\n")
    written(tmp_path / "code", "a.py.bak")
    repository.get_worktree().stage(["code/kept.csv", "code/data/x"])
    repository.close()

    assert set(left_out(tmp_path / "code")) == {
        "a.py.bak", "b.csv", "data/y", "more/data/", "cache/junk", "own/log.txt",
    }  # fmt: skip
    assert list(archive.members(tmp_path / "code", {})) == [
        "a.py", "cache/keep", "data/x", "keep.csv", "kept.csv", "own/.gitignore",
    ]  # fmt: skip


def test_a_folder_that_git_ignores_as_a_whole_is_packed_where_it_is_named(tmp_path: Path) -> None:
    Repo.init(str(tmp_path)).close()
    (tmp_path / ".gitignore").write_text("build/\n*.log\n")
    written(tmp_path / "build", "train.py", "x.log", ".env")
    assert list(archive.members(tmp_path / "build", {})) == ["train.py", "x.log"]


def test_a_checkout_inside_has_rules_of_its_own(tmp_path: Path) -> None:
    Repo.init(str(tmp_path)).close()
    (tmp_path / ".gitignore").write_text("*.bin\n")
    written(tmp_path / "code", "a.bin", "lib/a.bin", "lib/own.log")
    Repo.init(str(tmp_path / "code" / "lib")).close()
    (tmp_path / "code" / "lib" / ".gitignore").write_text("*.log\n")
    assert set(left_out(tmp_path / "code")) == {"a.bin", "lib/own.log"}


def test_what_stays_out_may_be_absent_or_of_any_kind(tmp_path: Path) -> None:
    Repo.init(str(tmp_path)).close()
    (tmp_path / ".gitignore").write_text("data\n")
    code = written(tmp_path / "code", "train.py")
    without = archive.digest(archive.members(code, {}))
    (code / "data").symlink_to(tmp_path.parent)
    written(code, ".env", ".aws/credentials")
    assert archive.digest(archive.members(code, {})) == without


def test_a_checkout_that_cannot_be_read_is_no_reason_to_pack_all_of_it(tmp_path: Path) -> None:
    written(tmp_path, "code/train.py", "code/data/x")
    (tmp_path / ".git").write_text("gitdir: /nowhere/that/is\n")
    assert len(archive.members(tmp_path / "code", {})) == 2  # no rule, so nothing to ask
    (tmp_path / ".gitignore").write_text("data/\n")
    with pytest.raises(UsageError, match="cannot be read"):
        archive.members(tmp_path / "code", {})
