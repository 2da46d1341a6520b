"""What `up` says of the stack file that the engine wrote into."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mlops_iac.cli.up import stack_file


@pytest.mark.parametrize("ephemeral", [False, True])
def test_what_opens_the_secrets_of_a_state_is_to_be_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ephemeral: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "stacks" / "churn"
    folder.mkdir(parents=True)
    own = folder if ephemeral else None  # nobody commits the program of an ephemeral stack
    project: Any = SimpleNamespace(root=tmp_path, name="churn", program_folder=own)
    changed = stack_file(project, "dev")
    assert changed() == []
    (folder / "Pulumi.dev.yaml").write_text("encryptionsalt: v1:x\n")
    said = "stacks/churn/Pulumi.dev.yaml has what opens the secrets of this state now: commit it"
    assert changed() == ([] if ephemeral else [said])
    assert stack_file(project, "dev")() == []
