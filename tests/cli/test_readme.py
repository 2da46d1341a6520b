"""README's everyday commands, in the order in which they stand, as somebody types them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.cli import warm
from tests.cli.harness import ROOT, Cli, environment, teach_nothing

# What a person is asked at a terminal; there is none here.
ANSWERED = {
    "mlops-iac init ": " --data owner=ann@acme.example",
    "mlops-iac up": " --yes",
    "mlops-iac destroy": " --yes",
}
# A real stack needs an account, and with it credentials; a lock needs an index that has this package.
NEEDS_OTHERS = re.compile(r"(up|status) -s prod|--live|--index-url URL")
AUTHOR = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Ann"), ("EMAIL", "ann@acme.example"))
}


def everyday() -> list[str]:
    """The commands of the section, without what is said about them."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.split("## Every day", 1)[1].split("\n## ", 1)[0]
    lines = re.findall(r"^\$ (.*)$", section, re.MULTILINE)
    return [line.split("  #")[0].split(" # ")[0].strip() for line in lines]


def test_every_everyday_command_works_after_those_above_it(tmp_path: Path) -> None:
    commands = everyday()
    assert [each for each in commands if NEEDS_OTHERS.search(each)] == [
        "mlops-iac up -s prod",
        "mlops-iac preview -s prod --live --save-plan plan.json && mlops-iac up -s prod --plan plan.json",
        "mlops-iac status -s prod",
        "mlops-iac ci lock --index-url URL",
    ]
    here = tmp_path
    try:
        for command in commands:
            if NEEDS_OTHERS.search(command):
                continue
            more = next((word for begin, word in ANSWERED.items() if command.startswith(begin)), "")
            done = subprocess.run(
                ["bash", "-c", f"{command}{more}\ncode=$?; pwd > {tmp_path}/.at; exit $code"],
                cwd=here, env={**environment(), **AUTHOR, "PATH": warm.on_path()}, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8",
                timeout=180,
            )  # fmt: skip
            assert done.returncode == 0, f"$ {command}\n{done.stdout}"
            if command.startswith("mlops-iac init my-project"):
                teach_nothing(here / "my-project")  # a quickstart trains it
            here = Path((tmp_path / ".at").read_text(encoding="utf-8").strip())
            if command == "mlops-iac status":
                assert "InService" in done.stdout
    finally:
        for work in tmp_path.rglob(".mlops-iac/emulator"):
            Cli(work.parent.parent, environment())("local", "stop", expect=None)
