"""Secrets on a disk do not reach what is committed, and what is left out is told."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

from tests.cli.harness import Cli


def test_files_with_secrets_are_not_packed_and_are_named(cli: Cli, project: Path) -> None:
    cli("compile", "-q")
    (project / "workload" / ".aws").mkdir()
    for name in (".env", ".aws/credentials", "notes.txt"):
        (project / "workload" / name).write_text("hush")
    subprocess.run(["git", "init", "-q", "."], cwd=project, check=True)
    (project / ".gitignore").write_text("notes.txt\n")

    # What is on this machine alone makes nothing stale, and changes no archive.
    assert cli("compile", "--check").code == 0
    answer = cli("compile", "--json")
    assert answer.json["written"] == []
    assert answer.json["left_out"] == {
        "workload/.aws/": "secrets: credentials of AWS",
        "workload/.env": "secrets: environment of a process",
        "workload/notes.txt": "git ignores it",
    }
    with tarfile.open(next(project.glob("stacks/*/code/*.tar.gz"))) as tar:
        assert not {".env", "notes.txt", ".aws/credentials"} & set(tar.getnames())
    said = cli("preview", "-s", "prod").err
    assert said.count("workload/.env (secrets: environment of a process)") == 1


def test_a_script_that_would_be_missing_in_the_archive_is_an_error(cli: Cli, project: Path) -> None:
    subprocess.run(["git", "init", "-q", "."], cwd=project, check=True)
    (project / ".gitignore").write_text("train.py\n")
    for command in ("validate", "compile"):
        said = cli(command, expect=2).err
        assert "error[not-packed]: 'workload/train.py' is not packed with the code: git ig" in said
        assert "script: train.py" in said
    subprocess.run(["git", "add", "-f", "workload/train.py"], cwd=project, check=True)
    assert cli("validate").code == 0
