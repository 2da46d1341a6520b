"""A project of its own for each test, and the command that runs in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.harness import Cli, copy_example, environment


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return copy_example(tmp_path / "project")


@pytest.fixture
def cli(project: Path) -> Iterator[Cli]:
    command = Cli(project, environment())
    yield command
    if (project / ".mlops-iac" / "emulator").exists():
        command("local", "stop", expect=None)


@pytest.fixture
def edit(project: Path) -> Callable[[str, str], None]:
    """Change the blueprint: one text for another, which must stand there exactly once."""

    def change(old: str, new: str) -> None:
        path = project / "blueprint.yaml"
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the blueprint"
        path.write_text(text.replace(old, new), encoding="utf-8")

    return change
