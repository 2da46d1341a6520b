"""The built-in templates lint clean and pass their own golden tests."""

from __future__ import annotations

import pytest

from mlops_iac.api.templates.linting import lint_folder
from mlops_iac.api.templates.testing import test_folder as run_cases
from mlops_iac.templates.sources.builtin import BuiltinSource, builtin_folder, builtin_names


@pytest.mark.parametrize("name", builtin_names())
def test_a_built_in_template_passes_its_golden_tests(name: str) -> None:
    results = list(run_cases(builtin_folder() / name))
    assert [failure for result in results for failure in result.failures] == []
    assert any(result.environments for result in results)
    assert any(not result.environments for result in results)


def test_there_are_four() -> None:
    assert builtin_names() == [
        "champion-challenger",
        "governed-realtime",
        "organisation-standard",
        "realtime",
    ]


@pytest.mark.parametrize("name", builtin_names())
def test_what_a_team_is_pinned_to_has_no_golden_files(name: str) -> None:
    """They change with the tool, and a version of a template does not."""
    files = BuiltinSource(text=name).read()
    assert not [path for path in files if path.startswith("tests/")]
    assert {"template.yaml", "README.md", "scaffold/.from"} <= set(files)


@pytest.mark.parametrize("name", builtin_names())
def test_a_built_in_template_has_nothing_to_find(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(builtin_folder())
    assert [item.message for item in lint_folder(name)] == []
