"""What a checkout brings along in `.mlops-iac/` leads nobody out of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlops_iac.errors import UsageError
from mlops_iac.workfolder import checked, created, made, write_durably

LINKS = [
    "",
    ".gitignore",
    "program",
    "program/__main__.py",
    "program/components/.api.py.mlops-iac~",
    ".program.lock",
    "state",
    "state/local.json",
    "state/.local.json.tmp",
    "state/local.journal",
    "state/secrets.key",
    "emulator",
    "emulator/lock",
    "emulator/server.json",
    "emulator/server.log",
    "blueprint.yaml.update.lock",
    "runs",
    "runs/1/run.json",
    "runs/1/train/log.txt",
    "runs/1/train/opt",
    "runs/1/tools/python3",
    "venvs",
    "venvs/1",
    "venvs/1.log",
    "pulumi/.pulumi",
    "ephemeral/pr-1",
]


@pytest.mark.parametrize("name", LINKS)
@pytest.mark.parametrize("to", ["file", "folder", "missing"])
def test_a_link_is_named_with_where_it_leads_and_nothing_is_made(
    tmp_path: Path, name: str, to: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("mine")
    (outside / "folder").mkdir()
    work = tmp_path / ".mlops-iac"
    link = work / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(outside / to)
    before = sorted(os.walk(tmp_path))
    for use in (checked, made):
        with pytest.raises(UsageError) as error:
            use(work)
        assert f"{link} is a link to {outside / to}" in error.value.message
        assert "delete the link" in error.value.hint
    assert sorted(os.walk(tmp_path)) == before
    assert (outside / "file").read_text() == "mine"


def test_links_that_others_make_where_nothing_of_ours_is_written_are_in_order(
    tmp_path: Path,
) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "link").symlink_to("project")  # a whole project may lie behind one
    work = tmp_path / "link" / ".mlops-iac"
    for name in ("venvs/1/bin/python", "runs/1/train/opt/ml/x", "runs/1/tune/001/opt/x"):
        link = work / name
        link.parent.mkdir(parents=True)
        link.symlink_to("/usr/bin/env")
    assert made(checked(work)) == work
    assert (work / ".gitignore").read_text() == "*\n"


def test_a_file_is_for_its_owner_alone_whatever_it_was(tmp_path: Path) -> None:
    file = tmp_path / "local.json"
    file.write_text("old")
    file.chmod(0o644)
    write_durably(file, b"new")
    assert file.read_bytes() == b"new"
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_nothing_is_written_through_a_link_that_came_after_the_check(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("mine")
    file = tmp_path / "local.json"
    file.symlink_to(mine)
    (tmp_path / ".local.json.tmp").symlink_to(mine)
    with pytest.raises(OSError, match="exists"):
        created(file)
    write_durably(file, b"new")
    assert mine.read_text() == "mine"
    assert not file.is_symlink()


def test_what_a_killed_command_was_writing_is_removed_when_it_is_old(tmp_path: Path) -> None:
    old, new = (tmp_path / f".local.json.{name}.tmp" for name in ("old", "new"))
    for path in (old, new):
        path.write_text("half")
    os.utime(old, (1, 1))
    write_durably(tmp_path / "local.json", b"whole")
    assert not old.exists()
    assert new.exists()
