"""Which files of a scaffold other tools run by themselves."""

from __future__ import annotations

import pytest

from mlops_iac.scaffold.executed import run_by_themselves
from mlops_iac.scaffold.rendering import shared


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        (".github/workflows/x.yml", "CI runs it"),
        (".GitLab-CI.yml", "CI runs it"),
        ("azure-pipelines.yml", "CI runs it"),
        ("Jenkinsfile", "CI runs it"),
        ("deep/in/.VSCODE/tasks.json", "editors run"),
        (".devcontainer.json", "editors run"),
        (".idea/runConfigurations/a.xml", "editors run"),
        ("x.code-workspace", "editors run"),
        (".claude/settings.json", "coding assistants"),
        (".gitmodules", "git, or what hooks into it"),
        (".pre-commit-config.yaml", "git, or what hooks into it"),
        ("data/HEAD", "a repository of its own"),
        (".envrc", "shells"),
        ("tests/conftest.py", "Python or its tools"),
        ("setup.py", "installing"),
    ],
)
def test_what_runs_by_itself_is_known(path: str, reason: str) -> None:
    assert reason in run_by_themselves(["README.md", path])[path]


def test_what_a_project_is_made_of_is_not_asked_about() -> None:
    plain = ["blueprint.yaml", "README.md", ".gitignore", "workload/train.py", ".gitkeep"]
    assert not run_by_themselves([*plain, *shared()["example-workload"]])
