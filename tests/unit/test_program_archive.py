"""Code archives: the same bytes for the same files, and nothing from outside."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from mlops_iac.errors import UsageError
from mlops_iac.program import archive


@pytest.fixture
def root(tmp_path: Path) -> Path:
    code = tmp_path / "code"
    (code / "lib").mkdir(parents=True)
    (code / "train.py").write_text("print(1)")
    (code / "lib" / "run.sh").write_text("#!/bin/sh")
    (code / "lib" / "run.sh").chmod(0o700)
    for junk in ("__pycache__/x.pyc", ".git/HEAD", ".venv/bin/python", "stray.pyc"):
        (code / junk).parent.mkdir(parents=True, exist_ok=True)
        (code / junk).write_text("junk")
    return code


def test_contents_order_modes_and_times_are_fixed(root: Path) -> None:
    files = archive.members(root, {"entry.py": b"entry"})
    packed = archive.pack(files)
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        entries = [(e.name, oct(e.mode), e.mtime, e.uid, e.uname) for e in tar.getmembers()]
    assert entries == [
        ("entry.py", "0o644", 0, 0, ""),
        ("lib/run.sh", "0o755", 0, 0, ""),
        ("train.py", "0o644", 0, 0, ""),
    ]
    os.utime(root / "train.py", (1, 1))
    (root / "train.py").chmod(0o600)
    again = archive.members(root, {"entry.py": b"entry"})
    assert archive.pack(again) == packed
    assert archive.digest(again) == archive.digest(files)


@pytest.mark.parametrize("change", ["content", "name", "mode", "extra"])
def test_the_digest_sees_every_change(root: Path, change: str) -> None:
    before = archive.digest(archive.members(root, {}))
    extra = {}
    if change == "content":
        (root / "train.py").write_text("print(2)")
    elif change == "name":
        (root / "train.py").rename(root / "fit.py")
    elif change == "mode":
        (root / "train.py").chmod(0o755)
    else:
        extra = {"x": b""}
    assert archive.digest(archive.members(root, extra)) != before


def test_links_inside_are_followed_and_links_that_lead_out_refused(
    root: Path, tmp_path: Path
) -> None:
    (root / "alias.py").symlink_to("train.py")
    assert archive.members(root, {})["alias.py"] == (b"print(1)", False)
    secret = tmp_path / "secret"
    secret.write_text("s")
    (root / "leak").symlink_to(secret)
    with pytest.raises(UsageError, match="leads out of the code folder"):
        archive.members(root, {})


def test_a_link_to_a_folder_and_a_pipe_are_refused(root: Path) -> None:
    (root / "more").symlink_to(root / "lib")
    with pytest.raises(UsageError, match="link to a folder"):
        archive.members(root, {})
    (root / "more").unlink()
    os.mkfifo(root / "pipe")
    with pytest.raises(UsageError, match="no regular file"):
        archive.members(root, {})


def test_missing_empty_and_too_large_folders_are_refused(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        archive.members(tmp_path / "nowhere", {})
    with pytest.raises(UsageError, match="is no folder"):
        archive.members(root / "train.py", {})
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="is empty"):
        archive.members(tmp_path / "empty", {})
    monkeypatch.setattr(archive, "LIMIT_BYTES", 10)
    with pytest.raises(UsageError, match="more than"):
        archive.members(root, {})
