"""What `init` writes, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_iac.blueprint import load
from mlops_iac.errors import UsageError
from mlops_iac.pipeline.lifecycle import lifecycle
from mlops_iac.pipeline.refusals import refusals
from mlops_iac.scaffold.render import default_answers, scaffold


def test_a_new_project_has_everything_and_is_valid(tmp_path: Path) -> None:
    answers = default_answers("My Churn!") | {"owner": "ann@acme.example", "region": "us-east-1"}
    written = scaffold(tmp_path / "new", answers)
    names = {path.relative_to(tmp_path / "new").as_posix() for path in written}
    assert {
        ".gitignore", "README.md", "blueprint.yaml", "data/deliveries.csv", "data/generate.py",
        "workload/evaluate.py", "workload/predict.py", "workload/prepare.py",
        "workload/requirements.txt", "workload/train.py",
    } <= names  # fmt: skip
    resolved = load(tmp_path / "new" / "blueprint.yaml").resolve("local")
    assert resolved.blueprint.name == "my-churn"
    assert resolved.blueprint.owner == "ann@acme.example"
    assert resolved.blueprint.region == "us-east-1"
    assert not list(refusals(resolved, "classifier"))
    assert lifecycle(resolved, "classifier").gates


def test_nothing_of_the_template_is_left_in_what_is_written(tmp_path: Path) -> None:
    for path in scaffold(tmp_path, default_answers("x")):
        text = path.read_text(encoding="utf-8")
        assert "{{ " not in text, path
        assert not path.name.endswith(".jinja")


def test_a_file_that_is_there_stops_everything(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(UsageError, match=r"already has README\.md; nothing was written"):
        scaffold(tmp_path, default_answers("x"))
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
    assert (tmp_path / "README.md").read_text() == "mine"


@pytest.mark.parametrize(
    ("folder", "name"),
    [("Churn", "churn"), ("My Project 1", "my-project-1"), ("123", "my-project"), ("a" * 50, "a" * 32), ("ü", "my-project")],
)  # fmt: skip
def test_a_folder_gives_a_name_that_is_allowed(folder: str, name: str, tmp_path: Path) -> None:
    assert default_answers(folder)["name"] == name
    assert scaffold(tmp_path, default_answers(folder))


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({"name": "Churn"}, "lowercase letters"),
        ({"name": "x" * 33}, "32 characters"),
        ({"name": "x: {}"}, "lowercase letters"),
        ({"owner": "nobody"}, "not an e-mail address"),
        ({"owner": 'a@b.c"\nplatform: x'}, "not an e-mail address"),
        ({"region": "Ireland"}, "not a region"),
        ({"platform": "vertex"}, "no template for vertex"),
        ({"name": ""}, "no answer for name"),
        ({"colour": "red"}, "nobody asked for colour"),
    ],
)
def test_an_answer_of_another_form_is_refused_and_nothing_written(
    tmp_path: Path, answer: dict[str, str], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        scaffold(tmp_path / "new", default_answers("x") | answer)
    assert not (tmp_path / "new").exists()


def test_an_owner_with_quotes_stays_one_value(tmp_path: Path) -> None:
    scaffold(tmp_path, default_answers("x") | {"owner": "o'neil&{#}@acme.example"})
    resolved = load(tmp_path / "blueprint.yaml").resolve("local")
    assert resolved.blueprint.owner == "o'neil&{#}@acme.example"


def test_templates_run_in_a_sandbox(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from jinja2.exceptions import SecurityError, UndefinedError

    from mlops_iac.scaffold import render

    template = tmp_path / "template"
    template.mkdir()
    monkeypatch.setattr(render, "_TEMPLATE", template)
    (template / "a.jinja").write_text("{{ ''.__class__.__mro__ }}")
    with pytest.raises(SecurityError):
        scaffold(tmp_path / "new", default_answers("x"))
    (template / "a.jinja").write_text("{{ nobody }}")
    with pytest.raises(UndefinedError):
        scaffold(tmp_path / "new", default_answers("x"))
