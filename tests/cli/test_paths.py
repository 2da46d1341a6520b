"""Paths that leave the repository: refused at their line, and nothing there is read or named."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mlops_iac import blueprint as language
from mlops_iac.api.core.templating import Templates
from mlops_iac.api.project import Project
from mlops_iac.blueprint.reach import Reach
from mlops_iac.errors import BlueprintInvalid, UsageError
from tests.cli.harness import Cli, environment
from tests.sagemaker_blueprints import PREDICT

BLUEPRINT = """\
blueprint: 1
name: small
platform: sagemaker
region: eu-west-1
owner: someone@acme.example
datasets:
  rows:
    source: data/rows.csv
    format: csv
    target: y
models:
  m:
    code: workload/
    runtime: {framework: scikit-learn, version: 1.9}
    datasets: [rows]
    metrics: {accuracy: maximize}
    prepare: {script: prepare.py}
    train: {script: train.py}
    evaluate: {script: evaluate.py, gates: {accuracy: {at_least: 0.5}}}
environments:
  dev: {account: "123456789012", protect: false}
"""
TEMPLATE = "template: 1\nname: acme/standard\nversion: 1.0.0\ndescription: For tests.\n"
SECRET, NAME = "hunter2-is-the-password", "payroll"


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """A repository with a blueprint in `team/`, and beside it what belongs to others."""
    for name in ("repo/.git", "outside/folder", "outside/template"):
        (tmp_path / name).mkdir(parents=True)
    for name in (f"{NAME}.csv", f"folder/{NAME}.py", f"folder/{NAME}.csv", "template/secret.txt"):
        (tmp_path / "outside" / name).write_text(f"{SECRET}: [,x,y\n")
    (tmp_path / "outside/template/template.yaml").write_text(TEMPLATE)
    team = tmp_path / "repo/team"
    for name in ("data/rows.csv", *(f"workload/{n}.py" for n in ("prepare", "train", "evaluate"))):
        (team / name).parent.mkdir(parents=True, exist_ok=True)
        (team / name).write_text("x,y\n1,0\n")
    (team / "workload/predict.py").write_text(PREDICT)
    (team / "blueprint.yaml").write_text(BLUEPRINT)
    return Cli(team, environment())


def write(team: Path, old: str, new: str) -> None:
    path = team / "blueprint.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))


def link(team: Path, name: str, target: str) -> None:
    (team / name).unlink(missing_ok=True)
    (team / name).symlink_to(target)


def silent(cli: Cli, *words: str) -> str:
    """What a refused command says: nothing of what lies outside, and nothing keeps that either."""
    answer = cli(*words, expect=2)
    said = f"{answer.out}{answer.err}"
    assert SECRET not in said
    kept = (path for path in cli.folder.rglob("*") if path.is_file() and not path.is_symlink())
    assert not any(SECRET.encode() in path.read_bytes() for path in kept)
    return said


FIELDS = {
    # sentence: (what is written, in the place of what, the field)
    "a dataset": ("source: ../../outside/payroll.csv", "source: data/rows.csv", "datasets.rows.source"),
    "a dataset that is nearly there": (
        "source: ../../outside/payrol.csv", "source: data/rows.csv", "datasets.rows.source",
    ),
    "a folder of data": ("source: ../../outside/folder", "source: data/rows.csv", "datasets.rows.source"),
    "a file of the system": (
        "source: ../../../../../../../../../../proc/self/environ", "source: data/rows.csv",
        "datasets.rows.source",
    ),
    "code": ("code: ../../outside/folder", "code: workload/", "models.m.code"),
    "code at the top of all": ("code: ../../../../../../../../../../", "code: workload/", "models.m.code"),
    "a Dockerfile": (
        "runtime: {dockerfile: ../../outside/payroll.csv}",
        "runtime: {framework: scikit-learn, version: 1.9}", "models.m.runtime.dockerfile",
    ),
    "the Dockerfile of a step": (
        "train: {script: train.py, runtime: {dockerfile: ../../outside/payroll.csv}}",
        "train: {script: train.py}", "models.m.train.runtime.dockerfile",
    ),
    "a model card": (
        "registry: {card: ../../outside/payroll.csv}\n    datasets: [rows]", "datasets: [rows]",
        "models.m.registry.card",
    ),
    "a model from elsewhere": (
        "models:\n  n: {source: ../../outside/payroll.csv, runtime: {framework: onnx, version: 1.20}}",
        "models:", "models.n.source",
    ),
    "an environment's own": (
        'dev: {datasets: {rows: {source: ../../outside/payroll.csv}}, account: "123456789012",',
        'dev: {account: "123456789012",', "datasets.rows.source",
    ),
    "a template": (
        "extends: [{template: ../../outside/template}]\nowner:", "owner:", "extends[0]",
    ),
    "the root as a template": ("extends: [{template: /}]\nowner:", "owner:", "extends[0]"),
}  # fmt: skip


@pytest.mark.parametrize("sentence", FIELDS)
def test_a_field_that_leads_out_is_refused_where_it_is_written(cli: Cli, sentence: str) -> None:
    text, old, field = FIELDS[sentence]
    write(cli.folder, old, text)
    answer = cli("validate", "--format", "json", expect=2)
    (found,) = answer.json["diagnostics"]
    line = next(each for each in text.splitlines() if "/" in each)
    assert line in (cli.folder / "blueprint.yaml").read_text().splitlines()[found["line"] - 1]
    assert (found["code"], found["path"], found["file"]) == ("outside", field, "blueprint.yaml")
    assert f"out of {cli.folder.parent}" in found["message"]
    assert found["hint"].endswith("or name its folder in MLOPS_IAC_FOLDERS")
    assert "did you mean" not in answer.out
    assert "[outside]" in silent(cli, "compile")
    assert not (cli.folder / "stacks").exists()


LINKS = {
    # sentence: (link in the team's folder, where it leads, the command, the name in what is said)
    "a dataset": ("data/rows.csv", "../../../outside/payroll.csv", "validate", "blueprint.yaml:8:13"),
    "a script": ("workload/train.py", "../../../outside/folder/payroll.py", "validate", "blueprint.yaml:18:21"),
    "what code needs": ("workload/requirements.txt", "../../../outside/payroll.csv", "compile", "requirements.txt"),
    "a folder in the code": ("workload/more", "../../../outside/folder", "compile", "more is a link to a folder"),
    "settings of rules": ("policies.yaml", "../../outside/payroll.csv", "validate", "'policies.yaml' leads"),
    "rules": ("policies", "../../outside/folder", "validate", "'policies' leads"),
    "the lock of templates": ("blueprint.lock", "../../outside/payroll.csv", "validate", "'blueprint.lock' leads"),
    "the work folder": (".mlops-iac", "../../outside/folder", "compile", ".mlops-iac is a link to"),
}  # fmt: skip


@pytest.mark.parametrize("sentence", LINKS)
def test_a_link_that_leads_out_is_not_followed(cli: Cli, sentence: str) -> None:
    name, target, command, told = LINKS[sentence]
    link(cli.folder, name, target)
    if name == "blueprint.lock":
        write(cli.folder, "owner:", "extends: [{template: ./standard}]\nowner:")
        (cli.folder / "standard").mkdir()
        (cli.folder / "standard/template.yaml").write_text(TEMPLATE)
    before = sorted((cli.folder.parent.parent / "outside").rglob("*"))
    said = silent(cli, command)
    assert told in said
    assert NAME not in said.replace(target.replace("../", ""), "")
    assert sorted((cli.folder.parent.parent / "outside").rglob("*")) == before


def test_a_blueprint_that_is_a_link_out_is_not_read(cli: Cli) -> None:
    link(cli.folder, "other.yaml", "../../outside/payroll.csv")
    answer = cli("--file", "other.yaml", "validate", expect=2)
    assert "'other.yaml' leads to" in answer.err
    assert SECRET not in answer.err


def test_a_template_may_name_no_more_than_the_blueprint_may(cli: Cli) -> None:
    (cli.folder / "standard").mkdir()
    (cli.folder / "standard/template.yaml").write_text(TEMPLATE)
    (cli.folder / "standard/blueprint.yaml").write_text(
        "datasets:\n  rows:\n    source: ../../outside/payroll.csv\n"
    )
    write(cli.folder, "    source: data/rows.csv\n", "")
    write(cli.folder, "owner:", "extends: [{template: ./standard}]\nowner:")
    (found,) = cli("validate", "--format", "json", expect=2).json["diagnostics"]
    assert (found["code"], found["file"], found["line"]) == (
        "outside", "./standard/blueprint.yaml", 3,
    )  # fmt: skip


def test_an_override_names_no_file(cli: Cli) -> None:
    mark = (
        "{4dabf18193072939515e22adb298388d: c44067f5952c0a294b673a41bacd8c17, path: /etc/hostname}"
    )
    text = (cli.folder / "blueprint.yaml").read_text()
    address = "s3.BucketObjectv2/datasets-rows"
    for item in ("{source: /etc/hostname}", f"{{tags: {mark}}}"):
        (cli.folder / "blueprint.yaml").write_text(f"{text}overrides:\n  {address}: {item}\n")
        assert "cannot name a file to upload" in cli("compile", expect=2).err


def test_a_pipe_is_told_and_not_waited_for(cli: Cli) -> None:
    os.mkfifo(cli.folder / "data/pipe")
    write(cli.folder, "data/rows.csv", "data/pipe")
    assert "'data/pipe' is a pipe or device, not a file" in cli("validate", expect=2).err


def test_a_circle_of_links_is_nothing(cli: Cli) -> None:
    link(cli.folder, "data/rows.csv", "rows.csv")
    assert "there is no file or folder 'data/rows.csv'" in cli("validate", expect=2).err
    link(cli.folder, "data/rows.csv", "../workload/train.py")
    link(cli.folder, "workload/circle.py", "circle.py")
    assert "circle.py is no regular file" in cli("compile", expect=2).err


Change = Callable[[Cli], None]


def shared(cli: Cli) -> None:
    (cli.folder.parent / "shared.csv").write_text("x,y\n")
    write(cli.folder, "data/rows.csv", "../shared.csv")


def linked(cli: Cli) -> None:
    shared(cli)
    link(cli.folder.parent, "link.csv", "shared.csv")
    link(cli.folder, "data/rows.csv", "../../link.csv")
    write(cli.folder, "../shared.csv", "data/rows.csv")


def named(cli: Cli) -> None:
    write(cli.folder, "data/rows.csv", "../../outside/payroll.csv")
    cli.environment["MLOPS_IAC_FOLDERS"] = str(cli.folder.parent.parent / "outside")


@pytest.mark.parametrize("change", [shared, linked, named])
def test_what_belongs_to_it_is_read(cli: Cli, change: Change) -> None:
    change(cli)
    cli("compile", "-q")
    program = (cli.folder / "stacks/small/__main__.py").read_text()
    wanted = "outside/payroll.csv" if change is named else "../shared.csv"
    assert wanted in program


def test_without_a_repository_the_blueprints_folder_is_the_limit(cli: Cli) -> None:
    shared(cli)
    (cli.folder.parent / ".git").rmdir()
    assert f"out of {cli.folder}" in cli("validate", expect=2).err
    write(cli.folder, "../shared.csv", "data/rows.csv")
    cli("validate")


def test_a_project_from_a_folder_elsewhere_is_told_what_would_work(cli: Cli) -> None:
    outside = cli.folder.parent.parent / "outside"
    answer = cli("init", str(outside / "template"), "new", "--defaults", expect=2)
    assert "nothing was written" in answer.err
    assert "name its folder in MLOPS_IAC_FOLDERS" in answer.err
    assert not (cli.folder / "new").exists()
    cli("init", str(outside / "template"), "new", "--defaults", MLOPS_IAC_FOLDERS=str(outside))
    assert (cli.folder / "new/blueprint.lock").exists()


def read(path: Path, reach: Reach) -> Project:
    templates = Templates(path, reach=reach)
    return Project(language.load(path, templates=templates, reach=reach), templates)


def test_a_fork_reaches_its_own_tree(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = cli.folder.parent
    monkeypatch.setenv("MLOPS_IAC_FOLDERS", str(tree.parent))
    fork = Reach((tree,), fork=True)
    shared(cli)
    path = cli.folder / "blueprint.yaml"
    assert read(path, fork).loaded.reach is fork
    for source in ("../../outside/template", f"git+file://{tree}", str(tree.parent / "outside")):
        write(cli.folder, "owner:", f"extends: [{{template: '{source}'}}]\nowner:")
        with pytest.raises(BlueprintInvalid) as caught:
            read(path, fork)
        assert [item.code for item in caught.value.diagnostics] == ["outside"]
        write(cli.folder, f"extends: [{{template: '{source}'}}]\n", "")
    link(cli.folder, "policies", "../../outside/folder")
    with pytest.raises(UsageError, match="'policies' leads out of the repository"):
        read(path, fork).policies("dev")
