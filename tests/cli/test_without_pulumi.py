"""Where there is no `pulumi` on PATH: told before anything is asked, made or changed."""

from __future__ import annotations

from pathlib import Path

from tests.cli.harness import Cli

COMMANDS = (
    ("preview", "--live", "-s", "prod"),
    ("up", "-s", "prod", "--yes"),
    ("status", "-s", "prod"),
    ("destroy", "-s", "prod", "--yes"),
    ("up", "--engine", "pulumi", "--yes"),
)


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_what_to_install_is_told_and_nothing_changes(cli: Cli, tmp_path: Path) -> None:
    cli("compile")
    empty = tmp_path / "bin"
    empty.mkdir()
    before = files(cli.folder)
    for command in COMMANDS:
        answer = cli(*command, expect=2, PATH=str(empty))
        assert "the Pulumi CLI is not installed" in answer.err
        assert "https://www.pulumi.com/docs/install/" in answer.err
        assert files(cli.folder) == before, command
