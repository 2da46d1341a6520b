"""Each quickstart as somebody types it: every command, in order, exits and says what the page says.

A line of a `console` block that begins with `$` is a command; `# exits N` behind it is its exit code,
`# needs an AWS account` keeps it from being run here. The lines below are shown of what it says:
`…` stands for anything.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.cli import warm
from tests.cli.harness import ROOT, Cli, environment

CLOUD = "# needs an AWS account"
PAGES = sorted((ROOT / "docs").glob("quickstart-*.md"))
MOST_LINES = 70


@dataclass
class Typed:
    command: str
    exits: int
    shown: list[str] = field(default_factory=list)


def typed(page: str) -> list[Typed]:
    """The commands of a page."""
    found: list[Typed] = []
    for block in re.findall(r"^```console\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                exits = re.search(r"# exits (\d+)$", line)
                found.append(Typed(line[2:], int(exits[1]) if exits else 0))
            elif line.strip():
                found[-1].shown.append(line)
    return found


def missing(shown: list[str], said: str) -> list[str]:
    """The shown lines that were not said, in that order."""
    at, gone = 0, []
    for line in shown:
        form = re.escape(line.strip()).replace("…", ".*")
        if found := re.compile(form).search(said, at):
            at = found.end()
        else:
            gone.append(line)
    return gone


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_of_a_quickstart_does_what_the_page_says(page: Path, tmp_path: Path) -> None:
    here = tmp_path
    commands = typed(page.read_text(encoding="utf-8"))
    assert len(commands) > 5
    try:
        for each in commands:
            if each.command.endswith(CLOUD):
                continue
            done = subprocess.run(
                ["bash", "-c", f"{each.command}\ncode=$?; pwd > {tmp_path}/.at; exit $code"],
                cwd=here, env={**environment(), "PATH": warm.on_path()}, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8",
                timeout=180,
            )  # fmt: skip
            assert done.returncode == each.exits, f"$ {each.command}\n{done.stdout}"
            gone = missing(each.shown, done.stdout)
            assert not gone, f"$ {each.command}\nnot said: {gone}\n{done.stdout}"
            here = Path((tmp_path / ".at").read_text().strip())
    finally:
        for work in tmp_path.rglob(".mlops-iac/emulator"):
            Cli(work.parent.parent, environment())("local", "stop", expect=None)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_quickstart_stays_short(page: Path) -> None:
    assert len(page.read_text(encoding="utf-8").splitlines()) <= MOST_LINES
