"""What a backend is asked, by a stand-in for the CLI."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from pulumi import automation

from mlops_iac.engine import pulumi_backend, pulumi_stack, pulumi_workspace
from mlops_iac.engine.pulumi_backend import Backend
from mlops_iac.errors import MlopsError


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Answers that the CLI gives, one after the other; `error: ` is a failure."""
    answers: list[str] = []

    def run(arguments: list[str], folder: str, variables: dict[str, str]) -> SimpleNamespace:
        said = answers.pop(0) if len(answers) > 1 else answers[0]
        if said.startswith("error: "):
            raise automation.CommandError(f"\n code: 255\n stdout: \n stderr: {said}\n")
        return SimpleNamespace(stdout=said)

    monkeypatch.setattr(pulumi_stack, "command", lambda: SimpleNamespace(run=run))
    monkeypatch.setattr(pulumi_workspace, "require_cli", lambda: None)
    monkeypatch.setattr(pulumi_backend, "_PAUSES", (0.0, 0.0))
    return answers


def test_what_another_writes_at_this_moment_is_read_again(asked: list[str], tmp_path: Path) -> None:
    with Backend("churn", tmp_path.as_uri()) as backend:
        asked[:] = ["error: EOF", '[{"name": "organization/churn/pr-1"}]']
        assert [item.name for item in backend.stacks()] == ["pr-1"]
        asked[:] = [
            "error: failed to load checkpoint: EOF",
            '{"mlops-iac:ephemeral": "dev until x"}',
        ]
        assert backend.tags("pr-1") == {"mlops-iac:ephemeral": "dev until x"}
        # What stays so is told; an ephemeral stack is not taken for one without tags.
        asked[:] = ["error: failed to load checkpoint: EOF"]
        with pytest.raises(MlopsError, match="EOF"):
            backend.tags("pr-1")
        with pytest.raises(MlopsError, match="EOF"):
            backend.stacks()
        asked[:] = ["error: this backend has no tags"]
        assert backend.tags("pr-1") == {}
