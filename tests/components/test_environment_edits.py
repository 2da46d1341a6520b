"""Environments added and removed; whether a stack has resources is told by a stand-in."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Self

import pytest

from mlops_iac.api import load
from mlops_iac.api.deploy import orphaned_stacks
from mlops_iac.api.stacks import environments as module
from mlops_iac.api.stacks.environments import add_environment, remove_environment
from mlops_iac.errors import BlueprintInvalid, StackNotFound, UsageError

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "schedule-adherence"
FILES = ["Pulumi.{}.yaml", "mlops-iac.{}.lock.json"]


@pytest.fixture
def blueprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    ignore = shutil.ignore_patterns(".mlops-iac", "stacks", "__pycache__")
    folder = Path(shutil.copytree(EXAMPLE, tmp_path / "project", ignore=ignore))
    monkeypatch.chdir(folder)
    return folder / "blueprint.yaml"


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> dict[str, orphaned_stacks.State]:
    known: dict[str, orphaned_stacks.State] = {}

    def state_of(_: object, stack: str, out: object = None) -> orphaned_stacks.State:
        return known.get(stack, orphaned_stacks.State())

    monkeypatch.setattr(module, "state_of", state_of)
    monkeypatch.setattr(orphaned_stacks, "state_of", state_of)
    return known


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def files(blueprint: Path, name: str) -> list[str]:
    folder = blueprint.parent / "stacks" / "schedule-adherence"
    return [each.format(name) for each in FILES if (folder / each.format(name)).exists()]


def test_another_ones_overlay_with_its_comments(blueprint: Path) -> None:
    edit(blueprint, "    protect: false\n", "    # ours to break\n    protect: false  # yes\n")
    before = blueprint.read_text()
    told = add_environment("blueprint.yaml", "qa", "dev")
    assert blueprint.read_text() == before + (
        "  qa:\n    account: 012345678901\n    # ours to break\n    protect: false  # yes\n"
        "    budget: {monthly_usd: 100}\n"
    )
    assert str(told).splitlines() == [
        "blueprint.yaml:71: added qa, as dev is",
        "note: it has the account of dev, 012345678901",
        "next: mlops-iac compile, review and commit",
    ]
    assert load("blueprint.yaml").environments == ("local", "dev", "staging", "prod", "qa")


ANYWHERE = "it would be deployed to whatever account the credentials are for"


def test_one_begins_with_what_its_guard_rails_ask_for(blueprint: Path) -> None:
    before = blueprint.read_text()
    told = add_environment("blueprint.yaml", "qa")
    written = "  qa:\n    serving:\n      api:\n        scaling:\n          min: 2\n"
    assert blueprint.read_text() == before + written
    assert told.notes == (
        "what its guard rails ask for was written: serving.api.scaling.min 2",
        f"left to fill in: environments.qa.account is not said: {ANYWHERE}",
        (
            "qa trains adherence itself; to serve what prod runs, write `promote_from: prod` into"
            " environments.qa.models.adherence, and both accounts"
        ),
    )
    text = before[: before.index("\nenvironments:")]
    blueprint.write_text(text)
    add_environment("blueprint.yaml", "qa")
    assert blueprint.read_text() == text + "environments:\n" + written


@pytest.mark.parametrize(
    ("name", "base", "words"),
    [
        ("dev", None, "there is an environment dev already, blueprint.yaml:55"),
        ("local", None, "always there"),
        ("Prod", None, "cannot be the name of an environment"),
        ("a" * 21, None, "21 characters"),
        ("a/../b", None, "cannot be the name of an environment"),
        ("qa", "local", "local is emulated"),
    ],
)
def test_what_cannot_be_added(blueprint: Path, name: str, base: str | None, words: str) -> None:
    before = blueprint.read_text()
    with pytest.raises(UsageError, match=words):
        add_environment("blueprint.yaml", name, base)
    assert blueprint.read_text() == before


def test_what_would_not_be_valid_is_not_written(blueprint: Path) -> None:
    with pytest.raises(StackNotFound):
        add_environment("blueprint.yaml", "qa", "nope")
    edit(blueprint, "promote_from: dev", "promote_from: prod")
    before = blueprint.read_text()
    with pytest.raises(BlueprintInvalid):
        add_environment("blueprint.yaml", "qa")
    assert blueprint.read_text() == before


def test_one_without_resources_goes_with_its_files(blueprint: Path, state: dict) -> None:
    load(blueprint).compile()
    assert len(files(blueprint, "prod")) == 2
    before = blueprint.read_text()
    state["prod"] = orphaned_stacks.State(exists=True)
    told = remove_environment("blueprint.yaml", "prod")
    assert blueprint.read_text() == before[: before.index("  prod:\n")]
    assert files(blueprint, "prod") == []
    assert told.as_json()["removed"] == [
        "stacks/schedule-adherence/Pulumi.prod.yaml",
        "stacks/schedule-adherence/mlops-iac.prod.lock.json",
    ]
    assert "`pulumi stack rm prod` in stacks/schedule-adherence ends" in str(told)
    load(blueprint).compile()
    assert files(blueprint, "prod") == []


def test_the_last_one(blueprint: Path, state: dict) -> None:
    for name in ("prod", "staging", "dev"):
        remove_environment("blueprint.yaml", name)
    assert "environments" not in blueprint.read_text()
    assert load(blueprint).environments == ("local",)


def test_one_with_resources_stays(blueprint: Path, state: dict) -> None:
    state["prod"] = orphaned_stacks.State(resources=51, exists=True)
    before = blueprint.read_text()
    for gone in (False, True):
        with pytest.raises(UsageError, match="still has 51 resource") as told:
            remove_environment("blueprint.yaml", "prod", gone=gone)
        assert "mlops-iac destroy -s prod" in told.value.hint
    assert blueprint.read_text() == before


def test_one_that_cannot_be_asked(blueprint: Path, state: dict) -> None:
    state["prod"] = state["dev"] = orphaned_stacks.State(why="nobody is logged in")
    load(blueprint).compile()
    with pytest.raises(UsageError, match="is not known: nobody is logged in") as told:
        remove_environment("blueprint.yaml", "prod")
    assert "mlops-iac stack rm prod --yes --force" in told.value.hint
    assert len(files(blueprint, "prod")) == 2
    remove_environment("blueprint.yaml", "prod", gone=True)
    assert files(blueprint, "prod") == []


def test_one_that_was_never_compiled_needs_no_state(blueprint: Path, state: dict) -> None:
    state["prod"] = orphaned_stacks.State(why="nobody is logged in; nothing was changed")
    told = remove_environment("blueprint.yaml", "prod")
    assert told.notes == ("its state was not asked: nobody is logged in",)


def test_one_that_others_need(blueprint: Path, state: dict) -> None:
    before = blueprint.read_text()
    with pytest.raises(BlueprintInvalid, match="there is no environment 'dev'") as told:
        remove_environment("blueprint.yaml", "dev")
    # The line of the file as it is.
    assert [each.line for each in told.value.diagnostics] == [61]
    with pytest.raises(UsageError, match="always there"):
        remove_environment("blueprint.yaml", "local")
    with pytest.raises(StackNotFound, match="nope"):
        remove_environment("blueprint.yaml", "nope")
    assert blueprint.read_text() == before


def test_compile_does_not_drop_the_files_of_what_may_have_resources(
    blueprint: Path, state: dict
) -> None:
    load(blueprint).compile()
    text = blueprint.read_text()
    blueprint.write_text(text[: text.index("  prod:\n")])
    state["prod"] = orphaned_stacks.State(resources=51, exists=True)
    with pytest.raises(
        UsageError, match="prod is gone from the blueprint and its stack still has 51"
    ):
        load(blueprint).compile()
    with pytest.raises(UsageError, match="still has 51") as told:
        remove_environment("blueprint.yaml", "prod", gone=True)
    assert "write it back into the blueprint" in told.value.hint
    state["prod"] = orphaned_stacks.State(why="no network")
    with pytest.raises(UsageError, match="not known: no network"):
        load(blueprint).compile()
    assert len(files(blueprint, "prod")) == 2
    told = remove_environment("blueprint.yaml", "prod", gone=True)
    assert "not in the blueprint any more" in str(told)
    load(blueprint).compile()
    assert files(blueprint, "prod") == []


class Kept:
    """A stand-in for backends: how many resources each keeps, by URL and stack."""

    def __init__(self, kept: dict[tuple[str, str], int]) -> None:
        self.kept = kept

    def __call__(self, project: str, url: str) -> Kept:
        self.url = url
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def export(self, stack: str) -> dict:
        if (self.url, stack) not in self.kept:
            raise StackNotFound(f"the backend has no stack {stack}")
        one = {
            "urn": "urn:pulumi:prod::p::aws:s3/bucket:Bucket::b",
            "type": "aws:s3/bucket:Bucket",
            "custom": True,
        }
        return {"deployment": {"resources": [one] * self.kept[self.url, stack]}}


def test_the_backend_of_an_environment_is_not_forgotten_with_it(
    blueprint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = blueprint.read_text().replace(
        "  prod:\n", "  prod:\n    state: {backend: 'file://./kept'}\n"
    )
    blueprint.write_text(text)
    load(blueprint).compile()
    kept = {(f"file://{blueprint.parent.resolve()}/kept", "prod"): 51}
    monkeypatch.setattr("mlops_iac.engine.pulumi_backend.Backend", Kept(kept))
    blueprint.write_text(text[: text.index("  prod:\n")])
    with pytest.raises(UsageError, match="still has 51"):
        load(blueprint).compile()
    with pytest.raises(UsageError, match="still has 51"):
        remove_environment("blueprint.yaml", "prod", gone=True)
    # Neither is the old one where the blueprint names another since.
    for moved in (text.replace("./kept", "./new"), text.replace("    state: ", "    # state: ")):
        blueprint.write_text(moved)
        with pytest.raises(UsageError, match=r"prod has 51 resource\(s\) in the state that file:"):
            load(blueprint).compile()
        with pytest.raises(UsageError, match="still has 51"):
            remove_environment("blueprint.yaml", "prod")
    blueprint.write_text(text.replace("./kept", "./new"))
    there = f"file://{blueprint.parent.resolve()}/new"
    kept[there, "prod"] = 51
    load(blueprint).compile()
    blueprint.write_text(text)
    assert len(files(blueprint, "prod")) == 2
    kept.clear()
    assert "removed prod" in str(remove_environment("blueprint.yaml", "prod"))
    assert files(blueprint, "prod") == []


def test_compile_drops_the_files_of_what_has_none(blueprint: Path, state: dict) -> None:
    load(blueprint).compile()
    text = blueprint.read_text()
    blueprint.write_text(text[: text.index("  prod:\n")])
    load(blueprint).compile()
    assert files(blueprint, "prod") == []


def test_an_environment_of_a_template_is_the_templates(
    blueprint: Path, state: dict, tmp_path: Path
) -> None:
    folder = tmp_path / "standard"
    folder.mkdir()
    (tmp_path / ".git").mkdir()
    (folder / "template.yaml").write_text("template: 1\nname: acme/standard\nversion: 1.0.0\n")
    (folder / "blueprint.yaml").write_text("environments: {qa: {protect: false}}\n")
    edit(blueprint, "blueprint: 1\n", "blueprint: 1\nextends: [{template: ../standard}]\n")
    assert "qa" in load(blueprint).environments
    with pytest.raises(UsageError, match="qa is an environment of a template"):
        remove_environment("blueprint.yaml", "qa")
    with pytest.raises(UsageError, match="already, in a template"):
        add_environment("blueprint.yaml", "qa")
    edit(blueprint, "environments:\n", "environments:\n  qa: {protect: true}\n")
    before = blueprint.read_text()
    with pytest.raises(UsageError, match="qa is an environment of a template, too"):
        remove_environment("blueprint.yaml", "qa")
    assert blueprint.read_text() == before
    edit(blueprint, "  qa: {protect: true}\n", "")
    told = add_environment("blueprint.yaml", "test", "qa")
    assert told.notes == (
        "what qa adds stands in a template and is for qa alone; test has none of it: protect",
    )
    # A part of it stands in the blueprint: the new one is not what its base is.
    edit(blueprint, "environments:\n", "environments:\n  qa: {owner: q@acme.example}\n")
    told = add_environment("blueprint.yaml", "more", "qa")
    assert told.done == "added more, with what the blueprint says of qa"
    assert told.notes == (
        "what qa also adds stands in a template and is for qa alone; more has none of it: protect",
    )


def test_a_pin_that_is_copied_means_another_registry(blueprint: Path) -> None:
    edit(blueprint, "    protect: false\n", "    models: {adherence: {version: 3}}\n")
    pins = (
        "it pins adherence/3, a number of dev's registry, and serves from its own:"
        " take environments.{}.models.adherence.version out"
    )
    assert add_environment("blueprint.yaml", "qa", "dev").notes[1:] == (pins.format("qa"),)
    # Who promotes from where its base does serves from the same registry.
    edit(blueprint, "{promote_from: staging}", "{promote_from: staging, version: 3}")
    assert len(add_environment("blueprint.yaml", "live", "prod").notes) == 1
